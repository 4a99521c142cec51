//! `ResizeEngineInstance` (Kafka 5.4.1) and `ResizeInstance` (RocketMQ 5.10.2): more storage, more brokers or a bigger
//! flavour; never less.

use std::time::Duration;

use serde_json::json;

use super::catalogue::Flavour;
use super::codes::{self, ApiError};
use super::fields::{Fields, object};
use super::gateway::{Context, Reply};
use super::jobs::{Change, NewTask};
use super::state::{Engine, Status};

/// What the service needs for it.
const EXTEND: Duration = Duration::from_mins(10);
/// How often storage can grow (`DMS.00400124`).
const MAX_EXTENSIONS: u32 = 20;

pub(crate) fn extend(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    let body = object(context.body)?;
    let fields = Fields(&body);
    // Here with hyphens, unlike the job ids of other calls.
    let id = context.state.uuid();
    let (now, lasts, fails) = (context.now, context.takes(EXTEND), context.effect.job_fails);
    let instance = context.instance()?;
    instance.idle()?;
    // Kafka's table has new_broker_number, its example and all SDKs new_broker_num, as RocketMQ has it everywhere.
    let known = [
        "oper_type",
        "new_storage_space",
        "new_broker_num",
        "new_product_id",
        "publicip_id",
        "tenant_ips",
    ];
    fields.only(match instance.engine() {
        Engine::Kafka => &known,
        Engine::RocketMq => &known[..5],
    })?;
    let (mut storage, mut broker_num, mut product_id) =
        (instance.storage, instance.broker_num, instance.product_id.clone());
    let flavour = instance.flavour();
    let new_storage = fields.integer("new_storage_space")?;
    match fields.text("oper_type")? {
        Some("storage") => {
            storage = new_storage.ok_or_else(|| codes::DISK.error())?;
            if storage - instance.storage < 100 * broker_num || !flavour.storage.holds(storage, broker_num) {
                return Err(codes::DISK.error());
            }
            if instance.extend_times >= MAX_EXTENSIONS {
                return Err(codes::EXPANSIONS.error());
            }
        }
        Some("horizontal") => {
            broker_num = fields.integer("new_broker_num")?.unwrap_or_default();
            if !(instance.broker_num + 1..=flavour.brokers.1).contains(&broker_num) {
                return Err(codes::PARAMETER.about("new_broker_num"));
            }
            storage = instance.storage / instance.broker_num * broker_num;
            if new_storage != Some(storage) {
                return Err(codes::DISK.about(format_args!("The storage space of each broker stays: {storage} GB.")));
            }
        }
        Some("vertical") => {
            let flavours = Flavour::all(instance.engine(), &instance.engine_version);
            let rank = |id: &str| flavours.iter().position(|flavour| flavour.id == id);
            let wanted = fields.text("new_product_id")?.unwrap_or_default();
            if rank(wanted).is_none_or(|rank_wanted| Some(rank_wanted) <= rank(&product_id)) {
                return Err(codes::PRODUCT.error());
            }
            product_id = wanted.to_owned();
        }
        _ => return Err(codes::PARAMETER.about("oper_type")),
    }
    instance.status = Status::Extending;
    // The references print no name for this task.
    let params = json!({"storage_space": storage, "broker_num": broker_num, "product_id": product_id});
    let task = NewTask {
        id: id.clone(),
        name: "extendInstance",
        params,
    };
    instance.begin(
        now,
        lasts,
        fails,
        Some(task),
        Change::Extend {
            storage,
            broker_num,
            product_id,
        },
    );
    Ok(Reply::ok(json!({"job_id": id})))
}

//! `ResizeEngineInstance`, 5.4.1: more storage, more brokers or a bigger flavour; never less.

use std::time::Duration;

use serde_json::json;

use super::catalogue::{FLAVOURS, Flavour};
use super::codes::{self, ApiError};
use super::fields::{Fields, object};
use super::gateway::{Context, Reply};
use super::state::{Change, NewTask, Status};

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
    // The table's new_broker_number is new_broker_num in the example and in all SDKs.
    fields.only(&[
        "oper_type",
        "new_storage_space",
        "new_broker_num",
        "new_product_id",
        "tenant_ips",
        "publicip_id",
    ])?;
    let (mut storage, mut broker_num, mut product_id) =
        (instance.storage, instance.broker_num, instance.product_id.clone());
    let new_storage = fields.integer("new_storage_space")?;
    match fields.text("oper_type")? {
        Some("storage") => {
            storage = new_storage.ok_or_else(|| codes::DISK.error())?;
            let flavour = Flavour::find(&product_id).expect("only known flavours are sold");
            if storage % broker_num != 0 || storage - instance.storage < 100 * broker_num || storage > flavour.storage {
                return Err(codes::DISK.error());
            }
            if instance.extend_times >= MAX_EXTENSIONS {
                return Err(codes::EXPANSIONS.error());
            }
        }
        Some("horizontal") => {
            broker_num = fields.integer("new_broker_num")?.unwrap_or_default();
            if !(instance.broker_num + 1..=30).contains(&broker_num) {
                return Err(codes::PARAMETER.about("new_broker_num"));
            }
            storage = instance.storage / instance.broker_num * broker_num;
            if new_storage != Some(storage) {
                return Err(codes::DISK.about(format_args!("The storage space of each broker stays: {storage} GB.")));
            }
        }
        Some("vertical") => {
            let rank = |id: &str| FLAVOURS.iter().position(|flavour| flavour.id == id);
            let wanted = fields.text("new_product_id")?.unwrap_or_default();
            if rank(wanted).is_none_or(|rank_wanted| Some(rank_wanted) <= rank(&product_id)) {
                return Err(codes::PRODUCT.error());
            }
            product_id = wanted.to_owned();
        }
        _ => return Err(codes::PARAMETER.about("oper_type")),
    }
    instance.status = Status::Extending;
    // The reference prints no name for this task.
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

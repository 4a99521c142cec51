//! What 5.1.2, 5.1.5 and 5.1.7 have for RocketMQ alone.

use serde_json::{Value, json};

use super::{FIVE, FOUR, RocketMq, free_page};
use crate::simulator::codes::{self, ApiError};
use crate::simulator::entries::Entries;
use crate::simulator::fields::{Fields, object};
use crate::simulator::gateway::{Context, Reply};
use crate::simulator::instances::{self, Edit};
use crate::simulator::state::{Instance, Own};

/// What can be said at creation. Of the rest of 5.1.2 nothing is served: to leave it out or off is all that it takes.
/// No value is printed for `tls_mode`. Tags are no part of this call.
const SERVED: [&str; 17] = [
    "name",
    "description",
    "engine",
    "engine_version",
    "storage_space",
    "vpc_id",
    "subnet_id",
    "security_group_id",
    "available_zones",
    "product_id",
    "storage_spec_code",
    "enterprise_project_id",
    "enable_acl",
    "ipv6_enable",
    "publicip_id",
    "broker_num",
    "arch_type",
];
const SPEC_CODES: [&str; 4] = [
    "dms.physical.storage.high.v2",
    "dms.physical.storage.ultra.v2",
    "dms.physical.storage.general",
    "dms.physical.storage.extreme",
];

/// `CreateInstanceByEngine`, 5.1.2.
pub(crate) fn create(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    instances::create(context, |fields, context| {
        fields.only(&SERVED)?;
        // Either word will do in the path, here only the one.
        if fields.text("engine")? != Some("reliability") {
            return Err(codes::TYPE.error());
        }
        let version = fields.text("engine_version")?.unwrap_or_default();
        if ![FOUR, FIVE].contains(&version) {
            return Err(codes::VERSION.error());
        }
        no_public_access(fields)?;
        // 5.1.2 prints no value, the products of 5.10.1 print this one.
        if fields.text("arch_type")?.is_some_and(|arch| arch != "X86") {
            return Err(codes::PARAMETER.about("arch_type"));
        }
        let own = RocketMq {
            enable_acl: fields.flag("enable_acl")?.unwrap_or(false),
            topics: Entries::default(),
            groups: Entries::default(),
        };
        instances::ordered(fields, context, version.to_owned(), &SPEC_CODES, Own::RocketMq(own))
    })
}

/// `UpdateInstance`, 5.1.5: all at once, the reference names no task.
pub(crate) fn update(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    let body = object(context.body)?;
    let fields = Fields(&body);
    context.instance()?.idle()?;
    fields.only(&[
        "name",
        "description",
        "security_group_id",
        "enable_acl",
        "enable_publicip",
        "publicip_id",
    ])?;
    let edit = Edit::read(fields, context, |name| !name.contains('_'))?;
    no_public_access(fields)?;
    let enable_acl = fields.flag("enable_acl")?;
    let instance = context.instance()?;
    edit.apply(instance);
    let own = instance.rocketmq_mut();
    own.enable_acl = enable_acl.unwrap_or(own.enable_acl);
    Ok(Reply::no_content())
}

/// `ListBrokers`, 5.1.7.
pub(crate) fn brokers(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    context.query.only(&["offset", "limit"])?;
    let page = free_page(&context.query)?;
    let instance = context.instance()?;
    instance.readable()?;
    let brokers: Vec<Value> = broker_names(instance)
        .map(|name| json!({"ids": [0, 1, 2], "broker_name": name}))
        .collect();
    Ok(Reply::ok(super::page("brokers", brokers, page)))
}

/// The brokers that topics and groups can be on.
pub(crate) fn broker_names(instance: &Instance) -> impl Iterator<Item = String> {
    (0..instance.broker_num).map(|n| format!("broker-{n}"))
}

/// Public access is not served; the printed creation says that it wants none.
fn no_public_access(fields: Fields<'_>) -> Result<(), ApiError> {
    let wanted = fields.flag("enable_publicip")?.unwrap_or(false)
        || fields.text("publicip_id")?.is_some_and(|id| !id.is_empty());
    if wanted {
        return Err(codes::PARAMETER.about("enable_publicip, publicip_id"));
    }
    Ok(())
}

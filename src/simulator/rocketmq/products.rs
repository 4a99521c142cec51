//! `ShowEngineInstanceExtendProductInfo`, 5.10.1: what an instance can be extended to. All properties are strings.

use serde_json::{Value, json};

use super::{FOUR, free_page};
use crate::simulator::catalogue::{Flavour, Storage, ZONES};
use crate::simulator::codes::{self, ApiError};
use crate::simulator::gateway::{Context, Reply};

/// Type, ECS flavour and alias of each of the flavours, in their order.
const OF_FOUR: [(&str, &str, &str); 5] = [
    ("clusters.small", "c6.xlarge.2", "rocketmq.4u8g.cluster.small"),
    ("cluster", "s6.xlarge.2", "rocketmq.4u8g.cluster"),
    ("cluster", "c6s.2xlarge.2", "rocketmq.8u16g.cluster"),
    ("cluster", "c6s.3xlarge.2", "rocketmq.12u24g.cluster"),
    ("cluster", "c6.4xlarge.2", "rocketmq.16u32g.cluster"),
];
/// The same for 5.x; not in the reference but for the type.
const OF_FIVE: [(&str, &str, &str); 1] = [("single.basic", "c6.large.2", "rocketmq.b1.large.1")];

/// All flavours of the instance's version, smaller ones as well, as the example has it.
pub(crate) fn list(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    let query = &context.query;
    query.only(&["type", "limit", "offset"])?;
    if query.text("type").is_some_and(|kind| kind != "advanced") {
        return Err(codes::PARAMETER.about("type"));
    }
    let page = free_page(query)?;
    let instance = context.instance()?;
    let version = instance.engine_version.clone();
    let of_version = if version == FOUR { &OF_FOUR[..] } else { &OF_FIVE[..] };
    let flavours = Flavour::all(instance.engine(), &version);
    let products: Vec<Value> = flavours
        .iter()
        .zip(of_version)
        .map(|(flavour, more)| product(flavour, *more, &version))
        .collect();
    let mut list = super::page("products", products, page);
    list["engine"] = json!("rocketmq");
    list["versions"] = json!([version]);
    Ok(Reply::ok(list))
}

fn product(flavour: &Flavour, (kind, ecs_flavour, alias): (&str, &str, &str), version: &str) -> Value {
    let zones = |sold_out| -> Vec<&str> {
        let zones = ZONES.iter().filter(|zone| zone.sold_out == sold_out);
        zones.map(|zone| zone.id).collect()
    };
    let disk = |io_spec| json!({"io_spec": io_spec, "type": "evs", "available_zones": zones(false), "unavailable_zones": zones(true)});
    let (Storage::OfBroker(least, most) | Storage::OfInstance(least, most)) = flavour.storage;
    json!({
        "type": kind,
        "product_id": flavour.id,
        "ecs_flavor_id": ecs_flavour,
        "billing_code": "dms.platinum.c6",
        "arch_types": ["X86"],
        "charging_mode": ["monthly", "hourly"],
        "ios": [disk("dms.physical.storage.high.v2"), disk("dms.physical.storage.ultra.v2")],
        "support_features": [],
        "properties": {
            "min_broker": flavour.brokers.0.to_string(),
            "max_broker": flavour.brokers.1.to_string(),
            "max_topic_per_broker": flavour.per_broker.to_string(),
            "max_consumer_per_broker": flavour.per_broker.to_string(),
            "min_storage_per_node": least.to_string(),
            "max_storage_per_node": most.to_string(),
            "product_alias": alias,
            "engine_versions": version,
        },
        "available_zones": zones(false),
        "unavailable_zones": zones(true),
        "qingtian_incompatible": false,
    })
}

//! How an instance is shown (5.1.2 and 5.1.3 of Kafka, 5.1.1 and 5.1.3 of RocketMQ), in the mixture of types that the
//! examples have. What an engine shows alone is in its folder.

use serde_json::{Map, Value, json};

use super::catalogue::Zone;
use super::state::{Instance, Own, Status};
use super::{Now, kafka, rocketmq, tags};

/// An entry of the list. As in Kafka's example it lacks the description and the tags, which RocketMQ's table has; of
/// these RocketMQ's list shows the tags, as its table has them (its example prints bare words).
pub(crate) fn listed(instance: &Instance, now: Now) -> Value {
    Value::Object(common(instance, now))
}

/// One instance by id. What a creation has not settled yet is missing, and an empty description is as well; a
/// description that comes `late` is empty until then; `turn` decides the order of the zones, which is arbitrary.
pub(crate) fn shown(instance: &Instance, now: Now, turn: u64, late: bool) -> Value {
    let mut map = common(instance, now);
    let mut zones = instance.zones.clone();
    let by = usize::try_from(turn % 7).expect("less than 7") % zones.len();
    zones.rotate_left(by);
    map.insert("available_zone_names".into(), zone_names(&zones));
    map.insert("available_zones".into(), json!(zones));
    let settled = instance.status != Status::Creating;
    if late && !settled {
        map.insert("description".into(), json!(""));
    } else if !instance.description.is_empty() {
        map.insert("description".into(), json!(instance.description));
    }
    if settled {
        map.insert("tags".into(), json!(tags::shown(instance.tags.truth())));
    }
    map.extend(entries(match &instance.own {
        Own::Kafka(_) => kafka::view::detail(instance),
        Own::RocketMq(_) => rocketmq::view::detail(instance),
    }));
    Value::Object(map)
}

fn common(instance: &Instance, now: Now) -> Map<String, Value> {
    let age = now.at.saturating_sub(instance.created);
    let own = json!({
        "name": instance.name,
        "engine": instance.engine().name(),
        "status": instance.status,
        "engine_version": instance.engine_version,
        "instance_id": instance.id,
        "vpc_id": instance.vpc_id,
        "product_id": instance.product_id,
        "security_group_id": instance.security_group_id,
        "subnet_id": instance.subnet_id,
        "available_zones": instance.zones,
        "available_zone_names": zone_names(&instance.zones),
        "maintain_begin": instance.window.0,
        "maintain_end": instance.window.1,
        "total_storage_space": instance.storage,
        // Moves by itself.
        "used_storage_space": 25 + age.as_secs() / 600,
        "storage_resource_id": instance.id,
        "storage_spec_code": instance.storage_spec_code,
        "enterprise_project_id": instance.enterprise_project_id,
        "extend_times": instance.extend_times,
        "ipv6_enable": instance.ipv6,
    });
    let same_for_all = json!({
        "resource_spec_code": "",
        "charging_mode": 1,
        "vpc_name": "dms-test",
        "security_group_name": "Sys-default",
        "user_id": "3df5acbc24a54fadb62a043c9000a307",
        "user_name": "paas_dms",
        "enable_log_collection": false,
        "enable_publicip": false,
        "ssl_enable": false,
        "service_type": "advanced",
        "storage_type": "hec",
        "disk_encrypted": false,
    });
    let mut map = entries(own);
    map.extend(entries(same_for_all));
    map.extend(entries(match &instance.own {
        Own::Kafka(own) => kafka::view::common(instance, own),
        Own::RocketMq(own) => rocketmq::view::common(instance, own),
    }));
    map
}

fn entries(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => unreachable!("written as an object"),
    }
}

fn zone_names(ids: &[String]) -> Value {
    ids.iter().filter_map(|id| Zone::find(id)).map(Zone::name).collect()
}

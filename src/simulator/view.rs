//! How an instance is shown (5.1.2, 5.1.3), in the mixture of types that the examples have.

use serde_json::{Map, Value, json};

use super::catalogue::{Flavour, Zone};
use super::state::{Instance, Status};
use super::{Now, tags};

/// An entry of the list. As in the examples, it lacks the description, the brokers and the tags.
pub(crate) fn listed(instance: &Instance, now: Now) -> Value {
    Value::Object(common(instance, now))
}

/// One instance by id. What a creation has not settled yet is missing, and an empty description is as well;
/// `turn` decides the order of the zones, which is arbitrary.
pub(crate) fn shown(instance: &Instance, now: Now, turn: u64) -> Value {
    let mut map = common(instance, now);
    let mut zones = instance.zones.clone();
    let by = usize::try_from(turn % 7).expect("less than 7") % zones.len();
    zones.rotate_left(by);
    map.insert("available_zone_names".into(), zone_names(&zones));
    map.insert("available_zones".into(), json!(zones));
    if !instance.description.is_empty() {
        map.insert("description".into(), json!(instance.description));
    }
    if instance.status != Status::Creating {
        map.insert("broker_num".into(), json!(instance.broker_num));
        map.insert("node_num".into(), json!(instance.broker_num));
        map.insert("tags".into(), json!(tags::shown(instance.tags.truth())));
    }
    // An object by the table, a string by the example.
    let ports = json!({
        "private_plain_enable": true,
        "private_plain_address": addresses(instance, ":9092"),
        "private_sasl_ssl_enable": false,
        "private_sasl_ssl_address": "",
        "private_sasl_plaintext_enable": false,
        "private_sasl_plaintext_address": "",
        "public_plain_enable": false,
        "public_plain_address": "",
        "public_sasl_ssl_enable": false,
        "public_sasl_ssl_address": "",
        "public_sasl_plaintext_enable": false,
        "public_sasl_plaintext_address": "",
    });
    map.insert("port_protocols".into(), json!(ports.to_string()));
    Value::Object(map)
}

/// The most partitions that an instance can have.
pub(crate) fn max_partitions(instance: &Instance) -> i64 {
    Flavour::find(&instance.product_id)
        .expect("only known flavours are sold")
        .partitions
        * instance.broker_num
}

fn common(instance: &Instance, now: Now) -> Map<String, Value> {
    let age = now.at.saturating_sub(instance.created);
    let cross_vpc: Map<String, Value> = hosts(instance)
        .map(|ip| {
            (
                ip.clone(),
                json!({"advertised_ip": ip, "port": "9011", "port_id": instance.id}),
            )
        })
        .collect();
    let own = json!({
        "name": instance.name,
        "status": instance.status,
        "specification": instance.product_id.split('.').nth(1),
        "engine_version": instance.engine_version,
        "connect_address": addresses(instance, ""),
        "instance_id": instance.id,
        "vpc_id": instance.vpc_id,
        "created_at": instance.created_at.as_millisecond().to_string(),
        "product_id": instance.product_id,
        "security_group_id": instance.security_group_id,
        "subnet_id": instance.subnet_id,
        "available_zones": instance.zones,
        "available_zone_names": zone_names(&instance.zones),
        "maintain_begin": instance.window.0,
        "maintain_end": instance.window.1,
        // Usable, and below the total that was bought: 492 of 600 in the example.
        "storage_space": instance.storage * 82 / 100,
        "total_storage_space": instance.storage,
        // Moves by itself.
        "used_storage_space": 25 + age.as_secs() / 600,
        "partition_num": max_partitions(instance).to_string(),
        "cross_vpc_info": Value::Object(cross_vpc).to_string(),
        "storage_resource_id": instance.id,
        "storage_spec_code": instance.storage_spec_code,
        "enterprise_project_id": instance.enterprise_project_id,
        "extend_times": instance.extend_times,
        "retention_policy": instance.retention_policy,
        "ipv6_enable": instance.ipv6,
        "pod_connect_address": addresses(instance, ":9080"),
        "kafka_private_connect_address": addresses(instance, ":9092"),
    });
    let same_for_all = json!({
        "engine": "kafka",
        "port": 9092,
        "type": "cluster",
        "resource_spec_code": "",
        "charging_mode": 1,
        "vpc_name": "dms-test",
        "security_group_name": "Sys-default",
        "user_id": "3df5acbc24a54fadb62a043c9000a307",
        "user_name": "paas_dms",
        "enable_log_collection": false,
        "new_auth_cert": false,
        "enable_publicip": false,
        "ssl_enable": false,
        "broker_ssl_enable": false,
        "cert_replaced": false,
        "management_connect_address": "https://192.168.0.100:9999",
        "service_type": "advanced",
        "storage_type": "hec",
        "is_logical_volume": true,
        "ipv6_connect_addresses": [],
        "connector_enable": false,
        "connector_node_num": 0,
        "connector_id": "",
        "rest_enable": false,
        "rest_connect_address": "",
        "kafka_public_status": "closed",
        "public_bandwidth": 0,
        "message_query_inst_enable": true,
        "vpc_client_plain": false,
        "support_features": "kafka.new.pod.port,feature.physerver.kafka.topic.modify,feature.physerver.kafka.pulbic.dynamic",
        "trace_enable": false,
        "agent_enable": false,
        "disk_encrypted": false,
        "enable_auto_topic": false,
        "new_spec_billing_enable": false,
        "ces_version": "linux",
    });
    let entries = |value: Value| match value {
        Value::Object(map) => map,
        _ => unreachable!("written as an object"),
    };
    let mut map = entries(own);
    map.extend(entries(same_for_all));
    map
}

fn zone_names(ids: &[String]) -> Value {
    ids.iter().filter_map(|id| Zone::find(id)).map(Zone::name).collect()
}

fn hosts(instance: &Instance) -> impl Iterator<Item = String> {
    (0..instance.broker_num).map(|n| format!("192.168.0.{}", 61 + n))
}

fn addresses(instance: &Instance, port: &str) -> String {
    hosts(instance).map(|ip| ip + port).collect::<Vec<_>>().join(",")
}

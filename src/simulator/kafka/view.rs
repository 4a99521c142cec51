//! What a Kafka instance shows beyond any other (5.1.2, 5.1.3).

use serde_json::{Map, Value, json};

use super::Kafka;
use crate::simulator::state::{Instance, Status};

/// What the list and the detail show.
pub(crate) fn common(instance: &Instance, own: &Kafka) -> Value {
    let cross_vpc: Map<String, Value> = hosts(instance)
        .map(|ip| {
            (
                ip.clone(),
                json!({"advertised_ip": ip, "port": "9011", "port_id": instance.id}),
            )
        })
        .collect();
    json!({
        "specification": instance.product_id.split('.').nth(1),
        "connect_address": addresses(instance, ""),
        "created_at": instance.created_at.as_millisecond().to_string(),
        // Usable, and below the total that was bought: 492 of 600 in the example.
        "storage_space": instance.storage * 82 / 100,
        "partition_num": instance.capacity().to_string(),
        "cross_vpc_info": Value::Object(cross_vpc).to_string(),
        "retention_policy": own.retention_policy,
        "pod_connect_address": addresses(instance, ":9080"),
        "kafka_private_connect_address": addresses(instance, ":9092"),
        "port": 9092,
        "type": "cluster",
        "new_auth_cert": false,
        "broker_ssl_enable": false,
        "cert_replaced": false,
        "management_connect_address": "https://192.168.0.100:9999",
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
        "enable_auto_topic": false,
        "new_spec_billing_enable": false,
        "ces_version": "linux",
    })
}

/// What only the detail shows.
pub(crate) fn detail(instance: &Instance) -> Value {
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
    let mut detail = json!({"port_protocols": ports.to_string()});
    if instance.status != Status::Creating {
        detail["broker_num"] = json!(instance.broker_num);
        detail["node_num"] = json!(instance.broker_num);
    }
    detail
}

fn hosts(instance: &Instance) -> impl Iterator<Item = String> {
    (0..instance.broker_num).map(|n| format!("192.168.0.{}", 61 + n))
}

fn addresses(instance: &Instance, port: &str) -> String {
    hosts(instance).map(|ip| ip + port).collect::<Vec<_>>().join(",")
}

//! What a RocketMQ instance shows beyond any other (5.1.1, 5.1.3). The two examples are of a 4.8.0 and of a 5.x, and
//! differ accordingly.

use serde_json::{Map, Value, json};

use super::{FIVE, RocketMq};
use crate::simulator::state::{Instance, Status};
use crate::simulator::tags;

/// What the list and the detail show.
pub(crate) fn common(instance: &Instance, own: &RocketMq) -> Value {
    let five = instance.engine_version == FIVE;
    let mut common = json!({
        "type": if five { "single.basic" } else { "cluster" },
        "specification": specification(instance),
        // Usable, and below the total that was bought: 558 of 600 in the examples.
        "storage_space": instance.storage * 93 / 100,
        "support_features": "rocketmq.acl,message_trace_enable,features.pod.token.access,features.log.collection,route",
        "ces_version": "linux,v1,v2",
        "new_spec_billing_enable": true,
        "enable_acl": own.enable_acl,
        "dns_enable": false,
    });
    // "Time when creation is complete".
    if let Some(completed) = instance.completed_at {
        common["created_at"] = json!(completed.as_millisecond().to_string());
    }
    // Of public access nothing is shown: there is none.
    if instance.status != Status::Creating {
        common["tags"] = json!(tags::shown(instance.tags.truth()));
        common["cross_vpc_info"] = json!(cross_vpc_info(instance).to_string());
        common["namesrv_address"] = json!(name_servers(instance).join(";"));
        common["broker_address"] = json!(with_port(brokers(instance), 10_100).join(";"));
        if five {
            common["grpc_address"] = json!("192.168.0.11:8080");
        } else {
            common["broker_num"] = json!(instance.broker_num);
            common["node_num"] = json!(nodes(instance));
        }
    }
    common
}

/// What only the detail shows.
pub(crate) fn detail(instance: &Instance) -> Value {
    let mut detail = json!({"subnet_name": "subnet-test"});
    if instance.engine_version == FIVE {
        detail["subnet_cidr"] = json!("192.168.0.0/18");
    }
    detail
}

fn specification(instance: &Instance) -> String {
    let (product, brokers) = (&instance.product_id, instance.broker_num);
    match (instance.engine_version.as_str(), brokers) {
        (FIVE, _) => format!("{product}, 500 tps"),
        (_, 1) => format!("{product} * 1 broker"),
        _ => format!("{product} * {brokers} brokers"),
    }
}

/// Three nodes a broker and two name servers: 5 for one broker in the example.
fn nodes(instance: &Instance) -> i64 {
    3 * instance.broker_num + 2
}

fn name_servers(instance: &Instance) -> Vec<String> {
    let hosts = if instance.engine_version == FIVE { 1 } else { 2 };
    // How several are joined is not in the reference; this is how RocketMQ's clients read them.
    with_port((0..hosts).map(|n| format!("192.168.0.{}", 11 + n)), 8100)
}

fn brokers(instance: &Instance) -> impl Iterator<Item = String> {
    (0..instance.broker_num).map(|n| format!("192.168.0.{}", 61 + n))
}

fn with_port(hosts: impl Iterator<Item = String>, port: u16) -> Vec<String> {
    hosts.map(|host| format!("{host}:{port}")).collect()
}

/// An object in a string. The examples print a key and the type of the ports in two ways, and with braces misplaced.
fn cross_vpc_info(instance: &Instance) -> Value {
    if instance.engine_version == FIVE {
        let mut info = Map::new();
        for ip in brokers(instance) {
            let entry = json!({"advertised_ip": ip, "broker_port": ["10100"], "port_id": instance.id});
            info.insert(ip, entry);
        }
        info.insert("namesrv_port".into(), json!("8300"));
        return Value::Object(info);
    }
    let entry = |ip: &str, broker: &str, name_server: &str| json!({"advertiseds_ip": ip, "broker_port": broker, "port_id": instance.id, "namesrv_port": name_server});
    let servers = (8300..8302).zip(11..).map(|(port, host)| {
        let ip = format!("192.168.0.{host}");
        let shown = entry(&ip, "-", &port.to_string());
        (ip, shown)
    });
    let brokers = (10_100..).zip(brokers(instance)).map(|(port, ip)| {
        let shown = entry(&ip, &i32::to_string(&port), "-");
        (ip, shown)
    });
    Value::Object(servers.chain(brokers).collect())
}

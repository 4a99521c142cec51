//! What others do to the cloud behind the operator's back.

use serde_json::{Value, json};

use crate::everyday::*;
use crate::support::world::{Running, World};

/// Something done to the cloud behind the operator's back.
pub struct Alteration {
    pub what: &'static str,
    pub of: Object,
    calls: Vec<(&'static str, String, Value)>,
}

pub fn altered(
    what: &'static str,
    of: Object,
    calls: impl IntoIterator<Item = (&'static str, String, Value)>,
) -> Alteration {
    Alteration {
        what,
        of,
        calls: calls.into_iter().collect(),
    }
}

pub fn put(path: &str, body: Value) -> (&'static str, String, Value) {
    ("PUT", path.into(), body)
}

/// Of `orders`.
pub fn topic_put(mut change: Value) -> (&'static str, String, Value) {
    change["id"] = json!("orders");
    put(TOPICS_PATH, json!({"topics": [change]}))
}

pub fn config(name: &str, value: &str) -> Value {
    json!({"topic_other_configs": [{"name": name, "value": value}]})
}

pub fn tags(action: &str, key: &str, value: &str) -> (&'static str, String, Value) {
    let body = json!({"action": action, "tags": [{"key": key, "value": value}]});
    ("POST", TAGS_PATH.into(), body)
}

/// Of `shop`.
pub fn shop_tags(action: &str, key: &str, value: &str) -> (&'static str, String, Value) {
    let (method, path, body) = tags(action, key, value);
    (method, path.replace("kafka", "rocketmq"), body)
}

/// Of the topic with this name on a RocketMQ instance.
pub fn queues_put(topic: &str, change: Value) -> (&'static str, String, Value) {
    put(&format!("{TOPICS_PATH}/{topic}"), change)
}

/// Of the consumer group with this name on a RocketMQ instance.
pub fn group_put(name: &str, mut change: Value) -> (&'static str, String, Value) {
    change["name"] = json!(name);
    put(GROUPS_PATH, json!({"groups": [change]}))
}

/// Of `billing`.
pub fn billing_put(description: &str) -> (&'static str, String, Value) {
    let path = "/v2/kafka/{p}/instances/{i}/groups/billing";
    put(path, json!({"group_desc": description}))
}

/// Of topics or groups on a RocketMQ instance.
pub fn deleted(list: &str, name: &str) -> (&'static str, String, Value) {
    let path = format!("/v2/{{p}}/instances/{{i}}/{list}?action=delete");
    ("POST", path, json!({list: [name]}))
}

pub fn deleted_topic() -> (&'static str, String, Value) {
    ("POST", format!("{TOPICS_PATH}/delete"), json!({"topics": ["orders"]}))
}

pub fn quota_call(method: &'static str, rates: Value) -> (&'static str, String, Value) {
    let mut body = json!({"client": "importer"});
    body.as_object_mut().unwrap().extend(rates.as_object().unwrap().clone());
    (method, QUOTA_PATH.into(), body)
}

impl Alteration {
    pub async fn make(&self, world: &World) {
        for (method, path, body) in &self.calls {
            behind_in(world, self.of, method, path, body.clone()).await;
        }
    }
}

/// These examples, with a value for each field that is neither frozen nor there.
pub async fn specified(objects: &[Object]) -> (World, Running) {
    let world = with(objects).await;
    let kafka = json!({"syncReplication": false, "syncMessageFlush": false});
    let clustering = json!({"enabled": true, "broadcast": false, "maxRetries": 5});
    for (of, spec) in [
        (INSTANCE, json!({"name": "shop-events", "enterpriseProjectId": "0"})),
        (ORDERS, json!({"kafka": kafka})),
        (SHOP, json!({"name": "shop-messages", "enterpriseProjectId": "0"})),
        (LEDGER, json!({"rocketmq": clustering})),
        (MAIL, json!({"description": "Letters of the shop", "enableAcl": true})),
        (
            LETTERS,
            json!({"rocketmq": {"permission": "all", "readQueueNum": 8, "writeQueueNum": 8}}),
        ),
        (
            POSTMEN,
            json!({"description": "They ring twice", "rocketmq": clustering}),
        ),
    ] {
        if objects.contains(&of) {
            world.edit(of.0, of.1, json!({"spec": spec})).await.unwrap();
        }
    }
    let operator = world.start("one");
    settled_with(&world, objects).await;
    (world, operator)
}

/// A change of the topic `orders`.
pub async fn topic_change(world: &World, change: Value) {
    altered("", ORDERS, [topic_put(change)]).make(world).await;
}

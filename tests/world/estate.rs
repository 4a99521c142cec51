//! What tests of crash safety begin with and end with: all that the examples ask for, each thing exactly once.

use std::time::Duration;

use dms_operator::simulator;
use serde_json::{Value, json};

use crate::support::world::World;

pub const SECOND: Duration = Duration::from_secs(1);
pub const MINUTE: Duration = Duration::from_secs(60);
pub const HOUR: Duration = Duration::from_secs(3600);

/// Kind and name of an object in the namespace `default`.
pub type Object = (&'static str, &'static str);

pub const INSTANCE: Object = ("KafkaInstance", "events");
pub const ORDERS: Object = ("Topic", "orders");
pub const AUDIT: Object = ("Topic", "audit");
pub const QUOTA: Object = ("KafkaUserQuota", "importer");
pub const CHILDREN: [Object; 3] = [ORDERS, AUDIT, QUOTA];
pub const ALL: [Object; 4] = [INSTANCE, ORDERS, AUDIT, QUOTA];

/// The create of each kind.
pub const CREATE_INSTANCE: &str = "CreateInstanceByEngine";
pub const CREATE_TOPIC: &str = "CreateInstanceTopic";
pub const CREATE_QUOTA: &str = "CreateKafkaUserClientQuotaTask";

/// A world whose cloud is `cloud`, with the example instance applied. Leases last a minute: their renewals would be
/// most of the work.
pub async fn with_instance_in(cloud: simulator::Config) -> World {
    let mut world = World::furnished_with(cloud).await;
    world.set_lease(MINUTE);
    world.apply(include_str!("../../examples/kafka/instance.yaml")).await;
    world
}

/// A world with the example instance applied.
pub async fn with_instance() -> World {
    with_instance_in(World::awkward()).await
}

/// Applies the example topics and the quota.
pub async fn apply_children(world: &World) {
    world.apply(include_str!("../../examples/kafka/topics.yaml")).await;
    world.apply(include_str!("../../examples/kafka/quota.yaml")).await;
}

/// A world with all examples applied.
pub async fn with_all() -> World {
    let world = with_instance().await;
    apply_children(&world).await;
    world
}

/// Each thing is in the cloud exactly once, known as ours, without a trace of how it came about.
pub fn assert_whole(world: &World, objects: &[Object], when: &str) {
    let fail = |what: &str| -> ! { panic!("{when}: {what}\n{}", world.picture()) };
    let instances = world.instances();
    let [instance] = instances.as_slice() else {
        fail("there should be one instance")
    };
    let names = |list: &str| instance[list].as_array().map_or(0, Vec::len);
    let wanted = |kind: &str| objects.iter().filter(|(k, _)| *k == kind).count();
    if (names("topics"), names("quotas")) != (wanted("Topic"), wanted("KafkaUserQuota")) {
        fail("there should be one of each topic and quota");
    }
    if instance["tags"].get("dms-operator.create").is_some() {
        fail("the nonce should be off");
    }
    for (kind, name) in objects {
        let status = world.object(kind, name)["status"].clone();
        if status["origin"] != "Created" || !status["createIntent"].is_null() {
            fail(&format!("{kind} {name} should be known as ours: {status}"));
        }
    }
}

/// Deletes objects and waits until they are gone.
pub async fn delete_all(world: &World, objects: &[Object]) {
    for (kind, name) in objects {
        world.delete(kind, name).await;
    }
    world.until_gone(2 * HOUR, objects).await;
}

/// An instance named `events` that somebody else makes; its id.
pub async fn foreign(world: &World) -> String {
    let body = json!({
        "name": "events", "engine": "kafka", "engine_version": "2.7", "product_id": "c6.2u4g.cluster", "broker_num": 3,
        "storage_space": 600, "storage_spec_code": "dms.physical.storage.ultra.v2", "vpc_id": "v", "subnet_id": "s",
        "security_group_id": "g", "available_zones": ["d539378ec1314c85b76fefa3f7071458"],
    });
    let (status, answer) = world.call("POST", "/v2/kafka/{p}/instances", &[], body).await;
    assert_eq!(status, 200, "{answer}");
    text(&answer["instance_id"])
}

/// The ids of the instances in the cloud but these.
pub fn instances_but(world: &World, others: &[&str]) -> Vec<String> {
    let ids = world.instances().into_iter().map(|instance| text(&instance["id"]));
    ids.filter(|id| !others.contains(&id.as_str())).collect()
}

/// How many calls of an operation the cloud took.
pub fn accepted(world: &World, operation: &str) -> usize {
    let calls = world.cloud.calls().into_iter();
    calls
        .filter(|call| call.operation == operation && call.status.is_some_and(|status| status < 300))
        .count()
}

/// A field of an object's status as text; empty if it is not there.
pub fn status(world: &World, (kind, name): Object, field: &str) -> String {
    text(&world.object(kind, name)["status"][field])
}

/// The message of a condition.
pub fn message(world: &World, (kind, name): Object, condition: &str) -> String {
    let conditions = world.object(kind, name)["status"]["conditions"].clone();
    let found = conditions
        .as_array()
        .into_iter()
        .flatten()
        .find(|c| c["type"] == condition);
    found.map(|found| text(&found["message"])).unwrap_or_default()
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

//! Others change the cloud: what the spec says is put back, what nothing mends is told, what nobody claimed is left alone.

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::everyday::*;
use crate::support::world::World;

/// Something done to the cloud behind the operator's back.
struct Alteration {
    what: &'static str,
    of: Object,
    calls: Vec<(&'static str, String, Value)>,
}

fn altered(
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

fn put(path: &str, body: Value) -> (&'static str, String, Value) {
    ("PUT", path.into(), body)
}

/// Of `orders`.
fn topic_put(mut change: Value) -> (&'static str, String, Value) {
    change["id"] = json!("orders");
    put(TOPICS_PATH, json!({"topics": [change]}))
}

fn config(name: &str, value: &str) -> Value {
    json!({"topic_other_configs": [{"name": name, "value": value}]})
}

fn tags(action: &str, key: &str, value: &str) -> (&'static str, String, Value) {
    let body = json!({"action": action, "tags": [{"key": key, "value": value}]});
    ("POST", TAGS_PATH.into(), body)
}

fn deleted_topic() -> (&'static str, String, Value) {
    ("POST", format!("{TOPICS_PATH}/delete"), json!({"topics": ["orders"]}))
}

fn quota_call(method: &'static str, rates: Value) -> (&'static str, String, Value) {
    let mut body = json!({"client": "importer"});
    body.as_object_mut().unwrap().extend(rates.as_object().unwrap().clone());
    (method, QUOTA_PATH.into(), body)
}

impl Alteration {
    async fn make(&self, world: &World) {
        for (method, path, body) in &self.calls {
            behind(world, method, path, body.clone()).await;
        }
    }
}

/// The examples, with a value for each field that is neither frozen nor there.
async fn specified() -> (World, crate::support::world::Running) {
    let world = applied().await;
    let kafka = json!({"syncReplication": false, "syncMessageFlush": false});
    for ((kind, name), spec) in [
        (INSTANCE, json!({"name": "shop-events", "enterpriseProjectId": "0"})),
        (ORDERS, json!({"kafka": kafka})),
    ] {
        world.edit(kind, name, json!({"spec": spec})).await.unwrap();
    }
    let operator = world.start("one");
    settled(&world).await;
    (world, operator)
}

#[tokio::test(start_paused = true)]
async fn whatever_others_change_in_place_is_put_back() {
    let window = json!({"maintain_begin": "06:00:00", "maintain_end": "10:00:00"});
    let (mebi, gibi) = (1 << 20, 1 << 30);
    let rates = |producer: i64, consumer: i64| json!({"producer-byte-rate": producer, "consumer-byte-rate": consumer});
    let table = [
        altered("name", INSTANCE, [put(INSTANCE_PATH, json!({"name": "renamed"}))]),
        altered(
            "description",
            INSTANCE,
            [put(INSTANCE_PATH, json!({"description": "mine"}))],
        ),
        altered(
            "description cleared",
            INSTANCE,
            [put(INSTANCE_PATH, json!({"description": ""}))],
        ),
        altered(
            "security group",
            INSTANCE,
            [put(INSTANCE_PATH, json!({"security_group_id": "another"}))],
        ),
        altered("maintenance window", INSTANCE, [put(INSTANCE_PATH, window)]),
        altered(
            "retention policy",
            INSTANCE,
            [put(INSTANCE_PATH, json!({"retention_policy": "produce_reject"}))],
        ),
        altered(
            "enterprise project",
            INSTANCE,
            [put(INSTANCE_PATH, json!({"enterprise_project_id": "another"}))],
        ),
        altered("a tag removed", INSTANCE, [tags("delete", "env", "demo")]),
        altered(
            "a tag changed",
            INSTANCE,
            [tags("delete", "env", "demo"), tags("create", "env", "other")],
        ),
        altered("the other tag removed", INSTANCE, [tags("delete", "team", "shop")]),
        altered("retention", ORDERS, [topic_put(json!({"retention_time": 24}))]),
        altered(
            "synchronous replication",
            ORDERS,
            [topic_put(json!({"sync_replication": true}))],
        ),
        altered(
            "synchronous flushing",
            ORDERS,
            [topic_put(json!({"sync_message_flush": true}))],
        ),
        altered("a config", ORDERS, [topic_put(config("max.message.bytes", "4096"))]),
        altered(
            "a topic's description",
            ORDERS,
            [topic_put(json!({"topic_desc": "mine"}))],
        ),
        altered(
            "a topic's description cleared",
            ORDERS,
            [topic_put(json!({"topic_desc": ""}))],
        ),
        altered("a producer's rate", QUOTA, [quota_call("PUT", rates(mebi, 20 * mebi))]),
        altered("both rates", QUOTA, [quota_call("PUT", rates(gibi, gibi))]),
        altered(
            "a rate dropped",
            QUOTA,
            [quota_call("PUT", json!({"producer-byte-rate": 10 * mebi}))],
        ),
    ];
    let (world, _operator) = specified().await;
    let before = cloud(&world);
    for alteration in table {
        let (what, of) = (alteration.what, alteration.of);
        let film = Film::of(&world, of).await;
        let told = events(&world, of.1);
        alteration.make(&world).await;
        // Some are jobs of seconds.
        world.until(MINUTE / 4, "changed", |world| cloud(world) != before).await;
        world
            .until(2 * RESYNC, what, |world| {
                cloud(world) == before && shown(world, of) == HEALTHY
            })
            .await;
        sleep(RESYNC).await;
        assert_eq!(cloud(&world), before, "{what}: it stays so");
        assert_eq!(film.take(), [CORRECTING, HEALTHY], "{what}");
        assert_eq!(events(&world, of.1) - told, 2, "{what}: one Event a change");
        let others = ALL.into_iter().filter(|other| *other != of);
        others.for_each(|other| assert_eq!(shown(&world, other), HEALTHY, "{what}: {other:?}"));
    }
}

#[tokio::test(start_paused = true)]
async fn while_a_difference_is_mended_it_is_named() {
    let (world, _operator) = specified().await;
    topic_change(&world, json!({"retention_time": 24})).await;
    world
        .until(2 * RESYNC, "drift", |world| shown(world, ORDERS) == CORRECTING)
        .await;
    assert_eq!(drift(&world, ORDERS), ["spec.kafka.retentionHours 72 24 InPlace"]);
    assert_eq!(
        message(&world, ORDERS, "Reconciling"),
        "puts back spec.kafka.retentionHours"
    );
    assert!(message(&world, ORDERS, "Synced").contains("wanted 72 found 24"));
}

async fn topic_change(world: &World, change: Value) {
    altered("", ORDERS, [topic_put(change)]).make(world).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_deleted_behind_our_back_is_made_again() {
    let (world, _operator) = specified().await;
    let before = cloud(&world);
    for (of, call) in [(ORDERS, deleted_topic()), (QUOTA, quota_call("DELETE", json!({})))] {
        let film = Film::of(&world, of).await;
        altered("deleted", of, [call]).make(&world).await;
        world.until(MINUTE / 4, "gone", |world| cloud(world) != before).await;
        world
            .until(2 * RESYNC, "made again", |world| {
                cloud(world) == before && shown(world, of) == HEALTHY
            })
            .await;
        assert_eq!(film.take(), ["FTFF Creating DriftFound", HEALTHY], "{of:?}");
        assert_eq!(world.object(of.0, of.1)["status"]["origin"], "Created");
    }
}

#[tokio::test(start_paused = true)]
async fn what_nothing_mends_is_told_and_the_thing_stays_ready() {
    let fewer = json!({"id": "orders", "partition": 6, "replication": 2, "retention_time": 72,
        "sync_replication": false, "sync_message_flush": false, "topic_desc": "Orders, as placed",
        "topic_other_configs": [{"name": "max.message.bytes", "value": "1048576"}]});
    let bigger = json!({"oper_type": "vertical", "new_product_id": "c6.4u8g.cluster"});
    let extend = "/v2/kafka/{p}/instances/{i}/extend";
    let table = [
        (
            altered("partitions", ORDERS, [topic_put(json!({"new_partition_numbers": 8}))]),
            "spec.kafka.partitions 6 8 Impossible",
        ),
        (
            altered(
                "replicas",
                ORDERS,
                [deleted_topic(), ("POST", TOPICS_PATH.into(), fewer)],
            ),
            "spec.kafka.replication 3 2 Reassignment",
        ),
        (
            altered("flavour", INSTANCE, [("POST", extend.into(), bigger)]),
            "spec.productId c6.2u4g.cluster c6.4u8g.cluster Impossible",
        ),
    ];
    for (alteration, expected) in table {
        let (what, of) = (alteration.what, alteration.of);
        let (world, _operator) = specified().await;
        alteration.make(&world).await;
        let after = || shown(&world, of) == DIFFERING && drift(&world, of) == [expected];
        world.until(3 * RESYNC, what, |_| after()).await;
        let (writes, altered) = (world.effects().len(), cloud(&world));
        sleep(3 * HOUR).await;
        assert!(after(), "{what}: {}", world.picture());
        assert_eq!(world.effects().len(), writes, "{what}: nothing is tried");
        assert_eq!(cloud(&world), altered);
        assert!(
            message(&world, of, "Ready").contains("cannot be corrected here"),
            "{what}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_user_who_accepts_what_was_changed_ends_the_drift() {
    let (world, _operator) = specified().await;
    topic_change(&world, json!({"new_partition_numbers": 8})).await;
    world
        .until(2 * RESYNC, "told", |world| shown(world, ORDERS) == DIFFERING)
        .await;
    world
        .edit("Topic", "orders", json!({"spec": {"kafka": {"partitions": 8}}}))
        .await
        .unwrap();
    world
        .until(MINUTE, "accepted", |world| {
            shown(world, ORDERS) == HEALTHY && world.is_ready("Topic", "orders")
        })
        .await;
    assert!(drift(&world, ORDERS).is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_nobody_claimed_is_left_alone() {
    let (world, _operator) = at_rest().await;
    let extra = json!({"id": "theirs", "partition": 3, "replication": 3});
    for alteration in [
        altered("a foreign tag", INSTANCE, [tags("create", "foreign", "1")]),
        altered(
            "an enterprise project",
            INSTANCE,
            [put(INSTANCE_PATH, json!({"enterprise_project_id": "7"}))],
        ),
        altered("a flag", ORDERS, [topic_put(json!({"sync_replication": true}))]),
        altered(
            "a config",
            ORDERS,
            [topic_put(config("message.timestamp.type", "CreateTime"))],
        ),
        altered("a foreign topic", ORDERS, [("POST", TOPICS_PATH.into(), extra)]),
    ] {
        alteration.make(&world).await;
    }
    sleep(MINUTE).await;
    let (altered, posts) = (cloud(&world), cloud_writes(&world));
    sleep(3 * RESYNC).await;
    assert_eq!(cloud(&world), altered);
    assert_eq!(cloud_writes(&world), posts, "nothing was even tried");
    for object in ALL {
        assert_eq!(shown(&world, object), HEALTHY, "{object:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn growth_by_others_is_no_drift() {
    for body in [
        json!({"oper_type": "storage", "new_storage_space": 900}),
        json!({"oper_type": "horizontal", "new_broker_num": 4, "new_storage_space": 800}),
    ] {
        let (world, _operator) = at_rest().await;
        let film = Film::of(&world, INSTANCE).await;
        behind(&world, "POST", "/v2/kafka/{p}/instances/{i}/extend", body.clone()).await;
        world
            .until(2 * RESYNC, "grown", |world| {
                let grown = world.instances()[0]["status"] == "RUNNING" && world.instances()[0]["storageSpace"] != 600;
                grown && world.object("KafkaInstance", "events")["status"]["observed"]["storageSpace"] != 600
            })
            .await;
        sleep(2 * RESYNC).await;
        assert_eq!(shown(&world, INSTANCE), HEALTHY);
        assert!(drift(&world, INSTANCE).is_empty());
        let seen = film.take();
        assert!(
            seen.iter().all(|shot| shot == HEALTHY || shot == "FTFU InstanceBusy"),
            "{body}: {seen:?}"
        );
        assert_eq!(
            world.object("Topic", "orders")["status"]["conditions"][0]["status"],
            "True"
        );
    }
}

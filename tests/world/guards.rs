//! A guard by choice: what is in use is not deleted.

use std::collections::BTreeMap;

use dms_operator::simulator::{Effect, Fault};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::everyday::*;
use crate::support::world::World;

fn connect(world: &World, of: Object, group: &str, clients: u32) {
    assert!(world.cloud.set_members(&instance_id(world, of), group, clients));
}

fn unread(world: &World, of: Object, group: &str, topic: &str, messages: u64) {
    assert!(world.cloud.set_lag(&instance_id(world, of), group, topic, messages));
}

async fn guard(world: &World, of: Object, guard: &str) {
    edit(world, of, json!({"management": {"deletionGuard": guard}})).await;
}

async fn ask(world: &World, (kind, name): Object, when: &str) {
    let annotations = json!({"dms.huaweicloud.com/reconcile-requested-at": when});
    let asked = json!({"metadata": {"annotations": annotations}});
    world.edit(kind, name, asked).await.unwrap();
}

/// The object is deleted, and held; what is said of it.
async fn held(world: &World, of: Object) -> String {
    guard(world, of, "InUse").await;
    sleep(MINUTE).await;
    world.delete(of.0, of.1).await;
    world
        .until(MINUTE, "held", |world| {
            shown(world, of).starts_with("FFTU DeletionBlocked")
        })
        .await;
    message(world, of, "Stalled")
}

#[tokio::test(start_paused = true)]
async fn a_kafka_topic_with_unread_messages_stays_until_they_are_read() {
    let (world, _operator) = at_rest_with(&[INSTANCE, ORDERS, BILLING]).await;
    unread(&world, INSTANCE, "billing", "orders", 1234);
    unread(&world, INSTANCE, "billing", "other", 9);
    let said = held(&world, ORDERS).await;
    assert!(
        said.contains("1200 messages wait for consumer group billing") && said.contains("deletionGuard to None"),
        "{said}"
    );
    assert_eq!(world.calls("ShowInstanceTopicDetail"), 1);
    world.cloud.forget_calls();
    sleep(HOUR).await;
    let looks = world.calls("ShowInstanceTopicDetail");
    assert!((11..=13).contains(&looks), "{looks}: every five minutes");
    assert_eq!(world.calls("ShowGroups"), looks);
    assert_eq!(world.calls("BatchDeleteInstanceTopic"), 0);
    // To ask is not to override.
    ask(&world, ORDERS, "now").await;
    sleep(10 * SECOND).await;
    assert_eq!(world.calls("ShowInstanceTopicDetail"), looks + 1);
    assert!(shown(&world, ORDERS).starts_with("FFTU DeletionBlocked"));
    unread(&world, INSTANCE, "billing", "orders", 0);
    world.until_gone(6 * MINUTE, &[ORDERS]).await;
    assert_eq!(topic(&world, "orders"), Value::Null);
}

#[tokio::test(start_paused = true)]
async fn without_the_guard_a_topic_goes_with_all_that_is_unread() {
    let (world, _operator) = at_rest_with(&[INSTANCE, ORDERS, AUDIT, BILLING]).await;
    unread(&world, INSTANCE, "billing", "orders", 1234);
    unread(&world, INSTANCE, "billing", "shop.audit", 1234);
    world.delete(AUDIT.0, AUDIT.1).await;
    world.until_gone(MINUTE, &[AUDIT]).await;
    assert_eq!(world.calls("ShowInstanceTopicDetail"), 0, "nobody asked");
    held(&world, ORDERS).await;
    guard(&world, ORDERS, "None").await;
    world.until_gone(MINUTE, &[ORDERS]).await;
    assert_eq!(topic(&world, "orders"), Value::Null);
}

#[tokio::test(start_paused = true)]
async fn a_group_stays_as_long_as_clients_of_it_are_online() {
    for (estate, of, name) in [(KAFKA, BILLING, "billing"), (ROCKETMQ, LEDGER, "GID_ledger")] {
        let (world, _operator) = at_rest_with(&estate.all()).await;
        connect(&world, estate.instance, name, 3);
        // What it has not read does not hold a group.
        unread(&world, estate.instance, name, "orders", 7);
        let said = held(&world, of).await;
        assert!(said.contains("3 clients are online: stop them"), "{said}");
        let (deletes, there) = (world.calls(estate.deletes[1]), group(&world, name));
        ask(&world, of, "now").await;
        sleep(HOUR).await;
        assert_eq!((world.calls(estate.deletes[1]), group(&world, name)), (deletes, there));
        connect(&world, estate.instance, name, 0);
        world.until_gone(6 * MINUTE, &[of]).await;
        assert_eq!(group(&world, name), Value::Null);
    }
}

#[tokio::test(start_paused = true)]
async fn a_rocketmq_topic_stays_as_long_as_somebody_consumes_it_or_has_yet_to() {
    let (world, _operator) = at_rest_with(&ROCKETMQ_5.all()).await;
    unread(&world, MAIL, "postmen", "letters", 0);
    connect(&world, MAIL, "postmen", 1);
    let said = held(&world, LETTERS).await;
    assert!(said.contains("of consumer group postmen 1 client is online"), "{said}");
    connect(&world, MAIL, "postmen", 0);
    unread(&world, MAIL, "postmen", "letters", 1);
    sleep(6 * MINUTE).await;
    let said = message(&world, LETTERS, "Stalled");
    assert!(said.contains("1 message waits for consumer group postmen"), "{said}");
    unread(&world, MAIL, "postmen", "letters", 0);
    world.until_gone(6 * MINUTE, &[LETTERS]).await;
    assert_eq!(topic(&world, "letters"), Value::Null);
}

#[tokio::test(start_paused = true)]
async fn a_change_that_was_under_way_opens_no_guard() {
    let (world, _operator) = at_rest_with(&ROCKETMQ_5.all()).await;
    unread(&world, MAIL, "postmen", "letters", 5);
    guard(&world, LETTERS, "InUse").await;
    edit(&world, LETTERS, json!({"rocketmq": {"queueNum": 16}})).await;
    sleep(2 * SECOND).await;
    world.delete(LETTERS.0, LETTERS.1).await;
    sleep(10 * MINUTE).await;
    assert!(shown(&world, LETTERS).starts_with("FFTU DeletionBlocked"));
    assert!(!topic(&world, "letters").is_null());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_not_taken_for_unused() {
    let (world, _operator) = at_rest_with(&[INSTANCE, ORDERS]).await;
    guard(&world, ORDERS, "InUse").await;
    sleep(MINUTE).await;
    world.cloud.add_fault(Fault {
        operation: "ShowInstanceTopicDetail".into(),
        times: Some(1000),
        effect: Effect {
            status: Some(503),
            ..Effect::default()
        },
        ..Fault::default()
    });
    world.cloud.forget_calls();
    world.delete(ORDERS.0, ORDERS.1).await;
    sleep(20 * MINUTE).await;
    let looks = world.calls("ShowInstanceTopicDetail");
    assert!((10..100).contains(&looks), "{looks}: at growing pauses");
    assert_ne!(topic(&world, "orders"), Value::Null);
    assert_eq!(shown(&world, ORDERS), "FTFU Deleting");
    let said = message(&world, ORDERS, "Ready");
    assert!(said.contains("failed to read who uses the topic"), "{said}");
    world.cloud.clear_faults();
    world.until_gone(6 * MINUTE, &[ORDERS]).await;
}

#[tokio::test(start_paused = true)]
async fn a_guard_holds_nothing_that_stays_anyway_or_goes_with_its_instance() {
    let (world, _operator) = at_rest_with(&[INSTANCE, ORDERS, BILLING]).await;
    unread(&world, INSTANCE, "billing", "orders", 1234);
    held(&world, ORDERS).await;
    // Its instance takes it along.
    world.delete(INSTANCE.0, INSTANCE.1).await;
    world.until_gone(HOUR, &[INSTANCE, ORDERS]).await;
    guard(&world, BILLING, "InUse").await;
    world.delete(BILLING.0, BILLING.1).await;
    world.until_gone(HOUR, &[BILLING]).await;
}

#[tokio::test(start_paused = true)]
async fn many_that_are_guarded_go_one_a_second() {
    let (world, _operator) = at_rest_with(&[INSTANCE, BILLING]).await;
    let names: Vec<String> = (0..40).map(|n| format!("t{n:02}")).collect();
    let topics = names.iter().map(|name| {
        format!(
            "---\napiVersion: dms.huaweicloud.com/v1alpha1\nkind: Topic\nmetadata: {{name: {name}}}\nspec: {{management: \
             {{deletionGuard: InUse}}, instanceRef: {{kind: KafkaInstance, name: events}}, kafka: {{partitions: 1}}}}\n"
        )
    });
    world.apply(&topics.collect::<String>()).await;
    let objects: Vec<_> = names.iter().map(|name| ("Topic", name.as_str())).collect();
    world.until_ready(10 * MINUTE, &objects).await;
    sleep(MINUTE).await;
    unread(&world, INSTANCE, "billing", "t00", 5);
    world.cloud.forget_calls();
    for (kind, name) in &objects {
        world.delete(kind, name).await;
    }
    world.until_gone(5 * MINUTE, &objects[1..]).await;
    assert!(!topic(&world, "t00").is_null());
    let mut by_second = BTreeMap::new();
    for call in world.cloud.calls() {
        if matches!(call.operation.as_str(), "ShowInstanceTopicDetail" | "ShowGroups") {
            *by_second.entry(call.time.as_second()).or_insert(0) += 1;
        }
    }
    // One look at a group follows at once.
    assert!(by_second.values().all(|calls| *calls <= 2), "{by_second:?}");
    let calls: usize = by_second.values().sum();
    assert!(by_second.len() + 3 >= calls, "{by_second:?}");
}

//! Whatever ends, and in whatever order: what lived in it ends too, at the price of a few calls.

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::scale::kit::*;
use crate::support::view::KINDS;
use crate::support::world::{Running, World};

const LAKE: Object = ("KafkaInstance", "lake");
const TOPICS: usize = 60;
const GROUPS: usize = 20;

/// An instance with topics and groups, and topics that wait for another that nobody made.
async fn full() -> (World, Running) {
    let mut world = World::furnished().await;
    world.set_lease(HOUR);
    world.apply(&instance(LAKE.1)).await;
    let operator = world.start("one");
    world.until_ready(HOUR, &[LAKE]).await;
    apply_topics(&world, LAKE.1, &names("t", TOPICS)).await;
    apply_groups(&world, LAKE.1, &names("g", GROUPS)).await;
    apply_topics(&world, "nowhere", &names("lost", 5)).await;
    within_or(&world, HOUR, "all are Ready", |world| {
        (world.number_ready("Topic"), world.number_ready("ConsumerGroup")) == (TOPICS, GROUPS)
    })
    .await;
    sleep(2 * MINUTE).await;
    (world, operator)
}

#[tokio::test(start_paused = true)]
async fn a_namespace_of_hundreds_ends_whatever_goes_first() {
    for first in KINDS.into_iter().chain(["secrets"]) {
        let (world, _operator) = full().await;
        world.set_watch_lag(7 * SECOND);
        world.server.set_namespace_sweep(&[first], 20 * SECOND);
        let calls = world.cloud.calls().len();
        world.delete("Namespace", "default").await;
        within_or(&world, HOUR, first, |world| {
            world.object("Namespace", "default") == Value::Null
        })
        .await;
        assert!(world.instances().is_empty(), "{first}: {}", world.picture());
        let spent = calls_since(&world, calls);
        // Pages of lists, and batches of 50.
        assert!(
            spent.len() <= 120,
            "{first}: {} calls: {:?}",
            spent.len(),
            by_operation(&spent)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_outlives_the_object_of_its_instance_asks_about_the_instance_once_for_all() {
    let (world, _operator) = full().await;
    let stays = json!({"spec": {"management": {"deletion": "Orphan"}}});
    world.edit(LAKE.0, LAKE.1, stays).await.unwrap();
    sleep(MINUTE).await;
    world.delete(LAKE.0, LAKE.1).await;
    within_or(&world, HOUR, "its object goes", |world| world.number(LAKE.0) == 0).await;
    sleep(2 * MINUTE).await;
    let calls = world.cloud.calls().len();
    for (kind, prefix, count) in [("Topic", "t", TOPICS), ("ConsumerGroup", "g", GROUPS)] {
        for name in names(prefix, count) {
            world.delete(kind, &name).await;
        }
    }
    within_or(&world, HOUR, "all go", |world| {
        (world.number("Topic"), world.number("ConsumerGroup")) == (5, 0)
    })
    .await;
    let spent = calls_since(&world, calls);
    let asked = spent.iter().filter(|call| call.operation == "ShowInstance").count();
    assert!(
        (1..=10).contains(&asked) && spent.len() <= 60,
        "{:?}",
        by_operation(&spent)
    );
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_is_deleted_under_its_topics_takes_them_along() {
    let (world, _operator) = full().await;
    let calls = world.cloud.calls().len();
    world.delete(LAKE.0, LAKE.1).await;
    world.until_gone(HOUR, &[LAKE]).await;
    sleep(2 * HOUR).await;
    assert!(world.instances().is_empty());
    assert_eq!(world.number("Topic"), TOPICS + 5, "their objects wait");
    let spent = calls_since(&world, calls);
    assert!(spent.len() <= 120, "{} calls: {:?}", spent.len(), by_operation(&spent));
    // What has nothing left in the cloud goes at once.
    delete_topics(&world, &names("t", TOPICS)).await;
    within_or(&world, MINUTE, "gone", |world| world.number("Topic") == 5).await;
}

#[tokio::test(start_paused = true)]
async fn topics_of_a_deleted_instance_are_not_ready() {
    let (world, _operator) = at_rest().await;
    world.delete(INSTANCE.0, INSTANCE.1).await;
    world.until_gone(HOUR, &[INSTANCE]).await;
    sleep(2 * HOUR).await;
    assert_eq!(world.number_ready("Topic"), 0);
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_somebody_else_deletes_leaves_nobody_asking_for_ever() {
    let (world, _operator) = full().await;
    behind_in(&world, LAKE, "DELETE", INSTANCE_PATH, Value::Null).await;
    sleep(HOUR).await;
    assert!(world.instances().is_empty());
    assert_eq!(world.number_ready("Topic"), 0, "nothing is Ready that is not there");
    let calls = world.cloud.calls().len();
    sleep(HOUR).await;
    let spent = calls_since(&world, calls);
    assert!(
        spent.len() <= 60,
        "{} calls in an hour: {:?}",
        spent.len(),
        by_operation(&spent)
    );
    world.delete("Namespace", "default").await;
    within_or(&world, HOUR, "it ends", |world| {
        world.object("Namespace", "default") == Value::Null
    })
    .await;
}

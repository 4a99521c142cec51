//! Thousands of topics in one instance, from the first apply to the end of their namespace: one long life, since what takes
//! the time is to make them.

use std::collections::BTreeSet;

use dms_operator::operator::admin::Stage;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::scale::kit::*;
use crate::support::world::World;

const LAKE: Object = ("KafkaInstance", "lake");

/// How many topics: `TOPICS=5000` takes some minutes, which not everybody should wait for.
fn many() -> usize {
    let wanted = std::env::var("TOPICS").ok();
    wanted.map_or(300, |count| count.parse().expect("TOPICS is a number"))
}

#[tokio::test(start_paused = true)]
async fn thousands_of_topics_live_through_faults_deletes_a_restart_and_the_end_of_their_namespace() {
    let many = many();
    let mut world = World::furnished().await;
    world.set_lease(HOUR);
    world.apply(&instance(LAKE.1)).await;
    let operator = world.start("one");
    world.until_ready(HOUR, &[LAKE]).await;
    let kept = made_in_trouble(&world, many).await;
    rest_is_one_list_an_interval(&world, kept.len()).await;

    operator.stop().await.unwrap();
    a_restart_asks_and_writes_next_to_nothing(&world, kept.len()).await;
    let _operator = world.start("three");
    sleep(RESYNC).await;

    edits_and_deletes_go_in_batches(&world, &kept).await;
    world.set_watch_lag(5 * SECOND);
    let calls = world.cloud.calls().len();
    world.delete("Namespace", "default").await;
    within_or(&world, HOUR, "the namespace ends", |world| {
        world.object("Namespace", "default") == Value::Null
    })
    .await;
    assert!(world.instances().is_empty());
    let spent = calls_since(&world, calls);
    assert!(spent.len() < 100 + pages(many), "{:?}", by_operation(&spent));
}

/// Topics are made while watches lag and every tenth call fails, and a fifth is deleted before all are made; who stays.
async fn made_in_trouble(world: &World, many: usize) -> Vec<String> {
    world.set_watch_lag(5 * SECOND);
    every_tenth_call_fails(world);
    let all = names("t", many);
    apply_topics(world, LAKE.1, &all).await;
    let (begun, calls) = (Instant::now(), world.cloud.calls().len());
    within_or(world, HOUR, "half are there", |world| {
        world.calls(CREATE_TOPIC) > many / 2
    })
    .await;
    let (deleted, kept): (Vec<_>, Vec<_>) = all.into_iter().partition(|name| name.ends_with(['3', '7']));
    delete_topics(world, &deleted).await;
    until_topics_ready(world, HOUR, kept.len()).await;
    assert!(names_in_cloud(world).iter().eq(&kept), "each once, and no other");

    // Twenty calls a second, of which a tenth fails and some are sent again; and lags, and pauses after failures.
    let (elapsed, floor) = (begun.elapsed(), SECOND * (many / 20) as u32);
    assert!(elapsed <= floor * 3 / 2 + 3 * MINUTE, "{elapsed:?}");
    let spent = calls_since(world, calls);
    let creates = by_operation(&spent)[CREATE_TOPIC];
    assert!(creates <= many * 5 / 4, "{creates} creates of {many} topics");
    assert_lists_are_few(&spent, pages(many));
    world.cloud.clear_faults();
    world.set_watch_lag(std::time::Duration::ZERO);
    sleep(2 * RESYNC).await;
    kept
}

/// Nothing is written, and of the topics nothing is asked but their list.
async fn rest_is_one_list_an_interval(world: &World, count: usize) {
    let (calls, writes) = (world.cloud.calls().len(), world.writes());
    sleep(2 * HOUR).await;
    assert_eq!(world.writes(), writes);
    let spent = by_operation(&calls_since(world, calls));
    let intervals = 2.0 * 6.0;
    let lists = spent["ListInstanceTopics"] as f64;
    assert!(lists <= (intervals * pages(count) as f64).ceil(), "{spent:?}");
    let others: BTreeSet<&str> = spent.keys().map(String::as_str).collect();
    let of_instance_and_account = [
        "ListAvailableZones",
        "ListInstanceTopics",
        "ListInstances",
        "ShowInstance",
        "ShowKafkaTags",
    ];
    assert!(others.is_subset(&BTreeSet::from(of_instance_and_account)), "{spent:?}");
    let rest: usize = spent.values().sum::<usize>() - lists as usize;
    assert!(rest < 60, "{spent:?}");
}

/// Another operator finds all of them at rest.
async fn a_restart_asks_and_writes_next_to_nothing(world: &World, count: usize) {
    let (calls, writes) = (world.cloud.calls().len(), world.writes());
    let mut operator = world.start("two");
    let begun = Instant::now();
    operator.stage.wait_for(|stage| *stage == Stage::Leading).await.unwrap();
    assert!(begun.elapsed() <= 5 * SECOND, "{:?} until it leads", begun.elapsed());
    sleep(RESYNC * 9 / 10).await;
    assert_eq!(world.writes(), writes);
    let spent = calls_since(world, calls);
    assert!(spent.len() <= 2 * pages(count) + 20, "{:?}", by_operation(&spent));
    operator.stop().await.unwrap();
}

async fn edits_and_deletes_go_in_batches(world: &World, kept: &[String]) {
    let floor = kept.len().div_ceil(PAGE);
    let calls = world.cloud.calls().len();
    for name in kept {
        let edit = json!({"spec": {"kafka": {"retentionHours": 9}}});
        world.edit("Topic", name, edit).await.unwrap();
    }
    until_topics_ready(world, HOUR, kept.len()).await;
    let spent = calls_since(world, calls);
    let sent = by_operation(&spent)["UpdateInstanceTopic"];
    assert!(
        sent <= floor * 6 / 5 + 1,
        "{sent} calls to change {} topics",
        kept.len()
    );
    assert_lists_are_few(&spent, pages(kept.len()));
    assert!(
        topics_in_cloud(world)
            .values()
            .all(|topic| topic["retention_time"] == 9)
    );

    let (calls, (gone, rest)) = (world.cloud.calls().len(), kept.split_at(kept.len() / 2));
    delete_topics(world, gone).await;
    within_or(world, HOUR, "half are gone", |world| {
        world.number("Topic") == rest.len()
    })
    .await;
    assert!(names_in_cloud(world).iter().eq(rest));
    let spent = calls_since(world, calls);
    let sent = by_operation(&spent)["BatchDeleteInstanceTopic"];
    assert!(
        sent <= floor * 3 / 5 + 1,
        "{sent} calls to delete {} topics",
        gone.len()
    );
    assert_lists_are_few(&spent, pages(kept.len()));
}

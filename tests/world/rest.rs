//! Rest is free: no write anywhere, and a number of reads that does not grow with the number of objects in an instance.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use tokio::time::sleep;

use crate::everyday::*;
use crate::support::world::World;

/// Hours go by: calls to the cloud an hour by operation, and the number of the operator's writes, leases aside.
async fn hours(world: &World, hours: u32) -> (BTreeMap<String, f64>, usize) {
    let (writes, sent) = (world.writes().values().sum::<usize>(), cloud_writes(world));
    world.cloud.forget_calls();
    sleep(hours * HOUR).await;
    let rates = world.cloud.call_counts().into_iter();
    let rates = rates.map(|(operation, count)| (operation, count as f64 / f64::from(hours)));
    assert_eq!(cloud_writes(world), sent, "nothing is sent to the cloud");
    (rates.collect(), world.writes().values().sum::<usize>() - writes)
}

/// The most that each operation may be called in an hour for these estates: every ten minutes and not
/// more often. `pages` is how many the list of topics has.
fn within(rates: &BTreeMap<String, f64>, estates: &[Estate], pages: f64) {
    let interval = 6.0;
    let all = estates.len() as f64;
    let kafka = estates.iter().filter(|estate| estate.instance == INSTANCE).count() as f64;
    let rocketmq = all - kafka;
    let bounds = BTreeMap::from([
        ("ShowInstance", interval * all),
        ("ShowKafkaTags", interval * kafka),
        ("ShowRocketmqTags", interval * rocketmq),
        ("ListBrokers", interval * rocketmq),
        // A complete list proves both presence and absence; it is shared by all who come within the interval.
        ("ListInstanceTopics", interval * kafka * pages),
        ("ListRocketInstanceTopics", interval * rocketmq * pages),
        ("ListInstanceConsumerGroups", interval * all),
        ("ShowKafkaUserClientQuota", interval * kafka),
        // The ProviderConfig's own look.
        ("ListInstances", interval / 0.8),
        ("ListAvailableZones", 1.0),
    ]);
    let bounds: BTreeMap<_, _> = bounds.into_iter().filter(|(_, bound)| *bound > 0.0).collect();
    for (operation, rate) in rates {
        let bound = bounds.get(operation.as_str()).unwrap_or(&0.0);
        assert!(rate <= bound, "{operation}: {rate} an hour, not {bound}: {rates:?}");
    }
    assert_eq!(rates.len(), bounds.len(), "{rates:?}");
}

#[tokio::test(start_paused = true)]
async fn a_day_at_rest_writes_nothing_and_reads_each_list_once_an_interval() {
    let (world, _operator) = at_rest_with(&EVERYTHING).await;
    let (rates, writes) = hours(&world, 24).await;
    assert_eq!(writes, 0);
    within(&rates, &ESTATES, 1.0);
    for of in EVERYTHING.into_iter().chain([PROVIDER]) {
        assert_eq!(shown(&world, of), HEALTHY, "{of:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_hundred_topics_rest_as_quietly_as_two() {
    for estate in ENGINES {
        let (world, _operator) = at_rest_with(&estate.all()).await;
        let there = world.instances()[0]["topics"].as_array().unwrap().len();
        let (mut manifests, (kind, name)) = (String::new(), estate.instance);
        let own = match estate.instance {
            INSTANCE => "kafka: {partitions: 1, replication: 3}",
            _ => "rocketmq: {permission: all, brokers: [broker-0], queueNum: 1}",
        };
        for n in there..200 {
            writeln!(
                manifests,
                "---\napiVersion: dms.huaweicloud.com/v1alpha1\nkind: Topic\nmetadata: {{name: t{n:03}}}\n\
                 spec: {{instanceRef: {{kind: {kind}, name: {name}}}, {own}}}"
            )
            .unwrap();
        }
        world.apply(&manifests).await;
        world.cloud.forget_calls();
        let start = tokio::time::Instant::now();
        let names: Vec<String> = (there..200).map(|n| format!("t{n:03}")).collect();
        world
            .until(HOUR, "all Ready", |world| {
                names.iter().all(|name| world.is_ready("Topic", name))
            })
            .await;
        assert!(start.elapsed() < 2 * MINUTE, "at 20 calls a second");
        let lists = world.calls("ListInstanceTopics") + world.calls("ListRocketInstanceTopics");
        assert!(lists < 250, "{lists} pages read: the topics share their list");
        assert_eq!(world.instances()[0]["topics"].as_array().unwrap().len(), 200);
        // The instance tells how much room is left when it is looked at next.
        sleep(2 * RESYNC).await;
        let (rates, writes) = hours(&world, 6).await;
        assert_eq!(writes, 0);
        // With Kafka's own topic 201, in pages of 50.
        within(&rates, &[estate], 5.0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_restart_at_rest_writes_nothing() {
    let mut world = with(&EVERYTHING).await;
    world.set_lease(15 * SECOND);
    let operator = world.start("one");
    settled_with(&world, &EVERYTHING).await;
    operator.stop().await.unwrap();
    let (writes, sent) = (world.writes(), cloud_writes(&world));
    let _second = world.start("two");
    sleep(2 * HOUR).await;
    assert_eq!((world.writes(), cloud_writes(&world)), (writes, sent));
}

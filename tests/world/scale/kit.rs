//! What tests at scale begin with: instances that hold thousands of topics, and a way to count without copying the world.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use dms_operator::simulator::{Call, Effect, Fault, LostAnswer, Malformed};
use serde_json::Value;

pub use crate::everyday::*;
use crate::support::view::is_ready;
use crate::support::world::World;

/// What a page of a list has.
pub const PAGE: usize = 50;

/// The order of a Kafka instance for up to 6,000 partitions.
pub fn instance(name: &str) -> String {
    let (small, big) = ("c6.2u4g.cluster", "c6.16u32g.cluster");
    example(INSTANCE)
        .replace("name: events", &format!("name: {name}"))
        .replace(small, big)
}

/// The pages of a list of so many topics, and Kafka's own.
pub fn pages(topics: usize) -> usize {
    (topics + 1).div_ceil(PAGE)
}

/// Names of topics.
pub fn names(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{prefix}-{n:04}")).collect()
}

/// Applies topics of one partition in an instance.
pub async fn apply_topics(world: &World, instance: &str, names: &[String]) {
    let mut manifests = String::new();
    for name in names {
        writeln!(
            manifests,
            "---\napiVersion: dms.huaweicloud.com/v1alpha1\nkind: Topic\nmetadata: {{name: {name}}}\n\
             spec: {{instanceRef: {{kind: KafkaInstance, name: {instance}}}, kafka: {{partitions: 1, replication: 3}}}}"
        )
        .unwrap();
    }
    world.apply(&manifests).await;
}

/// Applies consumer groups in an instance.
pub async fn apply_groups(world: &World, instance: &str, names: &[String]) {
    let mut manifests = String::new();
    for name in names {
        writeln!(
            manifests,
            "---\napiVersion: dms.huaweicloud.com/v1alpha1\nkind: ConsumerGroup\nmetadata: {{name: {name}}}\n\
             spec: {{instanceRef: {{kind: KafkaInstance, name: {instance}}}}}"
        )
        .unwrap();
    }
    world.apply(&manifests).await;
}

/// The user deletes topics.
pub async fn delete_topics(world: &World, names: &[String]) {
    for name in names {
        world.delete("Topic", name).await;
    }
}

/// Waits until all topics that there are are Ready, and as many as this.
pub async fn until_topics_ready(world: &World, within: std::time::Duration, count: usize) {
    let ready = |world: &World| (world.number("Topic"), world.number_ready("Topic")) == (count, count);
    within_or(world, within, &format!("{count} topics Ready"), ready).await;
}

/// Like [`World::until`], but its complaint is about the objects that are not Ready alone, and short.
pub async fn within_or(world: &World, within: std::time::Duration, what: &str, condition: impl Fn(&World) -> bool) {
    let start = tokio::time::Instant::now();
    while !condition(world) {
        assert!(
            start.elapsed() <= within,
            "not within {within:?}: {what}; {}",
            unready(world)
        );
        tokio::time::sleep(SECOND).await;
    }
}

/// The topics that are not Ready, by what they show.
pub fn unready(world: &World) -> String {
    let mut shown = BTreeMap::<String, (usize, String)>::new();
    for topic in world.server.objects("topics").iter().filter(|topic| !is_ready(topic)) {
        let conditions: Vec<String> = topic["status"]["conditions"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|condition| {
                ["type", "status", "reason", "message"]
                    .map(|field| text(&condition[field]))
                    .join(" ")
            })
            .collect();
        let name = text(&topic["metadata"]["name"]);
        let deleting = !topic["metadata"]["deletionTimestamp"].is_null();
        let words = conditions.join(" | ").replace(&name, "NAME");
        let (count, example) = shown.entry(format!("deleting {deleting}: {words}")).or_default();
        *count += 1;
        *example = name;
    }
    format!("{shown:#?}\ncalls: {:?}", world.cloud.call_counts())
}

/// The topics that are in the cloud, of all instances, by name; not those that are Kafka's own.
pub fn topics_in_cloud(world: &World) -> BTreeMap<String, Value> {
    let topics = |instance: Value| instance["topics"].as_array().cloned().unwrap_or_default();
    let all = world.instances().into_iter().flat_map(topics);
    all.map(|topic| (text(&topic["name"]), topic)).collect()
}

/// The names of topics in the cloud.
pub fn names_in_cloud(world: &World) -> BTreeSet<String> {
    topics_in_cloud(world).into_keys().collect()
}

/// Every tenth call goes wrong, each time in another way. None says that we call too often: the pace would be what is seen.
pub fn every_tenth_call_fails(world: &World) {
    let refused = |status, code: &str| Effect {
        status: Some(status),
        code: Some(code.into()),
        ..Effect::default()
    };
    let lost = |lost| Effect {
        lost: Some(lost),
        ..Effect::default()
    };
    let effects = [
        refused(503, "DMS.00500000"),
        lost(LostAnswer::Before),
        lost(LostAnswer::After),
        Effect {
            malformed: Some(Malformed::Html),
            ..Effect::default()
        },
    ];
    let every = 10 * effects.len() as u32;
    for (n, effect) in (1..).zip(effects) {
        world.cloud.add_fault(Fault {
            operation: "*".into(),
            times: Some(0),
            skip: 10 * n - 1,
            every,
            effect,
            ..Fault::default()
        });
    }
}

/// The calls since the record had this length.
pub fn calls_since(world: &World, length: usize) -> Vec<Call> {
    world.cloud.calls().split_off(length)
}

/// Calls by operation.
pub fn by_operation(calls: &[Call]) -> BTreeMap<String, usize> {
    calls.iter().fold(BTreeMap::new(), |mut counts, call| {
        *counts.entry(call.operation.clone()).or_default() += 1;
        counts
    })
}

/// Whether a call changes something.
pub fn changes(call: &Call) -> bool {
    call.method != "GET"
}

/// Whether a call reads a page of a list of topics.
pub fn lists(call: &Call) -> bool {
    matches!(
        call.operation.as_str(),
        "ListInstanceTopics" | "ListRocketInstanceTopics"
    )
}

/// Of calls to one instance: while writes run, its list of so many pages takes a twentieth of them, but for the reading that
/// was under way when they began, and the one that was due.
pub fn assert_lists_are_few(calls: &[Call], pages: usize) {
    let judge = |run: &[&Call]| {
        let writes: Vec<usize> = (0..run.len()).filter(|n| changes(run[*n])).collect();
        let (Some(first), Some(last)) = (writes.first(), writes.last()) else {
            return;
        };
        let read = run[*first..=*last].iter().filter(|call| lists(call)).count();
        let shown = || -> Vec<String> {
            let line = |call: &&Call| format!("{} {} {:?}", call.time, call.operation, call.names);
            run.iter().take(200).map(line).collect()
        };
        assert!(
            read <= writes.len() / 19 + 2 * pages,
            "{read} pages of the list among {} writes: {:#?}",
            writes.len(),
            shown()
        );
    };
    let mut run: Vec<&Call> = vec![];
    let mut last_write = None;
    for call in calls {
        if last_write.is_some_and(|last| call.time.duration_since(last) > jiff::SignedDuration::from_millis(500)) {
            judge(&run);
            run.clear();
            last_write = None;
        }
        if changes(call) {
            last_write = Some(call.time);
        }
        run.push(call);
    }
    judge(&run);
}

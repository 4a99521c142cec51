//! What the service takes many of in one call goes in few, and one that is refused spoils it for nobody for long.

use dms_operator::simulator::{Call, Effect, Fault, Match};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::scale::kit::*;
use crate::support::world::{Running, World};

const TOPICS: usize = 120;
const GROUPS: usize = 60;
/// As many as a batch may have.
const BATCH: usize = 50;

/// An estate whose instance holds hundreds of topics `t-0000` and groups `g-0000`, at rest.
struct Crowd {
    world: World,
    _operator: Running,
}

impl Crowd {
    async fn of(estate: Estate) -> Self {
        let mut world = World::furnished().await;
        world.set_lease(HOUR);
        let (kind, instance) = estate.instance;
        apply(&world, &[estate.instance]).await;
        let operator = world.start("one");
        world.until_ready(HOUR, &[estate.instance]).await;
        let (topic, group) = if estate.instance == INSTANCE {
            ("kafka: {partitions: 1, replication: 3}", "description: new")
        } else {
            let topic = "rocketmq: {permission: all, brokers: [broker-0], queueNum: 1}";
            (topic, "rocketmq: {brokers: [broker-0]}")
        };
        let things = [("Topic", "t", TOPICS, topic), ("ConsumerGroup", "g", GROUPS, group)];
        for (what, prefix, count, own) in things {
            let manifests: Vec<String> = names(prefix, count)
                .iter()
                .map(|name| {
                    format!(
                        "apiVersion: dms.huaweicloud.com/v1alpha1\nkind: {what}\nmetadata: {{name: {name}}}\n\
                         spec: {{instanceRef: {{kind: {kind}, name: {instance}}}, {own}}}"
                    )
                })
                .collect();
            world.apply(&manifests.join("\n---\n")).await;
        }
        let crowd = Self {
            world,
            _operator: operator,
        };
        crowd.until_ready("Topic", TOPICS).await;
        crowd.until_ready("ConsumerGroup", GROUPS).await;
        sleep(2 * MINUTE).await;
        crowd.world.cloud.forget_calls();
        crowd
    }

    async fn until_ready(&self, kind: &str, count: usize) {
        within_or(&self.world, HOUR, kind, |world| world.number_ready(kind) == count).await;
    }

    async fn edit_all(&self, kind: &str, names: &[String], spec: Value) {
        for name in names {
            self.world.edit(kind, name, json!({"spec": spec})).await.unwrap();
        }
    }

    async fn delete_all(&self, kind: &str, names: &[String]) {
        for name in names {
            self.world.delete(kind, name).await;
        }
        within_or(&self.world, HOUR, kind, |world| world.number(kind) == 0).await;
    }

    /// What was sent since the last look to change something.
    fn sent(&self) -> Vec<Call> {
        let calls = self.world.cloud.calls();
        self.world.cloud.forget_calls();
        calls.into_iter().filter(changes).collect()
    }

    /// `count` things went in few calls of this operation, and of no other: a fifth more than it takes, and what came a
    /// moment too late.
    fn assert_sent(&self, operation: &str, count: usize) {
        self.assert_sent_in(operation, count, count.div_ceil(BATCH) * 6 / 5 + 1);
    }

    /// The same where each call keeps the instance busy, so that the next may be refused once.
    fn assert_sent_between_jobs(&self, operation: &str, count: usize) {
        self.assert_sent_in(operation, count, 2 * count.div_ceil(BATCH));
    }

    fn assert_sent_in(&self, operation: &str, count: usize, most: usize) {
        let sent = self.sent();
        let all = sent.iter().all(|call| call.operation == operation);
        assert!(all && (1..=most).contains(&sent.len()), "{count} in {:#?}", told(&sent));
    }
}

/// Calls in short: when, what, of how many, and what came of it.
fn told(calls: &[Call]) -> Vec<String> {
    let line = |call: &Call| {
        let (names, code) = (call.names.len(), call.code.as_deref().unwrap_or_default());
        format!("{} {} of {names}: {:?} {code}", call.time, call.operation, call.status)
    };
    calls.iter().map(line).collect()
}

/// The call that changes topics of Kafka, of whichever the bad topic is one, goes wrong like this.
fn spoil(world: &World, effect: Effect) {
    world.cloud.add_fault(Fault {
        operation: "UpdateInstanceTopic".into(),
        times: Some(0),
        only: Match {
            name: Some(BAD.1.into()),
            instance: None,
        },
        effect,
        ..Fault::default()
    });
}

const BAD: Object = ("Topic", "t-0007");

#[tokio::test(start_paused = true)]
async fn of_a_kafka_instance() {
    let (topics, groups) = (names("t", TOPICS), names("g", GROUPS));
    let crowd = Crowd::of(KAFKA).await;
    let keep = |hours: u32| json!({"kafka": {"retentionHours": hours}});
    crowd.edit_all("Topic", &topics, keep(9)).await;
    crowd.until_ready("Topic", TOPICS).await;
    crowd.assert_sent("UpdateInstanceTopic", TOPICS);

    one_bad_topic_spoils_a_batch_once(&crowd, &topics).await;
    what_fits_is_done_of_a_batch_that_does_not(&crowd, &topics).await;

    crowd.delete_all("Topic", &topics).await;
    crowd.assert_sent("BatchDeleteInstanceTopic", TOPICS);
    crowd.delete_all("ConsumerGroup", &groups).await;
    crowd.assert_sent("BatchDeleteGroup", GROUPS);
}

/// Whether the service refuses the whole or names the one.
async fn one_bad_topic_spoils_a_batch_once(crowd: &Crowd, topics: &[String]) {
    let world = &crowd.world;
    let keep = |hours: u32| json!({"kafka": {"retentionHours": hours}});
    let whole = Effect {
        status: Some(400),
        code: Some("DMS.00400062".into()),
        ..Effect::default()
    };
    let item = Effect {
        items_fail: true,
        item: Some(BAD.1.into()),
        ..Effect::default()
    };
    // One by one after the batch, or again only the one.
    for (hours, effect, most) in [(10, whole, BATCH + 1), (20, item, 3)] {
        spoil(world, effect);
        crowd.edit_all("Topic", topics, keep(hours)).await;
        crowd.until_ready("Topic", TOPICS - 1).await;
        sleep(MINUTE).await;
        let refused = shown(world, BAD);
        assert!(
            refused.starts_with("FFT") && refused.contains("InvalidSpec"),
            "{refused}"
        );
        let sent = crowd.sent();
        assert!(sent.len() <= TOPICS.div_ceil(BATCH) + 1 + most, "{:#?}", told(&sent));

        // Its neighbours are together again, and it is not among them.
        crowd.edit_all("Topic", &topics[8..], keep(hours + 1)).await;
        crowd.until_ready("Topic", TOPICS - 1).await;
        crowd.assert_sent("UpdateInstanceTopic", TOPICS - 8);

        // It goes alone, now and then, until it is edited.
        sleep(HOUR).await;
        let calls = world.cloud.calls();
        let with_it = calls.iter().filter(|call| call.names.iter().any(|name| name == BAD.1));
        let with_it: Vec<_> = with_it.map(|call| call.names.len()).collect();
        assert!(
            with_it.len() <= 3 && with_it.iter().all(|names| *names == 1),
            "{with_it:?}"
        );
        world.cloud.clear_faults();
        crowd.sent();
        crowd.edit_all("Topic", topics, keep(hours + 2)).await;
        crowd.until_ready("Topic", TOPICS).await;
        crowd.assert_sent("UpdateInstanceTopic", TOPICS);
    }
}

/// Of 750 partitions there is room for 630 more, of 99 each that is six.
async fn what_fits_is_done_of_a_batch_that_does_not(crowd: &Crowd, topics: &[String]) {
    let world = &crowd.world;
    crowd
        .edit_all("Topic", &topics[..8], json!({"kafka": {"partitions": 100}}))
        .await;
    crowd
        .edit_all("Topic", &topics[8..], json!({"kafka": {"retentionHours": 30}}))
        .await;
    crowd.until_ready("Topic", TOPICS - 2).await;
    sleep(MINUTE).await;
    let stopped = world.server.count("topics", |topic| {
        topic["status"]["conditions"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|condition| condition["type"] == "Stalled" && condition["reason"] == "QuotaExceeded")
    });
    assert_eq!(
        (stopped, world.number_ready("Topic")),
        (2, TOPICS - 2),
        "{}",
        unready(world)
    );
    crowd.sent();
}

#[tokio::test(start_paused = true)]
async fn edits_in_a_rocketmq_instance() {
    let groups = names("g", GROUPS);
    let crowd = Crowd::of(ROCKETMQ).await;
    crowd
        .edit_all("ConsumerGroup", &groups, json!({"rocketmq": {"maxRetries": 7}}))
        .await;
    crowd.until_ready("ConsumerGroup", GROUPS).await;
    crowd.assert_sent_between_jobs("BatchUpdateConsumerGroup", GROUPS);
}

#[tokio::test(start_paused = true)]
async fn deletes_in_a_rocketmq_instance() {
    let crowd = Crowd::of(ROCKETMQ).await;
    crowd.delete_all("Topic", &names("t", TOPICS)).await;
    crowd.assert_sent_between_jobs("CreateTopicOrBatchDeleteTopic", TOPICS);
    crowd.delete_all("ConsumerGroup", &names("g", GROUPS)).await;
    crowd.assert_sent_between_jobs("CreateConsumerGroupOrBatchDeleteConsumerGroup", GROUPS);
}

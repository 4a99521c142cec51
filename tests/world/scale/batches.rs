//! What the service takes many of in one call goes in few, and one that is refused spoils it for nobody for long.

use dms_operator::simulator::{Effect, Fault, Match};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::scale::kit::*;
use crate::support::world::{Running, World};

const TOPICS: usize = 200;
const GROUPS: usize = 100;
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
        let (topic, group) = match instance {
            "events" => ("kafka: {partitions: 1, replication: 3}", "description: new"),
            "shop" => (
                "rocketmq: {permission: all, brokers: [broker-0], queueNum: 1}",
                "rocketmq: {brokers: [broker-0]}",
            ),
            _ => ("rocketmq: {messageType: NORMAL}", "rocketmq: {maxRetries: 5}"),
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

    /// What changed something since the last look, by operation.
    fn sent(&self) -> std::collections::BTreeMap<String, usize> {
        let calls = self.world.cloud.calls();
        self.world.cloud.forget_calls();
        let changing: Vec<_> = calls.into_iter().filter(changes).collect();
        by_operation(&changing)
    }

    /// `count` things went in few calls of this operation, and of no other.
    fn assert_sent(&self, operation: &str, count: usize) {
        let sent = self.sent();
        let most = (1.2 * count as f64 / BATCH as f64).ceil() as usize;
        let calls = sent.get(operation).copied().unwrap_or_default();
        assert!((1..=most).contains(&calls) && sent.len() == 1, "{count} in {sent:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn hundreds_of_edits_and_deletes_are_a_few_calls() {
    let (topics, groups) = (names("t", TOPICS), names("g", GROUPS));
    // Description of a Kafka group, topics of RocketMQ: one call each, there is no batch for them.
    let crowd = Crowd::of(KAFKA).await;
    crowd.edit_all("Topic", &topics, json!({"kafka": {"retentionHours": 9}})).await;
    crowd.until_ready("Topic", TOPICS).await;
    crowd.assert_sent("UpdateInstanceTopic", TOPICS);
    crowd.delete_all("Topic", &topics).await;
    crowd.assert_sent("BatchDeleteInstanceTopic", TOPICS);
    crowd.delete_all("ConsumerGroup", &groups).await;
    crowd.assert_sent("BatchDeleteGroup", GROUPS);

    for estate in [ROCKETMQ, ROCKETMQ_5] {
        let crowd = Crowd::of(estate).await;
        crowd.edit_all("ConsumerGroup", &groups, json!({"rocketmq": {"maxRetries": 7}})).await;
        crowd.until_ready("ConsumerGroup", GROUPS).await;
        crowd.assert_sent("BatchUpdateConsumerGroup", GROUPS);
        crowd.delete_all("Topic", &topics).await;
        crowd.assert_sent("CreateTopicOrBatchDeleteTopic", TOPICS);
        crowd.delete_all("ConsumerGroup", &groups).await;
        crowd.assert_sent("CreateConsumerGroupOrBatchDeleteConsumerGroup", GROUPS);
    }
}

#[tokio::test(start_paused = true)]
async fn one_bad_item_spoils_a_batch_once_and_goes_alone_until_it_is_edited() {
    let topics = names("t", TOPICS);
    let bad = ("Topic", "t-0007");
    let crowd = Crowd::of(KAFKA).await;
    let world = &crowd.world;
    // Whatever call it is in is refused.
    world.cloud.add_fault(Fault {
        operation: "UpdateInstanceTopic".into(),
        times: Some(0),
        only: Match {
            name: Some(bad.1.into()),
            instance: None,
        },
        effect: Effect {
            status: Some(400),
            code: Some("DMS.00400062".into()),
            ..Effect::default()
        },
        ..Fault::default()
    });
    crowd.edit_all("Topic", &topics, json!({"kafka": {"retentionHours": 9}})).await;
    crowd.until_ready("Topic", TOPICS - 1).await;
    let refused = shown(world, bad);
    assert!(refused.starts_with("FFT") && refused.contains("InvalidSpec"), "{refused}");
    let sent = crowd.sent();
    let most = TOPICS / BATCH + 1 + BATCH + 2;
    assert!(sent["UpdateInstanceTopic"] <= most, "{sent:?}: one batch and its items one by one");

    // Its neighbours are together again, and it is not among them.
    crowd.edit_all("Topic", &topics[100..], json!({"kafka": {"retentionHours": 10}})).await;
    crowd.until_ready("Topic", TOPICS - 1).await;
    crowd.assert_sent("UpdateInstanceTopic", TOPICS - 100);
    crowd.edit_all("Topic", &topics[8..50], json!({"kafka": {"retentionHours": 10}})).await;
    crowd.until_ready("Topic", TOPICS - 1).await;
    crowd.assert_sent("UpdateInstanceTopic", BATCH);

    // It stays alone, now and then, until it is edited.
    sleep(HOUR).await;
    let calls = world.cloud.calls();
    let alone: Vec<_> = calls.iter().filter(|call| call.names.iter().any(|name| name == bad.1)).collect();
    assert!(alone.iter().all(|call| call.names.len() == 1) && alone.len() <= 3, "{alone:#?}");
    world.cloud.clear_faults();
    crowd.edit_all("Topic", &topics, json!({"kafka": {"retentionHours": 11}})).await;
    crowd.until_ready("Topic", TOPICS).await;
    crowd.assert_sent("UpdateInstanceTopic", TOPICS);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_grows_beyond_the_quota_is_refused_for_the_one_that_is_too_big() {
    let topics = names("t", TOPICS);
    let big = ("Topic", "t-0007");
    let crowd = Crowd::of(KAFKA).await;
    let world = &crowd.world;
    // Of 750 partitions 200 are taken: two more each is room enough, 200 for four of them not.
    crowd.edit_all("Topic", &topics[..8], json!({"kafka": {"partitions": 100}})).await;
    crowd.edit_all("Topic", &topics[8..], json!({"kafka": {"retentionHours": 9}})).await;
    within_or(world, HOUR, "what fits is Ready", |world| world.number_ready("Topic") >= TOPICS - 3).await;
    sleep(MINUTE).await;
    let full: Vec<String> = topics[..8]
        .iter()
        .map(|name| shown(world, ("Topic", Box::leak(name.clone().into_boxed_str()))))
        .collect();
    let stopped = full.iter().filter(|shown| shown.contains("QuotaExceeded")).count();
    assert_eq!((stopped, world.number_ready("Topic")), (3, TOPICS - 3), "{full:?} {big:?}");
}

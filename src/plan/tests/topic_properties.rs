//! Carried out again and again, the plan of a topic ends, whatever goes wrong on the way, and does no harm.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::json;

use super::child_world::{Act, Service, World, managements, troubles};
use super::topic::Step;
use super::*;
use crate::api::Topic;
use crate::api::topic::KafkaTopic;
use crate::cloud::kafka::{self, TopicConfigValue};

pub(super) fn wanted() -> impl Strategy<Value = (Option<String>, KafkaTopic)> {
    let settings = (
        option::of(1u32..5),
        option::of(1u32..4),
        option::of(1u32..4),
        option::of(any::<bool>()),
        option::of(any::<bool>()),
        btree_map("[abc]", "[xy]", 0..3),
    );
    let description = option::of(prop::sample::select(vec![String::new(), "d".into()]));
    (description, settings).prop_map(
        |(description, (partitions, replication, retention_hours, sync, flush, configs))| {
            let kafka = KafkaTopic {
                partitions,
                replication,
                retention_hours,
                sync_replication: sync,
                sync_message_flush: flush,
                configs,
                ..Default::default()
            };
            (description, kafka)
        },
    )
}

pub(super) fn shown() -> impl Strategy<Value = kafka::Topic> {
    let text = || option::of("[xy]");
    let config = ("[abc]", text(), text()).prop_map(|(name, value, default_value)| TopicConfigValue {
        name,
        value,
        default_value,
    });
    let rest = (
        option::of(any::<bool>()),
        option::of(any::<bool>()),
        text(),
        option::of(vec(config, 0..4)),
    );
    (option::of(0u32..6), option::of(0u32..4), option::of(0u32..6), rest).prop_map(
        |(partitions, replication, retention_hours, (sync, flush, description, configs))| kafka::Topic {
            partitions,
            replication,
            retention_hours,
            sync_replication: sync,
            sync_message_flush: flush,
            description,
            configs: configs.map(|mut configs| {
                configs.sort_by(|a, b| a.name.cmp(&b.name));
                configs.dedup_by(|a, b| a.name == b.name);
                configs
            }),
            ..super::topics::bare("orders")
        },
    )
}

/// Kafka topics, as their service has them.
struct KafkaTopics;

impl Service for KafkaTopics {
    type Cr = Topic;
    type Item = kafka::Topic;
    type Thing = kafka::Topic;
    type Step = Step;

    const DECIDE: Judge<Topic, kafka::Topic, Step> = topic::kafka::plan;

    fn shown(&self, thing: &kafka::Topic) -> kafka::Topic {
        thing.clone()
    }

    fn act(step: &Step) -> Act {
        match step {
            Step::CreateKafka(_) => Act::Create,
            Step::UpdateKafka(_) => Act::Change,
            Step::Delete(_) => Act::Delete,
            step => panic!("{step:?}"),
        }
    }

    fn apply(&self, cloud: &mut Option<kafka::Topic>, step: &Step) {
        match (step, cloud.as_mut()) {
            (Step::CreateKafka(create), None) => {
                let default = |name: &str| TopicConfigValue {
                    name: name.into(),
                    value: Some("0".into()),
                    default_value: Some("0".into()),
                };
                let mut made = kafka::Topic {
                    partitions: create.partitions,
                    replication: create.replication.or(Some(3)),
                    retention_hours: create.retention_hours.or(Some(72)),
                    sync_replication: create.sync_replication.or(Some(false)),
                    sync_message_flush: create.sync_message_flush.or(Some(false)),
                    description: create.description.clone().filter(|d| !d.is_empty()),
                    configs: Some(["a", "b", "c"].map(default).into()),
                    ..super::topics::bare("orders")
                };
                set(&mut made, &create.configs);
                *cloud = Some(made);
            }
            (Step::UpdateKafka(update), Some(found)) => {
                assert!(
                    update.partitions > found.partitions || update.partitions.is_none(),
                    "shrinks: {update:?}"
                );
                let update = update.clone();
                found.partitions = update.partitions.or(found.partitions);
                found.retention_hours = update.retention_hours.or(found.retention_hours);
                found.sync_replication = update.sync_replication.or(found.sync_replication);
                found.sync_message_flush = update.sync_message_flush.or(found.sync_message_flush);
                found.description = update
                    .description
                    .or(found.description.take())
                    .filter(|d| !d.is_empty());
                set(found, &update.configs);
            }
            (Step::Delete(_), _) => *cloud = None,
            (step, cloud) => panic!("{step:?} while {cloud:?}"),
        }
    }

    fn change(&self, thing: &mut kafka::Topic) {
        thing.partitions = thing.partitions.map(|n| n + 1);
        thing.retention_hours = Some(9);
        thing.description = Some("theirs".into());
    }

    fn unmet(&self, object: &Topic, thing: &kafka::Topic) -> Option<String> {
        let (kafka, drift) = (object.spec.kafka.clone()?, &object.status.as_ref()?.core.drift);
        let told = |field: &str| drift.iter().any(|d| d.field == format!("spec.kafka.{field}"));
        let hours = kafka.retention_hours.filter(|_| thing.retention_hours.is_some());
        if hours.is_some() && hours != thing.retention_hours {
            return Some("retentionHours".into());
        }
        let partitions = kafka.partitions.filter(|_| thing.partitions.is_some());
        if partitions.is_some() && partitions != thing.partitions && !told("partitions") {
            return Some("partitions".into());
        }
        let description = object.spec.description.as_deref();
        let met = description.is_none_or(|text| text == thing.description.as_deref().unwrap_or_default());
        (!met).then(|| "description".into())
    }
}

fn set(topic: &mut kafka::Topic, configs: &[kafka::TopicConfig]) {
    for config in configs {
        let all = topic.configs.as_mut().expect("only what is shown is changed");
        let found = all
            .iter_mut()
            .find(|c| c.name == config.name)
            .expect("only what is shown is changed");
        found.value = Some(config.value.clone());
    }
}

proptest! {
    #[test]
    fn a_topic_comes_to_rest_after_any_edits_and_troubles(
        edits in vec((wanted(), managements(), troubles()), 1..4),
        found in option::of(shown()),
    ) {
        let world = World::new(KafkaTopics, super::topics::topic(json!({})), found);
        let edits = edits.into_iter().map(|((description, kafka), management, troubles)| {
            let change = |topic: &mut Topic| {
                (topic.spec.description, topic.spec.kafka) = (description, Some(kafka));
                topic.spec.management = management;
            };
            (change, troubles)
        });
        world.live(edits.collect());
    }
}

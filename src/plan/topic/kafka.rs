//! Topics of a Kafka instance.

use std::collections::BTreeSet;

use super::{Step, name};
use crate::api::topic::{KafkaTopic, ObservedTopic};
use crate::api::{Correction, Topic, TopicStatus, Updates};
use crate::cloud::kafka::{self, CreateTopic, TopicConfig, UpdateTopic};
use crate::plan::child::{self, Calls, Found};
use crate::plan::grant::Share;
use crate::plan::upkeep::Comparison;
use crate::plan::{Differences, Facts, Plan, cut};

/// What a look shows.
pub type Seen = child::Seen<kafka::Topic>;

/// Decides.
pub fn plan(topic: &Topic, facts: Facts<'_>, seen: Seen) -> Plan<TopicStatus, Step> {
    let mut status = topic.status.clone().unwrap_or_default();
    let managed_before = status.managed_configs.clone();
    let (observes, left_alone) = (facts.observes(), facts.left_alone().is_some());
    let unset = KafkaTopic::default();
    let wanted = topic.spec.kafka.as_ref().unwrap_or(&unset);
    let name = name(topic);
    status.observed = match &seen.found {
        Found::There(found) => Some(observe(found, wanted)),
        Found::Absent | Found::InstanceGone => None,
    };
    let calls = Calls {
        create: create(&name, topic, wanted),
        delete: Step::Delete(name.clone()),
        blocked: None,
        advice: "",
    };
    let ours = || wanted.configs.keys().cloned();
    let mut managed = None;
    // Who only looks compares what the spec names, and keeps in mind what else was set.
    let to_reset = if observes {
        BTreeSet::new()
    } else {
        managed_before.clone()
    };
    let child = seen.child(facts, format!("topic {name}"), name.clone());
    let mut plan = child.plan(status, calls, |found| {
        let mut released = vec![];
        let comparison = compare(&name, topic, wanted, found, &to_reset, &mut released);
        // A removed setting stays on record until it was read back at its default; what was not sent is not on it.
        let sent = ours().filter(|name| !left_alone || managed_before.contains(name));
        managed = (!observes).then(|| sent.chain(released).collect());
        comparison
    });
    if plan.status.core.origin.is_some()
        && let Some(managed) = managed
    {
        plan.status.managed_configs = managed;
    }
    if matches!(plan.steps.first(), Some(Step::CreateKafka(_))) {
        plan.status.managed_configs = ours().collect();
    } else if observes && plan.status.core.origin.is_none() {
        plan.status.managed_configs.clear();
    }
    plan
}

/// What a topic that has so many partitions takes of its grant.
pub fn share(topic: &Topic, has: u32) -> Share {
    let wanted = topic.spec.kafka.as_ref().and_then(|kafka| kafka.partitions);
    let core = topic.status.as_ref().map(|status| &status.core);
    let reports = topic.spec.management.updates == Updates::Report;
    let stays = topic.metadata.deletion_timestamp.is_some() || (has > 0 && reports);
    let wants = wanted.filter(|_| !stays).unwrap_or(0);
    Share {
        has,
        wants,
        admitted: core.is_some_and(|core| core.create_intent.is_some()),
        age: (
            topic.metadata.creation_timestamp.as_ref().map(|time| time.0),
            topic.metadata.uid.clone().unwrap_or_default(),
        ),
    }
}

/// The partitions that a topic was last seen with in this instance.
pub fn partitions(topic: &Topic, instance_id: &str) -> u32 {
    let status = topic.status.as_ref();
    let status = status.filter(|status| status.core.instance_id.as_deref() == Some(instance_id));
    status
        .and_then(|status| status.observed.as_ref()?.partitions)
        .unwrap_or(0)
}

/// What it takes of its grant if it is to be made, or grown from what it has.
pub fn growth(topic: &Topic, has: Option<u32>) -> Option<Share> {
    Some(share(topic, has.unwrap_or(0))).filter(|share| share.wants > share.has)
}

fn create(name: &str, topic: &Topic, wanted: &KafkaTopic) -> Result<Step, String> {
    let Some(partitions) = wanted.partitions else {
        return Err("spec.kafka.partitions is needed to create it".into());
    };
    Ok(Step::CreateKafka(CreateTopic {
        name: name.to_owned(),
        partitions: Some(partitions),
        replication: wanted.replication,
        retention_hours: wanted.retention_hours,
        sync_replication: wanted.sync_replication,
        sync_message_flush: wanted.sync_message_flush,
        configs: wanted.configs.iter().map(|(name, value)| config(name, value)).collect(),
        description: topic.spec.description.clone(),
    }))
}

fn compare(
    name: &str,
    topic: &Topic,
    wanted: &KafkaTopic,
    found: &kafka::Topic,
    managed_before: &BTreeSet<String>,
    released: &mut Vec<String>,
) -> Comparison<Step> {
    let mut differences = Differences::default();
    let mut update = UpdateTopic {
        name: name.to_owned(),
        ..Default::default()
    };
    let idle = update.clone();

    let grows = wanted
        .partitions
        .zip(found.partitions)
        .is_none_or(|(wanted, found)| wanted > found);
    let correction = if grows {
        Correction::InPlace
    } else {
        Correction::Impossible
    };
    if differences.compare(
        "spec.kafka.partitions",
        wanted.partitions.as_ref(),
        found.partitions.as_ref(),
        correction,
    ) && grows
    {
        update.partitions = wanted.partitions;
        update.new_partition_brokers = wanted.new_partition_brokers.clone();
    }
    differences.compare(
        "spec.kafka.replication",
        wanted.replication.as_ref(),
        found.replication.as_ref(),
        Correction::Reassignment,
    );
    let in_place = Correction::InPlace;
    if differences.compare(
        "spec.kafka.retentionHours",
        wanted.retention_hours.as_ref(),
        found.retention_hours.as_ref(),
        in_place,
    ) {
        update.retention_hours = wanted.retention_hours;
    }
    if differences.compare(
        "spec.kafka.syncReplication",
        wanted.sync_replication.as_ref(),
        found.sync_replication.as_ref(),
        in_place,
    ) {
        update.sync_replication = wanted.sync_replication;
    }
    if differences.compare(
        "spec.kafka.syncMessageFlush",
        wanted.sync_message_flush.as_ref(),
        found.sync_message_flush.as_ref(),
        in_place,
    ) {
        update.sync_message_flush = wanted.sync_message_flush;
    }
    // A description that was never set reads as null.
    let description = found.description.clone().unwrap_or_default();
    if differences.compare(
        "spec.description",
        topic.spec.description.as_ref(),
        Some(&description),
        in_place,
    ) {
        update.description = topic.spec.description.clone();
    }
    if found.configs.is_none() {
        // Not told is not gone: what is to be reset waits until it is.
        released.extend(managed_before.iter().cloned());
    }
    let configs = found.configs.as_deref().unwrap_or_default();
    let value_of = |name: &str| configs.iter().find(|c| c.name == name);
    let mut refused = None;
    for (key, value) in &wanted.configs {
        if value_of(key).is_none() && !configs.is_empty() {
            let listed = configs.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(", ");
            refused.get_or_insert_with(|| {
                format!("spec.kafka.configs[{key}] is none of the settings that the service has for topic {name}: {}; correct it or leave it out", cut(&listed, 512))
            });
        }
        let found = value_of(key).and_then(|c| c.value.as_ref());
        if differences.compare(&format!("spec.kafka.configs[{key}]"), Some(value), found, in_place) {
            update.configs.push(config(key, value));
        }
    }
    for key in managed_before.iter().filter(|key| !wanted.configs.contains_key(*key)) {
        // Reset means: send the default. One whose default the service does not tell stays as it is.
        let Some((value, default)) = value_of(key).and_then(|c| c.value.as_ref().zip(c.default_value.as_ref())) else {
            continue;
        };
        if differences.compare(
            &format!("spec.kafka.configs[{key}]"),
            Some(default),
            Some(value),
            in_place,
        ) {
            update.configs.push(config(key, default));
            released.push(key.clone());
        }
    }
    let steps = if update == idle {
        vec![]
    } else {
        vec![Step::UpdateKafka(update)]
    };
    Comparison {
        differences,
        steps,
        refused,
        summary: summary(found),
    }
}

fn config(name: &str, value: &str) -> TopicConfig {
    TopicConfig {
        name: name.to_owned(),
        value: value.to_owned(),
    }
}

/// Only the settings that the spec names: the others are the cloud's.
fn observe(found: &kafka::Topic, wanted: &KafkaTopic) -> ObservedTopic {
    let configs = found
        .configs
        .iter()
        .flatten()
        .filter(|c| wanted.configs.contains_key(&c.name));
    ObservedTopic {
        partitions: found.partitions,
        replication: found.replication,
        retention_hours: found.retention_hours,
        sync_replication: found.sync_replication,
        sync_message_flush: found.sync_message_flush,
        description: found.description.clone().filter(|d| !d.is_empty()),
        configs: configs
            .filter_map(|c| Some((c.name.clone(), c.value.clone()?)))
            .collect(),
        create_time: found.created_at.map(|t| t.to_string()),
        ..Default::default()
    }
}

fn summary(found: &kafka::Topic) -> String {
    let count =
        |value: Option<u32>, one: &str, many: &str| value.map(|n| format!("{n} {}", if n == 1 { one } else { many }));
    let parts = [
        count(found.partitions, "partition", "partitions"),
        count(found.replication, "replica", "replicas"),
        count(found.retention_hours, "h", "h"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

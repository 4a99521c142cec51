//! Topics: 5.5.2 to 5.5.5, and 5.5.8. Ranges are the calls' own; where the error table contradicts them, only its code is used.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Kafka;
use crate::simulator::codes::{self, ApiError};
use crate::simulator::entries::Named;
use crate::simulator::fields::{Fields, object};
use crate::simulator::gateway::{Context, Reply};
use crate::simulator::kafka::groups::spread;
use crate::simulator::state::Instance;
use crate::simulator::{Batches, Now};

/// The most partitions of one topic.
const TOPIC_MAX_PARTITIONS: i64 = 200;
const SYSTEM_TOPIC: &str = "__consumer_offsets";

/// A topic.
pub(crate) struct Topic {
    pub(crate) name: String,
    pub(crate) partitions: i64,
    pub(crate) replicas: i64,
    /// Hours.
    pub(crate) retention: i64,
    pub(crate) sync_replication: bool,
    pub(crate) sync_flush: bool,
    pub(crate) configs: BTreeMap<&'static str, String>,
    pub(crate) description: String,
    pub(crate) created_at: Timestamp,
}

impl Named for Topic {
    fn name(&self) -> &str {
        &self.name
    }
}

/// A configuration that a topic can have: name, default, `valid_values`, `value_type`.
const CONFIGS: [(&str, &str, &str, &str); 2] = [
    ("max.message.bytes", "10485760", "[0...10485760]", "int"),
    (
        "message.timestamp.type",
        "LogAppendTime",
        "[CreateTime, LogAppendTime]",
        "string",
    ),
];

/// `CreateInstanceTopic`.
pub(crate) fn create(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    let body = object(context.body)?;
    let fields = Fields(&body);
    let now = context.now;
    let instance = context.instance()?;
    instance.idle()?;
    fields.only(&[
        "id",
        "replication",
        "sync_message_flush",
        "partition",
        "sync_replication",
        "retention_time",
        "topic_other_configs",
        "topic_desc",
    ])?;
    let name = fields
        .text("id")?
        .filter(|name| legal_name(name))
        .ok_or_else(|| codes::TOPIC_NAME.error())?;
    let unsaid = ordinary(now.wall);
    let topic = Topic {
        name: name.to_owned(),
        partitions: ranged(fields, "partition", 200, &codes::PARTITIONS)?.unwrap_or(unsaid.partitions),
        replicas: ranged(fields, "replication", 3, &codes::REPLICAS)?.unwrap_or(unsaid.replicas),
        retention: ranged(fields, "retention_time", 720, &codes::RETENTION)?.unwrap_or(unsaid.retention),
        sync_replication: fields.flag("sync_replication")?.unwrap_or(false),
        sync_flush: fields.flag("sync_message_flush")?.unwrap_or(false),
        configs: configs(fields)?,
        description: fields.text("topic_desc")?.unwrap_or_default().to_owned(),
        created_at: now.wall,
    };
    if topic.replicas > instance.broker_num {
        return Err(codes::REPLICAS_BROKERS.error());
    }
    // No code is printed for a name that exists; the general one, so that a client has to look.
    if instance.kafka().topics.get(name).is_some() {
        return Err(codes::PARAMETER.about(format_args!("Topic {name} already exists.")));
    }
    if topic.partitions > remaining(instance) {
        return Err(codes::PARTITION_QUOTA.error());
    }
    instance.kafka_mut().topics.add(topic, now.at);
    Ok(Reply::ok(json!({"name": name})))
}

/// `ListInstanceTopics`.
pub(crate) fn list(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    context.query.only(&["offset", "limit"])?;
    let (offset, limit) = context.query.page()?;
    let (now, lag, system) = (
        context.now,
        context.takes(context.config.topic_lag),
        context.config.system_topics,
    );
    let instance = context.instance()?;
    instance.readable()?;
    let topics = instance.kafka().topics.listed(now.at, lag);
    let total = topics.len() + usize::from(system);
    let mut page: Vec<Value> = topics.skip(offset).take(limit).map(shown).collect();
    // The oldest of all.
    if system && (offset..offset.saturating_add(limit)).contains(&(total - 1)) {
        page.push(system_topic(instance));
    }
    Ok(Reply::ok(json!({
        "total": total,
        "size": 0,
        "topics": page,
        "remain_partitions": remaining(instance),
        "max_partitions": instance.capacity(),
        "topic_max_partitions": TOPIC_MAX_PARTITIONS,
    })))
}

/// `UpdateInstanceTopic`. What cannot be done is reported topic by topic in a 206 (known of the service, not in the
/// reference), or refuses all, see [`Batches`].
pub(crate) fn update(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    let body = object(context.body)?;
    let (effect, batches) = (context.effect, context.config.batches);
    let instance = context.instance()?;
    instance.idle()?;
    Fields(&body).only(&["topics"])?;
    let topics = Fields(&body).objects("topics")?.filter(|topics| !topics.is_empty());
    let topics = topics.ok_or_else(|| codes::PARAMETER.about("topics"))?;
    let (mut changes, mut failed) = (Vec::new(), Vec::new());
    let mut room = remaining(instance);
    let mut known = false;
    for fields in topics {
        let name = fields.text("id")?.ok_or_else(|| codes::TOPIC_NAME.error())?;
        let change = match Change::read(fields, name, instance).and_then(|change| change.fits(instance, &mut room)) {
            Ok(change) => change,
            Err(error) if batches == Batches::Partial => {
                failed.push((name, error.message));
                continue;
            }
            Err(error) => return Err(error),
        };
        known |= instance.kafka().topics.get(name).is_some();
        match change.refusal(instance) {
            _ if effect.fails(name) => failed.push((name, "Internal service error.".to_owned())),
            None => changes.push(change),
            Some(reason) if batches == Batches::Atomic => return Err(codes::PARAMETER.about(reason)),
            Some(reason) => failed.push((name, reason)),
        }
    }
    if !known && batches != Batches::Partial {
        return Err(codes::NO_TOPIC.error());
    }
    if batches == Batches::Atomic
        && let Some((name, reason)) = failed.first()
    {
        return Err(codes::PARAMETER.about(format_args!("{name}: {reason}")));
    }
    for change in changes {
        change.apply(instance);
    }
    if failed.is_empty() {
        return Ok(Reply::no_content());
    }
    let failed = failed.iter();
    let failed = failed.map(|(name, reason)| json!({"id": name, "success": false, "error_msg": reason}));
    let failed = json!({"failed_topics": failed.collect::<Vec<_>>()});
    Ok(Reply::with_status(StatusCode::PARTIAL_CONTENT, failed))
}

/// `BatchDeleteInstanceTopic`: success for what is not there, too (known of the service).
pub(crate) fn delete(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    let body = object(context.body)?;
    let (now, effect, batches) = (context.now, context.effect, context.config.batches);
    let instance = context.instance()?;
    instance.idle()?;
    Fields(&body).only(&["topics"])?;
    let names = Fields(&body).texts("topics")?.filter(|names| !names.is_empty());
    let names = names.ok_or_else(|| codes::PARAMETER.about("topics"))?;
    let fails = |name: &&str| *name == SYSTEM_TOPIC || effect.fails(name);
    if batches == Batches::Atomic
        && let Some(name) = names.iter().find(|name| fails(name))
    {
        return Err(codes::PARAMETER.about(name));
    }
    let mut results = Vec::new();
    for name in names {
        let success = !fails(&name);
        if success {
            instance.kafka_mut().topics.remove(name, now.at);
        }
        results.push(json!({"id": name, "success": success}));
    }
    Ok(Reply::ok(json!({"topics": results})))
}

/// `ShowInstanceTopicDetail`, 5.5.8. That `group_subscribed` has groups without members too is not in the reference.
pub(crate) fn show_usage(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    context.query.only(&[])?;
    let (name, wall) = (context.item().to_owned(), context.now.wall);
    let instance = context.instance()?;
    instance.readable()?;
    let own = instance.kafka();
    let topic = own.topics.get(&name).ok_or_else(|| codes::NO_TOPIC.error())?;
    let ends = spread(own.messages(&name), topic.partitions).zip(0..);
    let partitions = ends.map(|(end, n)| {
        let leader = n % instance.broker_num;
        let replicas = (0..topic.replicas).map(|k| {
            json!({"broker": (leader + k) % instance.broker_num, "leader": k == 0, "in_sync": true, "size": 0, "lag": 0})
        });
        json!({"partition": n, "leader": leader, "replicas": replicas.collect::<Vec<_>>(), "lso": 0, "leo": end,
            "hw": end, "last_update_timestamp": wall.as_millisecond()})
    });
    Ok(Reply::ok(json!({
        "topic": name,
        "partitions": partitions.collect::<Vec<_>>(),
        "group_subscribed": own.subscribed(&name),
    })))
}

/// Makes a topic, as old as its instance, unless there is one of the name.
pub(crate) fn fill(own: &mut Kafka, name: String, created_at: Timestamp, now: Now) {
    if own.topics.get(&name).is_none() {
        let topic = Topic {
            name,
            ..ordinary(created_at)
        };
        own.topics.add(topic, now.at);
    }
}

/// A topic as 5.5.3 prints it: two booleans as strings.
pub(crate) fn shown(topic: &Topic) -> Value {
    let configs: Vec<Value> = CONFIGS
        .iter()
        .map(|(name, default, valid, kind)| {
            json!({
                "name": name,
                "valid_values": valid,
                "default_value": default,
                "config_type": "dynamic",
                "value": topic.configs.get(name).map_or(*default, String::as_str),
                "value_type": kind,
            })
        })
        .collect();
    json!({
        "policiesOnly": false,
        "name": topic.name,
        "replication": topic.replicas,
        "partition": topic.partitions,
        "retention_time": topic.retention,
        "sync_replication": topic.sync_replication.to_string(),
        "sync_message_flush": topic.sync_flush.to_string(),
        "topic_other_configs": configs,
        "external_configs": {},
        "topic_type": 0,
        "topic_desc": topic.description,
        "created_at": topic.created_at.as_millisecond(),
    })
}

/// Kafka's own topic. The reference says what `topic_type` 1 is, not whether such topics are listed: here they are, and
/// count in `total`, but not in the partition quota.
fn system_topic(instance: &Instance) -> Value {
    let topic = Topic {
        name: SYSTEM_TOPIC.into(),
        partitions: 50,
        ..ordinary(instance.created_at)
    };
    let mut shown = shown(&topic);
    shown["topic_type"] = json!(1);
    shown
}

/// A topic of which nothing was said. 5.5.2 prints no default for partitions and replicas; 3 is 7.1.1.7's.
fn ordinary(created_at: Timestamp) -> Topic {
    Topic {
        name: String::new(),
        partitions: 3,
        replicas: 3,
        retention: 72,
        sync_replication: false,
        sync_flush: false,
        configs: BTreeMap::new(),
        description: String::new(),
        created_at,
    }
}

struct Change {
    name: String,
    partitions: Option<i64>,
    retention: Option<i64>,
    sync_replication: Option<bool>,
    sync_flush: Option<bool>,
    configs: BTreeMap<&'static str, String>,
    description: Option<String>,
}

impl Change {
    fn read(fields: Fields<'_>, name: &str, instance: &Instance) -> Result<Self, ApiError> {
        fields.only(&[
            "id",
            "retention_time",
            "sync_replication",
            "sync_message_flush",
            "new_partition_numbers",
            "new_partition_brokers",
            "topic_other_configs",
            "topic_desc",
        ])?;
        let brokers = fields.integers("new_partition_brokers")?.unwrap_or_default();
        if brokers.iter().any(|broker| !(0..instance.broker_num).contains(broker)) {
            return Err(codes::PARAMETER.about("new_partition_brokers"));
        }
        Ok(Self {
            name: name.to_owned(),
            partitions: ranged(
                fields,
                "new_partition_numbers",
                TOPIC_MAX_PARTITIONS,
                &codes::PARTITIONS,
            )?,
            retention: ranged(fields, "retention_time", 720, &codes::RETENTION)?,
            sync_replication: fields.flag("sync_replication")?,
            sync_flush: fields.flag("sync_message_flush")?,
            configs: configs(fields)?,
            description: fields.text("topic_desc")?.map(str::to_owned),
        })
    }

    /// Whether the instance has room for it, which is then taken.
    fn fits(self, instance: &Instance, room: &mut i64) -> Result<Self, ApiError> {
        let topic = instance.kafka().topics.get(&self.name);
        let growth = topic
            .zip(self.partitions)
            .map_or(0, |(topic, wanted)| wanted - topic.partitions);
        if growth > *room {
            return Err(codes::PARTITION_QUOTA.error());
        }
        *room -= growth.max(0);
        Ok(self)
    }

    /// What in the topic's state forbids it.
    fn refusal(&self, instance: &Instance) -> Option<String> {
        let Some(topic) = instance.kafka().topics.get(&self.name) else {
            return Some("The topic does not exist.".into());
        };
        let (wanted, present) = (self.partitions?, topic.partitions);
        match wanted.cmp(&present) {
            Ordering::Equal => Some(format!("Topic already has {present} partitions")),
            // Only 7.2.2.1 says in so many words that partitions only grow.
            Ordering::Less => Some(format!(
                "Topic currently has {present} partitions, which is higher than the requested {wanted}"
            )),
            Ordering::Greater => None,
        }
    }

    fn apply(&self, instance: &mut Instance) {
        let topic = instance.kafka_mut().topics.get_mut(&self.name);
        let topic = topic.expect("a topic that is not there was refused");
        topic.partitions = self.partitions.unwrap_or(topic.partitions);
        topic.retention = self.retention.unwrap_or(topic.retention);
        topic.sync_replication = self.sync_replication.unwrap_or(topic.sync_replication);
        topic.sync_flush = self.sync_flush.unwrap_or(topic.sync_flush);
        topic.configs.extend(self.configs.clone());
        if let Some(description) = &self.description {
            topic.description.clone_from(description);
        }
    }
}

fn remaining(instance: &Instance) -> i64 {
    instance.capacity()
        - instance
            .kafka()
            .topics
            .live()
            .map(|topic| topic.partitions)
            .sum::<i64>()
}

fn legal_name(name: &str) -> bool {
    (3..=200).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

fn ranged(fields: Fields<'_>, key: &str, max: i64, code: &codes::Code) -> Result<Option<i64>, ApiError> {
    match fields.integer(key)? {
        Some(value) if !(1..=max).contains(&value) => Err(code.error()),
        value => Ok(value),
    }
}

fn configs(fields: Fields<'_>) -> Result<BTreeMap<&'static str, String>, ApiError> {
    let mut configs = BTreeMap::new();
    for entry in fields.objects("topic_other_configs")?.unwrap_or_default() {
        entry.only(&["name", "value"])?;
        let given = entry.text("name")?.unwrap_or_default();
        let known = CONFIGS.iter().find(|(name, ..)| *name == given);
        let (name, ..) = known.ok_or_else(|| codes::CONFIG_NAME.about(given))?;
        let value = entry.text_or_number("value")?.unwrap_or_default();
        let legal = match *name {
            "max.message.bytes" => value.parse().is_ok_and(|bytes: i64| (0..=10_485_760).contains(&bytes)),
            _ => matches!(value.as_str(), "CreateTime" | "LogAppendTime"),
        };
        if !legal {
            return Err(codes::CONFIG_VALUE.about(name));
        }
        configs.insert(*name, value);
    }
    Ok(configs)
}

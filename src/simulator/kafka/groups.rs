//! Consumer groups: 5.6.1 to 5.6.4, 5.6.8 to 5.6.10. All at once, and the list lags. A group also appears when a client
//! connects.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Kafka;
use crate::simulator::codes::{self, ApiError};
use crate::simulator::entries::Named;
use crate::simulator::fields::{Fields, object};
use crate::simulator::gateway::{Context, Reply};
use crate::simulator::{Batches, Now};

/// A consumer group.
pub(crate) struct Group {
    name: String,
    /// Never empty.
    description: Option<String>,
    /// The broker that coordinates it.
    coordinator: i64,
    /// Clients that are connected.
    members: u32,
    /// The topics that it consumes, with the messages of each that it has not read.
    lag: BTreeMap<String, u64>,
    created_at: Timestamp,
    /// Whether it is only remembered ([`dead_groups`](crate::simulator::Config::dead_groups)).
    dead: bool,
}

impl Named for Group {
    fn name(&self) -> &str {
        &self.name
    }
}

/// `CreateKafkaConsumerGroup`, 5.6.4, which has no rule for names: one is needed, and an id of a group can be as long as
/// the protocol lets it.
pub(crate) fn create(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    let body = object(context.body)?;
    let fields = Fields(&body);
    let (now, random, dead_groups) = (context.now, context.state.random(), context.config.dead_groups);
    let instance = context.instance()?;
    instance.idle()?;
    fields.only(&["group_name", "group_desc"])?;
    let name = fields.text("group_name")?.unwrap_or_default();
    if !(1..=255).contains(&name.len()) {
        return Err(codes::GROUP_ID.error());
    }
    // 5.6.4 prints no code for it; this one of 8.2 says so, another (DMS.40050015) says it less well.
    if instance.kafka().groups.get(name).is_some() {
        return Err(codes::GROUP_EXISTS.error());
    }
    let mut group = Group::new(name, random, instance.broker_num, now);
    group.description = description(fields)?.unwrap_or_default();
    let groups = &mut instance.kafka_mut().groups;
    if dead_groups {
        groups.bury(name);
    }
    groups.add(group, now.at);
    // Not JSON, whatever the header says.
    Ok(Reply::word("success"))
}

/// `ListInstanceConsumerGroups`, 5.6.2.
pub(crate) fn list(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    context.query.only(&["offset", "limit", "group"])?;
    let (offset, limit) = context.query.page()?;
    let (now, lag) = (context.now.at, context.takes(context.config.topic_lag));
    let wanted = context.query.text("group").unwrap_or_default().to_owned();
    let instance = context.instance()?;
    instance.readable()?;
    let groups = instance.kafka().groups.listed(now, lag);
    let found: Vec<&Group> = groups.filter(|group| group.name.contains(&wanted)).collect();
    let page: Vec<Value> = found
        .iter()
        .skip(offset)
        .take(limit)
        .map(|group| {
            json!({
                "createdAt": group.created_at.as_millisecond(),
                "group_id": group.name,
                "state": group.state(),
                "coordinator_id": group.coordinator,
                "lag": group.lag.values().sum::<u64>(),
                "group_desc": group.description,
            })
        })
        .collect();
    Ok(Reply::ok(json!({"groups": page, "total": found.len()})))
}

/// `BatchDeleteGroup`, 5.6.3: the answer names the failures only. That an absent group is one is not in the reference.
pub(crate) fn delete_batch(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    let body = object(context.body)?;
    let (now, effect, config) = (context.now, context.effect, context.config);
    let instance = context.instance()?;
    instance.idle()?;
    Fields(&body).only(&["group_ids"])?;
    let names = Fields(&body).texts("group_ids")?.filter(|names| !names.is_empty());
    let names = names.ok_or_else(|| codes::PARAMETER.about("group_ids"))?;
    let own = instance.kafka_mut();
    let (mut removable, mut failed) = (Vec::new(), Vec::new());
    for name in names {
        let outcome = if effect.fails(name) {
            Err(codes::PARAMETER.about("The group cannot be deleted."))
        } else {
            may_go(own, name, config.delete_online_groups)
        };
        match outcome {
            Ok(()) => removable.push(name),
            Err(error) if config.batches == Batches::Atomic => return Err(error),
            Err(error) => failed.push(json!({"group_id": name, "error_message": error.message})),
        }
    }
    for name in removable {
        remove(own, name, now, config.dead_groups);
    }
    Ok(Reply::ok(json!({"failed_groups": failed, "total": failed.len()})))
}

/// `ShowGroups`, 5.6.1: members with what they consume, and offsets partition by partition.
pub(crate) fn show_usage(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    context.query.only(&[])?;
    let name = context.item().to_owned();
    let instance = context.instance()?;
    instance.readable()?;
    let own = instance.kafka();
    let group = own.groups.get(&name).ok_or_else(|| codes::NO_KAFKA_GROUP.error())?;
    let partitions = |topic: &str| own.topics.get(topic).map_or(1, |topic| topic.partitions);
    // The first member has it all.
    let assigned: Vec<Value> = group
        .lag
        .keys()
        .map(|topic| json!({"topic": topic, "partitions": (0..partitions(topic)).collect::<Vec<_>>()}))
        .collect();
    let mut members = members(group, &instance.id);
    for (n, member) in members.iter_mut().enumerate() {
        member["assignment"] = if n == 0 { json!(assigned) } else { json!([]) };
    }
    let offsets = group.lag.iter().flat_map(|(topic, lag)| {
        let end = own.messages(topic);
        spread(end, partitions(topic))
            .zip(spread(*lag, partitions(topic)))
            .enumerate()
            .map(move |(n, (end, lag))| {
                json!({"partition": n, "lag": lag, "topic": topic, "message_current_offset": end - lag,
                "message_log_end_offset": end})
            })
    });
    Ok(Reply::ok(json!({"group": {
        "group_id": group.name,
        "state": group.state(),
        "coordinator_id": group.coordinator,
        "members": members,
        "group_message_offsets": offsets.collect::<Vec<_>>(),
        "assignment_strategy": strategy(group),
    }})))
}

/// `ListInstanceConsumerGroup`, 5.6.8, a single group despite its name. The table puts everything into `group`, the
/// example prints it beside a `group` of `null`; the vendor's SDK reads the former.
pub(crate) fn show(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    context.query.only(&[])?;
    let (name, flat) = (context.item().to_owned(), context.config.flat_groups);
    let instance = context.instance()?;
    instance.readable()?;
    let group = instance.kafka().groups.get(&name);
    let group = group.ok_or_else(|| codes::NO_KAFKA_GROUP.error())?;
    let mut shown = json!({
        "group_id": group.name,
        "state": group.state(),
        "coordinator_id": group.coordinator,
        "members": members(group, &instance.id),
        "group_message_offsets": [],
        "assignment_strategy": strategy(group),
    });
    Ok(Reply::ok(if flat {
        shown["group"] = Value::Null;
        shown
    } else {
        json!({"group": shown})
    }))
}

/// `UpdateInstanceConsumerGroup`, 5.6.10, which says of `group_name` nothing but that it may be there: it names the group,
/// it does not rename it.
pub(crate) fn update(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    let body = object(context.body)?;
    let fields = Fields(&body);
    let name = context.item().to_owned();
    let instance = context.instance()?;
    instance.idle()?;
    fields.only(&["group_name", "group_desc"])?;
    if fields.text("group_name")?.is_some_and(|other| other != name) {
        return Err(codes::PARAMETER.about("group_name"));
    }
    let description = description(fields)?;
    let group = instance.kafka_mut().groups.get_mut(&name);
    let group = group.ok_or_else(|| codes::NO_KAFKA_GROUP.error())?;
    if let Some(description) = description {
        group.description = description;
    }
    Ok(Reply::empty())
}

/// `DeleteInstanceConsumerGroup`, 5.6.9.
pub(crate) fn delete(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    let (now, name, config) = (context.now, context.item().to_owned(), context.config);
    let instance = context.instance()?;
    instance.idle()?;
    may_go(instance.kafka_mut(), &name, config.delete_online_groups)?;
    remove(instance.kafka_mut(), &name, now, config.dead_groups);
    Ok(Reply::empty())
}

/// Connects as many clients as `members` to a group, which is made if it is not there; nobody makes none.
pub(crate) fn connect(own: &mut Kafka, name: &str, members: u32, random: u64, brokers: i64, now: Now) {
    if own.groups.get(name).is_none() && members > 0 {
        own.groups.bury(name);
        own.groups.add(Group::new(name, random, brokers, now), now.at);
    }
    if let Some(group) = own.groups.get_mut(name) {
        group.members = members;
    }
}

/// Lets a group leave so many messages of a topic unread; false if there is no such group.
pub(crate) fn leave_unread(own: &mut Kafka, name: &str, topic: &str, messages: u64) -> bool {
    let group = own.groups.get_mut(name);
    group
        .map(|group| group.lag.insert(topic.to_owned(), messages))
        .is_some()
}

/// As many numbers as there are partitions, which add up to `total`.
pub(super) fn spread(total: u64, partitions: i64) -> impl Iterator<Item = u64> {
    let count = u64::try_from(partitions).expect("a topic has partitions");
    (0..count).map(move |n| total / count + u64::from(n < total % count))
}

/// A group without the list's delay, for people.
pub(crate) fn plain(group: &Group) -> Value {
    json!({"name": group.name, "description": group.description, "state": group.state(), "members": group.members,
        "lag": group.lag})
}

fn members(group: &Group, instance: &str) -> Vec<Value> {
    let member = |n: u32| {
        let client = format!("consumer-{n}");
        json!({"host": format!("/172.31.1.{}", 100 + n % 150), "member_id": format!("{client}-{instance}"),
            "client_id": client})
    };
    (1..=group.members).map(member).collect()
}

fn strategy(group: &Group) -> &'static str {
    if group.members == 0 { "" } else { "range" }
}

/// What the service says of a group with members is not in the reference; Kafka itself refuses to delete one.
fn may_go(own: &Kafka, name: &str, online_too: bool) -> Result<(), ApiError> {
    let group = own.groups.get(name).ok_or_else(|| codes::NO_KAFKA_GROUP.error())?;
    if group.members > 0 && !online_too {
        return Err(codes::PARAMETER.about(format_args!("The group {name} is not empty.")));
    }
    Ok(())
}

fn remove(own: &mut Kafka, name: &str, now: Now, remember: bool) {
    if let Some(group) = own.groups.get_mut(name) {
        (group.members, group.dead) = (0, remember);
    }
    own.groups.remove(name, now.at);
}

/// Absent is unchanged, empty is none. No length is printed.
fn description(fields: Fields<'_>) -> Result<Option<Option<String>>, ApiError> {
    let text = fields.text("group_desc")?;
    Ok(text.map(|text| Some(text.to_owned()).filter(|text| !text.is_empty())))
}

impl Kafka {
    /// How many messages a topic holds: as many as the group has not read that is furthest behind.
    pub(super) fn messages(&self, topic: &str) -> u64 {
        self.groups
            .live()
            .filter_map(|group| group.lag.get(topic))
            .max()
            .copied()
            .unwrap_or_default()
    }

    /// Names of the groups that consume a topic.
    pub(super) fn subscribed(&self, topic: &str) -> Vec<&str> {
        let groups = self.groups.live().filter(|group| group.lag.contains_key(topic));
        groups.map(|group| group.name.as_str()).collect()
    }
}

impl Group {
    fn new(name: &str, random: u64, brokers: i64, now: Now) -> Self {
        let brokers = u64::try_from(brokers).expect("an instance has brokers");
        Self {
            name: name.to_owned(),
            description: None,
            coordinator: i64::try_from(random % brokers).expect("less than the brokers"),
            members: 0,
            lag: BTreeMap::new(),
            created_at: now.wall,
            dead: false,
        }
    }

    /// As the examples spell it, in capitals; the states of a rebalance are not simulated.
    fn state(&self) -> &'static str {
        match (self.dead, self.members) {
            (true, _) => "DEAD",
            (false, 0) => "EMPTY",
            (false, _) => "STABLE",
        }
    }
}

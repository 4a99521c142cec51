//! Consumer groups: 5.2.1 to 5.2.6. A creation is done at once; what changes or deletes is a job, also where the answer
//! cannot name it.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Batch, Change, FIVE, RocketMq, after, before, deletable, legal_name, submit};
use crate::simulator::codes::{self, ApiError};
use crate::simulator::entries::Named;
use crate::simulator::fields::{Fields, object};
use crate::simulator::gateway::{Context, Reply};
use crate::simulator::rocketmq::instances::broker_names;
use crate::simulator::state::Instance;
use crate::simulator::{Batches, Config};

/// A consumer group.
pub(crate) struct Group {
    pub(super) name: String,
    enabled: bool,
    broadcast: bool,
    retry_max_time: i64,
    consume_orderly: bool,
    /// Never empty.
    description: Option<String>,
    brokers: Vec<String>,
    created_at: Timestamp,
    /// Clients that are connected.
    pub(super) members: u32,
    /// The topics that it consumes, with the messages of each that it has not read.
    pub(super) lag: BTreeMap<String, u64>,
}

/// What 5.2.3 and 5.2.6 change in a group.
pub(crate) struct Edit {
    group: String,
    enabled: Option<bool>,
    broadcast: Option<bool>,
    retry_max_time: Option<i64>,
    consume_orderly: Option<bool>,
    description: Option<Option<String>>,
    brokers: Option<Vec<String>>,
}

impl Named for Group {
    fn name(&self) -> &str {
        &self.name
    }
}

/// `CreateConsumerGroupOrBatchDeleteConsumerGroup`, 5.2.2.
pub(crate) fn create_or_delete(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    context.query.only(&["action"])?;
    match context.query.text("action") {
        None => create(context),
        Some("delete") => delete_batch(context),
        Some(_) => Err(codes::PARAMETER.about("action")),
    }
}

fn create(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    let body = object(context.body)?;
    let fields = Fields(&body);
    let now = context.now;
    let instance = context.instance()?;
    instance.idle()?;
    fields.only(&[
        "name",
        "brokers",
        "broadcast",
        "retry_max_time",
        "enabled",
        "consume_orderly",
        "group_desc",
    ])?;
    let name = legal_name(fields)?.to_owned();
    let brokers = super::brokers(fields, instance)?;
    let brokers = match brokers {
        Some(brokers) => brokers,
        None if instance.engine_version == FIVE => broker_names(instance).collect(),
        None => return Err(codes::PARAMETER.about("brokers: mandatory on RocketMQ 4.8.0.")),
    };
    // The reference prints no defaults; these are what its examples show, and RocketMQ's own number of retries.
    let group = Group {
        enabled: fields.flag("enabled")?.unwrap_or(true),
        broadcast: fields.flag("broadcast")?.unwrap_or(false),
        retry_max_time: retries(fields)?.unwrap_or(16),
        consume_orderly: orderly(fields, instance)?.unwrap_or(false),
        description: description(fields)?.unwrap_or_default(),
        brokers,
        created_at: now.wall,
        members: 0,
        lag: BTreeMap::new(),
        name: name.clone(),
    };
    let groups = &instance.rocketmq().groups;
    if groups.get(&name).is_some() {
        return Err(codes::ROCKETMQ_GROUP_EXISTS.error());
    }
    if groups.count() >= instance.capacity() {
        return Err(codes::GROUP_QUOTA.error());
    }
    instance.rocketmq_mut().groups.add(group, now.at);
    Ok(Reply::ok(json!({"name": name})))
}

/// With `action=delete`. That what is not there counts as deleted is not in the reference.
fn delete_batch(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    let body = object(context.body)?;
    context.instance()?.idle()?;
    Fields(&body).only(&["groups"])?;
    let names = Fields(&body).texts("groups")?.filter(|names| !names.is_empty());
    let names = names.ok_or_else(|| codes::PARAMETER.about("groups"))?;
    let change = Change::DeleteGroups(deletable(context, &names));
    let job = context.state.hex(32);
    let params = json!({"groups": names});
    submit(context, &job, "deleteRocketMQConsumerGroups", params, change)?;
    Ok(Reply::ok(json!({"job_id": job})))
}

/// `ListInstanceConsumerGroups`, 5.2.1. No range of a page is printed, and not how `group` is compared: as a part of the
/// name, like in the retired 8.2.2.1.
pub(crate) fn list(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    context.query.only(&["group", "offset", "limit"])?;
    let (offset, limit) = context.query.page()?;
    let (now, lag) = (context.now.at, context.takes(context.config.topic_lag));
    let wanted = context.query.text("group").unwrap_or_default().to_owned();
    let instance = context.instance()?;
    instance.readable()?;
    let groups = &instance.rocketmq().groups;
    let listed = groups.listed(now, lag);
    let found: Vec<&Group> = listed.filter(|group| group.name.contains(&wanted)).collect();
    let total = found.len();
    let page: Vec<Value> = found
        .into_iter()
        .skip(offset)
        .take(limit)
        .map(|group| {
            let mut shown = shown(group);
            shown["createdAt"] = json!(group.created_at.as_millisecond());
            shown["consume_orderly"] = json!(group.consume_orderly);
            shown
        })
        .collect();
    let mut list = json!({
        "total": total,
        "next_offset": after(offset, limit, total),
        "previous_offset": before(offset, limit),
        "groups": page,
    });
    list["max"] = json!(instance.capacity());
    list["remaining"] = json!(instance.capacity() - groups.count());
    Ok(Reply::ok(list))
}

/// `ShowGroup`, 5.2.5: neither when it was made nor whether it consumes in order.
pub(crate) fn show(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    context.query.only(&[])?;
    let name = context.item().to_owned();
    let instance = context.instance()?;
    instance.readable()?;
    let mut shown = shown(existing(instance, &name)?);
    shown["app_id"] = Value::Null;
    shown["app_name"] = Value::Null;
    Ok(Reply::ok(shown))
}

/// `BatchUpdateConsumerGroup`, 5.2.3. All fields are optional; what is left out stays as it is, which is not stated.
pub(crate) fn update_batch(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    let body = object(context.body)?;
    let instance = context.instance()?;
    instance.idle()?;
    Fields(&body).only(&["groups"])?;
    let groups = Fields(&body).objects("groups")?.filter(|groups| !groups.is_empty());
    let groups = groups.ok_or_else(|| codes::PARAMETER.about("groups"))?;
    let (batches, effect) = (context.config.batches, context.effect);
    let instance = context.instance()?;
    let (mut names, mut edits) = (Vec::new(), Vec::new());
    for fields in groups {
        let name = legal_name(fields)?;
        names.push(name);
        match edit(fields, name, instance) {
            Ok(_) if batches == Batches::Partial && effect.fails(name) => {}
            Ok(edit) => edits.push(edit),
            Err(_) if batches == Batches::Partial => {}
            Err(error) => return Err(error),
        }
    }
    let lacks = edits.len() < names.len();
    let job = context.state.hex(32);
    let params = json!({"groups": names});
    submit(
        context,
        &job,
        "updateRocketMQConsumerGroups",
        params,
        Change::UpdateGroups(Batch { items: edits, lacks }),
    )?;
    Ok(Reply::ok(json!({"job_id": job})))
}

/// One group of 5.2.3.
fn edit(fields: Fields<'_>, name: &str, instance: &Instance) -> Result<Edit, ApiError> {
    fields.only(&[
        "name",
        "broadcast",
        "retry_max_time",
        "enabled",
        "consume_orderly",
        "group_desc",
    ])?;
    existing(instance, name)?;
    Ok(Edit {
        group: name.to_owned(),
        enabled: fields.flag("enabled")?,
        broadcast: fields.flag("broadcast")?,
        retry_max_time: retries(fields)?,
        consume_orderly: orderly(fields, instance)?,
        description: description(fields)?,
        brokers: None,
    })
}

/// `UpdateConsumerGroup`, 5.2.6: three fields are mandatory, and two of a group's are none of its.
pub(crate) fn update(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    let body = object(context.body)?;
    let fields = Fields(&body);
    let name = context.item().to_owned();
    let instance = context.instance()?;
    instance.idle()?;
    fields.only(&["enabled", "broadcast", "brokers", "name", "retry_max_time"])?;
    existing(instance, &name)?;
    if fields.text("name")?.is_some_and(|other| other != name) {
        return Err(codes::PARAMETER.about("name: it cannot be modified."));
    }
    let edit = Edit {
        enabled: Some(mandatory(fields.flag("enabled")?, "enabled")?),
        broadcast: Some(mandatory(fields.flag("broadcast")?, "broadcast")?),
        retry_max_time: Some(mandatory(retries(fields)?, "retry_max_time")?),
        brokers: super::brokers(fields, instance)?,
        consume_orderly: None,
        description: None,
        group: name.clone(),
    };
    let job = context.state.uuid();
    let (params, change) = (json!({"group": name}), Change::UpdateGroups(Batch::one(edit)));
    submit(context, &job, "updateRocketMQConsumerGroup", params, change)?;
    Ok(Reply::no_content())
}

/// `DeleteConsumerGroup`, 5.2.4.
pub(crate) fn delete(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    let name = context.item().to_owned();
    let instance = context.instance()?;
    instance.idle()?;
    existing(instance, &name)?;
    let job = context.state.uuid();
    let (params, change) = (json!({"group": name}), Change::DeleteGroups(Batch::one(name)));
    submit(context, &job, "deleteRocketMQConsumerGroup", params, change)?;
    Ok(Reply::no_content())
}

impl Edit {
    /// False if the group is not there.
    pub(crate) fn apply(&self, own: &mut RocketMq) -> bool {
        let Some(group) = own.groups.get_mut(&self.group) else {
            return false;
        };
        group.enabled = self.enabled.unwrap_or(group.enabled);
        group.broadcast = self.broadcast.unwrap_or(group.broadcast);
        group.retry_max_time = self.retry_max_time.unwrap_or(group.retry_max_time);
        group.consume_orderly = self.consume_orderly.unwrap_or(group.consume_orderly);
        if let Some(description) = &self.description {
            group.description.clone_from(description);
        }
        if let Some(brokers) = &self.brokers {
            group.brokers.clone_from(brokers);
        }
        true
    }
}

/// Deletes groups; false if one has members and stays for that, or keeps all from going. What the service does then is not
/// in the reference.
pub(crate) fn remove(own: &mut RocketMq, names: &[String], now: Duration, config: &Config) -> bool {
    let online = |group: &Group| group.members > 0 && !config.delete_online_groups;
    let (stay, go): (Vec<_>, Vec<_>) = names.iter().partition(|name| own.groups.get(name).is_some_and(online));
    if stay.is_empty() || config.batches != Batches::Atomic {
        for name in go {
            own.groups.remove(name, now);
        }
    }
    stay.is_empty()
}

/// Connects as many clients as `members` to a group; false if there is none.
pub(crate) fn connect(own: &mut RocketMq, name: &str, members: u32) -> bool {
    let group = own.groups.get_mut(name);
    group.map(|group| group.members = members).is_some()
}

/// Lets a group leave so many messages of a topic unread; false if there is no such group.
pub(crate) fn leave_unread(own: &mut RocketMq, name: &str, topic: &str, messages: u64) -> bool {
    let group = own.groups.get_mut(name);
    group
        .map(|group| group.lag.insert(topic.to_owned(), messages))
        .is_some()
}

/// A group without the list's delay, for people.
pub(crate) fn plain(group: &Group) -> Value {
    json!({
        "name": group.name,
        "enabled": group.enabled,
        "broadcast": group.broadcast,
        "retryMaxTime": group.retry_max_time,
        "consumeOrderly": group.consume_orderly,
        "description": group.description,
        "brokers": group.brokers,
        "members": group.members,
        "lag": group.lag,
    })
}

/// What list and detail share; a description that is not set is missing in both.
fn shown(group: &Group) -> Value {
    let mut shown = json!({
        "name": group.name,
        "enabled": group.enabled,
        "broadcast": group.broadcast,
        "brokers": group.brokers,
        "permissions": [],
        "retry_max_time": group.retry_max_time,
    });
    if let Some(description) = &group.description {
        shown["group_desc"] = json!(description);
    }
    shown
}

pub(super) fn existing<'a>(instance: &'a Instance, name: &str) -> Result<&'a Group, ApiError> {
    let group = instance.rocketmq().groups.get(name);
    group.ok_or_else(|| codes::NO_ROCKETMQ_GROUP.error())
}

fn mandatory<T>(value: Option<T>, key: &str) -> Result<T, ApiError> {
    value.ok_or_else(|| codes::PARAMETER.about(key))
}

fn retries(fields: Fields<'_>) -> Result<Option<i64>, ApiError> {
    match fields.integer("retry_max_time")? {
        Some(times) if !(1..=16).contains(&times) => Err(codes::PARAMETER.about("retry_max_time")),
        times => Ok(times),
    }
}

/// "Mandatory only for RocketMQ 5.x instances": taken to mean that older ones do not have it.
fn orderly(fields: Fields<'_>, instance: &Instance) -> Result<Option<bool>, ApiError> {
    let orderly = fields.flag("consume_orderly")?;
    if orderly.is_some() != (instance.engine_version == FIVE) {
        return Err(codes::PARAMETER.about("consume_orderly: mandatory on RocketMQ 5.x only."));
    }
    Ok(orderly)
}

/// Absent is unchanged, empty is none.
fn description(fields: Fields<'_>) -> Result<Option<Option<String>>, ApiError> {
    match fields.text("group_desc")? {
        Some(text) if text.chars().count() > 200 => Err(codes::PARAMETER.about("group_desc")),
        text => Ok(text.map(|text| Some(text.to_owned()).filter(|text| !text.is_empty()))),
    }
}

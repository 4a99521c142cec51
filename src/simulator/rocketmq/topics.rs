//! Topics: 5.3.1 to 5.3.5. A creation is done at once; what changes or deletes is a job, also where the answer cannot
//! name it: a 204 has no body, whatever the reference prints in it.

use serde_json::{Value, json};

use super::{Batch, Change, FIVE, RocketMq, after, before, deletable, legal_name, submit};
use crate::simulator::codes::{self, ApiError};
use crate::simulator::entries::Named;
use crate::simulator::fields::{Fields, object};
use crate::simulator::gateway::{Context, Reply};
use crate::simulator::rocketmq::instances::broker_names;
use crate::simulator::state::Instance;

/// Queues of a new topic if nobody says how many; not in the reference, but what its console offers.
const DEFAULT_QUEUES: i64 = 8;
const MOST_QUEUES: i64 = 50;

/// A topic.
pub(crate) struct Topic {
    name: String,
    permission: String,
    /// Only on 5.x.
    message_type: Option<String>,
    pub(super) queues: Vec<Queues>,
    /// Can be written but not read.
    description: Option<String>,
}

/// A topic's queues on a broker.
#[derive(Clone)]
pub(super) struct Queues {
    pub(super) broker: String,
    pub(super) read: i64,
    write: i64,
}

/// What 5.3.5 changes.
pub(crate) struct Edit {
    topic: String,
    permission: Option<String>,
    queues: Vec<Queues>,
    description: Option<String>,
}

impl Named for Topic {
    fn name(&self) -> &str {
        &self.name
    }
}

/// `CreateTopicOrBatchDeleteTopic`, 5.3.1.
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
    let now = context.now.at;
    let instance = context.instance()?;
    instance.idle()?;
    fields.only(&["name", "brokers", "queue_num", "queues", "permission", "message_type"])?;
    let name = legal_name(fields)?.to_owned();
    let five = instance.engine_version == FIVE;
    let message_type = fields.text("message_type")?;
    let of_version = if five {
        matches!(message_type, Some("NORMAL" | "FIFO" | "DELAY" | "TRANSACTION"))
    } else {
        message_type.is_none()
    };
    if !of_version {
        return Err(codes::PARAMETER.about("message_type: mandatory on RocketMQ 5.x only."));
    }
    let permission = permission(fields)?.or(five.then_some("all"));
    let permission = permission.ok_or_else(|| codes::PARAMETER.about("permission: mandatory on RocketMQ 4.8.0."))?;
    let topic = Topic {
        permission: permission.to_owned(),
        message_type: message_type.map(str::to_owned),
        queues: initial_queues(fields, instance)?,
        description: None,
        name: name.clone(),
    };
    let topics = &instance.rocketmq().topics;
    if topics.get(&name).is_some() {
        return Err(codes::TOPIC_EXISTS.error());
    }
    // Which code a full instance gives is not in the reference.
    if topics.count() >= instance.capacity() {
        return Err(codes::QUOTA.error());
    }
    instance.rocketmq_mut().topics.add(topic, now);
    Ok(Reply::ok(json!({"id": name})))
}

/// With `action=delete`. That what is not there counts as deleted is not in the reference.
fn delete_batch(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    let body = object(context.body)?;
    context.instance()?.idle()?;
    Fields(&body).only(&["topics"])?;
    let names = Fields(&body).texts("topics")?.filter(|names| !names.is_empty());
    let names = names.ok_or_else(|| codes::PARAMETER.about("topics"))?;
    let change = Change::DeleteTopics(deletable(context, &names));
    let job = context.state.uuid();
    submit(context, &job, "deleteRocketMQTopics", json!({"topics": names}), change)?;
    Ok(Reply::ok(json!({"job_id": job})))
}

/// `ListRocketInstanceTopics`, 5.3.2: numbers of topics and offsets are strings in the example, against the table; those
/// of queues are not.
pub(crate) fn list(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    context.query.only(&["offset", "limit"])?;
    let (offset, limit) = context.query.page()?;
    let (now, lag) = (context.now.at, context.takes(context.config.topic_lag));
    let instance = context.instance()?;
    instance.readable()?;
    let topics = &instance.rocketmq().topics;
    let found = topics.listed(now, lag);
    let total = found.len();
    let page: Vec<Value> = found
        .skip(offset)
        .take(limit)
        .map(|topic| {
            let mut shown = shown(topic);
            shown["name"] = json!(topic.name);
            shown
        })
        .collect();
    Ok(Reply::ok(json!({
        "total": total.to_string(),
        "max": instance.capacity().to_string(),
        "remaining": (instance.capacity() - topics.count()).to_string(),
        "next_offset": after(offset, limit, total).to_string(),
        "previous_offset": before(offset, limit).to_string(),
        "topics": page,
    })))
}

/// `ShowOneTopic`, 5.3.4: as in the example it lacks the name, which the table has.
pub(crate) fn show(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    context.query.only(&[])?;
    let name = context.item().to_owned();
    let instance = context.instance()?;
    instance.readable()?;
    Ok(Reply::ok(shown(existing(instance, &name)?)))
}

/// `UpdateTopic`, 5.3.5, which prints no ranges: here those of a creation. Reading and writing are independent, and may
/// shrink. Totals and `queues` together would say a thing twice.
pub(crate) fn update(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    let body = object(context.body)?;
    let fields = Fields(&body);
    let name = context.item().to_owned();
    let instance = context.instance()?;
    instance.idle()?;
    fields.only(&[
        "read_queue_num",
        "write_queue_num",
        "permission",
        "queues",
        "topic_desc",
    ])?;
    let mut queues = existing(instance, &name)?.queues.clone();
    let (read, write) = (number(fields, "read_queue_num")?, number(fields, "write_queue_num")?);
    let by_broker = fields.objects("queues")?;
    if by_broker.is_some() && read.or(write).is_some() {
        return Err(codes::PARAMETER.about("queues, read_queue_num, write_queue_num"));
    }
    let on = queues.len();
    for (at, queues) in queues.iter_mut().enumerate() {
        queues.read = read.map_or(queues.read, |total| share(total, at, on));
        queues.write = write.map_or(queues.write, |total| share(total, at, on));
    }
    for entry in by_broker.unwrap_or_default() {
        entry.only(&["broker", "read_queue_num", "write_queue_num"])?;
        let broker = entry.text("broker")?.unwrap_or_default();
        let found = queues.iter_mut().find(|queues| queues.broker == broker);
        let found = found.ok_or_else(|| codes::PARAMETER.about(format_args!("broker: {broker}")))?;
        found.read = number(entry, "read_queue_num")?.unwrap_or(found.read);
        found.write = number(entry, "write_queue_num")?.unwrap_or(found.write);
    }
    let edit = Edit {
        permission: permission(fields)?.map(str::to_owned),
        description: fields.text("topic_desc")?.map(str::to_owned),
        queues,
        topic: name.clone(),
    };
    let job = context.state.uuid();
    let params = json!({"topic": name});
    submit(context, &job, "updateRocketMQTopic", params, Change::UpdateTopic(edit))?;
    Ok(Reply::no_content())
}

/// `DeleteTopic`, 5.3.3.
pub(crate) fn delete(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    let name = context.item().to_owned();
    let instance = context.instance()?;
    instance.idle()?;
    existing(instance, &name)?;
    let job = context.state.uuid();
    let params = json!({"topic": name});
    submit(
        context,
        &job,
        "deleteRocketMQTopic",
        params,
        Change::DeleteTopics(Batch::one(name)),
    )?;
    Ok(Reply::no_content())
}

impl Edit {
    /// False if the topic is not there.
    pub(crate) fn apply(&self, own: &mut RocketMq) -> bool {
        let Some(topic) = own.topics.get_mut(&self.topic) else {
            return false;
        };
        topic.queues.clone_from(&self.queues);
        if let Some(permission) = &self.permission {
            topic.permission.clone_from(permission);
        }
        if self.description.is_some() {
            topic.description.clone_from(&self.description);
        }
        true
    }
}

/// A topic without a lag, for people.
pub(crate) fn plain(topic: &Topic) -> Value {
    let queues = topic.queues.iter();
    let queues = queues.map(|queues| json!({"broker": queues.broker, "read": queues.read, "write": queues.write}));
    json!({
        "name": topic.name,
        "permission": topic.permission,
        "messageType": topic.message_type,
        "queues": queues.collect::<Vec<_>>(),
        "description": topic.description,
    })
}

fn shown(topic: &Topic) -> Value {
    let brokers = topic.queues.iter().map(
        |queues| json!({"broker_name": queues.broker, "read_queue_num": queues.read, "write_queue_num": queues.write}),
    );
    let mut shown = json!({
        "total_read_queue_num": topic.queues.iter().map(|queues| queues.read).sum::<i64>(),
        "total_write_queue_num": topic.queues.iter().map(|queues| queues.write).sum::<i64>(),
        "permission": topic.permission,
        "brokers": brokers.collect::<Vec<_>>(),
    });
    if let Some(message_type) = &topic.message_type {
        shown["message_type"] = json!(message_type);
    }
    shown
}

pub(super) fn existing<'a>(instance: &'a Instance, name: &str) -> Result<&'a Topic, ApiError> {
    let topic = instance.rocketmq().topics.get(name);
    topic.ok_or_else(|| codes::NO_TOPIC.error())
}

fn permission<'a>(fields: Fields<'a>) -> Result<Option<&'a str>, ApiError> {
    match fields.text("permission")? {
        permission @ (None | Some("pub" | "sub" | "all")) => Ok(permission),
        Some(_) => Err(codes::PARAMETER.about("permission")),
    }
}

fn number(fields: Fields<'_>, key: &str) -> Result<Option<i64>, ApiError> {
    match fields.whole(key)? {
        Some(number) if !(1..=MOST_QUEUES).contains(&number) => Err(codes::PARAMETER.about(key)),
        number => Ok(number),
    }
}

/// The queues of a new topic. On 5.x they are on all brokers, and nobody says on which; on 4.8.0 the table makes both
/// `brokers` and `queues` mandatory and the example has `queues` only: here `queues` will do, or `brokers` with `queue_num`,
/// and both must agree.
fn initial_queues(fields: Fields<'_>, instance: &Instance) -> Result<Vec<Queues>, ApiError> {
    let total = number(fields, "queue_num")?;
    let brokers = super::brokers(fields, instance)?;
    let by_broker = fields.objects("queues")?.filter(|queues| !queues.is_empty());
    let Some(by_broker) = by_broker else {
        if total.is_none() && instance.engine_version != FIVE {
            return Err(codes::PARAMETER.about("queues: mandatory on RocketMQ 4.8.0."));
        }
        let total = total.unwrap_or(DEFAULT_QUEUES);
        let brokers = match brokers {
            Some(brokers) => brokers,
            None if instance.engine_version == FIVE => broker_names(instance).collect(),
            None => return Err(codes::PARAMETER.about("brokers, queues: mandatory on RocketMQ 4.8.0.")),
        };
        let on = brokers.len();
        return Ok(brokers
            .into_iter()
            .enumerate()
            .map(|(at, broker)| Queues {
                broker,
                read: share(total, at, on),
                write: share(total, at, on),
            })
            .collect());
    };
    if instance.engine_version == FIVE {
        return Err(codes::PARAMETER.about("queues: on RocketMQ 4.8.0 only."));
    }
    let mut queues: Vec<Queues> = Vec::new();
    for entry in by_broker {
        entry.only(&["broker", "queue_num"])?;
        let broker = entry.text("broker")?.unwrap_or_default();
        let known = broker_names(instance).any(|name| name == broker);
        if !known || queues.iter().any(|queues| queues.broker == broker) {
            return Err(codes::PARAMETER.about(format_args!("broker: {broker}")));
        }
        let number = number(entry, "queue_num")?.ok_or_else(|| codes::PARAMETER.about("queue_num"))?;
        queues.push(Queues {
            broker: broker.to_owned(),
            read: number,
            write: number,
        });
    }
    let agrees = |brokers: &Vec<String>| {
        brokers.len() == queues.len() && queues.iter().all(|queues| brokers.contains(&queues.broker))
    };
    if !brokers.as_ref().is_none_or(agrees) {
        return Err(codes::PARAMETER.about("brokers, queues"));
    }
    if total.is_some_and(|total| total != queues.iter().map(|queues| queues.read).sum::<i64>()) {
        return Err(codes::PARAMETER.about("queue_num, queues"));
    }
    Ok(queues)
}

/// What of a total falls to one of the brokers: as even as can be, the first have more.
fn share(total: i64, at: usize, on: usize) -> i64 {
    let (at, on) = (index(at), index(on));
    total / on + i64::from(at < total % on)
}

fn index(number: usize) -> i64 {
    i64::try_from(number).expect("an instance has few brokers")
}

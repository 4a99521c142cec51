//! User and client quotas: 5.2.13 to 5.2.16. All changes are jobs; a quota is named by four fields and has no id.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::Change;
use crate::simulator::codes::{self, ApiError};
use crate::simulator::fields::{Fields, object};
use crate::simulator::gateway::{Context, Reply};
use crate::simulator::jobs::{self, NewTask};

/// What the service needs for a change.
const CHANGE: Duration = Duration::from_secs(10);

const IDENTITY: [&str; 4] = ["user", "client", "user-default", "client-default"];
const ALL: [&str; 6] = [
    "user",
    "client",
    "user-default",
    "client-default",
    "producer-byte-rate",
    "consumer-byte-rate",
];

/// A quota; rates in byte/s.
#[derive(Clone)]
pub(crate) struct Quota {
    user: String,
    client: String,
    user_default: bool,
    client_default: bool,
    producer: Option<i64>,
    consumer: Option<i64>,
}

/// `CreateKafkaUserClientQuotaTask`.
pub(crate) fn create(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    // The reference names no task for the three; these names are made up.
    submit(context, "createKafkaUserClientQuota", &ALL, false, Change::CreateQuota)
}

/// `UpdateKafkaUserClientQuotaTask`.
pub(crate) fn update(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    submit(context, "updateKafkaUserClientQuota", &ALL, true, Change::UpdateQuota)
}

/// `DeleteKafkaUserClientQuotaTask`, whose body names the quota.
pub(crate) fn delete(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    submit(
        context,
        "deleteKafkaUserClientQuota",
        &IDENTITY,
        true,
        Change::DeleteQuota,
    )
}

/// `ShowKafkaUserClientQuota`. No default or maximum is printed for a page; the default is known to be 10, and `count`
/// is taken to be the total.
pub(crate) fn list(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    context.query.only(&["offset", "limit"])?;
    let (offset, limit) = (
        context.query.number("offset")?.unwrap_or(0),
        context.query.number("limit")?.unwrap_or(10),
    );
    if limit == 0 {
        return Err(codes::PARAMETER.about("limit"));
    }
    let instance = context.instance()?;
    instance.readable()?;
    let page: Vec<Value> = instance
        .kafka()
        .quotas
        .iter()
        .rev()
        .skip(offset)
        .take(limit)
        .map(Quota::shown)
        .collect();
    Ok(Reply::ok(
        json!({"quotas": page, "count": instance.kafka().quotas.len()}),
    ))
}

fn submit(
    context: &mut Context<'_>,
    name: &'static str,
    known: &[&str],
    must_exist: bool,
    change: fn(Quota) -> Change,
) -> Result<Reply, ApiError> {
    let body = hyphenated(object(context.body)?)?;
    let id = context.state.hex(32);
    let (now, lasts, fails, strict) = (
        context.now,
        context.takes(CHANGE),
        context.effect.job_fails,
        context.config.strict_quotas,
    );
    let instance = context.instance()?;
    instance.idle()?;
    Fields(&body).only(known)?;
    let quota = Quota::read(Fields(&body))?;
    if known == ALL && quota.producer.or(quota.consumer).is_none() {
        return Err(codes::PARAMETER.about("producer-byte-rate, consumer-byte-rate"));
    }
    // Not documented. The default follows what is known of topic quotas: accepted, and then the job fails.
    if strict && must_exist != instance.kafka().quotas.iter().any(|other| other.same(&quota)) {
        return Err(codes::PARAMETER.about("The quota exists already, or does not exist."));
    }
    let task = NewTask {
        id: id.clone(),
        name,
        params: quota.shown(),
    };
    instance.begin(now, lasts, fails, Some(task), jobs::Change::Kafka(change(quota)));
    Ok(Reply::ok(json!({"job_id": id})))
}

/// The body as the reference spells it. The vendor's SDK has underscores instead of hyphens; that the service takes both
/// is not in the reference. One field in both spellings is a contradiction.
fn hyphenated(body: Map<String, Value>) -> Result<Map<String, Value>, ApiError> {
    let mut hyphenated = Map::new();
    for (key, value) in body {
        let key = key.replace('_', "-");
        if hyphenated.contains_key(&key) {
            return Err(codes::PARAMETER.about(format_args!("{key} is there twice.")));
        }
        hyphenated.insert(key, value);
    }
    Ok(hyphenated)
}

impl Quota {
    fn read(fields: Fields<'_>) -> Result<Self, ApiError> {
        let text = |key| Ok::<_, ApiError>(fields.text(key)?.unwrap_or_default().to_owned());
        let rate = |key| match fields.integer(key)? {
            Some(rate) if rate < 0 => Err(codes::PARAMETER.about(key)),
            rate => Ok(rate),
        };
        let quota = Self {
            user: text("user")?,
            client: text("client")?,
            user_default: fields.flag("user-default")?.unwrap_or(false),
            client_default: fields.flag("client-default")?.unwrap_or(false),
            producer: rate("producer-byte-rate")?,
            consumer: rate("consumer-byte-rate")?,
        };
        let both = |name: &str, default: bool| default && !name.is_empty();
        if both(&quota.user, quota.user_default) || both(&quota.client, quota.client_default) {
            return Err(codes::PARAMETER.about("A default takes no name."));
        }
        if quota.user.is_empty() && quota.client.is_empty() && !quota.user_default && !quota.client_default {
            return Err(codes::PARAMETER.about("Neither a user nor a client is named."));
        }
        Ok(quota)
    }

    /// As 5.2.14 prints it. How it prints a rate that is not set is not shown; here the rate is left out.
    pub(crate) fn shown(&self) -> Value {
        let mut map = Map::new();
        map.insert("user".into(), json!(self.user));
        map.insert("client".into(), json!(self.client));
        map.insert("user-default".into(), json!(self.user_default));
        map.insert("client-default".into(), json!(self.client_default));
        map.extend(self.producer.map(|rate| ("producer-byte-rate".into(), json!(rate))));
        map.extend(self.consumer.map(|rate| ("consumer-byte-rate".into(), json!(rate))));
        Value::Object(map)
    }

    /// False if there is one already.
    pub(crate) fn create(quotas: &mut Vec<Self>, quota: &Self) -> bool {
        let new = !quotas.iter().any(|other| other.same(quota));
        if new {
            quotas.push(quota.clone());
        }
        new
    }

    /// False if there is none. A rate that is left out is cleared: the call states the whole quota.
    pub(crate) fn update(quotas: &mut [Self], quota: &Self) -> bool {
        let found = quotas.iter_mut().find(|other| other.same(quota));
        found.map(|found| found.clone_from(quota)).is_some()
    }

    /// False if there is none.
    pub(crate) fn delete(quotas: &mut Vec<Self>, quota: &Self) -> bool {
        let before = quotas.len();
        quotas.retain(|other| !other.same(quota));
        quotas.len() < before
    }

    fn same(&self, other: &Self) -> bool {
        (&self.user, &self.client, self.user_default, self.client_default)
            == (&other.user, &other.client, other.user_default, other.client_default)
    }
}

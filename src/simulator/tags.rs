//! Tags of an instance: Kafka 5.10.1 and 5.10.2, RocketMQ 5.8.1 and 5.8.2.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::codes::{self, ApiError};
use super::fields::{Fields, object};
use super::gateway::{Context, Reply};
use super::rocketmq;
use super::state::Engine;

/// The most tags of an instance. The error table says 10 in a text from the time of queues.
const MAX_TAGS: usize = 20;

/// What the tags are from each moment on, as their own call shows it; the last is the truth.
pub(crate) struct Tags(Vec<(Duration, BTreeMap<String, String>)>);

impl Default for Tags {
    /// None at all.
    fn default() -> Self {
        Self(vec![(Duration::ZERO, BTreeMap::new())])
    }
}

impl Tags {
    /// The tags of a new instance, which show from `from` on.
    pub(crate) fn new(from: Duration, tags: BTreeMap<String, String>) -> Self {
        Self(vec![(Duration::ZERO, BTreeMap::new()), (from, tags)])
    }

    /// The tags as they are.
    pub(crate) fn truth(&self) -> &BTreeMap<String, String> {
        &self.0.last().expect("it starts with an entry").1
    }

    fn seen(&self, at: Duration) -> Vec<Value> {
        let seen = self.0.iter().rev().find(|(from, _)| *from <= at).map(|(_, tags)| tags);
        seen.map(shown).unwrap_or_default()
    }
}

/// Tags as a body shows them.
pub(crate) fn shown(tags: &BTreeMap<String, String>) -> Vec<Value> {
    tags.iter()
        .map(|(key, value)| json!({"key": key, "value": value}))
        .collect()
}

/// `BatchCreateOrDeleteKafkaTag`, `BatchCreateOrDeleteRocketmqTag`: all of the tags or none.
pub(crate) fn act(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    let body = object(context.body)?;
    let fields = Fields(&body);
    let (now, lag, replace) = (
        context.now,
        context.takes(context.config.tag_lag),
        context.config.replace_tags,
    );
    let instance = context.instance()?;
    instance.idle()?;
    fields.only(&["action", "tags"])?;
    let wanted = read(fields, instance.engine())?;
    if wanted.is_empty() {
        return Err(codes::PARAMETER.about("tags"));
    }
    let mut tags = instance.tags.truth().clone();
    match fields.text("action")? {
        Some("create") => {
            for (key, value) in wanted {
                // Whether this overwrites is not stated; "must be unique" and the code speak against it.
                if tags.insert(key, value).is_some() && !replace {
                    return Err(codes::TAG_EXISTS.error());
                }
            }
        }
        Some("delete") => {
            for (key, _) in wanted {
                tags.remove(&key).ok_or_else(|| codes::NO_TAG.error())?;
            }
        }
        _ => return Err(codes::TAG_ACTION.error()),
    }
    if tags.len() > MAX_TAGS {
        return Err(codes::TAG_COUNT.error());
    }
    instance.tags.0.push((now.at + lag, tags));
    Ok(Reply::no_content())
}

/// `ShowKafkaTags`, `ShowRocketmqTags`: for the lag, what was there before.
pub(crate) fn list(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    let now = context.now;
    let instance = context.instance()?;
    let (engine, tags) = (instance.engine(), instance.tags.seen(now.at));
    let query = &context.query;
    Ok(Reply::ok(match engine {
        Engine::Kafka => {
            query.only(&[])?;
            json!({"tags": tags})
        }
        Engine::RocketMq => {
            query.only(&["offset", "limit"])?;
            rocketmq::page("tags", tags, rocketmq::free_page(query)?)
        }
    }))
}

/// The tags of a body, checked one by one. The sections print the special characters differently; any of theirs will do.
pub(crate) fn read(fields: Fields<'_>, engine: Engine) -> Result<Vec<(String, String)>, ApiError> {
    let special = match engine {
        Engine::Kafka => " ._:=-+@~",
        Engine::RocketMq => " ._:=-+@",
    };
    let tags = fields.objects("tags")?.unwrap_or_default();
    if tags.len() > MAX_TAGS {
        return Err(codes::TAG_COUNT.error());
    }
    tags.into_iter()
        .map(|tag| {
            tag.only(&["key", "value"])?;
            let (key, value) = (
                tag.text("key")?.unwrap_or_default(),
                tag.text("value")?.unwrap_or_default(),
            );
            let legal = |text: &str| text.chars().all(|c| c.is_alphanumeric() || special.contains(c));
            if !(1..=128).contains(&key.chars().count()) {
                return Err(codes::TAG_KEY_LENGTH.error());
            }
            if !legal(key) || key.starts_with("sys") || key.trim() != key {
                return Err(codes::TAG_KEY.error());
            }
            if value.chars().count() > 255 {
                return Err(codes::TAG_VALUE_LENGTH.error());
            }
            // Only RocketMQ 5.8.1 asks this of a value.
            let padded = engine == Engine::RocketMq && value.trim() != value;
            if !legal(value) || padded {
                return Err(codes::TAG_VALUE.error());
            }
            Ok((key.to_owned(), value.to_owned()))
        })
        .collect()
}

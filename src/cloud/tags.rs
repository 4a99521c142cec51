//! Tags of an instance: Kafka API reference 5.10.1 and 5.10.2, RocketMQ API reference 5.8.1 and 5.8.2.

use serde::{Deserialize, Serialize};

use super::client::Call;
use super::{Client, Engine, Error, Operation, decode};

impl Client {
    /// All tags of an instance (Kafka API reference 5.10.2, RocketMQ API reference 5.8.2).
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn list_tags(&self, engine: Engine, instance: &str) -> Result<Vec<Tag>, Error> {
        let operation = match engine {
            Engine::Kafka => Operation::ShowKafkaTags,
            Engine::RocketMq => Operation::ShowRocketmqTags,
        };
        let path = ["v2", self.project_id(), engine.path(), instance, "tags"];
        let answer = self.send(Call::dms(operation, &path)).await?;
        let body: List = answer.json()?;
        body.tags
            .map(Option::unwrap_or_default)
            .ok_or_else(|| answer.malformed("it has no list"))
    }

    /// Adds or removes tags (Kafka API reference 5.10.1, RocketMQ API reference 5.8.1). Whether adding overwrites a
    /// value is not documented: a key that is taken may be [`super::Class::AlreadyExists`], one to remove that is not
    /// there [`super::Class::NotFound`].
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn change_tags(
        &self,
        engine: Engine,
        instance: &str,
        action: TagAction,
        tags: &[Tag],
    ) -> Result<(), Error> {
        let operation = match engine {
            Engine::Kafka => Operation::BatchCreateOrDeleteKafkaTag,
            Engine::RocketMq => Operation::BatchCreateOrDeleteRocketmqTag,
        };
        let path = ["v2", self.project_id(), engine.path(), instance, "tags", "action"];
        let call = Call::dms(operation, &path);
        self.send(call.json(&Change { action, tags })).await?;
        Ok(())
    }
}

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Tag {
    /// 1 to 128 characters, unique in the instance.
    #[serde(deserialize_with = "decode::required")]
    pub key: String,
    /// Up to 255 characters; null and absent are empty.
    #[serde(default, deserialize_with = "value")]
    pub value: String,
}

/// What to do with tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TagAction {
    /// Add them.
    Create,
    /// Remove them; the values must be right too.
    Delete,
}

#[derive(Serialize)]
struct Change<'a> {
    action: TagAction,
    tags: &'a [Tag],
}

#[derive(Deserialize)]
struct List {
    /// There is no total to tell no tags from no answer, so null is the one and absence the other.
    #[serde(default, deserialize_with = "present")]
    tags: Option<Option<Vec<Tag>>>,
}

fn present<'de, D: serde::Deserializer<'de>>(input: D) -> Result<Option<Option<Vec<Tag>>>, D::Error> {
    Option::deserialize(input).map(Some)
}

fn value<'de, D: serde::Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    Ok(decode::text(input)?.unwrap_or_default())
}

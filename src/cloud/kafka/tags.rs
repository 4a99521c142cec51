//! Tags of an instance: API reference 5.10.1 and 5.10.2.

use serde::{Deserialize, Serialize};

use crate::cloud::client::Call;
use crate::cloud::{Client, Error, Operation, decode};

impl Client {
    /// All tags of an instance (5.10.2).
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn list_tags(&self, instance: &str) -> Result<Vec<Tag>, Error> {
        let path = ["v2", self.project_id(), "kafka", instance, "tags"];
        let answer = self.send(Call::dms(Operation::ShowKafkaTags, &path)).await?;
        let body: List = answer.json()?;
        body.tags
            .map(Option::unwrap_or_default)
            .ok_or_else(|| answer.malformed("it has no list"))
    }

    /// Adds or removes tags (5.10.1). Whether adding overwrites a value is not documented: a key that is taken may be
    /// [`crate::cloud::Class::AlreadyExists`], one to remove that is not there [`crate::cloud::Class::NotFound`].
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn change_tags(&self, instance: &str, action: TagAction, tags: &[Tag]) -> Result<(), Error> {
        let path = ["v2", self.project_id(), "kafka", instance, "tags", "action"];
        let call = Call::dms(Operation::BatchCreateOrDeleteKafkaTag, &path);
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

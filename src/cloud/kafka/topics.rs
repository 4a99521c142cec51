//! Topics: API reference 5.5.2 to 5.5.5.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ItemFailure;
use crate::cloud::client::Call;
use crate::cloud::{Client, Error, Limits, Operation, Page, decode};

impl Client {
    /// Creates a topic (5.5.2).
    ///
    /// # Errors
    /// Any of the sender's. The reference has no code of its own for a name that is taken.
    pub async fn create_topic(&self, instance: &str, topic: &CreateTopic) -> Result<(), Error> {
        self.send(self.topics(Operation::CreateInstanceTopic, instance).json(topic))
            .await?;
        Ok(())
    }

    /// One page of topics (5.5.3), `limit` 1 to 50, and how many partitions the instance has room for. New ones may be
    /// missing for a while, deleted ones linger.
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn list_topics(&self, instance: &str, offset: u32, limit: u32) -> Result<Page<Topic>, Error> {
        let call = self
            .topics(Operation::ListInstanceTopics, instance)
            .filter("offset", Some(offset))
            .filter("limit", Some(limit));
        let answer = self.send(call).await?;
        let body: List = answer.json()?;
        let limits = Limits {
            most: body.max_partitions,
            left: body.remain_partitions,
            of_one: body.topic_max_partitions,
        };
        let page = answer.page(body.topics, body.total)?;
        Ok(Page { limits, ..page })
    }

    /// Changes topics, of each what is given and nothing else (5.5.4). Gives those that the service says it did not
    /// change; a 206 that names none is an error (206 is not in the reference).
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn update_topics(&self, instance: &str, topics: &[UpdateTopic]) -> Result<Vec<ItemFailure>, Error> {
        let body = UpdateTopics { topics };
        let answer = self
            .send(self.topics(Operation::UpdateInstanceTopic, instance).json(&body))
            .await?;
        let outcome: Outcome = answer.json_if_any()?.unwrap_or_default();
        let failed: Vec<ItemFailure> = outcome.failures().collect();
        if answer.status == 206 && failed.is_empty() {
            return Err(answer.malformed("some topics were not changed, and it does not say which"));
        }
        Ok(failed)
    }

    /// Deletes topics and gives the service's verdict on each (5.5.5). One that is not there counts as deleted; one
    /// that is not in the result is undecided.
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn delete_topics(&self, instance: &str, names: &[&str]) -> Result<Vec<ItemResult>, Error> {
        let path = ["v2", self.project_id(), "instances", instance, "topics", "delete"];
        let body = DeleteTopics { topics: names };
        let answer = self
            .send(Call::dms(Operation::BatchDeleteInstanceTopic, &path).json(&body))
            .await?;
        let outcome: Outcome = answer.json()?;
        let items = outcome.topics.ok_or_else(|| answer.malformed("it has no list"))?;
        Ok(items
            .into_iter()
            .map(|item| ItemResult {
                success: item.success == Some(true),
                name: item.id,
            })
            .collect())
    }

    fn topics(&self, operation: Operation, instance: &str) -> Call {
        Call::dms(operation, &["v2", self.project_id(), "instances", instance, "topics"])
    }
}

/// What a topic is created from; what is `None` is left to the service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CreateTopic {
    /// 3 to 200 letters, digits, `.`, `_`, `-`, a letter first.
    #[serde(rename = "id")]
    pub name: String,
    /// 1 to 200.
    #[serde(rename = "partition", skip_serializing_if = "Option::is_none")]
    pub partitions: Option<u32>,
    /// 1 to 3, at most one a broker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replication: Option<u32>,
    /// Hours, 1 to 720.
    #[serde(rename = "retention_time", skip_serializing_if = "Option::is_none")]
    pub retention_hours: Option<u32>,
    /// Whether a write waits for the replicas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_replication: Option<bool>,
    /// Whether a write waits for the disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_message_flush: Option<bool>,
    /// Such as `max.message.bytes`.
    #[serde(rename = "topic_other_configs", skip_serializing_if = "Vec::is_empty")]
    pub configs: Vec<TopicConfig>,
    /// Free text.
    #[serde(rename = "topic_desc", skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// What to change of one topic; `None` stays. The service refuses what it already has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UpdateTopic {
    /// Which one.
    #[serde(rename = "id")]
    pub name: String,
    /// The new total; more than now.
    #[serde(rename = "new_partition_numbers", skip_serializing_if = "Option::is_none")]
    pub partitions: Option<u32>,
    /// The brokers that the new partitions go to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub new_partition_brokers: Vec<u32>,
    /// Hours, 1 to 720.
    #[serde(rename = "retention_time", skip_serializing_if = "Option::is_none")]
    pub retention_hours: Option<u32>,
    /// Whether a write waits for the replicas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_replication: Option<bool>,
    /// Whether a write waits for the disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_message_flush: Option<bool>,
    /// Only those that change.
    #[serde(rename = "topic_other_configs", skip_serializing_if = "Vec::is_empty")]
    pub configs: Vec<TopicConfig>,
    /// Free text; empty clears it.
    #[serde(rename = "topic_desc", skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A setting to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TopicConfig {
    /// Such as `max.message.bytes`.
    pub name: String,
    /// Always a string, numbers too.
    pub value: String,
}

/// A topic as the service tells it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Topic {
    /// Its identity in the instance.
    #[serde(deserialize_with = "decode::required")]
    pub name: String,
    /// How many partitions.
    #[serde(rename = "partition", default, deserialize_with = "decode::number")]
    pub partitions: Option<u32>,
    /// Copies of each.
    #[serde(default, deserialize_with = "decode::number")]
    pub replication: Option<u32>,
    /// Hours.
    #[serde(rename = "retention_time", default, deserialize_with = "decode::number")]
    pub retention_hours: Option<u32>,
    /// Whether a write waits for the replicas.
    #[serde(default, deserialize_with = "decode::flag")]
    pub sync_replication: Option<bool>,
    /// Whether a write waits for the disk.
    #[serde(default, deserialize_with = "decode::flag")]
    pub sync_message_flush: Option<bool>,
    /// All settings, also those at their default.
    #[serde(rename = "topic_other_configs", default, deserialize_with = "decode::embedded")]
    pub configs: Option<Vec<TopicConfigValue>>,
    /// Free text.
    #[serde(rename = "topic_desc", default, deserialize_with = "decode::text")]
    pub description: Option<String>,
    /// 0 a user's, 1 the system's own.
    #[serde(default, deserialize_with = "decode::number")]
    pub topic_type: Option<u8>,
    /// When it was made.
    #[serde(default, deserialize_with = "decode::time")]
    pub created_at: Option<Timestamp>,
}

/// A setting as it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
pub struct TopicConfigValue {
    /// Such as `max.message.bytes`.
    #[serde(deserialize_with = "decode::required")]
    pub name: String,
    /// What it is.
    #[serde(default, deserialize_with = "decode::text")]
    pub value: Option<String>,
    /// What it would be if nobody had set it.
    #[serde(default, deserialize_with = "decode::text")]
    pub default_value: Option<String>,
}

/// What became of an item of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemResult {
    /// Which one.
    pub name: String,
    /// Whether it was done.
    pub success: bool,
}

#[derive(Serialize)]
struct UpdateTopics<'a> {
    topics: &'a [UpdateTopic],
}

#[derive(Serialize)]
struct DeleteTopics<'a> {
    topics: &'a [&'a str],
}

#[derive(Deserialize)]
struct List {
    topics: Option<Vec<Topic>>,
    #[serde(default, deserialize_with = "decode::number")]
    total: Option<u64>,
    #[serde(default, deserialize_with = "decode::number")]
    remain_partitions: Option<u64>,
    #[serde(default, deserialize_with = "decode::number")]
    max_partitions: Option<u64>,
    #[serde(default, deserialize_with = "decode::number")]
    topic_max_partitions: Option<u64>,
}

/// The verdicts of a batch: a 206 lists failures, a 200 everything.
#[derive(Default, Deserialize)]
struct Outcome {
    failed_topics: Option<Vec<Verdict>>,
    topics: Option<Vec<Verdict>>,
}

#[derive(Deserialize)]
struct Verdict {
    #[serde(alias = "name", deserialize_with = "decode::required")]
    id: String,
    #[serde(default, deserialize_with = "decode::flag")]
    success: Option<bool>,
    #[serde(default, deserialize_with = "decode::text")]
    error_code: Option<String>,
    #[serde(default, deserialize_with = "decode::text")]
    error_msg: Option<String>,
}

impl Outcome {
    /// What `failed_topics` lists has failed unless it says otherwise, what `topics` lists only if it says so.
    fn failures(self) -> impl Iterator<Item = ItemFailure> {
        let listed = self
            .failed_topics
            .unwrap_or_default()
            .into_iter()
            .filter(|item| item.success != Some(true));
        let marked = self
            .topics
            .unwrap_or_default()
            .into_iter()
            .filter(|item| item.success == Some(false));
        listed
            .chain(marked)
            .map(|item| ItemFailure::new(item.id, item.error_code, item.error_msg))
    }
}

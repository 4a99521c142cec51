//! Topics: API reference 5.3.1, 5.3.2 and 5.3.5.

use serde::{Deserialize, Serialize};

use crate::cloud::client::Call;
use crate::cloud::{Client, Error, Limits, Operation, Page, decode};

impl Client {
    /// Creates a topic (5.3.1). What 4.8.0 must be told, 5.x refuses, and the other way.
    ///
    /// # Errors
    /// [`crate::cloud::Class::AlreadyExists`] for a name that is taken, and any of the sender's.
    pub async fn create_rocketmq_topic(&self, instance: &str, topic: &CreateTopic) -> Result<(), Error> {
        let call = self.rocketmq_topics(Operation::CreateTopicOrBatchDeleteTopic, instance);
        self.send(call.json(topic)).await?;
        Ok(())
    }

    /// One page of topics (5.3.2), `limit` 1 to 50, and how many the instance has room for.
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn list_rocketmq_topics(&self, instance: &str, offset: u32, limit: u32) -> Result<Page<Topic>, Error> {
        let call = self
            .rocketmq_topics(Operation::ListRocketInstanceTopics, instance)
            .filter("offset", Some(offset))
            .filter("limit", Some(limit));
        let answer = self.send(call).await?;
        let body: List = answer.json()?;
        let limits = Limits {
            most: body.max,
            left: body.remaining,
            of_one: None,
        };
        let page = answer.page(body.topics, body.total)?;
        Ok(Page { limits, ..page })
    }

    /// Asks for a change of a topic, which is then carried out in the background (5.3.5). Gives the job's id only if
    /// the service tells it, for which its 204 has no room.
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn update_rocketmq_topic(
        &self,
        instance: &str,
        name: &str,
        change: &UpdateTopic,
    ) -> Result<Option<String>, Error> {
        let path = ["v2", self.project_id(), "instances", instance, "topics", name];
        self.send(Call::dms(Operation::UpdateTopic, &path).json(change))
            .await?
            .job_id()
    }

    /// Asks for the deletion of topics and gives the id of the job that carries it out (5.3.1 with `action=delete`).
    /// What the job says of a topic that is not there is not documented.
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn delete_rocketmq_topics(&self, instance: &str, names: &[&str]) -> Result<Option<String>, Error> {
        let call = self
            .rocketmq_topics(Operation::BatchDeleteTopic, instance)
            .filter("action", Some("delete"));
        self.send(call.json(&DeleteTopics { topics: names })).await?.job_id()
    }

    fn rocketmq_topics(&self, operation: Operation, instance: &str) -> Call {
        Call::dms(operation, &["v2", self.project_id(), "instances", instance, "topics"])
    }
}

/// What a topic is created from; what is `None` or empty is not sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CreateTopic {
    /// 3 to 64 letters, digits, `%`, `|`, `_`, `-`.
    pub name: String,
    /// The brokers that it lives on; of 4.8.0.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub brokers: Vec<String>,
    /// Queues over all brokers, 1 to 50.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_num: Option<u32>,
    /// Queues by broker; of 4.8.0.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub queues: Vec<CreateQueues>,
    /// `all`, `pub` or `sub`; 4.8.0 must be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permission: Option<String>,
    /// `NORMAL`, `FIFO`, `DELAY` or `TRANSACTION`; 5.x must be told. It cannot be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_type: Option<String>,
}

/// How many queues a new topic has on one broker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CreateQueues {
    /// Such as `broker-0`.
    pub broker: String,
    /// 1 to 50, both for reading and for writing.
    pub queue_num: u32,
}

/// What to change of a topic; `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UpdateTopic {
    /// Queues to read from, over all brokers; no range is documented.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_queue_num: Option<u32>,
    /// Queues to write to, over all brokers; no range is documented.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write_queue_num: Option<u32>,
    /// `all`, `pub` or `sub`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permission: Option<String>,
    /// Queues by broker.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub queues: Vec<BrokerQueues>,
    /// Free text, which no call tells.
    #[serde(rename = "topic_desc", skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A topic as the service tells it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Topic {
    /// Its identity in the instance.
    #[serde(deserialize_with = "decode::required")]
    pub name: String,
    /// Queues to read from, over all brokers.
    #[serde(default, deserialize_with = "decode::number")]
    pub total_read_queue_num: Option<u32>,
    /// Queues to write to, over all brokers.
    #[serde(default, deserialize_with = "decode::number")]
    pub total_write_queue_num: Option<u32>,
    /// `all`, `pub` or `sub`.
    #[serde(default, deserialize_with = "decode::text")]
    pub permission: Option<String>,
    /// Queues by broker.
    #[serde(default, deserialize_with = "decode::embedded")]
    pub brokers: Option<Vec<BrokerQueues>>,
    /// `NORMAL`, `FIFO`, `DELAY` or `TRANSACTION`; told of 5.x only.
    #[serde(default, deserialize_with = "decode::text")]
    pub message_type: Option<String>,
}

/// A topic's queues on one broker; `None` is not told, and stays when changing. The service reads `broker` and writes
/// `broker_name`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokerQueues {
    /// Such as `broker-0`.
    #[serde(rename(deserialize = "broker_name"), deserialize_with = "decode::required")]
    pub broker: String,
    /// Queues to read from.
    #[serde(
        default,
        deserialize_with = "decode::number",
        skip_serializing_if = "Option::is_none"
    )]
    pub read_queue_num: Option<u32>,
    /// Queues to write to.
    #[serde(
        default,
        deserialize_with = "decode::number",
        skip_serializing_if = "Option::is_none"
    )]
    pub write_queue_num: Option<u32>,
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
    max: Option<u64>,
    #[serde(default, deserialize_with = "decode::number")]
    remaining: Option<u64>,
}

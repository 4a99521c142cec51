//! Who uses a topic or a consumer group: API reference 5.2.7, 5.2.9, 5.3.6 and 5.3.7. None of it is in a list.

use serde::Deserialize;

use crate::cloud::client::Call;
use crate::cloud::{Client, Error, Operation, Page, decode};

impl Client {
    /// How many clients of a consumer group are connected (5.2.9).
    ///
    /// # Errors
    /// Any of the sender's. What the service says of a group without clients is not documented.
    pub async fn show_rocketmq_consumers(&self, instance: &str, group: &str) -> Result<Consumers, Error> {
        let path = [
            "v2",
            "rocketmq",
            self.project_id(),
            "instances",
            instance,
            "groups",
            group,
            "clients",
        ];
        let call = Call::dms(Operation::ShowConsumerConnections, &path)
            .filter("offset", Some(0))
            .filter("limit", Some(1));
        self.send(call).await?.json()
    }

    /// One page of the topics that a consumer group consumes (5.2.7), `limit` 1 to 50.
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn list_rocketmq_topics_of_group(
        &self,
        instance: &str,
        group: &str,
        offset: u32,
        limit: u32,
    ) -> Result<Page<String>, Error> {
        let call = self
            .consumption(instance, group)
            .filter("offset", Some(offset))
            .filter("limit", Some(limit));
        let answer = self.send(call).await?;
        let body: Consumption = answer.json()?;
        answer.page(body.topics, body.total)
    }

    /// How many messages of a topic wait to be consumed by a consumer group (5.2.7 with `topic`).
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn show_rocketmq_lag(&self, instance: &str, group: &str, topic: &str) -> Result<u64, Error> {
        let call = self.consumption(instance, group).filter("topic", Some(topic));
        let answer = self.send(call).await?;
        let body: Consumption = answer.json()?;
        body.lag.ok_or_else(|| answer.malformed("it does not tell the lag"))
    }

    /// One page of the consumer groups that consume a topic (5.3.6), `limit` 1 to 50. The service does not tell how many
    /// there are over all pages.
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn list_rocketmq_groups_of_topic(
        &self,
        instance: &str,
        topic: &str,
        offset: u32,
        limit: u32,
    ) -> Result<Page<String>, Error> {
        let path = [
            "v2",
            self.project_id(),
            "instances",
            instance,
            "topics",
            topic,
            "groups",
        ];
        let call = Call::dms(Operation::ListConsumerGroupOfTopic, &path)
            .filter("offset", Some(offset))
            .filter("limit", Some(limit));
        let answer = self.send(call).await?;
        let body: Groups = answer.json()?;
        answer.page(body.groups, None)
    }

    /// How many messages the queues of a topic hold, if the service tells (5.3.7).
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn count_rocketmq_messages(&self, instance: &str, topic: &str) -> Result<Option<u64>, Error> {
        let path = [
            "v2",
            self.project_id(),
            "instances",
            instance,
            "topics",
            topic,
            "status",
        ];
        let body: Status = self.send(Call::dms(Operation::ShowTopicStatus, &path)).await?.json()?;
        let queues = body.brokers.map(|all| all.into_iter().flat_map(|broker| broker.queues));
        let kept = |queue: Queue| queue.max_offset?.checked_sub(queue.min_offset?);
        Ok(queues.and_then(|all| all.map(kept).sum()))
    }

    fn consumption(&self, instance: &str, group: &str) -> Call {
        let path = [
            "v2",
            self.project_id(),
            "instances",
            instance,
            "groups",
            group,
            "topics",
        ];
        Call::dms(Operation::ShowConsumerListOrDetails, &path)
    }
}

/// The clients of a consumer group.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Consumers {
    /// Whether there are any.
    #[serde(default, deserialize_with = "decode::flag")]
    pub online: Option<bool>,
    /// How many.
    #[serde(default, deserialize_with = "decode::number")]
    pub total: Option<u64>,
}

#[derive(Deserialize)]
struct Consumption {
    topics: Option<Vec<String>>,
    #[serde(default, deserialize_with = "decode::number")]
    total: Option<u64>,
    #[serde(default, deserialize_with = "decode::number")]
    lag: Option<u64>,
}

#[derive(Deserialize)]
struct Groups {
    groups: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Status {
    brokers: Option<Vec<Broker>>,
}

#[derive(Deserialize)]
struct Broker {
    #[serde(default)]
    queues: Vec<Queue>,
}

#[derive(Deserialize)]
struct Queue {
    #[serde(default, deserialize_with = "decode::number")]
    min_offset: Option<u64>,
    #[serde(default, deserialize_with = "decode::number")]
    max_offset: Option<u64>,
}

//! Who uses a topic or a consumer group: API reference 5.5.8 and 5.6.1. Neither is in a list, and each costs the service
//! "up to 1s for each instance call" (5.5.8), so none of this is asked of many at once.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::cloud::client::Call;
use crate::cloud::{Client, Error, Operation, decode};

impl Client {
    /// The consumer groups that subscribe to a topic, and how many messages it holds (5.5.8). Whether a group counts that
    /// has no members now is not documented.
    ///
    /// # Errors
    /// [`crate::cloud::Class::NotFound`] for a topic that is not there, and any of the sender's.
    pub async fn show_topic_usage(&self, instance: &str, name: &str) -> Result<TopicUsage, Error> {
        let call = self.usage(Operation::ShowInstanceTopicDetail, instance, "topics", name);
        let answer = self.send(call).await?;
        let body: TopicDetail = answer.json()?;
        let groups = body
            .group_subscribed
            .ok_or_else(|| answer.malformed("it does not tell who subscribes"))?;
        let kept = |partition: Partition| partition.leo?.checked_sub(partition.lso?);
        Ok(TopicUsage {
            groups,
            messages: body.partitions.and_then(|all| all.into_iter().map(kept).sum()),
        })
    }

    /// The members of a consumer group, and what it has not consumed yet (5.6.1). That of a single group (5.6.8) tells no
    /// more, and its table and its example disagree about where.
    ///
    /// # Errors
    /// [`crate::cloud::Class::NotFound`] for a group that is not there, and any of the sender's.
    pub async fn show_group_usage(&self, instance: &str, name: &str) -> Result<GroupUsage, Error> {
        let call = self.usage(Operation::ShowGroups, instance, "groups", name);
        let answer = self.send(call).await?;
        let body: GroupDetail = answer.json()?;
        let group = body.group.ok_or_else(|| answer.malformed("it has no group"))?;
        Ok(GroupUsage {
            state: group.state,
            members: group.members.map(|members| members.len() as u64),
            lag: group.group_message_offsets.map(by_topic),
        })
    }

    fn usage(&self, operation: Operation, instance: &str, kind: &str, name: &str) -> Call {
        let project = self.project_id();
        Call::dms(
            operation,
            &["v2", project, "instances", instance, "management", kind, name],
        )
    }
}

/// Who uses a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicUsage {
    /// Names of the consumer groups that subscribe to it.
    pub groups: Vec<String>,
    /// How many messages its partitions hold, from the log's start to its end.
    pub messages: Option<u64>,
}

/// Who uses a consumer group, and how far they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupUsage {
    /// `DEAD`, `EMPTY`, `PREPARING_REBALANCE`, `COMPLETING_REBALANCE`, `STABLE`; the table writes them otherwise than
    /// the example.
    pub state: Option<String>,
    /// How many clients are connected.
    pub members: Option<u64>,
    /// Messages that wait to be consumed, by topic; `None` where the service does not tell of all its partitions.
    pub lag: Option<BTreeMap<String, Option<u64>>>,
}

fn by_topic(offsets: Vec<Offset>) -> BTreeMap<String, Option<u64>> {
    let mut lag: BTreeMap<String, Option<u64>> = BTreeMap::new();
    for offset in offsets {
        let sum = lag.entry(offset.topic).or_insert(Some(0));
        *sum = sum.and_then(|sum| sum.checked_add(offset.lag?));
    }
    lag
}

#[derive(Deserialize)]
struct TopicDetail {
    partitions: Option<Vec<Partition>>,
    group_subscribed: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Partition {
    /// End of the log.
    #[serde(default, deserialize_with = "decode::number")]
    leo: Option<u64>,
    /// Start of the log (not the last stable offset, which Kafka calls so).
    #[serde(default, deserialize_with = "decode::number")]
    lso: Option<u64>,
}

#[derive(Deserialize)]
struct GroupDetail {
    group: Option<Usage>,
}

#[derive(Deserialize)]
struct Usage {
    #[serde(default, deserialize_with = "decode::text")]
    state: Option<String>,
    members: Option<Vec<serde::de::IgnoredAny>>,
    group_message_offsets: Option<Vec<Offset>>,
}

#[derive(Deserialize)]
struct Offset {
    #[serde(deserialize_with = "decode::required")]
    topic: String,
    #[serde(default, deserialize_with = "decode::number")]
    lag: Option<u64>,
}

//! What moves by itself in a topic or a consumer group: told only where somebody asks for it.

use std::collections::BTreeSet;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much a status tells.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[schemars(transform = super::common::undescribed)]
pub enum StatusDetail {
    /// Only what rests.
    #[default]
    Basic,
    /// `status.live` too.
    Full,
}

/// What moves by itself in a topic.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct TopicLive {
    /// When anything here last became another (RFC 3339).
    #[schemars(length(max = 64))]
    pub time: String,
    /// Names of the consumer groups that subscribe to the topic (the first 20).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    #[schemars(length(max = 20), inner(length(max = 255)))]
    pub consumer_groups: BTreeSet<String>,
    /// How many consumer groups subscribe; left out where the service does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumer_groups_total: Option<u64>,
    /// How many messages the topic holds. Above 99 it is rounded to two digits, and stays until it is off by more than a
    /// tenth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages: Option<u64>,
}

/// What moves by itself in a consumer group.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ConsumerGroupLive {
    /// When anything here last became another (RFC 3339).
    #[schemars(length(max = 64))]
    pub time: String,
    /// Kafka: the state in the service's word, as in STABLE or EMPTY. RocketMQ: ONLINE or OFFLINE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub state: Option<String>,
    /// How many clients are connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<u64>,
    /// How many messages wait to be consumed; of a RocketMQ group those of `topics`, and left out where these are not all.
    /// Above 99 it is rounded to two digits, and stays until it is off by more than a tenth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag: Option<u64>,
    /// The topics that it consumes: of a Kafka group the 10 with the most messages that wait, of a RocketMQ group 10.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["topic".into()]))]
    #[schemars(length(max = 10))]
    pub topics: Vec<TopicLag>,
    /// How many topics it consumes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topics_total: Option<u64>,
}

/// A topic that a consumer group consumes.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct TopicLag {
    /// Name of the topic.
    #[schemars(length(max = 255))]
    pub topic: String,
    /// How many of its messages wait to be consumed, rounded as the sum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag: Option<u64>,
}

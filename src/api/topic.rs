//! `Topic`: a topic of an instance.

use std::collections::BTreeSet;

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::common::{ChildManagement, CoreStatus, LocalRef, StringMap, managed};
use super::home::{InstanceRef, lives_in_instance};
use super::live::{StatusDetail, TopicLive};
use super::rules::{
    CHILD, block_fits_kind, frozen_in, frozen_set_in, grows, instance_ref_frozen, name_frozen, provider_with_id,
    rocketmq_name, rocketmq_own_name,
};

/// A topic of an instance.
///
/// A field that is left out belongs to the cloud: it is neither sent nor compared. "Cannot change" and "only grows" begin
/// when the create call is sent; before, everything can be corrected.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "dms.huaweicloud.com",
    version = "v1alpha1",
    kind = "Topic",
    namespaced,
    doc = "A topic of a Huawei Cloud DMS instance.",
    status = "TopicStatus",
    derive = "PartialEq",
    shortname = "dmstopic",
    category = "dms",
    selectable = ".spec.instanceRef.kind",
    selectable = ".spec.instanceRef.name",
    selectable = ".status.instanceId",
    selectable = ".status.externalName",
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].reason"#
    ),
    printcolumn(
        name = "Instance",
        type_ = "string",
        json_path = ".spec.instanceRef.name"
    ),
    printcolumn(name = "Topic", type_ = "string", json_path = ".status.externalName"),
    printcolumn(
        name = "Partitions",
        type_ = "integer",
        json_path = ".status.observed.partitions"
    ),
    printcolumn(
        name = "Queues",
        type_ = "integer",
        json_path = ".status.observed.queueNum"
    ),
    printcolumn(
        name = "Synced",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Synced")].status"#,
        priority = "1"
    ),
    printcolumn(
        name = "Kind",
        type_ = "string",
        json_path = ".spec.instanceRef.kind",
        priority = "1"
    ),
    printcolumn(
        name = "Replicas",
        type_ = "integer",
        json_path = ".status.observed.replication",
        priority = "1"
    ),
    printcolumn(
        name = "Retention-H",
        type_ = "integer",
        json_path = ".status.observed.retentionHours",
        priority = "1"
    ),
    printcolumn(
        name = "Type",
        type_ = "string",
        json_path = ".status.observed.messageType",
        priority = "1"
    ),
    printcolumn(
        name = "Instance-Id",
        type_ = "string",
        json_path = ".status.instanceId",
        priority = "1"
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    ),
    validation = Rule::new(
        "has(self.spec.name) || self.spec.instanceRef.kind != 'KafkaInstance' || \
         self.metadata.name.matches('^[A-Za-z][A-Za-z0-9._-]{2,199}$')"
    )
    .message("metadata.name is no topic name (3 to 200 letters, digits, ., _ and -, a letter first): set spec.name")
    .field_path(".spec.name"),
    validation = rocketmq_own_name(),
    validation = instance_ref_frozen(),
    validation = name_frozen(),
    validation = grows(CHILD, "kafka.", "partitions"),
    validation = grows(CHILD, "rocketmq.", "queueNum"),
    validation = frozen_in(CHILD, "rocketmq.", "messageType"),
    validation = frozen_set_in(CHILD, "rocketmq.", "brokers")
)]
#[x_kube(
    validation = Rule::new(
        "self.instanceRef.kind != 'KafkaInstance' || self.management.adoption != 'Never' || \
         self.management.policy == 'Observe' || (has(self.kafka) && has(self.kafka.partitions))"
    )
    .message("kafka.partitions is needed to create a topic (management.adoption is Never)")
    .reason(Reason::FieldValueRequired)
    .field_path(".kafka")
)]
#[x_kube(
    validation = Rule::new(
        "!has(self.name) || self.instanceRef.kind != 'KafkaInstance' || \
         self.name.matches('^[A-Za-z][A-Za-z0-9._-]{2,199}$')"
    )
    .message("a topic's name in a KafkaInstance has 3 to 200 letters, digits, ., _ and -, a letter first")
    .field_path(".name")
)]
#[x_kube(validation = rocketmq_name())]
#[x_kube(validation = block_fits_kind("kafka", "KafkaInstance"))]
#[x_kube(validation = block_fits_kind("rocketmq", "RocketMQInstance"))]
#[x_kube(validation = provider_with_id())]
#[serde(rename_all = "camelCase")]
pub struct TopicSpec {
    /// The instance that the topic lives in. Cannot become another.
    pub instance_ref: InstanceRef,
    /// Name in the cloud. In a KafkaInstance 3 to 200 letters, digits, `.`, `_` and `-`, a letter first; in a
    /// RocketMQInstance 3 to 64 letters, digits, `%`, `|`, `_` and `-`. Default: the object's name. Cannot change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 3, max = 200), regex(pattern = r"^[A-Za-z0-9._%|-]*$"))]
    pub name: Option<String>,
    /// Up to 1024 characters. Can change in place; `""` clears it. RocketMQ takes it, but never shows it: what others
    /// change there is not seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub description: Option<String>,
    /// Settings of a topic of a KafkaInstance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kafka: Option<KafkaTopic>,
    /// Settings of a topic of a RocketMQInstance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rocketmq: Option<RocketMqTopic>,
    /// The ProviderConfig that reaches an instance named by instanceRef.instanceId, in this object's own namespace; only with
    /// that. Default: the one named `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_config_ref: Option<LocalRef>,
    /// Basic: the status tells only what rests. Full: status.live also tells which consumer groups subscribe and how many
    /// messages there are. These are looked at once a minute, which costs a call a topic (in a RocketMQInstance two), for all
    /// objects of the instance together no more than one a second; with more than 60 they take turns. Default: Basic; may
    /// change at any time.
    #[serde(default)]
    pub status_detail: StatusDetail,
    /// How the operator treats the topic.
    #[serde(default)]
    pub management: ChildManagement,
}

/// Settings of a Kafka topic.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct KafkaTopic {
    /// Number of partitions, 1 to 200. Needed unless an existing topic may be adopted, or is observed. Only grows, in
    /// place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 200))]
    pub partitions: Option<u32>,
    /// Number of replicas of each partition, 1 to 3 and no more than brokers. Default: the cloud's (3). Once the topic
    /// exists, a difference is shown as drift: only a reassignment mends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 3))]
    pub replication: Option<u32>,
    /// How long messages are kept, in hours, 1 to 720. Default: the cloud's (72). Can change in place; lowering it deletes
    /// older messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 720))]
    pub retention_hours: Option<u32>,
    /// Whether a message counts as written only when all replicas have it (with the producer's `acks=all`). Default: the
    /// cloud's (false). Can change in place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync_replication: Option<bool>,
    /// Whether each message is flushed to disk at once. Default: the cloud's (false). Can change in place; true costs
    /// throughput.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync_message_flush: Option<bool>,
    /// Further settings by Kafka's names, up to 32, values as strings in quotes. Can change in place; an entry that is
    /// removed goes back to its default.
    #[serde(default, skip_serializing_if = "StringMap::is_empty")]
    #[x_kube(
        merge_strategy = MapMerge::Granular,
        validation = Rule::new("self.all(key, key.size() >= 1 && key.size() <= 255)")
            .message("names of configs have 1 to 255 characters")
    )]
    #[schemars(extend("maxProperties" = 32, "additionalProperties" = {"type": "string", "maxLength": 255}))]
    pub configs: StringMap,
    /// Brokers for the partitions that growth adds, by number. A hint for that moment, never compared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    #[schemars(length(max = 30), inner(range(min = 0, max = 100)))]
    pub new_partition_brokers: Vec<u32>,
}

/// Settings of a RocketMQ topic. Instances of version 4.8.0 and 5.x take different ones.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, Default, PartialEq, Eq)]
#[x_kube(
    validation = Rule::new(
        "!has(self.queues) || self.queues.size() == 0 || \
         !(has(self.queueNum) || has(self.readQueueNum) || has(self.writeQueueNum))"
    )
    .message("queues says it broker by broker: leave out queueNum, readQueueNum and writeQueueNum")
    .field_path(".queues"),
    validation = Rule::new(
        "!has(self.queues) || self.queues.size() == 0 || !has(self.brokers) || self.brokers.size() == 0 || \
         (self.brokers.size() == self.queues.size() && self.queues.all(of, of.broker in self.brokers))"
    )
    .message("queues and brokers name different brokers: leave out brokers")
    .field_path(".brokers")
)]
#[serde(rename_all = "camelCase")]
pub struct RocketMqTopic {
    /// Kind of messages. NORMAL: as they come. FIFO: in order. DELAY: delivered at a set time. TRANSACTION: in transactions.
    /// Needed to create a topic on 5.x; 4.8.0 has none. Cannot change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_type: Option<MessageType>,
    /// Number of queues over all brokers, 1 to 50, for reading and for writing alike. Needed to create a topic on 4.8.0, or
    /// queues. Default on 5.x: the cloud's (8 in its console). Only grows, in place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 50))]
    pub queue_num: Option<u32>,
    /// Number of queues that can be read, 1 to 50, where it is not queueNum. Can change in place, and be lowered by an edit:
    /// lower writeQueueNum first and this one when the queues are empty, for what is in a queue that cannot be read is lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 50))]
    pub read_queue_num: Option<u32>,
    /// Number of queues that can be written, 1 to 50, where it is not queueNum. Can change in place, and be lowered by an edit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 50))]
    pub write_queue_num: Option<u32>,
    /// What clients may do. pub: publish. sub: subscribe. all: both. Needed to create a topic on 4.8.0. Can change in place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permission: Option<TopicPermission>,
    /// Names of the brokers that have the topic, as in status.observed.brokers of the instance. 4.8.0 only, where these or
    /// queues are needed to create a topic. Cannot change.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    #[schemars(length(max = 10), inner(length(min = 1, max = 64)))]
    pub brokers: BTreeSet<String>,
    /// Number of queues broker by broker, instead of queueNum, readQueueNum and writeQueueNum. 4.8.0 only. Can change in
    /// place, and be lowered by an edit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["broker".into()]))]
    #[schemars(length(max = 10))]
    pub queues: Vec<BrokerQueues>,
}

/// Kinds of messages.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
#[schemars(transform = super::common::undescribed)]
pub enum MessageType {
    /// As they come.
    Normal,
    /// In order.
    Fifo,
    /// Delivered at a set time.
    Delay,
    /// In transactions.
    Transaction,
}

impl MessageType {
    /// In the service's own word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "NORMAL",
            Self::Fifo => "FIFO",
            Self::Delay => "DELAY",
            Self::Transaction => "TRANSACTION",
        }
    }
}

/// What clients may do with a topic.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
#[schemars(transform = super::common::undescribed)]
pub enum TopicPermission {
    /// Publish.
    Pub,
    /// Subscribe.
    Sub,
    /// Both.
    All,
}

impl TopicPermission {
    /// In the service's own word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pub => "pub",
            Self::Sub => "sub",
            Self::All => "all",
        }
    }
}

/// The queues of one broker.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct BrokerQueues {
    /// Name of the broker.
    #[schemars(length(min = 1, max = 64))]
    pub broker: String,
    /// Number of queues that can be read, 1 to 50.
    #[schemars(range(min = 1, max = 50))]
    pub read_queue_num: u32,
    /// Number of queues that can be written, 1 to 50.
    #[schemars(range(min = 1, max = 50))]
    pub write_queue_num: u32,
}

/// What the operator last saw.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct TopicStatus {
    /// The part that all kinds share.
    #[serde(flatten)]
    pub core: CoreStatus,
    /// The readable settings, by their spec names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<ObservedTopic>,
    /// Names of the configs that are ours: they go back to their defaults when the spec no longer names them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    #[schemars(length(max = 64), inner(length(max = 255)))]
    pub managed_configs: BTreeSet<String>,
    /// The description that the operator sent to a RocketMQ topic, which shows it to nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub sent_description: Option<String>,
    /// Fields that the spec names and no call shows: what others change there is not seen.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    #[schemars(length(max = 8), inner(length(max = 64)))]
    pub unverifiable: BTreeSet<String>,
    /// What moves by itself; only with statusDetail Full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<TopicLive>,
}

/// The topic as it is in the cloud; what a read leaves out is left out here.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ObservedTopic {
    /// Number of partitions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<u32>,
    /// Number of replicas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replication: Option<u32>,
    /// How long messages are kept, in hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_hours: Option<u32>,
    /// Whether writes wait for all replicas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync_replication: Option<bool>,
    /// Whether each message is flushed to disk at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync_message_flush: Option<bool>,
    /// Description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub description: Option<String>,
    /// Values of the configs that the spec names.
    #[serde(default, skip_serializing_if = "StringMap::is_empty")]
    #[schemars(extend("maxProperties" = 64, "additionalProperties" = {"type": "string", "maxLength": 4096}))]
    pub configs: StringMap,
    /// RocketMQ 5.x: kind of messages, in the service's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub message_type: Option<String>,
    /// RocketMQ: number of queues that can be both read and written, over all brokers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_num: Option<u32>,
    /// RocketMQ: number of queues that can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_queue_num: Option<u32>,
    /// RocketMQ: number of queues that can be written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_queue_num: Option<u32>,
    /// RocketMQ: what clients may do, in the service's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub permission: Option<String>,
    /// RocketMQ: names of the brokers that have it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    #[schemars(length(max = 32), inner(length(max = 64)))]
    pub brokers: BTreeSet<String>,
    /// RocketMQ 4.8.0: number of queues broker by broker.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["broker".into()]))]
    #[schemars(length(max = 32))]
    pub queues: Vec<BrokerQueues>,
    /// When it was created (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub create_time: Option<String>,
}

managed!(Topic, TopicStatus);
lives_in_instance!(Topic);

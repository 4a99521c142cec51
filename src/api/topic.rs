//! `Topic`: a topic of an instance.

use std::collections::BTreeSet;

use kube::core::{Message, Reason, Rule};
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use super::common::{ChildManagement, CoreStatus, InstanceRef, StringMap, managed};
use super::rules::{CHILD, grows, immutable, instance_ref_frozen};

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
        "has(self.spec.name) || self.metadata.name.matches('^[A-Za-z][A-Za-z0-9._-]{2,199}$')"
    )
    .message("metadata.name is no topic name (3 to 200 letters, digits, ., _ and -, a letter first): set spec.name")
    .field_path(".spec.name"),
    validation = instance_ref_frozen(),
    validation = name_frozen(),
    validation = grows(CHILD, "kafka.", "partitions")
)]
#[x_kube(
    validation = Rule::new(
        "self.management.adoption != 'Never' || (has(self.kafka) && has(self.kafka.partitions))"
    )
    .message("kafka.partitions is needed to create a topic (management.adoption is Never)")
    .reason(Reason::FieldValueRequired)
    .field_path(".kafka")
)]
#[serde(rename_all = "camelCase")]
pub struct TopicSpec {
    /// The instance that the topic lives in. Cannot change.
    pub instance_ref: InstanceRef,
    /// Name in the cloud: 3 to 200 letters, digits, `.`, `_` and `-`, a letter first. Default: the object's name. Cannot
    /// change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 3, max = 200), regex(pattern = r"^[A-Za-z][A-Za-z0-9._-]*$"))]
    pub name: Option<String>,
    /// Up to 1024 characters. Can change in place; `""` clears it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub description: Option<String>,
    /// Settings of a topic of a KafkaInstance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kafka: Option<KafkaTopic>,
    /// How the operator treats the topic.
    #[serde(default)]
    pub management: ChildManagement,
}

/// The name is the identity, wherever it is written.
fn name_frozen() -> Rule {
    Rule::new(format!(
        "!({CHILD}) || (has(self.spec.name) ? self.spec.name : self.metadata.name) == \
         (has(oldSelf.spec.name) ? oldSelf.spec.name : oldSelf.metadata.name)"
    ))
    .message(Message::Message(immutable("name")))
    .reason(Reason::FieldValueForbidden)
    .field_path(".spec.name")
}

/// Settings of a Kafka topic.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct KafkaTopic {
    /// Number of partitions, 1 to 200. Needed unless an existing topic may be adopted. Only grows, in place.
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
    /// When it was created (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub create_time: Option<String>,
}

managed!(Topic, TopicStatus);

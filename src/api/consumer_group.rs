//! `ConsumerGroup`: a consumer group of an instance.

use std::collections::BTreeSet;

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use super::common::{ChildManagement, CoreStatus, LocalRef, managed};
use super::home::{InstanceRef, lives_in_instance};
use super::live::{ConsumerGroupLive, StatusDetail};
use super::rules::{
    block_fits_kind, instance_ref_frozen, name_frozen, provider_with_id, rocketmq_name, rocketmq_own_name,
};

/// A consumer group of an instance.
///
/// A field that is left out belongs to the cloud: it is not compared. "Cannot change" begins when the create call is sent;
/// before, everything can be corrected. Kafka makes a group by itself when a client of that name connects: such a group is
/// taken over.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "dms.huaweicloud.com",
    version = "v1alpha1",
    kind = "ConsumerGroup",
    namespaced,
    doc = "A consumer group of a Huawei Cloud DMS instance.",
    status = "ConsumerGroupStatus",
    derive = "PartialEq",
    shortname = "dmsgroup",
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
    printcolumn(name = "Group", type_ = "string", json_path = ".status.externalName"),
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
        name = "State",
        type_ = "string",
        json_path = ".status.live.state",
        priority = "1"
    ),
    printcolumn(
        name = "Members",
        type_ = "integer",
        json_path = ".status.live.members",
        priority = "1"
    ),
    printcolumn(
        name = "Lag",
        type_ = "integer",
        json_path = ".status.live.lag",
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
    validation = rocketmq_own_name(),
    validation = instance_ref_frozen(),
    validation = name_frozen()
)]
#[x_kube(validation = rocketmq_name())]
#[x_kube(validation = block_fits_kind("rocketmq", "RocketMQInstance"))]
#[x_kube(validation = provider_with_id())]
#[serde(rename_all = "camelCase")]
pub struct ConsumerGroupSpec {
    /// The instance that the group lives in. Cannot become another.
    pub instance_ref: InstanceRef,
    /// Name in the cloud, as clients give it. In a KafkaInstance 1 to 255 characters without blanks and slashes; in a
    /// RocketMQInstance 3 to 64 letters, digits, `%`, `|`, `_` and `-`. Default: the object's name. Cannot change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^\s/]+$"))]
    pub name: Option<String>,
    /// Up to 200 characters. Can change in place; `""` clears it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 200))]
    pub description: Option<String>,
    /// Settings of a group of a RocketMQInstance; a Kafka group has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rocketmq: Option<RocketMqGroup>,
    /// The ProviderConfig that reaches an instance named by instanceRef.instanceId, in this object's own namespace; only with
    /// that. Default: the one named `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_config_ref: Option<LocalRef>,
    /// Basic: the status tells only what rests. Full: status.live also tells state, members and messages that wait to be
    /// consumed. These are looked at once a minute, which costs a call a group (in a RocketMQInstance one for each of up to
    /// 10 topics, and two), for all objects of the instance together no more than one a second; with more than 60 they take
    /// turns. Of a KafkaInstance the list of all groups is then read once a minute too, a call for 50. Default: Basic; may
    /// change at any time.
    #[serde(default)]
    pub status_detail: StatusDetail,
    /// How the operator treats the group.
    #[serde(default)]
    pub management: ChildManagement,
}

/// Settings of a RocketMQ consumer group.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct RocketMqGroup {
    /// Whether the group may consume. A group that is made without it gets true. Can change in place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Whether each consumer gets every message. A group that is made without it gets false. Can change in place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broadcast: Option<bool>,
    /// How often a message that was not consumed is delivered again, 1 to 16. A group that is made without it gets 16. Can
    /// change in place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 16))]
    pub max_retries: Option<u32>,
    /// Whether messages are delivered in order. A group that is made without it gets false. 5.x only. Can change in place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consume_orderly: Option<bool>,
    /// Names of the brokers that have the group, as in status.observed.brokers of the instance. 4.8.0 only, and needed there
    /// to create one. Can change in place.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    #[schemars(length(max = 10), inner(length(min = 1, max = 64)))]
    pub brokers: BTreeSet<String>,
}

/// What the operator last saw.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ConsumerGroupStatus {
    /// The part that all kinds share.
    #[serde(flatten)]
    pub core: CoreStatus,
    /// The readable settings, by their spec names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<ObservedConsumerGroup>,
    /// What moves by itself; only with statusDetail Full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<ConsumerGroupLive>,
}

/// The group as it is in the cloud; what a read leaves out is left out here.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ObservedConsumerGroup {
    /// Description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub description: Option<String>,
    /// RocketMQ: whether the group may consume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// RocketMQ: whether each consumer gets every message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broadcast: Option<bool>,
    /// RocketMQ: how often a message is delivered again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_retries: Option<u32>,
    /// RocketMQ 5.x: whether messages are delivered in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consume_orderly: Option<bool>,
    /// RocketMQ: names of the brokers that have it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    #[schemars(length(max = 32), inner(length(max = 64)))]
    pub brokers: BTreeSet<String>,
    /// When it was created (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub create_time: Option<String>,
}

managed!(ConsumerGroup, ConsumerGroupStatus);
lives_in_instance!(ConsumerGroup);

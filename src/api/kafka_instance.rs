//! `KafkaInstance`: a Kafka instance of DMS.

use std::collections::BTreeSet;

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::common::{CoreStatus, managed};
use super::instance::{InstanceSpec, ObservedInstance};
use super::rules::{
    INSTANCE, frozen, frozen_set, grows, instance_id_frozen, storage_edit, storage_step, storage_total,
};

/// What each broker has at least, in GB.
const LEAST: &str = "100";

/// A Kafka instance of DMS.
///
/// A field that is left out belongs to the cloud: it is neither sent nor compared. To create an instance, all of
/// engineVersion, productId, brokerNum, storageSpace, storageSpecCode, availableZones, vpcId, subnetId and
/// securityGroupId are needed. "Cannot change" and "only grows" begin when the create call is sent; before, everything can
/// be corrected.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[kube(
    group = "dms.huaweicloud.com",
    version = "v1alpha1",
    kind = "KafkaInstance",
    namespaced,
    doc = "A Kafka instance of Huawei Cloud DMS.",
    status = "KafkaInstanceStatus",
    derive = "PartialEq",
    shortname = "dmskafka",
    category = "dms",
    selectable = ".status.instanceId",
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
    printcolumn(name = "State", type_ = "string", json_path = ".status.state"),
    printcolumn(
        name = "Version",
        type_ = "string",
        json_path = ".status.observed.engineVersion"
    ),
    printcolumn(
        name = "Flavor",
        type_ = "string",
        json_path = ".status.observed.productId"
    ),
    printcolumn(
        name = "Brokers",
        type_ = "integer",
        json_path = ".status.observed.brokerNum"
    ),
    printcolumn(
        name = "Storage",
        type_ = "integer",
        json_path = ".status.observed.storageSpace"
    ),
    printcolumn(
        name = "Synced",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Synced")].status"#,
        priority = "1"
    ),
    printcolumn(
        name = "Operation",
        type_ = "string",
        json_path = ".status.operation.name",
        priority = "1"
    ),
    printcolumn(
        name = "Endpoint",
        type_ = "string",
        json_path = ".status.endpoints[0].name",
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
        "has(self.spec.instanceId) || has(self.spec.name) || \
         self.metadata.name.matches('^[A-Za-z][A-Za-z0-9_-]{3,63}$')"
    )
    .message("metadata.name is no instance name (4 to 64 letters, digits, _ and -, a letter first): set spec.name")
    .field_path(".spec.name"),
    validation = instance_id_frozen(),
    validation = frozen("engineVersion"),
    validation = frozen("productId"),
    validation = frozen("brokerNum"),
    validation = frozen("storageSpecCode"),
    validation = frozen_set("availableZones"),
    validation = frozen("vpcId"),
    validation = frozen("subnetId"),
    validation = frozen("ipv6Enable"),
    validation = grows(INSTANCE, "", "storageSpace"),
    validation = storage_total(LEAST),
    validation = storage_edit(LEAST),
    validation = storage_step()
)]
#[x_kube(
    validation = Rule::new(
        "has(self.instanceId) || (has(self.engineVersion) && has(self.productId) && has(self.brokerNum) && \
         has(self.storageSpace) && has(self.storageSpecCode) && has(self.availableZones) && \
         self.availableZones.size() > 0 && has(self.vpcId) && has(self.subnetId) && has(self.securityGroupId))"
    )
    .message(
        "without instanceId, all of these are needed: engineVersion, productId, brokerNum, storageSpace, \
         storageSpecCode, availableZones, vpcId, subnetId, securityGroupId"
    )
    .reason(Reason::FieldValueRequired)
)]
#[serde(rename_all = "camelCase")]
pub struct KafkaInstanceSpec {
    /// What both engines have.
    #[serde(flatten)]
    pub instance: InstanceSpec,
    /// What happens when the disks are nearly full. produce_reject: new messages are refused. time_base: the oldest are
    /// deleted. Can change in place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_policy: Option<RetentionPolicy>,
    /// Daily window for the service's own maintenance. Default: the cloud's (02:00 to 06:00). Can change in place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintenance_window: Option<MaintenanceWindow>,
}

/// What happens when the disks are nearly full.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
#[schemars(transform = super::common::undescribed)]
pub enum RetentionPolicy {
    /// New messages are refused.
    ProduceReject,
    /// The oldest messages are deleted.
    TimeBase,
}

/// A daily window of four hours.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, Default, PartialEq, Eq)]
#[x_kube(
    validation = Rule::new("self.begin.substring(0, 5) != self.end.substring(0, 5)")
        .message("a maintenance window does not end when it begins")
)]
#[serde(rename_all = "camelCase")]
pub struct MaintenanceWindow {
    /// Begin, in quotes: `"HH:mm"` or `"HH:mm:ss"`.
    #[schemars(length(max = 8), regex(pattern = r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"))]
    pub begin: String,
    /// End, in quotes: `"HH:mm"` or `"HH:mm:ss"`; may lie past midnight.
    #[schemars(length(max = 8), regex(pattern = r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"))]
    pub end: String,
}

/// What the operator last saw.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct KafkaInstanceStatus {
    /// The part that all kinds share.
    #[serde(flatten)]
    pub core: CoreStatus,
    /// State in the service's words: CREATING, RUNNING, EXTENDING, FROZEN, ERROR, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub state: Option<String>,
    /// Where clients connect.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    #[schemars(length(max = 8))]
    pub endpoints: Vec<Endpoint>,
    /// The readable settings, by their spec names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<ObservedKafkaInstance>,
    /// What there is room for, as of the last time that the list of topics was read: while a Topic lives in the instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<KafkaLimits>,
    /// Keys of the tags that are ours: they are deleted when the spec no longer names them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    #[schemars(length(max = 40), inner(length(max = 128)))]
    pub managed_tags: BTreeSet<String>,
}

/// What a Kafka instance has room for.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct KafkaLimits {
    /// How many partitions it can have, over all topics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_partitions: Option<u64>,
    /// How many more partitions it can have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remain_partitions: Option<u64>,
    /// How many partitions one topic can have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic_max_partitions: Option<u64>,
}

/// An address at which clients connect.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// PrivatePlaintext, PrivateSasl, PublicPlaintext, PublicSasl, CrossVpc.
    #[schemars(length(max = 64))]
    pub name: String,
    /// PLAINTEXT, SASL_PLAINTEXT, SASL_SSL.
    #[schemars(length(max = 64))]
    pub protocol: String,
    /// `host:port`, separated by commas.
    #[schemars(length(max = 4096))]
    pub bootstrap_servers: String,
}

/// The instance as it is in the cloud; what a read leaves out is left out here.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ObservedKafkaInstance {
    /// What both engines show.
    #[serde(flatten)]
    pub instance: ObservedInstance,
    /// What happens when the disks are nearly full, in the service's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub retention_policy: Option<String>,
}

impl RetentionPolicy {
    /// In the service's own word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ProduceReject => "produce_reject",
            Self::TimeBase => "time_base",
        }
    }
}

managed!(KafkaInstance, KafkaInstanceStatus);

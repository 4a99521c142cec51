//! `RocketMQInstance`: a RocketMQ instance of DMS.

use std::collections::BTreeSet;

use kube::core::Rule;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::common::{CoreStatus, managed};
use super::instance::{InstanceSpec, ObservedInstance};
use super::rules::{
    INSTANCE, frozen, frozen_set, grows, instance_id_frozen, storage_edit, storage_step, storage_total,
};

/// What each broker has at least, in GB (RocketMQ API reference 5.10.1; that of 5.x is not in the reference).
const LEAST: &str = "(has(self.spec.engineVersion) && self.spec.engineVersion == '4.8.0' ? 300 : 200)";

/// A RocketMQ instance of DMS.
///
/// A field that is left out belongs to the cloud: it is neither sent nor compared. To create an instance, all of
/// engineVersion, productId, storageSpace, storageSpecCode, availableZones, vpcId, subnetId and securityGroupId are needed,
/// and on 4.8.0 brokerNum. "Cannot change" and "only grows" begin when the create call is sent; before, everything can be
/// corrected.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[kube(
    group = "dms.huaweicloud.com",
    version = "v1alpha1",
    kind = "RocketMQInstance",
    namespaced,
    doc = "A RocketMQ instance of Huawei Cloud DMS.",
    status = "RocketMQInstanceStatus",
    derive = "PartialEq",
    shortname = "dmsrocketmq",
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
        name = "Acl",
        type_ = "boolean",
        json_path = ".status.observed.enableAcl",
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
    validation = frozen("enterpriseProjectId"),
    validation = renamed(),
    validation = grows(INSTANCE, "", "storageSpace"),
    validation = storage_total(LEAST),
    validation = storage_edit(LEAST),
    validation = storage_step()
)]
#[x_kube(
    validation = Rule::new(
        "has(self.instanceId) || (has(self.engineVersion) && has(self.productId) && has(self.storageSpace) && \
         has(self.storageSpecCode) && has(self.availableZones) && self.availableZones.size() > 0 && \
         has(self.vpcId) && has(self.subnetId) && has(self.securityGroupId))"
    )
    .message(
        "without instanceId, all of these are needed: engineVersion, productId, storageSpace, storageSpecCode, \
         availableZones, vpcId, subnetId, securityGroupId"
    )
    .reason(Reason::FieldValueRequired)
)]
#[x_kube(
    validation = Rule::new("!has(self.brokerNum) || self.brokerNum <= 10")
        .message("brokerNum of a RocketMQInstance is at most 10")
        .field_path(".brokerNum")
)]
#[x_kube(
    validation = Rule::new("!has(self.description) || !self.description.contains('dms-operator.create:')")
        .message("description must not contain dms-operator.create:, the mark of an instance that is being created")
        .field_path(".description")
)]
#[serde(rename_all = "camelCase")]
pub struct RocketMQInstanceSpec {
    /// What both engines have.
    #[serde(flatten)]
    pub instance: InstanceSpec,
    /// Whether clients must prove who they are, and what each may do is limited. Can change in place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable_acl: Option<bool>,
}

/// The service takes `_` in the name of a new instance, and refuses it in a new name (RocketMQ API reference 5.1.2, 5.1.5).
fn renamed() -> Rule {
    Rule::new(format!(
        "!has(self.spec.name) || !self.spec.name.contains('_') || \
         self.spec.name == (has(oldSelf.spec.name) ? oldSelf.spec.name : oldSelf.metadata.name) || !({INSTANCE}) || \
         (has(oldSelf.status.observed) && has(oldSelf.status.observed.name) && \
         self.spec.name == oldSelf.status.observed.name)"
    ))
    .message("the service takes no _ in the new name of a RocketMQ instance that exists")
    .field_path(".spec.name")
}

/// What the operator last saw.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct RocketMQInstanceStatus {
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
    pub observed: Option<ObservedRocketMqInstance>,
    /// What there is room for, as of the last time that the lists of topics and of consumer groups were read: while a Topic,
    /// or a ConsumerGroup, lives in the instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<RocketMqLimits>,
    /// Keys of the tags that are ours: they are deleted when the spec no longer names them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    #[schemars(length(max = 40), inner(length(max = 128)))]
    pub managed_tags: BTreeSet<String>,
}

/// What a RocketMQ instance has room for.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct RocketMqLimits {
    /// How many topics it can have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_topics: Option<u64>,
    /// How many more topics it can have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remain_topics: Option<u64>,
    /// How many consumer groups it can have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_groups: Option<u64>,
    /// How many more consumer groups it can have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remain_groups: Option<u64>,
}

/// Addresses at which clients connect.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// Private, Public.
    #[schemars(length(max = 64))]
    pub name: String,
    /// Name servers, `host:port`, as clients take them: several have `;` between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub name_servers: Option<String>,
    /// Proxies for gRPC clients, `host:port`, as clients take them: several have `;` between. 5.x only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub grpc: Option<String>,
}

/// The instance as it is in the cloud; what a read leaves out is left out here.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ObservedRocketMqInstance {
    /// What both engines show.
    #[serde(flatten)]
    pub instance: ObservedInstance,
    /// Whether access control is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable_acl: Option<bool>,
    /// Names of the brokers.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    #[schemars(length(max = 64), inner(length(max = 64)))]
    pub brokers: BTreeSet<String>,
}

managed!(RocketMQInstance, RocketMQInstanceStatus);

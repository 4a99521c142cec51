//! What an instance of either engine has.

use std::collections::BTreeSet;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::common::{Adoption, Deletion, LocalRef, StringMap};
use super::tenancy::Grant;

/// The part of an instance's spec that both engines share.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct InstanceSpec {
    /// The ProviderConfig that serves, in this namespace. Default: the one named `default`. Its region and project may not
    /// differ from where the instance is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_config_ref: Option<LocalRef>,
    /// Id of an existing instance: this one and no other is managed, and none is ever created. Default: found by name if
    /// management.adoption allows it, else created. Cannot change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z0-9-]+$"))]
    pub instance_id: Option<String>,
    /// Name in the cloud: 4 to 64 letters, digits, `_` and `-`, a letter first. Default: the object's name. Can change in
    /// place: the id is the identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 4, max = 64), regex(pattern = r"^[A-Za-z][A-Za-z0-9_-]*$"))]
    pub name: Option<String>,
    /// Up to 1024 characters. Can change in place; `""` clears it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub description: Option<String>,
    /// Version of the engine, in quotes: of Kafka as in `"2.7"`, of RocketMQ `"4.8.0"` or `"5.x"`. Cannot change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32))]
    pub engine_version: Option<String>,
    /// Flavour of the brokers, as in `c6.2u4g.cluster` (Kafka), `c6.4u8g.cluster` (RocketMQ 4.8.0) or `rocketmq.b1.large.1`
    /// (RocketMQ 5.x). Cannot change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub product_id: Option<String>,
    /// Number of brokers, by the flavour: of Kafka 1 to 30, mostly at least 3; of RocketMQ 1 to 10. Cannot change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 30))]
    pub broker_num: Option<u32>,
    /// Storage in GB, the total of all brokers, the same for each: at least 100 a broker of Kafka, 300 of RocketMQ 4.8.0, 200
    /// of RocketMQ 5.x. At least this much is there; more is no difference. Only grows, by at least 100 a broker at a time
    /// and at most 20 times; takes minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 100, max = 1500000))]
    pub storage_space: Option<u32>,
    /// Disk type, as in `dms.physical.storage.ultra.v2`. Cannot change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub storage_spec_code: Option<String>,
    /// Availability zones, by code or id: one, or at least three. Cannot change.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[x_kube(
        merge_strategy = ListMerge::Set,
        validation = Rule::new("self.size() != 2").message("one availability zone, or at least three")
    )]
    #[schemars(length(max = 10), inner(length(min = 1, max = 64)))]
    pub available_zones: BTreeSet<String>,
    /// Id of the VPC. Cannot change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub vpc_id: Option<String>,
    /// Id of the subnet (its network id). Cannot change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub subnet_id: Option<String>,
    /// Id of the security group. Can change in place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub security_group_id: Option<String>,
    /// Whether the brokers have IPv6 addresses too. Cannot change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6_enable: Option<bool>,
    /// Enterprise project; `"0"` is the default one. Default: the ProviderConfig's, else the cloud's choice. Can change in
    /// place of a KafkaInstance; of a RocketMQInstance it cannot change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub enterprise_project_id: Option<String>,
    /// Tags, up to 19: keys of 1 to 128 characters that do not begin with `sys`, values of up to 255. Can change in place,
    /// key by key; keys that were never named here are left alone.
    #[serde(default, skip_serializing_if = "StringMap::is_empty")]
    #[x_kube(
        merge_strategy = MapMerge::Granular,
        validation = Rule::new("self.all(key, key.size() >= 1 && key.size() <= 128 && !key.startsWith('sys') && key != 'dms-operator.create')")
            .message("tag keys have 1 to 128 characters, do not begin with sys, and are not dms-operator.create, which is ours")
    )]
    #[schemars(extend("maxProperties" = 19, "additionalProperties" = {"type": "string", "maxLength": 255}))]
    pub tags: StringMap,
    /// What other namespaces may keep in the instance: the first grant that fits decides. Default: nothing. Can change at any
    /// time; what is there already is never deleted for it, but no longer changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    #[schemars(length(max = 32))]
    pub allowed_namespaces: Vec<Grant>,
    /// How the operator treats the instance.
    #[serde(default)]
    pub management: InstanceManagement,
}

/// How the operator treats an instance.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct InstanceManagement {
    /// What to do when an instance of this name is already in the cloud. Never: stop with reason AlreadyExists.
    /// IfExists: take it over, then bring it to what the spec says. Default: Never; may change at any time.
    #[serde(default = "never")]
    pub adoption: Adoption,
    /// What happens in the cloud when this object is deleted. Delete: the instance and all data in it are deleted.
    /// Orphan: it stays, and is billed on. Default: Delete if the operator made it, Orphan if it was adopted; may change
    /// at any time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion: Option<Deletion>,
}

impl Default for InstanceManagement {
    fn default() -> Self {
        Self {
            adoption: never(),
            deletion: None,
        }
    }
}

fn never() -> Adoption {
    Adoption::Never
}

/// The part of what an instance shows that both engines share; what a read leaves out is left out here.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ObservedInstance {
    /// Name in the cloud.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub name: Option<String>,
    /// Description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub description: Option<String>,
    /// Version of the engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub engine_version: Option<String>,
    /// Flavour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub product_id: Option<String>,
    /// Number of brokers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broker_num: Option<u32>,
    /// Total storage in GB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_space: Option<u32>,
    /// Disk type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub storage_spec_code: Option<String>,
    /// Availability zones.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    #[schemars(length(max = 16), inner(length(max = 64)))]
    pub available_zones: BTreeSet<String>,
    /// Id of the VPC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub vpc_id: Option<String>,
    /// Id of the subnet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub subnet_id: Option<String>,
    /// Id of the security group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub security_group_id: Option<String>,
    /// Whether the brokers have IPv6 addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6_enable: Option<bool>,
    /// Maintenance window, as the service prints it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintenance_window: Option<ObservedMaintenanceWindow>,
    /// Enterprise project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub enterprise_project_id: Option<String>,
    /// How often the storage has been grown; the service allows 20.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extend_times: Option<u32>,
    /// When it was created, as the service tells it (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub create_time: Option<String>,
}

/// A daily maintenance window as the service prints it; no patterns, since status says what was seen.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ObservedMaintenanceWindow {
    /// Begin.
    #[schemars(length(max = 32))]
    pub begin: String,
    /// End.
    #[schemars(length(max = 32))]
    pub end: String,
}

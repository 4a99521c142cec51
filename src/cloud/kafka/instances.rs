//! What an instance of Kafka is created from, what can be changed and what is told: API reference 5.1.1 to 5.1.5.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cloud::{Engine, InstanceModel, InstanceStatus, NewInstance, Order, Tag, decode};

/// What an instance is created from; what is `None` is left to the service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CreateInstance {
    /// What both engines have.
    #[serde(flatten)]
    pub order: Order,
    /// `HH:mm`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maintain_begin: Option<String>,
    /// `HH:mm`, four hours later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maintain_end: Option<String>,
    /// `produce_reject` or `time_base`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_policy: Option<String>,
    /// Tags from the first moment on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
}

impl NewInstance for CreateInstance {
    const ENGINE: Engine = Engine::Kafka;
}

/// What to change; `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UpdateInstance {
    /// 4 to 64 letters, digits, `_`, `-`, a letter first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Up to 1024 characters; empty clears it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `HH:mm:ss`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maintain_begin: Option<String>,
    /// `HH:mm:ss`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maintain_end: Option<String>,
    /// A security group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_group_id: Option<String>,
    /// `produce_reject` or `time_base`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_policy: Option<String>,
    /// The enterprise project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enterprise_project_id: Option<String>,
}

/// An instance as the service tells it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Instance {
    /// Its identity.
    #[serde(rename = "instance_id", deserialize_with = "decode::required")]
    pub id: String,
    /// Its name, which can change and need not be unique.
    #[serde(default, deserialize_with = "decode::text")]
    pub name: Option<String>,
    /// What it is doing.
    #[serde(default, deserialize_with = "decode::word")]
    pub status: Option<InstanceStatus>,
    /// Free text; not told by every answer.
    #[serde(default, deserialize_with = "decode::text")]
    pub description: Option<String>,
    /// Such as `2.7`.
    #[serde(default, deserialize_with = "decode::text")]
    pub engine_version: Option<String>,
    /// The flavour.
    #[serde(default, deserialize_with = "decode::text")]
    pub product_id: Option<String>,
    /// How many brokers; not told by every answer.
    #[serde(default, deserialize_with = "decode::number")]
    pub broker_num: Option<u32>,
    /// How many nodes, which are brokers; not told by every answer.
    #[serde(default, deserialize_with = "decode::number")]
    pub node_num: Option<u32>,
    /// What messages can use, in GB; less than what was ordered.
    #[serde(default, deserialize_with = "decode::number")]
    pub storage_space: Option<u64>,
    /// What was ordered, in GB over all brokers: the one to compare with what is wanted.
    #[serde(default, deserialize_with = "decode::number")]
    pub total_storage_space: Option<u64>,
    /// The kind of disk.
    #[serde(default, deserialize_with = "decode::text")]
    pub storage_spec_code: Option<String>,
    /// How often the disks were grown; 20 times is all.
    #[serde(default, deserialize_with = "decode::number")]
    pub extend_times: Option<u32>,
    /// The network.
    #[serde(default, deserialize_with = "decode::text")]
    pub vpc_id: Option<String>,
    /// The subnet.
    #[serde(default, deserialize_with = "decode::text")]
    pub subnet_id: Option<String>,
    /// The security group.
    #[serde(default, deserialize_with = "decode::text")]
    pub security_group_id: Option<String>,
    /// Ids of zones, in any order.
    #[serde(default, deserialize_with = "decode::embedded")]
    pub available_zones: Option<Vec<String>>,
    /// `HH:mm:ss`.
    #[serde(default, deserialize_with = "decode::text")]
    pub maintain_begin: Option<String>,
    /// `HH:mm:ss`.
    #[serde(default, deserialize_with = "decode::text")]
    pub maintain_end: Option<String>,
    /// `produce_reject` or `time_base`.
    #[serde(default, deserialize_with = "decode::text")]
    pub retention_policy: Option<String>,
    /// Whether brokers have IPv6 addresses too.
    #[serde(default, deserialize_with = "decode::flag")]
    pub ipv6_enable: Option<bool>,
    /// The enterprise project.
    #[serde(default, deserialize_with = "decode::text")]
    pub enterprise_project_id: Option<String>,
    /// Tags; not told by every answer, 5.10.2 always does.
    #[serde(default, deserialize_with = "decode::embedded")]
    pub tags: Option<Vec<Tag>>,
    /// When it was ordered.
    #[serde(default, deserialize_with = "decode::time")]
    pub created_at: Option<Timestamp>,
    /// 1 pay-per-use, 0 yearly or monthly.
    #[serde(default, deserialize_with = "decode::number")]
    pub charging_mode: Option<u8>,
    /// Addresses without ports.
    #[serde(default, deserialize_with = "decode::text")]
    pub connect_address: Option<String>,
    /// The port that goes with them.
    #[serde(default, deserialize_with = "decode::number")]
    pub port: Option<u16>,
    /// Which access modes are on, and their addresses.
    #[serde(default, deserialize_with = "decode::embedded")]
    pub port_protocols: Option<PortProtocols>,
    /// By listener address: where clients of other networks find it.
    #[serde(default, deserialize_with = "decode::embedded")]
    pub cross_vpc_info: Option<BTreeMap<String, CrossVpcAddress>>,
}

impl InstanceModel for Instance {
    const ENGINE: Engine = Engine::Kafka;
}

/// Access modes; an address list has `host:port` with commas between.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct PortProtocols {
    /// Port 9092.
    #[serde(default, deserialize_with = "decode::flag")]
    pub private_plain_enable: Option<bool>,
    /// Its brokers.
    #[serde(default, deserialize_with = "decode::text")]
    pub private_plain_address: Option<String>,
    /// Port 9093 with TLS.
    #[serde(default, deserialize_with = "decode::flag")]
    pub private_sasl_ssl_enable: Option<bool>,
    /// Its brokers.
    #[serde(default, deserialize_with = "decode::text")]
    pub private_sasl_ssl_address: Option<String>,
    /// Port 9093 without TLS.
    #[serde(default, deserialize_with = "decode::flag")]
    pub private_sasl_plaintext_enable: Option<bool>,
    /// Its brokers.
    #[serde(default, deserialize_with = "decode::text")]
    pub private_sasl_plaintext_address: Option<String>,
    /// Port 9094.
    #[serde(default, deserialize_with = "decode::flag")]
    pub public_plain_enable: Option<bool>,
    /// Its brokers.
    #[serde(default, deserialize_with = "decode::text")]
    pub public_plain_address: Option<String>,
    /// Port 9095 with TLS.
    #[serde(default, deserialize_with = "decode::flag")]
    pub public_sasl_ssl_enable: Option<bool>,
    /// Its brokers.
    #[serde(default, deserialize_with = "decode::text")]
    pub public_sasl_ssl_address: Option<String>,
    /// Port 9095 without TLS.
    #[serde(default, deserialize_with = "decode::flag")]
    pub public_sasl_plaintext_enable: Option<bool>,
    /// Its brokers.
    #[serde(default, deserialize_with = "decode::text")]
    pub public_sasl_plaintext_address: Option<String>,
}

/// How one broker is found from another network.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CrossVpcAddress {
    /// An address or a domain name.
    #[serde(default, deserialize_with = "decode::text")]
    pub advertised_ip: Option<String>,
    /// The port there.
    #[serde(default, deserialize_with = "decode::number")]
    pub port: Option<u16>,
}

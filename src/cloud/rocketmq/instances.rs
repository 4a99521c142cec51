//! What an instance of RocketMQ is created from, what can be changed and what is told: API reference 5.1.1 to 5.1.5;
//! its brokers, 5.1.7; what it can grow to, 5.10.1.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cloud::client::Call;
use crate::cloud::{Client, Engine, Error, InstanceModel, InstanceStatus, NewInstance, Operation, Order, decode};

impl Client {
    /// The names of an instance's brokers, such as `broker-0` (5.1.7). All of them: the answer tells of pages, but the
    /// call has no parameters to ask for one.
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn list_brokers(&self, instance: &str) -> Result<Vec<String>, Error> {
        let path = ["v2", self.project_id(), "instances", instance, "brokers"];
        let answer = self.send(Call::dms(Operation::ListBrokers, &path)).await?;
        let body: Brokers = answer.json()?;
        let brokers = answer.page(body.brokers, body.total)?.items;
        Ok(brokers.into_iter().map(|broker| broker.broker_name).collect())
    }

    /// What an instance can be changed to, its own flavour included (5.10.1).
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn extend_products(&self, instance: &str) -> Result<Vec<ExtendProduct>, Error> {
        let path = ["v2", "rocketmq", self.project_id(), "instances", instance, "extend"];
        let call = Call::dms(Operation::ShowEngineInstanceExtendProductInfo, &path);
        let answer = self.send(call).await?;
        let body: Products = answer.json()?;
        let products = answer.page(body.products, body.total)?.items;
        Ok(products.into_iter().map(ExtendProduct::from).collect())
    }
}

/// What an instance is created from; what is `None` is left to the service. There are no tags at creation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CreateInstance {
    /// What both engines have.
    #[serde(flatten)]
    pub order: Order,
    /// Whether clients must be users with permissions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_acl: Option<bool>,
}

impl NewInstance for CreateInstance {
    const ENGINE: Engine = Engine::RocketMq;
}

/// What to change; `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UpdateInstance {
    /// 4 to 64 letters, digits, `-`, a letter first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Up to 1024 characters; empty clears it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// A security group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_group_id: Option<String>,
    /// Whether clients must be users with permissions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_acl: Option<bool>,
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
    /// `4.8.0` or `5.x`.
    #[serde(default, deserialize_with = "decode::text")]
    pub engine_version: Option<String>,
    /// The flavour.
    #[serde(default, deserialize_with = "decode::text")]
    pub product_id: Option<String>,
    /// How many brokers; told of 4.8.0 only.
    #[serde(default, deserialize_with = "decode::number")]
    pub broker_num: Option<u32>,
    /// What was ordered, in GB over all brokers: the one to compare with what is wanted. `storage_space` is what
    /// messages can use of it.
    #[serde(default, deserialize_with = "decode::number")]
    pub total_storage_space: Option<u64>,
    /// The kind of disk.
    #[serde(default, deserialize_with = "decode::text")]
    pub storage_spec_code: Option<String>,
    /// How often the disks were grown.
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
    /// `HH:mm:ss`; no call changes it.
    #[serde(default, deserialize_with = "decode::text")]
    pub maintain_begin: Option<String>,
    /// `HH:mm:ss`; no call changes it.
    #[serde(default, deserialize_with = "decode::text")]
    pub maintain_end: Option<String>,
    /// Whether clients must be users with permissions.
    #[serde(default, deserialize_with = "decode::flag")]
    pub enable_acl: Option<bool>,
    /// Whether brokers have IPv6 addresses too.
    #[serde(default, deserialize_with = "decode::flag")]
    pub ipv6_enable: Option<bool>,
    /// The enterprise project.
    #[serde(default, deserialize_with = "decode::text")]
    pub enterprise_project_id: Option<String>,
    /// When its creation was complete: that it is missing proves nothing.
    #[serde(default, deserialize_with = "decode::time")]
    pub created_at: Option<Timestamp>,
    /// Name servers, `host:port` with commas or semicolons between.
    #[serde(default, deserialize_with = "decode::text")]
    pub namesrv_address: Option<String>,
    /// gRPC; told of 5.x only.
    #[serde(default, deserialize_with = "decode::text")]
    pub grpc_address: Option<String>,
    /// Name servers, from outside.
    #[serde(default, deserialize_with = "decode::text")]
    pub public_namesrv_address: Option<String>,
    /// gRPC from outside; told of 5.x only.
    #[serde(default, deserialize_with = "decode::text")]
    pub public_grpc_address: Option<String>,
}

impl InstanceModel for Instance {
    const ENGINE: Engine = Engine::RocketMq;
}

/// A flavour that an instance can be changed to, and its limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtendProduct {
    /// The flavour.
    pub product_id: String,
    /// The fewest brokers.
    pub min_broker: Option<u32>,
    /// The most brokers.
    pub max_broker: Option<u32>,
    /// GB a broker, at least.
    pub min_storage_per_node: Option<u64>,
    /// GB a broker, at most.
    pub max_storage_per_node: Option<u64>,
}

impl From<Product> for ExtendProduct {
    fn from(product: Product) -> Self {
        let limits = product.properties.unwrap_or_default();
        Self {
            product_id: product.product_id,
            min_broker: limits.min_broker,
            max_broker: limits.max_broker,
            min_storage_per_node: limits.min_storage_per_node,
            max_storage_per_node: limits.max_storage_per_node,
        }
    }
}

#[derive(Deserialize)]
struct Brokers {
    brokers: Option<Vec<Broker>>,
    #[serde(default, deserialize_with = "decode::number")]
    total: Option<u64>,
}

#[derive(Deserialize)]
struct Broker {
    #[serde(deserialize_with = "decode::required")]
    broker_name: String,
}

#[derive(Deserialize)]
struct Products {
    products: Option<Vec<Product>>,
    #[serde(default, deserialize_with = "decode::number")]
    total: Option<u64>,
}

#[derive(Deserialize)]
struct Product {
    #[serde(deserialize_with = "decode::required")]
    product_id: String,
    #[serde(default, deserialize_with = "decode::embedded")]
    properties: Option<Limits>,
}

/// All of them are strings in the example.
#[derive(Default, Deserialize)]
struct Limits {
    #[serde(default, deserialize_with = "decode::number")]
    min_broker: Option<u32>,
    #[serde(default, deserialize_with = "decode::number")]
    max_broker: Option<u32>,
    #[serde(default, deserialize_with = "decode::number")]
    min_storage_per_node: Option<u64>,
    #[serde(default, deserialize_with = "decode::number")]
    max_storage_per_node: Option<u64>,
}

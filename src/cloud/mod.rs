//! The cloud's API: signing, sending, limits, what its answers and errors mean, one typed function an operation.
//!
//! Nothing here knows Kubernetes. "Kafka API reference" and "RocketMQ API reference" are the vendor's *Distributed
//! Message Service for Kafka API Reference*, issue 14, and *... for RocketMQ ...*, issue 07; where none is named, it is
//! Kafka's, in `rocketmq` RocketMQ's. "Not in the reference" marks what was learnt elsewhere.

mod answer;
mod client;
mod codes;
mod credentials;
mod decode;
mod endpoint;
mod error;
mod iam;
mod instances;
pub mod kafka;
mod limiter;
mod line;
mod operation;
pub mod rocketmq;
pub mod sign;
mod tags;
mod tasks;
mod token;
mod transport;
mod vocabulary;
mod zones;

pub use client::{CallRecord, Client, Config, Observer, Timeouts};
pub use credentials::Credentials;
pub use endpoint::{Endpoint, Endpoints, InvalidEndpoint};
pub use error::{Class, Error, Fault, Sent};
pub use iam::Project;
pub use instances::{Engine, InstanceModel, InstanceQuery, InstanceStatus, NewInstance, Order};
pub use limiter::{Limiter, Pace};
pub use line::{Line, Place, Priority};
pub use operation::Operation;
pub use tags::{Tag, TagAction};
pub use tasks::{Task, TaskStatus};
pub use transport::{Broken, HttpTransport, Transport};
pub use zones::Zone;

#[cfg(test)]
mod tests;

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// What this page holds, in the service's order, which is not documented.
    pub items: Vec<T>,
    /// How many there are over all pages, if the service said so.
    pub total: Option<u64>,
    /// What the instance has room for, where the list tells.
    pub limits: Limits,
}

/// What an instance has room for, as some lists tell it: of partitions the list of Kafka's topics (Kafka API reference
/// 5.5.3), of topics and of consumer groups those of RocketMQ (RocketMQ API reference 5.3.2, 5.2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// How many it can have.
    pub most: Option<u64>,
    /// How many more it can have.
    pub left: Option<u64>,
    /// How many partitions one topic can have; told of Kafka only.
    pub of_one: Option<u64>,
}

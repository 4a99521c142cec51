//! DMS for Kafka: one function an operation, with its wire types beside it. A bare section number is of the *Distributed
//! Message Service for Kafka API Reference*, issue 14.
//!
//! Everything that the service tells is optional, because it leaves out what it likes; only what identifies a thing is
//! required.

mod groups;
mod instances;
mod quotas;
mod topics;
mod usage;

pub use groups::{CreateGroup, Group};
pub use instances::{CreateInstance, CrossVpcAddress, Instance, PortProtocols, UpdateInstance};
pub use quotas::{Quota, QuotaIdentity};
pub use topics::{CreateTopic, ItemResult, Topic, TopicConfig, TopicConfigValue, UpdateTopic};
pub use usage::{GroupUsage, TopicUsage};

use super::answer::one_line;

/// An item that a batch did not change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemFailure {
    /// Which one.
    pub name: String,
    /// The service's code, if it gave one.
    pub code: Option<String>,
    /// Why, in the service's words, as one bounded line.
    pub message: String,
}

impl ItemFailure {
    fn new(name: String, code: Option<String>, message: Option<String>) -> Self {
        let message = message.as_deref().unwrap_or("the service gives no reason");
        Self {
            name,
            code,
            message: one_line(message),
        }
    }
}

//! The custom resources: types, defaults, rules. No I/O.
#![allow(unreachable_pub, reason = "kube's derives repeat each struct inside a function")]

#[cfg(test)]
mod admission_tests;
pub mod common;
pub mod crds;
pub mod generate;
pub mod kafka_instance;
pub mod kafka_user_quota;
pub mod provider_config;
mod rules;
pub mod topic;

pub use common::*;
pub use crds::crds;
pub use kafka_instance::{KafkaInstance, KafkaInstanceSpec, KafkaInstanceStatus};
pub use kafka_user_quota::{ByteRate, KafkaUserQuota, KafkaUserQuotaSpec, KafkaUserQuotaStatus};
pub use provider_config::{ProviderConfig, ProviderConfigSpec, ProviderConfigStatus};
pub use topic::{Topic, TopicSpec, TopicStatus};

//! The custom resources: types, defaults, rules. No I/O.
#![allow(unreachable_pub, reason = "kube's derives repeat each struct inside a function")]

#[cfg(test)]
mod admission_tests;
pub mod common;
pub mod consumer_group;
pub mod crds;
pub mod generate;
pub mod home;
pub mod instance;
pub mod kafka_instance;
pub mod kafka_user_quota;
pub mod live;
mod protection;
pub mod provider_config;
pub mod rocketmq_instance;
mod rules;
pub mod tenancy;
pub mod topic;

pub use common::*;
pub use consumer_group::{ConsumerGroup, ConsumerGroupSpec, ConsumerGroupStatus};
pub use crds::crds;
pub use home::{InstanceKind, InstanceName, InstanceRef, LivesInInstance};
pub use instance::{InstanceManagement, InstanceSpec, ObservedInstance, ObservedMaintenanceWindow};
pub use kafka_instance::{KafkaInstance, KafkaInstanceSpec, KafkaInstanceStatus};
pub use kafka_user_quota::{ByteRate, KafkaUserQuota, KafkaUserQuotaSpec, KafkaUserQuotaStatus};
pub use live::{ConsumerGroupLive, StatusDetail, TopicLag, TopicLive};
pub use provider_config::{ProviderConfig, ProviderConfigSpec, ProviderConfigStatus};
pub use rocketmq_instance::{RocketMQInstance, RocketMQInstanceSpec, RocketMQInstanceStatus};
pub use tenancy::{Grant, TenantKind};
pub use topic::{Topic, TopicSpec, TopicStatus};

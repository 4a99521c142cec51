//! One thin file a kind: how to look, and how to carry out a step. Decisions are in `plan`.

mod consumer_group;
mod hosts;
mod instances;
mod kafka_instance;
mod kafka_user_quota;
mod live;
mod living;
mod provider_config;
mod reach;
mod rocketmq_instance;
mod tenants;
mod topic;
mod usage;

pub use consumer_group::ConsumerGroups;
pub use kafka_instance::KafkaInstances;
pub use kafka_user_quota::KafkaUserQuotas;
pub use provider_config::ProviderConfigs;
pub use rocketmq_instance::RocketMQInstances;
pub use topic::Topics;

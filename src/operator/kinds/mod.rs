//! One thin file a kind: how to look, and how to carry out a step. Decisions are in `plan`.

mod kafka_instance;
mod kafka_user_quota;
mod provider_config;
mod reach;
mod topic;

pub use kafka_instance::KafkaInstances;
pub use kafka_user_quota::KafkaUserQuotas;
pub use provider_config::ProviderConfigs;
pub use topic::Topics;

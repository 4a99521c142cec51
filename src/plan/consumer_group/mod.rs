//! Decisions for `ConsumerGroup`, of either engine.

pub mod kafka;
pub mod rocketmq;

use crate::api::ConsumerGroup;
use crate::cloud;

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Kafka API reference 5.6.4.
    CreateKafka(cloud::kafka::CreateGroup),
    /// Kafka API reference 5.6.10: the name and the new description.
    DescribeKafka(String, String),
    /// RocketMQ API reference 5.2.2.
    CreateRocketMq(cloud::rocketmq::CreateGroup),
    /// RocketMQ API reference 5.2.3: all but the brokers.
    UpdateRocketMq(cloud::rocketmq::UpdateGroup),
    /// RocketMQ API reference 5.2.6: the brokers.
    MoveRocketMq(cloud::rocketmq::UpdateGroupBrokers),
    /// Kafka API reference 5.6.3, RocketMQ API reference 5.2.2.
    Delete(String),
}

/// The group's name in the cloud.
pub fn name(group: &ConsumerGroup) -> String {
    let recorded = group.status.as_ref().and_then(|s| s.core.external_name.clone());
    let wanted = || group.spec.name.clone().or_else(|| group.metadata.name.clone());
    recorded.or_else(wanted).unwrap_or_default()
}

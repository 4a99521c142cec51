//! Decisions for `Topic`, of either engine.

pub mod kafka;
pub mod rocketmq;

use crate::api::Topic;
use crate::cloud;

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Kafka API reference 5.5.2.
    CreateKafka(cloud::kafka::CreateTopic),
    /// Kafka API reference 5.5.4, with nothing but what changes.
    UpdateKafka(cloud::kafka::UpdateTopic),
    /// RocketMQ API reference 5.3.1.
    CreateRocketMq(cloud::rocketmq::CreateTopic),
    /// RocketMQ API reference 5.3.5, with nothing but what changes, by the topic's name.
    UpdateRocketMq(String, cloud::rocketmq::UpdateTopic),
    /// Kafka API reference 5.5.5, RocketMQ API reference 5.3.1.
    Delete(String),
}

/// The topic's name in the cloud.
pub fn name(topic: &Topic) -> String {
    let recorded = topic.status.as_ref().and_then(|s| s.core.external_name.clone());
    let wanted = || topic.spec.name.clone().or_else(|| topic.metadata.name.clone());
    recorded.or_else(wanted).unwrap_or_default()
}

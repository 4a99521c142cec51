//! `Topic`: looks at the shared list of its engine, and sends one call.

use std::sync::Arc;

use jiff::Timestamp;

use super::live;
use super::living::{Living, claims, look, references, stays};
use super::reach::InstanceReach;
use crate::api::{InstanceKind, Topic, TopicStatus};
use crate::cloud::{Class, Engine, Error, Operation, Page, Sent, kafka, rocketmq};
use crate::operator::hub::Hub;
use crate::operator::kind::{Effect, Kind, Look, Reference};
use crate::operator::round::Round;
use crate::operator::snapshot::Lister;
use crate::plan::begun;
use crate::plan::fault::Halt;
use crate::plan::topic::{self, Step, name};

/// The kind.
pub struct Topics;

impl Kind for Topics {
    type Cr = Topic;
    type Reach = InstanceReach;
    type Step = Step;

    fn references(cr: &Topic) -> Vec<Reference> {
        references(cr)
    }

    fn claims(cr: &Topic) -> Vec<String> {
        claims(cr, &name(cr))
    }

    fn orphans(cr: &Topic) -> bool {
        stays(cr)
    }

    async fn look(round: &Round<'_, Topic>) -> Result<Look<Self>, Halt> {
        let look = match round.cr.spec.instance_ref.kind {
            InstanceKind::KafkaInstance => {
                let plan = topic::kafka::plan;
                let lister = KafkaTopics;
                look(round, Living { name, lister, plan }).await
            }
            InstanceKind::RocketMQInstance => {
                let plan = topic::rocketmq::plan;
                let lister = RocketMqTopics;
                look(round, Living { name, lister, plan }).await
            }
        };
        Ok(live::topic(round, look?).await)
    }

    async fn act(_: &Round<'_, Topic>, reach: &InstanceReach, step: &Step) -> Result<Effect, Halt> {
        let hub = &reach.hub;
        let (client, id) = (&hub.client, hub.instance_id.as_str());
        match step {
            Step::CreateKafka(topic) => hub.write(client.create_topic(id, topic)).await?,
            Step::UpdateKafka(topic) => {
                let failed = hub.write(client.update_topics(id, std::slice::from_ref(topic))).await?;
                if let Some(failure) = failed.first() {
                    // What it has already, a newer list will show.
                    let class = if failure.message.contains("already") {
                        Class::Unavailable
                    } else {
                        Class::Invalid
                    };
                    let error = Error::new(Operation::UpdateInstanceTopic, class, Sent::Refused, &*failure.message);
                    return Err(error.into());
                }
            }
            Step::CreateRocketMq(topic) => hub.write(client.create_rocketmq_topic(id, topic)).await?,
            Step::UpdateRocketMq(name, change) => {
                return Ok(Effect::Job(
                    hub.write(client.update_rocketmq_topic(id, name, change)).await?,
                ));
            }
            Step::Delete(name) if hub.engine == Engine::RocketMq => {
                return Ok(Effect::Job(
                    hub.write(client.delete_rocketmq_topics(id, &[name])).await?,
                ));
            }
            Step::Delete(name) => {
                let results = hub.write(client.delete_topics(id, &[name])).await?;
                if results.iter().any(|result| !result.success) {
                    let message = "the service says that it was not deleted, and gives no reason";
                    let operation = Operation::BatchDeleteInstanceTopic;
                    return Err(Error::new(operation, Class::Unavailable, Sent::Refused, message).into());
                }
            }
        }
        Ok(Effect::Done)
    }

    fn creates(step: &Step) -> bool {
        matches!(step, Step::CreateKafka(_) | Step::CreateRocketMq(_))
    }

    fn settle(_: &Topic, status: &mut TopicStatus, step: &Step, effect: Effect, now: Timestamp) {
        let operation = match step {
            Step::UpdateRocketMq(_, change) => {
                if change.description.is_some() {
                    status.sent_description.clone_from(&change.description);
                }
                "UpdateTopic"
            }
            _ => "DeleteTopic",
        };
        if let Effect::Job(job) = effect {
            status.core.operation = Some(begun(&status.core, operation, job, now));
        }
    }
}

/// The list that all of them share in a Kafka instance.
pub(super) struct KafkaTopics(pub(super) Arc<Hub>);

impl Lister for KafkaTopics {
    type Item = kafka::Topic;

    const OPERATION: Operation = Operation::ListInstanceTopics;

    fn page(&self, offset: u32) -> impl Future<Output = Result<Page<kafka::Topic>, Error>> + Send {
        self.0.client.list_topics(&self.0.instance_id, offset, Self::PAGE)
    }

    fn name(topic: &kafka::Topic) -> String {
        topic.name.clone()
    }
}

/// The list that all of them share in a RocketMQ instance.
pub(super) struct RocketMqTopics(pub(super) Arc<Hub>);

impl Lister for RocketMqTopics {
    type Item = rocketmq::Topic;

    const OPERATION: Operation = Operation::ListRocketInstanceTopics;

    fn page(&self, offset: u32) -> impl Future<Output = Result<Page<rocketmq::Topic>, Error>> + Send {
        self.0
            .client
            .list_rocketmq_topics(&self.0.instance_id, offset, Self::PAGE)
    }

    fn name(topic: &rocketmq::Topic) -> String {
        topic.name.clone()
    }
}

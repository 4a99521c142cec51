//! `ConsumerGroup`: looks at the shared list of its engine, and sends one call.

use std::sync::Arc;

use jiff::Timestamp;

use super::live;
use super::living::{Living, claims, look, references, stays};
use super::reach::InstanceReach;
use crate::api::{ConsumerGroup, ConsumerGroupStatus, InstanceKind};
use crate::cloud::{Class, Engine, Error, Operation, Page, Sent, kafka, rocketmq};
use crate::operator::hub::Hub;
use crate::operator::kind::{Effect, Kind, Look, Reference};
use crate::operator::round::Round;
use crate::operator::snapshot::Lister;
use crate::plan::begun;
use crate::plan::consumer_group::{self, Step, name};
use crate::plan::fault::Halt;

/// The kind.
pub struct ConsumerGroups;

impl Kind for ConsumerGroups {
    type Cr = ConsumerGroup;
    type Reach = InstanceReach;
    type Step = Step;

    fn references(cr: &ConsumerGroup) -> Vec<Reference> {
        references(cr)
    }

    fn claims(cr: &ConsumerGroup) -> Vec<String> {
        claims(cr, &name(cr))
    }

    fn orphans(cr: &ConsumerGroup) -> bool {
        stays(cr)
    }

    async fn look(round: &Round<'_, ConsumerGroup>) -> Result<Look<Self>, Halt> {
        let look = match round.cr.spec.instance_ref.kind {
            InstanceKind::KafkaInstance => {
                let plan = consumer_group::kafka::plan;
                let lister = KafkaGroups;
                look(round, Living { name, lister, plan }).await
            }
            InstanceKind::RocketMQInstance => {
                let plan = consumer_group::rocketmq::plan;
                let lister = RocketMqGroups;
                look(round, Living { name, lister, plan }).await
            }
        };
        Ok(live::group(round, look?).await)
    }

    async fn act(_: &Round<'_, ConsumerGroup>, reach: &InstanceReach, step: &Step) -> Result<Effect, Halt> {
        let hub = &reach.hub;
        let (client, id) = (&hub.client, hub.instance_id.as_str());
        let job = match step {
            Step::CreateKafka(group) => {
                hub.write(client.create_group(id, group)).await?;
                return Ok(Effect::Done);
            }
            Step::DescribeKafka(name, description) => {
                hub.write(client.update_group(id, name, description)).await?;
                return Ok(Effect::Done);
            }
            Step::CreateRocketMq(group) => {
                hub.write(client.create_rocketmq_group(id, group)).await?;
                return Ok(Effect::Done);
            }
            Step::UpdateRocketMq(change) => {
                let changes = std::slice::from_ref(change);
                hub.write(client.update_rocketmq_groups(id, changes)).await?
            }
            Step::MoveRocketMq(change) => {
                hub.write(client.update_rocketmq_group(id, &change.name, change))
                    .await?
            }
            Step::Delete(name) if hub.engine == Engine::RocketMq => {
                hub.write(client.delete_rocketmq_groups(id, &[name])).await?
            }
            Step::Delete(name) => {
                let failed = hub.write(client.delete_groups(id, &[name])).await?;
                if let Some(failure) = failed.first() {
                    let operation = Operation::BatchDeleteGroup;
                    return Err(Error::new(operation, Class::Unavailable, Sent::Refused, &*failure.message).into());
                }
                return Ok(Effect::Done);
            }
        };
        Ok(Effect::Job(job))
    }

    fn creates(step: &Step) -> bool {
        matches!(step, Step::CreateKafka(_) | Step::CreateRocketMq(_))
    }

    fn settle(_: &ConsumerGroup, status: &mut ConsumerGroupStatus, step: &Step, effect: Effect, now: Timestamp) {
        let operation = match step {
            Step::UpdateRocketMq(_) => "UpdateGroup",
            Step::MoveRocketMq(_) => "UpdateGroupBrokers",
            _ => "DeleteGroup",
        };
        if let Effect::Job(job) = effect {
            status.core.operation = Some(begun(&status.core, operation, job, now));
        }
    }
}

/// The list that all of them share in a Kafka instance.
pub(super) struct KafkaGroups(pub(super) Arc<Hub>);

impl Lister for KafkaGroups {
    type Item = kafka::Group;

    const OPERATION: Operation = Operation::ListInstanceConsumerGroups;

    fn page(&self, offset: u32) -> impl Future<Output = Result<Page<kafka::Group>, Error>> + Send {
        self.0.client.list_groups(&self.0.instance_id, offset, Self::PAGE)
    }

    fn name(group: &kafka::Group) -> String {
        group.name.clone()
    }
}

/// The list that all of them share in a RocketMQ instance.
pub(super) struct RocketMqGroups(pub(super) Arc<Hub>);

impl Lister for RocketMqGroups {
    type Item = rocketmq::Group;

    const OPERATION: Operation = Operation::ListInstanceConsumerGroups;

    fn page(&self, offset: u32) -> impl Future<Output = Result<Page<rocketmq::Group>, Error>> + Send {
        self.0
            .client
            .list_rocketmq_groups(&self.0.instance_id, offset, Self::PAGE)
    }

    fn name(group: &rocketmq::Group) -> String {
        group.name.clone()
    }
}

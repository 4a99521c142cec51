//! `ConsumerGroup`: looks at the shared list of its engine, and sends one call.

use std::borrow::Cow;

use jiff::Timestamp;

use super::live;
use super::living::{Living, claims, look, references, stays};
use super::reach::InstanceReach;
use crate::api::{ConsumerGroup, ConsumerGroupStatus, InstanceKind};
use crate::cloud::rocketmq::UpdateGroup;
use crate::cloud::{Class, Client, Engine, Error, Operation, Page, Priority, Sent, kafka, rocketmq};
use crate::operator::batch::Batch;
use crate::operator::hub::Hub;
use crate::operator::kind::{Effect, Kind, Look, Reference};
use crate::operator::reading::Lister;
use crate::operator::round::Round;
use crate::operator::snapshot::Source;
use crate::operator::turns::Way;
use crate::plan::consumer_group::{self, Step, name};
use crate::plan::fault::Halt;
use crate::plan::grant::Wish;

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
                let living = Living {
                    name,
                    wish,
                    lister: KafkaGroups,
                    growth: |_, _| None,
                    plan,
                };
                look(round, living).await
            }
            InstanceKind::RocketMQInstance => {
                let plan = consumer_group::rocketmq::plan;
                let living = Living {
                    name,
                    wish,
                    lister: RocketMqGroups,
                    growth: |_, _| None,
                    plan,
                };
                look(round, living).await
            }
        };
        Ok(live::group(round, look?).await)
    }

    fn hub(reach: &InstanceReach) -> Option<&Hub> {
        Some(&reach.hub)
    }

    fn way(step: &Step) -> Way {
        match step {
            Step::CreateKafka(_) | Step::CreateRocketMq(_) => Way::Beside,
            Step::UpdateRocketMq(_) | Step::Delete(_) => Way::Together,
            Step::DescribeKafka(..) | Step::MoveRocketMq(_) => Way::Alone,
        }
    }

    async fn act(round: &Round<'_, ConsumerGroup>, reach: &InstanceReach, step: &Step) -> Result<Effect, Halt> {
        let (hub, writer) = (&reach.hub, round.writer());
        let (client, id) = (hub.client(writer.priority), hub.instance_id.as_str());
        match step {
            Step::CreateKafka(group) => hub.write(client.create_group(id, group)).await?,
            Step::DescribeKafka(name, description) => hub.write(client.update_group(id, name, description)).await?,
            Step::CreateRocketMq(group) => {
                let created = hub.write(client.create_rocketmq_group(id, group)).await;
                created.map_err(|error| hub.room_for::<RocketMqGroups>("consumer groups", error))?;
            }
            Step::UpdateRocketMq(change) => return Ok(hub.together(&writer, Update(change.clone())).await?),
            Step::MoveRocketMq(change) => {
                let update = client.update_rocketmq_group(id, &change.name, change);
                return Ok(Effect::Job(hub.write(update).await?));
            }
            Step::Delete(name) if hub.engine == Engine::RocketMq => {
                return Ok(hub.together(&writer, DeleteRocketMq(name.clone())).await?);
            }
            Step::Delete(name) => hub.together(&writer, Delete(name.clone())).await?,
        }
        Ok(Effect::Done)
    }

    fn creates(step: &Step) -> bool {
        matches!(step, Step::CreateKafka(_) | Step::CreateRocketMq(_))
    }

    fn tells(_: &Step) -> bool {
        false
    }

    fn settle(_: &ConsumerGroup, status: &mut ConsumerGroupStatus, step: &Step, effect: Effect, now: Timestamp) {
        let operation = match step {
            Step::UpdateRocketMq(_) => "UpdateGroup",
            Step::MoveRocketMq(_) => "UpdateGroupBrokers",
            _ => "DeleteGroup",
        };
        if let Some(operation) = effect.operation(&status.core, operation, now) {
            status.core.operation = Some(operation);
        }
    }
}

fn wish(group: &ConsumerGroup) -> Wish {
    Wish::ConsumerGroup(name(group))
}

struct Update(UpdateGroup);

impl Batch for Update {
    type Outcome = Effect;

    const OPERATION: Operation = Operation::BatchUpdateConsumerGroup;

    async fn send(client: &Client, id: &str, items: &[Self]) -> Result<Vec<Result<Effect, Error>>, Error> {
        let groups: Vec<_> = items.iter().map(|item| item.0.clone()).collect();
        let job = client.update_rocketmq_groups(id, &groups).await?;
        Ok(Effect::each_of(items.len(), job))
    }
}

struct Delete(String);

impl Batch for Delete {
    type Outcome = ();

    const OPERATION: Operation = Operation::BatchDeleteGroup;

    async fn send(client: &Client, id: &str, items: &[Self]) -> Result<Vec<Result<(), Error>>, Error> {
        let names: Vec<_> = items.iter().map(|item| item.0.as_str()).collect();
        let failed = client.delete_groups(id, &names).await?;
        let result = |name: &str| match failed.iter().find(|failure| failure.name == name) {
            Some(failure) => {
                let message = &*failure.message;
                Err(Error::new(Self::OPERATION, Class::Unavailable, Sent::Refused, message))
            }
            None => Ok(()),
        };
        Ok(names.into_iter().map(result).collect())
    }
}

struct DeleteRocketMq(String);

impl Batch for DeleteRocketMq {
    type Outcome = Effect;

    const OPERATION: Operation = Operation::BatchDeleteConsumerGroup;

    async fn send(client: &Client, id: &str, items: &[Self]) -> Result<Vec<Result<Effect, Error>>, Error> {
        let names: Vec<_> = items.iter().map(|item| item.0.as_str()).collect();
        let job = client.delete_rocketmq_groups(id, &names).await?;
        Ok(Effect::each_of(items.len(), job))
    }
}

/// The list that all of them share in a Kafka instance.
#[derive(Clone)]
pub(super) struct KafkaGroups(pub(super) Source);

impl Lister for KafkaGroups {
    type Item = kafka::Group;

    const OPERATION: Operation = Operation::ListInstanceConsumerGroups;

    async fn page(&self, offset: u32, priority: Priority) -> Result<Page<kafka::Group>, Error> {
        let client = self.0.client.at(priority);
        client.list_groups(&self.0.instance_id, offset, Self::PAGE).await
    }

    fn name(group: &kafka::Group) -> Cow<'_, str> {
        Cow::from(&group.name)
    }
}

/// The list that all of them share in a RocketMQ instance.
#[derive(Clone)]
pub(super) struct RocketMqGroups(Source);

impl Lister for RocketMqGroups {
    type Item = rocketmq::Group;

    const OPERATION: Operation = Operation::ListInstanceConsumerGroups;

    async fn page(&self, offset: u32, priority: Priority) -> Result<Page<rocketmq::Group>, Error> {
        let client = self.0.client.at(priority);
        client
            .list_rocketmq_groups(&self.0.instance_id, offset, Self::PAGE)
            .await
    }

    fn name(group: &rocketmq::Group) -> Cow<'_, str> {
        Cow::from(&group.name)
    }
}

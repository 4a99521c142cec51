//! `Topic`: looks at the shared list of its engine, and sends one call.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;

use super::live;
use super::living::{Living, claims, look, references, stays};
use super::reach::InstanceReach;
use crate::api::{InstanceKind, Topic, TopicStatus};
use crate::cloud::kafka::{self, TopicConfigValue, UpdateTopic};
use crate::cloud::{Class, Client, Engine, Error, Operation, Page, Priority, Sent, rocketmq};
use crate::operator::batch::Batch;
use crate::operator::hub::Hub;
use crate::operator::kind::{Effect, Kind, Look, Reference};
use crate::operator::reading::Lister;
use crate::operator::round::Round;
use crate::operator::snapshot::Source;
use crate::operator::turns::Way;
use crate::plan::fault::Halt;
use crate::plan::grant::Wish;
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
                let living = Living {
                    name,
                    wish,
                    lister: KafkaTopics::of,
                    growth: |topic, found| {
                        topic::kafka::growth(topic, found.and_then(|packed| packed.topic.partitions))
                    },
                    plan: |topic, facts, seen| topic::kafka::plan(topic, facts, seen.map(Packed::unpacked)),
                };
                look(round, living).await
            }
            InstanceKind::RocketMQInstance => {
                let plan = topic::rocketmq::plan;
                let living = Living {
                    name,
                    wish,
                    lister: RocketMqTopics,
                    growth: |_, _| None,
                    plan,
                };
                look(round, living).await
            }
        };
        Ok(live::topic(round, look?).await)
    }

    fn hub(reach: &InstanceReach) -> Option<&Hub> {
        Some(&reach.hub)
    }

    fn way(step: &Step) -> Way {
        match step {
            Step::CreateKafka(_) | Step::CreateRocketMq(_) => Way::Beside,
            Step::UpdateKafka(_) | Step::Delete(_) => Way::Together,
            Step::UpdateRocketMq(..) => Way::Alone,
        }
    }

    async fn act(round: &Round<'_, Topic>, reach: &InstanceReach, step: &Step) -> Result<Effect, Halt> {
        let (hub, writer) = (&reach.hub, round.writer());
        let (client, id) = (hub.client(writer.priority), hub.instance_id.as_str());
        match step {
            Step::CreateKafka(topic) => {
                let created = hub.write(client.create_topic(id, topic)).await;
                created.map_err(|error| hub.room_for::<KafkaTopics>("partitions", error))?;
            }
            Step::UpdateKafka(topic) => {
                let updated = hub.together(&writer, Update(topic.clone())).await;
                updated.map_err(|error| hub.room_for::<KafkaTopics>("partitions", error))?;
            }
            Step::CreateRocketMq(topic) => {
                let created = hub.write(client.create_rocketmq_topic(id, topic)).await;
                created.map_err(|error| hub.room_for::<RocketMqTopics>("topics", error))?;
            }
            Step::UpdateRocketMq(name, change) => {
                let update = client.update_rocketmq_topic(id, name, change);
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
        if let Some(operation) = effect.operation(&status.core, operation, now) {
            status.core.operation = Some(operation);
        }
    }
}

fn wish(topic: &Topic) -> Wish {
    Wish::Topic(name(topic))
}

struct Update(UpdateTopic);

impl Batch for Update {
    type Outcome = ();

    const OPERATION: Operation = Operation::UpdateInstanceTopic;

    async fn send(client: &Client, id: &str, items: &[Self]) -> Result<Vec<Result<(), Error>>, Error> {
        let topics: Vec<_> = items.iter().map(|item| item.0.clone()).collect();
        let failed = client.update_topics(id, &topics).await?;
        let result = |topic: &UpdateTopic| {
            let Some(failure) = failed.iter().find(|failure| failure.name == topic.name) else {
                return Ok(());
            };
            // What it has already, a newer list will show.
            let class = if failure.message.contains("already") {
                Class::Unavailable
            } else {
                Class::Invalid
            };
            Err(Error::new(Self::OPERATION, class, Sent::Refused, &*failure.message))
        };
        Ok(topics.iter().map(result).collect())
    }
}

struct Delete(String);

impl Batch for Delete {
    type Outcome = ();

    const OPERATION: Operation = Operation::BatchDeleteInstanceTopic;

    async fn send(client: &Client, id: &str, items: &[Self]) -> Result<Vec<Result<(), Error>>, Error> {
        let names: Vec<_> = items.iter().map(|item| item.0.as_str()).collect();
        let results = client.delete_topics(id, &names).await?;
        let failed = |name: &str| results.iter().any(|result| result.name == name && !result.success);
        let result = |name: &str| {
            if !failed(name) {
                return Ok(());
            }
            let message = "the service says that it was not deleted, and gives no reason";
            Err(Error::new(Self::OPERATION, Class::Unavailable, Sent::Refused, message))
        };
        Ok(names.into_iter().map(result).collect())
    }
}

struct DeleteRocketMq(String);

impl Batch for DeleteRocketMq {
    type Outcome = Effect;

    const OPERATION: Operation = Operation::BatchDeleteTopic;

    async fn send(client: &Client, id: &str, items: &[Self]) -> Result<Vec<Result<Effect, Error>>, Error> {
        let names: Vec<_> = items.iter().map(|item| item.0.as_str()).collect();
        let job = client.delete_rocketmq_topics(id, &names).await?;
        Ok(Effect::each_of(items.len(), job))
    }
}

/// The list that all of them share in a Kafka instance.
#[derive(Clone)]
pub(super) struct KafkaTopics {
    source: Source,
    /// The settings of the topics of this reading.
    settings: Arc<Mutex<HashSet<Settings>>>,
}

type Settings = Arc<[TopicConfigValue]>;

/// A topic in a list. All its settings come with it, most of them at the same defaults in ten thousand topics: each set of
/// them is kept once.
#[derive(Clone)]
pub(super) struct Packed {
    topic: kafka::Topic,
    settings: Option<Settings>,
}

impl Packed {
    fn unpacked(self) -> kafka::Topic {
        kafka::Topic {
            configs: self.settings.map(|settings| settings.to_vec()),
            ..self.topic
        }
    }
}

impl KafkaTopics {
    fn of(source: Source) -> Self {
        let settings = Arc::default();
        Self { source, settings }
    }

    fn pack(&self, mut topic: kafka::Topic) -> Packed {
        let mut known = self.settings.lock().expect("no holder panics");
        let settings = topic.configs.take().map(|configs| match known.get(&*configs) {
            Some(same) => same.clone(),
            None => {
                let new = Settings::from(configs);
                known.insert(new.clone());
                new
            }
        });
        Packed { topic, settings }
    }
}

impl Lister for KafkaTopics {
    type Item = Packed;

    const OPERATION: Operation = Operation::ListInstanceTopics;

    async fn page(&self, offset: u32, priority: Priority) -> Result<Page<Packed>, Error> {
        let Source { client, instance_id } = &self.source;
        let page = client.at(priority).list_topics(instance_id, offset, Self::PAGE).await?;
        Ok(Page {
            items: page.items.into_iter().map(|topic| self.pack(topic)).collect(),
            total: page.total,
            limits: page.limits,
        })
    }

    fn name(packed: &Packed) -> Cow<'_, str> {
        Cow::from(&packed.topic.name)
    }
}

/// The list that all of them share in a RocketMQ instance.
#[derive(Clone)]
pub(super) struct RocketMqTopics(Source);

impl Lister for RocketMqTopics {
    type Item = rocketmq::Topic;

    const OPERATION: Operation = Operation::ListRocketInstanceTopics;

    async fn page(&self, offset: u32, priority: Priority) -> Result<Page<rocketmq::Topic>, Error> {
        let client = self.0.client.at(priority);
        client
            .list_rocketmq_topics(&self.0.instance_id, offset, Self::PAGE)
            .await
    }

    fn name(topic: &rocketmq::Topic) -> Cow<'_, str> {
        Cow::from(&topic.name)
    }
}

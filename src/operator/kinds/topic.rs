//! `Topic`: looks at the shared list, and sends one call.

use jiff::Timestamp;

use super::reach::{InstanceReach, child_claim, gone_or, instance, instance_references};
use crate::api::{Topic, TopicStatus};
use crate::cloud::kafka::{self, TopicPage};
use crate::cloud::{Class, Client, Error, Operation, Page, Sent};
use crate::operator::engine::Round;
use crate::operator::kind::{Effect, Kind, Look, Reference};
use crate::operator::snapshot::Lister;
use crate::plan::child::Found;
use crate::plan::fault::Halt;
use crate::plan::orphans;
use crate::plan::topic::{Seen, Step, name, plan};

/// The kind.
pub struct Topics;

impl Kind for Topics {
    type Cr = Topic;
    type Reach = InstanceReach;
    type Step = Step;

    fn references(cr: &Topic) -> Vec<Reference> {
        instance_references(cr, cr.spec.instance_ref.kind, &cr.spec.instance_ref.name)
    }

    fn claim(cr: &Topic) -> Option<String> {
        child_claim(cr, cr.spec.instance_ref.kind, &cr.spec.instance_ref.name, &name(cr))
    }

    fn orphans(cr: &Topic) -> bool {
        orphans(cr.spec.management.deletion, cr.status.as_ref().map(|s| &s.core))
    }

    async fn look(round: &Round<'_, Topic>) -> Result<Look<Self>, Halt> {
        let mut cr = round.cr.clone();
        let mut core = cr.status.clone().unwrap_or_default().core;
        let reach = instance(round, cr.spec.instance_ref.kind, &cr.spec.instance_ref.name, &core).await?;
        if reach.moved {
            core.forget();
            cr.status = Some(TopicStatus {
                core: core.clone(),
                ..Default::default()
            });
        }
        let found = if reach.leaves {
            Found::InstanceGone
        } else {
            let lister = Lists {
                client: &reach.hub.client,
                instance: &reach.hub.instance_id,
            };
            match reach.hub.topics.find(&lister, &name(&cr), round.since(&core)).await {
                Ok(Some(topic)) => Found::There(topic),
                Ok(None) => Found::Absent,
                Err(error) => {
                    gone_or(round, error, &reach.hub).await?;
                    Found::InstanceGone
                }
            }
        };
        let facts = round.facts(
            &core,
            cr.spec.management.adoption,
            round.owner(),
            None,
            reach.hub.client.server_now(),
        );
        let seen = Seen {
            location: reach.location.clone(),
            instance_id: reach.hub.instance_id.clone(),
            held: reach.held.clone(),
            found,
        };
        let now = facts.now;
        let plan = plan(&cr, facts, seen);
        Ok(Look { reach, plan, now })
    }

    async fn act(_: &Round<'_, Topic>, reach: &InstanceReach, step: &Step) -> Result<Effect, Halt> {
        let hub = &reach.hub;
        let (client, id) = (&hub.client, hub.instance_id.as_str());
        match step {
            Step::Create(topic) => hub.write(client.create_topic(id, topic)).await?,
            Step::Update(topic) => {
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
        matches!(step, Step::Create(_))
    }

    fn settle(_: &Topic, _: &mut TopicStatus, _: &Step, _: Effect, _: Timestamp) {}
}

struct Lists<'a> {
    client: &'a Client,
    instance: &'a str,
}

impl Lister<kafka::Topic> for Lists<'_> {
    const OPERATION: Operation = Operation::ListInstanceTopics;
    const PAGE: u32 = 50;

    async fn page(&self, offset: u32) -> Result<Page<kafka::Topic>, Error> {
        let TopicPage { topics, total, .. } = self.client.list_topics(self.instance, offset, Self::PAGE).await?;
        Ok(Page { items: topics, total })
    }

    fn name(topic: &kafka::Topic) -> String {
        topic.name.clone()
    }
}

//! `Topic`: looks at the shared list, and sends one call.

use std::sync::Arc;

use jiff::Timestamp;

use super::reach::{InstanceReach, Living, child_claim, instance_references, look};
use crate::api::{Topic, TopicStatus};
use crate::cloud::kafka::{self, TopicPage};
use crate::cloud::{Class, Error, Operation, Page, Sent};
use crate::operator::hub::Hub;
use crate::operator::kind::{Effect, Kind, Look, Reference};
use crate::operator::round::Round;
use crate::operator::snapshot::Lister;
use crate::plan::fault::Halt;
use crate::plan::orphans;
use crate::plan::topic::{Step, name, plan};

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
        let spec = &round.cr.spec;
        let living = Living {
            instance: (spec.instance_ref.kind, spec.instance_ref.name.clone()),
            adoption: spec.management.adoption,
            name,
            list: |hub| &hub.topics,
            lister: Lists,
            plan,
        };
        look(round, living).await
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

struct Lists(Arc<Hub>);

impl Lister<kafka::Topic> for Lists {
    const OPERATION: Operation = Operation::ListInstanceTopics;
    const PAGE: u32 = 50;

    async fn page(&self, offset: u32) -> Result<Page<kafka::Topic>, Error> {
        let TopicPage { topics, total, .. } = self
            .0
            .client
            .list_topics(&self.0.instance_id, offset, Self::PAGE)
            .await?;
        Ok(Page { items: topics, total })
    }

    fn name(topic: &kafka::Topic) -> String {
        topic.name.clone()
    }
}

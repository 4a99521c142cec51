//! `KafkaUserQuota`: looks at the shared list, and starts one job.

use std::borrow::Cow;

use jiff::Timestamp;

use super::living::{Living, claims, look, references, stays};
use super::reach::InstanceReach;
use super::usage::Used;
use crate::api::{KafkaUserQuota, KafkaUserQuotaStatus};
use crate::cloud::kafka::Quota;
use crate::cloud::{Error, Operation, Page, Priority};
use crate::operator::hub::Hub;
use crate::operator::kind::{Effect, Kind, Look, Reference};
use crate::operator::reading::Lister;
use crate::operator::round::Round;
use crate::operator::snapshot::Source;
use crate::plan::child::REPLACE;
use crate::plan::fault::Halt;
use crate::plan::grant::Wish;
use crate::plan::kafka_user_quota::{Step, identity, name, plan};

/// The kind.
pub struct KafkaUserQuotas;

impl Kind for KafkaUserQuotas {
    type Cr = KafkaUserQuota;
    type Reach = InstanceReach;
    type Step = Step;

    fn references(cr: &KafkaUserQuota) -> Vec<Reference> {
        references(cr)
    }

    fn claims(cr: &KafkaUserQuota) -> Vec<String> {
        claims(cr, &name(&identity(cr)))
    }

    fn orphans(cr: &KafkaUserQuota) -> bool {
        stays(cr)
    }

    async fn look(round: &Round<'_, KafkaUserQuota>) -> Result<Look<Self>, Halt> {
        let living = Living {
            name: |cr| name(&identity(cr)),
            wish: |cr| {
                let identity = identity(cr);
                Wish::Quota {
                    default: identity.user_default || identity.client_default,
                }
            },
            lister: Lists,
            growth: |_, _| None,
            plan,
        };
        look(round, living).await
    }

    fn hub(reach: &InstanceReach) -> Option<&Hub> {
        Some(&reach.hub)
    }

    async fn act(round: &Round<'_, KafkaUserQuota>, reach: &InstanceReach, step: &Step) -> Result<Effect, Halt> {
        let hub = &reach.hub;
        let (client, id) = (hub.client(round.priority()), hub.instance_id.as_str());
        let job = match step {
            Step::Create(quota) => hub.write(client.create_quota(id, quota)).await?,
            Step::Update(quota) => hub.write(client.update_quota(id, quota)).await?,
            Step::Replace(identity) | Step::Delete(identity) => hub.write(client.delete_quota(id, identity)).await?,
        };
        Ok(Effect::Job(job))
    }

    fn creates(step: &Step) -> bool {
        matches!(step, Step::Create(_))
    }

    fn settle(_: &KafkaUserQuota, status: &mut KafkaUserQuotaStatus, step: &Step, effect: Effect, now: Timestamp) {
        let name = match step {
            Step::Create(_) => "CreateQuota",
            Step::Update(_) => "UpdateQuota",
            Step::Replace(_) => REPLACE,
            Step::Delete(_) => "DeleteQuota",
        };
        if let Some(operation) = effect.operation(&status.core, name, now) {
            status.core.operation = Some(operation);
        }
    }
}

#[derive(Clone)]
struct Lists(Source);

impl Used for Lists {
    /// No call tells, so that the definition refuses the guard.
    async fn in_use(_: &Hub, _: &str) -> Result<Option<String>, Error> {
        Ok(None)
    }
}

impl Lister for Lists {
    type Item = Quota;

    const OPERATION: Operation = Operation::ShowKafkaUserClientQuota;

    async fn page(&self, offset: u32, priority: Priority) -> Result<Page<Quota>, Error> {
        let client = self.0.client.at(priority);
        client.list_quotas(&self.0.instance_id, offset, Self::PAGE).await
    }

    fn name(quota: &Quota) -> Cow<'_, str> {
        name(&quota.identity).into()
    }
}

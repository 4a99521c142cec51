//! `KafkaUserQuota`: looks at the shared list, and starts one job.

use jiff::Timestamp;

use super::reach::{InstanceReach, child_claim, gone_or, instance, instance_references};
use crate::api::{KafkaUserQuota, KafkaUserQuotaStatus};
use crate::cloud::kafka::Quota;
use crate::cloud::{Client, Error, Operation, Page};
use crate::operator::engine::Round;
use crate::operator::kind::{Effect, Kind, Look, Reference};
use crate::operator::snapshot::Lister;
use crate::plan::child::{Found, REPLACE};
use crate::plan::fault::Halt;
use crate::plan::kafka_user_quota::{Seen, Step, identity, name, plan};
use crate::plan::{begun, orphans};

/// The kind.
pub struct KafkaUserQuotas;

impl Kind for KafkaUserQuotas {
    type Cr = KafkaUserQuota;
    type Reach = InstanceReach;
    type Step = Step;

    fn references(cr: &KafkaUserQuota) -> Vec<Reference> {
        instance_references(cr, cr.spec.instance_ref.kind, &cr.spec.instance_ref.name)
    }

    fn claim(cr: &KafkaUserQuota) -> Option<String> {
        child_claim(
            cr,
            cr.spec.instance_ref.kind,
            &cr.spec.instance_ref.name,
            &name(&identity(cr)),
        )
    }

    fn orphans(cr: &KafkaUserQuota) -> bool {
        orphans(cr.spec.management.deletion, cr.status.as_ref().map(|s| &s.core))
    }

    async fn look(round: &Round<'_, KafkaUserQuota>) -> Result<Look<Self>, Halt> {
        let mut cr = round.cr.clone();
        let mut core = cr.status.clone().unwrap_or_default().core;
        let reach = instance(round, cr.spec.instance_ref.kind, &cr.spec.instance_ref.name, &core).await?;
        if reach.moved {
            core.forget();
            cr.status = Some(KafkaUserQuotaStatus {
                core: core.clone(),
                ..Default::default()
            });
        }
        let (client, id) = (&reach.hub.client, reach.hub.instance_id.as_str());
        let mut job = None;
        let found = if reach.leaves {
            Found::InstanceGone
        } else {
            job = round.job(client, id, &core).await?;
            let lister = Lists { client, instance: id };
            match reach
                .hub
                .quotas
                .find(&lister, &name(&identity(&cr)), round.since(&core))
                .await
            {
                Ok(Some(quota)) => Found::There(quota),
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
            job,
            client.server_now(),
        );
        let seen = Seen {
            location: reach.location.clone(),
            instance_id: id.to_owned(),
            held: reach.held.clone(),
            found,
        };
        let now = facts.now;
        let plan = plan(&cr, facts, seen);
        Ok(Look { reach, plan, now })
    }

    async fn act(_: &Round<'_, KafkaUserQuota>, reach: &InstanceReach, step: &Step) -> Result<Effect, Halt> {
        let hub = &reach.hub;
        let (client, id) = (&hub.client, hub.instance_id.as_str());
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
        if let Effect::Job(job) = effect {
            status.core.operation = Some(begun(&status.core, name, job, now));
        }
    }
}

struct Lists<'a> {
    client: &'a Client,
    instance: &'a str,
}

impl Lister<Quota> for Lists<'_> {
    const OPERATION: Operation = Operation::ShowKafkaUserClientQuota;
    const PAGE: u32 = 50;

    fn page(&self, offset: u32) -> impl Future<Output = Result<Page<Quota>, Error>> + Send {
        self.client.list_quotas(self.instance, offset, Self::PAGE)
    }

    fn name(quota: &Quota) -> String {
        name(&quota.identity)
    }
}

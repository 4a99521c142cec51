//! What lives in an instance: one look for all of it. A kind says how its list is read, and who decides.

use kube::core::object::HasStatus as _;

use super::reach::{InstanceReach, instance, pinned_reference};
use crate::api::{LivesInInstance, Managed};
use crate::cloud::{Error, Priority};
use crate::operator::hub::Hub;
use crate::operator::kind::{Kind, Look, Reference};
use crate::operator::round::Round;
use crate::operator::snapshot::{Lister, Sighting, Source};
use crate::plan::child::{Found, Seen};
use crate::plan::fault::Halt;
use crate::plan::{Facts, Job, Plan, orphans};

/// How things of one kind are listed and judged.
pub struct Living<K: Kind, L: Lister> {
    /// The thing's name in the instance.
    pub name: fn(&K::Cr) -> String,
    /// How the pages of the list are read that all of them share.
    pub lister: fn(Source) -> L,
    /// The decision.
    pub plan: Judge<K, L::Item>,
}

/// A kind's decision on what was seen.
type Judge<K, T> = fn(&<K as Kind>::Cr, Facts<'_>, Seen<T>) -> PlanOf<K>;
type PlanOf<K> = Plan<<<K as Kind>::Cr as Managed>::State, <K as Kind>::Step>;

/// The references of something that lives in an instance.
pub fn references<Cr: LivesInInstance>(cr: &Cr) -> Vec<Reference> {
    let (kind, name) = cr.instance();
    let namespace = cr.meta().namespace.as_deref().unwrap_or_default();
    let instance = Reference::new(kind.as_str(), namespace, name);
    std::iter::once(instance).chain(pinned_reference(cr)).collect()
}

/// What something that lives in an instance claims: its name there, by the instance's object, and by its id once known.
pub fn claims<Cr: LivesInInstance>(cr: &Cr, name: &str) -> Vec<String> {
    let (kind, instance) = cr.instance();
    let namespace = cr.meta().namespace.as_deref().unwrap_or_default();
    let mut claims = vec![format!("{}/{namespace}/{instance}/{name}", kind.as_str())];
    let id = cr.core().and_then(|core| core.instance_id.as_ref());
    claims.extend(id.map(|id| format!("id:{id}/{name}")));
    claims
}

/// Whether it stays in its instance when its object goes.
pub fn stays<Cr: LivesInInstance>(cr: &Cr) -> bool {
    orphans(cr.management().deletion, cr.core())
}

/// Looks at something that lives in an instance.
pub async fn look<K, L>(round: &Round<'_, K::Cr>, living: Living<K, L>) -> Result<Look<K>, Halt>
where
    K: Kind<Reach = InstanceReach, Cr: LivesInInstance>,
    L: Lister,
{
    let mut cr = round.cr.clone();
    let mut core = cr.core().cloned().unwrap_or_default();
    let (kind, name) = round.cr.instance();
    let reach = instance(round, kind, name, &core).await?;
    if reach.moved {
        let mut status = <K::Cr as Managed>::State::default();
        core.forget();
        *status.as_mut() = core.clone();
        *cr.status_mut() = Some(status);
    }
    let (hub, mut job, mut as_of) = (&reach.hub, None, None);
    let found = if reach.leaves {
        Found::InstanceGone
    } else {
        let name = (living.name)(&cr);
        job = round.job_on(hub, &core, &name).await?;
        let shared = core.operation.as_ref().is_some_and(|operation| operation.shared);
        if shared && matches!(job, Some(Job::Failed(_))) {
            // Whose fault it was is not known.
            hub.part(&round.writer());
            job = None;
        }
        let lister = (living.lister)(hub.source());
        let fresh = round.freshness(&core, reach.held.is_some());
        match hub.list::<L>().find(&lister, &hub.traffic, &name, fresh).await {
            Ok(Sighting { thing, as_of: begun }) => {
                as_of = Some(begun);
                thing.map_or(Found::Absent, Found::There)
            }
            Err(error) => {
                gone_or(round, error, hub).await?;
                Found::InstanceGone
            }
        }
    };
    let now = hub.client(Priority::Resync).server_now();
    let facts = round.facts(&core, round.cr.management().adoption, round.owner(), job, now);
    let seen = Seen {
        location: reach.location.clone(),
        instance_id: hub.instance_id.clone(),
        held: reach.held.clone(),
        host: reach.host.clone(),
        found,
    };
    let plan = (living.plan)(&cr, facts, seen);
    Ok(Look {
        reach,
        plan,
        as_of,
        now,
    })
}

/// An error of a child's list: the instance is gone only if two looks at the instance itself say so.
async fn gone_or<Cr: Managed>(round: &Round<'_, Cr>, error: Error, hub: &Hub) -> Result<(), Halt> {
    if !error.is_instance_gone() {
        return Err(error.into());
    }
    // Once its object knows, nothing that lives in it asks any more.
    round.cx.rooms.wake_instance(&hub.instance_id);
    let client = hub.client(round.priority());
    match client.instance_status(&hub.instance_id).await {
        Err(second) if second.is_instance_gone() => Ok(()),
        _ => Err(error.into()),
    }
}

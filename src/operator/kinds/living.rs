//! What lives in an instance: one look for all of it. A kind says how its list is read, and who decides.

use std::collections::BTreeSet;
use std::time::Duration;

use kube::Resource as _;
use kube::core::object::HasStatus as _;

use super::reach::{DEFAULT_PROVIDER, InstanceReach, instance, object, pinned_reference};
use super::tenants::has_room;
use super::usage::{Used, guard};
use crate::api::{DeletionGuard, LivesInInstance, Managed, ProviderConfig, Updates};
use crate::cloud::{Error, Priority};
use crate::operator::hub::Hub;
use crate::operator::kind::{Kind, Look, Reference};
use crate::operator::reading::Lister;
use crate::operator::round::Round;
use crate::operator::snapshot::{Sighting, Source};
use crate::plan::child::{Found, Guard, Seen};
use crate::plan::fault::Halt;
use crate::plan::grant::{Share, Wish};
use crate::plan::{Facts, Job, LIST_LAG, Plan, Reason, orphans};

/// What is said of an object that is to be deleted, and is not.
const PROTECTED: &str = "spec.management.deletionProtection is true: set it to false, and the deletion goes on at once";

/// Clocks are no finer than this.
const INSTANT: Duration = Duration::from_millis(1);
/// When an object comes again that was sent away by a crowd before it, if nothing woke it.
pub const LATER: Duration = Duration::from_secs(60);

/// How things of one kind are listed and judged.
pub struct Living<K: Kind, L: Lister> {
    /// The thing's name in the instance.
    pub name: fn(&K::Cr) -> String,
    /// What an instance of another namespace must admit.
    pub wish: fn(&K::Cr) -> Wish,
    /// How the pages of the list are read that all of them share.
    pub lister: fn(Source) -> L,
    /// What it takes of its grant if it is to be made, or grown from what was found.
    pub growth: fn(&K::Cr, Option<&L::Item>) -> Option<Share>,
    /// The decision.
    pub plan: Judge<K, L::Item>,
}

/// A kind's decision on what was seen.
type Judge<K, T> = fn(&<K as Kind>::Cr, Facts<'_>, Seen<T>) -> PlanOf<K>;
type PlanOf<K> = Plan<<<K as Kind>::Cr as Managed>::State, <K as Kind>::Step>;

/// The references of something that lives in an instance.
pub fn references<Cr: LivesInInstance>(cr: &Cr) -> Vec<Reference> {
    let mut references: Vec<_> = object(cr).into_iter().collect();
    let (kind, instance) = cr.instance();
    if let Some(id) = &instance.instance_id {
        // Whatever manages it has a say; whatever reaches it is this object's own.
        let namespace = cr.meta().namespace.as_deref().unwrap_or_default();
        let provider = cr.provider_config_ref().map_or(DEFAULT_PROVIDER, |named| &named.name);
        references.push(Reference::by_id(kind, id));
        references.push(Reference::of::<ProviderConfig>(namespace, provider));
    }
    references.extend(pinned_reference(cr));
    references
}

/// What something that lives in an instance claims: its name there. Who only looks is nobody's rival.
pub fn claims<Cr: LivesInInstance>(cr: &Cr, name: &str) -> Vec<String> {
    if cr.management().observes() {
        return vec![];
    }
    names(cr, name)
}

/// A name in an instance, by the instance's object, and by its id once known.
fn names<Cr: LivesInInstance>(cr: &Cr, name: &str) -> Vec<String> {
    let by_object = object(cr).map(|object| format!("{}/{}/{}/{name}", object.kind, object.namespace, object.name));
    let known = cr.core().and_then(|core| core.instance_id.as_ref());
    let ids = BTreeSet::from_iter(known.into_iter().chain(&cr.instance().1.instance_id));
    let by_id = ids.into_iter().map(|id| format!("id:{id}/{name}"));
    by_object.into_iter().chain(by_id).collect()
}

/// Whether its object can go at once, and leaves it in its instance.
pub fn stays<Cr: LivesInInstance>(cr: &Cr) -> bool {
    let management = cr.management();
    !management.deletion_protection && (management.observes() || orphans(management.deletion, cr.core()))
}

/// Looks at something that lives in an instance.
pub async fn look<K, L>(round: &Round<'_, K::Cr>, living: Living<K, L>) -> Result<Look<K>, Halt>
where
    K: Kind<Reach = InstanceReach, Cr: LivesInInstance>,
    L: Used,
{
    let management = round.cr.management();
    if round.deleting() && management.deletion_protection {
        return Err(Halt::Stop(Reason::DeletionBlocked, PROTECTED.into()));
    }
    let mut cr = round.cr.clone();
    let mut core = cr.core().cloned().unwrap_or_default();
    if core.observed_generation != cr.meta().generation {
        // An edit may begin or end a claim.
        let names = names(&cr, &(living.name)(&cr));
        round.cx.rooms.of::<K::Cr>().wake_claimants(&cr, &names);
    }
    let reach = instance(round, &core, &(living.wish)(round.cr)).await?;
    if reach.moved {
        let mut status = <K::Cr as Managed>::State::default();
        core.forget();
        *status.as_mut() = core.clone();
        *cr.status_mut() = Some(status);
    }
    let name = (living.name)(&cr);
    let (hub, mut job, mut as_of, mut guarded) = (&reach.hub, None, None, Guard::Open);
    let found = if reach.leaves {
        Found::InstanceGone
    } else {
        let followed = round.job_on(hub, &core, &name).await?;
        // What a job did must show, or it would be sent again.
        let ended = followed
            .as_ref()
            .filter(|(job, _)| *job != Job::Running)
            .and_then(|(_, read)| read.checked_sub(INSTANT));
        job = followed.map(|(job, _)| job);
        let shared = core.operation.as_ref().is_some_and(|operation| operation.shared);
        if shared && matches!(job, Some(Job::Failed(_))) {
            // Whose fault it was is not known.
            hub.part(&round.writer());
            job = None;
        }
        let lister = (living.lister)(hub.source());
        let mut fresh = round.freshness(&core, reach.held.is_some());
        fresh.after = ended.map_or(fresh.after, |ended| ended.max(fresh.after));
        let reader = (&Reference::to(round.cr), name.as_str());
        match hub
            .list::<L>()
            .find_or_later(&lister, &hub.traffic, reader, fresh)
            .await
        {
            Ok(None) => return Err(Halt::Later(LATER)),
            Ok(Some(Sighting { thing, as_of: begun })) => {
                as_of = Some(begun);
                if thing.is_some() && asks(round) && job != Some(Job::Running) {
                    guarded = guard::<L>(hub, &name).await?;
                }
                thing.map_or(Found::Absent, Found::There)
            }
            Err(error) => {
                gone_or(round, error, hub).await?;
                Found::InstanceGone
            }
        }
    };
    let growth = match &found {
        _ if management.observes() => None,
        Found::There(_) if management.updates == Updates::Report => None,
        Found::There(thing) => (living.growth)(&cr, Some(thing)),
        Found::Absent => (living.growth)(&cr, None),
        Found::InstanceGone => None,
    };
    if let (Some(admission), Some(share)) = (&reach.admission, growth) {
        has_room(round, admission, &hub.instance_id, &name, share)?;
    }
    let now = hub.client(Priority::Resync).server_now();
    let mut facts = round.facts(&core, management.adoption, round.owner(), job, now);
    (facts.policy, facts.updates) = (management.policy, management.updates);
    let seen = Seen {
        location: reach.location.clone(),
        instance_id: hub.instance_id.clone(),
        held: reach.held.clone(),
        host: reach.host.clone(),
        found,
        guard: guarded,
    };
    let plan = (living.plan)(&cr, facts, seen);
    Ok(Look {
        reach,
        plan,
        as_of,
        now,
    })
}

/// Whether its guard asks if it is in use: while it is to be deleted, until that was sent.
fn asks<Cr: LivesInInstance>(round: &Round<'_, Cr>) -> bool {
    let guarded = round.cr.management().deletion_guard == DeletionGuard::InUse;
    let sent = || round.cx.rooms.of::<Cr>().note(round.cr, |note| note.deleted);
    round.deleting() && guarded && sent().is_none_or(|sent| sent.elapsed() >= LIST_LAG)
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

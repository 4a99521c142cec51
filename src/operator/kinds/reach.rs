//! The way from an object to the cloud: its provider, and for what lives in an instance, its instance.

use std::sync::Arc;

use kube::core::object::HasStatus as _;

use crate::api::{Adoption, CoreStatus, InstanceKind, KafkaInstance, Location, Managed, ProviderConfig};
use crate::cloud::{Error, InstanceStatus};
use crate::operator::hub::Hub;
use crate::operator::kind::{Kind, Look, Reference};
use crate::operator::providers::Provider;
use crate::operator::round::Round;
use crate::operator::snapshot::{Lister, Shared};
use crate::plan::child::{Found, Seen};
use crate::plan::fault::Halt;
use crate::plan::instance::{DELETE, Phase};
use crate::plan::{Facts, Plan, Reason};

/// The name of the ProviderConfig that serves an object that names none.
pub const DEFAULT_PROVIDER: &str = "default";

/// An instance, for something that lives in it.
pub struct InstanceReach {
    /// The instance's traffic.
    pub hub: Arc<Hub>,
    /// Where it lives.
    pub location: Location,
    /// Why no write may be sent to it now.
    pub held: Option<String>,
    /// Its deletion was accepted: everything in it goes along.
    pub leaves: bool,
    /// The instance that the object used to live in is gone, and this is a new one.
    pub moved: bool,
}

/// The provider of an object that names one, or the default one. Once pinned, the place is the place.
pub async fn provider<Cr: Managed>(
    round: &Round<'_, Cr>,
    named: Option<&str>,
    core: &CoreStatus,
) -> Result<Provider, Halt> {
    let namespace = round.namespace();
    let wanted = named.unwrap_or(DEFAULT_PROVIDER);
    // Deletion goes by what was pinned.
    let name = match &core.provider {
        Some(pinned) if round.deleting() => pinned.name.as_str(),
        _ => wanted,
    };
    let provider = round.cx.providers.of(round.cx, namespace, name).await?;
    check_pin(core, &provider, name)?;
    Ok(provider)
}

/// The references of an object whose provider is named so.
pub fn provider_references<Cr: Managed>(cr: &Cr, named: Option<&str>) -> Vec<Reference> {
    let namespace = cr.meta().namespace.as_deref().unwrap_or_default();
    let mut references = vec![Reference::of::<ProviderConfig>(
        namespace,
        named.unwrap_or(DEFAULT_PROVIDER),
    )];
    references.extend(pinned_reference(cr));
    references
}

/// The references of something that lives in an instance.
pub fn instance_references<Cr: Managed>(cr: &Cr, kind: InstanceKind, name: &str) -> Vec<Reference> {
    let namespace = cr.meta().namespace.as_deref().unwrap_or_default();
    let instance = match kind {
        InstanceKind::KafkaInstance => Reference::of::<KafkaInstance>(namespace, name),
    };
    std::iter::once(instance).chain(pinned_reference(cr)).collect()
}

/// What something that lives in an instance claims: its name there.
pub fn child_claim<Cr: Managed>(cr: &Cr, kind: InstanceKind, instance: &str, name: &str) -> Option<String> {
    let namespace = cr.meta().namespace.as_deref().unwrap_or_default();
    Some(format!("{kind:?}/{namespace}/{instance}/{name}"))
}

/// The instance that an object lives in.
async fn instance<Cr: Managed>(
    round: &Round<'_, Cr>,
    kind: InstanceKind,
    name: &str,
    core: &CoreStatus,
) -> Result<InstanceReach, Halt> {
    let InstanceKind::KafkaInstance = kind;
    let namespace = round.namespace();
    let object = round.cx.rooms.of::<KafkaInstance>().get(namespace, name);
    let status = object.as_ref().and_then(|o| o.status.as_ref());
    if round.deleting() {
        return leaving(round, core, status.map(|s| &s.core)).await;
    }
    let waiting = |why: &str| Halt::Waiting(format!("KafkaInstance {namespace}/{name} {why}"));
    let Some(object) = &object else {
        return Err(waiting("does not exist"));
    };
    if object.metadata.deletion_timestamp.is_some() {
        return Err(waiting("is being deleted"));
    }
    let ready = || {
        status
            .iter()
            .flat_map(|s| &s.core.conditions)
            .find(|c| c.type_ == "Ready")
    };
    let found = status.and_then(|s| Some((s.core.instance_id.clone()?, s.core.provider.clone()?, s.state.clone())));
    let Some((id, pinned, state)) = found else {
        return Err(waiting(&ready().map_or("waits for the first look".into(), |c| {
            format!("is not there yet: {}", c.reason)
        })));
    };
    let Some(state) = state else {
        return Err(waiting(
            &ready().map_or("is not readable".into(), |c| format!("is not there: {}", c.reason)),
        ));
    };
    let phase = Phase::of(&state);
    if matches!(
        phase,
        Phase::Creating | Phase::Broken | Phase::Deleting | Phase::Recycled | Phase::Frozen
    ) {
        return Err(waiting(&format!("is {state}")));
    }
    let provider = round.cx.providers.of(round.cx, &pinned.namespace, &pinned.name).await?;
    let moved = match &core.instance_id {
        Some(before) if *before != id => {
            if !is_gone(&former(round, core, &provider).await?, before).await? {
                return Err(Halt::Stop(
                    Reason::InvalidSpec,
                    format!(
                        "spec.instanceRef: KafkaInstance {namespace}/{name} stands for instance {id} now, but this was made in {before}, which is still there; nothing is moved"
                    ),
                ));
            }
            true
        }
        _ => false,
    };
    if !moved {
        check_pin(core, &provider, &pinned.name)?;
    }
    let hub = hub(round, &provider, &id);
    let held = if phase.serves() {
        hub.held()
    } else {
        Some(format!("KafkaInstance {namespace}/{name} is {state}"))
    };
    Ok(InstanceReach {
        hub,
        location: provider.location,
        held,
        leaves: false,
        moved,
    })
}

/// Deletion goes by what was pinned, also when the instance's object is gone.
async fn leaving<Cr: Managed>(
    round: &Round<'_, Cr>,
    core: &CoreStatus,
    instance: Option<&CoreStatus>,
) -> Result<InstanceReach, Halt> {
    let (Some(id), Some(pinned)) = (&core.instance_id, &core.provider) else {
        return Err(Halt::Waiting("it is not known which instance this lives in".into()));
    };
    let provider = round.cx.providers.of(round.cx, &pinned.namespace, &pinned.name).await?;
    check_pin(core, &provider, &pinned.name)?;
    let hub = hub(round, &provider, id);
    let leaves = match instance.filter(|i| i.instance_id.as_ref() == Some(id)) {
        Some(instance) => {
            let accepted = instance.operation.as_ref();
            accepted.is_some_and(|operation| operation.name == DELETE && operation.failure.is_none())
        }
        // Its object went when it was in the bin, where nothing in it can be reached.
        None => matches!(provider.client.instance_status(id).await, Ok(state) if is_recycled(state.as_ref())),
    };
    let held = hub.held();
    Ok(InstanceReach {
        hub,
        location: provider.location,
        held,
        leaves,
        moved: false,
    })
}

/// The provider of the place that was pinned; only there can be asked for what lives there.
async fn former<Cr: Managed>(round: &Round<'_, Cr>, core: &CoreStatus, present: &Provider) -> Result<Provider, Halt> {
    let Some(pinned) = core.provider.as_ref().filter(|p| !p.same_place(&present.location)) else {
        return Ok(present.clone());
    };
    let provider = round.cx.providers.of(round.cx, &pinned.namespace, &pinned.name).await?;
    check_pin(core, &provider, &pinned.name)?;
    Ok(provider)
}

/// Whether the service says twice, by its own code, that there is no such instance, or that it is in the recycle bin.
async fn is_gone(provider: &Provider, id: &str) -> Result<bool, Halt> {
    for _ in 0..2 {
        match provider.client.instance_status(id).await {
            Ok(state) if is_recycled(state.as_ref()) => {}
            Ok(_) => return Ok(false),
            Err(error) if error.is_instance_gone() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(true)
}

fn is_recycled(state: Option<&InstanceStatus>) -> bool {
    state.is_some_and(|state| Phase::of(state.as_str()) == Phase::Recycled)
}

/// How things of one kind are listed and judged.
pub struct Living<K: Kind, T, L> {
    /// The instance's object.
    pub instance: (InstanceKind, String),
    /// `management.adoption`.
    pub adoption: Adoption,
    /// The thing's name in the instance.
    pub name: fn(&K::Cr) -> String,
    /// The list that all of them share.
    pub list: fn(&Hub) -> &Shared<T>,
    /// How its pages are read.
    pub lister: fn(Arc<Hub>) -> L,
    /// The decision.
    pub plan: Judge<K, T>,
}

/// A kind's decision on what was seen.
type Judge<K, T> = fn(&<K as Kind>::Cr, Facts<'_>, Seen<T>) -> PlanOf<K>;
type PlanOf<K> = Plan<<<K as Kind>::Cr as Managed>::State, <K as Kind>::Step>;

/// Looks at something that lives in an instance.
pub async fn look<K, T, L>(round: &Round<'_, K::Cr>, living: Living<K, T, L>) -> Result<Look<K>, Halt>
where
    K: Kind<Reach = InstanceReach>,
    T: Clone + Send + Sync,
    L: Lister<T> + Send,
{
    let mut cr = round.cr.clone();
    let mut core = cr.core().cloned().unwrap_or_default();
    let (kind, name) = &living.instance;
    let reach = instance(round, *kind, name, &core).await?;
    if reach.moved {
        let mut status = <K::Cr as Managed>::State::default();
        core.forget();
        *status.as_mut() = core.clone();
        *cr.status_mut() = Some(status);
    }
    let (hub, mut job) = (&reach.hub, None);
    let found = if reach.leaves {
        Found::InstanceGone
    } else {
        job = round.job(&hub.client, &hub.instance_id, &core).await?;
        let lister = (living.lister)(hub.clone());
        match (living.list)(hub)
            .find(&lister, &(living.name)(&cr), round.since(&core))
            .await
        {
            Ok(Some(thing)) => Found::There(thing),
            Ok(None) => Found::Absent,
            Err(error) => {
                gone_or(round, error, hub).await?;
                Found::InstanceGone
            }
        }
    };
    let now = hub.client.server_now();
    let facts = round.facts(&core, living.adoption, round.owner(), job, now);
    let seen = Seen {
        location: reach.location.clone(),
        instance_id: hub.instance_id.clone(),
        held: reach.held.clone(),
        found,
    };
    let plan = (living.plan)(&cr, facts, seen);
    Ok(Look { reach, plan, now })
}

/// An error of a child's list: the instance is gone only if two looks at the instance itself say so.
async fn gone_or<Cr: Managed>(round: &Round<'_, Cr>, error: Error, hub: &Hub) -> Result<(), Halt> {
    if !error.is_instance_gone() {
        return Err(error.into());
    }
    // Once its object knows, nothing that lives in it asks any more.
    for object in round.cx.rooms.of::<KafkaInstance>().all() {
        if object
            .core()
            .is_some_and(|core| core.instance_id.as_ref() == Some(&hub.instance_id))
        {
            round.cx.rooms.wake(&Reference::to(&*object));
        }
    }
    match hub.client.instance_status(&hub.instance_id).await {
        Err(second) if second.is_instance_gone() => Ok(()),
        _ => Err(error.into()),
    }
}

fn hub<Cr: Managed>(round: &Round<'_, Cr>, provider: &Provider, id: &str) -> Arc<Hub> {
    let location = &provider.location;
    round.cx.hubs.of(
        (&location.namespace, &location.name),
        &provider.client,
        id,
        round.cx.config.poll,
    )
}

fn check_pin(core: &CoreStatus, provider: &Provider, name: &str) -> Result<(), Halt> {
    match &core.provider {
        Some(pinned) if !pinned.same_place(&provider.location) => {
            let show = |l: &Location| format!("{} {} project {}", l.endpoint, l.region, l.project_id);
            Err(Halt::Stop(
                Reason::InvalidSpec,
                format!(
                    "ProviderConfig {name} leads to {}, but this lives at {}; nothing is moved: point it back",
                    show(&provider.location),
                    show(pinned)
                ),
            ))
        }
        _ => Ok(()),
    }
}

fn pinned_reference<Cr: Managed>(cr: &Cr) -> Option<Reference> {
    let pinned = cr.core()?.provider.as_ref()?;
    Some(Reference::of::<ProviderConfig>(&pinned.namespace, &pinned.name))
}

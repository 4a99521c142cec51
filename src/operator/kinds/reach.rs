//! The way from an object to the cloud: its provider, and for what lives in an instance, its instance.

use std::sync::Arc;

use super::hosts::shown;
use super::tenants::{Admission, admitted};
use crate::api::{CoreStatus, InstanceKind, LivesInInstance, Location, Managed, ProviderConfig};
use crate::cloud::{Class, Engine, InstanceStatus};
use crate::operator::hub::Hub;
use crate::operator::kind::Reference;
use crate::operator::providers::Provider;
use crate::operator::round::Round;
use crate::operator::snapshot::Freshness;
use crate::plan::Reason;
use crate::plan::child::Host;
use crate::plan::fault::Halt;
use crate::plan::grant::Wish;
use crate::plan::instance::{DELETE, Phase};

/// The name of the ProviderConfig that serves an object that names none.
pub const DEFAULT_PROVIDER: &str = "default";

/// An instance, for something that lives in it.
pub struct InstanceReach {
    /// The instance's traffic.
    pub hub: Arc<Hub>,
    /// Where it lives.
    pub location: Location,
    /// What it is.
    pub host: Host,
    /// Why no write may be sent to it now.
    pub held: Option<String>,
    /// Its deletion was accepted: everything in it goes along.
    pub leaves: bool,
    /// The instance that the object used to live in is gone, and this is a new one.
    pub moved: bool,
    /// By which grant an instance of another namespace admits the object.
    pub admission: Option<Admission>,
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

/// The instance's object that something names, if it goes by that.
pub fn object<Cr: LivesInInstance>(cr: &Cr) -> Option<Reference> {
    let (kind, instance) = cr.instance();
    let own = cr.meta().namespace.as_deref().unwrap_or_default();
    let namespace = instance.namespace.as_deref().unwrap_or(own);
    Some(Reference::new(kind.as_str(), namespace, instance.name.as_ref()?))
}

/// The instance that an object lives in.
pub async fn instance<Cr: LivesInInstance>(
    round: &Round<'_, Cr>,
    core: &CoreStatus,
    wish: &Wish,
) -> Result<InstanceReach, Halt> {
    let kind = round.cr.instance().0;
    if round.deleting() {
        let home = match (object(round.cr), &core.instance_id) {
            (Some(object), _) => round.cx.rooms.home(&object),
            (None, Some(id)) => round.cx.rooms.homes_of(id).pop().map(|(_, home)| home),
            (None, None) => None,
        };
        return leaving(round, engine(kind), core, home.map(|home| home.core)).await;
    }
    let Place {
        title,
        waits,
        id,
        state,
        host,
        provider,
        admission,
    } = match object(round.cr) {
        Some(object) => by_object(round, object, wish).await?,
        None => by_id(round, wish).await?,
    };
    let waiting = |why: &str| waits(format!("{title} {why}"));
    let phase = Phase::of(&state);
    if matches!(
        phase,
        Phase::Creating | Phase::Broken | Phase::Deleting | Phase::Recycled | Phase::Frozen
    ) {
        return Err(waiting(&format!("is {state}")));
    }
    if kind == InstanceKind::RocketMQInstance && host.engine_version.is_none() {
        // What must be said of a topic or a group depends on it.
        return Err(Halt::Polling(format!("{title} does not tell its version")));
    }
    let moved = match &core.instance_id {
        Some(before) if *before != id => {
            if !is_gone(&former(round, core, &provider).await?, before).await? {
                return Err(Halt::Stop(
                    Reason::InvalidSpec,
                    format!(
                        "spec.instanceRef: {title} stands for instance {id} now, but this was made in {before}, which is still there; nothing is moved"
                    ),
                ));
            }
            true
        }
        _ => false,
    };
    if !moved {
        check_pin(core, &provider, &provider.location.name)?;
    }
    let hub = hub(round, &provider, engine(kind), &id);
    let held = if phase.serves() {
        hub.held()
    } else {
        Some(format!("{title} is {state}"))
    };
    Ok(InstanceReach {
        hub,
        location: provider.location,
        host,
        held,
        leaves: false,
        moved,
        admission,
    })
}

/// An instance that is there.
struct Place {
    /// For messages.
    title: String,
    /// How whoever needs it waits for it.
    waits: fn(String) -> Halt,
    id: String,
    /// The service's word.
    state: String,
    host: Host,
    provider: Provider,
    admission: Option<Admission>,
}

/// The instance that an object manages, reached as that object says.
async fn by_object<Cr: LivesInInstance>(
    round: &Round<'_, Cr>,
    reference: Reference,
    wish: &Wish,
) -> Result<Place, Halt> {
    let waiting = |why: &str| Halt::Unhoused(format!("{reference} {why}"));
    let Some(home) = round.cx.rooms.home(&reference) else {
        return Err(waiting("does not exist"));
    };
    let admission = admitted(round, &reference, &home, wish)?;
    if home.leaves {
        return Err(waiting("is being deleted"));
    }
    let ready = home.core.conditions.iter().find(|c| c.type_ == "Ready");
    let (Some(id), Some(pinned)) = (&home.core.instance_id, &home.core.provider) else {
        return Err(waiting(&ready.map_or("waits for the first look".into(), |c| {
            format!("is not there yet: {}", c.reason)
        })));
    };
    let Some(state) = home.state else {
        return Err(waiting(
            &ready.map_or("is not readable".into(), |c| format!("is not there: {}", c.reason)),
        ));
    };
    let provider = round.cx.providers.of(round.cx, &pinned.namespace, &pinned.name).await?;
    Ok(Place {
        title: reference.to_string(),
        waits: Halt::Unhoused,
        id: id.clone(),
        state,
        host: home.host,
        provider,
        admission,
    })
}

/// An instance that is named by its id: reached by this object's own ProviderConfig. If an object of another namespace manages
/// it, that one is asked too.
async fn by_id<Cr: LivesInInstance>(round: &Round<'_, Cr>, wish: &Wish) -> Result<Place, Halt> {
    let (kind, named) = round.cr.instance();
    let id = named.instance_id.clone().unwrap_or_default();
    let named = round.cr.provider_config_ref().map(|named| named.name.as_str());
    let wanted = named.unwrap_or(DEFAULT_PROVIDER);
    let provider = round.cx.providers.of(round.cx, round.namespace(), wanted).await?;
    let mut admission = None;
    for (reference, home) in round.cx.rooms.homes_of(&id) {
        let there = home
            .core
            .provider
            .as_ref()
            .is_some_and(|at| at.same_place(&provider.location));
        if there && home.core.origin.is_some() {
            admission = admission.or(admitted(round, &reference, &home, wish)?);
        }
    }
    let hub = hub(round, &provider, engine(kind), &id);
    let shown = match shown(&hub, round.host_freshness(), round.cx.config.poll).await {
        Err(error) if error.class() == Class::Invalid => {
            let why = format!("spec.instanceRef: {}", error.without_request_id());
            return Err(Halt::Stop(Reason::InvalidSpec, why));
        }
        shown => shown?,
    };
    let title = format!("instance {id}");
    let Some(state) = shown.state else {
        let location = &provider.location;
        return Err(Halt::Stop(
            Reason::NotFound,
            format!(
                "spec.instanceRef.instanceId: {title} is not there, in {} project {} of ProviderConfig {}",
                location.region, location.project_id, location.name
            ),
        ));
    };
    Ok(Place {
        title,
        waits: Halt::Polling,
        id,
        state,
        host: shown.host,
        provider,
        admission,
    })
}

/// Deletion goes by what was pinned, also when the instance's object is gone.
async fn leaving<Cr: Managed>(
    round: &Round<'_, Cr>,
    engine: Engine,
    core: &CoreStatus,
    instance: Option<CoreStatus>,
) -> Result<InstanceReach, Halt> {
    let (Some(id), Some(pinned)) = (&core.instance_id, &core.provider) else {
        return Err(Halt::Waiting("it is not known which instance this lives in".into()));
    };
    let provider = round.cx.providers.of(round.cx, &pinned.namespace, &pinned.name).await?;
    check_pin(core, &provider, &pinned.name)?;
    let hub = hub(round, &provider, engine, id);
    let leaves = match instance.filter(|i| i.instance_id.as_ref() == Some(id)) {
        Some(instance) => {
            let accepted = instance.operation.as_ref();
            accepted.is_some_and(|operation| operation.name == DELETE && operation.failure.is_none())
        }
        // Its object went when it was in the bin, where nothing in it can be reached.
        None => {
            let poll = round.cx.config.poll;
            let fresh = Freshness {
                age: poll,
                ..round.host_freshness()
            };
            let shown = shown(&hub, fresh, poll).await;
            shown.is_ok_and(|shown| shown.state.is_some_and(|state| Phase::of(&state) == Phase::Recycled))
        }
    };
    let held = hub.held();
    Ok(InstanceReach {
        hub,
        location: provider.location,
        host: Host::default(),
        held,
        leaves,
        moved: false,
        admission: None,
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

/// The hub of an instance, as a ProviderConfig reaches it.
pub fn hub<Cr: Managed>(round: &Round<'_, Cr>, provider: &Provider, engine: Engine, id: &str) -> Arc<Hub> {
    let location = &provider.location;
    round.cx.hubs.of(
        (&location.namespace, &location.name),
        &provider.client,
        (engine, id),
        round.cx.config.poll,
    )
}

fn engine(kind: InstanceKind) -> Engine {
    match kind {
        InstanceKind::KafkaInstance => Engine::Kafka,
        InstanceKind::RocketMQInstance => Engine::RocketMq,
    }
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

/// The ProviderConfig that an object was pinned to.
pub fn pinned_reference<Cr: Managed>(cr: &Cr) -> Option<Reference> {
    let pinned = cr.core()?.provider.as_ref()?;
    Some(Reference::of::<ProviderConfig>(&pinned.namespace, &pinned.name))
}

//! What the engines have in common: an instance of either is ordered, compared and changed alike.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use kube::Resource as _;
use kube::core::object::HasStatus as _;

use super::settings::{Changes, compare_frozen, compare_settings};
use super::storage::{compare_storage, next_total};
use super::tags::compare_tags;
use super::{Calls, Found, Instance};
use crate::api::{InstanceSpec, Location, Managed, ObservedInstance, Origin};
use crate::cloud::{InstanceStatus, Order, Tag, TagAction};
use crate::plan::upkeep::Comparison;
use crate::plan::{Differences, Facts, Plan};

/// Name of the operation that grows the storage.
pub const EXTEND_STORAGE: &str = "ExtendStorage";

/// What is an engine's own of its instances.
pub trait InstanceEngine: Send + Sync + 'static {
    /// The custom resource.
    type Cr: Managed;
    /// An instance, and what was read beside it.
    type View: Clone + Debug + Send + Sync;
    /// The body of a create call.
    type Create: Clone + Debug + PartialEq + Send + Sync;
    /// The body of a change call; its default changes nothing.
    type Update: Clone + Debug + Default + PartialEq + Send + Sync;

    /// `Kafka instance`, for messages.
    const TITLE: &'static str;
    /// The key of a tag that carries a create's nonce, if a tag does.
    const NONCE_TAG: Option<&'static str> = None;

    /// The part of the spec that the engines share.
    fn spec(cr: &Self::Cr) -> &InstanceSpec;
    /// The keys of tags that are on record as ours.
    fn managed_tags(status: &mut State<Self>) -> &mut BTreeSet<String>;
    /// The service's word for its state.
    fn state(view: &Self::View) -> Option<&InstanceStatus>;
    /// Its tags; `None` if they could not be read.
    fn tags(view: &Self::View) -> Option<&[Tag]>;
    /// What it shows of what the engines share; `before` is what was written down at the look before.
    fn observe(view: &Self::View, before: &State<Self>) -> ObservedInstance;
    /// Writes down what it shows.
    fn show(status: &mut State<Self>, view: &Self::View, observed: ObservedInstance);
    /// Takes back from the status what only an instance that is there shows.
    fn hide(status: &mut State<Self>);
    /// What each broker starts with at least, in GB.
    fn least_disk(spec: &InstanceSpec) -> u32;
    /// Whether the number of brokers must be said.
    fn needs_brokers(spec: &InstanceSpec) -> bool;
    /// The most that each broker can have, in GB, as far as it is known.
    fn most_disk(view: &Self::View) -> Option<u32>;
    /// What to send. The nonce must be found again by a search.
    fn create(cr: &Self::Cr, order: Order, nonce: &str) -> Self::Create;
    /// Adds the engine's own differences, and what mends them.
    fn compare(
        cr: &Self::Cr,
        view: &Self::View,
        observed: &ObservedInstance,
        changes: Changes,
        differences: &mut Differences,
    ) -> Self::Update;
}

/// The status of an engine's custom resource.
pub type State<E> = <<E as InstanceEngine>::Cr as Managed>::State;

/// One call, of either engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<Create, Update> {
    /// Kafka API reference 5.1.1, RocketMQ API reference 5.1.2.
    Create(Box<Create>),
    /// Kafka and RocketMQ API reference 5.1.5, with nothing but what changes.
    Update(Update),
    /// Kafka API reference 5.10.1, RocketMQ API reference 5.8.1.
    Tags(TagAction, Vec<Tag>),
    /// Kafka API reference 5.4.1, RocketMQ API reference 5.10.2: the new total in GB.
    ExtendStorage(u32),
    /// Kafka and RocketMQ API reference 5.1.4.
    Delete(String),
}

/// The steps of an engine.
pub type StepOf<E> = Step<<E as InstanceEngine>::Create, <E as InstanceEngine>::Update>;

/// What a look shows.
#[derive(Clone, Debug)]
pub struct Seen<View> {
    /// Where the instance lives or shall live.
    pub location: Location,
    /// The enterprise project of an instance that names none.
    pub enterprise_project_id: Option<String>,
    /// Ids of the zones by their codes; empty where nothing has to be translated.
    pub zones: Arc<BTreeMap<String, String>>,
    /// The instance.
    pub found: Found<View>,
    /// How long complete searches must have found nothing.
    pub search_window: Duration,
}

/// The instance's name in the cloud.
pub fn name<E: InstanceEngine + ?Sized>(object: &E::Cr) -> String {
    let own = || object.meta().name.clone();
    E::spec(object).name.clone().or_else(own).unwrap_or_default()
}

/// Decides.
pub fn plan<E: InstanceEngine>(object: &E::Cr, facts: Facts<'_>, seen: Seen<E::View>) -> Plan<State<E>, StepOf<E>> {
    let before = object.status().cloned().unwrap_or_default();
    let mut status = before.clone();
    let managed_before = E::managed_tags(&mut status).clone();
    match &seen.found {
        Found::There(view) => E::show(&mut status, view, E::observe(view, &before)),
        Found::Missing(1) => {}
        Found::Missing(_) => E::hide(&mut status),
        Found::Searched(_) => {
            status = State::<E>::default();
            *status.as_mut() = before.as_ref().clone();
            *E::managed_tags(&mut status) = managed_before.clone();
        }
    }
    let spec = E::spec(object);
    let intent = facts.core.create_intent.as_ref();
    let nonce = intent.and_then(|i| i.nonce.as_deref()).unwrap_or(facts.nonce);
    let calls = Calls {
        create: order::<E>(object, &seen).map(|order| Step::Create(Box::new(E::create(object, order, nonce)))),
        delete: Step::Delete(facts.core.instance_id.clone().unwrap_or_default()),
    };
    let names = spec.name.is_some() || facts.core.origin == Some(Origin::Created);
    let zones = seen.zones;
    let instance = Instance {
        title: format!("{} {}", E::TITLE, name::<E>(object)),
        facts,
        location: seen.location,
        named_id: spec.instance_id.as_deref(),
        found: seen.found,
        search_window: seen.search_window,
    };
    let ours = || spec.tags.keys().cloned();
    let mut managed = None;
    let mut plan = instance.plan(
        status,
        |view| E::state(view).map_or("", InstanceStatus::as_str),
        calls,
        |view| {
            let mut released = vec![];
            let observed = E::observe(view, &before);
            let name = names.then(|| name::<E>(object));
            let mut differences = Differences::default();
            let mut steps = vec![];
            let changes = compare_settings(spec, name, &observed, &mut differences);
            let update = E::compare(object, view, &observed, changes, &mut differences);
            if update != E::Update::default() {
                steps.push(Step::Update(update));
            }
            if let Some(tags) = E::tags(view) {
                let changes = compare_tags(
                    spec,
                    tags,
                    E::NONCE_TAG,
                    &managed_before,
                    &mut differences,
                    &mut released,
                );
                steps.extend(changes.into_iter().map(|(action, tags)| Step::Tags(action, tags)));
                // A removed tag stays on record until it was seen to be gone.
                managed = Some(ours().chain(released).collect());
            }
            let mut refused = None;
            match compare_storage(spec, &observed, E::most_disk(view), &mut differences) {
                Some(Ok(total)) => steps.push(Step::ExtendStorage(total)),
                Some(Err(why)) => refused = Some(why),
                None => {}
            }
            compare_frozen(spec, &observed, &zones, &mut differences);
            Comparison {
                differences,
                steps,
                refused,
                summary: summary(E::state(view), &observed),
            }
        },
    );
    if let Some(managed) = managed {
        *E::managed_tags(&mut plan.status) = managed;
    }
    if let Some(Step::Create(_)) = plan.steps.first() {
        *E::managed_tags(&mut plan.status) = ours().collect();
        if let Some(intent) = &mut plan.status.as_mut().create_intent {
            intent.name = Some(name::<E>(object));
        }
    }
    plan
}

/// What to order, or what is wrong with the spec.
fn order<E: InstanceEngine>(object: &E::Cr, seen: &Seen<E::View>) -> Result<Order, String> {
    let spec = E::spec(object);
    fn need<T: Clone>(field: &str, value: &Option<T>) -> Result<T, String> {
        value
            .clone()
            .ok_or_else(|| format!("spec.{field} is needed to create an instance"))
    }
    if E::needs_brokers(spec) {
        need("brokerNum", &spec.broker_num)?;
    }
    let storage_space = need("storageSpace", &spec.storage_space)?;
    let least = E::least_disk(spec);
    let brokers = spec.broker_num.unwrap_or(1);
    let reachable = next_total(brokers, least.saturating_mul(brokers), storage_space);
    if storage_space != reachable {
        return Err(format!(
            "spec.storageSpace {storage_space} cannot be shared by {brokers} brokers in whole GB of at least {least} each; the next total that can is {reachable}"
        ));
    }
    if spec.available_zones.is_empty() {
        return Err("spec.availableZones is needed to create an instance".into());
    }
    let ids: BTreeSet<_> = seen.zones.values().collect();
    let zone = |zone: &String| match seen.zones.get(zone) {
        Some(id) => Ok(id.clone()),
        None if ids.contains(zone) => Ok(zone.clone()),
        None => {
            let known = seen.zones.keys().cloned().collect::<Vec<_>>().join(", ");
            Err(format!(
                "spec.availableZones: there is no zone {zone} in {}; there are {known}",
                seen.location.region
            ))
        }
    };
    let of_the_provider = || seen.enterprise_project_id.clone();
    Ok(Order {
        name: name::<E>(object),
        description: spec.description.clone(),
        engine_version: need("engineVersion", &spec.engine_version)?,
        broker_num: spec.broker_num,
        storage_space: storage_space.into(),
        storage_spec_code: need("storageSpecCode", &spec.storage_spec_code)?,
        product_id: need("productId", &spec.product_id)?,
        vpc_id: need("vpcId", &spec.vpc_id)?,
        subnet_id: need("subnetId", &spec.subnet_id)?,
        security_group_id: need("securityGroupId", &spec.security_group_id)?,
        available_zones: spec.available_zones.iter().map(zone).collect::<Result<_, _>>()?,
        ipv6_enable: spec.ipv6_enable,
        enterprise_project_id: spec.enterprise_project_id.clone().or_else(of_the_provider),
    })
}

fn summary(state: Option<&InstanceStatus>, observed: &ObservedInstance) -> String {
    let state = state.map_or("state unknown", InstanceStatus::as_str);
    let brokers = observed.broker_num.map(|n| match n {
        1 => ", 1 broker".to_owned(),
        n => format!(", {n} brokers"),
    });
    let storage = observed.storage_space.map(|gb| format!(", {gb} GB"));
    format!("{state}{}{}", brokers.unwrap_or_default(), storage.unwrap_or_default())
}

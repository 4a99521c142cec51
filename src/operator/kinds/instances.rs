//! Instances of either engine: read by their id, or searched for by name; one call at a time. An engine says how one of its
//! instances is read, and how one is known that our create made.

use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::Resource as _;
use kube::core::object::HasStatus as _;
use serde::Serialize;
use tokio::time::Instant;

use super::reach::{hub, provider, provider_references};
use crate::api::{CoreStatus, InstanceSpec, Managed, Origin};
use crate::cloud::{Class, Client, Engine, Error, Fault, InstanceModel, InstanceQuery, NewInstance, Operation, Sent};
use crate::operator::hub::Hub;
use crate::operator::kind::{Effect, Home, Kind, Look, Reference};
use crate::operator::round::Round;
use crate::plan::child::Host;
use crate::plan::fault::Halt;
use crate::plan::instance::{
    CREATE, DELETE, EXTEND_STORAGE, Found, InstanceEngine, Search, Seen, State, Step, StepOf, name, plan,
};
use crate::plan::{begun, orphans};

/// How the instances of an engine are reached.
pub trait Reached: InstanceEngine<Create: NewInstance, Update: Serialize> {
    /// An entry of the list of instances.
    type Listed: InstanceModel + Send;

    /// Whose they are.
    const ENGINE: Engine;

    /// Id and name of an entry.
    fn identity(listed: Self::Listed) -> (String, Option<String>);

    /// Reads an instance by its id, and what belongs to it as far as it can be read now.
    fn read(client: &Client, id: &str, spec: &InstanceSpec) -> impl Future<Output = Result<Self::View, Error>> + Send;

    /// Adds what the lists of what lives in it, if somebody reads them, told last of the room that is left.
    fn limits(view: &mut Self::View, hub: &Hub);

    /// Whether our create made an instance; `None` if that cannot be told.
    fn is_marked(client: &Client, id: &str, nonce: &str) -> impl Future<Output = Option<bool>> + Send;

    /// Ids of the zones that an instance is in.
    fn zones(view: &Self::View) -> &[String];

    /// What it shows to what lives in it, and its state in the service's word.
    fn host(status: &State<Self>) -> (Host, Option<String>);
}

/// The kind of an engine's instances.
pub struct Instances<E>(PhantomData<E>);

/// The way to the cloud; the hub once there is an instance.
pub struct Reach {
    client: Client,
    hub: Option<Arc<Hub>>,
}

impl<E: Reached> Kind for Instances<E> {
    type Cr = E::Cr;
    type Reach = Reach;
    type Step = StepOf<E>;

    fn references(cr: &E::Cr) -> Vec<Reference> {
        provider_references(cr, provider_name(E::spec(cr)))
    }

    fn claims(cr: &E::Cr) -> Vec<String> {
        let known = cr.core().and_then(|core| core.instance_id.clone());
        known.or_else(|| E::spec(cr).instance_id.clone()).into_iter().collect()
    }

    fn home(cr: &E::Cr) -> Option<Home> {
        let (host, state) = cr.status().map(E::host).unwrap_or_default();
        Some(Home {
            core: cr.core().cloned().unwrap_or_default(),
            state,
            host,
            leaves: cr.meta().deletion_timestamp.is_some(),
            grants: E::spec(cr).allowed_namespaces.clone(),
        })
    }

    fn orphans(cr: &E::Cr) -> bool {
        orphans(E::spec(cr).management.deletion, cr.core())
    }

    async fn look(round: &Round<'_, E::Cr>) -> Result<Look<Self>, Halt> {
        let (cr, spec) = (round.cr, E::spec(round.cr));
        let nothing = CoreStatus::default();
        let core = cr.core().unwrap_or(&nothing);
        let provider = provider(round, provider_name(spec), core).await?;
        let client = provider.client.at(round.priority());
        let id = core.instance_id.clone().or_else(|| spec.instance_id.clone());
        let (mut reached, mut job) = (None, None);
        let found = match &id {
            Some(id) => {
                let hub = reached.insert(hub(round, &provider, E::ENGINE, id));
                let mut found = read::<E>(round, &client, id).await?;
                if let Found::There(view) = &mut found {
                    E::limits(view, hub);
                    job = round.job(hub, core).await?.map(|(job, _)| job);
                }
                found
            }
            None => Found::Searched(search::<E>(round, &client, core).await?),
        };
        let zones = if needs_zones::<E>(spec, &found, round.deleting()) {
            round.cx.providers.zones(&provider).await?
        } else {
            Arc::default()
        };
        let seen = Seen {
            location: provider.location,
            enterprise_project_id: provider.enterprise_project_id,
            zones,
            found,
            search_window: round.cx.config.search_window,
        };
        let now = client.server_now();
        let facts = round.facts(core, spec.management.adoption, round.owner(), job, now);
        let plan = plan::<E>(cr, facts, seen);
        let reach = Reach { client, hub: reached };
        Ok(Look {
            now,
            reach,
            plan,
            as_of: None,
        })
    }

    fn hub(reach: &Reach) -> Option<&Hub> {
        reach.hub.as_deref()
    }

    async fn act(round: &Round<'_, E::Cr>, reach: &Reach, step: &StepOf<E>) -> Result<Effect, Halt> {
        let client = &reach.client;
        if let Step::Create(create) = step {
            let room = round.cx.rooms.of::<E::Cr>();
            room.note(round.cr, |note| (note.empty_searches, note.empty_since) = (0, None));
            return Ok(Effect::Made(client.create_instance(&**create).await?));
        }
        let Some(hub) = &reach.hub else {
            return Err(Halt::Waiting("the instance is not known yet".into()));
        };
        let id = hub.instance_id.as_str();
        match step {
            Step::Create(_) => {}
            Step::Update(update) => hub.write(client.update_instance(id, update)).await?,
            Step::Tags(action, tags) => match hub.write(client.change_tags(E::ENGINE, id, *action, tags)).await {
                // Tags are listed late: what we did a moment ago is done.
                Err(error) if matches!(error.fault(), Fault::Gone | Fault::Exists) => {}
                done => done?,
            },
            Step::ExtendStorage(total) => {
                let extended = client.extend_storage(E::ENGINE, id, u64::from(*total));
                return Ok(Effect::Job(hub.write(extended).await?));
            }
            Step::Delete(id) => hub.write(client.delete_instance(id)).await?,
        }
        Ok(Effect::Done)
    }

    fn buys(step: &StepOf<E>) -> bool {
        matches!(step, Step::Create(_))
    }

    fn creates(step: &StepOf<E>) -> bool {
        matches!(step, Step::Create(_))
    }

    fn settle(_: &E::Cr, status: &mut State<E>, step: &StepOf<E>, effect: Effect, now: Timestamp) {
        let core = status.as_mut();
        match (step, effect) {
            (Step::Create(_), Effect::Made(id)) => {
                core.instance_id = Some(id);
                core.origin = Some(Origin::Created);
                core.operation = Some(begun(core, CREATE, None, now));
                core.create_intent = None;
            }
            (Step::ExtendStorage(_), effect) => core.operation = effect.operation(core, EXTEND_STORAGE, now),
            (Step::Delete(_), _) => core.operation = Some(begun(core, DELETE, None, now)),
            _ => {}
        }
    }
}

fn provider_name(spec: &InstanceSpec) -> Option<&str> {
    spec.provider_config_ref.as_ref().map(|r| r.name.as_str())
}

/// The instance, or how many looks in a row the service did not know it.
async fn read<E: Reached>(round: &Round<'_, E::Cr>, client: &Client, id: &str) -> Result<Found<E::View>, Halt> {
    let room = round.cx.rooms.of::<E::Cr>();
    match E::read(client, id, E::spec(round.cr)).await {
        Ok(view) => {
            room.note(round.cr, |note| note.missing = 0);
            Ok(Found::There(view))
        }
        Err(error) if error.is_instance_gone() => {
            let times = room.note(round.cr, |note| {
                note.missing += 1;
                note.missing
            });
            Ok(Found::Missing(times))
        }
        Err(error) => Err(error.into()),
    }
}

/// Searches by name, over all pages and all states; an instance whose mark cannot be read is unknown, not empty.
async fn search<E: Reached>(round: &Round<'_, E::Cr>, client: &Client, core: &CoreStatus) -> Result<Search, Halt> {
    let intent = core.create_intent.as_ref();
    let nonce = intent.and_then(|intent| intent.nonce.clone());
    // The name may have been edited since the create was sent; the next one would go by the new name.
    let sent = intent.and_then(|intent| intent.name.clone());
    let names = BTreeSet::from_iter(sent.into_iter().chain([name::<E>(round.cr)]));
    let room = round.cx.rooms.of::<E::Cr>();
    let mut search = Search::default();
    let begun = Instant::now();
    let mut ids = BTreeSet::new();
    for name in &names {
        ids.extend(list::<E>(client, name).await?);
    }
    for id in ids {
        let Some(nonce) = &nonce else {
            search.others.push(id);
            continue;
        };
        match E::is_marked(client, &id, nonce).await {
            Some(true) => search.ours.push(id),
            Some(false) => search.others.push(id),
            None => search.unreadable.push(id),
        }
    }
    let empty = nonce.is_some() && search.ours.is_empty() && search.unreadable.is_empty();
    (search.empty_in_a_row, search.empty_for) = room.note(round.cr, |note| {
        note.empty_searches = if empty { note.empty_searches + 1 } else { 0 };
        note.empty_since = if empty { note.empty_since.or(Some(begun)) } else { None };
        (
            note.empty_searches,
            note.empty_since.map_or(Duration::ZERO, |since| since.elapsed()),
        )
    });
    Ok(search)
}

/// The ids of all instances of exactly this name, failed ones too where the service lists them.
async fn list<E: Reached>(client: &Client, name: &str) -> Result<Vec<String>, Error> {
    let mut seen = BTreeMap::new();
    // Failed ones may be counted without being listed, so only the list without them can be told to be complete.
    for include_failure in [true, false] {
        let mut query = InstanceQuery {
            name: Some(name.to_owned()),
            include_failure,
            ..Default::default()
        };
        let mut listed = BTreeMap::new();
        let total = loop {
            let page = client.list_instances::<E::Listed>(&query).await?;
            let (count, before) = (page.items.len() as u32, listed.len());
            query.offset += count;
            listed.extend(page.items.into_iter().map(E::identity));
            if count < query.limit || listed.len() == before {
                break page.total;
            }
        };
        if !include_failure && total.is_some_and(|total| listed.len() as u64 != total) {
            let message = "the list changed while it was read";
            return Err(Error::new(
                Operation::ListInstances,
                Class::Unavailable,
                Sent::Refused,
                message,
            ));
        }
        seen.extend(listed);
    }
    let ours = |(id, found): (String, Option<String>)| found.is_none_or(|found| found == name).then_some(id);
    Ok(seen.into_iter().filter_map(ours).collect())
}

/// Zones are ids in the cloud; the spec may give codes.
fn needs_zones<E: Reached>(spec: &InstanceSpec, found: &Found<E::View>, deleting: bool) -> bool {
    let wanted = &spec.available_zones;
    if deleting || wanted.is_empty() {
        return false;
    }
    match found {
        Found::Searched(_) => true,
        Found::Missing(_) => false,
        Found::There(view) => {
            let found = E::zones(view);
            !found.is_empty() && !wanted.iter().all(|zone| found.contains(zone))
        }
    }
}

//! `KafkaInstance`: reads the instance by its id, or searches for it, and sends one call.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::reach::{provider, provider_references};
use crate::api::{CoreStatus, KafkaInstance, KafkaInstanceStatus, Origin};
use crate::cloud::{Class, Client, Engine, Error, Fault, InstanceQuery, InstanceStatus, Operation, Sent, Tag, kafka};
use crate::operator::hub::Hub;
use crate::operator::kind::{Effect, Kind, Look, Reference};
use crate::operator::round::Round;
use crate::plan::fault::Halt;
use crate::plan::instance::{CREATE, DELETE, Found, Phase, Search};
use crate::plan::kafka_instance::{EXTEND_STORAGE, NONCE_TAG, Seen, Step, View, name, plan};
use crate::plan::{begun, orphans};

/// The kind.
pub struct KafkaInstances;

/// The way to the cloud; the hub once there is an instance.
pub struct Reach {
    client: Client,
    hub: Option<Arc<Hub>>,
}

impl Kind for KafkaInstances {
    type Cr = KafkaInstance;
    type Reach = Reach;
    type Step = Step;

    fn references(cr: &KafkaInstance) -> Vec<Reference> {
        provider_references(cr, cr.spec.provider_config_ref.as_ref().map(|r| r.name.as_str()))
    }

    fn claim(cr: &KafkaInstance) -> Option<String> {
        cr.status
            .as_ref()
            .and_then(|s| s.core.instance_id.clone())
            .or_else(|| cr.spec.instance_id.clone())
    }

    fn orphans(cr: &KafkaInstance) -> bool {
        orphans(cr.spec.management.deletion, cr.status.as_ref().map(|s| &s.core))
    }

    async fn look(round: &Round<'_, KafkaInstance>) -> Result<Look<Self>, Halt> {
        let cr = round.cr;
        let nothing = CoreStatus::default();
        let core = cr.status.as_ref().map_or(&nothing, |s| &s.core);
        let named = cr.spec.provider_config_ref.as_ref().map(|r| r.name.as_str());
        let provider = provider(round, named, core).await?;
        let client = provider.client.clone();
        let id = core.instance_id.clone().or_else(|| cr.spec.instance_id.clone());
        let (mut hub, mut job) = (None, None);
        let found = match &id {
            Some(id) => {
                let place = (provider.location.namespace.as_str(), provider.location.name.as_str());
                hub = Some(round.cx.hubs.of(place, &client, id, round.cx.config.poll));
                let found = read(round, &client, id).await?;
                if matches!(found, Found::There(_)) {
                    job = round.job(&client, id, core).await?;
                }
                found
            }
            None => Found::Searched(search(round, &client, core).await?),
        };
        let zones = if needs_zones(cr, &found, round.deleting()) {
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
        let facts = round.facts(
            core,
            cr.spec.management.adoption,
            round.owner(),
            job,
            client.server_now(),
        );
        let now = facts.now;
        let plan = plan(cr, facts, seen);
        Ok(Look {
            now,
            reach: Reach { client, hub },
            plan,
        })
    }

    async fn act(round: &Round<'_, KafkaInstance>, reach: &Reach, step: &Step) -> Result<Effect, Halt> {
        let client = &reach.client;
        let id = |hub: &Hub| hub.instance_id.clone();
        match (step, &reach.hub) {
            (Step::Create(create), _) => {
                round
                    .cx
                    .rooms
                    .of::<KafkaInstance>()
                    .note(round.cr, |note| (note.empty_searches, note.empty_since) = (0, None));
                Ok(Effect::Made(client.create_instance(&**create).await?))
            }
            (Step::Update(update), Some(hub)) => {
                hub.write(client.update_instance(&id(hub), update)).await?;
                Ok(Effect::Done)
            }
            (Step::Tags(action, tags), Some(hub)) => {
                match hub
                    .write(client.change_tags(Engine::Kafka, &id(hub), *action, tags))
                    .await
                {
                    // Tags are listed late: what we did a moment ago is done.
                    Err(error) if matches!(error.fault(), Fault::Gone | Fault::Exists) => {}
                    done => done?,
                }
                Ok(Effect::Done)
            }
            (Step::ExtendStorage(total), Some(hub)) => Ok(Effect::Job(
                hub.write(client.extend_storage(Engine::Kafka, &id(hub), u64::from(*total)))
                    .await?,
            )),
            (Step::Delete(id), Some(hub)) => {
                hub.write(client.delete_instance(id)).await?;
                Ok(Effect::Done)
            }
            (_, None) => Err(Halt::Waiting("the instance is not known yet".into())),
        }
    }

    fn buys(step: &Step) -> bool {
        matches!(step, Step::Create(_))
    }

    fn creates(step: &Step) -> bool {
        matches!(step, Step::Create(_))
    }

    fn settle(_: &KafkaInstance, status: &mut KafkaInstanceStatus, step: &Step, effect: Effect, now: Timestamp) {
        let core = &mut status.core;
        match (step, effect) {
            (Step::Create(_), Effect::Made(id)) => {
                core.instance_id = Some(id);
                core.origin = Some(Origin::Created);
                core.operation = Some(begun(core, CREATE, None, now));
                core.create_intent = None;
            }
            (Step::ExtendStorage(_), Effect::Job(job)) => {
                core.operation = Some(begun(core, EXTEND_STORAGE, job, now));
            }
            (Step::Delete(_), _) => core.operation = Some(begun(core, DELETE, None, now)),
            _ => {}
        }
    }
}

/// The instance, or how many looks in a row the service did not know it.
async fn read(round: &Round<'_, KafkaInstance>, client: &Client, id: &str) -> Result<Found<View>, Halt> {
    let room = round.cx.rooms.of::<KafkaInstance>();
    match client.show_instance::<kafka::Instance>(id).await {
        Ok(instance) => {
            room.note(round.cr, |note| note.missing = 0);
            // Tags are compared only where they can be changed, and those that cannot be read now are unknown.
            let state = instance.status.as_ref().map_or("", InstanceStatus::as_str);
            let tags = if Phase::of(state).serves() {
                client.list_tags(Engine::Kafka, id).await.ok()
            } else {
                None
            };
            Ok(Found::There(View { instance, tags }))
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

/// Searches by name, over all pages and all states; an instance whose tags cannot be read is unknown, not empty.
async fn search(round: &Round<'_, KafkaInstance>, client: &Client, core: &CoreStatus) -> Result<Search, Halt> {
    let intent = core.create_intent.as_ref();
    let nonce = intent.and_then(|intent| intent.nonce.clone());
    // The name may have been edited since the create was sent; the next one would go by the new name.
    let sent = intent.and_then(|intent| intent.name.clone());
    let names = BTreeSet::from_iter(sent.into_iter().chain([name(round.cr)]));
    let room = round.cx.rooms.of::<KafkaInstance>();
    let mut search = Search::default();
    let begun = Instant::now();
    let mut ids = BTreeSet::new();
    for name in &names {
        ids.extend(list(client, name).await?);
    }
    for id in ids {
        let Some(nonce) = &nonce else {
            search.others.push(id);
            continue;
        };
        match client.list_tags(Engine::Kafka, &id).await {
            Ok(tags) if tags.iter().any(|t| is_nonce(t, nonce)) => search.ours.push(id),
            Ok(_) => search.others.push(id),
            Err(_) => search.unreadable.push(id),
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

fn is_nonce(tag: &Tag, nonce: &str) -> bool {
    tag.key == NONCE_TAG && tag.value == nonce
}

/// The ids of all instances of exactly this name, failed ones too where the service lists them.
async fn list(client: &Client, name: &str) -> Result<Vec<String>, Error> {
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
            let page = client.list_instances::<kafka::Instance>(&query).await?;
            let (count, before) = (page.items.len() as u32, listed.len());
            query.offset += count;
            listed.extend(page.items.into_iter().map(|instance| (instance.id, instance.name)));
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
fn needs_zones(cr: &KafkaInstance, found: &Found<View>, deleting: bool) -> bool {
    let wanted = &cr.spec.available_zones;
    if deleting || wanted.is_empty() {
        return false;
    }
    match found {
        Found::Searched(_) => true,
        Found::Missing(_) => false,
        Found::There(view) => {
            let found = view.instance.available_zones.as_deref().unwrap_or_default();
            !found.is_empty() && !wanted.iter().all(|zone| found.contains(zone))
        }
    }
}

//! What tests of everyday life begin with: a world in which all that the examples ask for is there and at rest.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt as _;
use kube::ResourceExt as _;
use kube::runtime::watcher;
use serde_json::{Value, json};
use tokio::time::sleep;

pub use crate::examples::*;
use crate::support::world::{Running, World};

/// The operator's default interval between two looks at an object at rest.
pub const RESYNC: Duration = Duration::from_secs(600);

/// What lives in the cloud, of all estates.
pub const EVERYTHING: [Object; 11] = [
    INSTANCE, ORDERS, AUDIT, BILLING, QUOTA, SHOP, PAYMENTS, LEDGER, MAIL, LETTERS, POSTMEN,
];

/// The conditions Ready, Reconciling, Stalled, Synced in one line, in the manner of `TTFF Available CorrectingDrift
/// DriftFound`: their statuses, then the reasons of Ready, of whichever of the two in the middle is true, and of Synced.
pub const HEALTHY: &str = "TFFT Available InSync";
pub const CORRECTING: &str = "TTFF Available CorrectingDrift DriftFound";
pub const UPDATING: &str = "FTFF Updating DriftFound";
pub const DIFFERING: &str = "TFFF Available DriftFound";

/// A world in which these are applied.
pub async fn with(objects: &[Object]) -> World {
    let mut world = World::furnished().await;
    // A short lease's renewals would be most of the work.
    world.set_lease(HOUR);
    apply(&world, objects).await;
    world
}

/// The Kafka estate, applied.
pub async fn applied() -> World {
    with(&ALL).await
}

/// These, Ready and at rest.
pub async fn at_rest_with(objects: &[Object]) -> (World, Running) {
    let world = with(objects).await;
    let operator = world.start("one");
    settled_with(&world, objects).await;
    (world, operator)
}

/// The Kafka estate, Ready and at rest.
pub async fn at_rest() -> (World, Running) {
    at_rest_with(&ALL).await
}

/// Waits until these are Ready, and nothing more is done about them: instances have told what they have room for, too.
pub async fn settled_with(world: &World, objects: &[Object]) {
    world.until_ready(HOUR, objects).await;
    sleep(RESYNC + 2 * MINUTE).await;
}

/// The same of the Kafka estate.
pub async fn settled(world: &World) {
    settled_with(world, &ALL).await;
}

/// The conditions of an object as it is now.
pub fn shown(world: &World, (kind, name): Object) -> String {
    in_short(&world.object(kind, name)["status"])
}

/// The drift that an object tells of, as `spec.x wanted found Correction`.
pub fn drift(world: &World, (kind, name): Object) -> Vec<String> {
    let object = world.object(kind, name);
    let told = object["status"]["drift"].as_array().into_iter().flatten();
    told.map(|drift| {
        ["field", "wanted", "found", "correction"]
            .map(|field| text(&drift[field]))
            .join(" ")
    })
    .collect()
}

/// The id of the instance that an object stands for or lives in.
pub fn instance_id(world: &World, (kind, name): Object) -> String {
    text(&world.object(kind, name)["status"]["instanceId"])
}

/// What is in the cloud, without what says only how it came about.
pub fn cloud(world: &World) -> Value {
    let mut state = world.cloud.state_json();
    for instance in state["instances"].as_array_mut().into_iter().flatten() {
        for trace in ["tasks", "busy", "createdAt"] {
            instance.as_object_mut().expect("an instance").remove(trace);
        }
        for topic in instance["topics"].as_array_mut().into_iter().flatten() {
            topic.as_object_mut().expect("a topic").remove("created_at");
        }
        for list in ["topics", "groups", "quotas"] {
            let entries = instance.get_mut(list).and_then(Value::as_array_mut);
            entries
                .into_iter()
                .for_each(|entries| entries.sort_by_key(ToString::to_string));
        }
    }
    state
}

/// A topic as it is in the cloud; null if it is not there.
pub fn topic(world: &World, name: &str) -> Value {
    entries(world, "topics")
        .find(|topic| topic["name"] == name)
        .unwrap_or_default()
}

/// A consumer group as it is in the cloud; null if it is not there.
pub fn group(world: &World, name: &str) -> Value {
    entries(world, "groups")
        .find(|group| group["name"] == name)
        .unwrap_or_default()
}

/// The quota of a client as it is in the cloud; null if it is not there.
pub fn quota(world: &World, client: &str) -> Value {
    entries(world, "quotas")
        .find(|quota| quota["client"] == client)
        .unwrap_or_default()
}

fn entries(world: &World, list: &str) -> impl Iterator<Item = Value> + use<> {
    let list = list.to_owned();
    let entries = |instance: Value| instance[&list].as_array().cloned().unwrap_or_default();
    world
        .instances()
        .into_iter()
        .flat_map(entries)
        .collect::<Vec<_>>()
        .into_iter()
}

/// A call behind the operator's back that the cloud takes; `{i}` in the path stands for the Kafka instance.
pub async fn behind(world: &World, method: &str, path: &str, body: Value) -> Value {
    behind_in(world, INSTANCE, method, path, body).await
}

/// The same where `{i}` stands for the instance of this object; the path may have a query of one pair.
pub async fn behind_in(world: &World, of: Object, method: &str, path: &str, body: Value) -> Value {
    let path = path.replace("{i}", &instance_id(world, of));
    let (path, query) = path.split_once('?').unwrap_or((&path, ""));
    let query: Vec<_> = query.split_once('=').into_iter().collect();
    loop {
        let (status, answer) = world.call(method, path, &query, body.clone()).await;
        if answer["error_code"] == "DMS.00400017" {
            sleep(Duration::from_secs(1)).await;
            continue;
        }
        assert!(
            (200..300).contains(&status),
            "{method} {path} {body}: {status} {answer}"
        );
        return answer;
    }
}

pub const INSTANCE_PATH: &str = "/v2/{p}/instances/{i}";
pub const TOPICS_PATH: &str = "/v2/{p}/instances/{i}/topics";
pub const GROUPS_PATH: &str = "/v2/{p}/instances/{i}/groups";
pub const QUOTA_PATH: &str = "/v2/kafka/{p}/instances/{i}/kafka-user-client-quota";
pub const TAGS_PATH: &str = "/v2/{p}/kafka/{i}/tags/action";

/// The user changes the spec of an object.
pub async fn edit(world: &World, (kind, name): Object, spec: Value) {
    world.edit(kind, name, json!({"spec": spec})).await.unwrap();
}

/// As `kubectl wait --for=condition=Ready` decides after an edit.
pub fn waited_for(world: &World, (kind, name): Object) -> bool {
    let object = world.object(kind, name);
    let ready = &object["status"]["conditions"][0];
    ready["observedGeneration"] == object["metadata"]["generation"] && ready["status"] == "True"
}

/// Waits until an edit is in the cloud, and all is well again.
pub async fn until_applied(world: &World, of: Object) {
    world
        .until(20 * MINUTE, "the edit is applied", |world| {
            waited_for(world, of) && shown(world, of) == HEALTHY
        })
        .await;
}

/// How many Events about an object were sent.
pub fn events(world: &World, name: &str) -> usize {
    let of = format!("{name}.");
    let writes = world.server.writes_of("operator").into_iter();
    writes
        .filter(|write| write.resource == "events" && write.name.starts_with(&of))
        .count()
}

/// Every version of an object's conditions from now on.
pub struct Film(Arc<Mutex<(String, Vec<String>)>>);

impl Film {
    /// Begins.
    pub async fn of(world: &World, (kind, name): Object) -> Self {
        let shots = Arc::new(Mutex::new((shown(world, (kind, name)), Vec::new())));
        let (api, film) = (world.api(kind), shots.clone());
        tokio::spawn(async move {
            let mut events = watcher(api, watcher::Config::default()).boxed();
            while let Some(event) = events.next().await {
                let Ok(watcher::Event::Apply(object)) = event else {
                    continue;
                };
                if object.name_any() != name {
                    continue;
                }
                let shot = in_short(&object.data["status"]);
                let (last, film) = &mut *film.lock().unwrap();
                if *last != shot {
                    last.clone_from(&shot);
                    film.push(shot);
                }
            }
        });
        // Until the watch stands.
        sleep(Duration::from_secs(2)).await;
        Self(shots)
    }

    /// What changed since the film was begun or taken.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().1)
    }
}

/// How many writes operators sent to the cloud.
pub fn cloud_writes(world: &World) -> usize {
    world.effects().iter().filter(|effect| effect.contains(" /")).count()
}

/// The conditions of a status in one line, as [`HEALTHY`] shows.
pub fn in_short(status: &Value) -> String {
    let of = |kind: &str| {
        conditions(status)
            .find(|found| found["type"] == kind)
            .unwrap_or_default()
    };
    let all = ["Ready", "Reconciling", "Stalled", "Synced"].map(of);
    let letters: String = all
        .iter()
        .filter_map(|found| text(&found["status"]).chars().next())
        .collect();
    let middle = all[1..3].iter().find(|found| found["status"] == "True");
    let mut words = vec![letters, text(&all[0]["reason"])];
    words.extend(
        middle
            .map(|found| text(&found["reason"]))
            .filter(|reason| *reason != words[1]),
    );
    words.extend(Some(text(&all[3]["reason"])).filter(|reason| words.last() != Some(reason)));
    words.join(" ")
}

fn conditions(status: &Value) -> impl Iterator<Item = Value> + use<> {
    status["conditions"].as_array().cloned().unwrap_or_default().into_iter()
}

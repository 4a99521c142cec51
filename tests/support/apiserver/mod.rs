//! A Kubernetes API server in memory, as strict as the real one, that runs on tokio's paused clock.

mod adversity;
mod builtin;
mod fields;
mod managers;
mod namespaces;
mod read;
mod rules;
mod schema;
mod store;
mod watching;
mod wire;
mod write;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use dms_operator::clock::Clock;
use futures::future;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use jiff::Timestamp;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::sync::watch;

use adversity::Troubles;
pub use adversity::{Lifeline, Trouble};
use builtin::Definition;
use store::Store;
use watching::Watch;
pub use wire::Call;
use wire::{AnswerBody, Failure, answer, shown};

/// The server; clones share it.
#[derive(Clone)]
pub struct ApiServer(Arc<Shared>);

/// What the server keeps of a request.
#[derive(Clone, Debug)]
pub struct Record {
    /// When it was answered.
    pub at: Timestamp,
    /// Whose client sent it.
    pub user: String,
    /// get, list, watch, create, update, patch, delete, deletecollection.
    pub verb: &'static str,
    /// Plural name.
    pub resource: String,
    /// Empty for the whole cluster.
    pub namespace: String,
    /// Empty for a collection.
    pub name: String,
    /// Empty, `status` or `finalize`.
    pub subresource: String,
    /// HTTP status; 0 if the client got no answer.
    pub code: u16,
    /// Whether it changed anything.
    pub effective: bool,
}

impl Record {
    /// Whether it asked for a change.
    pub fn writes(&self) -> bool {
        !matches!(self.verb, "get" | "list" | "watch")
    }
}

type Hook = Arc<dyn Fn(&Record) + Send + Sync>;

struct Shared {
    clock: Clock,
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct State {
    store: Store,
    records: Vec<Record>,
    troubles: Troubles,
    hooks: Vec<Hook>,
    latency: Duration,
    epoch: u64,
    sweep_first: Vec<String>,
    sweep_pause: Duration,
}

impl ApiServer {
    /// A server with the built-in resources and the namespace `default`.
    pub fn new(clock: Clock) -> Self {
        let mut state = State {
            sweep_first: vec!["secrets".into()],
            ..State::default()
        };
        Definition::built_in()
            .into_iter()
            .for_each(|definition| state.store.define(definition));
        let server = Self(Arc::new(Shared {
            clock,
            state: Mutex::new(state),
            changed: watch::channel(()).0,
        }));
        server.add_namespace("default");
        server
    }

    /// Adds a custom resource.
    pub fn install(&self, crd: &CustomResourceDefinition) {
        self.0.lock().store.define(Definition::custom(crd));
    }

    /// Adds a namespace.
    pub fn add_namespace(&self, name: &str) {
        let object = json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}},
            "status": {"phase": "Active"},
        });
        self.0
            .lock()
            .store
            .commit("namespaces", &(String::new(), name.into()), object, false);
        self.0.changed.send_replace(());
    }

    /// A client whose requests are logged under this name.
    pub fn client_as(&self, user: &str) -> kube::Client {
        self.client_on(user, &Lifeline::default())
    }

    /// The same, on a line that the test can cut.
    pub fn client_on(&self, user: &str, lifeline: &Lifeline) -> kube::Client {
        let (shared, user, lifeline) = (self.0.clone(), user.to_string(), lifeline.clone());
        let serve = tower::service_fn(move |request: Request<Body>| {
            serve(shared.clone(), user.clone(), lifeline.clone(), request)
        });
        kube::Client::new(serve, "default")
    }

    /// An object as it is stored, without a request.
    pub fn object(&self, resource: &str, namespace: &str, name: &str) -> Option<Value> {
        self.0
            .lock()
            .store
            .resource(resource)?
            .objects
            .get(&(namespace.into(), name.into()))
            .cloned()
    }

    /// All objects of a resource, without a request.
    pub fn objects(&self, resource: &str) -> Vec<Value> {
        let state = self.0.lock();
        state
            .store
            .resource(resource)
            .into_iter()
            .flat_map(|resource| resource.objects.values().cloned())
            .collect()
    }

    /// How many objects of a resource are like this, without a copy of any.
    pub fn count(&self, resource: &str, is: impl Fn(&Value) -> bool) -> usize {
        let state = self.0.lock();
        let objects = state.store.resource(resource).into_iter();
        objects
            .flat_map(|resource| resource.objects.values())
            .filter(|object| is(object))
            .count()
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Record> {
        self.0.lock().records.clone()
    }

    /// Every request for a change by this user, effective or not.
    pub fn writes_of(&self, user: &str) -> Vec<Record> {
        self.requests()
            .into_iter()
            .filter(|record| record.user == user && record.writes())
            .collect()
    }

    /// Empties the log.
    pub fn forget_requests(&self) {
        self.0.lock().records.clear();
    }

    /// Called after each change that a request made, before its answer is on the way.
    pub fn on_write(&self, hook: impl Fn(&Record) + Send + Sync + 'static) {
        self.0.lock().hooks.push(Arc::new(hook));
    }

    /// The next `times` requests that match meet this trouble.
    pub fn fail(&self, times: usize, matches: impl Fn(&Call) -> bool + Send + 'static, trouble: Trouble) {
        self.0.lock().troubles.add(times, matches, trouble);
    }

    /// No further trouble.
    pub fn clear_troubles(&self) {
        self.0.lock().troubles.clear();
    }

    /// How long each request takes (not at all, by default).
    pub fn set_latency(&self, latency: Duration) {
        self.0.lock().latency = latency;
    }

    /// How long changes of a resource take to reach watches and cached lists.
    pub fn set_watch_lag(&self, resource: &str, lag: Duration) {
        self.change(|state| {
            if let Some(resource) = state.store.resource_mut(resource) {
                resource.lag = lag;
            }
        });
    }

    /// Watches of a resource show nothing new until [`thaw_watches`](Self::thaw_watches).
    pub fn freeze_watches(&self, resource: &str) {
        self.change(|state| {
            let version = state.store.version();
            if let Some(resource) = state.store.resource_mut(resource) {
                resource.frozen = Some(version);
            }
        });
    }

    /// Watches of a resource catch up.
    pub fn thaw_watches(&self, resource: &str) {
        self.change(|state| {
            if let Some(resource) = state.store.resource_mut(resource) {
                resource.frozen = None;
            }
        });
    }

    /// Ends the connections of all watches.
    pub fn drop_watches(&self) {
        self.change(|state| state.epoch += 1);
    }

    /// Forgets the history: every watch gets 410 Gone and has to list again.
    pub fn expire_watches(&self) {
        self.change(|state| state.store.forget_history());
    }

    /// In which order, and how slowly, a deleted namespace's objects are deleted: these resources first.
    pub fn set_namespace_sweep(&self, first: &[&str], pause: Duration) {
        self.change(|state| {
            state.sweep_first = first.iter().map(ToString::to_string).collect();
            state.sweep_pause = pause;
        });
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.lock());
        self.0.changed.send_replace(());
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no request panics")
    }

    fn now(&self) -> String {
        self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }
}

async fn serve(
    shared: Arc<Shared>,
    user: String,
    lifeline: Lifeline,
    request: Request<Body>,
) -> Result<Response<AnswerBody>, std::io::Error> {
    lifeline.passage().await;
    let Some(call) = Call::read(&user, request).await else {
        return Ok(write::no_such_resource().answer());
    };
    let (trouble, latency) = {
        let mut state = shared.lock();
        (state.troubles.meet(&call), state.latency)
    };
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
        lifeline.passage().await;
    }
    let without_effect = matches!(trouble, Some(Trouble::Refuse(_) | Trouble::Break | Trouble::Hang));
    let answer = if without_effect {
        None
    } else {
        Some(handle(&shared, &lifeline, &call))
    };
    let (code, changed, name) = match (&answer, trouble) {
        (Some((answer, changed, name)), None) => (answer.status().as_u16(), *changed, name.clone()),
        (Some((_, changed, name)), Some(Trouble::RefuseAfter(code))) => (code, *changed, name.clone()),
        (Some((_, changed, name)), _) => (0, *changed, name.clone()),
        (None, Some(Trouble::Refuse(code))) => (code, false, call.name.clone()),
        (None, _) => (0, false, call.name.clone()),
    };
    note(&shared, &call, name, code, changed);
    lifeline.passage().await;
    match (answer, trouble) {
        (_, Some(Trouble::Refuse(code) | Trouble::RefuseAfter(code))) => Ok(adversity::refusal(code).answer()),
        (_, Some(Trouble::Break | Trouble::BreakAfter)) => Err(std::io::ErrorKind::ConnectionReset.into()),
        (_, Some(Trouble::Hang | Trouble::HangAfter)) | (None, None) => future::pending().await,
        (Some((answer, ..)), None) => Ok(answer),
    }
}

/// Logs a request and tells the hooks of what it changed.
fn note(shared: &Shared, call: &Call, name: String, code: u16, effective: bool) {
    let record = Record {
        at: shared.clock.now(),
        user: call.user.clone(),
        verb: call.verb,
        resource: call.resource.clone(),
        namespace: call.namespace.clone(),
        name,
        subresource: call.subresource.clone(),
        code,
        effective,
    };
    let hooks = {
        let mut state = shared.lock();
        state.records.push(record.clone());
        if effective { state.hooks.clone() } else { Vec::new() }
    };
    hooks.iter().for_each(|hook| hook(&record));
}

/// The answer, whether anything changed, and the object's name.
fn handle(shared: &Arc<Shared>, lifeline: &Lifeline, call: &Call) -> (Response<AnswerBody>, bool, String) {
    if call.verb == "watch" {
        let answer = match Watch::begin(shared.clone(), lifeline.clone(), call.clone()) {
            Ok(watch) => Response::new(StreamBody::new(watch.frames()).boxed_unsync()),
            Err(failure) => failure.answer(),
        };
        return (answer, false, String::new());
    }
    let mut state = shared.lock();
    let before = state.store.version();
    let result = execute(&mut state, call, &shared.now());
    namespaces::end_empty(&mut state.store);
    let changed = state.store.version() != before;
    drop(state);
    if changed {
        shared.changed.send_replace(());
    }
    let name = result
        .as_ref()
        .ok()
        .and_then(|(_, object)| object["metadata"]["name"].as_str())
        .unwrap_or(&call.name);
    if call.verb == "delete" && call.resource == "namespaces" && changed {
        tokio::spawn(namespaces::sweep(shared.clone(), call.name.clone()));
    }
    let name = name.to_string();
    let answer = result.map_or_else(|failure| failure.answer(), |(code, object)| answer(code, &object));
    (answer, changed, name)
}

fn execute(state: &mut State, call: &Call, now: &str) -> Result<(StatusCode, Value), Failure> {
    let store = &mut state.store;
    let written = match call.verb {
        "get" => return Ok((StatusCode::OK, read::get(store, call)?)),
        "list" => return Ok((StatusCode::OK, read::list(store, call)?)),
        "delete" => {
            read::resource(store, call)?;
            return Ok((StatusCode::OK, write::delete(store, call, now)?));
        }
        "deletecollection" => {
            read::resource(store, call)?;
            return Ok((StatusCode::OK, write::delete_collection(store, call, now)?));
        }
        "create" => write::create(store, call, now)?,
        "update" => write::update(store, call, now)?,
        _ => write::patch(store, call, now)?,
    };
    let (object, created) = written;
    let code = if created { StatusCode::CREATED } else { StatusCode::OK };
    Ok((code, shown(&object, call.metadata_only)))
}

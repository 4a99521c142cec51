//! A world for the operator: API server and cloud in memory, and a clock that jumps over every wait.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dms_operator::clock::Clock;
use dms_operator::cloud::sign::{self, Key, Target};
use dms_operator::operator::admin::Stage;
use dms_operator::operator::{Config, Ended, LeaseConfig, Metrics, Operator};
use dms_operator::simulator::{self, Effect, Fault, Simulator};
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams, ValidationDirective};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::apiserver::{ApiServer, Lifeline, Record};
use super::wire::{InProcess, carry};

const ENDPOINT: &str = "dms.eu-west-101.myhuaweicloud.eu";
/// The operators' own namespace.
const OPERATORS: &str = "dms-operator";

/// Everything around the operator. Must be made under paused time.
pub struct World {
    /// Wall-clock time of everybody in it.
    pub clock: Clock,
    /// The API server.
    pub server: ApiServer,
    /// The cloud.
    pub cloud: Simulator,
    /// Settings of the operators that are started from now on; the lease's identity is theirs.
    pub config: Config,
    effects: Arc<Mutex<Effects>>,
    refusals: Arc<AtomicUsize>,
}

/// What operators did to the API server (leases and Events aside) and to the cloud, in order.
#[derive(Default)]
struct Effects {
    log: Vec<String>,
    cut: Option<(usize, Lifeline)>,
}

/// An operator that runs.
pub struct Running {
    lifeline: Lifeline,
    task: JoinHandle<Result<(), Ended>>,
    shutdown: CancellationToken,
    /// How far it is.
    pub stage: watch::Receiver<Stage>,
    /// What it measured.
    pub metrics: Metrics,
}

impl World {
    /// A world with the awkward cloud that is the simulator's default, without its limit of calls a second.
    pub fn new() -> Self {
        Self::with(Self::awkward())
    }

    /// The cloud of [`new`](Self::new), to be changed.
    pub fn awkward() -> simulator::Config {
        simulator::Config {
            rate_limit: None,
            ..Default::default()
        }
    }

    /// A world with a cloud of this kind (its clock is the world's).
    pub fn with(cloud: simulator::Config) -> Self {
        let clock = Clock::anchored("2026-11-22T12:00:00Z".parse().expect("a time"));
        let server = ApiServer::new(clock.clone());
        server.add_namespace(OPERATORS);
        dms_operator::api::crds().iter().for_each(|crd| server.install(crd));
        let cloud = Simulator::new(simulator::Config {
            clock: clock.clone(),
            ..cloud
        });
        let effects = Arc::new(Mutex::new(Effects::default()));
        let noted = effects.clone();
        server.on_write(move |record: &Record| {
            if record.user == "operator" && !matches!(record.resource.as_str(), "leases" | "events") {
                let Record {
                    verb,
                    resource,
                    name,
                    subresource,
                    ..
                } = record;
                note(&noted, format!("{verb} {resource}/{name} {subresource}").trim().into());
            }
        });
        let config = Config {
            lease: Some(LeaseConfig::new(OPERATORS, "")),
            ..Config::default()
        };
        Self {
            clock,
            server,
            cloud,
            config,
            effects,
            refusals: Arc::default(),
        }
    }

    /// A world in which the namespace `default` has working credentials and a ProviderConfig.
    pub async fn furnished() -> Self {
        Self::furnished_with(Self::awkward()).await
    }

    /// The same, with a cloud of this kind.
    pub async fn furnished_with(cloud: simulator::Config) -> Self {
        let world = Self::with(cloud);
        world.apply_credentials().await;
        world
            .apply(include_str!("../../examples/kafka/provider-config.yaml"))
            .await;
        world
    }

    /// The same as [`furnished`](Self::furnished), with a user's name and password instead of keys.
    pub async fn furnished_by_password() -> Self {
        let world = Self::with(Self::awkward());
        world.apply_password().await;
        let config = include_str!("../../examples/password/provider-config.yaml");
        // The one that serves all who name none.
        world.apply(&config.replace("name: by-password", "name: default")).await;
        world
    }

    /// Leases of the operators started from now on last `duration`. At 15 s their renewals are most of a day's work.
    pub fn set_lease(&mut self, duration: Duration) {
        let lease = self.config.lease.as_mut().expect("operators here elect a leader");
        (lease.duration, lease.renew) = (duration, duration / 3);
    }

    /// Applies the Secret `huawei` with keys that the cloud knows.
    pub async fn apply_credentials(&self) {
        use secrecy::ExposeSecret as _;
        let keys = self.cloud.config();
        let data = json!({"accessKey": keys.access_key, "secretKey": keys.secret_key.expose_secret()});
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "huawei"}, "stringData": data});
        self.apply(&secret.to_string()).await;
    }

    /// Applies the Secret `huawei-password` with a name and a password that the cloud knows.
    pub async fn apply_password(&self) {
        use secrecy::ExposeSecret as _;
        let known = self.cloud.config();
        let password = known.user_password.expose_secret();
        let data = json!({"username": known.user_name, "password": password, "domainName": known.domain_name});
        let meta = json!({"name": "huawei-password"});
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": data});
        self.apply(&secret.to_string()).await;
    }

    /// Starts an operator that calls itself `identity` in the lease.
    pub fn start(&self, identity: &str) -> Running {
        let lifeline = Lifeline::default();
        let mut config = self.config.clone();
        if let Some(lease) = &mut config.lease {
            lease.identity = identity.into();
        }
        let effects = self.effects.clone();
        let answered = move |method: &str, path: &str| {
            if method != "GET" {
                note(&effects, format!("{method} {path}"));
            }
        };
        let transport = InProcess::new(self.cloud.router(), lifeline.clone(), self.refusals.clone(), answered);
        let (stage, seen) = watch::channel(Stage::default());
        let metrics = Metrics::default();
        let operator = Operator {
            kube: self.server.client_on("operator", &lifeline),
            transport: Arc::new(transport),
            clock: self.clock.clone(),
            config,
            metrics: metrics.clone(),
            stage,
        };
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(operator.run(shutdown.clone()));
        Running {
            lifeline,
            task,
            shutdown,
            stage: seen,
            metrics,
        }
    }

    /// What operators have done so far: `patch topics/orders status`, `POST /v2/...`.
    pub fn effects(&self) -> Vec<String> {
        self.effects.lock().expect("no hook panics").log.clone()
    }

    /// Cuts `operator` off right after its `count`th effect from now, before it can know of it.
    pub fn cut_after_effects(&self, count: usize, operator: &Running) {
        let mut effects = self.effects.lock().expect("no hook panics");
        effects.cut = Some((effects.log.len() + count, operator.lifeline.clone()));
    }

    /// Applies YAML documents as a user does with `kubectl apply --server-side`.
    pub async fn apply(&self, manifests: &str) {
        for result in self.try_apply(manifests).await {
            result.expect("the API server takes it");
        }
    }

    /// The same, with what the API server answers to each.
    pub async fn try_apply(&self, manifests: &str) -> Vec<kube::Result<DynamicObject>> {
        let documents: Vec<Value> = serde_saphyr::from_multiple(manifests).expect("YAML");
        let mut results = Vec::new();
        for document in documents {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
            let namespace = document["metadata"]["namespace"]
                .as_str()
                .unwrap_or("default")
                .to_string();
            let api = self.api_in(&text(&document["kind"]), &namespace);
            let params = PatchParams {
                field_validation: Some(ValidationDirective::Strict),
                ..PatchParams::apply("kubectl")
            };
            results.push(
                api.patch(&text(&document["metadata"]["name"]), &params, &Patch::Apply(&document))
                    .await,
            );
        }
        results
    }

    /// A merge patch by the user.
    pub async fn edit(&self, kind: &str, name: &str, change: Value) -> kube::Result<DynamicObject> {
        self.api(kind)
            .patch(name, &PatchParams::default(), &Patch::Merge(change))
            .await
    }

    /// The user deletes an object.
    pub async fn delete(&self, kind: &str, name: &str) {
        self.api(kind)
            .delete(name, &DeleteParams::default())
            .await
            .expect("it is there");
    }

    /// Arranges that the next call of an operation goes wrong.
    pub fn fault(&self, operation: &str, effect: Effect) {
        self.cloud.add_fault(Fault {
            operation: operation.into(),
            effect,
            ..Fault::default()
        });
    }

    /// The next `count` writes to the cloud find nobody who takes the connection.
    pub fn refuse_connections(&self, count: usize) {
        self.refusals.store(count, Ordering::Relaxed);
    }

    /// A call behind the operator's back, signed; `{p}` in the path stands for the project's id.
    pub async fn call(&self, method: &str, path: &str, query: &[(&str, &str)], body: Value) -> (u16, Value) {
        let keys = self.cloud.config();
        let key = Key {
            access_key: &keys.access_key,
            secret_key: &keys.secret_key,
            security_token: None,
        };
        let path = path.replace("{p}", &keys.project_id);
        let target = Target {
            authority: ENDPOINT.into(),
            segments: path.trim_matches('/').split('/').map(String::from).collect(),
            query: query
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_string()))
                .collect(),
        };
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let headers = BTreeMap::from([("content-type".to_string(), "application/json".to_string())]);
        let headers = sign::sign(method, &target, &headers, body.as_bytes(), key, self.cloud.time());
        let uri = format!("https://{ENDPOINT}{}?{}", target.path(), target.query());
        let mut request = http::Request::builder().method(method).uri(uri.trim_end_matches('?'));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.body(body.into()).expect("a request");
        let answer = carry(self.cloud.router(), request).await.expect("an answer");
        (
            answer.status().as_u16(),
            serde_json::from_slice(answer.body()).unwrap_or_default(),
        )
    }
}

impl Running {
    /// It dies here and now: nothing that it has sent is answered, nothing more is sent.
    pub fn crash(self) {
        self.lifeline.cut();
        self.task.abort();
    }

    /// It loses the network; it does not know.
    pub fn cut(&self) {
        self.lifeline.cut();
    }

    /// It has the network again; what waited goes on.
    pub fn restore(&self) {
        self.lifeline.restore();
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&self) -> bool {
        self.task.is_finished()
    }

    /// It is told to end, and does.
    pub async fn stop(mut self) -> Result<(), Ended> {
        self.shutdown.cancel();
        (&mut self.task).await.expect("the operator does not panic")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.lifeline.cut();
        self.task.abort();
    }
}

fn note(effects: &Mutex<Effects>, effect: String) {
    let mut effects = effects.lock().expect("no hook panics");
    effects.log.push(effect);
    if let Some((count, lifeline)) = &effects.cut
        && effects.log.len() >= *count
    {
        lifeline.cut();
        effects.cut = None;
    }
}

//! What all tests share: the environment, the operator, the admin's client, and a shop with the examples in it.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, ApiResource, DynamicObject, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::{GroupVersionKind, Status};
use serde_json::{Value, json};
use tokio::sync::{Mutex, OnceCell};

use crate::cloud::Cloud;
use crate::environment::{Environment, Printed, eventually};
use crate::operator::{Operator, Recipe};

/// An instance takes a second to create.
const SPEED: u32 = 900;
/// The operator's name towards the API server.
pub const ACCOUNT: &str = "system:serviceaccount:dms-system:dms-operator";
/// How often the operator compares an object at rest with the cloud here, seconds.
pub const RESYNC: u64 = 5;

pub struct Cluster {
    // Dropped in this order: the operator first.
    pub operator: Mutex<Option<Operator>>,
    pub recipe: Recipe,
    pub cloud: Cloud,
    /// The admin's.
    pub client: kube::Client,
    environment: Environment,
    shop: OnceCell<()>,
    operators: AtomicU32,
}

/// A condition of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    pub status: String,
    pub reason: String,
    pub message: String,
}

impl Cluster {
    /// A control plane with the chart installed; the operator does not run yet.
    pub async fn start() -> Self {
        let environment = Environment::start(SPEED);
        let described = &environment.described;
        let simulator = described.simulator.url.clone();
        let (argv, env, _) = environment.install(&json!({
            "pollInterval": "1s",
            "resyncInterval": format!("{RESYNC}s"),
            "allowedEndpoints": ["*.myhuaweicloud.com", "*.myhuaweicloud.eu", simulator.trim_start_matches("http://")],
            "extraArgs": ["--create-search-window=10s"],
        }));
        let kubeconfig = Kubeconfig::read_from(&described.kubeconfig).unwrap();
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
            .await
            .unwrap();
        Self {
            operator: Mutex::new(None),
            recipe: Recipe { argv, env },
            cloud: Cloud { url: simulator },
            client: config.try_into().unwrap(),
            environment,
            shop: OnceCell::new(),
            operators: AtomicU32::new(0),
        }
    }

    /// Where the logs are.
    pub fn dir(&self) -> &Path {
        &self.environment.described.dir
    }

    /// The API server's record of requests.
    pub fn audit_log(&self) -> &Path {
        &self.environment.described.audit_log
    }

    /// Another operator process.
    pub fn start_operator(&self) -> Operator {
        let number = self.operators.fetch_add(1, Ordering::Relaxed);
        Operator::start(&self.recipe, &self.dir().join(format!("operator-{number}.log")))
    }

    /// Makes sure that an operator leads.
    pub async fn with_operator(&self) {
        let mut operator = self.operator.lock().await;
        if operator.as_mut().is_none_or(|operator| operator.has_ended().is_some()) {
            let fresh = self.start_operator();
            fresh.becomes("leading", 40).await;
            *operator = Some(fresh);
        }
    }

    /// Makes sure that the examples are Ready in the namespace `shop`.
    pub async fn shop(&self) {
        self.shop.get_or_init(|| self.open("shop", "events")).await;
        self.with_operator().await;
    }

    /// The examples in a namespace of their own, in some order, with an instance of this name; waits until they are Ready.
    pub async fn open(&self, namespace: &str, instance: &str) {
        self.with_operator().await;
        self.make_namespace(namespace).await;
        self.apply(namespace, &shuffled(self.examples(instance))).await;
        let args = ["wait", "--for=condition=Ready", "--timeout=90s", "dms", "--all"];
        let waited = self.kubectl(namespace, &args).await;
        assert!(
            waited.success,
            "{}{}",
            waited.err,
            self.kubectl(namespace, &["get", "dms"]).await.out
        );
    }

    /// `examples/` with this cloud's address, keys and password. In the cloud the Kafka instance is called `instance`, and
    /// the others begin with that. The RocketMQ instance `mail` is reached with the password.
    pub fn examples(&self, instance: &str) -> Vec<Value> {
        let folders = ["kafka", "rocketmq", "password"].map(|folder| format!("examples/{folder}"));
        let files = folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
        let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        files.sort();
        let documents = files.iter().flat_map(|file| {
            let text = std::fs::read_to_string(file).unwrap();
            serde_saphyr::from_multiple::<Value>(&text).unwrap()
        });
        let adapt = |mut object: Value| {
            match object["kind"].as_str().expect("a kind") {
                "ProviderConfig" => object["spec"]["endpoints"] = self.endpoints(),
                "Secret" if object["metadata"]["name"] == "huawei-password" => {
                    object["stringData"] = self.environment.described.simulator.user.clone();
                }
                "Secret" => object["stringData"] = self.keys(),
                "KafkaInstance" => object["spec"]["name"] = json!(instance),
                "RocketMQInstance" => {
                    let name = object["metadata"]["name"].as_str().expect("a name").to_owned();
                    if name == "mail" {
                        object["spec"]["providerConfigRef"] = json!({"name": "by-password"});
                    }
                    object["spec"]["name"] = json!(format!("{instance}-{name}"));
                }
                _ => {}
            }
            object
        };
        documents.map(adapt).collect()
    }

    /// For a ProviderConfig.
    pub fn endpoints(&self) -> Value {
        json!({"dms": self.cloud.url, "iam": self.cloud.url})
    }

    /// For a Secret.
    pub fn keys(&self) -> Value {
        let simulator = &self.environment.described.simulator;
        json!({"accessKey": simulator.access_key, "secretKey": simulator.secret_key})
    }

    /// kubectl in a namespace.
    pub async fn kubectl(&self, namespace: &str, args: &[&str]) -> Printed {
        self.environment.kubectl(namespace, args, None).await
    }

    /// What `kubectl apply -f -` says to these objects.
    pub async fn try_apply(&self, namespace: &str, objects: &[Value]) -> Printed {
        let documents: Vec<_> = objects.iter().map(Value::to_string).collect();
        let text = documents.join("\n---\n");
        self.environment
            .kubectl(namespace, &["apply", "-f", "-"], Some(&text))
            .await
    }

    /// `kubectl apply -f -`, which works.
    pub async fn apply(&self, namespace: &str, objects: &[Value]) -> String {
        let printed = self.try_apply(namespace, objects).await;
        assert!(printed.success, "{}", printed.err);
        printed.out
    }

    /// `kubectl apply -f -`, which is refused; why.
    pub async fn refused(&self, namespace: &str, object: &Value) -> String {
        let printed = self.try_apply(namespace, std::slice::from_ref(object)).await;
        assert!(!printed.success, "let in: {object}");
        printed.err
    }

    /// An empty namespace.
    pub async fn make_namespace(&self, name: &str) {
        let namespace = serde_json::from_value(json!({"metadata": {"name": name}})).unwrap();
        let api: Api<Namespace> = Api::all(self.client.clone());
        api.create(&PostParams::default(), &namespace).await.unwrap();
    }

    /// The admin's access to a kind of ours.
    pub fn api(&self, kind: &str, namespace: &str) -> Api<DynamicObject> {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("dms.huaweicloud.com", "v1alpha1", kind));
        Api::namespaced_with(self.client.clone(), namespace, &resource)
    }

    /// The object as it is.
    pub async fn object(&self, kind: &str, namespace: &str, name: &str) -> Value {
        serde_json::to_value(self.api(kind, namespace).get(name).await.unwrap()).unwrap()
    }

    /// Waits until a condition of an object has this status and reason; its message.
    pub async fn condition(&self, (kind, namespace, name): (&str, &str, &str), wanted: (&str, &str, &str)) -> String {
        let (type_, status, reason) = wanted;
        let what = format!("{kind} {name}: {type_}={status} {reason}");
        let found = eventually(&what, 45, async || {
            let object = self.object(kind, namespace, name).await;
            let generation = &object["metadata"]["generation"];
            match condition_of(&object, type_) {
                Some((found, seen)) if found.status == status && found.reason == reason && seen == *generation => {
                    Ok(found)
                }
                other => Err(format!("{other:?}")),
            }
        });
        found.await.message
    }

    /// What the API server would say to an object, without keeping it; unknown fields are an error.
    pub async fn dry_run(&self, kind: &str, object: &Value, update: bool) -> Result<(), Status> {
        let text = |key: &str| object["metadata"][key].as_str().unwrap_or_default().to_owned();
        let api = self.api(kind, &text("namespace"));
        let name = if update {
            format!("/{}", text("name"))
        } else {
            String::new()
        };
        let uri = format!("{}{name}?dryRun=All&fieldValidation=Strict", api.resource_url());
        let request = http::Request::builder()
            .method(if update { "PUT" } else { "POST" })
            .uri(uri)
            .header("content-type", "application/json")
            .body(object.to_string().into_bytes())
            .unwrap();
        match self.client.request::<Value>(request).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) => Err(*status),
            Err(error) => panic!("{error}"),
        }
    }
}

fn condition_of(object: &Value, type_: &str) -> Option<(Condition, Value)> {
    let conditions = object["status"]["conditions"].as_array()?;
    let condition = conditions.iter().find(|condition| condition["type"] == type_)?;
    let text = |key: &str| condition[key].as_str().unwrap_or_default().to_owned();
    let found = Condition {
        status: text("status"),
        reason: text("reason"),
        message: text("message"),
    };
    Some((found, condition["observedGeneration"].clone()))
}

/// The object with a change merged into it.
pub fn merged(object: &Value, change: &Value) -> Value {
    let mut object = object.clone();
    json_patch::merge(&mut object, change);
    object
}

/// Some order, another one in each run.
fn shuffled(mut objects: Vec<Value>) -> Vec<Value> {
    use std::hash::{BuildHasher as _, RandomState};
    let order = RandomState::new();
    objects.sort_by_key(|object| order.hash_one(object.to_string()));
    objects
}

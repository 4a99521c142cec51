//! From a ProviderConfig to a client: endpoints, Secret, project.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use secrecy::SecretString;
use tokio::time::{Instant, timeout};

use super::Context;
use super::engine::SOON;
use super::writes::KUBE_TIMEOUT;
use crate::api::provider_config::{CredentialsType, Identity};
use crate::api::{Location, ProviderConfig};
use crate::cloud::{Client, Config, Credentials, Endpoint, Endpoints, Error, Limiter, Pace, Timeouts};
use crate::plan::fault::Halt;
use crate::plan::{Reason, STOP};

/// How long a Secret that was read is believed.
const SECRET_AGE: Duration = Duration::from_secs(60);
/// How long the list of a region's zones is believed: it changes once in years.
const ZONES_AGE: Duration = Duration::from_secs(3600);

/// A place in the cloud, and a client that may act there.
#[derive(Clone)]
pub struct Provider {
    /// The way to the cloud.
    pub client: Client,
    /// The place.
    pub location: Location,
    /// For new instances that name none.
    pub enterprise_project_id: Option<String>,
}

/// The Secrets that were read, the clients made of them, and the limiters that they share.
#[derive(Default)]
pub struct Providers {
    secrets: Mutex<BTreeMap<SecretKey, Slot>>,
    clients: Mutex<BTreeMap<(String, String), Known>>,
    limiters: Mutex<BTreeMap<(String, String), Arc<Limiter>>>,
    zones: Mutex<BTreeMap<String, (Instant, Arc<Zones>)>>,
    checked: Mutex<BTreeMap<(String, String), Checked>>,
}

/// The outcome of trying a ProviderConfig's credentials.
#[derive(Clone)]
pub struct Checked {
    at: Instant,
    /// uid and generation of the ProviderConfig: one that was made anew may lead elsewhere.
    of: (Option<String>, Option<i64>),
    version: (String, String),
    /// The project's id, or why only a person helps.
    pub outcome: Result<String, Halt>,
}

/// Ids of a region's zones by their codes.
pub type Zones = BTreeMap<String, String>;

/// A Secret as it was read.
#[derive(Clone)]
struct Read {
    at: Instant,
    result: Result<Keys, Halt>,
}

/// Namespace and name of a Secret, and how it is read.
type SecretKey = (String, String, CredentialsType);

/// Held while its Secret is being read.
type Slot = Arc<tokio::sync::Mutex<Option<Read>>>;

/// The keys in a Secret.
#[derive(Clone)]
pub struct Keys {
    /// uid and resourceVersion of the Secret.
    version: (String, String),
    /// Whether it carries our finalizer.
    pub held: bool,
    /// Whose they are.
    holder: String,
    credentials: Credentials,
}

/// A client in use.
struct Known {
    endpoints: Endpoints,
    project_id: String,
    /// uid and resourceVersion of the Secret that it signs with.
    version: (String, String),
    client: Client,
}

impl Providers {
    /// The provider behind a ProviderConfig that was found usable.
    pub async fn of(&self, cx: &Context, namespace: &str, name: &str) -> Result<Provider, Halt> {
        let waiting = |why: &str| Halt::Waiting(format!("ProviderConfig {namespace}/{name} {why}"));
        let Some(config) = cx.rooms.of::<ProviderConfig>().get(namespace, name) else {
            return Err(waiting("does not exist"));
        };
        let Some(project_id) = config.status.as_ref().and_then(|s| s.project_id.clone()) else {
            let ready = config
                .status
                .iter()
                .flat_map(|s| &s.core.conditions)
                .find(|c| c.type_ == "Ready");
            let why = ready.map_or("waits for the first look", |c| c.message.as_str());
            return Err(waiting(&format!("is not ready: {why}")));
        };
        let keys = self.keys(cx, &config, SECRET_AGE).await?;
        let client = self.client(cx, &config, &keys, &project_id)?;
        let location = location(&config, &project_id)?;
        Ok(Provider {
            client,
            location,
            enterprise_project_id: config.spec.enterprise_project_id.clone(),
        })
    }

    /// The keys of a ProviderConfig, read at most `age` ago.
    pub async fn keys(&self, cx: &Context, config: &ProviderConfig, age: Duration) -> Result<Keys, Halt> {
        let namespace = config.metadata.namespace.clone().unwrap_or_default();
        let name = config.spec.credentials.secret_ref.name.clone();
        let kind = config.spec.credentials.kind;
        let slot = self.slot((namespace.clone(), name.clone(), kind));
        // One reader of a Secret at a time: whoever comes meanwhile comes again for what it read. Thousands do at the start,
        // and each that waited here would hold its whole round.
        let Ok(mut slot) = slot.try_lock() else {
            return Err(Halt::Later(SOON));
        };
        if let Some(read) = &*slot {
            let age = if read.result.is_ok() {
                age
            } else {
                age.min(cx.config.poll / 2)
            };
            if read.at.elapsed() < age {
                return read.result.clone();
            }
        }
        let result = read_keys(cx, &namespace, &name, kind).await;
        *slot = Some(Read {
            at: Instant::now(),
            result: result.clone(),
        });
        result
    }

    fn slot(&self, key: SecretKey) -> Slot {
        let mut secrets = self.secrets.lock().expect("no holder panics");
        secrets.entry(key).or_default().clone()
    }

    /// How a ProviderConfig's credentials did when they were last tried, if neither has changed since.
    pub fn checked(&self, config: &ProviderConfig, keys: &Keys, age: Duration) -> Option<Result<String, Halt>> {
        let checked = self.checked.lock().expect("no holder panics");
        let last = checked.get(&object_key(config))?;
        let age = if last.outcome.is_ok() { age } else { STOP };
        let same = last.of == incarnation(config) && last.version == keys.version;
        (same && last.at.elapsed() < age).then(|| last.outcome.clone())
    }

    /// Remembers how the credentials did; whether they are new ones.
    pub fn check(&self, config: &ProviderConfig, keys: &Keys, outcome: Result<String, Halt>) -> bool {
        let checked = Checked {
            at: Instant::now(),
            of: incarnation(config),
            version: keys.version.clone(),
            outcome,
        };
        let before = self
            .checked
            .lock()
            .expect("no holder panics")
            .insert(object_key(config), checked);
        before.is_some_and(|before| before.version != keys.version)
    }

    /// Forgets a ProviderConfig that is gone.
    pub fn forget(&self, config: &ProviderConfig) {
        let key = object_key(config);
        self.checked.lock().expect("no holder panics").remove(&key);
        if let Some(known) = self.clients.lock().expect("no holder panics").remove(&key) {
            known.client.limiter().allow(&limiter_user(&key), None);
        }
    }

    /// The zones of the region that a provider leads to.
    pub async fn zones(&self, provider: &Provider) -> Result<Arc<Zones>, Error> {
        let endpoint = provider.location.endpoint.clone();
        let zones = || self.zones.lock().expect("no holder panics");
        if let Some((at, known)) = zones().get(&endpoint)
            && at.elapsed() < ZONES_AGE
        {
            return Ok(known.clone());
        }
        let listed = provider.client.list_available_zones().await?.into_iter();
        let listed: Arc<Zones> = Arc::new(listed.map(|z| (z.code.unwrap_or_else(|| z.id.clone()), z.id)).collect());
        zones().insert(endpoint, (Instant::now(), listed.clone()));
        Ok(listed)
    }

    /// The Secret changed by our own hand, or must be looked at anew.
    pub fn forget_secret(&self, namespace: &str, name: &str) {
        let mut secrets = self.secrets.lock().expect("no holder panics");
        secrets
            .retain(|(known_namespace, known, _), _| (known_namespace.as_str(), known.as_str()) != (namespace, name));
    }

    /// A client for a ProviderConfig. New keys swap the signer of the one that is in use.
    pub fn client(&self, cx: &Context, config: &ProviderConfig, keys: &Keys, project_id: &str) -> Result<Client, Halt> {
        let meta = &config.metadata;
        let name = (
            meta.namespace.clone().unwrap_or_default(),
            meta.name.clone().unwrap_or_default(),
        );
        let endpoints = endpoints(config)?;
        for (field, endpoint) in [("dms", &endpoints.dms), ("iam", &endpoints.iam)] {
            if !cx.config.allows(&endpoint.to_string()) {
                return Err(Halt::Stop(
                    Reason::InvalidSpec,
                    format!(
                        "spec.endpoints.{field}: {endpoint} is not in the operator's list of allowed endpoints ({}); ask whoever runs the operator (--allowed-endpoints)",
                        cx.config.allowed_endpoints.join(", ")
                    ),
                ));
            }
        }
        let user = limiter_user(&name);
        let rate = config.spec.rate_limit.as_ref();
        let pace = rate.and_then(|rate| Some(Pace::of(rate.requests, rate.period()?, rate.burst)));
        let mut clients = self.clients.lock().expect("no holder panics");
        if let Some(known) = clients.get_mut(&name)
            && (&known.endpoints, known.project_id.as_str()) == (&endpoints, project_id)
        {
            if known.version != keys.version {
                known.client.set_credentials(keys.credentials.clone());
                known.version = keys.version.clone();
            }
            known.client.limiter().allow(&user, pace);
            return Ok(known.client.clone());
        }
        let limiter = self.limiter(&endpoints.dms, &keys.holder);
        limiter.allow(&user, pace);
        let timeouts = Timeouts {
            create: super::engine::CREATE_TIMEOUT,
            ..Timeouts::default()
        };
        let metrics = cx.metrics.clone();
        let project_name = config.spec.project_name.as_ref().unwrap_or(&config.spec.region);
        let config = Config {
            endpoints: endpoints.clone(),
            project_id: project_id.to_owned(),
            project_name: project_name.clone(),
            clock: cx.clock.clone(),
            timeouts,
            on_call: Some(Arc::new(move |call| metrics.called(call))),
        };
        let client = Client::new(config, cx.transport.clone(), limiter, keys.credentials.clone());
        let version = keys.version.clone();
        clients.insert(
            name,
            Known {
                endpoints,
                project_id: project_id.to_owned(),
                version,
                client: client.clone(),
            },
        );
        Ok(client)
    }

    /// One per host and holder of credentials, whatever ProviderConfig they came from.
    fn limiter(&self, endpoint: &Endpoint, holder: &str) -> Arc<Limiter> {
        let mut limiters = self.limiters.lock().expect("no holder panics");
        // Those of keys that nobody uses any more.
        limiters.retain(|_, limiter| Arc::strong_count(limiter) > 1);
        limiters
            .entry((endpoint.authority(), holder.to_owned()))
            .or_default()
            .clone()
    }
}

impl Keys {
    /// Whose they are, shortened.
    pub fn identity(&self) -> Identity {
        let (kind, access_key, user_name) = match &self.credentials {
            Credentials::AccessKey { access_key, .. } => {
                (CredentialsType::AccessKey, Some(shortened(access_key)), None)
            }
            Credentials::Password { user_name, .. } => (CredentialsType::Password, None, Some(shortened(user_name))),
        };
        Identity {
            kind,
            access_key,
            user_name,
        }
    }
}

fn shortened(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    match letters.as_slice() {
        [a, b, c, d, .., x, y, z] if letters.len() > 10 => format!("{a}{b}{c}{d}...{x}{y}{z}"),
        _ => "...".into(),
    }
}

/// Where a ProviderConfig leads.
pub fn location(config: &ProviderConfig, project_id: &str) -> Result<Location, Halt> {
    Ok(Location {
        name: config.metadata.name.clone().unwrap_or_default(),
        namespace: config.metadata.namespace.clone().unwrap_or_default(),
        endpoint: endpoints(config)?.dms.to_string(),
        region: config.spec.region.clone(),
        project_id: project_id.to_owned(),
    })
}

fn limiter_user((namespace, name): &(String, String)) -> String {
    format!("{namespace}/{name}")
}

fn incarnation(config: &ProviderConfig) -> (Option<String>, Option<i64>) {
    (config.metadata.uid.clone(), config.metadata.generation)
}

fn object_key(config: &ProviderConfig) -> (String, String) {
    let meta = &config.metadata;
    (
        meta.namespace.clone().unwrap_or_default(),
        meta.name.clone().unwrap_or_default(),
    )
}

fn endpoints(config: &ProviderConfig) -> Result<Endpoints, Halt> {
    let invalid =
        |error: crate::cloud::InvalidEndpoint| Halt::Stop(Reason::InvalidSpec, format!("spec.endpoints: {error}"));
    let mut endpoints = Endpoints::of_region(&config.spec.region).map_err(invalid)?;
    if let Some(own) = &config.spec.endpoints {
        if let Some(dms) = &own.dms {
            endpoints.dms = dms.parse().map_err(invalid)?;
        }
        if let Some(iam) = &own.iam {
            endpoints.iam = iam.parse().map_err(invalid)?;
        }
    }
    Ok(endpoints)
}

async fn read_keys(cx: &Context, namespace: &str, name: &str, kind: CredentialsType) -> Result<Keys, Halt> {
    let api: Api<Secret> = Api::namespaced(cx.kube.clone(), namespace);
    let secret = match timeout(KUBE_TIMEOUT, api.get_opt(name)).await {
        Ok(Ok(Some(secret))) => secret,
        Ok(Ok(None)) => return Err(Halt::Polling(format!("Secret {namespace}/{name} does not exist"))),
        Ok(Err(kube::Error::Api(status))) => {
            return Err(Halt::Polling(format!(
                "Secret {namespace}/{name} cannot be read: {}",
                status.message
            )));
        }
        Ok(Err(_)) | Err(_) => {
            return Err(Halt::Polling(format!(
                "Secret {namespace}/{name} cannot be read: no answer from the API server"
            )));
        }
    };
    let text = |key: &str| {
        let bytes = &secret.data.as_ref()?.get(key)?.0;
        let text = std::str::from_utf8(bytes).ok()?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let wanted = match kind {
        CredentialsType::AccessKey => "accessKey and secretKey",
        CredentialsType::Password => "username, password and domainName",
    };
    let need = |key: &str| {
        text(key).ok_or_else(|| {
            // Which other keys it has is for those only who may read it.
            let why = format!("Secret {namespace}/{name} needs the keys {wanted}: {key} is missing or empty");
            Halt::Stop(Reason::InvalidSpec, why)
        })
    };
    let credentials = match kind {
        CredentialsType::AccessKey => Credentials::AccessKey {
            access_key: need("accessKey")?,
            secret_key: SecretString::from(need("secretKey")?),
            security_token: text("securityToken").map(SecretString::from),
        },
        CredentialsType::Password => Credentials::Password {
            user_name: need("username")?,
            password: SecretString::from(need("password")?),
            domain_name: need("domainName")?,
        },
    };
    let holder = match &credentials {
        Credentials::AccessKey { access_key, .. } => access_key.clone(),
        Credentials::Password {
            user_name, domain_name, ..
        } => format!("{domain_name}/{user_name}"),
    };
    let meta = &secret.metadata;
    Ok(Keys {
        version: (
            meta.uid.clone().unwrap_or_default(),
            meta.resource_version.clone().unwrap_or_default(),
        ),
        held: meta.finalizers.iter().flatten().any(|f| f == crate::api::FINALIZER),
        holder,
        credentials,
    })
}

//! The engine: one reconcile for every kind, and everything around it.

pub mod admin;
mod batch;
mod config;
mod engine;
mod events;
mod hub;
mod index;
mod kind;
mod kinds;
mod lease;
mod metrics;
mod namespaces;
mod pace;
mod providers;
mod reading;
mod room;
mod rooms;
mod round;
mod snapshot;
mod tasks;
mod traffic;
mod turns;
mod writes;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::Namespace;
use kube::core::PartialObjectMeta;
use kube::runtime::controller::{Action, Error as ControllerError};
use kube::runtime::reflector::ObjectRef;
use kube::runtime::{Controller, WatchStreamExt as _, reflector, watcher};
use kube::{Api, Client, Resource as _, ResourceExt as _};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::api::{Managed, ProviderConfig};
use crate::clock::Clock;
use crate::cloud::Transport;
use admin::Stage;
pub use config::{Config, LeaseConfig};
use events::Events;
use hub::Hubs;
use kind::Kind;
use kinds::{ConsumerGroups, KafkaInstances, KafkaUserQuotas, ProviderConfigs, RocketMQInstances, Topics};
use lease::{Candidate, Tenure};
pub use metrics::Metrics;
use namespaces::Namespaces;
use providers::Providers;
use room::Room;
use rooms::Rooms;
use writes::{Gate, KUBE_TIMEOUT};

/// What an operator is made of; nothing here is read from the environment.
pub struct Operator {
    /// The API server. Its own retries should be off: rounds are repeated as wholes.
    pub kube: Client,
    /// The cloud.
    pub transport: Arc<dyn Transport>,
    /// The time that is written down.
    pub clock: Clock,
    /// What can be set.
    pub config: Config,
    /// What can be measured.
    pub metrics: Metrics,
    /// How far it is; for `/readyz`.
    pub stage: watch::Sender<Stage>,
}

/// Why an operator ended before it was told to.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Ended {
    /// Another replica leads now; acting on would be two of us.
    #[error("lost the lease")]
    LostLease,
    /// The watches ended.
    #[error("the controllers ended")]
    Controllers,
}

/// What all rounds share.
pub struct Context {
    kube: Client,
    transport: Arc<dyn Transport>,
    clock: Clock,
    config: Config,
    metrics: Metrics,
    events: Events,
    gate: Arc<Gate>,
    rooms: Rooms,
    namespaces: Arc<Namespaces>,
    hubs: Hubs,
    providers: Providers,
    tenure: Tenure,
    unsynced: watch::Receiver<usize>,
    /// We are to end.
    ending: CancellationToken,
}

impl Operator {
    /// Runs until `shutdown`, or until it may not go on. Rounds under way are finished.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), Ended> {
        let Some(lease) = self.config.lease.clone() else {
            return self.lead(Tenure::unlimited(), shutdown).await;
        };
        let mut candidate = Candidate::new(self.kube.clone(), lease, self.clock.clone());
        self.stage.send_replace(Stage::Standby);
        tokio::select! {
            () = candidate.acquire() => {}
            () = shutdown.cancelled() => return Ok(()),
        }
        let tenure = candidate.tenure();
        let ended = tokio::select! {
            ended = self.lead(tenure, shutdown) => ended,
            () = candidate.keep() => return Err(Ended::LostLease),
        };
        candidate.release().await;
        ended
    }

    async fn lead(self, tenure: Tenure, shutdown: CancellationToken) -> Result<(), Ended> {
        self.stage.send_replace(Stage::Syncing);
        self.metrics.leads(true);
        let mut kinds = Kinds::new(self.kube.clone(), shutdown.clone());
        // Every kind has its line here.
        kinds.add::<ProviderConfigs>();
        kinds.add::<KafkaInstances>();
        kinds.add::<RocketMQInstances>();
        kinds.add::<Topics>();
        kinds.add::<ConsumerGroups>();
        kinds.add::<KafkaUserQuotas>();
        let namespaces = kinds.watch_namespaces();
        let (wakes, mut woken) = mpsc::unbounded_channel();
        let identity = self.config.lease.as_ref().map(|lease| lease.identity.clone());
        let (events, queue) = Events::new(identity);
        let ended = CancellationToken::new();
        let gate = Arc::<Gate>::default();
        let mut delivery = pin!(events::deliver(self.kube.clone(), gate.clone(), queue, ended.clone()));
        let context = Context {
            events,
            gate,
            kube: self.kube,
            transport: self.transport,
            clock: self.clock,
            config: self.config,
            metrics: self.metrics,
            rooms: kinds.rooms,
            namespaces,
            hubs: Hubs::new(wakes),
            providers: Providers::default(),
            tenure,
            unsynced: kinds.unsynced.subscribe(),
            ending: shutdown.clone(),
        };
        let context = Arc::new(context);
        let (synced, stage) = (context.clone(), self.stage);
        let begin = async move {
            synced.synced().await;
            stage.send_replace(Stage::Leading);
            synced.rooms.wake_all().await;
            std::future::pending::<()>().await;
        };
        let rooms = context.clone();
        let wake = async move {
            while let Some(object) = woken.recv().await {
                rooms.rooms.wake(&object);
            }
        };
        let idle = context.clone();
        let told_before_it_began = async {
            shutdown.cancelled().await;
            // The watches have ended, so controllers that wait for full caches would wait for ever; no round has begun.
            if idle.is_synced() {
                std::future::pending::<()>().await;
            }
        };
        let controllers = kinds.starters.into_iter().map(|start| start(context.clone()));
        tokio::select! {
            _ = futures::future::join_all(controllers) => {}
            () = begin => {}
            () = wake => {}
            () = told_before_it_began => {}
            () = &mut delivery => {}
        }
        ended.cancel();
        // Nobody misses an Event that comes no more.
        let _ = timeout(KUBE_TIMEOUT, delivery).await;
        if shutdown.is_cancelled() {
            Ok(())
        } else {
            Err(Ended::Controllers)
        }
    }
}

impl Context {
    /// Whether the caches of all kinds are filled.
    fn is_synced(&self) -> bool {
        *self.unsynced.borrow() == 0
    }

    /// Waits until they are.
    async fn synced(&self) {
        // The sender lives as long as the controllers.
        let _ = self.unsynced.clone().wait_for(|left| *left == 0).await;
    }

    /// How often an object at rest is looked at: its ProviderConfig may say.
    fn resync_of<Cr: Managed>(&self, cr: &Cr) -> Duration {
        let pinned = cr.core().and_then(|core| core.provider.as_ref());
        let own = pinned.and_then(|p| {
            self.rooms
                .of::<ProviderConfig>()
                .get(&p.namespace, &p.name)?
                .spec
                .resync()
        });
        own.unwrap_or(self.config.resync)
    }

    /// A value that nobody else has.
    fn nonce(&self) -> String {
        uuid::Uuid::new_v4().simple().to_string()
    }
}

type Starter = Box<dyn FnOnce(Arc<Context>) -> BoxFuture<'static, ()> + Send>;

/// The kinds on their way from a line of code to a running controller.
struct Kinds {
    kube: Client,
    shutdown: CancellationToken,
    rooms: Rooms,
    starters: Vec<Starter>,
    unsynced: Arc<watch::Sender<usize>>,
}

impl Kinds {
    fn new(kube: Client, shutdown: CancellationToken) -> Self {
        let unsynced = Arc::new(watch::channel(0).0);
        Self {
            kube,
            shutdown,
            rooms: Rooms::default(),
            starters: vec![],
            unsynced,
        }
    }

    /// Namespaces are no kind of ours; what other namespaces' instances admit depends on their labels.
    fn watch_namespaces(&mut self) -> Arc<Namespaces> {
        let namespaces = Arc::new(Namespaces::default());
        self.unsynced.send_modify(|left| *left += 1);
        let (kube, shutdown, unsynced) = (self.kube.clone(), self.shutdown.clone(), self.unsynced.clone());
        let followed = namespaces.clone();
        self.starters.push(Box::new(move |context| {
            let api = Api::<PartialObjectMeta<Namespace>>::all(kube);
            watcher(api, watcher::Config::default().any_semantic())
                .default_backoff()
                .take_until(shutdown.cancelled_owned())
                .for_each(move |event| {
                    match event {
                        Ok(event) => {
                            let followed = followed.follow(event);
                            if followed.filled {
                                unsynced.send_modify(|left| *left -= 1);
                            }
                            followed
                                .changed
                                .iter()
                                .for_each(|name| context.rooms.wake_tenants(name));
                        }
                        Err(error) => warn!(
                            kind = "Namespace",
                            error = brief(&error),
                            "a watch broke; it begins anew"
                        ),
                    }
                    std::future::ready(())
                })
                .boxed()
        }));
        namespaces
    }

    fn add<K: Kind>(&mut self) {
        let (reader, writer) = reflector::store::<K::Cr>();
        let (wake, mut woken) = mpsc::unbounded_channel::<ObjectRef<K::Cr>>();
        self.rooms.add(Arc::new(Room::new::<K>(reader.clone(), wake)));
        self.unsynced.send_modify(|left| *left += 1);
        let (kube, shutdown, unsynced) = (self.kube.clone(), self.shutdown.clone(), self.unsynced.clone());
        self.starters.push(Box::new(move |context: Arc<Context>| {
            let mut first = true;
            let watched = watcher(Api::<K::Cr>::all(kube), watcher::Config::default().any_semantic())
                .default_backoff()
                .modify(prune)
                .inspect(|event| {
                    if let Err(error) = event {
                        warn!(kind = %K::Cr::kind(&()), error = brief(error), "a watch broke; it begins anew");
                    }
                });
            let followed = context.clone();
            let stored = reflector(writer, watched).inspect(move |event| {
                let Ok(event) = event else { return };
                followed.rooms.of::<K::Cr>().follow(event);
                if matches!(event, watcher::Event::InitDone) && std::mem::take(&mut first) {
                    unsynced.send_modify(|left| *left -= 1);
                }
            });
            // Until all caches are filled nothing is decided, and then all are woken.
            let filled = context.clone();
            let touched = stored
                .touched_objects()
                .try_filter(move |_| std::future::ready(filled.is_synced()));
            Controller::for_stream(touched, reader)
                .reconcile_on(futures::stream::poll_fn(move |cx| woken.poll_recv(cx)))
                .graceful_shutdown_on(shutdown.cancelled_owned())
                .run(engine::reconcile::<K>, |_, never, _| match *never {}, context.clone())
                .for_each(move |result: Result<(ObjectRef<K::Cr>, Action), _>| {
                    match result {
                        // The object went while its round was due.
                        Err(ControllerError::ObjectNotFound(gone)) => {
                            let namespace = gone.namespace.as_deref().unwrap_or_default();
                            context.rooms.of::<K::Cr>().forget(namespace, &gone.name);
                        }
                        // A watch that broke was told of already.
                        Ok(_) | Err(ControllerError::QueueError(_)) => {}
                        Err(error) => error!(%error, "a controller met an error"),
                    }
                    std::future::ready(())
                })
                .boxed()
        }));
    }
}

/// kube's errors end in a dump of the whole answer.
fn brief(error: &watcher::Error) -> String {
    let text = error.to_string();
    text.split(" (Status {").next().unwrap_or_default().to_owned()
}

/// Takes off what is never read: it is most of an object's size.
fn prune<Cr: Managed>(cr: &mut Cr) {
    cr.managed_fields_mut().clear();
    cr.annotations_mut()
        .remove("kubectl.kubernetes.io/last-applied-configuration");
}

//! One hub per DMS instance: all traffic of the instance goes through it.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use super::pace::Pace;
use super::snapshot::{Lister, Shared};
use crate::cloud::{Class, Client, Engine, Error};

/// What all objects of one instance share.
pub struct Hub {
    /// The instance's id.
    pub instance_id: String,
    /// The way to the cloud.
    pub client: Client,
    /// Its engine.
    pub engine: Engine,
    /// How fast it is asked about one thing at a time.
    pub pace: Pace,
    /// Its lists by how they are read.
    lists: Mutex<BTreeMap<TypeId, Arc<dyn Any + Send + Sync>>>,
    writing: tokio::sync::Mutex<()>,
    held: Mutex<Option<(Instant, Error)>>,
    poll: Duration,
}

impl Hub {
    fn new(engine: Engine, instance_id: &str, client: Client, poll: Duration) -> Self {
        Self {
            instance_id: instance_id.into(),
            client,
            engine,
            pace: Pace::default(),
            lists: Mutex::default(),
            writing: tokio::sync::Mutex::new(()),
            held: Mutex::new(None),
            poll,
        }
    }

    /// The list that all things of one kind share.
    pub fn list<L: Lister>(&self) -> Arc<Shared<L::Item>> {
        let mut lists = self.lists.lock().expect("no holder panics");
        let list = lists
            .entry(TypeId::of::<L>())
            .or_insert_with(|| Arc::new(Shared::<L::Item>::default()));
        list.clone().downcast().expect("filed under its own type")
    }

    /// Why no write should be sent to the instance now.
    pub fn held(&self) -> Option<String> {
        self.busy()
            .map(|error| format!("the instance runs another change: {}", error.said()))
    }

    /// Sends a write when its turn has come. "Busy" holds all writes to the instance for a polling interval, also those that
    /// wait for their turn already.
    pub async fn write<T>(&self, call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let _turn = self.writing.lock().await;
        if let Some(busy) = self.busy() {
            return Err(busy);
        }
        let result = call.await;
        if let Err(error) = &result
            && error.class() == Class::Busy
        {
            let until = Instant::now() + self.poll;
            *self.held.lock().expect("no holder panics") = Some((until, error.clone()));
        }
        result
    }

    fn busy(&self) -> Option<Error> {
        let held = self.held.lock().expect("no holder panics");
        let (until, error) = held.as_ref()?;
        (*until > Instant::now()).then(|| error.clone())
    }
}

/// The hubs by ProviderConfig and instance: what one's credentials may see is not shown to another's.
#[derive(Default)]
pub struct Hubs {
    hubs: Mutex<BTreeMap<Key, (Arc<Hub>, Instant)>>,
}

/// Namespace and name of the ProviderConfig, and the instance's engine, as its object says, and id.
type Key = (String, String, Engine, String);

/// A hub that nobody asked for this long is forgotten; its objects come by at least once a day.
const UNUSED: Duration = Duration::from_secs(25 * 3600);

impl Hubs {
    /// The hub of an instance.
    pub fn of(
        &self,
        provider: (&str, &str),
        client: &Client,
        (engine, instance_id): (Engine, &str),
        poll: Duration,
    ) -> Arc<Hub> {
        let key = (
            provider.0.to_owned(),
            provider.1.to_owned(),
            engine,
            instance_id.to_owned(),
        );
        let mut hubs = self.hubs.lock().expect("no holder panics");
        let now = Instant::now();
        // A ProviderConfig that was changed or made anew has a new client: the old one would sign with old keys for ever.
        if !hubs.get(&key).is_some_and(|(hub, _)| hub.client.is_clone_of(client)) {
            hubs.retain(|known, (_, used)| *known != key && used.elapsed() < UNUSED);
        }
        let make = || (Arc::new(Hub::new(engine, instance_id, client.clone(), poll)), now);
        let (hub, used) = hubs.entry(key).or_insert_with(make);
        *used = now;
        hub.clone()
    }
}

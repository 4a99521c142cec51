//! One hub per DMS instance: all traffic of the instance goes through it.

use std::any::{Any, TypeId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::time::Instant;

use super::batch::{Batch, Batches};
use super::kind::Reference;
use super::pace::Pace;
use super::reading::Lister;
use super::snapshot::{Shared, Source, Wakes};
use super::tasks::Tasks;
use super::traffic::Traffic;
use super::turns::{Turn, Turns, Way};
use crate::cloud::{Class, Client, Engine, Error, Priority, Sent};

/// What all objects of one instance share.
pub struct Hub {
    /// The instance's id.
    pub instance_id: String,
    /// Its engine.
    pub engine: Engine,
    /// The writes to it.
    pub traffic: Traffic,
    /// Its background tasks.
    pub tasks: Tasks,
    /// How fast it is asked about one thing at a time.
    pub pace: Pace,
    client: Client,
    /// Its lists by how they are read.
    lists: Mutex<BTreeMap<TypeId, Arc<dyn Any + Send + Sync>>>,
    batches: Batches,
    turns: Arc<Turns>,
    wakes: Wakes,
    held: Mutex<Option<Held>>,
    poll: Duration,
}

/// The instance is busy, and nobody writes until this moment; then one tries.
struct Held {
    until: Instant,
    error: Error,
    /// Who waits for it to move.
    waiting: BTreeSet<Reference>,
}

/// Whoever waits for a busy instance tries this much later than the one before it, up to a polling interval, if nobody's
/// success woke it till then.
const APART: Duration = Duration::from_secs(1);

/// Who writes, and how urgently.
#[derive(Clone, Debug)]
pub struct Writer {
    /// The object.
    pub object: Reference,
    /// Its generation: an edit is another wish.
    pub generation: i64,
    /// How urgent it is.
    pub priority: Priority,
}

impl Hub {
    pub(super) fn new(engine: Engine, instance_id: &str, client: Client, poll: Duration, wakes: Wakes) -> Self {
        Self {
            instance_id: instance_id.into(),
            engine,
            traffic: Traffic::default(),
            tasks: Tasks::default(),
            pace: Pace::default(),
            client,
            lists: Mutex::default(),
            batches: Batches::default(),
            turns: Arc::new(Turns::new(wakes.clone())),
            wakes,
            held: Mutex::new(None),
            poll,
        }
    }

    /// The way to the cloud, for calls of this urgency.
    pub fn client(&self, priority: Priority) -> Client {
        self.client.at(priority)
    }

    /// Where its lists are read.
    pub fn source(&self) -> Source {
        Source {
            client: self.client.clone(),
            instance_id: self.instance_id.clone(),
        }
    }

    /// The list that all things of one kind share.
    pub fn list<L: Lister>(&self) -> Arc<Shared<L::Item>> {
        let mut lists = self.lists.lock().expect("no holder panics");
        let list = lists
            .entry(TypeId::of::<L>())
            .or_insert_with(|| Arc::new(Shared::<L::Item>::new(self.wakes.clone())));
        list.clone().downcast().expect("filed under its own type")
    }

    /// An error of a call that makes more of something, with how much room there was for that when its list was read last.
    pub fn room_for<L: Lister>(&self, what: &str, error: Error) -> Error {
        let limits = self.list::<L>().limits().unwrap_or_default();
        match (limits.left, limits.most) {
            (Some(left), Some(most)) if error.class() == Class::Quota => {
                error.adding(&format!("{left} of {most} {what} were left when they were listed last"))
            }
            _ => error,
        }
    }

    /// Why no write should be sent to the instance now.
    pub fn held(&self) -> Option<String> {
        self.busy().map(|error| error.said())
    }

    /// Whether so many wait for their turn that this object should come again later: it is woken.
    pub fn sends_away(&self, object: &Reference) -> bool {
        self.turns.sends_away(object)
    }

    /// Waits for the turn to write. An instance that turns out to be busy sends all who wait away.
    pub async fn turn(&self, priority: Priority, way: Way) -> Result<Turn, Error> {
        let _intent = self.traffic.intent();
        let turn = self.turns.take(priority, way).await;
        self.busy().map_or(Ok(turn), Err)
    }

    /// Sends a write, whose turn it is. "Busy" holds all writes to the instance for a polling interval.
    pub async fn write<T>(&self, call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let result = call.await;
        self.traffic.sent();
        if let Err(error) = &result
            && error.class() == Class::Busy
        {
            self.turns.narrow();
            let mut held = self.holding();
            let waiting = held.take().map(|held| held.waiting).unwrap_or_default();
            *held = Some(Held {
                until: Instant::now() + self.poll,
                error: error.clone(),
                waiting,
            });
        }
        result
    }

    /// Sends an item in one call with those of others; its own result, as far as the answer tells.
    pub async fn together<B: Batch>(&self, writer: &Writer, item: B) -> Result<B::Outcome, Error> {
        self.batches.put(self, writer, item).await
    }

    /// The item of this object made a batch fail as a whole, or may have: it goes alone until it is edited.
    pub fn part(&self, writer: &Writer) {
        self.batches.part(writer);
    }

    /// How long an object should wait for a busy instance, if nobody's success wakes it before. What goes together with others
    /// comes together with them.
    pub fn wait(&self, object: Reference, way: Way) -> Duration {
        let mut held = self.holding();
        // It may also be the instance's state that it waits for, which wakes it.
        let Some(held) = held.as_mut().filter(|held| held.until > Instant::now()) else {
            return self.poll;
        };
        held.waiting.insert(object);
        let place = match way {
            Way::Together => 0,
            Way::Beside | Way::Alone => held.waiting.len() as u32 - 1,
        };
        let left = held.until.saturating_duration_since(Instant::now());
        left + (APART * place).min(self.poll)
    }

    /// A write went through: who waited for that.
    pub fn moved(&self) -> BTreeSet<Reference> {
        self.holding().take().map(|held| held.waiting).unwrap_or_default()
    }

    /// What is said to all who wait, of the call of another that was refused.
    fn busy(&self) -> Option<Error> {
        let held = self.holding();
        let Held { until, error, .. } = held.as_ref()?;
        (*until > Instant::now()).then(|| {
            let message = format!("the instance runs another change: {}", error.said());
            Error::new(error.operation(), Class::Busy, Sent::Never, message)
        })
    }

    fn holding(&self) -> MutexGuard<'_, Option<Held>> {
        self.held.lock().expect("no holder panics")
    }
}

/// The hubs by ProviderConfig and instance: what one's credentials may see is not shown to another's.
pub struct Hubs {
    hubs: Mutex<BTreeMap<Key, (Arc<Hub>, Instant)>>,
    wakes: Wakes,
}

/// Namespace and name of the ProviderConfig, and the instance's engine, as its object says, and id.
type Key = (String, String, Engine, String);

/// A hub that nobody asked for this long is forgotten; its objects come by at least once a day.
const UNUSED: Duration = Duration::from_secs(25 * 3600);

impl Hubs {
    /// None; what they tell to look again is sent to `wakes`.
    pub fn new(wakes: Wakes) -> Self {
        Self {
            hubs: Mutex::default(),
            wakes,
        }
    }

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
        let make = || {
            (
                Arc::new(Hub::new(engine, instance_id, client.clone(), poll, self.wakes.clone())),
                now,
            )
        };
        let (hub, used) = hubs.entry(key).or_insert_with(make);
        *used = now;
        hub.clone()
    }
}

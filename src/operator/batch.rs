//! Writes that the service takes many of in one call.
//!
//! Whoever comes first leads: it waits a moment for others to come along, takes the turn for all, sends, and hands out what
//! came of each. A batch that is refused whole is nobody's fault until it is known whose: all of it is looked at again and
//! sent one by one.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::sleep;

use super::hub::{Hub, Writer};
use super::kind::Reference;
use super::turns::Way;
use crate::cloud::{Class, Client, Error, Operation, Priority, Sent};

/// An item of a call that takes many.
pub trait Batch: Send + Sized + 'static {
    /// What the answer tells of one item.
    type Outcome: Send + 'static;

    /// The call, for errors.
    const OPERATION: Operation;
    /// Items a call. The references give no limit; this is the length of a page.
    const MOST: usize = 50;

    /// Sends them; a result for each, in order.
    fn send(
        client: &Client,
        instance_id: &str,
        items: &[Self],
    ) -> impl Future<Output = Result<Vec<Result<Self::Outcome, Error>>, Error>> + Send;
}

/// How long a batch waits for more; as long as more come it waits again.
const LINGER: Duration = Duration::from_millis(50);
/// How often it does.
const LINGERS: u32 = 20;

/// What is gathered for one instance.
#[derive(Default)]
pub struct Batches {
    gathered: Mutex<BTreeMap<TypeId, Arc<dyn Any + Send + Sync>>>,
    /// Objects that go alone, by their generation.
    parted: Mutex<BTreeMap<Reference, i64>>,
}

struct Gathered<B: Batch> {
    entries: Mutex<Vec<Entry<B>>>,
    /// Held by who leads.
    lead: tokio::sync::Mutex<()>,
}

struct Entry<B: Batch> {
    item: B,
    writer: Writer,
    told: oneshot::Sender<Result<B::Outcome, Error>>,
}

impl<B: Batch> Default for Gathered<B> {
    fn default() -> Self {
        Self {
            entries: Mutex::default(),
            lead: tokio::sync::Mutex::default(),
        }
    }
}

impl Batches {
    /// See [`Hub::together`].
    pub async fn put<B: Batch>(&self, hub: &Hub, writer: &Writer, item: B) -> Result<B::Outcome, Error> {
        if self.goes_alone(writer) {
            return self.alone(hub, writer, item).await;
        }
        let _intent = hub.traffic.intent();
        let gathered = self.gathered::<B>();
        let (told, mut result) = oneshot::channel();
        gathered.entries().push(Entry {
            item,
            writer: writer.clone(),
            told,
        });
        loop {
            tokio::select! {
                biased;
                result = &mut result => return result.unwrap_or_else(|_| Err(lost::<B>())),
                _lead = gathered.lead.lock() => self.lead(hub, &gathered).await,
            }
        }
    }

    /// See [`Hub::part`].
    pub fn part(&self, writer: &Writer) {
        let mut parted = self.parted.lock().expect("no holder panics");
        parted.insert(writer.object.clone(), writer.generation);
    }

    fn goes_alone(&self, writer: &Writer) -> bool {
        let mut parted = self.parted.lock().expect("no holder panics");
        let alone = parted.get(&writer.object) == Some(&writer.generation);
        if !alone {
            parted.remove(&writer.object);
        }
        alone
    }

    async fn alone<B: Batch>(&self, hub: &Hub, writer: &Writer, item: B) -> Result<B::Outcome, Error> {
        let _turn = hub.turn(writer.priority, Way::Alone).await?;
        let client = hub.client(writer.priority);
        let items = [item];
        let results = hub.write(B::send(&client, &hub.instance_id, &items)).await?;
        let outcome = results.into_iter().next().unwrap_or_else(|| Err(lost::<B>()))?;
        self.parted.lock().expect("no holder panics").remove(&writer.object);
        Ok(outcome)
    }

    async fn lead<B: Batch>(&self, hub: &Hub, gathered: &Gathered<B>) {
        for _ in 0..LINGERS {
            let before = gathered.entries().len();
            if before == 0 || before >= B::MOST {
                break;
            }
            sleep(LINGER).await;
            if gathered.entries().len() == before {
                break;
            }
        }
        let most_urgent = gathered.entries().iter().map(|entry| entry.writer.priority).min();
        let Some(priority) = most_urgent else { return };
        let turn = hub.turn(priority, Way::Alone).await;
        let entries = gathered.take(turn.is_err());
        let turn = match turn {
            Ok(turn) => turn,
            Err(busy) => return entries.into_iter().for_each(|entry| entry.tell(Err(busy.clone()))),
        };
        self.send(hub, priority, entries).await;
        drop(turn);
    }

    async fn send<B: Batch>(&self, hub: &Hub, priority: Priority, entries: Vec<Entry<B>>) {
        if entries.is_empty() {
            return;
        }
        let (mut items, mut rest) = (vec![], vec![]);
        for Entry { item, writer, told } in entries {
            items.push(item);
            rest.push((writer, told));
        }
        let client = hub.client(priority);
        let result = hub.write(B::send(&client, &hub.instance_id, &items)).await;
        let several = rest.len() > 1;
        let results = match result {
            Ok(results) => results,
            Err(error) if several && is_refused(&error) => {
                rest.iter().for_each(|(writer, _)| self.part(writer));
                rest.iter().map(|_| Err(apart::<B>(&error))).collect()
            }
            Err(error) => rest.iter().map(|_| Err(error.clone())).collect(),
        };
        let results = results.into_iter().map(Some).chain(std::iter::repeat_with(|| None));
        for ((_, told), result) in rest.into_iter().zip(results) {
            // Whoever waited no longer will look again anyway.
            let _ = told.send(result.unwrap_or_else(|| Err(lost::<B>())));
        }
    }

    fn gathered<B: Batch>(&self) -> Arc<Gathered<B>> {
        let mut gathered = self.gathered.lock().expect("no holder panics");
        let of = gathered
            .entry(TypeId::of::<B>())
            .or_insert_with(|| Arc::new(Gathered::<B>::default()));
        of.clone().downcast().expect("filed under its own type")
    }
}

impl<B: Batch> Gathered<B> {
    /// The most urgent that fit in a call, or all; whoever waits no longer is left out.
    fn take(&self, all: bool) -> Vec<Entry<B>> {
        let mut entries = self.entries();
        entries.retain(|entry| !entry.told.is_closed());
        entries.sort_by_key(|entry| entry.writer.priority);
        let count = if all { entries.len() } else { entries.len().min(B::MOST) };
        entries.drain(..count).collect()
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, Vec<Entry<B>>> {
        self.entries.lock().expect("no holder panics")
    }
}

impl<B: Batch> Entry<B> {
    fn tell(self, result: Result<B::Outcome, Error>) {
        let _ = self.told.send(result);
    }
}

/// The service refused what was sent, and would refuse a part of it again.
fn is_refused(error: &Error) -> bool {
    let of_an_item = matches!(
        error.class(),
        Class::Invalid | Class::Quota | Class::NotFound | Class::AlreadyExists
    );
    of_an_item && error.sent() == Sent::Refused && !error.is_instance_gone()
}

fn apart<B: Batch>(error: &Error) -> Error {
    let message = format!(
        "it was refused together with others, and is sent alone now: {}",
        error.said()
    );
    Error::new(B::OPERATION, Class::Unavailable, Sent::Refused, message)
}

fn lost<B: Batch>() -> Error {
    let message = "what became of it in a call with others is not known";
    Error::new(B::OPERATION, Class::Unavailable, Sent::Unknown, message)
}

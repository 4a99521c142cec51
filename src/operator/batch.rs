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

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use futures::future::{BoxFuture, join_all};
    use secrecy::SecretString;
    use tokio::time::Instant;

    use super::*;
    use crate::clock::Clock;
    use crate::cloud::{Broken, Config, Credentials, Endpoints, Engine, Limiter, Timeouts, Transport};

    /// No call of these tests goes by it.
    struct Nowhere;

    impl Transport for Nowhere {
        fn send(&self, _: http::Request<bytes::Bytes>) -> BoxFuture<'_, Result<http::Response<bytes::Bytes>, Broken>> {
            async { Err(Broken::NotSent("nowhere".into())) }.boxed()
        }
    }

    fn hub() -> Hub {
        let config = Config {
            endpoints: Endpoints::of_region("eu-west-101").unwrap(),
            project_id: "p1".into(),
            project_name: String::new(),
            clock: Clock::anchored("2026-11-22T12:00:00Z".parse().unwrap()),
            timeouts: Timeouts::default(),
            on_call: None,
        };
        let credentials = Credentials::AccessKey {
            access_key: "AK".into(),
            secret_key: SecretString::from("sk"),
            security_token: None,
        };
        let client = Client::new(config, Arc::new(Nowhere), Arc::new(Limiter::new()), credentials);
        Hub::new(
            Engine::Kafka,
            "i1",
            client,
            Duration::from_secs(15),
            tokio::sync::mpsc::unbounded_channel().0,
        )
    }

    fn writer(name: &str, generation: i64) -> Writer {
        Writer {
            object: Reference::new("Topic", "shop", name),
            generation,
            priority: Priority::Edit,
        }
    }

    type Calls = Arc<Mutex<Vec<Vec<String>>>>;

    /// A name; a batch that has `bad` in it is refused, of `refused` only itself, and `busy` is.
    struct Item(String, Calls);

    impl Batch for Item {
        type Outcome = String;

        const OPERATION: Operation = Operation::UpdateInstanceTopic;

        async fn send(_: &Client, _: &str, items: &[Self]) -> Result<Vec<Result<String, Error>>, Error> {
            sleep(Duration::from_millis(50)).await;
            let names: Vec<_> = items.iter().map(|item| item.0.clone()).collect();
            let error = |class| Error::new(Self::OPERATION, class, Sent::Refused, "no");
            items[0].1.lock().unwrap().push(names.clone());
            if names.iter().any(|name| name == "busy") {
                return Err(error(Class::Busy));
            }
            if names.iter().any(|name| name == "bad") {
                return Err(error(Class::Invalid));
            }
            let result = |name: String| match name.as_str() {
                "refused" => Err(error(Class::Invalid)),
                _ => Ok(name),
            };
            Ok(names.into_iter().map(result).collect())
        }
    }

    async fn put(hub: &Hub, calls: &Calls, name: &str, generation: i64) -> Result<String, Class> {
        let item = Item(name.into(), calls.clone());
        let result = hub.together(&writer(name, generation), item).await;
        result.map_err(|error| error.class())
    }

    #[tokio::test(start_paused = true)]
    async fn a_thousand_items_are_twenty_calls_and_each_has_its_own_result() {
        let (hub, calls) = (hub(), Calls::default());
        let mut names: Vec<_> = (0..999).map(|n| format!("t{n}")).collect();
        names.push("refused".into());
        let begun = Instant::now();
        let results = join_all(names.iter().map(|name| put(&hub, &calls, name, 1))).await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 999);
        assert_eq!(results[7].as_deref(), Ok("t7"));
        assert_eq!(results[999], Err(Class::Invalid));
        assert_eq!(calls.lock().unwrap().len(), 20);
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn more_that_come_along_are_waited_for_but_not_for_long() {
        let (hub, calls) = (hub(), Calls::default());
        let trickle = (0..100u64).map(|n| {
            let (hub, calls) = (&hub, &calls);
            async move {
                sleep(Duration::from_millis(40 * n)).await;
                put(hub, calls, &format!("t{n}"), 1).await
            }
        });
        join_all(trickle).await;
        let calls = calls.lock().unwrap();
        assert!((4..=8).contains(&calls.len()), "{calls:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_that_is_refused_whole_is_sent_one_by_one_and_the_bad_one_stays_alone_until_it_is_edited() {
        let (hub, calls) = (hub(), Calls::default());
        let all = |generation| join_all(["a", "bad", "b"].map(|name| put(&hub, &calls, name, generation)));
        assert_eq!(
            all(1).await,
            [
                Err(Class::Unavailable),
                Err(Class::Unavailable),
                Err(Class::Unavailable)
            ]
        );
        assert_eq!(all(1).await, [Ok("a".into()), Err(Class::Invalid), Ok("b".into())]);
        assert_eq!(all(1).await, [Ok("a".into()), Err(Class::Invalid), Ok("b".into())]);
        let mut sent: Vec<_> = calls.lock().unwrap().drain(..).collect();
        sent[4..].sort_by_key(Vec::len);
        assert_eq!(sent[0].len(), 3, "together at first");
        assert!(
            sent[1..4].iter().all(|call| call.len() == 1),
            "then one by one: {sent:?}"
        );
        assert_eq!(
            sent[4..],
            [vec!["bad".to_owned()], vec!["a".to_owned(), "b".to_owned()]],
            "the good are together again"
        );
        assert_eq!(
            put(&hub, &calls, "bad", 2).await,
            Err(Class::Invalid),
            "an edit goes with others again"
        );
        assert_eq!(calls.lock().unwrap().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_busy_instance_sends_all_away_and_the_first_success_wakes_them() {
        let (hub, calls) = (hub(), Calls::default());
        let results = join_all(["busy", "a", "b"].map(|name| put(&hub, &calls, name, 1))).await;
        assert!(results.iter().all(|result| *result == Err(Class::Busy)));
        assert_eq!(put(&hub, &calls, "c", 1).await, Err(Class::Busy), "without a call");
        assert_eq!(calls.lock().unwrap().len(), 1);
        let wait = |name, way| hub.wait(writer(name, 1).object, way).as_secs();
        let waits = ["busy", "a", "b", "a"].map(|name| wait(name, Way::Alone));
        assert_eq!(waits, [14, 15, 16, 16], "one tries, and the next a second later");
        assert_eq!(wait("a", Way::Together), 14, "all of a batch try at once");
        sleep(Duration::from_secs(15)).await;
        assert_eq!(put(&hub, &calls, "a", 1).await.as_deref(), Ok("a"));
        assert_eq!(hub.moved().len(), 3);
        assert!(hub.held().is_none() && hub.moved().is_empty());
    }
}

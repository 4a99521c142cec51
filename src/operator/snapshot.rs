//! Shared reads of one list of one instance. What a page shows is there; something is absent only if two complete lists in a
//! row lack it, since new things show up late, and what comes and goes while a list is read may hide others.

use std::collections::{BTreeSet, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep};

use super::kind::Reference;
use super::reading::{self, List, Lister};
use super::traffic::{RUN, Traffic};
use crate::cloud::{Class, Client, Error, Limits, Priority, Sent};

/// How many incomplete lists in a row a reader puts up with.
const TRIES: usize = 5;
/// While writes run, a list is read again when this many of them were sent for each of its pages: a twentieth of the calls.
const WRITES_A_PAGE: u64 = 19;
/// Where nothing is written, the pause after two readings of a list, in times that the last one took: absence takes two.
const BREATH: u32 = 2;
/// The shortest: of two readings that begin at one instant neither is newer.
const INSTANT: Duration = Duration::from_millis(1);
/// The longest such pause.
const MAX_BREATH: Duration = Duration::from_secs(60);
/// For how long nothing must have been written for each page, so that what it takes to read them is not wasted: writes may
/// come slowly.
const QUIET_A_PAGE: Duration = Duration::from_millis(50);
/// The longest such time.
const MAX_QUIET: Duration = Duration::from_secs(10);
/// Whatever is written, after this time a list may be read again: writes may come slowly for hours, and others wait for it.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// How many may wait for a list as they are; a round that waits holds some ten kilobytes. Others are sent away and woken.
const CROWD: usize = 16;

/// How new a list must be.
#[derive(Clone, Copy, Debug)]
pub struct Freshness {
    /// It must have begun later than this: the reader's own last step, or the list that it has seen.
    pub after: Instant,
    /// It should not be older than this, unless reading it again would take too many calls now.
    pub age: Duration,
    /// How urgently it is needed.
    pub priority: Priority,
}

/// Where a list is read.
#[derive(Clone)]
pub struct Source {
    /// The way to the cloud.
    pub client: Client,
    /// The instance.
    pub instance_id: String,
}

/// A list, and what is known of the one before it.
#[derive(Debug)]
struct Snapshot<T> {
    list: List<T>,
    /// The names of the complete list before it, hashed.
    before: Option<Names>,
}

type Names = Arc<HashSet<u64>>;

/// A thing, or the proof that there is none, as of a moment.
#[derive(Clone, Debug)]
pub struct Sighting<T> {
    /// The thing.
    pub thing: Option<T>,
    /// When the list was begun that shows it.
    pub as_of: Instant,
}

/// The latest snapshot of one list; whoever needs a newer one reads it for all who wait.
pub struct Shared<T: Clone + Send + Sync + 'static> {
    kept: Mutex<Kept<T>>,
    hasher: RandomState,
    wakes: Wakes,
}

/// Where it is told which objects should look again.
pub type Wakes = mpsc::UnboundedSender<Reference>;

struct Kept<T: Clone + Send + Sync + 'static> {
    last: Option<Arc<Snapshot<T>>>,
    /// The names of the last complete list.
    names: Option<Names>,
    reading: Option<Reading<T>>,
    /// The last reading that ended well: when, how long it took, its calls, and how many writes had been sent when it began.
    cost: Option<Cost>,
    /// When a reading last failed: whoever asks at once gets the same answer, without a call.
    failed: Option<(Instant, Error)>,
    /// How many wait for it now.
    crowd: usize,
    /// Who was sent away, and looks again when a newer list is there.
    later: BTreeSet<Reference>,
}

/// Waits for a list, until it is dropped.
struct Waits<'a, T: Clone + Send + Sync + 'static>(&'a Shared<T>);

impl<T: Clone + Send + Sync + 'static> Drop for Waits<'_, T> {
    fn drop(&mut self) {
        self.0.kept().crowd -= 1;
    }
}

#[derive(Clone, Copy, Debug)]
struct Cost {
    ended: Instant,
    took: Duration,
    calls: u32,
    writes: u64,
    /// It followed another at once.
    second: bool,
}

type Outcome<T> = Result<Arc<Snapshot<T>>, Error>;

/// A reading under way, as a task of its own: it goes on when somebody stops waiting for it.
struct Reading<T: Clone + Send + Sync + 'static> {
    outcome: Awaited<T>,
    /// The most urgent of those who wait.
    urgency: watch::Sender<Priority>,
}

impl<T: Clone + Send + Sync + 'static> Reading<T> {
    /// Somebody waits for it who is in such a hurry, here or sent away.
    fn hurry(&self, priority: Priority) {
        self.urgency.send_if_modified(|now| {
            let rises = priority < *now;
            *now = (*now).min(priority);
            rises
        });
    }
}

type Awaited<T> = watch::Receiver<Option<Outcome<T>>>;

/// What a reader should do.
enum Way<T: Clone + Send + Sync + 'static> {
    Take(Arc<Snapshot<T>>),
    Join(Awaited<T>),
    Wait(Duration),
    Fail(Error),
}

impl<T: Clone + Send + Sync + 'static> Shared<T> {
    /// An empty one.
    pub fn new(wakes: Wakes) -> Self {
        let kept = Kept {
            last: None,
            names: None,
            reading: None,
            cost: None,
            failed: None,
            crowd: 0,
            later: BTreeSet::new(),
        };
        Self {
            kept: Mutex::new(kept),
            hasher: RandomState::new(),
            wakes,
        }
    }

    /// The same as [`find`](Self::find) for an object; `None` if a crowd waits already, and the object is woken when a newer
    /// list is there.
    pub async fn find_or_later<L: Lister<Item = T>>(
        self: &Arc<Self>,
        lister: &L,
        traffic: &Traffic,
        (object, name): (&Reference, &str),
        fresh: Freshness,
    ) -> Result<Option<Sighting<T>>, Error> {
        let Some(_waits) = self.enter(object, traffic, fresh) else {
            return Ok(None);
        };
        self.find(lister, traffic, name, fresh).await.map(Some)
    }

    fn enter(&self, object: &Reference, traffic: &Traffic, fresh: Freshness) -> Option<Waits<'_, T>> {
        let mut kept = self.kept();
        if kept.crowd >= CROWD && kept.at_once(traffic, fresh).is_none() {
            kept.later.insert(object.clone());
            if let Some(reading) = &kept.reading {
                reading.hurry(fresh.priority);
            }
            return None;
        }
        kept.crowd += 1;
        Some(Waits(self))
    }

    /// The thing of this name. Dropping the future harms nobody who waits for the same list.
    pub async fn find<L: Lister<Item = T>>(
        self: &Arc<Self>,
        lister: &L,
        traffic: &Traffic,
        name: &str,
        fresh: Freshness,
    ) -> Result<Sighting<T>, Error> {
        let (mut after, mut incomplete) = (fresh.after, 0);
        loop {
            let snapshot = self.read(lister, traffic, Freshness { after, ..fresh }).await?;
            let Snapshot { list, before } = &*snapshot;
            let thing = list.items.get(name).cloned();
            let before = before.as_ref().filter(|_| list.complete);
            if thing.is_some() || before.is_some_and(|names| !names.contains(&self.hash(name))) {
                let as_of = list.begun;
                return Ok(Sighting { thing, as_of });
            }
            incomplete += usize::from(!list.complete);
            if incomplete == TRIES {
                let message = format!("the list changed too much while it was read, {TRIES} times in a row");
                return Err(Error::new(L::OPERATION, Class::Unavailable, Sent::Refused, message));
            }
            after = list.begun;
        }
    }

    /// What the instance had room for when the list was read last; no call is made for it.
    pub fn limits(&self) -> Option<Limits> {
        self.kept().last.as_ref().map(|last| last.list.limits)
    }

    async fn read<L: Lister<Item = T>>(
        self: &Arc<Self>,
        lister: &L,
        traffic: &Traffic,
        fresh: Freshness,
    ) -> Outcome<T> {
        loop {
            let way = self.way(lister, traffic, fresh);
            match way {
                Way::Take(list) => return Ok(list),
                Way::Join(mut outcome) => {
                    let Ok(outcome) = outcome.wait_for(Option::is_some).await.map(|outcome| outcome.clone()) else {
                        continue;
                    };
                    if let Some(list) = outcome.transpose()?.filter(|last| last.list.begun > fresh.after) {
                        return Ok(list);
                    }
                }
                Way::Wait(pause) => sleep(pause).await,
                Way::Fail(error) => return Err(error),
            }
        }
    }

    fn way<L: Lister<Item = T>>(self: &Arc<Self>, lister: &L, traffic: &Traffic, fresh: Freshness) -> Way<T> {
        let mut kept = self.kept();
        if let Some(last) = kept.at_once(traffic, fresh) {
            return Way::Take(last);
        }
        if let Some(reading) = &kept.reading {
            reading.hurry(fresh.priority);
            return Way::Join(reading.outcome.clone());
        }
        if let Some((at, error)) = &kept.failed
            && at.elapsed() < RUN
        {
            return Way::Fail(error.clone());
        }
        let wait = kept.wait(traffic);
        if !wait.is_zero() {
            // A thousand may wait; each looks now and then rather than at every write.
            return Way::Wait(wait.min(RUN));
        }
        let (told, outcome) = watch::channel(None);
        let (urgency, urgent) = watch::channel(fresh.priority);
        kept.reading = Some(Reading {
            outcome: outcome.clone(),
            urgency,
        });
        let (shared, lister, writes) = (self.clone(), lister.clone(), traffic.writes());
        tokio::spawn(async move {
            let result = reading::read(&lister, urgent).await;
            told.send_replace(Some(shared.keep(result, writes)));
        });
        Way::Join(outcome)
    }

    fn keep(&self, result: Result<List<T>, Error>, writes: u64) -> Outcome<T> {
        let mut kept = self.kept();
        kept.reading = None;
        let now = Instant::now();
        let list = result.inspect_err(|error| kept.failed = Some((now, error.clone())))?;
        let first = kept.cost.filter(|last| !last.second);
        kept.cost = Some(Cost {
            ended: now,
            took: now - list.begun,
            calls: list.calls,
            writes,
            second: first.is_some_and(|first| list.begun - first.ended < first.took * BREATH),
        });
        let before = kept.names.clone();
        if list.complete {
            kept.names = Some(Arc::new(list.items.keys().map(|name| self.hash(name)).collect()));
        }
        let snapshot = Arc::new(Snapshot { list, before });
        kept.last = Some(snapshot.clone());
        for object in std::mem::take(&mut kept.later) {
            // An operator that ends needs no waking.
            let _ = self.wakes.send(object);
        }
        Ok(snapshot)
    }

    fn hash(&self, name: &str) -> u64 {
        self.hasher.hash_one(name)
    }

    fn kept(&self) -> MutexGuard<'_, Kept<T>> {
        self.kept.lock().expect("no holder panics")
    }
}

impl<T: Clone + Send + Sync + 'static> Kept<T> {
    /// The list that a reader has without waiting: one as new as it should be, or as it must be if it cannot be read now.
    fn at_once(&self, traffic: &Traffic, fresh: Freshness) -> Option<Arc<Snapshot<T>>> {
        let last = self.last.as_ref().filter(|last| last.list.begun > fresh.after)?;
        let is_new = last.list.begun.elapsed() <= fresh.age;
        let cannot_be_read = self.reading.is_none() && !self.wait(traffic).is_zero();
        (is_new || cannot_be_read).then(|| last.clone())
    }

    fn wait(&self, traffic: &Traffic) -> Duration {
        self.cost.map_or(Duration::ZERO, |cost| cost.wait(traffic))
    }
}

impl Cost {
    /// How long the list should not be read again; things may change sooner.
    fn wait(&self, traffic: &Traffic) -> Duration {
        let enough = WRITES_A_PAGE * u64::from(self.calls);
        if traffic.writes() - self.writes >= enough || self.ended.elapsed() >= LONGEST_WAIT {
            return Duration::ZERO;
        }
        let breath = if self.second {
            self.took * BREATH
        } else {
            Duration::ZERO
        };
        let quiet = (QUIET_A_PAGE * self.calls).clamp(RUN, MAX_QUIET);
        breath
            .clamp(INSTANT, MAX_BREATH)
            .saturating_sub(self.ended.elapsed())
            .max(traffic.until_quiet(quiet))
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::cloud::{Limits, Operation, Page};

    /// The lists that the service gives, one after the other, the last for ever; and how often it was asked.
    #[derive(Clone)]
    struct Script(Arc<Mutex<Told>>);

    type Told = (Vec<Vec<&'static str>>, u32);

    impl Script {
        fn new(lists: &[&[&'static str]]) -> Self {
            let lists = lists.iter().map(|list| list.to_vec()).collect();
            Self(Arc::new(Mutex::new((lists, 0))))
        }

        fn calls(&self) -> u32 {
            self.0.lock().unwrap().1
        }
    }

    impl Lister for Script {
        type Item = String;

        const OPERATION: Operation = Operation::ListInstanceTopics;

        async fn page(&self, _: u32, _: Priority) -> Result<Page<String>, Error> {
            sleep(Duration::from_millis(50)).await;
            let (lists, calls) = &mut *self.0.lock().unwrap();
            *calls += 1;
            let list = if lists.len() > 1 {
                lists.remove(0)
            } else {
                lists[0].clone()
            };
            let items: Vec<_> = list.into_iter().map(String::from).collect();
            let total = Some(items.len() as u64);
            Ok(Page {
                items,
                total,
                limits: Limits::default(),
            })
        }

        fn name(item: &String) -> Cow<'_, str> {
            item.into()
        }
    }

    fn fresh(after: Instant, age: u64) -> Freshness {
        Freshness {
            after,
            age: Duration::from_secs(age),
            priority: Priority::Edit,
        }
    }

    fn shared() -> Arc<Shared<String>> {
        Arc::new(Shared::new(mpsc::unbounded_channel().0))
    }

    fn long_ago() -> Instant {
        Instant::now() - Duration::from_secs(3600)
    }

    #[tokio::test(start_paused = true)]
    async fn only_two_complete_lists_in_a_row_prove_absence() {
        // Something came and something went while the first list was read: it is complete by its total, and lacks `b`.
        for (lists, found) in [
            ([&["a", "c"], &["a", "b"]], Some("b")),
            ([&["a", "c"], &["a", "c"]], None),
        ] {
            let script = Script::new(&lists.map(|list| &list[..]));
            let (shared, traffic) = (shared(), Traffic::default());
            let seen = shared
                .find(&script, &traffic, "b", fresh(long_ago(), 60))
                .await
                .unwrap();
            assert_eq!((seen.thing.as_deref(), script.calls()), (found, 2));
            let again = shared
                .find(&script, &traffic, "b", fresh(long_ago(), 60))
                .await
                .unwrap();
            assert_eq!((again.thing.as_deref(), script.calls()), (found, 2), "it stays known");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_thousand_readers_share_one_reading_also_when_the_first_goes_away() {
        let script = Script::new(&[&["a"]]);
        let (shared, traffic) = (shared(), Traffic::default());
        let read = || shared.find(&script, &traffic, "a", fresh(long_ago(), 60));
        assert!(tokio::time::timeout(Duration::from_millis(10), read()).await.is_err());
        let all = futures::future::join_all((0..1000).map(|_| read())).await;
        assert!(all.iter().all(|seen| seen.as_ref().unwrap().thing.is_some()));
        assert_eq!(script.calls(), 1);
    }

    /// A list that cannot be read; and how often it was tried.
    #[derive(Clone)]
    struct Broken(Arc<Mutex<u32>>);

    impl Lister for Broken {
        type Item = String;

        const OPERATION: Operation = Operation::ListInstanceTopics;

        async fn page(&self, _: u32, _: Priority) -> Result<Page<String>, Error> {
            *self.0.lock().unwrap() += 1;
            Err(Error::new(Self::OPERATION, Class::Unavailable, Sent::Unknown, "no"))
        }

        fn name(item: &String) -> Cow<'_, str> {
            item.into()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_for_all_who_ask_at_once() {
        let broken = Broken(Arc::default());
        let (shared, traffic) = (shared(), Traffic::default());
        for _ in 0..10 {
            let seen = shared.find(&broken, &traffic, "a", fresh(long_ago(), 60)).await;
            assert_eq!(seen.unwrap_err().class(), Class::Unavailable);
        }
        assert_eq!(*broken.0.lock().unwrap(), 1);
        sleep(RUN).await;
        assert!(
            shared
                .find(&broken, &traffic, "a", fresh(long_ago(), 60))
                .await
                .is_err()
        );
        assert_eq!(*broken.0.lock().unwrap(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn of_a_crowd_most_are_sent_away_and_woken_when_the_list_is_there() {
        let script = Script::new(&[&["a"]]);
        let (wakes, mut woken) = mpsc::unbounded_channel();
        let (shared, traffic) = (Arc::new(Shared::new(wakes)), Traffic::default());
        let names: Vec<_> = (0..1000)
            .map(|n| Reference::new("Topic", "shop", &n.to_string()))
            .collect();
        let read = |object| shared.find_or_later(&script, &traffic, (object, "a"), fresh(long_ago(), 60));
        let seen = futures::future::join_all(names.iter().map(read)).await;
        let at_once = seen.iter().filter(|seen| matches!(seen, Ok(Some(_)))).count();
        assert_eq!((at_once, script.calls()), (CROWD, 1));
        let mut count = 0;
        while woken.try_recv().is_ok() {
            count += 1;
        }
        assert_eq!(count, 1000 - CROWD);
        let again = futures::future::join_all(names.iter().map(read)).await;
        assert!(again.iter().all(|seen| matches!(seen, Ok(Some(_)))));
        assert_eq!(script.calls(), 1);
    }

    /// A list that comes soon only for those who are in a hurry.
    #[derive(Clone)]
    struct Behind;

    impl Lister for Behind {
        type Item = String;

        const OPERATION: Operation = Operation::ListInstanceTopics;

        async fn page(&self, _: u32, priority: Priority) -> Result<Page<String>, Error> {
            let behind = if priority > Priority::Edit { 1000 } else { 0 };
            sleep(Duration::from_secs(behind)).await;
            Ok(Page {
                items: vec!["a".into()],
                total: Some(1),
                limits: Limits::default(),
            })
        }

        fn name(item: &String) -> Cow<'_, str> {
            item.into()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_in_a_hurry_hurries_those_who_wait_whether_it_joins_them_or_is_sent_away() {
        for waiting in [1, CROWD] {
            let (wakes, mut woken) = mpsc::unbounded_channel();
            let (shared, traffic) = (Arc::new(Shared::new(wakes)), Traffic::default());
            let object = Reference::new("Topic", "shop", "a");
            let read = |priority| {
                let fresh = Freshness {
                    priority,
                    ..fresh(long_ago(), 60)
                };
                shared.find_or_later(&Behind, &traffic, (&object, "a"), fresh)
            };
            let begun = Instant::now();
            let crowd = futures::future::join_all((0..waiting).map(|_| read(Priority::Resync)));
            let hurries = async {
                sleep(INSTANT).await;
                read(Priority::Edit).await.unwrap().is_none()
            };
            let (_, sent_away) = tokio::join!(crowd, hurries);
            assert_eq!(sent_away, waiting == CROWD);
            assert_eq!(woken.try_recv().is_ok(), sent_away);
            // The answer may be on its way already, and is waited for a moment.
            let took = begun.elapsed();
            assert!((RUN..RUN * 2).contains(&took), "{waiting}: {took:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn while_writes_run_a_list_is_a_twentieth_of_the_calls_and_then_it_is_read_at_once() {
        let script = Script::new(&[&["a"]]);
        let (shared, traffic) = (shared(), Traffic::default());
        shared
            .find(&script, &traffic, "a", fresh(long_ago(), 60))
            .await
            .unwrap();
        let intent = traffic.intent();
        let ended = Instant::now();
        traffic.sent();
        let newer = shared.find(&script, &traffic, "a", fresh(ended, 60));
        tokio::pin!(newer);
        assert!(tokio::time::timeout(Duration::from_secs(60), &mut newer).await.is_err());
        let wish = shared.find(&script, &traffic, "a", fresh(long_ago(), 1)).await.unwrap();
        assert!(
            wish.thing.is_some(),
            "who only wishes for a newer one takes what there is"
        );
        assert_eq!(script.calls(), 1);
        (1..WRITES_A_PAGE).for_each(|_| traffic.sent());
        newer.await.unwrap();
        assert_eq!(script.calls(), 2);
        let ended = Instant::now();
        traffic.sent();
        drop(intent);
        shared.find(&script, &traffic, "a", fresh(ended, 60)).await.unwrap();
        assert_eq!(script.calls(), 3);
        assert!(ended.elapsed() < 2 * RUN, "{:?}", ended.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn writes_that_come_slowly_for_ever_do_not_keep_a_list_from_being_read() {
        let script = Script::new(&[&["a"], &["a", "b"]]);
        let (shared, traffic) = (shared(), Traffic::default());
        let find = async |name: &str| {
            let fresh = fresh(Instant::now(), 1);
            shared.find(&script, &traffic, name, fresh).await.unwrap().thing
        };
        find("a").await;
        let begun = Instant::now();
        let _waits = traffic.intent();
        assert!(find("b").await.is_some());
        let waited = begun.elapsed();
        assert!((LONGEST_WAIT..LONGEST_WAIT + RUN * 2).contains(&waited), "{waited:?}");
    }
}

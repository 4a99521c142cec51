//! Shared reads of one list of one instance.
//!
//! Offsets shift when something comes or goes between two pages, and new things show up late. What comes moves others to
//! later pages, where they are seen; what goes moves others to pages that were read already. So what a page shows is there,
//! but something is absent only if two lists in a row lack it from which nothing seems to have gone while they were read.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep};

use super::kind::Reference;
use super::traffic::{RUN, Traffic};
use crate::cloud::{Class, Client, Error, Fault, Limits, Operation, Page, Priority, Sent};

/// How many readings in a row from which something went a reader puts up with.
const TRIES: usize = 5;
/// How often a page is asked for that fails, when those before it would be read for nothing.
const PAGE_TRIES: u32 = 4;
/// While writes run, a list is read again when this many of them were sent for each of its pages: a twentieth of the calls.
const WRITES_A_PAGE: u64 = 19;
/// Where nothing is written, the pause before a list is read again, in times that its last reading took.
const BREATH: u32 = 1;
/// The longest such pause.
const MAX_BREATH: Duration = Duration::from_secs(60);
/// For how long nothing must have been written for each page, so that what it takes to read them is not wasted: writes may
/// come slowly.
const QUIET_A_PAGE: Duration = Duration::from_millis(50);
/// The longest such time.
const MAX_QUIET: Duration = Duration::from_secs(10);
/// How many may wait for a list as they are; a round that waits holds some ten kilobytes. Others are sent away and woken.
const CROWD: usize = 64;

/// How new a list must be.
#[derive(Clone, Copy, Debug)]
pub struct Freshness {
    /// It must have begun later than this: the reader's own last step.
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

/// How to read one page of a list.
pub trait Lister: Clone + Send + Sync + 'static {
    /// What is in it.
    type Item: Clone + Send + Sync + 'static;

    /// The call, for errors.
    const OPERATION: Operation;
    /// Items a page.
    const PAGE: u32 = 50;

    /// Reads the page that begins at `offset`.
    fn page(&self, offset: u32, priority: Priority) -> impl Future<Output = Result<Page<Self::Item>, Error>> + Send;
    /// An item's name, unique in the list.
    fn name(item: &Self::Item) -> Cow<'_, str>;
}

/// A list at one moment, by name.
#[derive(Debug)]
pub struct Snapshot<T> {
    begun: Instant,
    items: BTreeMap<Box<str>, T>,
    /// Nothing seems to have gone while it was read: what is not in it was not there when it was begun.
    complete: bool,
    /// The names of the complete list before it, hashed.
    before: Option<Names>,
    /// What it says of the room that is left.
    limits: Limits,
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
}

type Outcome<T> = Result<Arc<Snapshot<T>>, Error>;

/// A reading under way, as a task of its own: it goes on when somebody stops waiting for it.
struct Reading<T: Clone + Send + Sync + 'static> {
    outcome: Awaited<T>,
    /// The most urgent of those who wait.
    urgency: Arc<AtomicU8>,
}

type Awaited<T> = watch::Receiver<Option<Outcome<T>>>;

/// What a reader should do.
enum Way<T: Clone + Send + Sync + 'static> {
    Take(Arc<Snapshot<T>>),
    Join(Awaited<T>),
    Wait(Duration),
}

impl<T: Clone + Send + Sync + 'static> Shared<T> {
    /// An empty one.
    pub fn new(wakes: Wakes) -> Self {
        let kept = Kept {
            last: None,
            names: None,
            reading: None,
            cost: None,
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
        let Some(_waits) = self.enter(object, fresh) else {
            return Ok(None);
        };
        self.find(lister, traffic, name, fresh).await.map(Some)
    }

    fn enter(&self, object: &Reference, fresh: Freshness) -> Option<Waits<'_, T>> {
        let mut kept = self.kept();
        let fits = |last: &Arc<Snapshot<T>>| last.begun > fresh.after && last.begun.elapsed() <= fresh.age;
        if kept.crowd >= CROWD && !kept.last.as_ref().is_some_and(fits) {
            kept.later.insert(object.clone());
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
        let mut list = self.read(lister, traffic, fresh).await?;
        let mut changed = 0;
        loop {
            if let Some(thing) = list.items.get(name) {
                let (thing, as_of) = (Some(thing.clone()), list.begun);
                return Ok(Sighting { thing, as_of });
            }
            let before = list.before.as_ref().filter(|_| list.complete);
            if before.is_some_and(|names| !names.contains(&self.hash(name))) {
                let (thing, as_of) = (None, list.begun);
                return Ok(Sighting { thing, as_of });
            }
            changed += usize::from(!list.complete);
            if changed == TRIES {
                let message = format!("something went from the list while it was read, {TRIES} times in a row");
                return Err(Error::new(L::OPERATION, Class::Unavailable, Sent::Refused, message));
            }
            let after = list.begun;
            list = self.read(lister, traffic, Freshness { after, ..fresh }).await?;
        }
    }

    /// What the instance had room for when the list was read last; no call is made for it.
    pub fn limits(&self) -> Option<Limits> {
        self.kept().last.as_ref().map(|last| last.limits)
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
                    if let Some(list) = outcome.transpose()?.filter(|list| list.begun > fresh.after) {
                        return Ok(list);
                    }
                }
                Way::Wait(pause) => sleep(pause).await,
            }
        }
    }

    fn way<L: Lister<Item = T>>(self: &Arc<Self>, lister: &L, traffic: &Traffic, fresh: Freshness) -> Way<T> {
        let mut kept = self.kept();
        let fits = kept.last.as_ref().filter(|last| last.begun > fresh.after);
        if let Some(last) = fits.filter(|last| last.begun.elapsed() <= fresh.age) {
            return Way::Take(last.clone());
        }
        if let Some(reading) = &kept.reading {
            reading.urgency.fetch_min(fresh.priority as u8, Ordering::Relaxed);
            return Way::Join(reading.outcome.clone());
        }
        let wait = kept.cost.map_or(Duration::ZERO, |cost| cost.wait(traffic));
        if !wait.is_zero() {
            return match fits {
                Some(last) => Way::Take(last.clone()),
                // A thousand may wait; each looks now and then rather than at every write.
                None => Way::Wait(wait.min(RUN)),
            };
        }
        let (told, outcome) = watch::channel(None);
        let urgency = Arc::new(AtomicU8::new(fresh.priority as u8));
        kept.reading = Some(Reading {
            outcome: outcome.clone(),
            urgency: urgency.clone(),
        });
        let (shared, lister, writes) = (self.clone(), lister.clone(), traffic.writes());
        tokio::spawn(async move {
            let started = Instant::now();
            let result = read_all(&lister, &urgency).await;
            told.send_replace(Some(shared.keep(result, started, writes)));
        });
        Way::Join(outcome)
    }

    fn keep(&self, result: Result<(Snapshot<T>, u32), Error>, started: Instant, writes: u64) -> Outcome<T> {
        let mut kept = self.kept();
        kept.reading = None;
        let (mut snapshot, calls) = result?;
        let now = Instant::now();
        kept.cost = Some(Cost {
            ended: now,
            took: now - started,
            calls,
            writes,
        });
        snapshot.before = kept.names.clone();
        if snapshot.complete {
            kept.names = Some(Arc::new(snapshot.items.keys().map(|name| self.hash(name)).collect()));
        }
        let snapshot = Arc::new(snapshot);
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

impl Cost {
    /// How long the list should not be read again; things may change sooner.
    fn wait(&self, traffic: &Traffic) -> Duration {
        if traffic.writes() - self.writes >= WRITES_A_PAGE * u64::from(self.calls) {
            return Duration::ZERO;
        }
        let breath = (self.took * BREATH).min(MAX_BREATH);
        let quiet = (QUIET_A_PAGE * self.calls).clamp(RUN, MAX_QUIET);
        breath
            .saturating_sub(self.ended.elapsed())
            .max(traffic.until_quiet(quiet))
    }
}

/// All pages, and how many calls they took.
async fn read_all<L: Lister>(lister: &L, urgency: &AtomicU8) -> Result<(Snapshot<L::Item>, u32), Error> {
    let begun = Instant::now();
    let (mut items, mut complete) = (BTreeMap::new(), true);
    let (mut first, mut total, mut offset, mut calls) = (None, None, 0, 0);
    let limits = loop {
        let page = read_page(lister, offset, urgency, &mut calls).await?;
        let (count, before) = (page.items.len() as u32, items.len());
        complete &= offset == 0 || page.total >= total;
        total = page.total;
        first = first.or(total);
        items.extend(page.items.into_iter().map(|item| (Box::from(&*L::name(&item)), item)));
        offset += count;
        let last = match total {
            Some(total) => u64::from(offset) >= total || count == 0,
            // A page of nothing new: the service does not page, and would be asked for ever.
            None => count < L::PAGE || items.len() == before,
        };
        if last {
            break page.limits;
        }
    };
    complete &= first.is_none_or(|first| items.len() as u64 >= first);
    let snapshot = Snapshot {
        begun,
        items,
        complete,
        before: None,
        limits,
    };
    Ok((snapshot, calls))
}

/// One page. Of a long list hardly a reading would end if any page that fails ended it.
async fn read_page<L: Lister>(
    lister: &L,
    offset: u32,
    urgency: &AtomicU8,
    calls: &mut u32,
) -> Result<Page<L::Item>, Error> {
    let mut tries = 0;
    loop {
        (*calls, tries) = (*calls + 1, tries + 1);
        match lister.page(offset, priority(urgency)).await {
            Err(error) if offset > 0 && tries < PAGE_TRIES && error.fault() == Fault::Retry => sleep(RUN).await,
            answer => return answer,
        }
    }
}

fn priority(urgency: &AtomicU8) -> Priority {
    let most = [Priority::Delete, Priority::Edit, Priority::Create];
    let urgency = urgency.load(Ordering::Relaxed);
    most.into_iter()
        .find(|p| *p as u8 == urgency)
        .unwrap_or(Priority::Resync)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the service answers, one after the other, the last for ever; and how often it was asked.
    #[derive(Clone)]
    struct Script(Arc<Mutex<(Vec<Told>, u32)>>);

    /// A page and the total beside it, or a failure.
    type Told = Option<(Vec<&'static str>, u64)>;

    impl Script {
        /// Lists of one page.
        fn new(lists: &[&[&'static str]]) -> Self {
            Self::of(lists.iter().map(|list| Some((list.to_vec(), list.len() as u64))))
        }

        fn of(answers: impl IntoIterator<Item = Told>) -> Self {
            Self(Arc::new(Mutex::new((answers.into_iter().collect(), 0))))
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
            let (answers, calls) = &mut *self.0.lock().unwrap();
            *calls += 1;
            let answer = if answers.len() > 1 {
                answers.remove(0)
            } else {
                answers[0].clone()
            };
            let failure = || Error::new(Self::OPERATION, Class::Unavailable, Sent::Unknown, "no");
            let (items, total) = answer.ok_or_else(failure)?;
            Ok(Page {
                items: items.into_iter().map(String::from).collect(),
                total: Some(total),
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
    async fn a_list_may_grow_while_it_is_read_but_one_that_shrinks_proves_no_absence() {
        let look = async |script: &Script, name| {
            let seen = shared()
                .find(script, &Traffic::default(), name, fresh(long_ago(), 60))
                .await;
            seen.map(|seen| seen.thing).map_err(|error| error.class())
        };
        // Something new came first, and moved `b` to the second page.
        let grows = [Some((vec!["a", "b"], 4)), Some((vec!["b", "c", "d"], 5))];
        let script = Script::of(grows.clone().into_iter().chain(grows));
        assert_eq!((look(&script, "e").await, script.calls()), (Ok(None), 4));
        // `a` went, and `c` moved to the first page, which was read already.
        let shrinks = [Some((vec!["a", "b"], 4)), Some((vec!["d"], 3))];
        let script = Script::of(std::iter::repeat_n(shrinks, TRIES).flatten());
        assert_eq!(look(&script, "c").await, Err(Class::Unavailable));
        assert_eq!(script.calls(), 2 * TRIES as u32);
        // The same, and something came: what is there is fewer than there were.
        let both = [Some((vec!["a", "b"], 4)), Some((vec!["d"], 4)), Some((vec![], 4))];
        let script = Script::of(std::iter::repeat_n(both, TRIES).flatten());
        assert_eq!(look(&script, "c").await, Err(Class::Unavailable));
    }

    #[tokio::test(start_paused = true)]
    async fn a_page_that_fails_is_read_again_rather_than_all_before_it() {
        let failing = |times| {
            let pages = [Some((vec!["a"], 2)), Some((vec!["b"], 2))];
            let [first, second] = pages;
            Script::of([first].into_iter().chain(vec![None; times]).chain([second]))
        };
        for (times, class) in [(3, None), (4, Some(Class::Unavailable))] {
            let script = failing(times);
            let seen = shared()
                .find(&script, &Traffic::default(), "b", fresh(long_ago(), 60))
                .await;
            assert_eq!(seen.err().map(|error| error.class()), class);
            assert_eq!(script.calls(), 5);
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
}

//! Reading a list page by page while things come and go.
//!
//! Offsets shift. What comes moves others to later pages, where they are seen. What goes moves as many others to pages that
//! were read already: then the reading steps back, and its pages overlap from there on.

use std::borrow::Cow;
use std::collections::BTreeMap;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::traffic::RUN;
use crate::cloud::{Error, Fault, Limits, Operation, Page, Priority};

/// How often a page is asked for that fails, when those before it would be read for nothing.
const TRIES: u32 = 4;
/// How often a reading steps back.
const STEPS_BACK: u32 = 8;

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

/// A list as it was read, by name.
#[derive(Debug)]
pub struct List<T> {
    /// When the reading began.
    pub begun: Instant,
    /// What is in it.
    pub items: BTreeMap<Box<str>, T>,
    /// What was there all the time is in it.
    pub complete: bool,
    /// What it says of the room that is left.
    pub limits: Limits,
    /// The calls that it took.
    pub calls: u32,
}

/// Reads all pages, as urgently as `urgency` says.
pub async fn read<L: Lister>(lister: &L, mut urgency: Urgency) -> Result<List<L::Item>, Error> {
    let (begun, mut course) = (Instant::now(), Course::default());
    let (mut items, mut calls) = (BTreeMap::new(), 0);
    let limits = loop {
        let page = read_page(lister, course.offset(), &mut urgency, &mut calls).await?;
        let (count, before) = (page.items.len() as u64, items.len());
        items.extend(page.items.into_iter().map(|item| (Box::from(&*L::name(&item)), item)));
        let advanced = course.pass(count, page.total);
        let last = match page.total {
            Some(total) => course.seen >= total || (count == 0 && advanced),
            // A page of nothing new: the service does not page, and would be asked for ever.
            None => count < u64::from(L::PAGE) || items.len() == before,
        };
        if last || course.is_endless(calls) {
            break page.limits;
        }
    };
    let complete =
        !course.gap && !course.is_endless(calls) && course.least.is_none_or(|least| items.len() as u64 >= least);
    Ok(List {
        begun,
        items,
        complete,
        limits,
        calls,
    })
}

/// Of a long list hardly a reading would end if any page that fails ended it.
async fn read_page<L: Lister>(
    lister: &L,
    offset: u32,
    urgency: &mut Urgency,
    calls: &mut u32,
) -> Result<Page<L::Item>, Error> {
    let mut tries = 0;
    loop {
        (*calls, tries) = (*calls + 1, tries + 1);
        let at = *urgency.borrow_and_update();
        let answer = tokio::select! {
            biased;
            answer = lister.page(offset, at) => answer,
            // It still waits for the limiter, behind what is less urgent now.
            () = raised(urgency, at) => continue,
        };
        match answer {
            Err(error) if offset > 0 && tries < TRIES && error.fault() == Fault::Retry => sleep(RUN).await,
            answer => return answer,
        }
    }
}

/// How urgent the most urgent is of those who wait; it only rises.
pub type Urgency = watch::Receiver<Priority>;

/// Returns when it is more urgent, and the call that was made was not answered all the same.
async fn raised(urgency: &mut Urgency, than: Priority) {
    if urgency.wait_for(|now| *now < than).await.is_err() {
        // Nobody can raise it any more.
        std::future::pending::<()>().await;
    }
    sleep(RUN).await;
}

/// How far a reading is.
#[derive(Debug, Default)]
struct Course {
    /// Whatever has been there all the time and is before this offset now was seen.
    seen: u64,
    /// The next page begins so much before that.
    overlap: u64,
    /// How many there were at the last page.
    total: Option<u64>,
    /// The fewest that there were at any page.
    least: Option<u64>,
    /// The most that a page had.
    page: u64,
    steps_back: u32,
    /// Something may have been missed.
    gap: bool,
}

impl Course {
    /// Where the next page begins.
    fn offset(&self) -> u32 {
        self.seen.saturating_sub(self.overlap) as u32
    }

    /// It takes so many calls that the list must move as fast as it is read.
    fn is_endless(&self, calls: u32) -> bool {
        let pages = self.least.unwrap_or(u64::MAX) / self.page.max(1);
        u64::from(calls) > pages.saturating_mul(4).saturating_add(u64::from(TRIES * STEPS_BACK))
    }

    /// That page had so many, of so many in all; whether the reading gets on rather than steps back.
    fn pass(&mut self, count: u64, total: Option<u64>) -> bool {
        self.page = self.page.max(count);
        let went = self.total.unwrap_or(0).saturating_sub(total.unwrap_or(0));
        (self.total, self.least) = (total, self.least.or(total).min(total));
        if went > self.overlap && self.steps_back < STEPS_BACK {
            self.steps_back += 1;
            self.seen = self.seen.saturating_sub(went);
            self.overlap = (2 * went).min(self.page / 2);
            return false;
        }
        self.gap |= went > self.overlap;
        let seen = u64::from(self.offset()) + count;
        let goes_on = total.is_none_or(|total| total > self.seen);
        if seen <= self.seen && goes_on && self.overlap > 0 {
            // A page no longer than the overlap: another like it would be asked for ever.
            (self.gap, self.overlap) = (true, 0);
        }
        self.seen = seen.max(self.seen);
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::cloud::{Class, Sent};

    /// A list that changes before each page after the first: so many of its first go, and so many new ones come first.
    #[derive(Clone)]
    struct Moving {
        items: Arc<Mutex<Vec<u32>>>,
        go: usize,
        come: u32,
        /// Pages of 10 that are read.
        pages: Arc<Mutex<u32>>,
        /// So many calls for each page but the first fail before one is answered.
        fails: u32,
        failed: Arc<Mutex<u32>>,
    }

    impl Moving {
        fn of(count: u32, go: usize, come: u32) -> Self {
            Self {
                items: Arc::new(Mutex::new((0..count).collect())),
                go,
                come,
                pages: Arc::default(),
                fails: 0,
                failed: Arc::default(),
            }
        }

        async fn read(&self) -> Result<List<u32>, Error> {
            read(self, watch::channel(Priority::Edit).1).await
        }

        /// How many of the first `count` are there still, and were not seen.
        fn missed(&self, count: u32, read: &List<u32>) -> usize {
            let items = self.items.lock().unwrap();
            let stayed = items.iter().filter(|n| **n < count);
            stayed.filter(|n| !read.items.contains_key(&*n.to_string())).count()
        }

        fn changes(&self, page: u32) {
            let mut items = self.items.lock().unwrap();
            let go = self.go.min(items.len());
            items.drain(..go);
            for n in 0..self.come {
                items.insert(0, 1_000_000 + page * 100 + n);
            }
        }
    }

    impl Lister for Moving {
        type Item = u32;

        const OPERATION: Operation = Operation::ListInstanceTopics;
        const PAGE: u32 = 10;

        async fn page(&self, offset: u32, _: Priority) -> Result<Page<u32>, Error> {
            let mut failed = self.failed.lock().unwrap();
            if offset > 0 && *failed < self.fails {
                *failed += 1;
                return Err(Error::new(Self::OPERATION, Class::Unavailable, Sent::Unknown, "no"));
            }
            *failed = 0;
            let mut pages = self.pages.lock().unwrap();
            if *pages > 0 {
                self.changes(*pages);
            }
            *pages += 1;
            let items = self.items.lock().unwrap();
            Ok(Page {
                items: items.iter().skip(offset as usize).take(10).copied().collect(),
                total: Some(items.len() as u64),
                limits: Limits::default(),
            })
        }

        fn name(item: &u32) -> Cow<'_, str> {
            item.to_string().into()
        }
    }

    #[tokio::test]
    async fn what_is_there_all_the_time_is_seen_while_others_come_or_go() {
        for (go, come) in [(0, 0), (0, 3), (1, 0), (3, 0), (4, 0)] {
            let list = Moving::of(100, go, come);
            let read = list.read().await.unwrap();
            assert!(read.complete, "{go} go and {come} come");
            let missed = list.missed(100, &read);
            assert!(missed == 0, "{missed} missed where {go} go and {come} come");
            assert!(read.calls <= 25, "{} calls where {go} go and {come} come", read.calls);
        }
    }

    #[tokio::test]
    async fn a_list_from_which_much_goes_is_incomplete_and_its_reading_ends() {
        for (count, go, come) in [(1000, 7, 0), (1000, 60, 0), (1000, 5, 2), (200, 9, 9), (100, 0, 12)] {
            let list = Moving::of(count, go, come);
            let read = list.read().await.unwrap();
            let missed = list.missed(count, &read);
            assert!(
                missed == 0 || !read.complete,
                "{missed} of {count} where {go} go and {come} come"
            );
            assert!(
                read.calls <= 33 + 4 * count / 10,
                "{} calls where {go} go and {come} come",
                read.calls
            );
        }
    }

    #[tokio::test]
    async fn an_empty_list_is_complete_and_takes_one_call() {
        let read = Moving::of(0, 0, 0).read().await.unwrap();
        assert_eq!((read.complete, read.calls, read.items.len()), (true, 1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_page_that_fails_is_read_again_rather_than_all_before_it() {
        for (fails, class) in [(3, None), (4, Some(Class::Unavailable))] {
            let list = Moving {
                fails,
                ..Moving::of(20, 0, 0)
            };
            let read = list.read().await;
            assert_eq!(read.as_ref().err().map(Error::class), class);
            assert!(read.is_err() || read.unwrap().calls == 5);
        }
    }
}

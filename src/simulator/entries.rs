//! What an instance holds under a name, topics and consumer groups: the truth is at once, the list lags behind it.

use std::collections::BTreeMap;
use std::time::Duration;

/// What has a name that is unique in its instance.
pub(crate) trait Named {
    fn name(&self) -> &str;
}

/// Named things in the order of their creation; what is gone stays in the list for the lag.
pub(crate) struct Entries<T> {
    all: Vec<Entry<T>>,
    /// The numbers of what exists, by name.
    live: BTreeMap<String, u64>,
    next: u64,
    /// When the first of those went that are gone and still listed.
    first_gone: Option<Duration>,
}

struct Entry<T> {
    value: T,
    /// Rises with every creation.
    number: u64,
    since: Duration,
    gone: Option<Duration>,
}

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            live: BTreeMap::new(),
            next: 0,
            first_gone: None,
        }
    }
}

impl<T: Named> Entries<T> {
    pub(crate) fn add(&mut self, value: T, now: Duration) {
        let number = self.next;
        self.next += 1;
        self.live.insert(value.name().to_owned(), number);
        self.all.push(Entry {
            value,
            number,
            since: now,
            gone: None,
        });
    }

    /// False if there is none.
    pub(crate) fn remove(&mut self, name: &str, now: Duration) -> bool {
        let Some(at) = self.at(name) else {
            return false;
        };
        self.all[at].gone = Some(now);
        self.live.remove(name);
        self.first_gone.get_or_insert(now);
        true
    }

    /// What exists.
    pub(crate) fn live(&self) -> impl Iterator<Item = &T> {
        let live = self.all.iter().filter(|entry| entry.gone.is_none());
        live.map(|entry| &entry.value)
    }

    /// How much exists.
    pub(crate) fn count(&self) -> i64 {
        i64::try_from(self.live.len()).expect("memory ends earlier")
    }

    pub(crate) fn get(&self, name: &str) -> Option<&T> {
        self.at(name).map(|at| &self.all[at].value)
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut T> {
        self.at(name).map(|at| &mut self.all[at].value)
    }

    /// What the list shows: newest first, so that whatever comes or goes between two pages shifts the rest.
    pub(crate) fn listed(
        &self,
        now: Duration,
        lag: Duration,
    ) -> impl ExactSizeIterator<Item = &T> + DoubleEndedIterator {
        // What is newer was made later.
        let shown = self.all.partition_point(|entry| entry.since + lag <= now);
        self.all[..shown].iter().rev().map(|entry| &entry.value)
    }

    /// Forgets what was there under a name, so that it is listed no longer.
    pub(crate) fn bury(&mut self, name: &str) {
        self.all
            .retain(|entry| entry.gone.is_none() || entry.value.name() != name);
    }

    /// Forgets what no list shows any more.
    pub(crate) fn forget(&mut self, now: Duration, lag: Duration) {
        if self.first_gone.is_none_or(|gone| gone + lag > now) {
            return;
        }
        self.all.retain(|entry| entry.gone.is_none_or(|gone| gone + lag > now));
        self.first_gone = self.all.iter().filter_map(|entry| entry.gone).min();
    }

    fn at(&self, name: &str) -> Option<usize> {
        let number = self.live.get(name)?;
        self.all.binary_search_by_key(number, |entry| entry.number).ok()
    }
}

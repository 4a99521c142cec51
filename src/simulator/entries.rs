//! What an instance holds under a name, topics and consumer groups: the truth is at once, the list lags behind it.

use std::time::Duration;

/// What has a name that is unique in its instance.
pub(crate) trait Named {
    fn name(&self) -> &str;
}

/// Named things in the order of their creation; what is gone stays in the list for the lag.
pub(crate) struct Entries<T>(Vec<Entry<T>>);

struct Entry<T> {
    value: T,
    since: Duration,
    gone: Option<Duration>,
}

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Named> Entries<T> {
    pub(crate) fn add(&mut self, value: T, now: Duration) {
        self.0.push(Entry {
            value,
            since: now,
            gone: None,
        });
    }

    /// False if there is none.
    pub(crate) fn remove(&mut self, name: &str, now: Duration) -> bool {
        let entry = self
            .0
            .iter_mut()
            .find(|entry| entry.gone.is_none() && entry.value.name() == name);
        entry.map(|entry| entry.gone = Some(now)).is_some()
    }

    /// What exists.
    pub(crate) fn live(&self) -> impl Iterator<Item = &T> {
        let live = self.0.iter().filter(|entry| entry.gone.is_none());
        live.map(|entry| &entry.value)
    }

    /// How much exists.
    pub(crate) fn count(&self) -> i64 {
        i64::try_from(self.live().count()).expect("memory ends earlier")
    }

    pub(crate) fn get(&self, name: &str) -> Option<&T> {
        self.live().find(|value| value.name() == name)
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut T> {
        let mut live = self.0.iter_mut().filter(|entry| entry.gone.is_none());
        let entry = live.find(|entry| entry.value.name() == name);
        entry.map(|entry| &mut entry.value)
    }

    /// What the list shows: newest first, so that whatever comes or goes between two pages shifts the rest.
    pub(crate) fn listed(&self, now: Duration, lag: Duration) -> impl Iterator<Item = &T> {
        let listed = self.0.iter().rev().filter(move |entry| entry.since + lag <= now);
        listed.map(|entry| &entry.value)
    }

    /// Forgets what was there under a name, so that it is listed no longer.
    pub(crate) fn bury(&mut self, name: &str) {
        self.0
            .retain(|entry| entry.gone.is_none() || entry.value.name() != name);
    }

    /// Forgets what no list shows any more.
    pub(crate) fn forget(&mut self, now: Duration, lag: Duration) {
        self.0.retain(|entry| entry.gone.is_none_or(|gone| gone + lag > now));
    }
}

//! Who waits for something that there is too little of, in the order of its urgency.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// How urgent a call is, most urgent first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Something is to go: it frees room and money.
    Delete,
    /// Somebody waits for an edit.
    Edit,
    /// Something new is to be made.
    Create,
    /// Nobody waits: what is at rest is compared.
    #[default]
    Resync,
}

impl Priority {
    /// Whoever waited this much longer goes before those of the next class up that come now, so that nobody starves.
    fn patience(self) -> Duration {
        Duration::from_secs(match self {
            Self::Delete => 0,
            Self::Edit => 60,
            Self::Create => 600,
            Self::Resync => 1200,
        })
    }
}

/// Those who wait. The first looks after itself; everybody else is told when it becomes the first.
#[derive(Debug, Default)]
pub struct Line {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    places: BTreeMap<Ticket, Arc<Notify>>,
    issued: u64,
}

/// When it must have its turn by its patience, and a number.
type Ticket = (Instant, u64);

/// A place in a line; dropping it is leaving the line.
#[derive(Debug)]
pub struct Place<'a> {
    line: &'a Line,
    ticket: Ticket,
    nudge: Arc<Notify>,
}

impl Line {
    /// Takes a place.
    pub fn join(&self, priority: Priority) -> Place<'_> {
        let nudge = Arc::new(Notify::new());
        let mut waiting = self.waiting();
        waiting.issued += 1;
        let ticket = (Instant::now() + priority.patience(), waiting.issued);
        waiting.places.insert(ticket, nudge.clone());
        drop(waiting);
        Place {
            line: self,
            ticket,
            nudge,
        }
    }

    /// What they wait for changed: the first looks again.
    pub fn nudge(&self) {
        if let Some((_, first)) = self.waiting().places.first_key_value() {
            first.notify_one();
        }
    }

    /// How many wait.
    pub fn length(&self) -> usize {
        self.waiting().places.len()
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place<'_> {
    /// Whether it is the first now.
    pub fn is_first(&self) -> bool {
        let waiting = self.line.waiting();
        waiting
            .places
            .first_key_value()
            .is_some_and(|(first, _)| *first == self.ticket)
    }

    /// Waits until there is a reason to look again.
    pub async fn nudged(&self) {
        self.nudge.notified().await;
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.line.waiting().places.remove(&self.ticket);
        self.line.nudge();
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_urgent_go_first_and_nobody_starves() {
        let line = Line::default();
        let (resync, create) = (line.join(Priority::Resync), line.join(Priority::Create));
        let (edit, delete) = (line.join(Priority::Edit), line.join(Priority::Delete));
        let mut places = vec![resync, create, edit, delete];
        for _ in 0..4 {
            assert!(places.last().is_some_and(Place::is_first));
            assert_eq!(places.iter().filter(|place| place.is_first()).count(), 1);
            places.pop();
        }
        let old = line.join(Priority::Resync);
        advance(Duration::from_secs(1201)).await;
        let new = line.join(Priority::Delete);
        assert!(old.is_first() && !new.is_first());
    }
}

//! The writes to one instance: how many there were, and whether they still run.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tokio::time::Instant;

/// Writes run as long as one is sent or waits, and for at least this long after the last.
pub const RUN: Duration = Duration::from_millis(800);

/// Counts the writes to one instance.
#[derive(Debug, Default)]
pub struct Traffic {
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    sent: u64,
    waiting: usize,
    last: Option<Instant>,
}

/// Somebody wants to write; until it is dropped.
#[derive(Debug)]
pub struct Intent<'a>(&'a Traffic);

impl Traffic {
    /// Somebody wants to write.
    pub fn intent(&self) -> Intent<'_> {
        self.counts().waiting += 1;
        Intent(self)
    }

    /// A write was answered, or its answer was lost.
    pub fn sent(&self) {
        let mut counts = self.counts();
        counts.sent += 1;
        counts.last = Some(Instant::now());
    }

    /// How many were sent.
    pub fn writes(&self) -> u64 {
        self.counts().sent
    }

    /// When nothing will have been written for so long, if nothing else is; zero: it is so.
    pub fn until_quiet(&self, quiet: Duration) -> Duration {
        let counts = self.counts();
        if counts.waiting > 0 {
            return quiet;
        }
        counts
            .last
            .map_or(Duration::ZERO, |last| quiet.saturating_sub(last.elapsed()))
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().expect("no holder panics")
    }
}

impl Drop for Intent<'_> {
    fn drop(&mut self) {
        self.0.counts().waiting -= 1;
    }
}

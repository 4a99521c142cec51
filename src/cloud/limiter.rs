//! How fast we may call.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// A token bucket: 20 calls a second, at most 20 at once, first come first served. One a credential, shared by all
/// clients that use it.
#[derive(Debug)]
pub struct Limiter {
    /// Held by whoever is next; tokio's mutex is fair.
    turn: tokio::sync::Mutex<()>,
    bucket: Mutex<Bucket>,
}

const RATE: f64 = 20.0;
const BURST: f64 = 20.0;
/// After a 429 the rate is halved for this long.
const SLOW: Duration = Duration::from_secs(60);
/// A `Retry-After` beyond this is not believed: one bad header must not stop everything.
const MAX_PAUSE: Duration = Duration::from_secs(300);

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled: Instant,
    slow_until: Instant,
    paused_until: Instant,
}

impl Limiter {
    /// A full bucket.
    pub fn new() -> Self {
        let now = Instant::now();
        let bucket = Bucket {
            tokens: BURST,
            filled: now,
            slow_until: now,
            paused_until: now,
        };
        Self {
            turn: tokio::sync::Mutex::new(()),
            bucket: Mutex::new(bucket),
        }
    }

    /// Waits for its turn and takes a token. Dropping the future gives the turn to the next.
    pub async fn acquire(&self) {
        let _turn = self.turn.lock().await;
        while let Err(at) = self.take() {
            sleep_until(at).await;
        }
    }

    /// The service said that we call too often: halve the rate for a minute, and keep silent for `retry_after`.
    pub fn throttled(&self, retry_after: Option<Duration>) {
        let now = Instant::now();
        let mut bucket = self.bucket();
        bucket.fill(now);
        bucket.tokens = bucket.tokens.min(0.0);
        bucket.slow_until = now + SLOW;
        if let Some(pause) = retry_after {
            bucket.paused_until = now + pause.min(MAX_PAUSE);
        }
    }

    fn take(&self) -> Result<(), Instant> {
        self.bucket().take(Instant::now())
    }

    fn bucket(&self) -> std::sync::MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Limiter {
    fn default() -> Self {
        Self::new()
    }
}

impl Bucket {
    /// Takes a token, or says when to come again.
    fn take(&mut self, now: Instant) -> Result<(), Instant> {
        if now < self.paused_until {
            return Err(self.paused_until);
        }
        self.fill(now);
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Ok(());
        }
        // tokio's timers have a resolution of a millisecond: less would spin.
        let wait = Duration::from_secs_f64((1.0 - self.tokens) / self.rate(now)).max(Duration::from_millis(1));
        Err(now + wait)
    }

    fn fill(&mut self, now: Instant) {
        let slow = self
            .slow_until
            .min(now)
            .saturating_duration_since(self.filled)
            .as_secs_f64();
        let all = now.saturating_duration_since(self.filled).as_secs_f64();
        self.tokens = (self.tokens + RATE * (all - slow / 2.0)).min(BURST);
        self.filled = now;
    }

    fn rate(&self, now: Instant) -> f64 {
        if now < self.slow_until { RATE / 2.0 } else { RATE }
    }
}

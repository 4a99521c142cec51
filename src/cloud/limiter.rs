//! How fast we may call.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::line::{Line, Priority};

/// A token bucket, one a credential, shared by all clients that use it. The most urgent call goes first. It adapts: a 429
/// halves the pace, a limit that the answer names becomes the ceiling, and quiet brings the pace back.
#[derive(Debug)]
pub struct Limiter {
    line: Line,
    bucket: Mutex<Bucket>,
}

/// A pace that calls may have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Calls a second.
    pub rate: f64,
    /// Calls at once after a pause.
    pub burst: f64,
}

/// An answer that said that we call too often.
#[derive(Clone, Copy, Debug)]
pub struct Throttled {
    /// When the call was sent: what was under way already when we slowed down says nothing new.
    pub sent: Instant,
    /// `Retry-After`.
    pub retry_after: Option<Duration>,
    /// The policy that the answer names: so many calls in so long.
    pub policy: Option<(u32, Duration)>,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            rate: 20.0,
            // The gateway's bucket may be no larger than a second's calls, and calls do not arrive as they were sent.
            burst: 10.0,
        }
    }
}

impl Pace {
    /// So many calls in so long.
    pub fn of(calls: u32, period: Duration, burst: Option<u32>) -> Self {
        let usual = Self::default().burst.min(f64::from(calls));
        Self {
            rate: f64::from(calls) / period.as_secs_f64().max(1.0),
            burst: burst.map_or(usual, f64::from).max(1.0),
        }
    }

    fn least(self, other: Self) -> Self {
        Self {
            rate: self.rate.min(other.rate),
            burst: self.burst.min(other.burst),
        }
    }
}

/// The slowest pace that a 429 without a policy leads to, in calls a second.
const SLOWEST: f64 = 0.5;
/// After so long without a 429 the pace grows by a tenth of the ceiling.
const QUIET: Duration = Duration::from_secs(5);
/// How long a policy that an answer named is believed without being named again.
const BELIEVED: Duration = Duration::from_secs(3600);
/// A little less than a policy allows: its window and ours do not begin together.
const MARGIN: f64 = 0.95;
/// A `Retry-After` beyond this is not believed: one bad header must not stop everything.
const MAX_PAUSE: Duration = Duration::from_secs(300);

#[derive(Debug)]
struct Bucket {
    /// What each of those who use the credential allows.
    allowed: BTreeMap<String, Pace>,
    policy: Option<(Pace, Instant)>,
    rate: f64,
    tokens: f64,
    filled: Instant,
    /// When the pace last changed, or a 429 last came.
    changed: Instant,
    paused_until: Instant,
}

impl Limiter {
    /// A full bucket, at the default pace until somebody allows another.
    pub fn new() -> Self {
        let now = Instant::now();
        let Pace { rate, burst } = Pace::default();
        let bucket = Bucket {
            allowed: BTreeMap::new(),
            policy: None,
            rate,
            tokens: burst,
            filled: now,
            changed: now,
            paused_until: now,
        };
        Self {
            line: Line::default(),
            bucket: Mutex::new(bucket),
        }
    }

    /// What `user` of the credential allows from now on; `None`: the default. The least of all is the ceiling.
    pub fn allow(&self, user: &str, pace: Option<Pace>) {
        let mut bucket = self.bucket();
        if bucket.allowed.get(user) == pace.as_ref() {
            return;
        }
        bucket.fill(Instant::now());
        let at_ceiling = bucket.rate >= bucket.ceiling().rate;
        match pace {
            Some(pace) => bucket.allowed.insert(user.to_owned(), pace),
            None => bucket.allowed.remove(user),
        };
        let ceiling = bucket.ceiling();
        bucket.rate = if at_ceiling {
            ceiling.rate
        } else {
            bucket.rate.min(ceiling.rate)
        };
        bucket.tokens = bucket.tokens.min(ceiling.burst);
        drop(bucket);
        self.line.nudge();
    }

    /// Waits for its turn and takes a token. Dropping the future gives the turn to the next.
    pub async fn acquire(&self, priority: Priority) {
        let place = self.line.join(priority);
        loop {
            if !place.is_first() {
                place.nudged().await;
                continue;
            }
            let taken = self.bucket().take(Instant::now());
            let Err(at) = taken else { return };
            tokio::select! {
                () = sleep_until(at) => {}
                () = place.nudged() => {}
            }
        }
    }

    /// The service said that we call too often.
    pub fn throttled(&self, throttled: Throttled) {
        self.bucket().throttled(throttled, Instant::now());
    }

    /// Calls a second that it allows now, and whether that is less than it may be.
    pub fn pace(&self) -> (f64, bool) {
        let mut bucket = self.bucket();
        bucket.fill(Instant::now());
        let full = bucket.allowed();
        (bucket.rate, bucket.rate < full.rate)
    }

    fn bucket(&self) -> MutexGuard<'_, Bucket> {
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
        let wait = Duration::from_secs_f64((1.0 - self.tokens) / self.rate).max(Duration::from_millis(1));
        // The pace may grow meanwhile.
        Err(now + wait.min(QUIET))
    }

    fn throttled(&mut self, throttled: Throttled, now: Instant) {
        self.fill(now);
        if let Some(pause) = throttled.retry_after {
            self.paused_until = now + pause.min(MAX_PAUSE);
        }
        let first = throttled.sent >= self.changed;
        if let Some((calls, period)) = throttled.policy {
            let named = Pace::of(calls, period, None);
            let policy = Pace {
                rate: named.rate * MARGIN,
                ..named
            };
            self.policy = Some((policy, now));
        }
        let ceiling = self.ceiling();
        if self.rate > ceiling.rate {
            self.rate = ceiling.rate;
        } else if first {
            self.rate = (self.rate / 2.0).max(SLOWEST.min(ceiling.rate));
        }
        self.tokens = self.tokens.min(0.0);
        self.changed = now;
    }

    /// What those who use the credential allow.
    fn allowed(&self) -> Pace {
        self.allowed.values().copied().reduce(Pace::least).unwrap_or_default()
    }

    fn ceiling(&self) -> Pace {
        let allowed = self.allowed();
        self.policy.map_or(allowed, |(policy, _)| policy.least(allowed))
    }

    fn fill(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.tokens = (self.tokens + self.rate * elapsed).min(self.ceiling().burst);
        self.filled = now;
        if self
            .policy
            .is_some_and(|(_, named)| now.saturating_duration_since(named) >= BELIEVED)
        {
            self.policy = None;
        }
        let ceiling = self.ceiling().rate;
        let steps = now.saturating_duration_since(self.changed).as_secs() / QUIET.as_secs();
        if self.rate < ceiling && steps > 0 {
            self.rate = (self.rate + steps as f64 * ceiling / 10.0).min(ceiling);
            self.changed = now;
        }
    }
}

/// The policy that the gateway's text names: `limit:200,time:5 minute` (not in the reference).
pub(super) fn policy_in(text: &str) -> Option<(u32, Duration)> {
    let after = |name: &str| Some(text.split(name).nth(1)?.trim_start());
    let digits = |text: &str| {
        text.chars()
            .take_while(char::is_ascii_digit)
            .collect::<String>()
            .parse()
            .ok()
    };
    let calls: u32 = digits(after("limit:")?)?;
    let time = after("time:")?;
    let count: u32 = digits(time)?;
    let unit = time.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
    let seconds = match unit.get(..3)? {
        "sec" => 1,
        "min" => 60,
        "hou" => 3600,
        "day" => 86400,
        _ => return None,
    };
    (calls > 0 && count > 0).then(|| (calls, Duration::from_secs(seconds) * count))
}

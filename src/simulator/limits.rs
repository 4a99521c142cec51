//! How many calls pass: a token bucket a limit, as full as the limit at first.

use std::collections::BTreeMap;
use std::time::Duration;

/// So many calls in a time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Limit {
    pub(crate) calls: u32,
    pub(crate) window: Duration,
}

/// The buckets by what they limit.
#[derive(Default)]
pub(crate) struct Buckets(BTreeMap<String, Bucket>);

struct Bucket {
    tokens: f64,
    filled: Duration,
}

impl Buckets {
    /// Whether a call passes; one that does not costs nothing.
    pub(crate) fn pass(&mut self, limited: &str, limit: Limit, now: Duration) -> bool {
        let full = f64::from(limit.calls);
        let bucket = self.0.entry(limited.to_owned()).or_insert(Bucket {
            tokens: full,
            filled: now,
        });
        let flown = (now - bucket.filled).div_duration_f64(limit.window) * full;
        (bucket.tokens, bucket.filled) = ((bucket.tokens + flown).min(full), now);
        // Sums of small fractions fall short of one by a rounding error.
        let passes = bucket.tokens > 1.0 - 1e-6;
        if passes {
            bucket.tokens -= 1.0;
        }
        passes
    }
}

/// As the gateway is known to name it: `limit:20,time:1 second`, `limit:200,time:5 minute`.
impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = self.window.as_secs();
        let (number, unit) = match seconds {
            60.. if seconds.is_multiple_of(60) => (seconds / 60, "minute"),
            _ => (seconds, "second"),
        };
        write!(f, "limit:{},time:{number} {unit}", self.calls)
    }
}

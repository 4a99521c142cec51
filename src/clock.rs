//! Wall-clock time as a parameter.
//!
//! Waiting is always `tokio::time`; what is *written down* (status, signatures, leases) comes from here.
//! In tests both follow tokio's paused clock, so a day passes in a second and every timestamp agrees with it.

use jiff::Timestamp;
use tokio::time::Instant;

/// A source of wall-clock timestamps; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    anchor: Option<(Timestamp, Instant)>,
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self { anchor: None }
    }

    /// A clock that shows `start` now and then advances with tokio's clock, paused or not.
    pub fn anchored(start: Timestamp) -> Self {
        Self {
            anchor: Some((start, Instant::now())),
        }
    }

    /// The present moment.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    pub fn now(&self) -> Timestamp {
        match self.anchor {
            None => Timestamp::now(),
            Some((start, origin)) => start + origin.elapsed(),
        }
    }
}

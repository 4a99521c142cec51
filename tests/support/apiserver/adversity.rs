//! What can go wrong between a client and the server.

use std::sync::Arc;

use tokio::sync::watch;

use super::wire::{Call, Failure};

/// The connection of one client process: what is in flight when it ends never arrives.
#[derive(Clone)]
pub struct Lifeline(Arc<watch::Sender<bool>>);

impl Default for Lifeline {
    fn default() -> Self {
        Self(Arc::new(watch::channel(true).0))
    }
}

impl Lifeline {
    /// From now on requests and answers wait; for ever, unless [`restore`](Self::restore) follows.
    pub fn cut(&self) {
        self.0.send_replace(false);
    }

    /// What waited goes on.
    pub fn restore(&self) {
        self.0.send_replace(true);
    }

    /// Returns while the line holds.
    pub async fn passage(&self) {
        self.0
            .subscribe()
            .wait_for(|connected| *connected)
            .await
            .expect("the sender lives as long as self");
    }
}

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Trouble {
    /// Answered with this status, without effect.
    Refuse(u16),
    /// It takes effect, and the answer is this status.
    RefuseAfter(u16),
    /// The connection breaks before it takes effect.
    Break,
    /// The connection breaks after it took effect.
    BreakAfter,
    /// Never answered, without effect.
    Hang,
    /// It takes effect and is never answered.
    HangAfter,
}

type Matches = Box<dyn Fn(&Call) -> bool + Send>;

/// Troubles to come.
#[derive(Default)]
pub struct Troubles(Vec<(Matches, usize, Trouble)>);

impl Troubles {
    /// The next `times` requests that match.
    pub fn add(&mut self, times: usize, matches: impl Fn(&Call) -> bool + Send + 'static, trouble: Trouble) {
        self.0.push((Box::new(matches), times, trouble));
    }

    /// No more of them.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The trouble of this request.
    pub fn meet(&mut self, call: &Call) -> Option<Trouble> {
        let (_, times, trouble) = self
            .0
            .iter_mut()
            .find(|(matches, times, _)| *times > 0 && matches(call))?;
        *times -= 1;
        Some(*trouble)
    }
}

/// The refusal with a status code alone.
pub fn refusal(code: u16) -> Failure {
    let reason = match code {
        403 => "Forbidden",
        409 => "Conflict",
        429 => "TooManyRequests",
        503 => "ServiceUnavailable",
        504 => "Timeout",
        _ => "InternalError",
    };
    Failure::new(code, reason, "trouble ordered by the test")
}

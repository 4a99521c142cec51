//! What goes wrong on demand.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One arranged misfortune.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Fault {
    /// The operation's name in the vendor's SDK; empty or `*` means every one.
    pub operation: String,
    /// How many matching calls are hit; unset is 1, 0 is all until the fault is deleted.
    pub times: Option<u32>,
    /// How many matching calls pass before the first is hit.
    pub skip: u32,
    /// Of the calls after these, only each so-many-th is hit; 0 and 1 are every one.
    pub every: u32,
    /// Narrows the calls.
    #[serde(rename = "match")]
    pub only: Match,
    /// What happens; the parts combine.
    pub effect: Effect,
}

/// Which calls of an operation a fault is about.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Match {
    /// A name in the body, of an instance, a topic, a group, a quota's user or client; or after the instance in the path.
    pub name: Option<String>,
    /// The id or the name of the instance in the path.
    pub instance: Option<String>,
}

/// What a fault does to a call.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Effect {
    /// Answer with this HTTP status instead.
    pub status: Option<u16>,
    /// The answer's `error_code`; unset is `DMS.00500000`.
    pub code: Option<String>,
    /// The answer's `error_msg`.
    pub message: Option<String>,
    /// A `Retry-After` header, seconds.
    pub retry_after: Option<u32>,
    /// With `status`: the call takes effect all the same.
    pub after_effect: bool,
    /// How long the answer is held back after the effect, milliseconds.
    pub delay_ms: u64,
    /// How long the call lies about before it takes effect, milliseconds; it does even if the client has hung up.
    pub effect_delay_ms: u64,
    /// The connection breaks without an answer.
    pub lost: Option<LostAnswer>,
    /// The call takes effect, the answer is spoilt.
    pub malformed: Option<Malformed>,
    /// The job that the call starts ends as a failure.
    pub job_fails: bool,
    /// The instance that the call creates never runs.
    pub create_fails: Option<FailedCreate>,
    /// Each item of a batch (topics, groups) is reported as failed and left alone; where a job does the batch, it fails.
    pub items_fail: bool,
    /// With `items_fail`: the one item that fails; unset is all.
    pub item: Option<String>,
}

/// When an answer is lost.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum LostAnswer {
    /// The call had no effect.
    Before,
    /// The call took effect.
    After,
}

/// How an answer is spoilt.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Malformed {
    /// A proxy's HTML page, with the status of the real answer.
    Html,
    /// Half of the real body.
    Truncated,
    /// No body.
    Empty,
}

/// What becomes of an instance whose creation fails.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum FailedCreate {
    /// It ends in `ERROR`.
    Error,
    /// It is gone.
    Vanishes,
}

impl Effect {
    pub(crate) fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms)
    }

    pub(crate) fn effect_delay(&self) -> Duration {
        Duration::from_millis(self.effect_delay_ms)
    }

    /// Whether an item of a batch is reported as failed.
    pub(crate) fn fails(&self, item: &str) -> bool {
        self.items_fail && self.item.as_ref().is_none_or(|only| only == item)
    }

    /// Whether the call does what it asks for.
    pub(crate) fn lets_through(&self) -> bool {
        self.lost != Some(LostAnswer::Before) && (self.status.is_none() || self.after_effect)
    }
}

/// What a call is about, for matching.
pub(crate) struct Subject {
    pub(crate) operation: &'static str,
    pub(crate) names: Vec<String>,
    pub(crate) instance: Vec<String>,
}

/// The effect of the first fault that hits, which is thereby used up by one.
pub(crate) fn take(faults: &mut Vec<Fault>, subject: &Subject) -> Effect {
    let Some(index) = faults.iter_mut().position(|fault| fault.hits(subject)) else {
        return Effect::default();
    };
    let effect = faults[index].effect.clone();
    match faults[index].times.unwrap_or(1) {
        0 => {}
        1 => drop(faults.remove(index)),
        more => faults[index].times = Some(more - 1),
    }
    effect
}

impl Fault {
    fn hits(&mut self, subject: &Subject) -> bool {
        let any = |wanted: &Option<String>, there: &[String]| wanted.as_ref().is_none_or(|name| there.contains(name));
        let operation = matches!(self.operation.as_str(), "" | "*") || self.operation == subject.operation;
        if !operation || !any(&self.only.name, &subject.names) || !any(&self.only.instance, &subject.instance) {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        self.skip = self.every.saturating_sub(1);
        true
    }
}

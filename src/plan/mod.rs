//! Decisions, as data: `(wanted, seen) -> Plan`. No async, no clock, no client.
//!
//! Each kind has one file with what it wants, what it can see, and the steps between the two. What the kinds share
//! (how a thing comes to be, is adopted, is lost, is deleted) is in [`instance`] for instances, which are known by an
//! id, and in [`child`] for what lives in an instance, which is known by its name.

pub mod child;
pub mod consumer_group;
mod diff;
pub mod fault;
pub mod grant;
pub mod instance;
pub mod kafka_instance;
pub mod kafka_user_quota;
pub mod live;
pub mod provider_config;
mod reason;
pub mod rocketmq_instance;
mod situation;
#[cfg(test)]
mod tests;
pub mod topic;
mod upkeep;

use std::time::Duration;

use jiff::Timestamp;

use crate::api::{Adoption, CoreStatus, Deletion, Operation, Origin, Policy, Updates};

pub use diff::Differences;
pub use reason::Reason;
pub use situation::{Situation, Verdict, cut};

/// What one look leads to. The engine writes `status`, then carries out the first step, then looks again.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan<Status, Step> {
    /// The status as it should be from now on, without conditions.
    pub status: Status,
    /// What people and tools are told.
    pub situation: Situation,
    /// What to do, in order; one a round.
    pub steps: Vec<Step>,
    /// When to look again.
    pub next: Next,
}

/// When to look again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// As soon as what was just done can be read back.
    Soon,
    /// Soon at first and then ever later: what was done must show.
    Shows,
    /// At the polling interval: something ends by itself.
    Poll,
    /// When the writes to its instance move again: it is busy.
    Moved,
    /// When something changes that wakes it; after a while all the same.
    Woken,
    /// At the resync interval: nothing is to be done.
    Rest,
    /// The same, but sooner: nothing is to be done, and somebody wants to know what moves by itself.
    Within(Duration),
    /// After a long while, or when somebody acts.
    Stop(Duration),
    /// Never: the finalizer goes. Nothing of it is left that we should take care of.
    Release,
}

/// How long a stop lasts before it is looked at again by itself.
pub const STOP: Duration = Duration::from_secs(30 * 60);
/// The same where something holds the deletion.
pub const BLOCKED: Duration = Duration::from_secs(5 * 60);

/// How long something that was just made may be missing from the lists before its create is sent again.
pub const LIST_LAG: Duration = Duration::from_secs(60);
/// The same where the answer to the create was lost, so that it may not have been carried out at all.
pub const LOST_LAG: Duration = Duration::from_secs(10);
/// How long a background job may run before it is given up.
pub const JOB_DEADLINE: Duration = Duration::from_secs(90 * 60);

/// What every plan needs to know of its object.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// What was written down before.
    pub core: &'a CoreStatus,
    /// `metadata.generation`.
    pub generation: i64,
    /// The object is being deleted.
    pub deleting: bool,
    /// `management.policy`.
    pub policy: Policy,
    /// `management.adoption`.
    pub adoption: Adoption,
    /// `management.updates`.
    pub updates: Updates,
    /// The annotation `reconcile-requested-at`.
    pub requested: Option<&'a str>,
    /// The annotation `recreate`.
    pub recreate: Option<&'a str>,
    /// Another object that has a better claim to the same thing.
    pub owner: Option<String>,
    /// The background job of `status.operation`, if it has one.
    pub job: Option<Job>,
    /// How long ago its deletion was accepted, as far as this process knows; a restarted one may send it again.
    pub deleted: Option<Duration>,
    /// How long ago a step of it was last carried out, as far as this process knows.
    pub acted: Option<Duration>,
    /// A fresh nonce, in case an intent is written.
    pub nonce: &'a str,
    /// The service's time.
    pub now: Timestamp,
}

/// A background job, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Job {
    /// Still under way, or in a state that this version does not know.
    Running,
    /// Ended well.
    Succeeded,
    /// Ended badly.
    Failed(String),
    /// The service does not know it (any more).
    Unknown,
}

impl Facts<'_> {
    /// This generation was not applied yet: somebody waits for it.
    pub fn is_edit(&self) -> bool {
        self.core.applied_generation != Some(self.generation)
    }

    /// Some generation was applied before: what is only watched was never managed.
    pub fn was_managed(&self) -> bool {
        self.core.applied_generation.is_some() && self.core.origin.is_some()
    }

    /// It is only read.
    pub fn observes(&self) -> bool {
        self.policy == Policy::Observe
    }

    /// Why nothing is changed of what exists, if that was asked for.
    pub fn left_alone(&self) -> Option<&'static str> {
        match (self.policy, self.updates) {
            (Policy::Observe, _) => Some("management.policy is Observe, nothing is changed"),
            (Policy::Manage, Updates::Report) => Some("management.updates is Report, nothing is changed"),
            (Policy::Manage, Updates::Apply) => None,
        }
    }

    /// Somebody acted since the last look: an edit (a deletion counts as one), or the annotation.
    pub fn is_asked(&self) -> bool {
        self.core.observed_generation != Some(self.generation) || self.is_requested()
    }

    /// The annotation asks, and was not answered yet.
    pub fn is_requested(&self) -> bool {
        self.requested
            .is_some_and(|r| Some(r) != self.core.last_handled_reconcile_at.as_deref())
    }

    /// The background job of `status.operation`; one that does not end has failed.
    pub fn job(&self) -> Option<Job> {
        let start = self
            .core
            .operation
            .as_ref()
            .map(|operation| operation.start_time.as_str());
        match &self.job {
            Some(Job::Running) if start.is_some_and(|start| age(start, self.now) > JOB_DEADLINE) => {
                Some(Job::Failed("its job does not end".into()))
            }
            job => job.clone(),
        }
    }

    /// `status` with what every look writes down.
    pub fn looked<S: AsMut<CoreStatus>>(&self, mut status: S) -> S {
        let core = status.as_mut();
        core.observed_generation = Some(self.generation);
        core.last_handled_reconcile_at = self.requested.map(str::to_owned);
        status
    }

    /// An operation that begins now; one of the same name counts another attempt.
    pub fn operation(&self, name: &str, job_id: Option<String>) -> Operation {
        begun(self.core, name, job_id, self.now)
    }
}

/// Whether a thing stays in the cloud when its object goes: as the spec says, else only what we made is deleted.
pub fn orphans(deletion: Option<Deletion>, core: Option<&CoreStatus>) -> bool {
    match deletion {
        Some(deletion) => deletion == Deletion::Orphan,
        None => core.is_some_and(|core| core.origin == Some(Origin::Adopted)),
    }
}

/// An operation that was accepted at `now`; one of the same name counts another attempt.
pub fn begun(core: &CoreStatus, name: &str, job_id: Option<String>, now: Timestamp) -> Operation {
    let before = core
        .operation
        .as_ref()
        .filter(|o| o.name == name)
        .and_then(|o| o.attempts)
        .unwrap_or(0);
    Operation {
        name: name.into(),
        job_id,
        start_time: now.to_string(),
        attempts: Some(before + 1),
        failure: None,
        shared: false,
    }
}

/// How long ago `time` (RFC 3339) was; forever, if it cannot be read.
pub fn age(time: &str, now: Timestamp) -> Duration {
    match time.parse::<Timestamp>() {
        Ok(then) => now.duration_since(then).try_into().unwrap_or(Duration::ZERO),
        Err(_) => Duration::MAX,
    }
}

/// A time of day for messages: `09:00:04Z` of an RFC 3339 timestamp.
pub fn clock_time(time: &str) -> String {
    match time.parse::<Timestamp>() {
        Ok(t) => t.strftime("%H:%M:%SZ").to_string(),
        Err(_) => time.to_owned(),
    }
}

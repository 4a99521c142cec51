//! How an instance comes to be, is kept, is lost, and goes. Instances cost money and their names are not unique, so a
//! create is safe only by the nonce that travels in it, and an instance that served is never bought again by itself.

mod creation;
mod deletion;
mod engine;
mod settings;
mod storage;
mod tags;

use std::time::Duration;

use crate::api::{CoreStatus, Location, Origin};
use crate::plan::upkeep::{BEYOND_US, Comparison, NOT_OURS, at_rest, mending, refusal, stop, working};
use crate::plan::{Facts, Job, Next, Plan, Reason, Situation, age, clock_time};

pub use engine::{EXTEND_STORAGE, InstanceEngine, Seen, State, Step, StepOf, name, plan};
pub use settings::Changes;
pub(super) use settings::changed;

/// Name of the operation that makes an instance.
pub const CREATE: &str = "CreateInstance";
/// Name of the operation that removes an instance; in status once the service accepted it.
pub const DELETE: &str = "DeleteInstance";

/// How often, at least, a search must have found nothing before a create with a lost answer is sent again.
pub const EMPTY_SEARCHES: u32 = 3;
/// How long an accepted delete may show no effect before it is sent again.
const DELETE_PATIENCE: Duration = Duration::from_secs(120);
/// How long a job may be unknown after the call that began it, while the instance does not show it either.
const JOB_PATIENCE: Duration = Duration::from_secs(120);
/// How long an instance whose create was accepted may not be readable yet.
const CREATE_PATIENCE: Duration = Duration::from_secs(120);

/// An instance and its surroundings at one look.
#[derive(Clone, Debug)]
pub struct Instance<'a, T> {
    /// The object.
    pub facts: Facts<'a>,
    /// `Kafka instance events`, for messages.
    pub title: String,
    /// Where it lives or shall live.
    pub location: Location,
    /// `spec.instanceId`: this one and no other.
    pub named_id: Option<&'a str>,
    /// What was found.
    pub found: Found<T>,
    /// How long complete searches must have found nothing.
    pub search_window: Duration,
}

/// What a look shows.
#[derive(Clone, Debug, PartialEq)]
pub enum Found<T> {
    /// Read by its id.
    There(T),
    /// The service says of its id that it does not exist, so many looks in a row.
    Missing(u32),
    /// No id is known; this is what a search by name found.
    Searched(Search),
}

/// A search by name over all pages and all states.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// Ids of the instances that carry our nonce.
    pub ours: Vec<String>,
    /// Ids of the others of that name.
    pub others: Vec<String>,
    /// Ids of those whose nonce could not be read: unknown, not empty.
    pub unreadable: Vec<String>,
    /// How many complete searches in a row, this one included, found nothing of ours (since the operator started).
    pub empty_in_a_row: u32,
    /// Since the first of these, by a clock that nobody can put forward.
    pub empty_for: Duration,
}

/// The service's word for an instance's state, as far as it matters here (API reference 8.3 and what was met outside).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// RUNNING.
    Running,
    /// CREATING.
    Creating,
    /// ERROR, and failures of a creation or of an upgrade's undoing.
    Broken,
    /// EXTENDEDFAILED: serves, but a change of its specification failed.
    ExtendFailed,
    /// FROZEN, FREEZING.
    Frozen,
    /// DELETING.
    Deleting,
    /// RECYCLE: deleted, but can be taken out of the bin.
    Recycled,
    /// Any other word: something is going on.
    Busy,
}

impl Phase {
    /// Reads the service's word.
    pub fn of(state: &str) -> Self {
        match state {
            "RUNNING" => Self::Running,
            "CREATING" => Self::Creating,
            // The last two are not in the reference, but in the vendor's definitions.
            "ERROR" | "CREATEFAILED" | "ROLLBACKFAILED" => Self::Broken,
            "EXTENDEDFAILED" => Self::ExtendFailed,
            "FROZEN" | "FREEZING" => Self::Frozen,
            "DELETING" => Self::Deleting,
            "RECYCLE" => Self::Recycled,
            _ => Self::Busy,
        }
    }

    /// Whether children can be looked at and changed.
    pub fn serves(self) -> bool {
        matches!(self, Self::Running | Self::ExtendFailed)
    }
}

/// The calls of one kind of instance.
#[derive(Clone, Debug)]
pub struct Calls<Step> {
    /// Makes it; or why the spec does not suffice.
    pub create: Result<Step, String>,
    /// Removes it.
    pub delete: Step,
}

impl Search {
    /// No trace of ours, and looked for long enough to say so.
    fn proves_absence(&self, window: Duration) -> bool {
        self.ours.is_empty()
            && self.unreadable.is_empty()
            && self.empty_in_a_row >= EMPTY_SEARCHES
            && self.empty_for >= window
    }
}

impl<T> Instance<'_, T> {
    /// Decides. `status` already holds what the kind itself observed.
    pub fn plan<State: AsMut<CoreStatus>, Step>(
        self,
        status: State,
        state_of: impl Fn(&T) -> &str,
        calls: Calls<Step>,
        compare: impl FnOnce(&T) -> Comparison<Step>,
    ) -> Plan<State, Step> {
        let mut status = self.facts.looked(status);
        if self.facts.deleting {
            return self.plan_deletion(status, state_of, calls.delete);
        }
        if let Some(owner) = &self.facts.owner {
            let message = format!("{} belongs to {owner}; {NOT_OURS}", self.title);
            return stop(status, Reason::Conflict, message, false);
        }
        match &self.found {
            Found::Searched(search) => self.plan_creation(status, search, calls),
            Found::Missing(times) => self.plan_missing(status, *times),
            Found::There(thing) => {
                let core = status.as_mut();
                core.provider = Some(self.location.clone());
                core.create_intent = None;
                core.origin.get_or_insert(Origin::Adopted);
                if let (Some(named), None) = (self.named_id, &core.instance_id) {
                    core.instance_id = Some(named.to_owned());
                }
                let state = state_of(thing).to_owned();
                self.plan_upkeep(status, &state, compare(thing))
            }
        }
    }

    fn plan_missing<State: AsMut<CoreStatus>, Step>(&self, mut status: State, times: u32) -> Plan<State, Step> {
        let Self { facts, title, .. } = self;
        let core = status.as_mut();
        let id = core
            .instance_id
            .clone()
            .or(self.named_id.map(str::to_owned))
            .unwrap_or_default();
        let served = core.served_since.is_some();
        if times < 2 || self.may_appear() {
            let message = format!("the service does not know {id}; looks again to be sure");
            let situation = match (served && !facts.is_edit(), served) {
                (true, _) => Situation::Unread {
                    reason: Reason::Retrying,
                    message,
                },
                (false, true) => Situation::Updating {
                    reason: Reason::Retrying,
                    message,
                },
                (false, false) => Situation::Waiting {
                    reason: Reason::Creating,
                    message,
                },
            };
            return Plan {
                status,
                situation,
                steps: vec![],
                next: Next::Poll,
            };
        }
        let made_by_us = core.origin == Some(Origin::Created);
        if facts.recreate == Some(id.as_str()) && self.named_id.is_none() {
            core.forget();
            let situation = Situation::Creating {
                message: format!("{id} is gone; begins anew"),
                again: true,
            };
            return Plan {
                status,
                situation,
                steps: vec![],
                next: Next::Soon,
            };
        }
        let way_out = format!("to buy a new one, annotate {}={id}", crate::api::RECREATE);
        let (reason, message) = match (served, made_by_us) {
            (true, _) if self.named_id.is_some() => {
                (Reason::NotFound, format!("instance {id} is gone; delete this object"))
            }
            (true, _) => (
                Reason::NotFound,
                format!("{title} ({id}) is gone and is not bought again by itself; {way_out}"),
            ),
            (false, true) => (
                Reason::CloudFailed,
                format!("{title} ({id}) vanished before it served: its creation failed; {way_out}"),
            ),
            (false, false) if self.named_id.is_some() => (
                Reason::NotFound,
                format!("there is no instance {id}; correct spec.instanceId"),
            ),
            (false, false) => (Reason::NotFound, format!("there is no instance {id}; {way_out}")),
        };
        stop(status, reason, message, false)
    }

    /// Its create was accepted so recently that it may not be readable yet.
    fn may_appear(&self) -> bool {
        let core = self.facts.core;
        core.served_since.is_none()
            && core
                .operation
                .as_ref()
                .is_some_and(|o| o.name == CREATE && age(&o.start_time, self.facts.now) < CREATE_PATIENCE)
    }

    fn plan_upkeep<State: AsMut<CoreStatus>, Step>(
        &self,
        mut status: State,
        state: &str,
        comparison: Comparison<Step>,
    ) -> Plan<State, Step> {
        let Self { facts, title, .. } = self;
        let Comparison {
            differences,
            steps,
            refused,
            summary,
        } = comparison;
        let core = status.as_mut();
        let served = core.served_since.is_some();
        let operation = core.operation.clone();
        let our_job = operation.as_ref().filter(|o| o.name != CREATE && o.failure.is_none());
        let edit = facts.is_edit();
        let phase = Phase::of(state);
        core.drift = if phase == Phase::Creating {
            vec![]
        } else {
            differences.drift()
        };
        match phase {
            Phase::Creating => {
                let since = operation
                    .map(|o| format!(" since {}", clock_time(&o.start_time)))
                    .unwrap_or_default();
                let message = format!("being created{since}; this takes 10 to 25 minutes");
                let situation = Situation::Creating { message, again: false };
                return Plan {
                    status,
                    situation,
                    steps: vec![],
                    next: Next::Poll,
                };
            }
            Phase::Broken => {
                let message = if served {
                    format!(
                        "{title} is in state {state}; ask the service's support, then annotate reconcile-requested-at"
                    )
                } else {
                    format!("creating {title} ended in state {state}; delete this object to remove it")
                };
                return stop(status, Reason::CloudFailed, message, false);
            }
            Phase::Frozen => {
                let message = format!("{title} is {state}: the account must be paid before it serves again");
                return stop(status, Reason::PaymentRequired, message, false);
            }
            Phase::Recycled => {
                let message = format!("{title} is in the recycle bin; restore it there, or delete this object");
                return stop(status, Reason::NotFound, message, false);
            }
            Phase::Busy | Phase::Deleting => {
                let situation = match our_job {
                    Some(job) => {
                        let message = format!("{} since {}: state {state}", job.name, clock_time(&job.start_time));
                        return working(status, edit, message, vec![], Next::Poll);
                    }
                    None => Situation::Waiting {
                        reason: Reason::InstanceBusy,
                        message: format!("the instance is {state}, which we did not ask for; waits for RUNNING"),
                    },
                };
                return Plan {
                    status,
                    situation,
                    steps: vec![],
                    next: Next::Poll,
                };
            }
            Phase::Running | Phase::ExtendFailed => {}
        }
        core.served_since.get_or_insert_with(|| facts.now.to_string());
        if let Some(message) = refusal(facts, title, &differences, refused, steps.is_empty()) {
            return stop(status, Reason::InvalidSpec, message, true);
        }
        if let Some(job) = our_job {
            let seen = facts.job();
            let begins = matches!(seen, None | Some(Job::Unknown))
                && phase == Phase::Running
                && !steps.is_empty()
                && age(&job.start_time, facts.now) < JOB_PATIENCE;
            if begins || seen == Some(Job::Running) {
                let message = format!("{} since {}", job.name, clock_time(&job.start_time));
                return working(status, edit, message, vec![], Next::Poll);
            }
            match seen {
                Some(Job::Failed(why)) if !steps.is_empty() => {
                    let job = job.clone();
                    return self.failed(status, state, &job, &why);
                }
                _ if phase == Phase::ExtendFailed && !steps.is_empty() => {
                    let job = job.clone();
                    return self.failed(status, state, &job, "it ended EXTENDEDFAILED");
                }
                _ => {}
            }
        }
        if steps.is_empty() {
            core.operation = None;
            core.applied_generation = Some(facts.generation);
            let situation = at_rest(summary, &differences, BEYOND_US);
            return Plan {
                status,
                situation,
                steps,
                next: Next::Rest,
            };
        }
        let failed_before = operation.as_ref().is_some_and(|o| o.failure.is_some());
        if (failed_before || phase == Phase::ExtendFailed) && !facts.is_asked() {
            let why = operation
                .and_then(|o| o.failure)
                .unwrap_or_else(|| format!("{title} is {state}"));
            let message =
                format!("{why}; brokers still serve. Ask the service's support, then annotate reconcile-requested-at");
            return stop(status, Reason::CloudFailed, message, true);
        }
        core.operation = None;
        working(status, edit, mending(edit, &differences), steps, Next::Soon)
    }

    fn failed<State: AsMut<CoreStatus>, Step>(
        &self,
        mut status: State,
        state: &str,
        job: &crate::api::Operation,
        why: &str,
    ) -> Plan<State, Step> {
        let id = job.job_id.as_deref().unwrap_or("unknown");
        let failure = crate::plan::cut(&format!("{} failed ({why}; job {id})", job.name), 1024);
        let message = format!(
            "{failure}, state {state}; brokers still serve. Ask the service's support, then annotate reconcile-requested-at"
        );
        status.as_mut().operation = Some(crate::api::Operation {
            failure: Some(failure),
            ..job.clone()
        });
        stop(status, Reason::CloudFailed, message, true)
    }
}

fn minutes(window: Duration) -> String {
    if window.as_secs() < 120 {
        format!("{} s", window.as_secs())
    } else {
        format!("{} min", window.as_secs() / 60)
    }
}

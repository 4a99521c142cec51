//! How an instance comes to be, is kept, is lost, and goes. Instances cost money and their names are not unique, so a
//! create is safe only by the nonce that travels in it, and an instance that served is never bought again by itself.

use std::time::Duration;

use super::child::{Comparison, at_rest, refusal, stop, working};
use super::{BLOCKED, Facts, Job, Next, Plan, Reason, Situation, age, clock_time};
use crate::api::{Adoption, CoreStatus, CreateIntent, Location, Origin};

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
            let message = format!("{} belongs to {owner}", self.title);
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

    fn plan_creation<State: AsMut<CoreStatus>, Step>(
        &self,
        mut status: State,
        search: &Search,
        calls: Calls<Step>,
    ) -> Plan<State, Step> {
        let Self { facts, title, .. } = self;
        let core = status.as_mut();
        core.drift = vec![];
        let creating = |status, message, steps, next| Plan {
            status,
            situation: Situation::Creating { message, again: false },
            steps,
            next,
        };
        let found = |mut status: State, id: &str, origin, message| {
            let core = status.as_mut();
            core.instance_id = Some(id.to_owned());
            core.provider = Some(self.location.clone());
            core.origin = Some(origin);
            if let (Origin::Created, Some(intent)) = (origin, core.create_intent.take()) {
                core.operation = Some(super::begun(
                    core,
                    CREATE,
                    None,
                    intent.time.parse().unwrap_or(facts.now),
                ));
            }
            creating(status, message, vec![], Next::Soon)
        };
        match (search.ours.as_slice(), search.unreadable.as_slice()) {
            ([], []) => {}
            ([id], _) => {
                return found(
                    status,
                    id,
                    Origin::Created,
                    format!("found {id}, which our create made"),
                );
            }
            ([], unknown) => {
                if let Some(intent) = &mut core.create_intent {
                    // Only searches that could tell count, and together they must last.
                    intent.searched_since = None;
                }
                let message = format!(
                    "cannot tell yet whether {} is ours: its tags were not readable",
                    unknown.join(", ")
                );
                return creating(status, message, vec![], Next::Poll);
            }
            (several, _) => {
                let message = format!(
                    "instances {} all carry our nonce; delete all but one in the console, then annotate reconcile-requested-at",
                    several.join(", ")
                );
                return stop(status, Reason::Conflict, message, false);
            }
        }
        if let Some(intent) = core.create_intent.clone() {
            return self.plan_search(status, intent, search, calls);
        }
        match (search.others.as_slice(), facts.adoption) {
            ([], _) => {}
            ([id], Adoption::IfExists) => {
                return found(status, id, Origin::Adopted, format!("takes over {id}"));
            }
            (ids, _) => {
                let message = format!(
                    "{} of this name is there already ({}) and not ours; set spec.instanceId to manage it, or choose another name",
                    title,
                    ids.join(", ")
                );
                return stop(status, Reason::AlreadyExists, message, false);
            }
        }
        let create = match calls.create {
            Ok(create) => create,
            Err(why) => return stop(status, Reason::InvalidSpec, why, false),
        };
        core.provider = Some(self.location.clone());
        core.operation = None;
        core.create_intent = Some(CreateIntent {
            time: facts.now.to_string(),
            nonce: Some(facts.nonce.to_owned()),
            ..Default::default()
        });
        creating(status, format!("creates {title}"), vec![create], Next::Soon)
    }

    /// An intent is written and no answer is known: the create may have been carried out.
    fn plan_search<State: AsMut<CoreStatus>, Step>(
        &self,
        mut status: State,
        mut intent: CreateIntent,
        search: &Search,
        calls: Calls<Step>,
    ) -> Plan<State, Step> {
        let Self {
            facts,
            title,
            search_window,
            ..
        } = self;
        let since = intent
            .searched_since
            .get_or_insert_with(|| facts.now.to_string())
            .clone();
        let proven = search.proves_absence(*search_window) && age(&since, facts.now) >= *search_window;
        if proven && !search.others.is_empty() {
            // It was refused for its name, or somebody else took the name meanwhile: as at a first look.
            status.as_mut().create_intent = None;
            return Plan {
                status,
                situation: Situation::Creating {
                    message: format!("no trace of our create of {title}, but of another of that name"),
                    again: false,
                },
                steps: vec![],
                next: Next::Soon,
            };
        }
        let (message, steps, next) = match calls.create {
            Ok(create) if proven => {
                intent.attempts = Some(intent.attempts.unwrap_or(1) + 1);
                intent.time = facts.now.to_string();
                intent.searched_since = None;
                (
                    format!("creates {title} once more: no trace of the first attempt"),
                    vec![create],
                    Next::Soon,
                )
            }
            _ => {
                let message = format!(
                    "the answer to the create of {} was lost; searches for the instance since {}, and creates it anew only after {} without a trace",
                    clock_time(&intent.time),
                    clock_time(&since),
                    minutes(*search_window),
                );
                (message, vec![], Next::Poll)
            }
        };
        status.as_mut().create_intent = Some(intent);
        Plan {
            status,
            situation: Situation::Creating { message, again: false },
            steps,
            next,
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
            (true, _) if self.named_id.is_some() => (Reason::NotFound, format!("instance {id} is gone")),
            (true, _) => (
                Reason::NotFound,
                format!("{title} ({id}) is gone and is not bought again by itself; {way_out}"),
            ),
            (false, true) => (
                Reason::CloudFailed,
                format!("{title} ({id}) vanished before it served: its creation failed; {way_out}"),
            ),
            (false, false) => (Reason::NotFound, format!("there is no instance {id}")),
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
            let situation = at_rest(summary, &differences);
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
        working(status, edit, differences.fields(), steps, Next::Soon)
    }

    fn failed<State: AsMut<CoreStatus>, Step>(
        &self,
        mut status: State,
        state: &str,
        job: &crate::api::Operation,
        why: &str,
    ) -> Plan<State, Step> {
        let id = job.job_id.as_deref().unwrap_or("unknown");
        let failure = super::cut(&format!("{} failed ({why}; job {id})", job.name), 1024);
        let message = format!(
            "{failure}, state {state}; brokers still serve. Ask the service's support, then annotate reconcile-requested-at"
        );
        status.as_mut().operation = Some(crate::api::Operation {
            failure: Some(failure),
            ..job.clone()
        });
        stop(status, Reason::CloudFailed, message, true)
    }

    fn plan_deletion<State: AsMut<CoreStatus>, Step>(
        &self,
        mut status: State,
        state_of: impl Fn(&T) -> &str,
        delete: Step,
    ) -> Plan<State, Step> {
        let Self {
            facts,
            title,
            search_window,
            ..
        } = self;
        let wait = |status, message, steps, next| Plan {
            status,
            situation: Situation::Deleting { message },
            steps,
            next,
        };
        if facts.owner.is_some() {
            return wait(
                status,
                format!("{title} belongs to another object and stays"),
                vec![],
                Next::Release,
            );
        }
        let gone = |mut status: State, message: String| {
            let core = status.as_mut();
            if core.create_intent.is_none() {
                return wait(status, message, vec![], Next::Release);
            }
            core.instance_id = None;
            core.operation = None;
            let message = format!("{message}; looks for others that our create made");
            wait(status, message, vec![], Next::Soon)
        };
        match &self.found {
            Found::Missing(times) if *times < 2 || self.may_appear() => wait(
                status,
                format!("{title} seems to be gone; looks again to be sure"),
                vec![],
                Next::Poll,
            ),
            Found::Missing(_) => gone(status, format!("{title} is gone")),
            Found::Searched(search) => {
                let core = status.as_mut();
                let Some(intent) = &mut core.create_intent else {
                    return wait(status, "nothing was created".into(), vec![], Next::Release);
                };
                if let [id, more @ ..] = search.ours.as_slice() {
                    core.instance_id = Some(id.clone());
                    core.origin = Some(Origin::Created);
                    if more.is_empty() {
                        core.create_intent = None;
                    }
                    return wait(status, format!("found {id}, which our create made"), vec![], Next::Soon);
                }
                if !search.unreadable.is_empty() {
                    intent.searched_since = None;
                }
                let since = intent
                    .searched_since
                    .get_or_insert_with(|| facts.now.to_string())
                    .clone();
                if search.proves_absence(*search_window) && age(&since, facts.now) >= *search_window {
                    return wait(status, "no trace of our create".into(), vec![], Next::Release);
                }
                let message = format!(
                    "the answer to a create was lost; searches since {} for {} before it lets go, so that no instance is left behind",
                    clock_time(&since),
                    minutes(*search_window)
                );
                wait(status, message, vec![], Next::Poll)
            }
            Found::There(thing) => {
                let state = state_of(thing).to_owned();
                let core = status.as_mut();
                let accepted = core.operation.as_ref().filter(|o| o.name == DELETE).cloned();
                match (Phase::of(&state), accepted) {
                    (Phase::Recycled, _) => gone(status, format!("{title} is in the recycle bin")),
                    (Phase::Deleting, _) => wait(status, format!("{title} is {state}"), vec![], Next::Poll),
                    (_, Some(op)) if age(&op.start_time, facts.now) < DELETE_PATIENCE => wait(
                        status,
                        format!("deletion accepted at {}; state {state}", clock_time(&op.start_time)),
                        vec![],
                        Next::Poll,
                    ),
                    (Phase::Frozen, _) => {
                        let message = format!(
                            "{title} is {state}: the account must be paid, or the instance deleted in the console"
                        );
                        Plan {
                            status,
                            situation: Situation::DeletionStopped {
                                reason: Reason::PaymentRequired,
                                message,
                            },
                            steps: vec![delete],
                            next: Next::Stop(BLOCKED),
                        }
                    }
                    (Phase::Creating, _) => wait(
                        status,
                        format!("{title} is {state} and cannot be deleted before that ends"),
                        vec![],
                        Next::Poll,
                    ),
                    (_, Some(_)) => wait(
                        status,
                        format!("the accepted deletion of {title} had no effect; sends it again"),
                        vec![delete],
                        Next::Soon,
                    ),
                    (_, None) => wait(status, format!("deletes {title}"), vec![delete], Next::Soon),
                }
            }
        }
    }
}

fn minutes(window: Duration) -> String {
    if window.as_secs() < 120 {
        format!("{} s", window.as_secs())
    } else {
        format!("{} min", window.as_secs() / 60)
    }
}

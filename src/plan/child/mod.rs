//! How a thing that lives in an instance comes to be, is kept, and goes. Its name is unique in the instance, so a
//! complete list decides whether it exists.

mod deletion;

use std::collections::BTreeSet;
use std::time::Duration;

use super::upkeep::{BEYOND_US, Comparison, NOT_OURS, at_rest, mending, refusal, stop, working};
use super::{BLOCKED, Facts, Job, LIST_LAG, LOST_LAG, Next, Plan, Reason, Situation, age};
use crate::api::{Adoption, CoreStatus, CreateIntent, Location, Origin};

/// Name of the operation that deletes a thing in order to make it anew.
pub const REPLACE: &str = "Replace";

/// A child and its surroundings at one look.
#[derive(Clone, Debug)]
pub struct Child<'a, T> {
    /// The object.
    pub facts: Facts<'a>,
    /// `topic orders`, for messages.
    pub title: String,
    /// Its name in the cloud.
    pub name: String,
    /// Where its instance lives.
    pub location: Location,
    /// The instance it lives in.
    pub instance_id: String,
    /// Why no write may be sent to the instance now.
    pub held: Option<String>,
    /// What was found.
    pub found: Found<T>,
    /// Whether it may be deleted.
    pub guard: Guard,
}

/// Where a thing of this kind lives, and what was found there.
#[derive(Clone, Debug)]
pub struct Seen<T> {
    /// Where its instance lives.
    pub location: Location,
    /// The instance.
    pub instance_id: String,
    /// Why no write may be sent to the instance now.
    pub held: Option<String>,
    /// What its instance is.
    pub host: Host,
    /// The thing.
    pub found: Found<T>,
    /// Whether it may be deleted.
    pub guard: Guard,
}

/// What `management.deletionGuard` has to say to a deletion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Guard {
    /// Nothing: it is not wanted, or the thing is not in use.
    #[default]
    Open,
    /// The thing is in use; why, and what helps.
    Closed(String),
    /// Its turn to be asked about comes after so long.
    Unknown(Duration),
}

/// What the instance that a thing lives in shows of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// Version of its engine; always known of a RocketMQ instance, except at a deletion.
    pub engine_version: Option<String>,
    /// Names of its brokers, where its engine names them.
    pub brokers: BTreeSet<String>,
}

impl<T> Seen<T> {
    /// The same with another picture of the thing.
    pub fn map<U>(self, picture: impl FnOnce(T) -> U) -> Seen<U> {
        Seen {
            location: self.location,
            instance_id: self.instance_id,
            held: self.held,
            host: self.host,
            guard: self.guard,
            found: match self.found {
                Found::There(thing) => Found::There(picture(thing)),
                Found::Absent => Found::Absent,
                Found::InstanceGone => Found::InstanceGone,
            },
        }
    }

    /// The thing and its surroundings.
    pub fn child(self, facts: Facts<'_>, title: String, name: String) -> Child<'_, T> {
        Child {
            facts,
            title,
            name,
            location: self.location,
            instance_id: self.instance_id,
            held: self.held,
            found: self.found,
            guard: self.guard,
        }
    }
}

/// What a look at an instance's list shows.
#[derive(Clone, Debug, PartialEq)]
pub enum Found<T> {
    /// It is there.
    There(T),
    /// Proven absent: two complete lists lack it.
    Absent,
    /// Its instance is proven gone, or its deletion was accepted, and everything in it goes along.
    InstanceGone,
}

/// The calls of one kind of child.
#[derive(Clone, Debug)]
pub struct Calls<Step> {
    /// Makes it; or what the spec lacks for that.
    pub create: Result<Step, String>,
    /// Removes it.
    pub delete: Step,
    /// Why the service would not remove it now, and what helps.
    pub blocked: Option<String>,
    /// What may help where a job that should remove it fails.
    pub advice: &'static str,
}

impl<T> Child<'_, T> {
    /// Decides. `status` already holds what the kind itself observed.
    pub fn plan<State: AsMut<CoreStatus>, Step>(
        self,
        status: State,
        calls: Calls<Step>,
        compare: impl FnOnce(&T) -> Comparison<Step>,
    ) -> Plan<State, Step> {
        let status = self.facts.looked(status);
        if self.facts.deleting {
            return self.plan_deletion(status, calls);
        }
        if let Some(owner) = &self.facts.owner {
            let message = format!(
                "{} of instance {} belongs to {owner}; {NOT_OURS}",
                self.title, self.instance_id
            );
            return stop(status, Reason::Conflict, message, false);
        }
        match &self.found {
            Found::InstanceGone => Plan {
                status,
                situation: Situation::Waiting {
                    reason: Reason::WaitingForReference,
                    message: format!("instance {} is gone or is being deleted", self.instance_id),
                },
                steps: vec![],
                next: Next::Poll,
            },
            Found::Absent => self.plan_creation(status, calls),
            Found::There(thing) => {
                let comparison = compare(thing);
                self.plan_upkeep(status, comparison)
            }
        }
    }

    fn plan_creation<State: AsMut<CoreStatus>, Step>(
        &self,
        mut status: State,
        calls: Calls<Step>,
    ) -> Plan<State, Step> {
        let Self { facts, title, .. } = self;
        let again = facts.core.served_since.is_some();
        let replaced = self.is_being_replaced() || (again && facts.is_edit());
        let creating = |status, message: String, steps, next| Plan {
            status,
            situation: match replaced {
                true => Situation::Updating {
                    reason: Reason::Updating,
                    message,
                },
                false => Situation::Creating { message, again },
            },
            steps,
            next,
        };
        // The same before and after it was sent: each word is a write.
        let creates = || format!("creates {title}, and waits until it is listed");
        let core = status.as_mut();
        core.drift = vec![];
        match facts.job() {
            Some(Job::Running) => return creating(status, format!("{title} is being created"), vec![], Next::Poll),
            Some(Job::Failed(why)) if facts.core.create_intent.is_some() && !facts.observes() => {
                let message = format!("creating {title} failed: {why}");
                return self.stop_until_asked(status, message);
            }
            _ => {}
        }
        if let Some(intent) = &facts.core.create_intent {
            // Sending it again does no harm, as the name is unique; it would only be refused while the list lags.
            let (since, patience) = match &intent.searched_since {
                Some(lost) => (lost, LOST_LAG),
                None => (&intent.time, LIST_LAG),
            };
            // What fails again and again is sent ever more rarely.
            let doublings = intent.attempts.unwrap_or(1).saturating_sub(1).min(8);
            if self.sent_ago(since) < (patience * 2u32.pow(doublings)).min(BLOCKED) {
                return creating(status, creates(), vec![], Next::Shows);
            }
        }
        if facts.observes() {
            return self.nothing_to_observe(status);
        }
        let create = match calls.create {
            Ok(create) => create,
            Err(lack) => {
                let message = format!("{title} does not exist, and {lack}");
                return stop(status, Reason::InvalidSpec, message, false);
            }
        };
        if let Some(why) = &self.held {
            let situation = Situation::Waiting {
                reason: Reason::InstanceBusy,
                message: why.clone(),
            };
            return Plan {
                status,
                situation,
                steps: vec![],
                next: Next::Moved,
            };
        }
        if !self.is_being_replaced() {
            // What comes now is ours, whoever made the one that is gone, and what became of a change of that one is over.
            core.origin = None;
            core.operation = None;
        }
        if !again {
            // Looked at is not managed.
            core.applied_generation = None;
        }
        let attempts = facts.core.create_intent.as_ref().map(|i| i.attempts.unwrap_or(1) + 1);
        self.claim(core);
        core.create_intent = Some(CreateIntent {
            time: facts.now.to_string(),
            attempts,
            ..Default::default()
        });
        creating(status, creates(), vec![create], Next::Soon)
    }

    /// What has gone is not what may come: whatever appears under this name is nobody's yet.
    fn nothing_to_observe<State: AsMut<CoreStatus>, Step>(&self, mut status: State) -> Plan<State, Step> {
        let core = status.as_mut();
        core.forget();
        core.applied_generation = Some(self.facts.generation);
        let message = format!(
            "{} of instance {} does not exist, and is only observed: it is seen when it appears; to have it made, set \
             management.policy to Manage",
            self.title, self.instance_id
        );
        Plan {
            // It may come at any time: others make it.
            next: Next::Rest,
            ..stop(status, Reason::NotFound, message, false)
        }
    }

    fn plan_upkeep<State: AsMut<CoreStatus>, Step>(
        &self,
        mut status: State,
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
        if core.origin.is_none() {
            let ours = core.create_intent.is_some();
            if !ours && !facts.observes() && facts.adoption == Adoption::Never {
                let message =
                    format!("{title} is there already; set spec.management.adoption to IfExists to take it over");
                return stop(status, Reason::AlreadyExists, message, false);
            }
            if ours {
                core.origin = Some(Origin::Created);
            } else if !facts.observes() {
                core.origin = Some(Origin::Adopted);
                core.applied_generation = None;
            }
        }
        self.claim(core);
        core.create_intent = None;
        if core.origin.is_some() {
            core.served_since.get_or_insert_with(|| facts.now.to_string());
        }
        core.drift = differences.drift();
        let edit = facts.is_edit();
        match facts.job() {
            Some(Job::Running) => {
                return working(status, edit, format!("{title} is being changed"), vec![], Next::Poll);
            }
            Some(Job::Failed(why)) if !differences.is_empty() && facts.left_alone().is_none() => {
                let message = format!("changing {title} failed: {why}");
                return self.stop_until_asked(status, message);
            }
            Some(Job::Unknown) if !steps.is_empty() && self.sent_lately() => {
                return working(
                    status,
                    edit,
                    format!("{title} was changed; waits until it shows"),
                    vec![],
                    Next::Shows,
                );
            }
            _ if self.is_being_replaced() && facts.left_alone().is_some() && self.sent_lately() => {
                let message = format!("{title} was deleted to be made anew; waits until it is no longer listed");
                return working(status, edit, message, vec![], Next::Shows);
            }
            // Lists lag: what was deleted to be made anew may still be listed.
            _ if self.is_being_replaced() && !steps.is_empty() && facts.left_alone().is_none() => {}
            _ => core.operation = None,
        }
        if let Some(why) = facts.left_alone() {
            core.applied_generation = Some(facts.generation);
            let summary = match refused {
                Some(refused) => format!("{summary}; {refused}"),
                None => summary,
            };
            return Plan {
                status,
                situation: at_rest(summary, &differences, why),
                steps: vec![],
                next: Next::Rest,
            };
        }
        if let Some(message) = refusal(facts, title, &differences, refused, steps.is_empty()) {
            return stop(status, Reason::InvalidSpec, message, true);
        }
        if steps.is_empty() {
            core.applied_generation = Some(facts.generation);
            let situation = at_rest(summary, &differences, BEYOND_US);
            return Plan {
                status,
                situation,
                steps,
                next: Next::Rest,
            };
        }
        match &self.held {
            Some(why) if edit => {
                let situation = Situation::Updating {
                    reason: Reason::InstanceBusy,
                    message: why.clone(),
                };
                Plan {
                    status,
                    situation,
                    steps: vec![],
                    next: Next::Moved,
                }
            }
            Some(why) => {
                let message = format!("{} will be put back: {why}", differences.fields());
                working(status, edit, message, vec![], Next::Moved)
            }
            None => working(status, edit, mending(edit, &differences), steps, Next::Soon),
        }
    }

    /// What `status.operation` tells of was accepted so short a time ago that lists and tasks need not show it.
    /// How long ago a create was sent that was written down at that time: it may have waited for its turn, and for the limit.
    fn sent_ago(&self, time: &str) -> Duration {
        let written = age(time, self.facts.now);
        self.facts.acted.map_or(written, |acted| acted.min(written))
    }

    fn sent_lately(&self) -> bool {
        self.sent_within(LIST_LAG)
    }

    fn sent_within(&self, time: Duration) -> bool {
        let operation = self.facts.core.operation.as_ref();
        operation.is_some_and(|operation| age(&operation.start_time, self.facts.now) < time)
    }

    /// It was deleted to be made anew, because no call changes it in place.
    fn is_being_replaced(&self) -> bool {
        self.facts
            .core
            .operation
            .as_ref()
            .is_some_and(|operation| operation.name == REPLACE)
    }

    /// Fixes where the thing lives and what it is called.
    fn claim(&self, core: &mut CoreStatus) {
        core.instance_id = Some(self.instance_id.clone());
        core.external_name = Some(self.name.clone());
        core.provider = Some(self.location.clone());
    }

    fn stop_until_asked<State: AsMut<CoreStatus>, Step>(
        &self,
        mut status: State,
        message: String,
    ) -> Plan<State, Step> {
        let core = status.as_mut();
        if self.facts.is_asked() {
            core.operation = None;
            core.create_intent = None;
            return working(status, self.facts.is_edit(), "tries again".into(), vec![], Next::Soon);
        }
        let edit = core.served_since.is_some();
        let message = format!("{message}; edit the spec, or annotate reconcile-requested-at to try again");
        stop(status, Reason::CloudFailed, message, edit)
    }
}

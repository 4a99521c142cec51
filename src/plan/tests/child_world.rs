//! A service that something lives in, with all that goes wrong there, and an object that is looked at again and again.

use std::collections::VecDeque;
use std::fmt::Debug;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::child::{Found, Host, Seen};
use super::*;
use crate::api::{ChildManagement, LivesInInstance};
use crate::cloud::{Class, Error, Operation as Call, Sent};

/// More rounds than any way to the end takes.
pub(super) const ROUNDS: usize = 60;
/// Between two rounds; a list that lags by the longest trouble lags by less than the plan allows for.
pub(super) const ROUND: i64 = 10;

/// What goes wrong in a round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Trouble {
    Refused,
    LostBefore,
    LostAfter,
    JobFails,
    /// What was accepted shows only rounds later, and no task tells of it.
    Hidden,
    /// The list shows what it showed in the round before.
    Lags,
    Held,
    /// Somebody deletes the thing.
    Deleted,
    /// Somebody changes the thing.
    Changed,
}

pub(super) fn troubles() -> impl Strategy<Value = Vec<Option<Trouble>>> {
    use Trouble::*;
    let all = vec![
        Refused, LostBefore, LostAfter, JobFails, Hidden, Lags, Held, Deleted, Changed,
    ];
    let one = prop::sample::select(all);
    vec(option::weighted(0.5, one), 0..8).prop_filter("lists lag for less than the lag that is allowed for", |all| {
        all.iter().filter(|t| **t == Some(Lags)).count() < 5
    })
}

/// How the object is treated from an edit on.
pub(super) fn managements() -> impl Strategy<Value = ChildManagement> {
    let policy = prop::sample::select(vec![Policy::Manage, Policy::Manage, Policy::Observe]);
    let updates = prop::sample::select(vec![Updates::Apply, Updates::Apply, Updates::Report]);
    let adoption = prop::sample::select(vec![Adoption::IfExists, Adoption::IfExists, Adoption::Never]);
    (policy, updates, adoption).prop_map(|(policy, updates, adoption)| ChildManagement {
        policy,
        updates,
        adoption,
        ..Default::default()
    })
}

/// An error of a call, as a trouble makes it.
pub(super) fn failure(trouble: Option<Trouble>) -> Option<Error> {
    let sent = match trouble? {
        Trouble::Refused => Sent::Refused,
        Trouble::LostBefore | Trouble::LostAfter => Sent::Unknown,
        _ => return None,
    };
    Some(Error::new(Call::CreateInstanceTopic, Class::Unavailable, sent, "no"))
}

pub(super) fn refusal() -> Error {
    Error::new(
        Call::CreateInstanceTopic,
        Class::AlreadyExists,
        Sent::Refused,
        "there already, or busy",
    )
}

/// What a step is to whatever it concerns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Act {
    Create,
    Change,
    Delete,
}

/// The service, for one kind of thing.
pub(super) trait Service {
    type Cr: LivesInInstance;
    /// What a list shows.
    type Item;
    /// What is really there.
    type Thing: Clone + Debug + PartialEq;
    type Step: Clone + Debug + PartialEq;

    const DECIDE: Judge<Self::Cr, Self::Item, Self::Step>;
    /// A field that no read shows.
    const UNREADABLE: &str = "";

    fn host(&self) -> Host {
        Host::default()
    }

    fn shown(&self, thing: &Self::Thing) -> Self::Item;

    fn act(step: &Self::Step) -> Act;

    /// Whether a task carries the step out, after the call was answered.
    fn is_job(_: &Self::Step) -> bool {
        false
    }

    /// Carries out a step; what cannot be carried out any more changes nothing.
    fn apply(&self, cloud: &mut Option<Self::Thing>, step: &Self::Step);

    /// Writes down that a step was accepted.
    fn settle(_: &mut <Self::Cr as Managed>::State, _: &Self::Step) {}

    /// Somebody else deletes it.
    fn vanish(cloud: &mut Option<Self::Thing>) {
        *cloud = None;
    }

    /// Whether what is listed is alive.
    fn lives(_: &Self::Thing) -> bool {
        true
    }

    /// Somebody else changes it.
    fn change(&self, _: &mut Self::Thing) {}

    /// Fails where a step does harm. `wishes` are the objects since the last one that was applied, that one included.
    fn judge(&self, _wishes: &[Self::Cr], _visible: Option<&Self::Thing>, _step: &Self::Step) {}

    /// What of a wish is not met, or told as drift.
    fn unmet(&self, object: &Self::Cr, thing: &Self::Thing) -> Option<String>;
}

/// The task of the newest call that was accepted.
struct Task {
    ends: i64,
    fails: bool,
    hidden: bool,
}

pub(super) struct World<S: Service> {
    service: S,
    pub(super) object: S::Cr,
    pub(super) cloud: Option<S::Thing>,
    before: Option<S::Thing>,
    /// Accepted, not yet carried out, with the time when they are.
    pending: VecDeque<(i64, S::Step)>,
    task: Option<Task>,
    wishes: Vec<S::Cr>,
    /// The answer to a create was lost.
    lost: bool,
    asked: usize,
    now: i64,
    deleting: bool,
    pub(super) said: String,
}

impl<S: Service> World<S> {
    pub(super) fn new(service: S, object: S::Cr, found: Option<S::Thing>) -> Self {
        Self {
            service,
            object,
            before: found.clone(),
            cloud: found,
            pending: VecDeque::new(),
            task: None,
            wishes: vec![],
            lost: false,
            asked: 0,
            now: 0,
            deleting: false,
            said: String::new(),
        }
    }

    fn core(&self) -> CoreStatus {
        self.object.core().cloned().unwrap_or_default()
    }

    fn alive(&self) -> bool {
        self.cloud.as_ref().is_some_and(S::lives)
    }

    fn job(&self) -> Option<Job> {
        self.core().operation?;
        Some(match &self.task {
            Some(task) if !task.hidden && task.ends > self.now => Job::Running,
            Some(task) if !task.hidden && task.fails => Job::Failed("job j1 ended FAILED".into()),
            Some(task) if !task.hidden => Job::Succeeded,
            _ => Job::Unknown,
        })
    }

    fn time_passes(&mut self, trouble: Option<Trouble>) {
        self.now += ROUND;
        while self.pending.front().is_some_and(|(due, _)| *due <= self.now) {
            if let Some((_, step)) = self.pending.pop_front() {
                self.service.apply(&mut self.cloud, &step);
            }
        }
        match trouble {
            Some(Trouble::Deleted) => {
                S::vanish(&mut self.cloud);
                self.before = self.cloud.clone();
                self.pending.clear();
                if let Some(task) = self.task.as_mut().filter(|task| task.ends > self.now) {
                    task.fails = true;
                }
            }
            Some(Trouble::Changed) => {
                if let Some(thing) = self.cloud.as_mut().filter(|thing| S::lives(thing)) {
                    self.service.change(thing);
                }
            }
            _ => {}
        }
    }

    /// One look and, unless the trouble prevents it, its first step.
    pub(super) fn round(&mut self, trouble: Option<Trouble>) -> Next {
        self.time_passes(trouble);
        let visible = if trouble == Some(Trouble::Lags) {
            self.before.clone()
        } else {
            self.cloud.clone()
        };
        let lags = visible != self.cloud;
        let conditions = self.core().conditions;
        let found = visible.as_ref().map(|thing| self.service.shown(thing));
        let (job, host, now, deleting) = (self.job(), self.service.host(), at(self.now), self.deleting);
        let requested: Option<&'static str> = (self.asked > 0).then(|| &*self.asked.to_string().leak());
        let plan = look_at(
            S::DECIDE,
            &mut self.object,
            found.map_or(Found::Absent, Found::There),
            |f, s: &mut Seen<S::Item>| {
                (f.now, f.deleting, f.job, f.requested) = (now, deleting, job, requested);
                s.host = host;
                s.held = (trouble == Some(Trouble::Held)).then(|| "busy".into());
            },
        );
        self.said = told(&plan);
        let generation = self.object.meta().generation.unwrap();
        let core = self.object.status_mut().as_mut().unwrap().as_mut();
        core.conditions = plan.situation.conditions(&core.drift, generation, &conditions, now);
        let applied = core.applied_generation == Some(generation);
        if applied && !self.is_left_alone() {
            self.wishes = vec![self.object.clone()];
        }
        self.before = self.cloud.clone();
        if let Some(step) = plan.steps.first() {
            self.send(step, trouble, visible.as_ref(), lags);
        }
        plan.next
    }

    fn send(&mut self, step: &S::Step, trouble: Option<Trouble>, visible: Option<&S::Thing>, lags: bool) {
        let act = S::act(step);
        assert!(trouble != Some(Trouble::Held), "acts while held: {step:?}");
        assert!(self.deleting || act != Act::Delete, "deletes");
        let management = self.object.management();
        assert!(!management.observes(), "acts on what it observes: {step:?}");
        let reports = management.updates == Updates::Report;
        assert!(!reports || act != Act::Change, "changes what it reports: {step:?}");
        self.service.judge(&self.wishes, visible, step);
        let mut failure = failure(trouble);
        let mut accepted = failure.is_none() || trouble == Some(Trouble::LostAfter);
        if act == Act::Create && self.alive() {
            assert!(self.lost, "creates what is there");
            failure = failure.or(Some(refusal()));
            accepted = false;
        }
        // What a list that lags leads to is refused, which is seen in the next round.
        accepted &= !lags;
        let hidden = trouble == Some(Trouble::Hidden);
        let fails = trouble == Some(Trouble::JobFails);
        let rounds = match (hidden, S::is_job(step)) {
            (true, true) => 4,
            (true, false) if act == Act::Create => 4,
            (_, true) => 2,
            _ => 0,
        };
        let ends = self
            .pending
            .back()
            .map_or(0, |(due, _)| *due)
            .max(self.now + rounds * ROUND);
        if accepted && rounds == 0 {
            self.service.apply(&mut self.cloud, step);
        } else if accepted && !(fails && S::is_job(step)) {
            self.pending.push_back((ends, step.clone()));
        }
        let now = at(self.now);
        let status = self.object.status_mut().as_mut().unwrap();
        match failure {
            Some(error) if act == Act::Create => {
                self.lost |= error.sent() == Sent::Unknown;
                fault::create_failed(status.as_mut(), &error, now);
            }
            None if S::is_job(step) && accepted => {
                self.task = Some(Task { ends, fails, hidden });
                let name = if act == Act::Delete { "DeleteIt" } else { "UpdateIt" };
                S::settle(status, step);
                let core = status.as_mut();
                core.operation = Some(begun(core, name, None, now));
            }
            _ => {}
        }
    }

    /// What exists stays as it is.
    fn is_left_alone(&self) -> bool {
        let management = self.object.management();
        management.observes() || management.updates == Updates::Report
    }

    /// Until it ends, with somebody who asks again where a job failed.
    pub(super) fn settle(&mut self) -> Next {
        for _ in 0..ROUNDS {
            let next = self.round(None);
            match next {
                Next::Stop(_) if self.said.contains("CloudFailed") && self.asked < 30 => self.asked += 1,
                Next::Rest | Next::Stop(_) | Next::Release if self.pending.is_empty() => return next,
                _ => {}
            }
        }
        panic!("it does not end: {} {:?}", self.said, self.cloud);
    }

    /// Edits with troubles after each, and a deletion at the end.
    pub(super) fn live(mut self, edits: Vec<(impl FnOnce(&mut S::Cr), Vec<Option<Trouble>>)>) {
        for (generation, (change, troubles)) in (1..).zip(edits) {
            change(&mut self.object);
            self.object.meta_mut().generation = Some(generation);
            self.wishes.push(self.object.clone());
            for trouble in troubles {
                self.round(trouble);
            }
            let end = self.settle();
            let core = self.core();
            if end == Next::Rest && self.said.starts_with("Stopped/NotFound") {
                assert!(self.object.management().observes() && !self.alive(), "{}", self.said);
                assert!(!core.stands_for_something() && core.operation.is_none(), "{core:?}");
            } else if end == Next::Rest {
                assert_eq!(core.applied_generation, Some(generation));
                let verdict = kstatus(false, generation, core.observed_generation, &core.conditions);
                assert_eq!(verdict, "Current");
                assert!(core.create_intent.is_none() && core.operation.is_none(), "{core:?}");
                let thing = self.cloud.as_ref().filter(|thing| S::lives(thing)).expect("it rests");
                let unmet = self.service.unmet(&self.object, thing);
                let told = |field: &String| core.drift.iter().any(|drift| drift.field.contains(field));
                // What a read does not show is told by nobody.
                let told = |field: &String| self.is_left_alone() && (told(field) || field == S::UNREADABLE);
                assert_eq!(unmet.filter(|field| !told(field)), None, "{} {thing:?}", self.said);
            } else if self.said.contains("topped/AlreadyExists") {
                assert_eq!(self.object.management().adoption, Adoption::Never);
                assert!(core.origin.is_none() && self.alive(), "{core:?}");
            } else {
                let said = &self.said;
                assert!(said.contains("topped/InvalidSpec"), "{said}");
                // What exists is left as it is, whatever the spec says; only what does not can lack something.
                assert!(!self.is_left_alone() || !self.alive(), "{said}");
                assert!(!self.object.management().observes(), "{said}");
            }
            // At rest nothing moves, and nothing is written.
            let before = (self.object.status().cloned(), self.cloud.clone());
            assert_eq!(self.round(None), end);
            assert!(
                before == (self.object.status().cloned(), self.cloud.clone()),
                "{}",
                self.said
            );
        }
        if self.object.management().observes() {
            return;
        }
        self.deleting = true;
        let ours = self.core().stands_for_something();
        assert_eq!(self.settle(), Next::Release);
        assert!(!self.alive() || !ours, "it is left behind");
    }
}

//! A cloud with one instance, of either engine, with all that goes wrong there, and an object that is looked at again and
//! again.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::instance::{CREATE, DELETE, EXTEND_STORAGE, Found, InstanceEngine, Search, Step, StepOf};
use super::instances::{accept, look_at_instance};
use super::*;
use crate::api::{Managed, StringMap};
use crate::cloud::{Class, Error, InstanceStatus, Operation as Call, Sent, Tag, TagAction};

/// More rounds than any way to the end takes, a whole search included.
const ROUNDS: usize = 80;
const ROUND: i64 = 20;

/// What the properties need to know of an engine's instances.
pub(super) trait Model: InstanceEngine {
    /// What one broker grows by at least, times the number of brokers.
    const GROWTH: u64;
    /// A total that cannot be reached from below.
    const UNREACHABLE: u32;

    /// As a create makes it, in state CREATING.
    fn made(create: &Self::Create) -> Self::View;
    fn id(view: &Self::View) -> String;
    fn state_mut(view: &mut Self::View) -> &mut Option<InstanceStatus>;
    fn tags_mut(view: &mut Self::View) -> &mut Option<Vec<Tag>>;
    fn total_mut(view: &mut Self::View) -> &mut Option<u64>;
    /// Whether a create with this nonce made it; `None` where that cannot be read now.
    fn is_marked(view: &Self::View, nonce: &str, tags_read: bool) -> Option<bool>;
    /// Whether a create left something behind that is to be put right.
    fn has_mark(view: &Self::View) -> bool;
    fn update(view: &mut Self::View, update: Self::Update);
    /// Somebody else changes a setting.
    fn drift(view: &mut Self::View);
    /// What can be read of it, with and without its tags.
    fn readable(view: &Self::View, tags_read: bool) -> Self::View;
    /// What of a wish is not met.
    fn unmet(cr: &Self::Cr, view: &Self::View) -> Option<String>;
}

/// What goes wrong in a round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Trouble {
    Refused,
    LostBefore,
    LostAfter,
    /// Lists and reads do not know of it yet.
    Invisible,
    /// Tags cannot be read.
    NoTags,
    /// The job of the step fails.
    JobFails,
    /// Somebody else restarts it.
    Restarting,
    /// Somebody else changes a setting and the tags.
    Drift,
    /// What was accepted shows only rounds later, and no task tells of it.
    Hidden,
}

pub(super) fn troubles() -> impl Strategy<Value = Vec<Option<Trouble>>> {
    use Trouble::*;
    let all = vec![
        Refused, LostBefore, LostAfter, Invisible, NoTags, JobFails, Restarting, Drift, Hidden,
    ];
    vec(option::weighted(0.6, prop::sample::select(all)), 0..8)
        .prop_filter("what was made is readable in less time than is allowed for", |all| {
            all.iter().filter(|t| **t == Some(Invisible)).count() < 5
        })
}

/// One instance of the cloud, its tags, and the rounds until what goes on in it ends.
#[derive(Clone, Debug)]
struct Living<View> {
    view: View,
    goes_on: u32,
    job_fails: bool,
    total_after: Option<u64>,
}

pub(super) struct World<E: Model> {
    pub(super) object: E::Cr,
    cloud: Option<Living<E::View>>,
    /// Accepted, to be seen from these times on.
    hidden: Vec<(i64, StepOf<E>)>,
    /// How many searches in a row found nothing, and since when.
    empty: Option<(u32, i64)>,
    missing: u32,
    bought: usize,
    asked: usize,
    now: i64,
    deleting: bool,
}

impl<E: Model<View: PartialEq>> World<E> {
    pub(super) fn new(object: E::Cr) -> Self {
        Self {
            object,
            cloud: None,
            hidden: vec![],
            empty: None,
            missing: 0,
            bought: 0,
            asked: 0,
            now: 0,
            deleting: false,
        }
    }

    fn core(&self) -> CoreStatus {
        self.object.core().cloned().unwrap_or_default()
    }

    fn is(&self, state: &str) -> bool {
        let state_of = |living: &Living<E::View>| E::state(&living.view).map(|s| s.as_str().to_owned());
        self.cloud.as_ref().and_then(state_of).as_deref() == Some(state)
    }

    fn time_passes(&mut self) {
        if self.is("RUNNING") {
            let due = |(from, _): &mut (i64, StepOf<E>)| *from <= self.now;
            for (_, step) in self.hidden.extract_if(.., due).collect::<Vec<_>>() {
                let total = self.cloud.as_mut().and_then(|living| *E::total_mut(&mut living.view));
                // What came in between may have done it.
                if !matches!(step, Step::ExtendStorage(wanted) if Some(u64::from(wanted)) <= total) {
                    self.apply(&step, false);
                }
            }
        }
        let Some(living) = &mut self.cloud else { return };
        living.goes_on = living.goes_on.saturating_sub(1);
        if living.goes_on > 0 {
            return;
        }
        let state = E::state(&living.view).map(InstanceStatus::as_str);
        match state {
            Some("CREATING" | "RESTARTING") => set::<E>(&mut living.view, "RUNNING"),
            Some("EXTENDING") if living.job_fails => set::<E>(&mut living.view, "EXTENDEDFAILED"),
            Some("EXTENDING") => {
                *E::total_mut(&mut living.view) = living.total_after;
                set::<E>(&mut living.view, "RUNNING");
            }
            Some("DELETING") => self.cloud = None,
            _ => {}
        }
    }

    fn found(&mut self, trouble: Option<Trouble>) -> Found<E::View> {
        let core = self.core();
        let hides = trouble == Some(Trouble::Invisible) && core.served_since.is_none();
        let visible = self.cloud.as_ref().filter(|_| !hides);
        let tags_read = trouble != Some(Trouble::NoTags);
        if core.instance_id.is_some() {
            return match visible {
                Some(living) => {
                    self.missing = 0;
                    Found::There(E::readable(&living.view, tags_read))
                }
                None => {
                    self.missing += 1;
                    Found::Missing(self.missing)
                }
            };
        }
        let nonce = core.create_intent.as_ref().and_then(|i| i.nonce.clone());
        let mut search = Search::default();
        if let Some(living) = visible {
            let marked = nonce.as_ref().map(|nonce| E::is_marked(&living.view, nonce, tags_read));
            match marked {
                Some(None) => search.unreadable.push(E::id(&living.view)),
                Some(Some(true)) => search.ours.push(E::id(&living.view)),
                _ => search.others.push(E::id(&living.view)),
            }
        }
        let empty = nonce.is_some() && search.ours.is_empty() && search.unreadable.is_empty();
        if empty {
            let (times, since) = self.empty.get_or_insert((0, self.now));
            *times += 1;
            (search.empty_in_a_row, search.empty_for) = (*times, Duration::from_secs((self.now - *since) as u64));
        } else {
            self.empty = None;
        }
        Found::Searched(search)
    }

    fn apply(&mut self, step: &StepOf<E>, job_fails: bool) {
        if let Step::Create(create) = step {
            self.empty = None;
            assert!(self.cloud.is_none(), "buys another one");
            self.bought += 1;
            self.cloud = Some(Living {
                view: E::made(create),
                goes_on: 3,
                job_fails: false,
                total_after: None,
            });
            return;
        }
        let living = self.cloud.as_mut().expect("what is changed is there");
        match step.clone() {
            Step::Create(_) => unreachable!("made above"),
            Step::Update(update) => E::update(&mut living.view, update),
            Step::Tags(action, change) => {
                let tags = E::tags_mut(&mut living.view)
                    .as_mut()
                    .expect("a living instance has tags");
                for tag in change {
                    let taken = tags.iter().position(|t| t.key == tag.key);
                    match (action, taken) {
                        (TagAction::Create, None) => tags.push(tag),
                        (TagAction::Delete, Some(i)) if tags[i] == tag => drop(tags.remove(i)),
                        _ => panic!("{action:?} {tag:?} while {tags:?}"),
                    }
                }
            }
            Step::ExtendStorage(total) => {
                let now = E::total_mut(&mut living.view).expect("only what is shown is changed");
                assert!(
                    u64::from(total) >= now + E::GROWTH && u64::from(total).is_multiple_of(E::GROWTH / 100),
                    "{now} to {total}"
                );
                living.total_after = Some(total.into());
                living.job_fails = job_fails;
                living.goes_on = 3;
                set::<E>(&mut living.view, "EXTENDING");
            }
            Step::Delete(id) => {
                assert!(self.deleting, "deletes");
                assert_eq!(id, E::id(&living.view));
                living.goes_on = 2;
                set::<E>(&mut living.view, "DELETING");
            }
        }
    }

    /// One look and, unless the trouble prevents it, its first step.
    fn round(&mut self, trouble: Option<Trouble>) -> Next {
        self.now += ROUND;
        self.time_passes();
        let runs = self.is("RUNNING");
        if let Some(living) = self.cloud.as_mut().filter(|_| runs) {
            match trouble {
                Some(Trouble::Restarting) => {
                    living.goes_on = 2;
                    set::<E>(&mut living.view, "RESTARTING");
                }
                Some(Trouble::Drift) => {
                    E::drift(&mut living.view);
                    let tags = E::tags_mut(&mut living.view).get_or_insert_default();
                    tags.retain(|tag| Some(&*tag.key) == E::NONCE_TAG);
                    tags.extend([tag("a", "drift"), tag("theirs", "t")]);
                }
                _ => {}
            }
        }
        let found = self.found(trouble);
        let job = self.job();
        let asked: Option<&'static str> = (self.asked > 0).then(|| &*self.asked.to_string().leak());
        let conditions = self.core().conditions;
        let (now, deleting) = (at(self.now), self.deleting);
        let plan = look_at_instance::<E>(&mut self.object, found, |f, _| {
            f.now = now;
            f.deleting = deleting;
            f.job = job;
            f.requested = asked;
        });
        let generation = self.object.meta().generation.unwrap();
        let core = self.object.status_mut().as_mut().unwrap().as_mut();
        core.conditions = plan
            .situation
            .conditions(&core.drift, generation, &conditions, at(self.now));
        let Some(step) = plan.steps.first() else {
            return plan.next;
        };
        let sent = match trouble {
            Some(Trouble::Refused) => Some(Sent::Refused),
            Some(Trouble::LostBefore | Trouble::LostAfter) => Some(Sent::Unknown),
            _ => None,
        };
        if matches!(sent, None | Some(Sent::Unknown)) && trouble != Some(Trouble::LostBefore) {
            let background = matches!(step, Step::Update(_) | Step::ExtendStorage(_));
            if trouble == Some(Trouble::Hidden) && background {
                self.hidden.push((self.now + 3 * ROUND, step.clone()));
            } else {
                self.apply(step, trouble == Some(Trouble::JobFails));
            }
        }
        let core = self.object.status_mut().as_mut().unwrap().as_mut();
        match (sent, step) {
            (Some(sent), Step::Create(_)) => {
                let error = Error::new(Call::CreateInstanceByEngine, Class::Unavailable, sent, "no");
                fault::create_failed(core, &error, at(self.now));
            }
            (None, Step::Create(_)) => {
                accept(&mut self.object, CREATE, None, self.now);
            }
            (None, Step::ExtendStorage(_)) => {
                accept(&mut self.object, EXTEND_STORAGE, Some("j1"), self.now);
            }
            (None, Step::Delete(_)) => accept(&mut self.object, DELETE, None, self.now),
            _ => {}
        }
        plan.next
    }

    fn job(&self) -> Option<Job> {
        let operation = self.core().operation?;
        operation.job_id.as_ref().filter(|_| operation.failure.is_none())?;
        let living = self.cloud.as_ref()?;
        if self
            .hidden
            .iter()
            .any(|(_, step)| matches!(step, Step::ExtendStorage(_)))
        {
            return Some(Job::Unknown);
        }
        Some(match E::state(&living.view)?.as_str() {
            "EXTENDING" => Job::Running,
            "EXTENDEDFAILED" => Job::Failed("job j1 ended FAILED".into()),
            _ => Job::Succeeded,
        })
    }

    /// Until it ends, with somebody who asks again where the service failed.
    fn settle(&mut self) -> Next {
        for _ in 0..ROUNDS {
            let next = self.round(None);
            let failed = self.is("EXTENDEDFAILED");
            match next {
                Next::Stop(_) if failed && self.asked < 9 => self.asked += 1,
                Next::Release => return next,
                Next::Rest | Next::Stop(_) if self.hidden.is_empty() => return next,
                _ => {}
            }
        }
        panic!("it does not end: {:?} {:?}", self.core(), self.cloud);
    }

    /// Edits with troubles after each, and a deletion at the end.
    pub(super) fn live(mut self, edits: Vec<(impl FnOnce(&mut E::Cr), Vec<Option<Trouble>>)>, leaves_early: bool) {
        for (generation, (change, troubles)) in (1..).zip(edits) {
            change(&mut self.object);
            self.object.meta_mut().generation = Some(generation);
            for trouble in troubles {
                self.round(trouble);
            }
            if leaves_early {
                break;
            }
            let end = self.settle();
            let (core, status) = (self.core(), self.object.status().cloned());
            let verdict = kstatus(false, generation, core.observed_generation, &core.conditions);
            let view = self.cloud.as_ref().map(|living| living.view.clone());
            if end == Next::Rest {
                // What was wanted before and is not any more is gone; what others set stays.
                let theirs = [tag("theirs", "t"), tag("a", "drift")];
                let view = view.as_ref().expect("it rests");
                let tags = E::tags(view).unwrap_or_default().iter().filter(|t| !theirs.contains(t));
                let ours: StringMap = tags.map(|t| (t.key.clone(), t.value.clone())).collect();
                assert_eq!(ours, E::spec(&self.object).tags);
                assert_eq!((verdict, core.applied_generation), ("Current", Some(generation)));
                assert!(core.create_intent.is_none() && core.operation.is_none());
                assert!(!E::has_mark(view), "the mark of the create stays: {view:?}");
                assert_eq!(E::unmet(&self.object, view), None, "{view:?}");
            } else {
                // Only a total that cannot be reached stops it.
                assert_eq!(
                    (verdict, E::spec(&self.object).storage_space),
                    ("Failed", Some(E::UNREACHABLE))
                );
            }
            // At rest nothing moves, and nothing is written.
            assert_eq!(self.round(None), end);
            assert!(status == self.object.status().cloned());
            assert!(view == self.cloud.as_ref().map(|living| living.view.clone()));
        }
        assert!(self.bought <= 1);
        self.deleting = true;
        assert_eq!(self.settle(), Next::Release);
        assert!(self.cloud.is_none(), "an instance is left behind");
    }
}

fn set<E: Model>(view: &mut E::View, word: &str) {
    *E::state_mut(view) = word.parse().ok();
}

pub(super) fn tag(key: &str, value: &str) -> Tag {
    Tag {
        key: key.into(),
        value: value.into(),
    }
}

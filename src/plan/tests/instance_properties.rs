//! Carried out again and again, the plan of an instance ends, whatever goes wrong on the way, and never buys two.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::json;

use super::instance::EXTEND_STORAGE;
use super::instance::{CREATE, DELETE, Found, Search};
use super::instances::{look, object, shown};
use super::kafka_instance::{NONCE_TAG, Step, View};
use super::*;
use crate::api::{KafkaInstance, StringMap};
use crate::cloud::kafka::CreateInstance;
use crate::cloud::{Class, Error, InstanceStatus, Operation as Call, Sent, Tag, TagAction};

/// More rounds than any way to the end takes, a whole search included.
const ROUNDS: usize = 80;
const ROUND: i64 = 20;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Trouble {
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
}

fn troubles() -> impl Strategy<Value = Vec<Option<Trouble>>> {
    use Trouble::*;
    let all = vec![
        Refused, LostBefore, LostAfter, Invisible, NoTags, JobFails, Restarting, Drift,
    ];
    vec(option::weighted(0.6, prop::sample::select(all)), 0..8)
        .prop_filter("what was made is readable in less time than is allowed for", |all| {
            all.iter().filter(|t| **t == Some(Invisible)).count() < 5
        })
}

/// One instance of the cloud, its tags, and the rounds until what goes on in it ends.
#[derive(Clone, Debug, PartialEq)]
struct Living {
    view: View,
    goes_on: u32,
    job_fails: bool,
    total_after: Option<u64>,
}

struct World {
    object: KafkaInstance,
    cloud: Option<Living>,
    /// How many searches in a row found nothing, and since when.
    empty: Option<(u32, i64)>,
    missing: u32,
    bought: usize,
    asked: usize,
    now: i64,
    deleting: bool,
}

fn state(view: &mut View, word: &str) {
    view.instance.status = word.parse::<InstanceStatus>().ok();
}

impl World {
    fn time_passes(&mut self) {
        let Some(living) = &mut self.cloud else { return };
        living.goes_on = living.goes_on.saturating_sub(1);
        if living.goes_on > 0 {
            return;
        }
        match living.view.instance.status.as_ref().map(InstanceStatus::as_str) {
            Some("CREATING" | "RESTARTING") => state(&mut living.view, "RUNNING"),
            Some("EXTENDING") if living.job_fails => state(&mut living.view, "EXTENDEDFAILED"),
            Some("EXTENDING") => {
                living.view.instance.total_storage_space = living.total_after;
                state(&mut living.view, "RUNNING");
            }
            Some("DELETING") => self.cloud = None,
            _ => {}
        }
    }

    fn found(&mut self, trouble: Option<Trouble>) -> Found<View> {
        let core = self.object.status.clone().unwrap_or_default().core;
        let young = self
            .object
            .status
            .as_ref()
            .is_none_or(|s| s.core.served_since.is_none());
        let visible = self
            .cloud
            .as_ref()
            .filter(|_| !(trouble == Some(Trouble::Invisible) && young));
        let tags_read = trouble != Some(Trouble::NoTags);
        if core.instance_id.is_some() {
            return match visible {
                Some(living) => {
                    self.missing = 0;
                    let tags = living.view.tags.clone().filter(|_| tags_read);
                    Found::There(View {
                        tags,
                        ..living.view.clone()
                    })
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
            let id = living.view.instance.id.clone();
            let carries = living
                .view
                .tags
                .iter()
                .flatten()
                .any(|t| t.key == NONCE_TAG && Some(&t.value) == nonce.as_ref());
            match (nonce.is_some(), tags_read) {
                (true, false) => search.unreadable.push(id),
                (true, true) if carries => search.ours.push(id),
                _ => search.others.push(id),
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

    fn apply(&mut self, step: &Step, job_fails: bool) {
        if let Step::Create(create) = step {
            self.empty = None;
            assert!(self.cloud.is_none(), "buys another one");
            self.bought += 1;
            self.cloud = Some(made(create));
            return;
        }
        let living = self.cloud.as_mut().expect("what is changed is there");
        let instance = &mut living.view.instance;
        match step.clone() {
            Step::Create(_) => unreachable!("made above"),
            Step::Update(update) => {
                instance.name = update.name.or(instance.name.take());
                instance.description = update.description.or(instance.description.take());
                instance.maintain_begin = update.maintain_begin.or(instance.maintain_begin.take());
                instance.maintain_end = update.maintain_end.or(instance.maintain_end.take());
                instance.retention_policy = update.retention_policy.or(instance.retention_policy.take());
                instance.security_group_id = update.security_group_id.or(instance.security_group_id.take());
            }
            Step::Tags(action, change) => {
                let tags = living.view.tags.as_mut().expect("a living instance has tags");
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
                let now = instance.total_storage_space.expect("only what is shown is changed");
                assert!(
                    u64::from(total) >= now + 300 && total.is_multiple_of(3),
                    "{now} to {total}"
                );
                living.total_after = Some(total.into());
                living.job_fails = job_fails;
                living.goes_on = 3;
                state(&mut living.view, "EXTENDING");
            }
            Step::Delete(id) => {
                assert!(self.deleting, "deletes");
                assert_eq!(id, instance.id);
                living.goes_on = 2;
                state(&mut living.view, "DELETING");
            }
        }
    }

    /// One look and, unless the trouble prevents it, its first step.
    fn round(&mut self, trouble: Option<Trouble>) -> Next {
        self.now += ROUND;
        self.time_passes();
        if let Some(living) = &mut self.cloud
            && living.view.instance.status == Some(InstanceStatus::Running)
        {
            match trouble {
                Some(Trouble::Restarting) => {
                    living.goes_on = 2;
                    state(&mut living.view, "RESTARTING");
                }
                Some(Trouble::Drift) => {
                    living.view.instance.description = Some("drift".into());
                    let tags = living.view.tags.get_or_insert_default();
                    tags.retain(|tag| tag.key == NONCE_TAG);
                    tags.extend([tag("a", "drift"), tag("theirs", "t")]);
                }
                _ => {}
            }
        }
        let found = self.found(trouble);
        let job = self.job();
        let asked: Option<&'static str> = (self.asked > 0).then(|| &*self.asked.to_string().leak());
        let conditions = self.object.status.clone().unwrap_or_default().core.conditions;
        let plan = look(&mut self.object, found, |f, _| {
            f.now = at(self.now);
            f.deleting = self.deleting;
            f.job = job;
            f.requested = asked;
        });
        let generation = self.object.metadata.generation.unwrap();
        let core = &mut self.object.status.as_mut().unwrap().core;
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
            self.apply(step, trouble == Some(Trouble::JobFails));
        }
        let core = &mut self.object.status.as_mut().unwrap().core;
        match (sent, step) {
            (Some(sent), Step::Create(_)) => {
                let error = Error::new(Call::CreateInstanceByEngine, Class::Unavailable, sent, "no");
                fault::create_failed(core, &error, at(self.now));
            }
            (None, Step::Create(_)) => {
                super::instances::accept(&mut self.object, CREATE, None, self.now);
            }
            (None, Step::ExtendStorage(_)) => {
                super::instances::accept(&mut self.object, EXTEND_STORAGE, Some("j1"), self.now);
            }
            (None, Step::Delete(_)) => super::instances::accept(&mut self.object, DELETE, None, self.now),
            _ => {}
        }
        plan.next
    }

    fn job(&self) -> Option<Job> {
        let operation = self.object.status.as_ref()?.core.operation.as_ref()?;
        operation.job_id.as_ref().filter(|_| operation.failure.is_none())?;
        let living = self.cloud.as_ref()?;
        Some(match living.view.instance.status.as_ref()?.as_str() {
            "EXTENDING" => Job::Running,
            "EXTENDEDFAILED" => Job::Failed("job j1 ended FAILED".into()),
            _ => Job::Succeeded,
        })
    }

    /// Until it ends, with somebody who asks again where the service failed.
    fn settle(&mut self) -> Next {
        for _ in 0..ROUNDS {
            let next = self.round(None);
            let failed = self
                .cloud
                .as_ref()
                .is_some_and(|l| l.view.instance.status == Some(InstanceStatus::ExtendedFailed));
            match next {
                Next::Stop(_) if failed && self.asked < 9 => self.asked += 1,
                Next::Rest | Next::Stop(_) | Next::Release => return next,
                _ => {}
            }
        }
        panic!("it does not end: {:?} {:?}", self.object.status, self.cloud);
    }
}

fn tag(key: &str, value: &str) -> Tag {
    Tag {
        key: key.into(),
        value: value.into(),
    }
}

fn made(create: &CreateInstance) -> Living {
    let mut view = shown(
        "CREATING",
        json!({
            "name": create.order.name, "description": create.order.description.clone().unwrap_or_default(),
            "total_storage_space": create.order.storage_space,
        }),
    );
    view.tags = Some(create.tags.clone());
    Living {
        view,
        goes_on: 3,
        job_fails: false,
        total_after: None,
    }
}

#[derive(Clone, Debug)]
pub(super) struct Wish {
    name: Option<String>,
    description: Option<String>,
    storage: u32,
    tags: StringMap,
    early: bool,
}

pub(super) fn wish() -> impl Strategy<Value = Wish> {
    let storage = prop::sample::select(vec![300u32, 600, 900, 1200, 700]);
    let description = option::of(prop::sample::select(vec![String::new(), "d".into()]));
    (
        option::of("name[12]"),
        description,
        storage,
        btree_map("[abc]", "[xy]", 0..4),
        any::<bool>(),
    )
        .prop_map(|(name, description, storage, tags, early)| Wish {
            name,
            description,
            storage,
            tags,
            early,
        })
}

impl Wish {
    pub(super) fn of(self, object: &mut KafkaInstance, generation: i64) {
        let spec = &mut object.spec;
        (
            spec.instance.name,
            spec.instance.description,
            spec.instance.storage_space,
        ) = (self.name, self.description, Some(self.storage));
        spec.instance.tags = self.tags;
        spec.maintenance_window = self.early.then(|| crate::api::kafka_instance::MaintenanceWindow {
            begin: "22:00".into(),
            end: "02:00".into(),
        });
        object.metadata.generation = Some(generation);
    }
}

proptest! {
    #[test]
    fn an_instance_comes_to_rest_after_any_edits_and_troubles_and_only_one_is_bought(
        edits in vec((wish(), troubles()), 1..4),
        leaves_early: bool,
    ) {
        let mut world = World {
            object: object(json!({})),
            cloud: None,
            empty: None,
            missing: 0,
            bought: 0,
            asked: 0,
            now: 0,
            deleting: false,
        };
        for (generation, (wish, troubles)) in (1..).zip(edits) {
            wish.of(&mut world.object, generation);
            for trouble in troubles {
                world.round(trouble);
            }
            if leaves_early {
                break;
            }
            let end = world.settle();
            let (status, cloud) = (world.object.status.clone(), world.cloud.clone());
            let core = &status.as_ref().unwrap().core;
            let verdict = kstatus(false, generation, core.observed_generation, &core.conditions);
            if end == Next::Rest {
                // What was wanted before and is not any more is gone; what others set stays.
                let theirs = [tag("theirs", "t"), tag("a", "drift")];
                let tags = cloud.as_ref().unwrap().view.tags.iter().flatten().filter(|t| !theirs.contains(t));
                let ours: StringMap = tags.map(|t| (t.key.clone(), t.value.clone())).collect();
                prop_assert_eq!(&ours, &world.object.spec.instance.tags);
                prop_assert_eq!((verdict, core.applied_generation), ("Current", Some(generation)));
                prop_assert!(core.create_intent.is_none() && core.operation.is_none());
            } else {
                // Only a total that cannot be reached stops it.
                prop_assert_eq!((verdict, world.object.spec.instance.storage_space), ("Failed", Some(700)));
            }
            // At rest nothing moves, and nothing is written.
            prop_assert_eq!(world.round(None), end);
            prop_assert_eq!((&world.object.status, &world.cloud), (&status, &cloud));
        }
        prop_assert!(world.bought <= 1);
        world.deleting = true;
        prop_assert_eq!(world.settle(), Next::Release);
        prop_assert!(world.cloud.is_none(), "an instance is left behind");
    }
}

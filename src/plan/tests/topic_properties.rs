//! Carried out again and again, the plan of a topic ends, whatever goes wrong on the way, and does no harm.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::json;

use super::child::Found;
use super::*;
use crate::api::Topic;
use crate::api::topic::KafkaTopic;
use crate::cloud::kafka::{self, TopicConfigValue};
use crate::cloud::{Class, Error, Operation as Call, Sent};

/// More rounds than any way to the end takes.
pub(super) const ROUNDS: usize = 40;
/// Between two rounds; a list that lags by the longest trouble lags by less than the plan allows for.
pub(super) const ROUND: i64 = 10;

/// What goes wrong in a round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Trouble {
    Refused,
    LostBefore,
    LostAfter,
    JobFails,
    /// The list shows what it showed in the round before.
    Lags,
    Held,
    /// Somebody deletes the thing.
    Deleted,
}

pub(super) fn troubles() -> impl Strategy<Value = Vec<Option<Trouble>>> {
    use Trouble::*;
    let one = prop::sample::select(vec![Refused, LostBefore, LostAfter, JobFails, Lags, Held, Deleted]);
    vec(option::weighted(0.5, one), 0..8).prop_filter("lists lag for less than the lag that is allowed for", |all| {
        all.iter().filter(|t| **t == Some(Lags)).count() < 5
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

fn write_down(core: &mut CoreStatus, situation: &Situation, generation: i64, before: &[Condition], now: Timestamp) {
    core.conditions = situation.conditions(&core.drift, generation, before, now);
}

pub(super) fn wanted() -> impl Strategy<Value = (Option<String>, KafkaTopic)> {
    let settings = (
        option::of(1u32..5),
        option::of(1u32..4),
        option::of(1u32..4),
        option::of(any::<bool>()),
        option::of(any::<bool>()),
        btree_map("[abc]", "[xy]", 0..3),
    );
    let description = option::of(prop::sample::select(vec![String::new(), "d".into()]));
    (description, settings).prop_map(
        |(description, (partitions, replication, retention_hours, sync, flush, configs))| {
            let kafka = KafkaTopic {
                partitions,
                replication,
                retention_hours,
                sync_replication: sync,
                sync_message_flush: flush,
                configs,
                ..Default::default()
            };
            (description, kafka)
        },
    )
}

pub(super) fn shown() -> impl Strategy<Value = kafka::Topic> {
    let text = || option::of("[xy]");
    let config = ("[abc]", text(), text()).prop_map(|(name, value, default_value)| TopicConfigValue {
        name,
        value,
        default_value,
    });
    let rest = (
        option::of(any::<bool>()),
        option::of(any::<bool>()),
        text(),
        option::of(vec(config, 0..4)),
    );
    (option::of(0u32..6), option::of(0u32..4), option::of(0u32..6), rest).prop_map(
        |(partitions, replication, retention_hours, (sync, flush, description, configs))| kafka::Topic {
            partitions,
            replication,
            retention_hours,
            sync_replication: sync,
            sync_message_flush: flush,
            description,
            configs: configs.map(|mut configs| {
                configs.sort_by(|a, b| a.name.cmp(&b.name));
                configs.dedup_by(|a, b| a.name == b.name);
                configs
            }),
            ..super::topics::bare("orders")
        },
    )
}

/// What the service does with a step.
fn apply_topic(cloud: &mut Option<kafka::Topic>, step: &topic::Step) {
    let set = |topic: &mut kafka::Topic, configs: &[kafka::TopicConfig]| {
        for config in configs {
            let all = topic.configs.as_mut().expect("only what is shown is changed");
            let found = all
                .iter_mut()
                .find(|c| c.name == config.name)
                .expect("only what is shown is changed");
            found.value = Some(config.value.clone());
        }
    };
    match (step, cloud.as_mut()) {
        (topic::Step::CreateKafka(create), None) => {
            let default = |name: &str| TopicConfigValue {
                name: name.into(),
                value: Some("0".into()),
                default_value: Some("0".into()),
            };
            let mut made = kafka::Topic {
                partitions: create.partitions,
                replication: create.replication.or(Some(3)),
                retention_hours: create.retention_hours.or(Some(72)),
                sync_replication: create.sync_replication.or(Some(false)),
                sync_message_flush: create.sync_message_flush.or(Some(false)),
                description: create.description.clone().filter(|d| !d.is_empty()),
                configs: Some(["a", "b", "c"].map(default).into()),
                ..super::topics::bare("orders")
            };
            set(&mut made, &create.configs);
            *cloud = Some(made);
        }
        (topic::Step::UpdateKafka(update), Some(found)) => {
            assert!(
                update.partitions > found.partitions || update.partitions.is_none(),
                "shrinks: {update:?}"
            );
            let update = update.clone();
            found.partitions = update.partitions.or(found.partitions);
            found.retention_hours = update.retention_hours.or(found.retention_hours);
            found.sync_replication = update.sync_replication.or(found.sync_replication);
            found.sync_message_flush = update.sync_message_flush.or(found.sync_message_flush);
            found.description = update
                .description
                .or(found.description.take())
                .filter(|d| !d.is_empty());
            set(found, &update.configs);
        }
        (topic::Step::Delete(_), _) => *cloud = None,
        (step, cloud) => panic!("{step:?} while {cloud:?}"),
    }
}

struct TopicWorld {
    object: Topic,
    cloud: Option<kafka::Topic>,
    before: Option<kafka::Topic>,
    /// The answer to a create was lost.
    lost: bool,
    now: i64,
    deleting: bool,
}

impl TopicWorld {
    /// One look and, unless the trouble prevents it, its first step.
    fn round(&mut self, trouble: Option<Trouble>) -> Next {
        self.now += ROUND;
        if trouble == Some(Trouble::Deleted) {
            (self.cloud, self.before) = (None, None);
        }
        let visible = if trouble == Some(Trouble::Lags) {
            self.before.clone()
        } else {
            self.cloud.clone()
        };
        let lags = visible != self.cloud;
        let conditions = self.object.status.clone().unwrap_or_default().core.conditions;
        let plan = super::topics::look(&mut self.object, visible.map_or(Found::Absent, Found::There), |f, s| {
            f.now = at(self.now);
            f.deleting = self.deleting;
            s.held = (trouble == Some(Trouble::Held)).then(|| "busy".into());
        });
        let status = self.object.status.as_mut().unwrap();
        let generation = self.object.metadata.generation.unwrap();
        write_down(&mut status.core, &plan.situation, generation, &conditions, at(self.now));
        self.before = self.cloud.clone();
        let Some(step) = plan.steps.first() else {
            return plan.next;
        };
        assert!(trouble != Some(Trouble::Held), "acts while held: {step:?}");
        assert!(self.deleting || !matches!(step, topic::Step::Delete(_)), "deletes");
        let creates = matches!(step, topic::Step::CreateKafka(_));
        let mut failure = failure(trouble);
        if creates && self.cloud.is_some() {
            assert!(self.lost, "creates what is there");
            failure = failure.or(Some(refusal()));
        } else if !lags && (failure.is_none() || trouble == Some(Trouble::LostAfter)) {
            // What a list that lags leads to is refused, which is seen in the next round.
            apply_topic(&mut self.cloud, step);
        }
        if let (Some(error), true) = (failure, creates) {
            self.lost |= error.sent() == Sent::Unknown;
            fault::create_failed(&mut status.core, &error, at(self.now));
        }
        plan.next
    }

    fn settle(&mut self) -> Next {
        let next = (0..ROUNDS)
            .map(|_| self.round(None))
            .find(|next| matches!(next, Next::Rest | Next::Stop(_) | Next::Release));
        next.expect("it ends")
    }
}

proptest! {
    #[test]
    fn a_topic_comes_to_rest_after_any_edits_and_troubles(
        edits in vec((wanted(), troubles()), 1..4),
        found in option::of(shown()),
    ) {
        let mut world = TopicWorld {
            object: super::topics::topic(json!({})),
            cloud: found.clone(),
            before: found,
            lost: false,
            now: 0,
            deleting: false,
        };
        for (generation, ((description, kafka), troubles)) in edits.into_iter().enumerate() {
            world.object.spec.description = description;
            world.object.spec.kafka = Some(kafka);
            world.object.metadata.generation = Some(generation as i64 + 1);
            for trouble in troubles {
                world.round(trouble);
            }
            let end = world.settle();
            let (status, cloud) = (world.object.status.clone(), world.cloud.clone());
            if end == Next::Rest {
                let core = &status.as_ref().unwrap().core;
                prop_assert_eq!(core.applied_generation, Some(generation as i64 + 1));
                prop_assert_eq!(kstatus(false, core.applied_generation.unwrap(), core.observed_generation, &core.conditions), "Current");
                prop_assert!(core.create_intent.is_none() && core.operation.is_none());
            }
            // At rest nothing moves, and nothing is written.
            prop_assert_eq!(world.round(None), end);
            prop_assert_eq!((&world.object.status, &world.cloud), (&status, &cloud));
        }
        world.deleting = true;
        let ours = world.object.status.as_ref().unwrap().core.stands_for_something();
        prop_assert_eq!(world.settle(), Next::Release);
        prop_assert!(world.cloud.is_none() || !ours);
    }

}

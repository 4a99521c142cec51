//! Carried out again and again, the plan of a consumer group ends, whatever goes wrong on the way, and does no harm.

use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::json;

use super::child::Host;
use super::child_world::{Act, Service, World, managements, troubles};
use super::consumer_group::Step;
use super::rocketmq_topics::host;
use super::*;
use crate::api::ConsumerGroup;
use crate::api::consumer_group::RocketMqGroup;
use crate::cloud::{kafka, rocketmq};

fn act(step: &Step) -> Act {
    match step {
        Step::CreateKafka(_) | Step::CreateRocketMq(_) => Act::Create,
        Step::DescribeKafka(..) | Step::UpdateRocketMq(_) | Step::MoveRocketMq(_) => Act::Change,
        Step::Delete(_) => Act::Delete,
    }
}

fn differs(object: &ConsumerGroup, description: Option<&String>) -> bool {
    let there = description.cloned().unwrap_or_default();
    object.spec.description.as_ref().is_some_and(|wanted| *wanted != there)
}

/// Consumer groups of Kafka, as their service has them: one that is gone may still be listed.
struct KafkaGroups;

impl Service for KafkaGroups {
    type Cr = ConsumerGroup;
    type Item = kafka::Group;
    type Thing = kafka::Group;
    type Step = Step;

    const DECIDE: Judge<ConsumerGroup, kafka::Group, Step> = consumer_group::kafka::plan;

    fn shown(&self, thing: &kafka::Group) -> kafka::Group {
        thing.clone()
    }

    fn act(step: &Step) -> Act {
        act(step)
    }

    fn apply(&self, cloud: &mut Option<kafka::Group>, step: &Step) {
        match (step, cloud.as_mut().filter(|group| Self::lives(group))) {
            (Step::CreateKafka(create), None) => {
                *cloud = Some(super::groups::there("EMPTY", create.description.as_deref()));
            }
            (Step::DescribeKafka(_, text), Some(group)) => group.description = Some(text.clone()),
            (Step::Delete(_), Some(_)) => Self::vanish(cloud),
            (step, cloud) => panic!("{step:?} while {cloud:?}"),
        }
    }

    fn vanish(cloud: &mut Option<kafka::Group>) {
        if let Some(group) = cloud {
            group.state = Some("DEAD".into());
        }
    }

    fn lives(thing: &kafka::Group) -> bool {
        thing.state.as_deref() != Some("DEAD")
    }

    fn change(&self, thing: &mut kafka::Group) {
        thing.description = Some("theirs".into());
    }

    fn unmet(&self, object: &ConsumerGroup, thing: &kafka::Group) -> Option<String> {
        differs(object, thing.description.as_ref()).then(|| "description".into())
    }
}

/// Consumer groups of RocketMQ, as their service has them: what a change leaves out is lost.
struct RocketMqGroups {
    is_4: bool,
}

impl Service for RocketMqGroups {
    type Cr = ConsumerGroup;
    type Item = rocketmq::Group;
    type Thing = rocketmq::Group;
    type Step = Step;

    const DECIDE: Judge<ConsumerGroup, rocketmq::Group, Step> = consumer_group::rocketmq::plan;

    fn host(&self) -> Host {
        host(if self.is_4 { "4.8.0" } else { "5.x" })
    }

    fn shown(&self, thing: &rocketmq::Group) -> rocketmq::Group {
        thing.clone()
    }

    fn act(step: &Step) -> Act {
        act(step)
    }

    fn is_job(step: &Step) -> bool {
        act(step) != Act::Create
    }

    fn apply(&self, cloud: &mut Option<rocketmq::Group>, step: &Step) {
        match (step, cloud.as_mut()) {
            (Step::CreateRocketMq(create), None) => {
                assert_eq!(
                    (create.consume_orderly.is_none(), !create.brokers.is_empty()),
                    (self.is_4, self.is_4)
                );
                let brokers = if self.is_4 {
                    create.brokers.clone()
                } else {
                    vec!["b".into(), "a".into()]
                };
                *cloud = Some(rocketmq::Group {
                    name: create.name.clone(),
                    description: create.description.clone().filter(|text| !text.is_empty()),
                    enabled: create.enabled,
                    broadcast: create.broadcast,
                    retry_max_time: create.retry_max_time,
                    consume_orderly: create.consume_orderly,
                    brokers: Some(brokers),
                    created_at: None,
                });
            }
            (Step::UpdateRocketMq(update), Some(found)) => {
                assert_eq!(update.consume_orderly.is_none(), self.is_4);
                assert!(update.enabled.and(update.broadcast).is_some() && update.retry_max_time.is_some());
                (found.enabled, found.broadcast) = (update.enabled, update.broadcast);
                (found.retry_max_time, found.consume_orderly) = (update.retry_max_time, update.consume_orderly);
                found.description = update.description.clone().filter(|text| !text.is_empty());
            }
            (Step::MoveRocketMq(update), Some(found)) => {
                assert!(self.is_4 && !update.brokers.is_empty());
                (found.enabled, found.broadcast) = (Some(update.enabled), Some(update.broadcast));
                found.retry_max_time = Some(update.retry_max_time);
                found.brokers = Some(update.brokers.clone());
            }
            (Step::Delete(_), _) => *cloud = None,
            // Refused, or in vain, by what happened meanwhile.
            _ => {}
        }
    }

    fn change(&self, thing: &mut rocketmq::Group) {
        thing.enabled = thing.enabled.map(|enabled| !enabled);
        thing.description = Some("theirs".into());
        if self.is_4 {
            thing.brokers = Some(vec!["b".into()]);
        }
    }

    /// What nobody says is sent as it is: nothing that the spec leaves out is changed.
    fn judge(&self, wishes: &[ConsumerGroup], visible: Option<&rocketmq::Group>, step: &Step) {
        let (Step::UpdateRocketMq(update), Some(visible), Some(wish)) = (step, visible, wishes.last()) else {
            return;
        };
        let settings = wish.spec.rocketmq.clone().unwrap_or_default();
        let kept = [
            settings.enabled.is_some() || update.enabled == visible.enabled,
            settings.broadcast.is_some() || update.broadcast == visible.broadcast,
            settings.max_retries.is_some() || update.retry_max_time == visible.retry_max_time,
            settings.consume_orderly.is_some() || update.consume_orderly == visible.consume_orderly,
            wish.spec.description.is_some() || update.description == visible.description,
        ];
        assert!(kept.iter().all(|kept| *kept), "{update:?} {visible:?} {kept:?}");
    }

    fn unmet(&self, object: &ConsumerGroup, thing: &rocketmq::Group) -> Option<String> {
        let wish = object.spec.rocketmq.clone().unwrap_or_default();
        let brokers = thing.brokers.iter().flatten().cloned().collect();
        let fields = [
            ("enabled", wish.enabled.is_some() && wish.enabled != thing.enabled),
            (
                "broadcast",
                wish.broadcast.is_some() && wish.broadcast != thing.broadcast,
            ),
            (
                "maxRetries",
                wish.max_retries.is_some() && wish.max_retries != thing.retry_max_time,
            ),
            (
                "consumeOrderly",
                wish.consume_orderly.is_some() && wish.consume_orderly != thing.consume_orderly,
            ),
            ("brokers", !wish.brokers.is_empty() && wish.brokers != brokers),
            ("description", differs(object, thing.description.as_ref())),
        ];
        fields
            .into_iter()
            .find(|(_, unmet)| *unmet)
            .map(|(field, _)| field.into())
    }
}

fn description() -> impl Strategy<Value = Option<String>> {
    option::of(prop::sample::select(vec!["", "d", "e"]).prop_map(String::from))
}

pub(super) fn wish(is_4: bool) -> impl Strategy<Value = RocketMqGroup> {
    let flag = || option::of(any::<bool>());
    (flag(), flag(), flag(), option::of(1u32..4), btree_set("[ab]", 0..3)).prop_map(
        move |(enabled, broadcast, orderly, max_retries, brokers)| RocketMqGroup {
            enabled,
            broadcast,
            max_retries,
            consume_orderly: orderly.filter(|_| !is_4),
            brokers: if is_4 { brokers } else { Default::default() },
        },
    )
}

fn found(is_4: bool) -> impl Strategy<Value = rocketmq::Group> {
    (any::<bool>(), any::<bool>(), 1u32..4, option::of("[de]")).prop_map(
        move |(enabled, broadcast, retries, description)| rocketmq::Group {
            description,
            enabled: Some(enabled),
            broadcast: Some(broadcast),
            retry_max_time: Some(retries),
            consume_orderly: (!is_4).then_some(broadcast),
            ..super::rocketmq_groups::there()
        },
    )
}

proptest! {
    #[test]
    fn a_kafka_group_comes_to_rest_after_any_edits_and_troubles(
        edits in vec((description(), managements(), troubles()), 1..4),
        found in option::of((description(), prop::sample::select(vec!["EMPTY", "DEAD"]))),
    ) {
        let found = found.map(|(text, state)| super::groups::there(state, text.as_deref()));
        let edits = edits.into_iter().map(|(description, management, troubles)| {
            let change = |group: &mut ConsumerGroup| {
                (group.spec.description, group.spec.management) = (description, management);
            };
            (change, troubles)
        });
        World::new(KafkaGroups, super::groups::group(None), found).live(edits.collect());
    }

    #[test]
    fn a_rocketmq_group_comes_to_rest_after_any_edits_and_troubles(
        (is_4, edits, found) in any::<bool>().prop_flat_map(|is_4| {
            (Just(is_4), vec((description(), wish(is_4), managements(), troubles()), 1..4), option::of(found(is_4)))
        }),
    ) {
        let edits = edits.into_iter().map(|(description, wish, management, troubles)| {
            let change = |group: &mut ConsumerGroup| {
                (group.spec.description, group.spec.rocketmq) = (description, Some(wish));
                group.spec.management = management;
            };
            (change, troubles)
        });
        World::new(RocketMqGroups { is_4 }, super::rocketmq_groups::group(json!({})), found).live(edits.collect());
    }
}

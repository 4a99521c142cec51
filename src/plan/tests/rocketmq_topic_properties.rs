//! Carried out again and again, the plan of a RocketMQ topic ends, whatever goes wrong on the way, and lowers no number that
//! no edit touched.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::json;

use super::child::Host;
use super::child_world::{Act, Service, World, managements, troubles};
use super::rocketmq_topics::{host, spread, topic};
use super::topic::Step;
use super::*;
use crate::api::topic::{BrokerQueues, MessageType, RocketMqTopic, TopicPermission};
use crate::api::{Topic, TopicStatus};
use crate::cloud::rocketmq;

/// Topics of an instance with two brokers, as their service has them.
struct Topics {
    is_4: bool,
}

/// A topic, and the description that no call shows.
#[derive(Clone, Debug, PartialEq)]
struct Thing {
    topic: rocketmq::Topic,
    description: String,
}

impl Thing {
    fn set(&mut self, read: Option<u32>, write: Option<u32>) {
        let queues = self.topic.brokers.iter().flatten();
        let names: Vec<_> = queues.map(|q| q.broker.clone()).collect();
        let on = names.len() as u32;
        let share = |total: u32, at: u32| total / on + u32::from(at < total % on);
        for (at, queues) in (0..).zip(self.topic.brokers.iter_mut().flatten()) {
            queues.read_queue_num = read.map(|total| share(total, at)).or(queues.read_queue_num);
            queues.write_queue_num = write.map(|total| share(total, at)).or(queues.write_queue_num);
        }
        self.total();
    }

    fn total(&mut self) {
        let all = || self.topic.brokers.iter().flatten();
        let (read, write) = (
            all().filter_map(|q| q.read_queue_num).sum(),
            all().filter_map(|q| q.write_queue_num).sum(),
        );
        (self.topic.total_read_queue_num, self.topic.total_write_queue_num) = (Some(read), Some(write));
    }
}

fn settings(topic: &Topic) -> RocketMqTopic {
    topic.spec.rocketmq.clone().unwrap_or_default()
}

impl Service for Topics {
    type Cr = Topic;
    type Item = rocketmq::Topic;
    type Thing = Thing;
    type Step = Step;

    const DECIDE: Judge<Topic, rocketmq::Topic, Step> = topic::rocketmq::plan;
    const UNREADABLE: &str = "description";

    fn host(&self) -> Host {
        host(if self.is_4 { "4.8.0" } else { "5.x" })
    }

    fn shown(&self, thing: &Thing) -> rocketmq::Topic {
        thing.topic.clone()
    }

    fn act(step: &Step) -> Act {
        match step {
            Step::CreateRocketMq(_) => Act::Create,
            Step::UpdateRocketMq(..) => Act::Change,
            Step::Delete(_) => Act::Delete,
            step => panic!("{step:?}"),
        }
    }

    fn is_job(step: &Step) -> bool {
        Self::act(step) != Act::Create
    }

    fn settle(status: &mut TopicStatus, step: &Step) {
        if let Step::UpdateRocketMq(_, change) = step
            && change.description.is_some()
        {
            status.sent_description.clone_from(&change.description);
        }
    }

    fn apply(&self, cloud: &mut Option<Thing>, step: &Step) {
        match (step, cloud.as_mut()) {
            (Step::CreateRocketMq(create), None) => {
                assert_eq!(create.message_type.is_none(), self.is_4);
                let queues: Vec<_> = create
                    .queues
                    .iter()
                    .map(|q| (&*q.broker, q.queue_num, q.queue_num))
                    .collect();
                let mut made = Thing {
                    topic: spread(if queues.is_empty() {
                        &[("a", 0, 0), ("b", 0, 0)]
                    } else {
                        &queues
                    }),
                    description: String::new(),
                };
                if self.is_4 {
                    let on: Vec<_> = queues.iter().map(|q| q.0.to_owned()).collect();
                    assert!(
                        on.is_empty() || on == create.brokers,
                        "brokers and queues disagree: {create:?}"
                    );
                    assert!(create.permission.is_some() && create.queue_num.is_none());
                }
                if queues.is_empty() {
                    let total = Some(create.queue_num.unwrap_or(8));
                    made.set(total, total);
                }
                made.topic.message_type.clone_from(&create.message_type);
                made.topic.permission = create.permission.clone().or(Some("all".into()));
                *cloud = Some(made);
            }
            (Step::UpdateRocketMq(_, update), Some(found)) => {
                let totals = (update.read_queue_num, update.write_queue_num);
                assert!(
                    totals == (None, None) || update.queues.is_empty(),
                    "says numbers twice: {update:?}"
                );
                assert!(self.is_4 || update.queues.is_empty());
                found.set(totals.0, totals.1);
                for queues in &update.queues {
                    let mut all = found.topic.brokers.iter_mut().flatten();
                    *all.find(|q| q.broker == queues.broker).expect("a broker that has it") = queues.clone();
                }
                found.total();
                found.topic.permission = update.permission.clone().or(found.topic.permission.take());
                found.description = update
                    .description
                    .clone()
                    .unwrap_or(std::mem::take(&mut found.description));
            }
            (Step::Delete(_), _) => *cloud = None,
            // Refused, or in vain, by what happened meanwhile.
            _ => {}
        }
    }

    fn change(&self, thing: &mut Thing) {
        let more = |n: Option<u32>| n.map(|n| n + 1);
        thing.set(
            more(thing.topic.total_read_queue_num),
            more(thing.topic.total_write_queue_num),
        );
        thing.topic.permission = Some("sub".into());
    }

    fn judge(&self, wishes: &[Topic], visible: Option<&Thing>, step: &Step) {
        let (Step::UpdateRocketMq(_, update), Some(visible)) = (step, visible) else {
            return;
        };
        let managed = wishes.iter().any(|w| {
            let core = w.status.as_ref().map(|s| &s.core);
            core.is_some_and(|core| core.applied_generation.is_some() && core.origin.is_some())
        });
        let edited = |of: fn(&RocketMqTopic) -> Option<u32>| {
            let mut all = wishes.iter().map(|w| of(&settings(w)));
            let first = all.next();
            managed && all.any(|own| Some(own) != first)
        };
        for (new, old, touched) in [
            (
                update.read_queue_num,
                visible.topic.total_read_queue_num,
                edited(|s| s.read_queue_num),
            ),
            (
                update.write_queue_num,
                visible.topic.total_write_queue_num,
                edited(|s| s.write_queue_num),
            ),
        ] {
            assert!(
                new >= old || new.is_none() || touched,
                "lowers what no edit touched: {update:?} {visible:?}"
            );
        }
        for new in &update.queues {
            let mut all = visible.topic.brokers.iter().flatten();
            let old = all.find(|q| q.broker == new.broker).expect("a broker that has it");
            let lowers = new.read_queue_num < old.read_queue_num || new.write_queue_num < old.write_queue_num;
            assert!(
                !lowers || (managed && wishes.len() > 1),
                "lowers without an edit: {update:?} {visible:?}"
            );
        }
    }

    fn unmet(&self, object: &Topic, thing: &Thing) -> Option<String> {
        let (wish, found) = (settings(object), &thing.topic);
        let drift = &object.status.as_ref()?.core.drift;
        let told = |field: &str| drift.iter().any(|d| d.field == format!("spec.rocketmq.{field}"));
        let (read, write) = (wish.read_queue_num, wish.write_queue_num);
        for (field, wanted, found) in [
            ("readQueueNum", read, found.total_read_queue_num),
            ("writeQueueNum", write, found.total_write_queue_num),
            (
                "queueNum",
                wish.queue_num.filter(|_| read.is_none()),
                found.total_read_queue_num,
            ),
            (
                "queueNum",
                wish.queue_num.filter(|_| write.is_none()),
                found.total_write_queue_num,
            ),
        ] {
            if wanted.is_some() && found != wanted && !(found > wanted && told(field)) {
                return Some(field.into());
            }
        }
        for wanted in &wish.queues {
            let mut all = found.brokers.iter().flatten();
            let found = all.find(|q| q.broker == wanted.broker);
            let (read, write) = found.map(|q| (q.read_queue_num, q.write_queue_num)).unwrap_or_default();
            let equal = (read, write) == (Some(wanted.read_queue_num), Some(wanted.write_queue_num));
            if !equal && !told(&format!("queues[{}]", wanted.broker)) {
                return Some(wanted.broker.clone());
            }
        }
        if wish
            .permission
            .is_some_and(|wanted| found.permission.as_deref() != Some(wanted.as_str()))
        {
            return Some("permission".into());
        }
        let description = object.spec.description.as_ref();
        description
            .is_some_and(|wanted| *wanted != thing.description)
            .then(|| "description".into())
    }
}

pub(super) fn wish(is_4: bool) -> impl Strategy<Value = (Option<String>, RocketMqTopic)> {
    use TopicPermission::*;
    let number = || option::of(1u32..7);
    let description = option::of(prop::sample::select(vec!["", "d", "e"]).prop_map(String::from));
    let permission = prop::sample::select(vec![Some(Pub), Some(Sub), Some(All), None]);
    let queues = |broker: &'static str| {
        (1u32..4, 1u32..4).prop_map(move |(read_queue_num, write_queue_num)| BrokerQueues {
            broker: broker.into(),
            read_queue_num,
            write_queue_num,
        })
    };
    let queues = option::weighted(0.4, (queues("a"), queues("b"))).prop_map(move |queues| queues.filter(|_| is_4));
    (description, permission, number(), number(), number(), queues).prop_map(
        move |(description, permission, queue_num, read_queue_num, write_queue_num, queues)| {
            let mut wish = RocketMqTopic {
                permission: permission.or(is_4.then_some(All)),
                message_type: (!is_4).then_some(MessageType::Normal),
                ..Default::default()
            };
            match queues {
                Some((a, b)) => wish.queues = vec![a, b],
                None => {
                    (wish.queue_num, wish.read_queue_num) = (queue_num, read_queue_num);
                    wish.write_queue_num = write_queue_num;
                    if is_4 {
                        wish.brokers = ["a", "b"].map(str::to_owned).into();
                    }
                }
            }
            (description, wish)
        },
    )
}

fn found(is_4: bool) -> impl Strategy<Value = Thing> {
    let queues = (1u32..4, 1u32..4, 1u32..4, 1u32..4);
    (queues, "[de]?").prop_map(move |((ra, wa, rb, wb), description)| {
        let mut topic = spread(&[("a", ra, wa), ("b", rb, wb)]);
        topic.message_type = (!is_4).then(|| "NORMAL".into());
        Thing { topic, description }
    })
}

proptest! {
    #[test]
    fn a_rocketmq_topic_comes_to_rest_after_any_edits_and_troubles(
        (is_4, edits, found) in any::<bool>().prop_flat_map(|is_4| {
            (Just(is_4), vec((wish(is_4), managements(), troubles()), 1..4), option::of(found(is_4)))
        }),
    ) {
        let world = World::new(Topics { is_4 }, topic(json!({})), found);
        let edits = edits.into_iter().map(|((description, wish), management, troubles)| {
            let change = |topic: &mut Topic| {
                (topic.spec.description, topic.spec.rocketmq) = (description, Some(wish));
                topic.spec.management = management;
            };
            (change, troubles)
        });
        world.live(edits.collect());
    }
}

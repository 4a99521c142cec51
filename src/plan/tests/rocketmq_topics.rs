//! What a user sees of a topic of a RocketMQ instance.

use serde_json::{Value, json};

use super::child::{Found, Host, Seen};
use super::topic::Step;
use super::topic::rocketmq::plan;
use super::*;
use crate::api::{Topic, TopicStatus};
use crate::cloud::rocketmq::{self, BrokerQueues, CreateQueues, CreateTopic, UpdateTopic};

pub(super) type Shown = Plan<TopicStatus, Step>;

pub(super) fn topic(rocketmq: Value) -> Topic {
    serde_json::from_value(json!({
        "apiVersion": "dms.huaweicloud.com/v1alpha1", "kind": "Topic",
        "metadata": {"name": "orders", "namespace": "shop", "generation": 1},
        "spec": {"instanceRef": {"kind": "RocketMQInstance", "name": "shop"}, "rocketmq": rocketmq},
    }))
    .unwrap()
}

pub(super) fn host(version: &str) -> Host {
    Host {
        engine_version: Some(version.into()),
        brokers: ["a", "b"].map(str::to_owned).into(),
    }
}

/// A topic with these queues on each of its brokers.
pub(super) fn spread(queues: &[(&str, u32, u32)]) -> rocketmq::Topic {
    let brokers = queues.iter().map(|(broker, read, write)| BrokerQueues {
        broker: (*broker).into(),
        read_queue_num: Some(*read),
        write_queue_num: Some(*write),
    });
    rocketmq::Topic {
        name: "orders".into(),
        total_read_queue_num: Some(queues.iter().map(|q| q.1).sum()),
        total_write_queue_num: Some(queues.iter().map(|q| q.2).sum()),
        permission: Some("all".into()),
        brokers: Some(brokers.collect()),
        message_type: None,
    }
}

/// A topic of 5.x with so many queues to read from and to write to.
pub(super) fn there(read: u32, write: u32) -> rocketmq::Topic {
    rocketmq::Topic {
        message_type: Some("NORMAL".into()),
        ..spread(&[("a", read, write)])
    }
}

/// One look at an instance of a version.
pub(super) fn look(
    topic: &mut Topic,
    version: &str,
    found: Found<rocketmq::Topic>,
    tweak: impl FnOnce(&mut Facts<'_>, &mut Seen<rocketmq::Topic>),
) -> Shown {
    look_at(plan, topic, found, |f, s| {
        s.host = host(version);
        tweak(f, s);
    })
}

pub(super) fn plain(topic: &mut Topic, found: rocketmq::Topic) -> Shown {
    look(topic, "5.x", Found::There(found), |_, _| {})
}

pub(super) fn absent(topic: &mut Topic, version: &str) -> Shown {
    look(topic, version, Found::Absent, |_, _| {})
}

pub(super) fn update(change: impl FnOnce(&mut UpdateTopic)) -> Step {
    let mut update = UpdateTopic::default();
    change(&mut update);
    Step::UpdateRocketMq("orders".into(), update)
}

/// What the operator notes once a change was accepted: a 204, which names no job.
pub(super) fn accept(topic: &mut Topic, plan: &Shown, seconds: i64) {
    let Some(Step::UpdateRocketMq(_, change)) = plan.steps.first() else {
        panic!("changes nothing: {plan:?}");
    };
    let status = topic.status.as_mut().unwrap();
    if change.description.is_some() {
        status.sent_description.clone_from(&change.description);
    }
    status.core.operation = Some(begun(&status.core, "UpdateTopic", None, at(seconds)));
}

/// A topic of 5.x that was created and applied.
pub(super) fn served(rocketmq: Value, found: rocketmq::Topic) -> Topic {
    let mut topic = topic(rocketmq);
    absent(&mut topic, "5.x");
    let plan = plain(&mut topic, found);
    assert_eq!(plan.next, Next::Rest, "{plan:?}");
    topic
}

#[test]
fn each_version_is_told_what_it_must_be_told() {
    let queues = |all: &[(&str, u32)]| {
        let one = |(broker, queue_num): &(&str, u32)| CreateQueues {
            broker: (*broker).into(),
            queue_num: *queue_num,
        };
        all.iter().map(one).collect::<Vec<_>>()
    };
    let names = |all: &[&str]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
    let on_4 = |brokers: &[&str], spread: &[(&str, u32)]| CreateTopic {
        name: "orders".into(),
        permission: Some("all".into()),
        brokers: names(brokers),
        queues: queues(spread),
        ..Default::default()
    };
    let on_5 = |message_type: &str, queue_num| CreateTopic {
        name: "orders".into(),
        message_type: Some(message_type.into()),
        queue_num,
        ..Default::default()
    };
    for (version, spec, expected) in [
        // A total is spread over the brokers as evenly as it goes.
        (
            "4.8.0",
            json!({"permission": "all", "brokers": ["b", "a"], "queueNum": 5}),
            on_4(&["a", "b"], &[("a", 3), ("b", 2)]),
        ),
        (
            "4.8.0",
            json!({"permission": "all", "brokers": ["a"], "queueNum": 8}),
            on_4(&["a"], &[("a", 8)]),
        ),
        // A topic begins with one number for both sides: the lower one, from where the other grows.
        (
            "4.8.0",
            json!({"permission": "all", "brokers": ["a", "b"], "readQueueNum": 6, "writeQueueNum": 4}),
            on_4(&["a", "b"], &[("a", 2), ("b", 2)]),
        ),
        (
            "4.8.0",
            json!({"permission": "all", "queues": [
                {"broker": "b", "readQueueNum": 4, "writeQueueNum": 2}, {"broker": "a", "readQueueNum": 1, "writeQueueNum": 1},
            ]}),
            on_4(&["b", "a"], &[("b", 2), ("a", 1)]),
        ),
        ("5.x", json!({"messageType": "FIFO"}), on_5("FIFO", None)),
        (
            "5.x",
            json!({"messageType": "DELAY", "queueNum": 3}),
            on_5("DELAY", Some(3)),
        ),
        (
            "5.x",
            json!({"messageType": "NORMAL", "queueNum": 5, "writeQueueNum": 3}),
            on_5("NORMAL", Some(3)),
        ),
        (
            "5.x",
            json!({"messageType": "TRANSACTION", "permission": "sub", "readQueueNum": 3}),
            CreateTopic {
                permission: Some("sub".into()),
                ..on_5("TRANSACTION", Some(3))
            },
        ),
    ] {
        let plan = absent(&mut topic(spec.clone()), version);
        assert_eq!(
            told(&plan),
            "Creating, Soon: creates topic orders, and waits until it is listed",
            "{spec}"
        );
        assert_eq!(plan.steps, [Step::CreateRocketMq(expected)], "{spec}");
    }
}

#[test]
fn what_a_version_lacks_or_does_not_know_is_named_whether_the_topic_is_there_or_not() {
    let on_4 = |more: Value| {
        let mut spec = json!({"permission": "all", "brokers": ["a", "b"]});
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        spec
    };
    let queues = |broker: &str| json!([{"broker": broker, "readQueueNum": 2, "writeQueueNum": 2}]);
    for (version, spec, only_absent, why) in [
        (
            "4.8.0",
            on_4(json!({"permission": null})),
            true,
            "spec.rocketmq.permission is needed to create it on an instance of version 4.8.0",
        ),
        (
            "4.8.0",
            on_4(json!({"brokers": []})),
            true,
            "spec.rocketmq.brokers or spec.rocketmq.queues is needed to create it on an instance of version 4.8.0; its \
             brokers are a, b",
        ),
        (
            "4.8.0",
            on_4(json!({})),
            true,
            "spec.rocketmq.queueNum or spec.rocketmq.queues is needed to create it on an instance of version 4.8.0",
        ),
        (
            "4.8.0",
            on_4(json!({"queueNum": 1})),
            true,
            "each of the 2 brokers in spec.rocketmq.brokers needs a queue, and the least of queueNum, readQueueNum and writeQueueNum is 1",
        ),
        (
            "4.8.0",
            on_4(json!({"messageType": "NORMAL"})),
            false,
            "spec.rocketmq.messageType is not for an instance of version 4.8.0, whose topics have none: leave it out",
        ),
        (
            "4.8.0",
            on_4(json!({"brokers": ["a", "c"]})),
            false,
            "spec.rocketmq.brokers: the instance has no broker c; its brokers are a, b",
        ),
        (
            "4.8.0",
            json!({"permission": "all", "queues": queues("c")}),
            false,
            "spec.rocketmq.queues: the instance has no broker c; its brokers are a, b",
        ),
        (
            "5.x",
            json!({}),
            true,
            "spec.rocketmq.messageType is needed to create it on an instance of version 5.x",
        ),
        (
            "5.x",
            json!({"messageType": "NORMAL", "brokers": ["a"]}),
            false,
            "spec.rocketmq.brokers is for instances of version 4.8.0, and this one is 5.x: leave it out",
        ),
        (
            "5.x",
            json!({"messageType": "NORMAL", "queues": queues("a")}),
            false,
            "spec.rocketmq.queues is for instances of version 4.8.0, and this one is 5.x: leave it out",
        ),
    ] {
        let mut new = topic(spec.clone());
        let plan = absent(&mut new, version);
        let expected = format!("Stopped/InvalidSpec, Stop 30 min: topic orders does not exist, and {why}");
        assert_eq!(idle(&plan), expected);
        assert!(!plan.status.core.stands_for_something());
        let found = || match version {
            "5.x" => there(4, 4),
            _ => spread(&[("a", 2, 2), ("b", 2, 2)]),
        };
        let look = |topic: &mut Topic| look(topic, version, Found::There(found()), |_, _| {});
        // One that is there is taken over where nothing but a creation would have needed more.
        let mut old = topic(json!({}));
        says(&idle(&look(&mut old)), "Healthy");
        if only_absent {
            continue;
        }
        let expected = format!("Edit stopped/InvalidSpec, Stop 30 min: {why}");
        assert_eq!(idle(&look(&mut new)), expected);
        // Nor is anything sent for an edit that this version does not know.
        edit(&mut old, |old| old.spec.rocketmq = topic(spec).spec.rocketmq);
        assert_eq!(idle(&look(&mut old)), expected);
    }
}

#[test]
fn kind_and_brokers_of_a_topic_cannot_change() {
    let mut edited = served(json!({"messageType": "NORMAL"}), there(8, 8));
    edit(&mut edited, |t| {
        t.spec.rocketmq = topic(json!({"messageType": "FIFO"})).spec.rocketmq
    });
    assert_eq!(
        idle(&plain(&mut edited, there(8, 8))),
        "Edit stopped/InvalidSpec, Stop 30 min: spec.rocketmq.messageType of topic orders is NORMAL in the cloud and cannot \
         become FIFO; set the field to what is there, or delete and make it anew at the price of its data"
    );
    let mut other = topic(json!({"brokers": ["a"]}));
    let found = || Found::There(spread(&[("a", 2, 2), ("b", 2, 2)]));
    let plan = look(&mut other, "4.8.0", found(), |_, _| {});
    says(
        &idle(&plan),
        "spec.rocketmq.brokers of topic orders is a,b in the cloud and cannot become a;",
    );
}

#[test]
fn what_clients_may_do_is_put_back() {
    for permission in ["pub", "sub", "all"] {
        let found = rocketmq::Topic {
            permission: Some(permission.into()),
            ..there(8, 8)
        };
        let mut topic = served(
            json!({"messageType": "NORMAL", "permission": permission}),
            found.clone(),
        );
        let other = if permission == "pub" { "all" } else { "pub" };
        let changed = rocketmq::Topic {
            permission: Some(other.into()),
            ..found
        };
        let plan = plain(&mut topic, changed);
        assert_eq!(told(&plan), "Correcting, Soon: puts back spec.rocketmq.permission");
        assert_eq!(plan.steps, [update(|u| u.permission = Some(permission.into()))]);
    }
    let mut unset = topic(json!({}));
    assert_eq!(
        idle(&plain(&mut unset, there(8, 4))),
        "Healthy, Rest: read 8, write 4 queues, NORMAL, permission all"
    );
    let observed = unset.status.unwrap().observed.unwrap();
    assert_eq!(
        (observed.queue_num, observed.read_queue_num, observed.write_queue_num),
        (Some(4), Some(8), Some(4))
    );
}

//! How many queues a topic has: numbers grow by themselves, and are lowered only by an edit that lowers them.

use serde_json::{Value, json};

use super::child::Found;
use super::rocketmq_topics::{look, plain, served, spread, there, topic, update};
use super::topic::Step;
use super::*;
use crate::api::{Correction, Topic};
use crate::cloud::rocketmq::{self, BrokerQueues};

fn spec(topic: &mut Topic, rocketmq: Value) {
    edit(topic, |t| t.spec.rocketmq = self::topic(rocketmq).spec.rocketmq);
}

fn numbers(read: Option<u32>, write: Option<u32>) -> Step {
    update(|u| (u.read_queue_num, u.write_queue_num) = (read, write))
}

#[test]
fn one_number_for_both_sides_only_grows() {
    for (found, wanted, step, told_so) in [
        (
            (4, 4),
            8,
            Some(numbers(Some(8), Some(8))),
            "Updating/Updating, Soon: changes spec.rocketmq.queueNum",
        ),
        // A side that has more already is left alone, and told once the other has grown.
        (
            (4, 9),
            8,
            Some(numbers(Some(8), None)),
            "Updating/Updating, Soon: changes spec.rocketmq.queueNum",
        ),
        (
            (9, 4),
            8,
            Some(numbers(None, Some(8))),
            "Updating/Updating, Soon: changes spec.rocketmq.queueNum",
        ),
        ((8, 8), 8, None, "Healthy, Rest: 8 queues"),
        (
            (9, 9),
            8,
            None,
            "Edit stopped/InvalidSpec, Stop 30 min: spec.rocketmq.queueNum of topic orders is 9 in the cloud and cannot \
             become 8;",
        ),
        (
            (8, 9),
            8,
            None,
            "Edit stopped/InvalidSpec, Stop 30 min: spec.rocketmq.queueNum of topic orders is read 8, write 9 in the cloud \
             and cannot become 8;",
        ),
    ] {
        let mut topic = served(json!({"messageType": "NORMAL"}), there(found.0, found.1));
        spec(&mut topic, json!({"messageType": "NORMAL", "queueNum": wanted}));
        let plan = plain(&mut topic, there(found.0, found.1));
        says(&told(&plan), told_so);
        assert_eq!(plan.steps, Vec::from_iter(step), "{found:?}");
    }
}

#[test]
fn an_edit_lowers_what_is_written_first_and_what_is_read_after() {
    let mut topic = served(
        json!({"messageType": "NORMAL", "readQueueNum": 8, "writeQueueNum": 8}),
        there(8, 8),
    );
    spec(
        &mut topic,
        json!({"messageType": "NORMAL", "readQueueNum": 4, "writeQueueNum": 4}),
    );
    let plan = plain(&mut topic, there(8, 8));
    assert_eq!(plan.steps, [numbers(None, Some(4))]);
    assert_eq!(
        told(&plan),
        "Updating/Updating, Soon: changes spec.rocketmq.writeQueueNum, spec.rocketmq.readQueueNum"
    );
    assert_eq!(plain(&mut topic, there(8, 4)).steps, [numbers(Some(4), None)]);
    says(&idle(&plain(&mut topic, there(4, 4))), "Healthy, Rest: 4 queues");
    // What grows needs no order.
    spec(
        &mut topic,
        json!({"messageType": "NORMAL", "readQueueNum": 6, "writeQueueNum": 5}),
    );
    assert_eq!(plain(&mut topic, there(4, 4)).steps, [numbers(Some(6), Some(5))]);
}

#[test]
fn each_side_has_its_own_number_and_the_common_one_stands_in() {
    let mut topic = served(json!({"messageType": "NORMAL", "queueNum": 4}), there(4, 4));
    spec(
        &mut topic,
        json!({"messageType": "NORMAL", "queueNum": 6, "writeQueueNum": 2}),
    );
    assert_eq!(plain(&mut topic, there(4, 4)).steps, [numbers(Some(6), Some(2))]);
    assert_eq!(plain(&mut topic, there(6, 4)).steps, [numbers(None, Some(2))]);
    says(
        &idle(&plain(&mut topic, there(6, 2))),
        "Healthy, Rest: read 6, write 2 queues",
    );
}

#[test]
fn what_was_never_managed_is_not_lowered() {
    for (field, found) in [("readQueueNum", "8"), ("writeQueueNum", "8")] {
        let mut adopted = topic(json!({ field: 4, "permission": "pub" }));
        let plan = plain(&mut adopted, there(8, 8));
        says(
            &idle(&plan),
            &format!(
                "Edit stopped/InvalidSpec, Stop 30 min: spec.rocketmq.{field} is {found} in the cloud, and what is there"
            ),
        );
        assert_eq!(plan.status.core.origin, Some(Origin::Adopted));
    }
    let mut adopted = topic(json!({"queues": [{"broker": "a", "readQueueNum": 2, "writeQueueNum": 1}]}));
    let plan = look(&mut adopted, "4.8.0", Found::There(spread(&[("a", 2, 2)])), |_, _| {});
    says(
        &idle(&plan),
        "spec.rocketmq.queues[a] is 2 in the cloud, and what is there already is not lowered to read 2, write 1 at once: \
         set the field to what is there, and then lower it",
    );
}

#[test]
fn what_grew_by_itself_is_told_and_not_lowered() {
    for (wish, field, found) in [
        (json!({"queueNum": 4}), "queueNum is 6 in the cloud, not 4", (6, 6)),
        (
            json!({"readQueueNum": 4}),
            "readQueueNum is 6 in the cloud, not 4",
            (6, 4),
        ),
        (
            json!({"writeQueueNum": 4}),
            "writeQueueNum is 6 in the cloud, not 4",
            (4, 6),
        ),
    ] {
        let mut wish = wish;
        wish["messageType"] = "NORMAL".into();
        let grown = || there(found.0, found.1);
        let mut topic = served(wish.clone(), there(4, 4));
        let plan = plain(&mut topic, grown());
        says(&idle(&plan), "Differing, Rest: ");
        says(&idle(&plan), field);
        assert_eq!(plan.status.core.drift[0].correction, Correction::Impossible);
        // Not by an edit of something else either, whether the growth was told before or not.
        let mut unseen = served(wish.clone(), there(4, 4));
        for topic in [&mut topic, &mut unseen] {
            wish["permission"] = "pub".into();
            spec(topic, wish.clone());
            assert_eq!(
                plain(topic, grown()).steps,
                [update(|u| u.permission = Some("pub".into()))]
            );
            let applied = rocketmq::Topic {
                permission: Some("pub".into()),
                ..grown()
            };
            for _ in 0..2 {
                says(&idle(&plain(topic, applied.clone())), "Edit stopped/InvalidSpec");
            }
        }
    }
    // What shrank is put back.
    let mut topic = served(json!({"messageType": "NORMAL", "queueNum": 4}), there(4, 4));
    let plan = plain(&mut topic, there(4, 3));
    assert_eq!(told(&plan), "Correcting, Soon: puts back spec.rocketmq.queueNum");
    assert_eq!(plan.steps, [numbers(None, Some(4))]);
}

#[test]
fn after_a_growth_that_was_told_an_edit_of_the_number_lowers_it() {
    let mut topic = served(json!({"messageType": "NORMAL", "writeQueueNum": 4}), there(4, 4));
    says(&idle(&plain(&mut topic, there(4, 6))), "Differing");
    spec(&mut topic, json!({"messageType": "NORMAL", "writeQueueNum": 3}));
    assert_eq!(plain(&mut topic, there(4, 6)).steps, [numbers(None, Some(3))]);
    // It goes on until it shows.
    assert_eq!(plain(&mut topic, there(4, 6)).steps, [numbers(None, Some(3))]);
}

#[test]
fn queues_broker_by_broker_change_in_one_call_that_names_them_all() {
    let wish = |a: (u32, u32), b: (u32, u32)| {
        json!({"permission": "all", "queues": [
            {"broker": "a", "readQueueNum": a.0, "writeQueueNum": a.1},
            {"broker": "b", "readQueueNum": b.0, "writeQueueNum": b.1},
        ]})
    };
    let see = |topic: &mut Topic, a: (u32, u32), b: (u32, u32)| {
        look(
            topic,
            "4.8.0",
            Found::There(spread(&[("a", a.0, a.1), ("b", b.0, b.1)])),
            |_, _| {},
        )
    };
    let call = |a: (u32, u32), b: (u32, u32)| {
        let queues = |broker: &str, (read, write)| BrokerQueues {
            broker: broker.into(),
            read_queue_num: Some(read),
            write_queue_num: Some(write),
        };
        vec![update(|u| u.queues = vec![queues("a", a), queues("b", b)])]
    };
    let mut topic = topic(wish((2, 2), (2, 2)));
    look(&mut topic, "4.8.0", Found::Absent, |_, _| {});
    says(&idle(&see(&mut topic, (2, 2), (2, 2))), "Healthy, Rest: 4 queues");
    spec(&mut topic, wish((3, 2), (1, 1)));
    // Writing ends first.
    assert_eq!(see(&mut topic, (2, 2), (2, 2)).steps, call((3, 2), (2, 1)));
    assert_eq!(see(&mut topic, (3, 2), (2, 1)).steps, call((3, 2), (1, 1)));
    says(&idle(&see(&mut topic, (3, 2), (1, 1))), "Healthy");
    // What grew is told and sent as it is, along with what shrank.
    let plan = see(&mut topic, (3, 1), (1, 2));
    assert_eq!(plan.steps, call((3, 2), (1, 2)));
    let plan = see(&mut topic, (3, 2), (1, 2));
    says(&idle(&plan), "Differing, Rest: 4 queues");
    // Nor is it lowered by an edit of something else.
    let mut other = wish((3, 2), (1, 1));
    other["permission"] = "sub".into();
    spec(&mut topic, other);
    assert_eq!(
        see(&mut topic, (3, 2), (1, 2)).steps,
        [update(|u| u.permission = Some("sub".into()))]
    );
    // Nor if the growth was not seen before.
    let mut unseen = self::topic(wish((2, 2), (1, 1)));
    look(&mut unseen, "4.8.0", Found::Absent, |_, _| {});
    says(&idle(&see(&mut unseen, (2, 2), (1, 1))), "Healthy");
    let mut other = wish((2, 2), (1, 1));
    other["permission"] = "sub".into();
    spec(&mut unseen, other);
    assert_eq!(
        see(&mut unseen, (2, 2), (2, 2)).steps,
        [update(|u| u.permission = Some("sub".into()))]
    );
    // A broker that does not have the topic cannot be given it.
    let mut half = self::topic(wish((2, 2), (2, 2)));
    let plan = look(&mut half, "4.8.0", Found::There(spread(&[("a", 2, 2)])), |_, _| {});
    says(
        &idle(&plan),
        "spec.rocketmq.queues[b] of topic orders is none in the cloud and cannot become 2;",
    );
}

#[test]
fn numbers_that_are_not_told_are_not_compared() {
    let mut adopted = topic(json!({"queueNum": 4, "readQueueNum": 4, "writeQueueNum": 3, "permission": "pub"}));
    let bare = rocketmq::Topic {
        name: "orders".into(),
        total_read_queue_num: None,
        total_write_queue_num: None,
        permission: None,
        brokers: None,
        message_type: None,
    };
    says(&idle(&plain(&mut adopted, bare)), "Healthy");
}

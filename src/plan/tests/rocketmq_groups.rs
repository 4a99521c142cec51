//! What a user sees of a consumer group of a RocketMQ instance.

use serde_json::{Value, json};

use super::child::{Found, Seen};
use super::consumer_group::Step;
use super::consumer_group::rocketmq::plan;
use super::groups::Shown;
use super::rocketmq_topics::host;
use super::*;
use crate::api::ConsumerGroup;
use crate::cloud::rocketmq::{CreateGroup, Group, UpdateGroup, UpdateGroupBrokers};

pub(super) fn group(rocketmq: Value) -> ConsumerGroup {
    serde_json::from_value(json!({
        "apiVersion": "dms.huaweicloud.com/v1alpha1", "kind": "ConsumerGroup",
        "metadata": {"name": "billing", "namespace": "shop", "generation": 1},
        "spec": {"instanceRef": {"kind": "RocketMQInstance", "name": "shop"}, "rocketmq": rocketmq},
    }))
    .unwrap()
}

/// As it is made where nobody says more, on 5.x.
pub(super) fn there() -> Group {
    Group {
        name: "billing".into(),
        description: None,
        enabled: Some(true),
        broadcast: Some(false),
        retry_max_time: Some(16),
        consume_orderly: Some(false),
        brokers: Some(vec!["b".into(), "a".into()]),
        created_at: None,
    }
}

/// The same on 4.8.0, on these brokers.
fn on_4(brokers: &[&str]) -> Group {
    Group {
        consume_orderly: None,
        brokers: Some(brokers.iter().map(ToString::to_string).collect()),
        ..there()
    }
}

fn look(
    group: &mut ConsumerGroup,
    version: &str,
    found: Found<Group>,
    tweak: impl FnOnce(&mut Facts<'_>, &mut Seen<Group>),
) -> Shown {
    look_at(plan, group, found, |f, s| {
        s.host = host(version);
        tweak(f, s);
    })
}

fn plain(group: &mut ConsumerGroup, version: &str, found: Found<Group>) -> Shown {
    look(group, version, found, |_, _| {})
}

fn served(rocketmq: Value, version: &str, found: Group) -> ConsumerGroup {
    let mut group = group(rocketmq);
    plain(&mut group, version, Found::Absent);
    let plan = plain(&mut group, version, Found::There(found));
    assert_eq!(plan.next, Next::Rest, "{plan:?}");
    group
}

/// A change of all that the service wants to be told, on 5.x.
fn update(change: impl FnOnce(&mut UpdateGroup)) -> Step {
    let mut update = UpdateGroup {
        name: "billing".into(),
        enabled: Some(true),
        broadcast: Some(false),
        retry_max_time: Some(16),
        consume_orderly: Some(false),
        description: None,
    };
    change(&mut update);
    Step::UpdateRocketMq(update)
}

#[test]
fn a_group_is_made_with_what_the_spec_says_and_the_operators_own_defaults() {
    let made = |change: fn(&mut CreateGroup)| {
        let mut group = CreateGroup {
            name: "billing".into(),
            description: None,
            enabled: Some(true),
            broadcast: Some(false),
            retry_max_time: Some(16),
            consume_orderly: Some(false),
            brokers: vec![],
        };
        change(&mut group);
        group
    };
    for (version, spec, description, expected) in [
        ("5.x", json!({}), None, made(|_| ())),
        (
            "5.x",
            json!({"enabled": false, "broadcast": true, "maxRetries": 3, "consumeOrderly": true}),
            Some("mine"),
            made(|g| {
                (g.enabled, g.broadcast, g.retry_max_time) = (Some(false), Some(true), Some(3));
                (g.consume_orderly, g.description) = (Some(true), Some("mine".into()));
            }),
        ),
        (
            "4.8.0",
            json!({"brokers": ["b", "a"]}),
            Some(""),
            made(|g| {
                (g.consume_orderly, g.description) = (None, Some(String::new()));
                g.brokers = vec!["a".into(), "b".into()];
            }),
        ),
    ] {
        let mut group = group(spec);
        group.spec.description = description.map(Into::into);
        let plan = plain(&mut group, version, Found::Absent);
        assert_eq!(
            told(&plan),
            "Creating, Soon: creates consumer group billing, and waits until it is listed"
        );
        assert_eq!(plan.steps, [Step::CreateRocketMq(expected)]);
    }
    // Without any settings too.
    let mut bare = group(json!(null));
    assert_eq!(
        plain(&mut bare, "5.x", Found::Absent).steps,
        [Step::CreateRocketMq(made(|_| ()))]
    );
}

#[test]
fn what_a_version_lacks_or_does_not_know_is_named_whether_the_group_is_there_or_not() {
    for (version, spec, only_absent, why) in [
        (
            "4.8.0",
            json!({}),
            true,
            "spec.rocketmq.brokers is needed to create it on an instance of version 4.8.0; its brokers are a, b",
        ),
        (
            "4.8.0",
            json!({"brokers": ["a"], "consumeOrderly": false}),
            false,
            "spec.rocketmq.consumeOrderly is for instances of version 5.x, and this one is 4.8.0: leave it out",
        ),
        (
            "4.8.0",
            json!({"brokers": ["c"]}),
            false,
            "spec.rocketmq.brokers: the instance has no broker c; its brokers are a, b",
        ),
        (
            "5.x",
            json!({"brokers": ["a"], "enabled": false}),
            false,
            "spec.rocketmq.brokers is for instances of version 4.8.0, and this one is 5.x: leave it out",
        ),
    ] {
        let mut new = group(spec.clone());
        let plan = plain(&mut new, version, Found::Absent);
        let expected = format!("Stopped/InvalidSpec, Stop 30 min: consumer group billing does not exist, and {why}");
        assert_eq!(idle(&plan), expected);
        assert!(!plan.status.core.stands_for_something());
        let found = || Found::There(if version == "5.x" { there() } else { on_4(&["a", "b"]) });
        let mut old = group(json!({}));
        says(&idle(&plain(&mut old, version, found())), "Healthy");
        if !only_absent {
            let expected = format!("Edit stopped/InvalidSpec, Stop 30 min: {why}");
            assert_eq!(idle(&plain(&mut new, version, found())), expected);
            edit(&mut old, |old| old.spec.rocketmq = group(spec).spec.rocketmq);
            assert_eq!(idle(&plain(&mut old, version, found())), expected);
        }
    }
}

#[test]
fn a_change_sends_back_as_it_was_read_what_the_spec_leaves_out() {
    let theirs = || Group {
        description: Some("theirs".into()),
        enabled: Some(false),
        broadcast: Some(true),
        retry_max_time: Some(5),
        consume_orderly: Some(true),
        ..there()
    };
    type Change = fn(&mut UpdateGroup);
    let rows: [(Value, &str, Change); 4] = [
        (json!({"enabled": true}), "spec.rocketmq.enabled", |u| {
            u.enabled = Some(true)
        }),
        (json!({"broadcast": false}), "spec.rocketmq.broadcast", |u| {
            u.broadcast = Some(false)
        }),
        (json!({"maxRetries": 7}), "spec.rocketmq.maxRetries", |u| {
            u.retry_max_time = Some(7)
        }),
        (json!({"consumeOrderly": false}), "spec.rocketmq.consumeOrderly", |u| {
            u.consume_orderly = Some(false)
        }),
    ];
    for (spec, field, change) in rows {
        let mut group = served(json!({}), "5.x", theirs());
        edit(&mut group, |g| g.spec.rocketmq = self::group(spec).spec.rocketmq);
        let plan = plain(&mut group, "5.x", Found::There(theirs()));
        let expected = update(|u| {
            (u.enabled, u.broadcast, u.retry_max_time) = (Some(false), Some(true), Some(5));
            (u.consume_orderly, u.description) = (Some(true), Some("theirs".into()));
            change(u);
        });
        assert_eq!(plan.steps, [expected]);
        assert_eq!(told(&plan), format!("Updating/Updating, Soon: changes {field}"));
        // The same difference, without an edit, is drift.
        group.status.as_mut().unwrap().core.applied_generation = group.metadata.generation;
        let plan = plain(&mut group, "5.x", Found::There(theirs()));
        assert_eq!(told(&plan), format!("Correcting, Soon: puts back {field}"));
    }
    // What a read leaves out is unknown; what must be sent all the same is what a new group has.
    let untold = || Group {
        enabled: None,
        broadcast: None,
        retry_max_time: None,
        consume_orderly: None,
        ..there()
    };
    let mut group = served(json!({"enabled": true, "consumeOrderly": true}), "5.x", untold());
    edit(&mut group, |g| g.spec.description = Some("mine".into()));
    let plan = plain(&mut group, "5.x", Found::There(untold()));
    let expected = update(|u| (u.consume_orderly, u.description) = (Some(true), Some("mine".into())));
    assert_eq!(plan.steps, [expected]);
}

#[test]
fn a_description_is_cleared_by_an_empty_one() {
    for (wanted, found, sent) in [
        (None, Some("theirs"), None),
        (Some(""), None, None),
        (Some(""), Some("theirs"), Some("")),
        (Some("mine"), None, Some("mine")),
    ] {
        let mut group = group(json!({}));
        group.spec.description = wanted.map(Into::into);
        let found = Group {
            description: found.map(Into::into),
            ..there()
        };
        let step = sent.map(|text: &str| update(|u| u.description = Some(text.into())));
        assert_eq!(
            plain(&mut group, "5.x", Found::There(found)).steps,
            Vec::from_iter(step)
        );
    }
}

#[test]
fn brokers_change_by_a_call_of_their_own_after_the_rest() {
    let mut group = served(json!({"brokers": ["a"]}), "4.8.0", on_4(&["a"]));
    edit(&mut group, |g| {
        g.spec.rocketmq = self::group(json!({"brokers": ["b", "a"], "enabled": false}))
            .spec
            .rocketmq;
    });
    let plan = plain(&mut group, "4.8.0", Found::There(on_4(&["a"])));
    let moves = Step::MoveRocketMq(UpdateGroupBrokers {
        name: "billing".into(),
        enabled: false,
        broadcast: false,
        retry_max_time: 16,
        brokers: vec!["a".into(), "b".into()],
    });
    let rest = update(|u| (u.enabled, u.consume_orderly) = (Some(false), None));
    assert_eq!(plan.steps, [rest, moves.clone()]);
    let half = || Group {
        enabled: Some(false),
        ..on_4(&["a"])
    };
    let plan = plain(&mut group, "4.8.0", Found::There(half()));
    assert_eq!(plan.steps, [moves]);
    assert_eq!(told(&plan), "Updating/Updating, Soon: changes spec.rocketmq.brokers");
    // In any order, and only if they are told.
    let done = |brokers| Group { brokers, ..half() };
    for brokers in [Some(vec!["b".into(), "a".into()]), None] {
        let plan = plain(&mut group, "4.8.0", Found::There(done(brokers)));
        assert_eq!(idle(&plan), "Healthy, Rest: disabled, clustering, 16 retries");
    }
}

#[test]
fn a_change_that_fails_after_it_was_accepted_stops_until_somebody_asks() {
    let mut group = served(json!({}), "5.x", there());
    edit(&mut group, |g| g.spec.rocketmq.as_mut().unwrap().enabled = Some(false));
    let first = plain(&mut group, "5.x", Found::There(there()));
    let core = &mut group.status.as_mut().unwrap().core;
    core.operation = Some(begun(core, "UpdateGroup", Some("j1".into()), at(0)));
    let see = |group: &mut ConsumerGroup, job, requested| {
        look(group, "5.x", Found::There(there()), |f, _| {
            (f.job, f.requested) = (job, requested)
        })
    };
    let failed = || Some(Job::Failed("job j1 ended FAILED".into()));
    says(
        &idle(&see(&mut group, Some(Job::Running), None)),
        "consumer group billing is being changed",
    );
    says(
        &idle(&see(&mut group, failed(), None)),
        "Edit stopped/CloudFailed, Stop 30 min: changing consumer group billing failed: job j1 ended FAILED;",
    );
    says(&idle(&see(&mut group, failed(), Some("now"))), "tries again");
    assert_eq!(see(&mut group, None, Some("now")).steps, first.steps);
}

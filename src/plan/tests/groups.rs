//! What a user sees of a consumer group of a Kafka instance, which clients make too.

use serde_json::json;

use super::child::{Found, Seen};
use super::consumer_group::Step;
use super::consumer_group::kafka::plan;
use super::*;
use crate::api::{ConsumerGroup, ConsumerGroupStatus};
use crate::cloud::kafka::{CreateGroup, Group};

pub(super) type Shown = Plan<ConsumerGroupStatus, Step>;

pub(super) fn group(description: Option<&str>) -> ConsumerGroup {
    serde_json::from_value(json!({
        "apiVersion": "dms.huaweicloud.com/v1alpha1", "kind": "ConsumerGroup",
        "metadata": {"name": "billing", "namespace": "shop", "generation": 1},
        "spec": {"instanceRef": {"kind": "KafkaInstance", "name": "events"}, "description": description},
    }))
    .unwrap()
}

pub(super) fn there(state: &str, description: Option<&str>) -> Group {
    Group {
        name: "billing".into(),
        description: description.map(Into::into),
        state: Some(state.into()),
        lag: Some(7),
        created_at: None,
    }
}

fn look(group: &mut ConsumerGroup, found: Found<Group>, tweak: impl FnOnce(&mut Facts<'_>, &mut Seen<Group>)) -> Shown {
    look_at(plan, group, found, tweak)
}

fn plain(group: &mut ConsumerGroup, found: Found<Group>) -> Shown {
    look(group, found, |_, _| {})
}

fn leave(group: &mut ConsumerGroup, found: Found<Group>) -> Shown {
    look(group, found, |f, _| f.deleting = true)
}

#[test]
fn a_group_that_a_client_made_is_taken_over_and_stays_when_its_object_goes() {
    let mut adopted = group(None);
    let plan = plain(&mut adopted, Found::There(there("STABLE", None)));
    assert_eq!(idle(&plan), "Healthy, Rest: consumer group billing is there");
    let core = &plan.status.core;
    assert_eq!(core.origin, Some(Origin::Adopted));
    assert!(orphans(adopted.spec.management.deletion, Some(core)));

    let mut made = group(Some("mine"));
    let plan = plain(&mut made, Found::Absent);
    assert_eq!(
        told(&plan),
        "Creating, Soon: creates consumer group billing, and waits until it is listed"
    );
    let create = CreateGroup {
        name: "billing".into(),
        description: Some("mine".into()),
    };
    assert_eq!(plan.steps, [Step::CreateKafka(create)]);
    let core = plain(&mut made, Found::There(there("EMPTY", Some("mine")))).status.core;
    assert_eq!(core.origin, Some(Origin::Created));
    assert!(!orphans(made.spec.management.deletion, Some(&core)));
}

#[test]
fn a_description_that_was_never_set_is_none() {
    for (wanted, found, sent) in [
        (None, Some("theirs"), None),
        (Some(""), None, None),
        (Some(""), Some(""), None),
        (Some(""), Some("theirs"), Some("")),
        (Some("mine"), None, Some("mine")),
        (Some("mine"), Some("mine"), None),
    ] {
        let plan = plain(&mut group(wanted), Found::There(there("EMPTY", found)));
        let step = sent.map(|text| Step::DescribeKafka("billing".into(), text.into()));
        assert_eq!(plan.steps, Vec::from_iter(step), "{wanted:?} {found:?}");
        let observed = plan.status.observed.unwrap().description;
        assert_eq!(observed.as_deref(), found.filter(|text| !text.is_empty()));
    }
}

#[test]
fn nothing_moves_with_the_consumers() {
    let mut group = group(None);
    let first = plain(&mut group, Found::There(there("EMPTY", None)));
    for state in ["STABLE", "PREPARING_REBALANCE", "COMPLETING_REBALANCE", "", "empty"] {
        let found = Group {
            lag: Some(99),
            ..there(state, None)
        };
        assert_eq!(plain(&mut group, Found::There(found)), first, "{state}");
    }
}

#[test]
fn a_dead_group_that_is_still_listed_is_gone() {
    for state in ["DEAD", "Dead"] {
        let dead = || Found::There(there(state, Some("mine")));
        let mut group = group(Some("mine"));
        plain(&mut group, Found::There(there("EMPTY", Some("mine"))));
        let plan = plain(&mut group, dead());
        assert_eq!(
            told(&plan),
            "Creating again, Soon: creates consumer group billing, and waits until it is listed"
        );
        assert_eq!((plan.steps.len(), plan.status.observed), (1, None));
        says(
            &idle(&plain(&mut group, dead())),
            "Creating again, Shows: creates consumer group billing",
        );
        let gone = look(&mut group, dead(), |f, _| (f.deleting, f.now) = (true, at(60)));
        assert_eq!(idle(&gone), "Deleting, Release: consumer group billing is gone");
    }
}

#[test]
fn a_group_with_consumers_is_not_deleted_unless_somebody_asks_for_it() {
    let mut made = group(None);
    plain(&mut made, Found::Absent);
    plain(&mut made, Found::There(there("STABLE", None)));
    for state in [
        "STABLE",
        "PREPARING_REBALANCE",
        "COMPLETING_REBALANCE",
        "PreparingRebalance",
    ] {
        let mut made = made.clone();
        let expected = format!(
            "Deletion stopped/DeletionBlocked, Stop 5 min: consumer group billing has consumers ({state}), and Kafka deletes no \
             such group: stop them; looked at again every 5 min, or tried all the same when reconcile-requested-at is annotated"
        );
        // The deletion of an object is an edit too, but nobody asks for a try by it.
        made.metadata.generation = Some(2);
        assert_eq!(idle(&leave(&mut made, Found::There(there(state, None)))), expected);
        assert_eq!(idle(&leave(&mut made, Found::There(there(state, None)))), expected);
        let ask = |made: &mut ConsumerGroup| {
            look(made, Found::There(there(state, None)), |f, _| {
                (f.deleting, f.requested) = (true, Some("now"))
            })
        };
        assert_eq!(ask(&mut made).steps, [Step::Delete("billing".into())]);
        // Without the guard Kafka would hold it all the same.
        let guarded = look(&mut made.clone(), Found::There(there(state, None)), |f, s| {
            (f.deleting, s.guard) = (true, Guard::Closed("2 clients are online: stop them".into()));
        });
        says(
            &idle(&guarded),
            "is in use: 2 clients are online: stop them; looked at again every 5 min",
        );
        // Once.
        assert_eq!(idle(&ask(&mut made)), expected);
    }
    for state in ["EMPTY", "Empty", "empty", ""] {
        let plan = leave(&mut made.clone(), Found::There(there(state, None)));
        assert_eq!(
            told(&plan),
            "Deleting, Soon: deletes consumer group billing, and waits until it is no longer listed"
        );
        assert_eq!(plan.steps, [Step::Delete("billing".into())]);
    }
    // A state that is not told holds nothing: the service refuses what it cannot delete.
    let untold = Group {
        state: None,
        ..there("", None)
    };
    assert_eq!(leave(&mut made, Found::There(untold)).steps.len(), 1);
}

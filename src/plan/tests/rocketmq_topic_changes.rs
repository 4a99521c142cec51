//! What becomes of changes of a RocketMQ topic: they are accepted with a 204 that names no job, and a description is in no
//! answer.

use serde_json::json;

use super::child::Found;
use super::rocketmq_topics::{absent, accept, look, plain, served, there, topic, update};
use super::*;
use crate::api::Topic;

#[test]
fn a_description_is_sent_once_and_again_after_an_edit_and_told_to_be_unverifiable() {
    let mut topic = topic(json!({"messageType": "NORMAL"}));
    topic.spec.description = Some("mine".into());
    let create = absent(&mut topic, "5.x");
    assert_eq!(create.steps.len(), 1);
    assert_eq!(create.status.unverifiable.iter().collect::<Vec<_>>(), ["description"]);
    for text in ["mine", "other", ""] {
        if text != "mine" {
            edit(&mut topic, |t| t.spec.description = Some(text.into()));
        }
        let plan = plain(&mut topic, there(8, 8));
        assert_eq!(plan.steps, [update(|u| u.description = Some(text.into()))]);
        assert_eq!(told(&plan), "Updating/Updating, Soon: changes spec.description");
        accept(&mut topic, &plan, 0);
        let done = look(&mut topic, "5.x", Found::There(there(8, 8)), |f, _| {
            f.job = Some(Job::Succeeded)
        });
        says(&idle(&done), "Healthy");
        assert_eq!(done.status.sent_description.as_deref(), Some(text));
        says(&idle(&plain(&mut topic, there(8, 8))), "Healthy");
    }
    // Whoever says nothing of it has nothing that could not be verified.
    edit(&mut topic, |t| t.spec.description = None);
    let plan = plain(&mut topic, there(8, 8));
    says(&idle(&plan), "Healthy");
    assert!(plan.status.unverifiable.is_empty());
}

#[test]
fn what_an_adopted_topic_is_described_as_is_not_known_so_that_even_nothing_is_sent() {
    for text in ["mine", ""] {
        let mut adopted = topic(json!({}));
        adopted.spec.description = Some(text.into());
        let plan = plain(&mut adopted, there(8, 8));
        assert_eq!(plan.steps, [update(|u| u.description = Some(text.into()))]);
    }
}

#[test]
fn a_topic_that_vanished_gets_its_description_again() {
    let described = || {
        let mut topic = served(json!({"messageType": "NORMAL"}), there(8, 8));
        edit(&mut topic, |t| t.spec.description = Some("mine".into()));
        let plan = plain(&mut topic, there(8, 8));
        accept(&mut topic, &plan, 0);
        let done = look(&mut topic, "5.x", Found::There(there(8, 8)), |f, _| {
            f.job = Some(Job::Succeeded)
        });
        says(&idle(&done), "Healthy");
        topic
    };
    let expected = [update(|u| u.description = Some("mine".into()))];
    let mut topic = described();
    assert_eq!(
        told(&absent(&mut topic, "5.x")),
        "Creating again, Soon: creates topic orders, and waits until it is listed"
    );
    assert_eq!(plain(&mut topic, there(8, 8)).steps, expected);
    // Also if somebody else makes it while we cannot.
    let mut topic = described();
    let held = look(&mut topic, "5.x", Found::Absent, |_, s| {
        s.held = Some("is EXTENDING".into())
    });
    assert_eq!(idle(&held), "Waiting/InstanceBusy, Moved: is EXTENDING");
    assert_eq!(plain(&mut topic, there(8, 8)).steps, expected);
}

#[test]
fn a_change_that_fails_after_it_was_accepted_stops_and_one_that_no_task_tells_of_is_waited_for() {
    let failed = || Some(Job::Failed("job j1 ended FAILED".into()));
    type Change = fn(&mut Topic);
    let changes: [Change; 2] = [
        |t| t.spec.rocketmq.as_mut().unwrap().queue_num = Some(9),
        |t| t.spec.description = Some("mine".into()),
    ];
    for change in changes {
        let mut topic = served(json!({"messageType": "NORMAL"}), there(8, 8));
        edit(&mut topic, change);
        let first = plain(&mut topic, there(8, 8));
        accept(&mut topic, &first, 0);
        let see = |topic: &mut Topic, job, seconds| {
            look(topic, "5.x", Found::There(there(8, 8)), |f, _| {
                (f.job, f.now) = (job, at(seconds))
            })
        };
        let running = see(&mut topic, Some(Job::Running), 10);
        assert_eq!(idle(&running), "Updating/Updating, Poll: topic orders is being changed");
        let expected = "Edit stopped/CloudFailed, Stop 30 min: changing topic orders failed: job j1 ended FAILED; edit the \
                        spec, or annotate reconcile-requested-at to try again";
        for _ in 0..2 {
            assert_eq!(idle(&see(&mut topic, failed(), 20)), expected);
        }
        let asked = look(&mut topic, "5.x", Found::There(there(8, 8)), |f, _| {
            (f.job, f.requested) = (failed(), Some("now"));
        });
        assert_eq!(idle(&asked), "Updating/Updating, Soon: tries again");
        let again = look(&mut topic, "5.x", Found::There(there(8, 8)), |f, _| {
            f.requested = Some("now")
        });
        assert_eq!(again.steps, first.steps);
    }
    let mut topic = served(json!({"messageType": "NORMAL"}), there(8, 8));
    edit(&mut topic, changes[0]);
    let first = plain(&mut topic, there(8, 8));
    accept(&mut topic, &first, 0);
    let unknown = |topic: &mut Topic, seconds| {
        look(topic, "5.x", Found::There(there(8, 8)), |f, _| {
            (f.job, f.now) = (Some(Job::Unknown), at(seconds))
        })
    };
    let waits = "Updating/Updating, Shows: topic orders was changed; waits until it shows";
    assert_eq!(idle(&unknown(&mut topic, 59)), waits);
    assert_eq!(unknown(&mut topic, 60).steps, first.steps);
}

#[test]
fn a_change_that_failed_because_the_topic_vanished_does_not_stop_its_new_creation() {
    let mut topic = served(json!({"messageType": "NORMAL"}), there(8, 8));
    edit(&mut topic, |t| t.spec.rocketmq.as_mut().unwrap().queue_num = Some(9));
    let plan = plain(&mut topic, there(8, 8));
    accept(&mut topic, &plan, 0);
    let vanished = |topic: &mut Topic, seconds| {
        look(topic, "5.x", Found::Absent, |f, _| {
            (f.job, f.now) = (
                f.core.operation.as_ref().map(|_| Job::Failed("no such topic".into())),
                at(seconds),
            );
        })
    };
    assert_eq!(vanished(&mut topic, 10).steps.len(), 1);
    says(
        &idle(&vanished(&mut topic, 30)),
        "creates topic orders, and waits until it is listed",
    );
}

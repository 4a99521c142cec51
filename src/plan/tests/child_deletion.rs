//! How something goes that a background job deletes: the list may show it longer than the job lasts.

use serde_json::json;

use super::child::Found;
use super::rocketmq_topics::{accept, look, plain, served, there};
use super::topic::Step;
use super::*;
use crate::api::Topic;

fn delete(topic: &mut Topic, job: Option<Job>, seconds: i64) -> super::rocketmq_topics::Shown {
    look(topic, "5.x", Found::There(there(8, 8)), |f, _| {
        (f.deleting, f.job, f.now) = (true, job, at(seconds))
    })
}

/// Its deletion was accepted at the beginning.
fn leaving() -> Topic {
    let mut topic = served(json!({"messageType": "NORMAL"}), there(8, 8));
    let plan = delete(&mut topic, None, 0);
    assert_eq!(
        told(&plan),
        "Deleting, Soon: deletes topic orders, and waits until it is no longer listed"
    );
    assert_eq!(plan.steps, [Step::Delete("orders".into())]);
    let core = &mut topic.status.as_mut().unwrap().core;
    core.operation = Some(begun(core, "DeleteTopic", Some("j1".into()), at(0)));
    topic
}

#[test]
fn a_deletion_is_not_sent_again_while_its_job_runs_or_the_list_lags() {
    let mut topic = leaving();
    assert_eq!(
        idle(&delete(&mut topic, Some(Job::Running), 1800)),
        "Deleting, Poll: a background job on topic orders is under way"
    );
    for job in [Job::Succeeded, Job::Unknown] {
        let mut topic = topic.clone();
        assert_eq!(
            idle(&delete(&mut topic, Some(job.clone()), 59)),
            "Deleting, Shows: deletes topic orders, and waits until it is no longer listed"
        );
        let again = delete(&mut topic.clone(), Some(job), 60);
        assert_eq!(again.steps, [Step::Delete("orders".into())]);
        assert_eq!(again.status.core.operation, None);
        let gone = look(&mut topic, "5.x", Found::Absent, |f, _| {
            (f.deleting, f.now) = (true, at(61))
        });
        assert_eq!(idle(&gone), "Deleting, Release: topic orders is gone");
    }
}

#[test]
fn a_deletion_that_failed_is_told_and_tried_again_after_five_minutes_or_when_somebody_asks() {
    let failed = || Some(Job::Failed("job j1 ended FAILED".into()));
    let mut topic = leaving();
    for seconds in [10, 299] {
        assert_eq!(
            idle(&delete(&mut topic, failed(), seconds)),
            "Deletion stopped/CloudFailed, Stop 5 min: deleting topic orders failed: job j1 ended FAILED; it is tried again \
             every 5 min, or when reconcile-requested-at is annotated"
        );
    }
    assert_eq!(delete(&mut topic.clone(), failed(), 300).steps.len(), 1);
    let asked = look(&mut topic, "5.x", Found::There(there(8, 8)), |f, _| {
        (f.deleting, f.job, f.now, f.requested) = (true, failed(), at(10), Some("now"));
    });
    assert_eq!(asked.steps, [Step::Delete("orders".into())]);
    // The next attempt has its own time.
    let core = &mut topic.status.as_mut().unwrap().core;
    core.operation = Some(begun(core, "DeleteTopic", None, at(10)));
    says(
        &idle(&delete(&mut topic, failed(), 309)),
        "Deletion stopped/CloudFailed",
    );
}

#[test]
fn a_job_that_ended_before_the_deletion_was_a_change_and_holds_nothing() {
    for job in [Job::Succeeded, Job::Unknown, Job::Failed("job j1 ended FAILED".into())] {
        let mut topic = served(json!({"messageType": "NORMAL"}), there(8, 8));
        edit(&mut topic, |t| t.spec.rocketmq.as_mut().unwrap().queue_num = Some(9));
        let plan = plain(&mut topic, there(8, 8));
        accept(&mut topic, &plan, 0);
        let running = delete(&mut topic, Some(Job::Running), 5);
        says(
            &idle(&running),
            "Deleting, Poll: a background job on topic orders is under way",
        );
        let plan = delete(&mut topic, Some(job), 10);
        assert_eq!(
            told(&plan),
            "Deleting, Soon: deletes topic orders, and waits until it is no longer listed"
        );
        assert_eq!(plan.steps, [Step::Delete("orders".into())]);
    }
}

#[test]
fn a_deletion_waits_for_an_instance_that_is_busy() {
    let mut topic = leaving();
    let held = look(&mut topic, "5.x", Found::There(there(8, 8)), |f, s| {
        (f.deleting, f.job, f.now) = (true, Some(Job::Failed("why".into())), at(300));
        s.held = Some("is EXTENDING".into());
    });
    assert_eq!(
        idle(&held),
        "Deleting, Moved: topic orders waits to be deleted: is EXTENDING"
    );
}

#[test]
fn a_guard_holds_the_deletion_until_the_thing_is_used_no_more() {
    let guarded = |topic: &mut Topic, guard: Guard, asks: bool, job: Option<Job>| {
        look(topic, "5.x", Found::There(there(8, 8)), |f, s| {
            (f.deleting, f.requested, f.job, f.now) = (true, asks.then_some("now"), job, at(300));
            s.guard = guard;
        })
    };
    let used = || Guard::Closed("1200 messages wait for consumer group billing: let them be consumed".into());
    let held = "Deletion stopped/DeletionBlocked, Stop 5 min: topic orders is in use: 1200 messages wait for consumer group \
        billing: let them be consumed, or set management.deletionGuard to None; looked at again every 5 min, or when \
        reconcile-requested-at is annotated; a deletion of its namespace waits too";
    let mut topic = served(json!({"messageType": "NORMAL"}), there(8, 8));
    // Whoever asks is told how it is now, and gets no other answer.
    for asks in [false, true] {
        assert_eq!(idle(&guarded(&mut topic, used(), asks, None)), held);
    }
    let turn = Guard::Unknown(Duration::from_secs(7));
    assert_eq!(
        idle(&guarded(&mut topic, turn, false, None)),
        "Deleting, Within(7s): topic orders waits for its turn to be asked about, as management.deletionGuard is InUse"
    );
    let open = guarded(&mut topic, Guard::Open, false, None);
    assert_eq!(open.steps, [Step::Delete("orders".into())]);
    // A deletion that failed begins anew, with the same question.
    let failed = Some(Job::Failed("job j1 ended FAILED".into()));
    assert_eq!(idle(&guarded(&mut leaving(), used(), false, failed)), held);
}

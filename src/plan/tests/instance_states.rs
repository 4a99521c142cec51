//! What a user sees in each state that the service knows, and of the job that grows the storage.

use serde_json::json;

use super::instance::CREATE;
use super::instance::EXTEND_STORAGE;
use super::instance::{Found, Phase};
use super::instances::{accept, in_state, look, nothing, object, plain, running, served, shown};
use super::kafka_instance::Step;
use super::*;
use crate::api::KafkaInstance;

/// Serves with 600 GB, wants 900.
fn growing() -> KafkaInstance {
    let mut object = served(json!({}), shown("RUNNING", json!({})));
    object.spec.instance.storage_space = Some(900);
    object.metadata.generation = Some(2);
    object
}

#[test]
fn each_state_says_who_has_to_move() {
    let mut new = object(json!({}));
    plain(&mut new, nothing());
    accept(&mut new, CREATE, None, 0);
    let old = served(json!({}), shown("RUNNING", json!({})));
    for (state, before, after) in [
        (
            "CREATING",
            "Creating, Poll: being created since 08:00:00Z; this takes 10 to 25 minutes",
            "Creating, Poll",
        ),
        (
            "ERROR",
            "Stopped/CloudFailed, Stop 30 min: creating Kafka instance events ended in state ERROR; delete this object",
            "Stopped/CloudFailed, Stop 30 min: Kafka instance events is in state ERROR; ask the service's support",
        ),
        (
            "FROZEN",
            "Stopped/PaymentRequired",
            "Stopped/PaymentRequired, Stop 30 min: Kafka instance events is FROZEN",
        ),
        ("FREEZING", "Stopped/PaymentRequired", "Stopped/PaymentRequired"),
        (
            "RECYCLE",
            "Stopped/NotFound",
            "Stopped/NotFound, Stop 30 min: Kafka instance events is in the recycle bin",
        ),
        (
            "RESTARTING",
            "Waiting/InstanceBusy, Poll",
            "Waiting/InstanceBusy, Poll: the instance is RESTARTING",
        ),
        ("EXTENDING", "Waiting/InstanceBusy, Poll", "Waiting/InstanceBusy"),
        ("UPGRADING", "Waiting/InstanceBusy", "Waiting/InstanceBusy"),
        ("DELETING", "Waiting/InstanceBusy", "Waiting/InstanceBusy"),
        ("SOMETHING_NEW", "Waiting/InstanceBusy", "Waiting/InstanceBusy"),
        ("", "Waiting/InstanceBusy", "Waiting/InstanceBusy"),
        (
            "RUNNING",
            "Healthy, Rest: RUNNING, 3 brokers, 600 GB",
            "Healthy, Rest: RUNNING, 3 brokers, 600 GB",
        ),
        ("EXTENDEDFAILED", "Healthy", "Healthy, Rest: EXTENDEDFAILED, 3 brokers"),
    ] {
        says(&idle(&plain(&mut new.clone(), in_state(state))), before);
        let plan = plain(&mut old.clone(), in_state(state));
        says(&idle(&plan), after);
        assert_eq!(plan.status.state.is_some(), !state.is_empty());
        let serves = matches!(state, "RUNNING" | "EXTENDEDFAILED");
        assert_eq!(Phase::of(state).serves(), serves, "{state}");
    }
}

#[test]
fn growth_is_a_job_that_is_told_and_waited_for() {
    let mut object = growing();
    let plan = plain(&mut object, running());
    assert_eq!(told(&plan), "Updating/Updating, Soon: changes spec.storageSpace");
    assert_eq!(plan.steps, [Step::ExtendStorage(900)]);
    accept(&mut object, EXTEND_STORAGE, Some("j1"), 0);
    let job = |object: &mut KafkaInstance, found, job| look(object, found, |f, _| f.job = Some(job));
    let waits = job(&mut object, running(), Job::Running);
    assert_eq!(idle(&waits), "Updating/Updating, Poll: ExtendStorage since 08:00:00Z");
    let state = job(&mut object, in_state("EXTENDING"), Job::Running);
    assert_eq!(
        idle(&state),
        "Updating/Updating, Poll: ExtendStorage since 08:00:00Z: state EXTENDING"
    );
    let done = job(
        &mut object,
        Found::There(shown("RUNNING", json!({"total_storage_space": 900}))),
        Job::Succeeded,
    );
    assert_eq!(idle(&done), "Healthy, Rest: RUNNING, 3 brokers, 900 GB");
    assert_eq!(
        (done.status.core.operation, done.status.core.applied_generation),
        (None, Some(2))
    );
}

#[test]
fn growth_without_a_known_job_is_not_begun_twice_at_once() {
    let mut object = growing();
    plain(&mut object, running());
    accept(&mut object, EXTEND_STORAGE, None, 0);
    for job in [None, Some(Job::Unknown)] {
        let look = |seconds| {
            look(&mut object.clone(), running(), |f, _| {
                f.job = job.clone();
                f.now = at(seconds);
            })
        };
        assert_eq!(
            idle(&look(119)),
            "Updating/Updating, Poll: ExtendStorage since 08:00:00Z"
        );
        assert_eq!(look(120).steps, [Step::ExtendStorage(900)]);
    }
}

#[test]
fn growth_that_fails_stops_until_somebody_asks() {
    for (state, job, why) in [
        (
            "EXTENDEDFAILED",
            None,
            "ExtendStorage failed (it ended EXTENDEDFAILED; job j1)",
        ),
        (
            "EXTENDEDFAILED",
            Some(Job::Failed("job j1 ended FAILED".into())),
            "ExtendStorage failed (job j1 ended FAILED; job j1)",
        ),
        (
            "RUNNING",
            Some(Job::Failed("job j1 ended FAILED".into())),
            "ExtendStorage failed (job j1 ended FAILED; job j1)",
        ),
    ] {
        let mut object = growing();
        plain(&mut object, running());
        accept(&mut object, EXTEND_STORAGE, Some("j1"), 0);
        let plan = look(&mut object, in_state(state), |f, _| f.job = job);
        assert_eq!(
            idle(&plan),
            format!(
                "Edit stopped/CloudFailed, Stop 30 min: {why}, state {state}; brokers still serve. Ask the service's \
                 support, then annotate reconcile-requested-at"
            )
        );
        assert_eq!(
            plan.status.core.operation.as_ref().unwrap().failure.as_deref(),
            Some(why)
        );
        // It stays so, also after a restart, and is written down once.
        let second = plain(&mut object, in_state(state));
        says(&idle(&second), "Edit stopped/CloudFailed");
        says(&idle(&second), why);
        assert_eq!(plain(&mut object, in_state(state)).status, second.status);
        let asked = look(&mut object, in_state(state), |f, _| f.requested = Some("now"));
        assert_eq!(asked.steps, [Step::ExtendStorage(900)]);
        assert_eq!(asked.status.core.operation, None);
        assert_eq!(asked.status.core.last_handled_reconcile_at.as_deref(), Some("now"));
    }
}

#[test]
fn growth_whose_job_does_not_end_stops() {
    let mut object = growing();
    plain(&mut object, running());
    accept(&mut object, EXTEND_STORAGE, Some("j1"), 0);
    let late = |seconds| {
        move |f: &mut Facts<'_>, _: &mut super::kafka_instance::Seen| {
            f.job = Some(Job::Running);
            f.now = at(seconds);
        }
    };
    says(
        &idle(&look(&mut object, running(), late(5400))),
        "Updating/Updating, Poll",
    );
    says(
        &idle(&look(&mut object, running(), late(5401))),
        "ExtendStorage failed (its job does not end; job j1)",
    );
}

#[test]
fn a_state_that_we_did_not_cause_is_told_as_such() {
    let mut object = growing();
    assert_eq!(
        idle(&plain(&mut object, in_state("EXTENDING"))),
        "Waiting/InstanceBusy, Poll: the instance is EXTENDING, which we did not ask for; waits for RUNNING"
    );
}

#[test]
fn of_two_objects_for_one_instance_the_other_only_watches() {
    let mut object = growing();
    let plan = look(&mut object, running(), |f, _| {
        f.owner = Some("KafkaInstance shop/first".into())
    });
    assert_eq!(
        idle(&plan),
        "Stopped/Conflict, Stop 30 min: Kafka instance events belongs to KafkaInstance shop/first; \
         delete this object, which leaves the cloud as it is, or let it name something else"
    );
}

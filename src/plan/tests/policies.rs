//! What is only observed, and what is only reported: nothing of it is changed, and all that differs is told.

use serde_json::json;

use super::child::{Found, REPLACE};
use super::topic::Step;
use super::topics::{plain, served, setting, settings, there, topic};
use super::*;
use crate::api::{Correction, Drift, Topic};
use crate::cloud::kafka;

fn observe(topic: &mut Topic) {
    edit(topic, |t| t.spec.management.policy = Policy::Observe);
}

fn manage(topic: &mut Topic) {
    edit(topic, |t| t.spec.management.policy = Policy::Manage);
}

fn report(topic: &mut Topic) {
    edit(topic, |t| t.spec.management.updates = Updates::Report);
}

fn drift_of(topic: &Topic) -> Vec<(String, Correction)> {
    let told = |drift: &Drift| (drift.field.clone(), drift.correction);
    topic.status.as_ref().unwrap().core.drift.iter().map(told).collect()
}

fn core(topic: &Topic) -> &CoreStatus {
    &topic.status.as_ref().unwrap().core
}

/// Observed, whatever exists.
fn observed(kafka: serde_json::Value) -> Topic {
    let mut topic = topic(kafka);
    topic.spec.management.policy = Policy::Observe;
    topic.spec.management.adoption = Adoption::Never;
    topic
}

#[test]
fn what_is_observed_is_compared_where_the_spec_says_something_and_is_nobodys() {
    let mut topic = observed(json!({}));
    assert_eq!(
        idle(&plain(&mut topic, Found::There(there(3)))),
        "Healthy, Rest: 3 partitions, 3 replicas, 72 h"
    );
    let core = core(&topic).clone();
    assert_eq!((core.origin, core.applied_generation), (None, Some(1)));
    assert_eq!(core.external_name.as_deref(), Some("orders"));

    edit(&mut topic, |t| {
        (settings(t).partitions, settings(t).retention_hours) = (Some(2), Some(1));
    });
    let plan = plain(&mut topic, Found::There(there(3)));
    assert_eq!(
        idle(&plan),
        "Differing, Rest: 3 partitions, 3 replicas, 72 h; management.policy is Observe, nothing is changed: \
         spec.kafka.partitions is 3 in the cloud, not 2; spec.kafka.retentionHours is 72 in the cloud, not 1"
    );
    let [ready, _, _, synced] = &*plan.situation.conditions(&plan.status.core.drift, 2, &[], at(0)) else {
        panic!("four")
    };
    assert_eq!((&*ready.status, &*synced.reason), ("True", "DriftFound"));
    assert_eq!(
        synced.message,
        "2 fields differ, first: spec.kafka.partitions wanted 2 found 3; management.policy is Observe, nothing is changed"
    );
    assert_eq!(
        drift_of(&topic),
        [
            ("spec.kafka.partitions".into(), Correction::Impossible),
            ("spec.kafka.retentionHours".into(), Correction::InPlace)
        ]
    );
}

#[test]
fn what_is_observed_and_not_there_is_told_until_it_appears() {
    let mut topic = observed(json!({"partitions": 3}));
    for _ in 0..2 {
        let plan = plain(&mut topic, Found::Absent);
        assert_eq!(
            idle(&plan),
            "Stopped/NotFound, Rest: topic orders of instance i1 does not exist, and is only observed: it is seen when it \
             appears; to have it made, set management.policy to Manage"
        );
        assert!(
            !core(&topic).stands_for_something(),
            "so that its name can be corrected"
        );
    }
    says(&idle(&plain(&mut topic, Found::There(there(3)))), "Healthy, Rest");
    // An adoption is decided when it is to be managed.
    manage(&mut topic);
    says(
        &idle(&plain(&mut topic, Found::There(there(3)))),
        "Stopped/AlreadyExists",
    );
    topic.spec.management.adoption = Adoption::IfExists;
    says(&idle(&plain(&mut topic, Found::There(there(3)))), "Healthy, Rest");
    assert_eq!(core(&topic).origin, Some(Origin::Adopted));
}

#[test]
fn what_we_made_stays_ours_while_it_is_observed_and_no_longer_once_it_is_gone() {
    let ours = || {
        let mut topic = served(
            json!({"partitions": 3, "configs": {"max.message.bytes": "1000"}}),
            there(3),
        );
        assert_eq!(core(&topic).origin, Some(Origin::Created));
        observe(&mut topic);
        edit(&mut topic, |t| settings(t).configs.clear());
        topic
    };
    let mut topic = ours();
    let mut changed = there(4);
    changed.configs = Some(vec![setting("max.message.bytes", "5", Some("1000"))]);
    let plan = plain(&mut topic, Found::There(changed.clone()));
    says(&idle(&plan), "Differing, Rest: 4 partitions");
    assert_eq!(
        core(&topic).drift.len(),
        1,
        "what the spec does not name is not compared"
    );
    manage(&mut topic);
    edit(&mut topic, |t| settings(t).partitions = None);
    let plan = plain(&mut topic, Found::There(changed));
    assert_eq!(core(&topic).origin, Some(Origin::Created));
    assert!(
        format!("{:?}", plan.steps).contains("max.message.bytes"),
        "it is put back now: {plan:?}"
    );

    let mut topic = ours();
    says(&idle(&plain(&mut topic, Found::Absent)), "Stopped/NotFound, Rest");
    assert!(topic.status.as_ref().unwrap().managed_configs.is_empty());
    says(&idle(&plain(&mut topic, Found::There(there(3)))), "Healthy, Rest");
    assert_eq!(core(&topic).origin, None, "somebody else made it");
}

#[test]
fn a_create_under_way_is_waited_for_though_it_is_only_observed_now() {
    let mut topic = topic(json!({"partitions": 3}));
    assert_eq!(plain(&mut topic, Found::Absent).steps.len(), 1);
    observe(&mut topic);
    assert_eq!(
        idle(&plain(&mut topic, Found::Absent)),
        "Creating, Shows: creates topic orders, and waits until it is listed"
    );
    let mut late = topic.clone();
    says(&idle(&plain(&mut topic, Found::There(there(3)))), "Healthy, Rest");
    assert_eq!(core(&topic).origin, Some(Origin::Created));

    let plan = super::topics::look(&mut late, Found::Absent, |f, _| f.now = at(60));
    says(&idle(&plan), "Stopped/NotFound, Rest");
    assert!(!core(&late).stands_for_something());
}

#[test]
fn what_was_only_observed_is_not_touched_where_it_cannot_become_what_the_spec_says() {
    let mut topic = observed(json!({"partitions": 2, "retentionHours": 1}));
    topic.spec.management.adoption = Adoption::IfExists;
    plain(&mut topic, Found::There(there(3)));
    manage(&mut topic);
    for _ in 0..2 {
        let plan = plain(&mut topic, Found::There(there(3)));
        says(
            &idle(&plan),
            "Edit stopped/InvalidSpec, Stop 30 min: spec.kafka.partitions of topic orders is 3",
        );
    }

    use super::rocketmq_topics as rocketmq;
    let mut topic = rocketmq::topic(json!({"messageType": "NORMAL", "readQueueNum": 4}));
    observe(&mut topic);
    for _ in 0..2 {
        says(&idle(&rocketmq::plain(&mut topic, rocketmq::there(8, 8))), "Differing");
    }
    manage(&mut topic);
    says(
        &idle(&rocketmq::plain(&mut topic, rocketmq::there(8, 8))),
        "Edit stopped/InvalidSpec",
    );
}

#[test]
fn under_report_an_edit_is_looked_at_and_changes_nothing() {
    let mut topic = served(json!({"partitions": 3, "retentionHours": 72}), there(3));
    report(&mut topic);
    edit(&mut topic, |t| {
        (settings(t).partitions, settings(t).retention_hours) = (Some(6), Some(1));
        settings(t).configs = [("max.message.bytes".to_owned(), "5".to_owned())].into();
    });
    let plan = plain(&mut topic, Found::There(there(3)));
    assert_eq!(
        idle(&plan),
        "Differing, Rest: 3 partitions, 3 replicas, 72 h; management.updates is Report, nothing is changed: \
         spec.kafka.partitions is 3 in the cloud, not 6; spec.kafka.retentionHours is 72 in the cloud, not 1; \
         spec.kafka.configs[max.message.bytes] is 1000 in the cloud, not 5"
    );
    assert_eq!(core(&topic).applied_generation, Some(3));
    assert_eq!(
        drift_of(&topic).into_iter().map(|(_, how)| how).collect::<Vec<_>>(),
        [Correction::InPlace; 3],
        "as it would be mended"
    );
    assert!(
        topic.status.as_ref().unwrap().managed_configs.is_empty(),
        "what was not set is not ours to reset"
    );
    edit(&mut topic, |t| t.spec.management.updates = Updates::Apply);
    let plan = plain(&mut topic, Found::There(there(3)));
    says(&told(&plan), "Updating/Updating, Soon: changes spec.kafka.partitions");
    assert_eq!(plan.steps.len(), 1);
}

#[test]
fn under_report_it_is_made_and_made_again_but_not_put_back() {
    let mut topic = topic(json!({"partitions": 3}));
    topic.spec.management.updates = Updates::Report;
    let made = |plan: Plan<_, Step>| assert!(matches!(&*plan.steps, [Step::CreateKafka(_)]), "{plan:?}");
    made(plain(&mut topic, Found::Absent));
    says(&idle(&plain(&mut topic, Found::There(there(3)))), "Healthy, Rest");
    says(&idle(&plain(&mut topic, Found::There(there(2)))), "Differing, Rest");
    made(plain(&mut topic, Found::Absent));
    // What exists and cannot become what the spec says is told, not refused.
    settings(&mut topic).partitions = Some(1);
    topic.metadata.generation = Some(9);
    says(&idle(&plain(&mut topic, Found::There(there(3)))), "Differing, Rest");
}

#[test]
fn a_change_that_failed_is_not_asked_for_again_where_nothing_is_changed() {
    for hands_off in [observe, report] {
        let mut topic = served(json!({"partitions": 3}), there(3));
        let status = &mut topic.status.as_mut().unwrap().core;
        status.operation = Some(begun(status, "UpdateTopic", None, at(0)));
        hands_off(&mut topic);
        let found = || Found::There(there(2));
        let running = super::topics::look(&mut topic, found(), |f, _| f.job = Some(Job::Running));
        says(
            &idle(&running),
            "Updating/Updating, Poll: topic orders is being changed",
        );
        let failed = Some(Job::Failed("job j1 ended FAILED".into()));
        let plan = super::topics::look(&mut topic, found(), |f, _| f.job = failed);
        says(&idle(&plan), "Differing, Rest");
        assert_eq!(plan.status.core.operation, None);
    }
}

#[test]
fn what_nobody_can_read_is_compared_only_where_it_is_known() {
    use super::rocketmq_topics as rocketmq;
    let described = |change: fn(&mut Topic)| {
        let mut topic = rocketmq::topic(json!({"messageType": "NORMAL"}));
        topic.spec.description = Some("d".into());
        change(&mut topic);
        topic
    };
    for hands_off in [observe, report] {
        let mut theirs = described(hands_off);
        says(
            &idle(&rocketmq::plain(&mut theirs, rocketmq::there(8, 8))),
            "Healthy, Rest",
        );
    }
    let mut ours = described(report);
    rocketmq::absent(&mut ours, "5.x");
    for _ in 0..2 {
        says(
            &idle(&rocketmq::plain(&mut ours, rocketmq::there(8, 8))),
            "spec.description is not known in the cloud, not d",
        );
    }
    let mut nonsense = rocketmq::topic(json!({"brokers": ["a"]}));
    observe(&mut nonsense);
    says(
        &idle(&rocketmq::plain(&mut nonsense, rocketmq::there(8, 8))),
        "Healthy, Rest: 8 queues, NORMAL, permission all; spec.rocketmq.brokers is for instances of version 4.8.0",
    );
}

#[test]
fn a_quota_that_is_observed_may_have_any_rate_that_the_spec_leaves_out() {
    use super::quotas::{cloud, look, quota};
    let found = || Found::There(cloud(Some(1), Some(7)));
    let mut any = quota(json!({"management": {"policy": "Observe"}}));
    says(
        &idle(&look(&mut any, found(), |_, _| {})),
        "Healthy, Rest: produce 1 B/s",
    );
    let mut one = quota(json!({"consumerByteRate": 8, "management": {"policy": "Observe"}}));
    says(
        &idle(&look(&mut one, found(), |_, _| {})),
        "spec.consumerByteRate is 7 in the cloud, not 8",
    );
    assert_eq!(one.status.unwrap().core.drift.len(), 1);

    // Under Report a rate that is left out should not be there, and stays.
    let mut reported = quota(json!({"consumerByteRate": 7, "management": {"updates": "Report"}}));
    let plan = look(&mut reported, found(), |_, _| {});
    says(&idle(&plan), "spec.producerByteRate is 1 in the cloud, not none");
    // One that was deleted to be made anew is made anew all the same.
    let core = &mut reported.status.as_mut().unwrap().core;
    core.operation = Some(begun(core, REPLACE, Some("j1".into()), at(0)));
    let lagging = look(&mut reported, found(), |f, _| f.job = Some(Job::Succeeded));
    says(&idle(&lagging), "Shows: quota user=app was deleted to be made anew");
    let gone = look(&mut reported, Found::Absent, |f, _| f.job = Some(Job::Succeeded));
    assert_eq!(gone.steps.len(), 1, "{gone:?}");
}

#[test]
fn an_observed_group_that_kafka_dropped_is_not_there() {
    use super::groups::{group, there};
    let mut observed = group(Some("ours"));
    observed.spec.management.policy = Policy::Observe;
    let decide = consumer_group::kafka::plan;
    let mut at = |found: kafka::Group| look_at(decide, &mut observed, Found::There(found), |_, _| {});
    says(&idle(&at(there("DEAD", None))), "Stopped/NotFound, Rest");
    says(&idle(&at(there("EMPTY", Some("ours")))), "Healthy, Rest");
    says(
        &idle(&at(there("EMPTY", Some("theirs")))),
        "spec.description is theirs in the cloud, not ours",
    );
}

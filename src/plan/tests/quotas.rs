//! What a user sees of a quota.

use serde_json::{Value, json};

use super::child::{Found, REPLACE};
use super::kafka_user_quota::{Seen, Step, identity, name, plan};
use super::*;
use crate::api::{KafkaUserQuota, KafkaUserQuotaStatus};
use crate::cloud::kafka::{Quota, QuotaIdentity};

pub(super) fn quota(rates: Value) -> KafkaUserQuota {
    let mut spec = json!({"instanceRef": {"name": "events"}, "user": "app"});
    spec.as_object_mut().unwrap().extend(rates.as_object().unwrap().clone());
    serde_json::from_value(json!({
        "apiVersion": "dms.huaweicloud.com/v1alpha1", "kind": "KafkaUserQuota",
        "metadata": {"name": "app", "namespace": "shop", "generation": 1}, "spec": spec,
    }))
    .unwrap()
}

pub(super) fn cloud(produce: Option<u64>, consume: Option<u64>) -> Quota {
    Quota {
        identity: QuotaIdentity {
            user: "app".into(),
            ..Default::default()
        },
        producer_byte_rate: produce,
        consumer_byte_rate: consume,
    }
}

/// One look; what is decided is written down.
pub(super) fn look(
    quota: &mut KafkaUserQuota,
    found: Found<Quota>,
    tweak: impl FnOnce(&mut Facts<'_>, &mut Seen),
) -> Plan<KafkaUserQuotaStatus, Step> {
    look_at(plan, quota, found, tweak)
}

fn plain(quota: &mut KafkaUserQuota, found: Found<Quota>) -> Plan<KafkaUserQuotaStatus, Step> {
    look(quota, found, |_, _| {})
}

fn begin(quota: &mut KafkaUserQuota, operation: &str) {
    let core = &mut quota.status.as_mut().unwrap().core;
    core.operation = Some(begun(core, operation, Some("j1".into()), at(0)));
}

fn with_job(quota: &mut KafkaUserQuota, found: Found<Quota>, job: Job) -> Plan<KafkaUserQuotaStatus, Step> {
    look(quota, found, |f, _| f.job = Some(job))
}

fn failed() -> Job {
    Job::Failed("job j1 ended FAILED".into())
}

/// A quota that is as it should be.
fn served(origin: Origin) -> KafkaUserQuota {
    let mut quota = quota(json!({"producerByteRate": "1Mi", "consumerByteRate": 7}));
    if origin == Origin::Created {
        plain(&mut quota, Found::Absent);
    }
    let plan = plain(&mut quota, Found::There(cloud(Some(1 << 20), Some(7))));
    assert_eq!(idle(&plan), "Healthy, Rest: produce 1 MiB/s, consume 7 B/s");
    assert_eq!(plan.status.core.origin, Some(origin));
    quota
}

#[test]
fn an_identity_has_one_name() {
    for (fields, expected) in [
        (json!({}), "user=app"),
        (json!({"client": "c"}), "user=app,client=c"),
        (
            json!({"user": null, "userDefault": true, "clientDefault": true}),
            "user=<default>,client=<default>",
        ),
        (json!({"user": null, "client": "c"}), "client=c"),
    ] {
        assert_eq!(name(&identity(&quota(fields))), expected);
    }
}

#[test]
fn a_quota_is_created_by_a_job_that_is_waited_for() {
    let mut quota = quota(json!({"producerByteRate": "1Mi"}));
    let plan = plain(&mut quota, Found::Absent);
    assert_eq!(plan.steps, [Step::Create(cloud(Some(1 << 20), None))]);
    assert_eq!(plan.status.core.external_name.as_deref(), Some("user=app"));
    begin(&mut quota, "CreateQuota");
    let late = |job| move |f: &mut Facts<'_>, _: &mut Seen| (f.job, f.now) = (Some(job), at(600));
    let waits = look(&mut quota, Found::Absent, late(Job::Running));
    assert_eq!(idle(&waits), "Creating, Poll: quota user=app is being created");
    let stop = look(&mut quota.clone(), Found::Absent, late(failed()));
    assert_eq!(
        idle(&stop),
        "Stopped/CloudFailed, Stop 30 min: creating quota user=app failed: job j1 ended FAILED; edit the spec, or annotate \
         reconcile-requested-at to try again"
    );
    let asked = look(&mut quota, Found::Absent, |f, s| {
        late(failed())(f, s);
        f.requested = Some("now");
    });
    assert_eq!(
        (asked.next, asked.status.core.create_intent.clone()),
        (Next::Soon, None)
    );
    assert_eq!(plain(&mut quota, Found::Absent).steps.len(), 1);
}

#[test]
fn a_job_that_does_not_end_has_failed() {
    let mut quota = served(Origin::Created);
    begin(&mut quota, "UpdateQuota");
    for (seconds, expected) in [(5400, "Correcting, Poll"), (5401, "Edit stopped/CloudFailed")] {
        let plan = look(&mut quota, Found::There(cloud(Some(1), Some(7))), |f, _| {
            (f.job, f.now) = (Some(Job::Running), at(seconds));
        });
        says(&idle(&plan), expected);
    }
}

#[test]
fn both_rates_go_into_an_update() {
    let mut quota = served(Origin::Created);
    let plan = plain(&mut quota, Found::There(cloud(Some(5), Some(7))));
    assert_eq!(told(&plan), "Correcting, Soon: puts back spec.producerByteRate");
    assert_eq!(plan.steps, [Step::Update(cloud(Some(1 << 20), Some(7)))]);
    begin(&mut quota, "UpdateQuota");
    let waits = with_job(&mut quota, Found::There(cloud(Some(5), Some(7))), Job::Running);
    assert_eq!(idle(&waits), "Correcting, Poll: quota user=app is being changed");
    let stop = with_job(&mut quota, Found::There(cloud(Some(5), Some(7))), failed());
    says(
        &idle(&stop),
        "Edit stopped/CloudFailed, Stop 30 min: changing quota user=app failed: job j1 ended FAILED",
    );
    // If it took effect all the same, all is well.
    let fine = with_job(&mut quota, Found::There(cloud(Some(1 << 20), Some(7))), failed());
    says(&idle(&fine), "Healthy");
    assert_eq!(fine.status.core.operation, None);
}

#[test]
fn an_update_that_failed_because_the_quota_vanished_makes_it_anew() {
    let mut quota = served(Origin::Created);
    begin(&mut quota, "UpdateQuota");
    let plan = with_job(&mut quota, Found::Absent, failed());
    assert_eq!(
        told(&plan),
        "Creating again, Soon: creates quota user=app, and waits until it is listed"
    );
}

#[test]
fn a_rate_that_is_dropped_takes_a_new_quota_and_keeps_its_origin() {
    let mut quota = served(Origin::Adopted);
    quota.spec.consumer_byte_rate = None;
    quota.metadata.generation = Some(2);
    let old = || Found::There(cloud(Some(1 << 20), Some(7)));
    let who = cloud(None, None).identity;
    let replace = [Step::Replace(who), Step::Create(cloud(Some(1 << 20), None))];
    assert_eq!(plain(&mut quota, old()).steps, replace);
    begin(&mut quota, REPLACE);
    assert_eq!(
        idle(&with_job(&mut quota, old(), Job::Running)),
        "Updating/Updating, Poll: quota user=app is being changed"
    );
    // The list lags behind the job.
    assert_eq!(with_job(&mut quota, old(), Job::Succeeded).steps, replace);
    let plan = with_job(&mut quota, Found::Absent, Job::Succeeded);
    assert_eq!(
        told(&plan),
        "Updating/Updating, Soon: creates quota user=app, and waits until it is listed"
    );
    assert_eq!(plan.steps, replace[1..]);
    begin(&mut quota, "CreateQuota");
    let done = with_job(&mut quota, Found::There(cloud(Some(1 << 20), None)), Job::Succeeded);
    assert_eq!(idle(&done), "Healthy, Rest: produce 1 MiB/s");
    assert_eq!(done.status.core.origin, Some(Origin::Adopted));
    assert_eq!(done.status.core.operation, None);
}

#[test]
fn a_rate_of_zero_means_none() {
    let mut quota = quota(json!({"producerByteRate": 5}));
    says(
        &idle(&plain(&mut quota, Found::There(cloud(Some(5), Some(0))))),
        "Healthy, Rest: produce 5 B/s",
    );
}

#[test]
fn a_rate_that_is_no_number_is_refused_also_where_the_quota_is_there() {
    let rates = json!({"producerByteRate": "999999999999999Gi"});
    let absent = plain(&mut quota(rates.clone()), Found::Absent);
    says(&idle(&absent), "Stopped/InvalidSpec");
    says(
        &idle(&absent),
        "a rate of 1 to 9223372036854775807 bytes a second in spec.producerByteRate is needed",
    );
    let there = plain(&mut quota(rates), Found::There(cloud(Some(5), None)));
    says(&idle(&there), "Edit stopped/InvalidSpec");
    says(&idle(&there), "spec.producerByteRate");
}

#[test]
fn a_deletion_waits_for_its_job_and_tells_when_it_fails() {
    let mut quota = served(Origin::Created);
    let there = || Found::There(cloud(Some(1 << 20), Some(7)));
    let delete = |quota: &mut KafkaUserQuota, job: Option<Job>, requested| {
        look(quota, there(), |f, _| {
            (f.deleting, f.job, f.requested) = (true, job, requested);
        })
    };
    let who = cloud(None, None).identity;
    assert_eq!(delete(&mut quota, None, None).steps, [Step::Delete(who.clone())]);
    begin(&mut quota, "DeleteQuota");
    let waits = delete(&mut quota, Some(Job::Running), None);
    assert_eq!(
        idle(&waits),
        "Deleting, Poll: a background job on quota user=app is under way"
    );
    let stop = delete(&mut quota, Some(failed()), None);
    assert_eq!(
        idle(&stop),
        "Deletion stopped/CloudFailed, Stop 5 min: deleting quota user=app failed: job j1 ended FAILED; it is \
         tried again every 5 min, or when reconcile-requested-at is annotated"
    );
    assert_eq!(
        delete(&mut quota, Some(failed()), Some("now")).steps,
        [Step::Delete(who)]
    );
}

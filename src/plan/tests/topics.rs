//! What a user sees of a topic.

use serde_json::{Value, json};

use super::child::Found;
use super::topic::Step;
use super::topic::kafka::{Seen, plan};
use super::*;
use crate::api::{Topic, TopicStatus};
use crate::cloud::kafka::{self, CreateTopic, TopicConfig, TopicConfigValue, UpdateTopic};
use crate::cloud::{Class, Error, Operation as Call, Sent};

type Shown = Plan<TopicStatus, Step>;

pub(super) fn topic(kafka: Value) -> Topic {
    serde_json::from_value(json!({
        "apiVersion": "dms.huaweicloud.com/v1alpha1", "kind": "Topic",
        "metadata": {"name": "orders", "namespace": "shop", "generation": 1},
        "spec": {"instanceRef": {"kind": "KafkaInstance", "name": "events"}, "kafka": kafka},
    }))
    .unwrap()
}

pub(super) fn bare(name: &str) -> kafka::Topic {
    serde_json::from_value(json!({ "name": name })).unwrap()
}

pub(super) fn there(partitions: u32) -> kafka::Topic {
    kafka::Topic {
        partitions: Some(partitions),
        replication: Some(3),
        retention_hours: Some(72),
        sync_replication: Some(false),
        sync_message_flush: Some(false),
        configs: Some(vec![
            setting("max.message.bytes", "1000", Some("1000")),
            setting("compression", "lz4", None),
        ]),
        ..bare("orders")
    }
}

pub(super) fn setting(name: &str, value: &str, default: Option<&str>) -> TopicConfigValue {
    TopicConfigValue {
        name: name.into(),
        value: Some(value.into()),
        default_value: default.map(Into::into),
    }
}

pub(super) fn update() -> UpdateTopic {
    UpdateTopic {
        name: "orders".into(),
        ..Default::default()
    }
}

/// One look; what is decided is written down.
pub(super) fn look(
    topic: &mut Topic,
    found: Found<kafka::Topic>,
    tweak: impl FnOnce(&mut Facts<'_>, &mut Seen),
) -> Shown {
    look_at(plan, topic, found, tweak)
}

pub(super) fn plain(topic: &mut Topic, found: Found<kafka::Topic>) -> Shown {
    look(topic, found, |_, _| {})
}

pub(super) fn settings(topic: &mut Topic) -> &mut crate::api::topic::KafkaTopic {
    topic.spec.kafka.as_mut().unwrap()
}

/// A topic that was created and applied.
pub(super) fn served(kafka: Value, found: kafka::Topic) -> Topic {
    let mut topic = topic(kafka);
    plain(&mut topic, Found::Absent);
    let plan = look(&mut topic, Found::There(found), |f, _| f.now = at(5));
    assert_eq!(plan.next, Next::Rest, "{plan:?}");
    topic
}

#[test]
fn a_new_topic_is_written_down_then_created_then_ours() {
    let mut topic = topic(json!({"partitions": 3, "retentionHours": 24, "configs": {"max.message.bytes": "5"}}));
    topic.spec.description = Some("orders".into());
    let plan = plain(&mut topic, Found::Absent);
    assert_eq!(
        told(&plan),
        "Creating, Soon: creates topic orders, and waits until it is listed"
    );
    assert_eq!(
        plan.steps,
        [Step::CreateKafka(CreateTopic {
            name: "orders".into(),
            partitions: Some(3),
            retention_hours: Some(24),
            configs: vec![TopicConfig {
                name: "max.message.bytes".into(),
                value: "5".into()
            }],
            description: Some("orders".into()),
            ..Default::default()
        })]
    );
    let core = &plan.status.core;
    assert_eq!(core.create_intent.as_ref().map(|i| i.time.clone()), Some(written(0)));
    assert_eq!(core.external_name.as_deref(), Some("orders"));
    assert_eq!(core.instance_id.as_deref(), Some("i1"));
    assert_eq!(core.provider, Some(location()));
    assert_eq!((core.origin, core.applied_generation), (None, None));

    // The list lags: it is not sent twice.
    let waits = look(&mut topic, Found::Absent, |f, _| f.now = at(59));
    assert_eq!(
        idle(&waits),
        "Creating, Shows: creates topic orders, and waits until it is listed",
        "nothing new is told meanwhile"
    );
    let mut found = there(3);
    found.retention_hours = Some(24);
    found.description = Some("orders".into());
    found.configs = Some(vec![setting("max.message.bytes", "5", Some("1000"))]);
    let ready = look(&mut topic, Found::There(found), |f, _| f.now = at(60));
    assert_eq!(idle(&ready), "Healthy, Rest: 3 partitions, 3 replicas, 24 h");
    let core = &ready.status.core;
    assert_eq!((core.origin, core.applied_generation), (Some(Origin::Created), Some(1)));
    assert_eq!(
        (core.create_intent.as_ref(), core.served_since.as_deref()),
        (None, Some(&*written(60)))
    );
}

#[test]
fn a_lost_create_is_sent_again_only_when_a_full_list_still_lacks_it() {
    let mut topic = topic(json!({"partitions": 3}));
    plain(&mut topic, Found::Absent);
    let again = look(&mut topic, Found::Absent, |f, _| f.now = at(60));
    assert!(matches!(&again.steps[..], [Step::CreateKafka(_)]));
    let intent = again.status.core.create_intent.unwrap();
    assert_eq!((intent.time, intent.attempts), (written(60), Some(2)));
}

#[test]
fn adoption_decides_about_what_was_there_before_us() {
    let mut takes = topic(json!({"partitions": 3, "configs": {"max.message.bytes": "1000"}}));
    let plan = plain(&mut takes, Found::There(there(3)));
    assert_eq!(idle(&plan), "Healthy, Rest: 3 partitions, 3 replicas, 72 h");
    assert_eq!(plan.status.core.origin, Some(Origin::Adopted));

    let mut never = topic(json!({"partitions": 3, "configs": {"max.message.bytes": "7"}}));
    never.spec.management.adoption = Adoption::Never;
    let plan = plain(&mut never, Found::There(there(3)));
    says(
        &idle(&plan),
        "Stopped/AlreadyExists, Stop 30 min: topic orders is there already; set spec.management.adoption",
    );
    // Nothing says that it is ours.
    assert!(!plan.status.core.stands_for_something());
    assert!(plan.status.managed_configs.is_empty());

    // After a definite refusal of our create, what appears is not ours either.
    let mut refused = topic(json!({"partitions": 3}));
    plain(&mut refused, Found::Absent);
    let no = Error::new(Call::CreateInstanceTopic, Class::AlreadyExists, Sent::Refused, "no");
    fault::create_failed(&mut refused.status.as_mut().unwrap().core, &no, at(0));
    assert_eq!(
        plain(&mut refused, Found::There(there(3))).status.core.origin,
        Some(Origin::Adopted)
    );
}

#[test]
fn a_topic_without_partitions_can_only_be_adopted() {
    let plan = plain(&mut topic(json!({})), Found::Absent);
    assert_eq!(
        idle(&plan),
        "Stopped/InvalidSpec, Stop 30 min: topic orders does not exist, and spec.kafka.partitions is needed to create it"
    );
    says(&idle(&plain(&mut topic(json!({})), Found::There(there(3)))), "Healthy");
}

#[test]
fn a_topic_that_is_gone_is_made_again_and_then_ours() {
    let mut adopted = topic(json!({"partitions": 3}));
    plain(&mut adopted, Found::There(there(3)));
    let gone = plain(&mut adopted, Found::Absent);
    assert_eq!(
        told(&gone),
        "Creating again, Soon: creates topic orders, and waits until it is listed"
    );
    assert_eq!(gone.steps.len(), 1);
    assert_eq!(gone.status.observed, None);
    let back = plain(&mut adopted, Found::There(there(3)));
    assert_eq!(back.status.core.origin, Some(Origin::Created));
}

#[test]
fn of_two_objects_the_other_one_only_watches() {
    let rival = |facts: &mut Facts<'_>, _: &mut Seen| facts.owner = Some("Topic shop/first".into());
    let mut topic = topic(json!({"partitions": 6, "configs": {"max.message.bytes": "7"}}));
    let plan = look(&mut topic, Found::There(there(3)), rival);
    assert_eq!(
        idle(&plan),
        "Stopped/Conflict, Stop 30 min: topic orders of instance i1 belongs to Topic shop/first; \
         delete this object, which leaves the cloud as it is, or let it name something else"
    );
    assert!(plan.status.managed_configs.is_empty());
    assert!(idle(&look(&mut topic, Found::Absent, rival)).starts_with("Stopped/Conflict"));
    let leaves = look(&mut topic, Found::There(there(3)), |f, s| {
        rival(f, s);
        f.deleting = true;
    });
    assert_eq!(
        idle(&leaves),
        "Deleting, Release: topic orders belongs to another object and stays"
    );
}

#[test]
fn while_the_instance_is_busy_nothing_is_sent_and_the_reason_is_told() {
    let held = |_: &mut Facts<'_>, seen: &mut Seen| seen.held = Some("is EXTENDING".into());
    let mut new = topic(json!({"partitions": 3}));
    assert_eq!(
        idle(&look(&mut new, Found::Absent, held)),
        "Waiting/InstanceBusy, Moved: is EXTENDING"
    );
    assert!(!new.status.as_ref().unwrap().core.stands_for_something());
    let mut drifted = served(json!({"partitions": 3, "retentionHours": 72}), there(3));
    let other = || {
        Found::There(kafka::Topic {
            retention_hours: Some(1),
            ..there(3)
        })
    };
    assert_eq!(
        idle(&look(&mut drifted, other(), held)),
        "Correcting, Moved: spec.kafka.retentionHours will be put back: is EXTENDING"
    );
    edit(&mut drifted, |_| {});
    assert_eq!(
        idle(&look(&mut drifted, other(), held)),
        "Updating/InstanceBusy, Moved: is EXTENDING"
    );
    let delete = look(&mut drifted, other(), |f, s| {
        held(f, s);
        f.deleting = true;
    });
    assert_eq!(
        idle(&delete),
        "Deleting, Moved: topic orders waits to be deleted: is EXTENDING"
    );
}

#[test]
fn a_deletion_ends_with_proof_of_absence() {
    let delete = |topic: &mut Topic, found, seconds| {
        look(topic, found, |f, _| {
            f.deleting = true;
            f.now = at(seconds);
        })
    };
    let mut topic = served(json!({"partitions": 3}), there(3));
    assert_eq!(
        delete(&mut topic, Found::There(there(3)), 9).steps,
        [Step::Delete("orders".into())]
    );
    assert_eq!(
        idle(&delete(&mut topic, Found::Absent, 9)),
        "Deleting, Release: topic orders is gone"
    );
    assert_eq!(
        idle(&delete(&mut topic, Found::InstanceGone, 9)),
        "Deleting, Release: topic orders goes with instance i1"
    );
    // A create that was just sent may still take effect.
    let mut young = super::topics::topic(json!({"partitions": 3}));
    plain(&mut young, Found::Absent);
    says(
        &idle(&delete(&mut young, Found::Absent, 59)),
        "Deleting, Poll: topic orders may still appear",
    );
    // It may have waited for its turn after it was written down.
    let sent = look(&mut young, Found::Absent, |f, _| {
        (f.deleting, f.now, f.acted) = (true, at(80), Some(Duration::from_secs(20)));
    });
    says(&idle(&sent), "Deleting, Poll: topic orders may still appear");
    says(&idle(&delete(&mut young, Found::Absent, 60)), "Release");
}

#[test]
fn a_topic_waits_for_an_instance_that_goes() {
    let mut topic = served(json!({"partitions": 3}), there(3));
    assert_eq!(
        idle(&plain(&mut topic, Found::InstanceGone)),
        "Waiting/WaitingForReference, Poll: instance i1 is gone or is being deleted"
    );
}

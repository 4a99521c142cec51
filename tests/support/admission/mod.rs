//! What the API server lets in: bounds, defaults and rules of each kind, as one table that is judged in memory and by a
//! real server.
#![allow(dead_code, unreachable_pub, reason = "each binary uses its own part")]

mod consumer_group;
mod kafka_instance;
mod kafka_user_quota;
mod provider_config;
mod rocketmq_instance;
mod tenancy;
mod topic;

use serde_json::{Value, json};

/// One object with its fate: what is changed in the base, and a word of the refusal, or `None` if it is let in.
pub type Case = (Value, Option<&'static str>);

/// Takes a kind, a base, cases, and whether each of them is an update of the base rather than a new object.
pub type Judge<'a> = dyn FnMut(&'static str, &Value, &[Case], bool) + 'a;

/// A part of the table tells it case by case.
pub type Part = fn(&mut Judge<'_>);

/// All parts by name.
pub const ALL: &[(&str, Part)] = &[
    (
        "a-provider-config-is-let-in-or-refused",
        provider_config::a_provider_config_is_let_in_or_refused,
    ),
    (
        "region-and-project-stay-once-the-project-is-found",
        provider_config::region_and_project_stay_once_the_project_is_found,
    ),
    (
        "a-kafka-instance-is-let-in-or-refused",
        kafka_instance::a_kafka_instance_is_let_in_or_refused,
    ),
    (
        "an-instance-is-frozen-from-its-create-call-on",
        kafka_instance::an_instance_is_frozen_from_its_create_call_on,
    ),
    (
        "what-was-never-so-can-be-corrected-to-what-is",
        kafka_instance::what_was_never_so_can_be_corrected_to_what_is,
    ),
    (
        "storage-grows-by-steps-and-never-shrinks",
        kafka_instance::storage_grows_by_steps_that_the_service_takes_and_never_shrinks,
    ),
    ("a-topic-is-let-in-or-refused", topic::a_topic_is_let_in_or_refused),
    (
        "a-topic-keeps-its-name-and-place-and-never-shrinks",
        topic::a_topic_keeps_its_name_and_place_and_never_shrinks,
    ),
    (
        "a-rocketmq-topic-is-let-in-or-refused",
        topic::a_rocketmq_topic_is_let_in_or_refused,
    ),
    (
        "a-rocketmq-topic-keeps-what-cannot-change",
        topic::a_rocketmq_topic_keeps_what_cannot_change,
    ),
    (
        "a-rocketmq-instance-is-let-in-or-refused",
        rocketmq_instance::a_rocketmq_instance_is_let_in_or_refused,
    ),
    (
        "a-rocketmq-instance-is-frozen-from-its-create-call-on",
        rocketmq_instance::a_rocketmq_instance_is_frozen_from_its_create_call_on,
    ),
    (
        "a-consumer-group-is-let-in-or-refused",
        consumer_group::a_consumer_group_is_let_in_or_refused,
    ),
    (
        "a-consumer-group-keeps-its-name-and-place",
        consumer_group::a_consumer_group_keeps_its_name_and_place,
    ),
    (
        "a-quota-is-let-in-or-refused",
        kafka_user_quota::a_quota_is_let_in_or_refused,
    ),
    (
        "a-quota-keeps-its-identity",
        kafka_user_quota::a_quota_keeps_its_identity,
    ),
    (
        "an-instance-is-named-by-its-object-or-by-its-id",
        tenancy::an_instance_is_named_by_its_object_or_by_its_id,
    ),
    (
        "what-exists-stays-in-its-instance",
        tenancy::what_exists_stays_in_its_instance_however_that_is_named,
    ),
    (
        "an-instance-says-whom-it-admits",
        tenancy::an_instance_says_whom_it_admits,
    ),
];

fn object(kind: &str, name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "dms.huaweicloud.com/v1alpha1", "kind": kind,
        "metadata": {"name": name, "namespace": "platform"}, "spec": spec,
    })
}

fn spec(change: Value) -> Value {
    json!({"spec": change})
}

fn with_status(mut object: Value, status: Value) -> Value {
    object["status"] = status;
    object
}

//! Bad input gets a clear answer, costs few calls, and holds up nothing else.

mod answers;
mod credentials;
mod specs;

use std::time::Duration;

use futures::FutureExt as _;
use serde_json::{Value, json};

use crate::cluster::{Cluster, RESYNC, merged};
use crate::run::Run;

/// Long enough for a hot loop to show.
const WATCHED: Duration = Duration::from_secs(3 * RESYNC);

pub async fn all(run: &mut Run, cluster: &Cluster) {
    run.together(vec![
        (
            "bad_input::shrinking_is_refused",
            specs::shrinking_is_refused(cluster).boxed_local(),
        ),
        (
            "bad_input::what_is_frozen_is_refused",
            specs::what_is_frozen_is_refused(cluster).boxed_local(),
        ),
        (
            "bad_input::a_total_that_the_brokers_cannot_reach_is_refused",
            specs::a_total_out_of_reach(cluster).boxed_local(),
        ),
        (
            "bad_input::an_unknown_version_or_flavour_is_refused_by_the_service",
            specs::refused_by_the_service(cluster).boxed_local(),
        ),
        (
            "bad_input::what_the_version_does_not_have_is_not_sent",
            specs::what_the_version_does_not_have(cluster).boxed_local(),
        ),
        (
            "bad_input::an_instance_that_is_not_there",
            specs::an_instance_that_is_not_there(cluster).boxed_local(),
        ),
        (
            "bad_input::two_objects_for_one_topic",
            specs::two_objects_for_one_topic(cluster).boxed_local(),
        ),
        (
            "bad_input::a_group_that_clients_made_is_taken_over_and_one_in_use_stays",
            specs::a_group_that_clients_made(cluster).boxed_local(),
        ),
        (
            "bad_input::a_missing_secret_is_waited_for",
            credentials::a_missing_secret_is_waited_for(cluster).boxed_local(),
        ),
        (
            "bad_input::wrong_keys_are_told_and_can_be_mended",
            credentials::wrong_keys(cluster).boxed_local(),
        ),
        (
            "bad_input::a_wrong_password_is_told_and_can_be_mended",
            credentials::a_wrong_password(cluster).boxed_local(),
        ),
        (
            "bad_input::an_endpoint_that_is_not_allowed_is_never_called",
            credentials::an_endpoint_that_is_not_allowed(cluster).boxed_local(),
        ),
    ])
    .await;
    run.test(
        "bad_input::malformed_answers_are_survived",
        answers::malformed_answers_are_survived(cluster),
    )
    .await;
    run.test(
        "bad_input::a_topic_that_always_fails_holds_up_no_other",
        answers::one_that_always_fails(cluster),
    )
    .await;
}

/// Without a hand on the object: what was mended elsewhere is noticed within a minute or so.
async fn recovers(cluster: &Cluster, (kind, namespace, name): (&str, &str, &str)) {
    let args = [
        "wait",
        "--for=condition=Ready",
        "--timeout=90s",
        &format!("{kind}/{name}"),
    ];
    let waited = cluster.kubectl(namespace, &args).await;
    assert!(
        waited.success,
        "{}{}",
        waited.err,
        cluster.object(kind, namespace, name).await["status"]["conditions"]
    );
}

/// `kubectl delete`, which waits until it is gone.
async fn gone(cluster: &Cluster, namespace: &str, what: &str) {
    let deleted = cluster.kubectl(namespace, &["delete", what, "--timeout=60s"]).await;
    assert!(deleted.success, "{}", deleted.err);
}

/// The example of this kind and name.
fn example(cluster: &Cluster, kind: &str, name: &str) -> Value {
    let mut examples = cluster.examples("events").into_iter();
    examples
        .find(|object| object["kind"] == kind && object["metadata"]["name"] == name)
        .expect("it is in examples/")
}

fn topic(name: &str, instance: &str) -> Value {
    json!({
        "apiVersion": "dms.huaweicloud.com/v1alpha1", "kind": "Topic", "metadata": {"name": name},
        "spec": {"instanceRef": {"kind": "KafkaInstance", "name": instance}, "kafka": {"partitions": 3, "replication": 3}},
    })
}

/// A topic of the RocketMQ instance of version 4.8.0.
fn rocketmq_topic(name: &str, rocketmq: Value) -> Value {
    json!({
        "apiVersion": "dms.huaweicloud.com/v1alpha1", "kind": "Topic", "metadata": {"name": name},
        "spec": {"instanceRef": {"kind": "RocketMQInstance", "name": "shop"}, "rocketmq": rocketmq},
    })
}

/// A consumer group there.
fn group(name: &str, rocketmq: Value) -> Value {
    merged(&rocketmq_topic(name, rocketmq), &json!({"kind": "ConsumerGroup"}))
}

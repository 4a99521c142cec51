//! Bad input gets a clear answer, costs few calls, and holds up nothing else.

use std::time::Duration;

use futures::FutureExt as _;
use serde_json::{Value, json};

use crate::cluster::{Cluster, RESYNC, merged};
use crate::environment::{eventually, until};
use crate::run::Run;

/// Long enough for a hot loop to show.
const WATCHED: Duration = Duration::from_secs(3 * RESYNC);

pub async fn all(run: &mut Run, cluster: &Cluster) {
    run.together(vec![
        (
            "bad_input::shrinking_is_refused",
            shrinking_is_refused(cluster).boxed_local(),
        ),
        (
            "bad_input::what_is_frozen_is_refused",
            what_is_frozen_is_refused(cluster).boxed_local(),
        ),
        (
            "bad_input::a_total_that_the_brokers_cannot_reach_is_refused",
            a_total_out_of_reach(cluster).boxed_local(),
        ),
        (
            "bad_input::an_unknown_version_or_flavour_is_refused_by_the_service",
            refused_by_the_service(cluster).boxed_local(),
        ),
        (
            "bad_input::an_instance_that_is_not_there",
            an_instance_that_is_not_there(cluster).boxed_local(),
        ),
        (
            "bad_input::two_objects_for_one_topic",
            two_objects_for_one_topic(cluster).boxed_local(),
        ),
        (
            "bad_input::a_missing_secret_is_waited_for",
            a_missing_secret_is_waited_for(cluster).boxed_local(),
        ),
        (
            "bad_input::wrong_keys_are_told_and_can_be_mended",
            wrong_keys(cluster).boxed_local(),
        ),
        (
            "bad_input::an_endpoint_that_is_not_allowed_is_never_called",
            an_endpoint_that_is_not_allowed(cluster).boxed_local(),
        ),
    ])
    .await;
    run.test(
        "bad_input::malformed_answers_are_survived",
        malformed_answers_are_survived(cluster),
    )
    .await;
    run.test(
        "bad_input::a_topic_that_always_fails_holds_up_no_other",
        one_that_always_fails(cluster),
    )
    .await;
}

async fn shrinking_is_refused(cluster: &Cluster) {
    cluster.shop().await;
    let instance = merged(
        &example(cluster, "KafkaInstance", "events"),
        &json!({"spec": {"storageSpace": 300}}),
    );
    let why = cluster.refused("shop", &instance).await;
    assert!(
        why.contains("spec.storageSpace") && why.contains("cannot be lowered below what exists"),
        "{why}"
    );
    let topic = merged(
        &example(cluster, "Topic", "audit"),
        &json!({"spec": {"kafka": {"partitions": 1}}}),
    );
    let why = cluster.refused("shop", &topic).await;
    assert!(
        why.contains("spec.kafka.partitions") && why.contains("partitions only grows"),
        "{why}"
    );
}

async fn what_is_frozen_is_refused(cluster: &Cluster) {
    cluster.shop().await;
    let instance = example(cluster, "KafkaInstance", "events");
    for (field, value) in [
        ("engineVersion", "3.x"),
        ("vpcId", "another"),
        ("productId", "c6.4u8g.cluster"),
    ] {
        let why = cluster
            .refused("shop", &merged(&instance, &json!({"spec": {field: value}})))
            .await;
        assert!(
            why.contains(&format!("spec.{field}")) && why.contains(&format!("{field} cannot change")),
            "{why}"
        );
    }
}

async fn a_total_out_of_reach(cluster: &Cluster) {
    cluster.make_namespace("out-of-reach").await;
    let instance = merged(
        &example(cluster, "KafkaInstance", "events"),
        &json!({"spec": {"storageSpace": 700}}),
    );
    let why = cluster.refused("out-of-reach", &instance).await;
    assert!(
        why.contains("spec.storageSpace") && why.contains("the next total that can be reached is 702"),
        "{why}"
    );
}

async fn refused_by_the_service(cluster: &Cluster) {
    cluster.shop().await;
    let wrong = [
        ("engineVersion", "9.9", "DMS.00400008"),
        ("productId", "c9.64u.cluster", "DMS.00400009"),
    ];
    for (field, value, code) in wrong {
        let name = field.to_lowercase();
        let change = json!({"metadata": {"name": name}, "spec": {"name": name, field: value}});
        let bad = merged(&example(cluster, "KafkaInstance", "events"), &change);
        cluster.apply("shop", &[bad]).await;
        let why = cluster
            .condition(("KafkaInstance", "shop", &name), ("Stalled", "True", "InvalidSpec"))
            .await;
        assert!(
            why.contains(code) && why.contains("request "),
            "the code and the request id: {why}"
        );
        let ready = cluster
            .condition(("KafkaInstance", "shop", &name), ("Ready", "False", "InvalidSpec"))
            .await;
        assert_eq!(ready, why);
    }
    tokio::time::sleep(WATCHED).await;
    for (field, ..) in wrong {
        let name = field.to_lowercase();
        assert_eq!(
            cluster.cloud.calls_about("CreateInstanceByEngine", &name).await,
            1,
            "it is not sent again"
        );
    }
    // A typo can be mended.
    let name = wrong[0].0.to_lowercase();
    let good = merged(
        &example(cluster, "KafkaInstance", "events"),
        &json!({"metadata": {"name": name}, "spec": {"name": name}}),
    );
    cluster.apply("shop", &[good]).await;
    cluster
        .condition(("KafkaInstance", "shop", &name), ("Ready", "True", "Available"))
        .await;
    for (field, ..) in wrong {
        gone(cluster, "shop", &format!("kafkainstance/{}", field.to_lowercase())).await;
    }
    assert!(cluster.cloud.instance(&name).await.is_none());
}

async fn an_instance_that_is_not_there(cluster: &Cluster) {
    cluster.shop().await;
    let lost = merged(
        &example(cluster, "KafkaInstance", "events"),
        &json!({"metadata": {"name": "lost"}, "spec": {"name": null, "instanceId": "11111111-2222-3333-4444-555555555555"}}),
    );
    let homeless = topic("homeless", "nowhere");
    cluster.apply("shop", &[lost, homeless]).await;
    let why = cluster
        .condition(("KafkaInstance", "shop", "lost"), ("Stalled", "True", "NotFound"))
        .await;
    assert!(why.contains("11111111-2222-3333-4444-555555555555"), "{why}");
    let why = cluster
        .condition(
            ("Topic", "shop", "homeless"),
            ("Reconciling", "True", "WaitingForReference"),
        )
        .await;
    assert!(why.contains("nowhere") && why.contains("does not exist"), "{why}");
    gone(cluster, "shop", "kafkainstance/lost").await;
    gone(cluster, "shop", "topic/homeless").await;
}

async fn two_objects_for_one_topic(cluster: &Cluster) {
    cluster.shop().await;
    let named = |object: &str| merged(&topic(object, "events"), &json!({"spec": {"name": "shared"}}));
    cluster.apply("shop", &[named("first")]).await;
    cluster
        .condition(("Topic", "shop", "first"), ("Ready", "True", "Available"))
        .await;
    cluster.apply("shop", &[named("second")]).await;
    let why = cluster
        .condition(("Topic", "shop", "second"), ("Stalled", "True", "Conflict"))
        .await;
    assert!(why.contains("shop/first"), "the owner is named: {why}");
    gone(cluster, "shop", "topic/first").await;
    cluster
        .condition(("Topic", "shop", "second"), ("Ready", "True", "Available"))
        .await;
    assert!(cluster.cloud.topic("events", "shared").await.is_some());
    gone(cluster, "shop", "topic/second").await;
    assert!(cluster.cloud.topic("events", "shared").await.is_none());
}

async fn a_missing_secret_is_waited_for(cluster: &Cluster) {
    cluster.with_operator().await;
    let namespace = "no-secret";
    cluster.make_namespace(namespace).await;
    cluster
        .apply(namespace, &[example(cluster, "ProviderConfig", "default")])
        .await;
    let place = ("ProviderConfig", namespace, "default");
    let why = cluster
        .condition(place, ("Ready", "False", "WaitingForReference"))
        .await;
    assert!(why.contains("Secret no-secret/huawei does not exist"), "{why}");

    let half = merged(
        &example(cluster, "Secret", "huawei"),
        &json!({"stringData": {"secretKey": null}}),
    );
    cluster.apply(namespace, &[half]).await;
    let why = cluster.condition(place, ("Stalled", "True", "InvalidSpec")).await;
    assert!(why.contains("secretKey is missing"), "{why}");

    cluster.apply(namespace, &[example(cluster, "Secret", "huawei")]).await;
    recovers(cluster, place).await;
    gone(cluster, namespace, &format!("namespace/{namespace}")).await;
}

async fn wrong_keys(cluster: &Cluster) {
    cluster.with_operator().await;
    let namespace = "wrong-keys";
    cluster.make_namespace(namespace).await;
    let secret = example(cluster, "Secret", "huawei");
    let wrong = merged(&secret, &json!({"stringData": {"secretKey": "this-is-not-the-key"}}));
    cluster
        .apply(namespace, &[example(cluster, "ProviderConfig", "default"), wrong])
        .await;
    let place = ("ProviderConfig", namespace, "default");
    let why = cluster.condition(place, ("Stalled", "True", "AccessDenied")).await;
    assert!(
        why.contains("APIGW.0301") && why.contains("request "),
        "the code and the request id: {why}"
    );
    assert!(!why.contains("this-is-not-the-key"), "{why}");
    tokio::time::sleep(WATCHED).await;
    let refused = cluster
        .cloud
        .calls()
        .await
        .iter()
        .filter(|call| call["status"] == 401)
        .count();
    assert!(
        (1..=4).contains(&refused),
        "{refused} calls with keys that are known to be wrong"
    );

    cluster.apply(namespace, &[secret]).await;
    recovers(cluster, place).await;
    gone(cluster, namespace, &format!("namespace/{namespace}")).await;
}

async fn an_endpoint_that_is_not_allowed(cluster: &Cluster) {
    cluster.with_operator().await;
    let namespace = "endpoint";
    cluster.make_namespace(namespace).await;
    let elsewhere = json!({"spec": {"endpoints": {"dms": "https://dms.attacker.example"}}});
    let config = merged(&example(cluster, "ProviderConfig", "default"), &elsewhere);
    cluster
        .apply(namespace, &[config, example(cluster, "Secret", "huawei")])
        .await;
    let why = cluster
        .condition(
            ("ProviderConfig", namespace, "default"),
            ("Stalled", "True", "InvalidSpec"),
        )
        .await;
    assert!(
        why.contains("spec.endpoints.dms") && why.contains("allowed endpoints"),
        "{why}"
    );
    let plain = json!({"spec": {"endpoints": {"dms": "http://dms.eu-west-101.myhuaweicloud.eu"}}});
    let why = cluster
        .refused(
            namespace,
            &merged(&example(cluster, "ProviderConfig", "default"), &plain),
        )
        .await;
    assert!(why.contains("spec.endpoints.dms"), "{why}");
    gone(cluster, namespace, &format!("namespace/{namespace}")).await;
}

async fn malformed_answers_are_survived(cluster: &Cluster) {
    cluster.shop().await;
    for (operation, times, malformed) in [
        ("CreateInstanceTopic", 1, "truncated"),
        ("UpdateInstanceTopic", 1, "empty"),
        ("ListInstanceTopics", 2, "html"),
        ("ListInstanceTopics", 2, "empty"),
        ("ShowInstance", 2, "html"),
        ("ListInstances", 2, "truncated"),
    ] {
        let fault = json!({"operation": operation, "times": times, "effect": {"malformed": malformed}});
        cluster.cloud.inject(fault).await;
    }
    cluster.apply("shop", &[topic("battered", "events")]).await;
    cluster
        .condition(("Topic", "shop", "battered"), ("Ready", "True", "Available"))
        .await;
    let longer = json!({"spec": {"kafka": {"retentionHours": 24}}});
    cluster
        .apply("shop", &[merged(&topic("battered", "events"), &longer)])
        .await;
    cluster
        .condition(("Topic", "shop", "battered"), ("Ready", "True", "Available"))
        .await;
    until("every fault has struck", 30, async || cluster.cloud.faults().await == 0).await;
    for object in [
        ("KafkaInstance", "shop", "events"),
        ("Topic", "shop", "orders"),
        ("ProviderConfig", "shop", "default"),
    ] {
        cluster.condition(object, ("Ready", "True", "Available")).await;
    }
    let topics = cluster.cloud.instance("events").await.expect("it is there")["topics"].clone();
    let count = topics
        .as_array()
        .expect("a list")
        .iter()
        .filter(|topic| topic["name"] == "battered")
        .count();
    assert_eq!(count, 1);
    gone(cluster, "shop", "topic/battered").await;
}

async fn one_that_always_fails(cluster: &Cluster) {
    cluster.shop().await;
    let effect = json!({"status": 500, "code": "DMS.00500000", "message": "Internal service error."});
    cluster
        .cloud
        .inject(json!({"operation": "CreateInstanceTopic", "times": 0, "match": {"name": "cursed"}, "effect": effect}))
        .await;
    cluster.apply("shop", &[topic("cursed", "events")]).await;
    eventually("the failure is told", 30, async || {
        let object = cluster.object("Topic", "shop", "cursed").await;
        let text = object["status"]["conditions"].to_string();
        if text.contains("DMS.00500000") {
            Ok(())
        } else {
            Err(text)
        }
    })
    .await;
    let begun = tokio::time::Instant::now();
    cluster.apply("shop", &[topic("healthy", "events")]).await;
    cluster
        .condition(("Topic", "shop", "healthy"), ("Ready", "True", "Available"))
        .await;
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "held up for {:?}",
        begun.elapsed()
    );
    tokio::time::sleep(WATCHED).await;
    let tries = cluster.cloud.calls_about("CreateInstanceTopic", "cursed").await;
    assert!((1..=8).contains(&tries), "{tries} tries");
    cluster.cloud.heal().await;
    cluster
        .condition(("Topic", "shop", "cursed"), ("Ready", "True", "Available"))
        .await;
    gone(cluster, "shop", "topic/cursed").await;
    gone(cluster, "shop", "topic/healthy").await;
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
        .expect("it is in examples/kafka")
}

fn topic(name: &str, instance: &str) -> Value {
    json!({
        "apiVersion": "dms.huaweicloud.com/v1alpha1", "kind": "Topic", "metadata": {"name": name},
        "spec": {"instanceRef": {"kind": "KafkaInstance", "name": instance}, "kafka": {"partitions": 3, "replication": 3}},
    })
}

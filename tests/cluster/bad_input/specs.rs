//! Specs that cannot be.

use serde_json::json;

use super::{WATCHED, example, gone, group, rocketmq_topic, topic};
use crate::cluster::{Cluster, merged};
use crate::environment::eventually;

pub async fn shrinking_is_refused(cluster: &Cluster) {
    cluster.shop().await;
    let lower = [
        ("KafkaInstance", "events", json!({"storageSpace": 300}), "storageSpace"),
        ("RocketMQInstance", "shop", json!({"storageSpace": 500}), "storageSpace"),
        (
            "Topic",
            "audit",
            json!({"kafka": {"partitions": 1}}),
            "kafka.partitions",
        ),
        (
            "Topic",
            "payments",
            json!({"rocketmq": {"queueNum": 4}}),
            "rocketmq.queueNum",
        ),
    ];
    for (kind, name, spec, field) in lower {
        let object = merged(&example(cluster, kind, name), &json!({"spec": spec}));
        let why = cluster.refused("shop", &object).await;
        assert!(
            why.contains(&format!("spec.{field}"))
                && why.contains("only grows: it cannot be lowered below what exists"),
            "{why}"
        );
    }
}

pub async fn what_is_frozen_is_refused(cluster: &Cluster) {
    cluster.shop().await;
    let frozen = [
        ("KafkaInstance", "events", "engineVersion", "3.x"),
        ("KafkaInstance", "events", "vpcId", "another"),
        ("KafkaInstance", "events", "productId", "c6.4u8g.cluster"),
        ("RocketMQInstance", "shop", "engineVersion", "5.x"),
        ("RocketMQInstance", "mail", "productId", "rocketmq.b2.large.4"),
        ("ConsumerGroup", "ledger", "name", "GID_another"),
    ];
    for (kind, name, field, value) in frozen {
        let change = json!({"spec": {field: value}});
        let why = cluster
            .refused("shop", &merged(&example(cluster, kind, name), &change))
            .await;
        assert!(
            why.contains(&format!("spec.{field}")) && why.contains(&format!("{field} cannot change")),
            "{why}"
        );
    }
}

pub async fn a_total_out_of_reach(cluster: &Cluster) {
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

pub async fn refused_by_the_service(cluster: &Cluster) {
    cluster.shop().await;
    let wrong = [
        ("KafkaInstance", "events", "engineVersion", "9.9", "DMS.00400008"),
        ("KafkaInstance", "events", "productId", "c9.64u.cluster", "DMS.00400009"),
        ("RocketMQInstance", "shop", "engineVersion", "9.9", "DMS.00400008"),
        (
            "RocketMQInstance",
            "mail",
            "productId",
            "c9.64u.cluster",
            "DMS.00400009",
        ),
    ];
    let named = |kind: &str, field: &str| format!("{kind}-{field}").to_lowercase();
    for (kind, model, field, value, code) in wrong {
        let name = named(kind, field);
        let change = json!({"metadata": {"name": name}, "spec": {"name": name, field: value}});
        let bad = merged(&example(cluster, kind, model), &change);
        cluster.apply("shop", &[bad]).await;
        let why = cluster
            .condition((kind, "shop", &name), ("Stalled", "True", "InvalidSpec"))
            .await;
        assert!(
            why.contains(code) && why.contains("request "),
            "the code and the request id: {why}"
        );
        let ready = cluster
            .condition((kind, "shop", &name), ("Ready", "False", "InvalidSpec"))
            .await;
        assert_eq!(ready, why);
    }
    tokio::time::sleep(WATCHED).await;
    for (kind, _, field, ..) in wrong {
        let tries = cluster
            .cloud
            .calls_about("CreateInstanceByEngine", &named(kind, field))
            .await;
        assert_eq!(tries, 1, "it is not sent again");
    }
    // A typo can be mended.
    for (kind, model, field, ..) in [wrong[0], wrong[3]] {
        let name = named(kind, field);
        let good = merged(
            &example(cluster, kind, model),
            &json!({"metadata": {"name": name}, "spec": {"name": name}}),
        );
        cluster.apply("shop", &[good]).await;
        cluster
            .condition((kind, "shop", &name), ("Ready", "True", "Available"))
            .await;
    }
    for (kind, _, field, ..) in wrong {
        let name = named(kind, field);
        gone(cluster, "shop", &format!("{kind}/{name}").to_lowercase()).await;
        assert!(cluster.cloud.instance(&name).await.is_none());
    }
}

pub async fn what_the_version_does_not_have(cluster: &Cluster) {
    cluster.shop().await;
    let typed = rocketmq_topic("typed", json!({"permission": "all", "messageType": "FIFO"}));
    let mut placed = group("placed", json!({"brokers": ["broker-0"]}));
    placed["spec"]["instanceRef"]["name"] = json!("mail");
    let strayed = group("strayed", json!({"brokers": ["broker-7"]}));
    let wrong = [
        (
            "Topic",
            "typed",
            typed,
            "spec.rocketmq.messageType is not for an instance of version 4.8.0",
        ),
        (
            "ConsumerGroup",
            "placed",
            placed,
            "spec.rocketmq.brokers is for instances of version 4.8.0",
        ),
        ("ConsumerGroup", "strayed", strayed, "broker-7"),
    ];
    for (kind, name, object, words) in &wrong {
        cluster.apply("shop", std::slice::from_ref(object)).await;
        let why = cluster
            .condition((kind, "shop", name), ("Stalled", "True", "InvalidSpec"))
            .await;
        assert!(why.contains(words), "{why}");
    }
    for (kind, name, ..) in wrong {
        let calls = cluster.cloud.calls().await;
        let about = calls.iter().find(|call| call["names"].to_string().contains(name));
        assert!(about.is_none(), "no call can help: {about:?}");
        gone(cluster, "shop", &format!("{kind}/{name}").to_lowercase()).await;
    }
}

pub async fn an_instance_that_is_not_there(cluster: &Cluster) {
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

pub async fn two_objects_for_one_topic(cluster: &Cluster) {
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

pub async fn a_group_that_clients_made(cluster: &Cluster) {
    cluster.shop().await;
    let described = |name: &str| {
        json!({
            "apiVersion": "dms.huaweicloud.com/v1alpha1", "kind": "ConsumerGroup", "metadata": {"name": name},
            "spec": {"instanceRef": {"kind": "KafkaInstance", "name": "events"}, "description": "Known by now"},
        })
    };
    cluster.cloud.connect("events", "visitors", 1).await;
    cluster.apply("shop", &[described("visitors")]).await;
    let place = ("ConsumerGroup", "shop", "visitors");
    cluster.condition(place, ("Ready", "True", "Available")).await;
    let there = async || cluster.cloud.group("events", "visitors").await.expect("it is there");
    assert_eq!(there().await["description"], "Known by now");
    gone(cluster, "shop", "consumergroup/visitors").await;
    assert_eq!(there().await["members"], 1, "what was taken over stays");

    // Its own object deletes it, but Kafka does not while it is in use.
    cluster.apply("shop", &[described("guests")]).await;
    let place = ("ConsumerGroup", "shop", "guests");
    cluster.condition(place, ("Ready", "True", "Available")).await;
    cluster.cloud.connect("events", "guests", 2).await;
    let deleted = cluster
        .kubectl("shop", &["delete", "--wait=false", "consumergroup/guests"])
        .await;
    assert!(deleted.success, "{}", deleted.err);
    eventually("the deletion says what it waits for", 30, async || {
        let object = cluster.object("ConsumerGroup", "shop", "guests").await;
        let text = object["status"]["conditions"].to_string();
        if text.contains("has consumers") {
            Ok(())
        } else {
            Err(text)
        }
    })
    .await;
    cluster.cloud.connect("events", "guests", 0).await;
    let again = "dms.huaweicloud.com/reconcile-requested-at=they-left";
    let annotated = cluster
        .kubectl("shop", &["annotate", "consumergroup/guests", again])
        .await;
    assert!(annotated.success, "{}", annotated.err);
    gone(cluster, "shop", "consumergroup/guests").await;
    assert!(cluster.cloud.group("events", "guests").await.is_none());
}

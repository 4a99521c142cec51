//! Answers that cannot be read, and calls that never work.

use std::time::Duration;

use serde_json::json;

use super::{WATCHED, gone, group, rocketmq_topic, topic};
use crate::cluster::{Cluster, merged};
use crate::environment::{eventually, until};

pub async fn malformed_answers_are_survived(cluster: &Cluster) {
    cluster.shop().await;
    for (operation, times, malformed) in [
        ("CreateInstanceTopic", 1, "truncated"),
        ("UpdateInstanceTopic", 1, "empty"),
        ("ListInstanceTopics", 2, "html"),
        ("ListInstanceTopics", 2, "empty"),
        ("CreateTopicOrBatchDeleteTopic", 1, "empty"),
        ("ListRocketInstanceTopics", 2, "truncated"),
        ("CreateConsumerGroupOrBatchDeleteConsumerGroup", 1, "truncated"),
        ("BatchUpdateConsumerGroup", 1, "html"),
        ("ListInstanceConsumerGroups", 2, "html"),
        ("ListBrokers", 1, "truncated"),
        ("ShowInstance", 2, "html"),
        ("ListInstances", 2, "truncated"),
    ] {
        let fault = json!({"operation": operation, "times": times, "effect": {"malformed": malformed}});
        cluster.cloud.inject(fault).await;
    }
    let objects = [
        (topic("battered", "events"), json!({"kafka": {"retentionHours": 24}})),
        (
            rocketmq_topic(
                "battered-too",
                json!({"permission": "all", "brokers": ["broker-0"], "queueNum": 4}),
            ),
            json!({"rocketmq": {"permission": "sub"}}),
        ),
        (
            group("battered", json!({"brokers": ["broker-0"]})),
            json!({"rocketmq": {"maxRetries": 2}}),
        ),
    ];
    let ready = async || {
        for (object, _) in &objects {
            let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
            let (kind, name) = (text(&object["kind"]), text(&object["metadata"]["name"]));
            cluster
                .condition((&kind, "shop", &name), ("Ready", "True", "Available"))
                .await;
        }
    };
    for (object, _) in &objects {
        cluster.apply("shop", std::slice::from_ref(object)).await;
    }
    ready().await;
    for (object, change) in &objects {
        cluster.apply("shop", &[merged(object, &json!({"spec": change}))]).await;
    }
    ready().await;
    until("every fault has struck", 30, async || cluster.cloud.faults().await == 0).await;
    for object in [
        ("KafkaInstance", "shop", "events"),
        ("RocketMQInstance", "shop", "shop"),
        ("Topic", "shop", "orders"),
        ("ConsumerGroup", "shop", "ledger"),
        ("ProviderConfig", "shop", "default"),
    ] {
        cluster.condition(object, ("Ready", "True", "Available")).await;
    }
    for (instance, list, name) in [
        ("events", "topics", "battered"),
        ("events-shop", "topics", "battered-too"),
        ("events-shop", "groups", "battered"),
    ] {
        let found = cluster.cloud.instance(instance).await.expect("it is there")[list].clone();
        let found = found.as_array().expect("a list").iter();
        assert_eq!(found.filter(|thing| thing["name"] == name).count(), 1, "{list}/{name}");
    }
    for (object, _) in &objects {
        let (kind, name) = (&object["kind"], &object["metadata"]["name"]);
        gone(
            cluster,
            "shop",
            &format!("{kind}/{name}").replace('"', "").to_lowercase(),
        )
        .await;
    }
}

pub async fn one_that_always_fails(cluster: &Cluster) {
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

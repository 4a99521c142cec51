use serde_json::{Value, json};

use super::super::Effect;
use super::*;

async fn listed(cloud: &Cloud, instance: &str, query: &str) -> Value {
    cloud.get(&format!("{instance}/topics{query}")).await.json()
}

#[tokio::test(start_paused = true)]
async fn each_range_of_a_topic_has_its_code() {
    let cloud = Cloud::new();
    let instance = cloud.running().await;
    for (body, code) in [
        (json!({"id": "ab"}), "DMS.00400101"),
        (json!({"id": "1abc"}), "DMS.00400101"),
        (json!({"id": "_abc"}), "DMS.00400101"),
        (json!({"id": "a".repeat(201)}), "DMS.00400101"),
        (json!({"id": "orders", "partition": 0}), "DMS.00400102"),
        (json!({"id": "orders", "partition": 201}), "DMS.00400102"),
        (json!({"id": "orders", "partition": "3"}), "DMS.00400085"),
        (json!({"id": "orders", "replication": 4}), "DMS.00400103"),
        (json!({"id": "orders", "retention_time": 721}), "DMS.00400105"),
        (
            json!({"id": "orders", "topic_other_configs": [{"name": "x", "value": "1"}]}),
            "DMS.00400063",
        ),
        (
            json!({"id": "orders", "topic_other_configs": [{"name": "max.message.bytes", "value": "-1"}]}),
            "DMS.00400066",
        ),
        (json!({"id": "orders", "partitions": 3}), "DMS.00400062"),
    ] {
        let answer = cloud
            .call("POST", &format!("{instance}/topics"), Some(body.clone()))
            .await;
        assert_eq!(answer.refusal(), (400, code.into()), "{body}");
    }
    for name in ["abc", "a.b-c_1", &"a".repeat(200)] {
        assert_eq!(
            cloud.topic(&instance, name).await.status,
            200,
            "5.5.2 wins over the error table: {name}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_topic_is_listed_late_and_with_booleans_as_strings() {
    let cloud = Cloud::with(|config| config.system_topics = false);
    let instance = cloud.running().await;
    let body = json!({"id": "orders", "partition": 6, "sync_replication": "true", "topic_desc": "all of them",
        "topic_other_configs": [{"name": "max.message.bytes", "value": 1000}]});
    assert_eq!(
        cloud
            .call("POST", &format!("{instance}/topics"), Some(body))
            .await
            .json(),
        json!({"name": "orders"})
    );
    assert_eq!(listed(&cloud, &instance, "").await["total"], 0);
    assert_eq!(cloud.topic(&instance, "orders").await.status, 400, "it exists, though");
    seconds(5).await;
    let list = listed(&cloud, &instance, "").await;
    assert_eq!((&list["total"], &list["size"]), (&json!(1), &json!(0)));
    assert_eq!(
        (&list["max_partitions"], &list["remain_partitions"]),
        (&json!(750), &json!(744))
    );
    let topic = &list["topics"][0];
    assert_eq!(
        (&topic["sync_replication"], &topic["sync_message_flush"]),
        (&json!("true"), &json!("false"))
    );
    assert_eq!(
        (&topic["replication"], &topic["retention_time"]),
        (&json!(3), &json!(72))
    );
    assert_eq!(topic["topic_other_configs"][0]["value"], "1000");
    assert_eq!(topic["topic_other_configs"][1]["default_value"], "LogAppendTime");
}

#[tokio::test(start_paused = true)]
async fn pages_shift_and_deleted_topics_linger() {
    let cloud = Cloud::new();
    let instance = cloud.running().await;
    for n in 0..12 {
        cloud.topic(&instance, &format!("topic-{n:02}")).await;
    }
    seconds(5).await;
    let first = listed(&cloud, &instance, "").await;
    assert_eq!(
        (&first["total"], first["topics"].as_array().unwrap().len()),
        (&json!(13), 10)
    );
    assert_eq!(first["topics"][0]["name"], "topic-11");
    let delete = format!("{instance}/topics/delete");
    let body = json!({"topics": ["topic-11", "never-was", "__consumer_offsets"]});
    let answer = cloud.call("POST", &delete, Some(body)).await;
    assert_eq!(
        answer.json(),
        json!({"topics": [{"id": "topic-11", "success": true}, {"id": "never-was", "success": true},
            {"id": "__consumer_offsets", "success": false}]})
    );
    assert_eq!(listed(&cloud, &instance, "").await["total"], 13);
    assert_eq!(
        cloud.topic(&instance, "topic-11").await.status,
        200,
        "the name is free at once"
    );
    cloud.call("POST", &delete, Some(json!({"topics": ["topic-11"]}))).await;
    seconds(5).await;
    let second = listed(&cloud, &instance, "?offset=10&limit=10").await;
    assert_eq!(
        names(&second, "topics", "name"),
        ["topic-00", "__consumer_offsets"],
        "topic-01 has moved to page one"
    );
    assert_eq!(second["topics"][1]["topic_type"], 1);
    for query in ["?limit=0", "?limit=51", "?offset=x"] {
        assert_eq!(
            listed(&cloud, &instance, query).await["error_code"],
            "DMS.00400062",
            "{query}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn partitions_only_grow_and_a_206_says_which_did_not() {
    let cloud = Cloud::new();
    let instance = cloud.running().await;
    cloud.topic(&instance, "orders").await;
    cloud.topic(&instance, "audit").await;
    let path = format!("{instance}/topics");
    let change = |topics: Value| cloud.call("PUT", &path, Some(json!({"topics": topics})));

    let both = json!([{"id": "orders", "new_partition_numbers": 6}, {"id": "audit", "new_partition_numbers": 3}]);
    let answer = change(both).await;
    assert_eq!(answer.status, 206);
    let failed = json!([{"id": "audit", "success": false, "error_msg": "Topic already has 3 partitions"}]);
    assert_eq!(answer.json()["failed_topics"], failed);
    assert_eq!(
        change(json!([{"id": "orders", "new_partition_numbers": 5}]))
            .await
            .status,
        206
    );
    assert_eq!(
        change(json!([{"id": "orders", "retention_time": 720, "sync_replication": true}]))
            .await
            .status,
        204
    );
    cloud.fault(
        "UpdateInstanceTopic",
        Effect {
            items_fail: true,
            ..Effect::default()
        },
    );
    assert_eq!(change(json!([{"id": "orders", "retention_time": 1}])).await.status, 206);

    for (topics, code) in [
        (json!([{"id": "absent", "retention_time": 1}]), "DMS.00400876"),
        (json!([{"id": "orders", "retention_time": 721}]), "DMS.00400105"),
        (json!([{"id": "orders", "new_partition_numbers": 201}]), "DMS.00400102"),
        (json!([{"id": "orders", "new_partition_brokers": [3]}]), "DMS.00400062"),
        (json!([{"id": "orders", "replication": 2}]), "DMS.00400062"),
        (json!([]), "DMS.00400062"),
    ] {
        assert_eq!(change(topics.clone()).await.refusal(), (400, code.into()), "{topics}");
    }
    seconds(5).await;
    let list = listed(&cloud, &instance, "").await;
    assert_eq!(
        (&list["topics"][1]["partition"], &list["topics"][1]["retention_time"]),
        (&json!(6), &json!(720))
    );
}

#[tokio::test(start_paused = true)]
async fn the_flavour_limits_the_partitions() {
    let cloud = Cloud::new();
    let instance = cloud.running().await;
    for n in 0..4 {
        let body = json!({"id": format!("topic-{n}"), "partition": 200});
        let answer = cloud.call("POST", &format!("{instance}/topics"), Some(body)).await;
        if n < 3 {
            assert_eq!(answer.status, 200);
        } else {
            assert_eq!(answer.refusal(), (400, "DMS.111400860".into()), "600 of 750 are taken");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn topics_cannot_be_read_before_the_instance_is_up() {
    let cloud = Cloud::new();
    let id = cloud.create("events").await;
    let path = format!("/v2/{{p}}/instances/{id}");
    assert_eq!(
        cloud.get(&format!("{path}/topics")).await.refusal(),
        (400, "DMS.00400026".into())
    );
    assert_eq!(
        cloud.topic(&path, "orders").await.refusal(),
        (400, "DMS.00400026".into())
    );
}

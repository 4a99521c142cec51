//! What a bad item does to its batch, by the switch.

use serde_json::{Value, json};

use super::super::Batches;
use super::*;

/// A Kafka instance with the topics `orders` and `audit` of three partitions, and the groups `idle` and `online`.
async fn kafka(batches: Batches) -> (Cloud, String) {
    let cloud = Cloud::with(|config| config.batches = batches);
    let instance = cloud.running().await;
    for name in ["orders", "audit"] {
        assert_eq!(cloud.topic(&instance, name).await.status, 200);
    }
    for (group, members) in [("idle", 0), ("online", 2)] {
        let id = instance.rsplit('/').next().unwrap();
        cloud
            .control("POST", "clients", json!({"instance": id, "group": group, "members": 1}))
            .await;
        cloud
            .control(
                "POST",
                "clients",
                json!({"instance": id, "group": group, "members": members}),
            )
            .await;
    }
    (cloud, instance)
}

fn all(cloud: &Cloud, list: &str, key: &str) -> Vec<Value> {
    let state = cloud.simulator.state_json();
    let items = state["instances"][0][list].as_array().unwrap();
    items.iter().map(|item| item[key].clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_bad_change_of_a_topic_refuses_all_or_itself() {
    for (bad, code) in [
        (json!({"id": "absent", "retention_time": 1}), None),
        (json!({"id": "audit", "retention_time": 721}), Some("DMS.00400105")),
        (json!({"id": "audit", "new_partition_numbers": 3}), None),
        (
            json!({"id": "audit", "new_partition_numbers": 201}),
            Some("DMS.00400102"),
        ),
    ] {
        let changes = json!({"topics": [bad, {"id": "orders", "retention_time": 10}]});
        let (cloud, instance) = kafka(Batches::Partial).await;
        let answer = cloud
            .call("PUT", &format!("{instance}/topics"), Some(changes.clone()))
            .await;
        assert_eq!(answer.status, 206, "{changes}");
        assert_eq!(
            names(&answer.json(), "failed_topics", "id"),
            [bad["id"].as_str().unwrap()]
        );
        assert_eq!(all(&cloud, "topics", "retention_time"), [10, 72]);

        let (cloud, instance) = kafka(Batches::Atomic).await;
        let answer = cloud.call("PUT", &format!("{instance}/topics"), Some(changes)).await;
        assert_eq!(answer.refusal(), (400, code.unwrap_or("DMS.00400062").into()));
        assert_eq!(all(&cloud, "topics", "retention_time"), [72, 72]);
    }
}

#[tokio::test(start_paused = true)]
async fn partitions_for_all_count_together_but_where_batches_are_partial() {
    // 750 partitions in all.
    let changes = json!({"topics": [{"id": "orders", "new_partition_numbers": 200}, {"id": "audit", "new_partition_numbers": 200}]});
    for (batches, status, partitions) in [
        (Batches::Partial, 206, [200, 3]),
        (Batches::Mixed, 400, [3, 3]),
        (Batches::Atomic, 400, [3, 3]),
    ] {
        let (cloud, instance) = kafka(batches).await;
        for n in 0..2 {
            let body = json!({"id": format!("full-{n}"), "partition": 180});
            cloud.call("POST", &format!("{instance}/topics"), Some(body)).await;
        }
        let body = json!({"id": "last", "partition": 100});
        cloud.call("POST", &format!("{instance}/topics"), Some(body)).await;
        let answer = cloud
            .call("PUT", &format!("{instance}/topics"), Some(changes.clone()))
            .await;
        assert_eq!(answer.status, status, "{batches:?} {}", answer.text);
        assert_eq!(all(&cloud, "topics", "partition")[..2], partitions);
    }
}

#[tokio::test(start_paused = true)]
async fn a_fault_can_be_that_of_one_item() {
    let fault = |operation: &str, name: &str| json!({"operation": operation, "match": {"name": name}, "effect": {"itemsFail": true, "item": name}});
    for (batches, status, left) in [
        (Batches::Partial, 200, 1),
        (Batches::Mixed, 200, 1),
        (Batches::Atomic, 400, 2),
    ] {
        let (cloud, instance) = kafka(batches).await;
        cloud
            .control("POST", "faults", fault("BatchDeleteInstanceTopic", "audit"))
            .await;
        let body = json!({"topics": ["orders", "audit"]});
        let answer = cloud
            .call("POST", &format!("{instance}/topics/delete"), Some(body))
            .await;
        assert_eq!((answer.status, all(&cloud, "topics", "name").len()), (status, left));

        let body = json!({"group_ids": ["idle", "online"]});
        let answer = cloud
            .call("POST", &format!("{instance}/groups/batch-delete"), Some(body))
            .await;
        assert_eq!((answer.status, all(&cloud, "groups", "name").len()), (status, left));
    }
}

#[tokio::test(start_paused = true)]
async fn the_groups_of_rocketmq_share_a_job_that_fails_for_one() {
    for (batches, status, retries, left) in [
        (Batches::Partial, 200, [3, 16], 1),
        (Batches::Mixed, 404, [16, 16], 1),
        (Batches::Atomic, 404, [16, 16], 2),
    ] {
        let cloud = Cloud::with(|config| config.batches = batches);
        let instance = cloud.running_rocketmq("4.8.0").await;
        let groups = format!("{instance}/groups");
        for name in ["one", "two"] {
            let body = json!({"name": name, "brokers": ["broker-0"]});
            assert_eq!(cloud.call("POST", &groups, Some(body)).await.status, 200);
        }
        let edits = json!({"groups": [{"name": "absent", "enabled": true}, {"name": "one", "retry_max_time": 3}]});
        let answer = cloud.call("PUT", &groups, Some(edits)).await;
        assert_eq!(answer.status, status, "{batches:?} {}", answer.text);
        seconds(5).await;
        assert_eq!(all(&cloud, "groups", "retryMaxTime"), retries);

        let id = instance.rsplit('/').next().unwrap();
        cloud
            .control("POST", "clients", json!({"instance": id, "group": "two", "members": 1}))
            .await;
        let names = json!({"groups": ["one", "two"]});
        let answer = cloud
            .call("POST", &format!("{groups}?action=delete"), Some(names))
            .await;
        assert_eq!(answer.status, 200);
        seconds(5).await;
        assert_eq!(all(&cloud, "groups", "name").len(), left, "{batches:?}");
        let tasks = all(&cloud, "tasks", "status");
        assert_eq!(tasks.last(), Some(&json!("FAILED")));
    }
}

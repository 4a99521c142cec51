use serde_json::{Value, json};

use super::super::Effect;
use super::*;

struct Topics<'a> {
    cloud: &'a Cloud,
    instance: String,
}

impl<'a> Topics<'a> {
    async fn new(cloud: &'a Cloud, version: &str) -> Self {
        let instance = cloud.running_rocketmq(version).await;
        Self { cloud, instance }
    }

    async fn create(&self, body: Value) -> Answer {
        let path = format!("{}/topics", self.instance);
        self.cloud.call("POST", &path, Some(body)).await
    }

    async fn delete_batch(&self, names: Value) -> Answer {
        let path = format!("{}/topics?action=delete", self.instance);
        self.cloud.call("POST", &path, Some(json!({"topics": names}))).await
    }

    fn one(&self, name: &str) -> String {
        format!("{}/topics/{name}", self.instance)
    }

    async fn update(&self, name: &str, body: Value) -> Answer {
        self.cloud.call("PUT", &self.one(name), Some(body)).await
    }

    async fn show(&self, name: &str) -> Value {
        self.cloud.get(&self.one(name)).await.json()
    }

    async fn list(&self, query: &str) -> Value {
        self.cloud.get(&format!("{}/topics{query}", self.instance)).await.json()
    }

    async fn last_task(&self) -> Value {
        self.cloud.get(&format!("{}/tasks", self.instance)).await.json()["tasks"][0].clone()
    }
}

/// The printed creation for 4.8.0.
fn printed() -> Value {
    json!({"name": "topic-test", "permission": "all", "queues": [{"broker": "broker-0", "queue_num": 3}]})
}

#[tokio::test(start_paused = true)]
async fn the_printed_topics_are_created_and_read_back_as_printed() {
    let cloud = Cloud::new();
    let old = Topics::new(&cloud, "4.8.0").await;
    assert_eq!(old.create(printed()).await.json(), json!({"id": "topic-test"}));
    let three = json!([{"broker_name": "broker-0", "read_queue_num": 3, "write_queue_num": 3}]);
    assert_eq!(
        old.show("topic-test").await,
        json!({"total_read_queue_num": 3, "total_write_queue_num": 3, "permission": "all", "brokers": three})
    );
    let new = Topics::new(&cloud, "5.x").await;
    let created = new
        .create(json!({"name": "topic-test", "message_type": "NORMAL"}))
        .await;
    assert_eq!(created.json(), json!({"id": "topic-test"}));
    assert_eq!(new.list("").await["total"], "0", "the list lags");
    seconds(5).await;
    let eight = json!([{"broker_name": "broker-0", "read_queue_num": 8, "write_queue_num": 8}]);
    assert_eq!(
        new.list("").await,
        json!({"total": "1", "max": "50", "remaining": "49", "next_offset": "-1", "previous_offset": "-1",
            "topics": [{"name": "topic-test", "total_read_queue_num": 8, "total_write_queue_num": 8,
                "permission": "all", "brokers": eight, "message_type": "NORMAL"}]})
    );
    let heard = cloud.simulator.call_counts();
    assert_eq!(
        (
            heard["CreateTopicOrBatchDeleteTopic"],
            heard["ListRocketInstanceTopics"],
            heard["ShowOneTopic"]
        ),
        (2, 2, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn each_version_has_its_fields_and_each_field_its_range() {
    let cloud = Cloud::new();
    let old = |more: Value| {
        let mut body = printed();
        merge(&mut body, &more);
        body
    };
    let new = |more: Value| {
        let mut body = json!({"name": "topic-test", "message_type": "FIFO"});
        merge(&mut body, &more);
        body
    };
    let queues = |broker: &str, number: Value| json!({"queues": [{"broker": broker, "queue_num": number}]});
    let cases = [
        ("4.8.0", old(json!({"name": "ab"})), "name"),
        ("4.8.0", old(json!({"name": "a".repeat(65)})), "name"),
        ("4.8.0", old(json!({"name": "pay.orders"})), "name"),
        ("4.8.0", old(json!({"permission": null})), "permission"),
        ("4.8.0", old(json!({"permission": "ALL"})), "permission"),
        ("4.8.0", old(json!({"message_type": "NORMAL"})), "message_type"),
        ("4.8.0", old(json!({"queues": null})), "queues"),
        ("4.8.0", old(json!({"queues": null, "brokers": ["broker-0"]})), "queues"),
        ("4.8.0", old(queues("broker-2", json!(3))), "broker-2"),
        ("4.8.0", old(queues("broker-0", json!(51))), "queue_num"),
        ("4.8.0", old(queues("broker-0", json!(0))), "queue_num"),
        ("4.8.0", old(queues("broker-0", Value::Null)), "queue_num"),
        ("4.8.0", old(json!({"brokers": ["broker-1"]})), "brokers"),
        ("4.8.0", old(json!({"queue_num": 4})), "queue_num"),
        (
            "4.8.0",
            old(json!({"queues": null, "brokers": ["broker-2"], "queue_num": 4})),
            "brokers",
        ),
        ("4.8.0", old(json!({"topic_desc": "orders"})), "topic_desc"),
        ("5.x", new(json!({"message_type": null})), "message_type"),
        ("5.x", new(json!({"message_type": "normal"})), "message_type"),
        ("5.x", new(json!({"brokers": ["broker-0"]})), "brokers"),
        ("5.x", new(queues("broker-0", json!(3))), "queues"),
        ("5.x", new(json!({"queue_num": 51})), "queue_num"),
    ];
    for version in ["4.8.0", "5.x"] {
        let topics = Topics::new(&cloud, version).await;
        for (_, body, field) in cases.iter().filter(|case| case.0 == version) {
            let answer = topics.create(body.clone()).await;
            assert_eq!(answer.refusal(), (400, "DMS.00400062".into()), "{version} {body}");
            assert!(answer.text.contains(field), "{version} {body}: {}", answer.text);
        }
        let typed = topics.create(json!({"name": "topic-test", "queue_num": 2.5})).await;
        assert_eq!(typed.status, 400);
        let action = format!("{}/topics?action=change", topics.instance);
        assert_eq!(cloud.call("POST", &action, Some(json!({}))).await.status, 400);
        seconds(5).await;
        assert_eq!(topics.list("").await["total"], "0");
    }
}

#[tokio::test(start_paused = true)]
async fn a_total_is_spread_over_the_brokers() {
    let cloud = Cloud::new();
    let topics = Topics::new(&cloud, "4.8.0").await;
    let two = json!(["broker-1", "broker-0"]);
    let spread = json!({"name": "spread", "permission": "pub", "brokers": two, "queue_num": 5.0});
    assert_eq!(topics.create(spread).await.status, 200);
    let shown = topics.show("spread").await;
    assert_eq!(
        (&shown["total_read_queue_num"], &shown["permission"]),
        (&json!(5), &json!("pub"))
    );
    assert_eq!(
        (
            &shown["brokers"][0]["read_queue_num"],
            &shown["brokers"][1]["read_queue_num"]
        ),
        (&json!(3), &json!(2))
    );
    let both = json!({"name": "both", "permission": "sub", "brokers": two, "queue_num": 6,
        "queues": [{"broker": "broker-0", "queue_num": 2}, {"broker": "broker-1", "queue_num": 4}]});
    assert_eq!(topics.create(both).await.status, 200);
    let shown = topics.show("both").await;
    assert_eq!(shown["brokers"][1]["write_queue_num"], 4);

    assert_eq!(
        topics.update("spread", json!({"read_queue_num": 9.0})).await.status,
        204
    );
    seconds(5).await;
    let shown = topics.show("spread").await;
    assert_eq!(
        (&shown["total_read_queue_num"], &shown["total_write_queue_num"]),
        (&json!(9), &json!(5))
    );
    let by_broker = json!({"queues": [{"broker": "broker-1", "write_queue_num": 1}]});
    assert_eq!(topics.update("spread", by_broker).await.status, 204);
    seconds(5).await;
    let shown = topics.show("spread").await;
    assert_eq!(shown["brokers"][0]["write_queue_num"], 1, "lowered");
    assert_eq!(shown["brokers"][0]["read_queue_num"], 5);
}

#[tokio::test(start_paused = true)]
async fn a_change_hides_behind_a_204_without_a_body() {
    let cloud = Cloud::new();
    let topics = Topics::new(&cloud, "4.8.0").await;
    topics.create(printed()).await;
    let change = json!({"read_queue_num": 4, "write_queue_num": 3, "permission": "sub", "topic_desc": "orders"});
    let answer = topics.update("topic-test", change).await;
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    let unchanged = topics.show("topic-test").await;
    assert_eq!(
        (&unchanged["total_read_queue_num"], &unchanged["permission"]),
        (&json!(3), &json!("all"))
    );
    let task = topics.last_task().await;
    assert_eq!(
        (&task["name"], &task["params"]),
        (&json!("updateRocketMQTopic"), &json!(r#"{"topic":"topic-test"}"#))
    );
    for busy in [
        topics.update("topic-test", json!({"permission": "all"})).await,
        topics
            .create(json!({"name": "second", "permission": "all", "brokers": ["broker-0"]}))
            .await,
        cloud.call("DELETE", &topics.one("topic-test"), None).await,
        topics.delete_batch(json!(["topic-test"])).await,
        cloud
            .call("PUT", &topics.instance, Some(json!({"enable_acl": true})))
            .await,
    ] {
        assert_eq!(busy.refusal(), (400, "DMS.00400017".into()));
    }
    seconds(5).await;
    let changed = topics.show("topic-test").await;
    assert_eq!(
        (&changed["total_read_queue_num"], &changed["permission"]),
        (&json!(4), &json!("sub"))
    );
    assert!(changed.get("topic_desc").is_none(), "no call shows a description");
    let state = cloud.simulator.state_json();
    assert_eq!(
        state["instances"][0]["topics"],
        json!([{"name": "topic-test", "permission": "sub", "messageType": null, "description": "orders",
            "queues": [{"broker": "broker-0", "read": 4, "write": 3}]}])
    );
    for (body, field) in [
        (json!({"read_queue_num": 0}), "read_queue_num"),
        (json!({"write_queue_num": 51}), "write_queue_num"),
        (json!({"permission": "none"}), "permission"),
        (json!({"message_type": "FIFO"}), "message_type"),
        (
            json!({"queues": [{"broker": "broker-1", "read_queue_num": 1}]}),
            "broker-1",
        ),
        (json!({"queues": [], "read_queue_num": 1}), "queues"),
    ] {
        let answer = topics.update("topic-test", body.clone()).await;
        assert_eq!(answer.refusal(), (400, "DMS.00400062".into()), "{body}");
        assert!(answer.text.contains(field), "{body}: {}", answer.text);
    }
}

#[tokio::test(start_paused = true)]
async fn topics_go_one_by_one_or_together() {
    let cloud = Cloud::new();
    let topics = Topics::new(&cloud, "5.x").await;
    for name in ["one", "two", "three"] {
        topics.create(json!({"name": name, "message_type": "DELAY"})).await;
    }
    let exists = topics.create(json!({"name": "one", "message_type": "DELAY"})).await;
    assert_eq!(exists.refusal(), (400, "DMS.40050005".into()));
    seconds(5).await;
    let gone = cloud.call("DELETE", &topics.one("one"), None).await;
    assert_eq!((gone.status, gone.text.as_str()), (204, ""));
    assert_eq!(
        cloud.get(&topics.one("one")).await.status,
        200,
        "not before the job ends"
    );
    seconds(5).await;
    assert_eq!(
        cloud.get(&topics.one("one")).await.refusal(),
        (400, "DMS.00400876".into())
    );
    assert_eq!(topics.list("").await["total"], "3", "and the list lags behind it");
    let absent = cloud.call("DELETE", &topics.one("one"), None).await;
    assert_eq!(absent.refusal(), (400, "DMS.00400876".into()));
    let absent = topics.update("one", json!({"permission": "all"})).await;
    assert_eq!(absent.refusal(), (400, "DMS.00400876".into()));

    cloud.fault(
        "CreateTopicOrBatchDeleteTopic",
        Effect {
            items_fail: true,
            ..Effect::default()
        },
    );
    for status in ["FAILED", "SUCCESS"] {
        let job = topics.delete_batch(json!(["two", "three", "absent"])).await.json()["job_id"].clone();
        seconds(5).await;
        let task = topics.last_task().await;
        assert_eq!((&task["id"], &task["status"]), (&job, &json!(status)));
    }
    seconds(5).await;
    assert_eq!(topics.list("").await["topics"], json!([]));
    assert_eq!(
        topics.delete_batch(json!([])).await.refusal(),
        (400, "DMS.00400062".into())
    );
}

#[tokio::test(start_paused = true)]
async fn pages_say_where_the_next_one_is_and_the_flavour_where_it_ends() {
    let cloud = Cloud::new();
    let topics = Topics::new(&cloud, "5.x").await;
    for n in 0..50 {
        let answer = topics
            .create(json!({"name": format!("topic-{n}"), "message_type": "NORMAL"}))
            .await;
        assert_eq!(answer.status, 200, "{n}");
    }
    let full = topics
        .create(json!({"name": "topic-50", "message_type": "NORMAL"}))
        .await;
    assert_eq!(full.refusal(), (400, "DMS.00400039".into()));
    seconds(5).await;
    for (query, next, previous, first) in [
        ("", "10", "-1", "topic-49"),
        ("?offset=20&limit=15", "35", "5", "topic-29"),
        ("?offset=5&limit=50", "-1", "0", "topic-44"),
    ] {
        let page = topics.list(query).await;
        assert_eq!(
            (
                &page["next_offset"],
                &page["previous_offset"],
                &page["topics"][0]["name"]
            ),
            (&json!(next), &json!(previous), &json!(first)),
            "{query}"
        );
        assert_eq!((&page["total"], &page["remaining"]), (&json!("50"), &json!("0")));
    }
    let too_many = cloud.get(&format!("{}/topics?limit=51", topics.instance)).await;
    assert_eq!(too_many.refusal(), (400, "DMS.00400062".into()));
}

#[tokio::test(start_paused = true)]
async fn a_name_is_encoded_once_in_a_path() {
    let cloud = Cloud::new();
    let topics = Topics::new(&cloud, "5.x").await;
    let created = topics
        .create(json!({"name": "%RETRY%g|x", "message_type": "NORMAL"}))
        .await;
    assert_eq!(created.status, 200);
    assert_eq!(cloud.get(&topics.one("%25RETRY%25g%7Cx")).await.status, 200);
    assert_eq!(
        cloud.get(&topics.one("%2525RETRY%2525g%257Cx")).await.refusal(),
        (400, "DMS.00400876".into())
    );
    let fault = json!({"operation": "DeleteTopic", "match": {"name": "%RETRY%g|x"}, "effect": {"lost": "after"}});
    cloud.control("POST", "faults", fault).await;
    assert!(cloud.call("DELETE", &topics.one("%25RETRY%25g%7Cx"), None).await.lost);
    seconds(5).await;
    assert_eq!(cloud.get(&topics.one("%25RETRY%25g%7Cx")).await.status, 400);
}

#[tokio::test(start_paused = true)]
async fn topics_wait_for_the_instance_and_are_not_kafkas() {
    let cloud = Cloud::new();
    let topics = Topics {
        cloud: &cloud,
        instance: format!("/v2/{{p}}/instances/{}", cloud.create_rocketmq("5.x").await),
    };
    let early = topics.create(json!({"name": "early", "message_type": "NORMAL"})).await;
    assert_eq!(early.refusal(), (400, "DMS.00400026".into()));
    assert_eq!(
        cloud.get(&topics.one("early")).await.refusal(),
        (400, "DMS.00400026".into())
    );
    let kafka = cloud.running().await;
    let other = cloud.get(&format!("{kafka}/topics/orders")).await;
    assert_eq!(other.refusal(), (400, "DMS.00400007".into()));
}

use serde_json::{Value, json};

use super::super::Effect;
use super::*;

struct Groups<'a> {
    cloud: &'a Cloud,
    instance: String,
}

impl<'a> Groups<'a> {
    async fn new(cloud: &'a Cloud, version: &str) -> Self {
        let instance = cloud.running_rocketmq(version).await;
        Self { cloud, instance }
    }

    async fn create(&self, body: Value) -> Answer {
        let path = format!("{}/groups", self.instance);
        self.cloud.call("POST", &path, Some(body)).await
    }

    async fn delete_batch(&self, names: Value) -> Answer {
        let path = format!("{}/groups?action=delete", self.instance);
        self.cloud.call("POST", &path, Some(json!({"groups": names}))).await
    }

    async fn update_batch(&self, groups: Value) -> Answer {
        let path = format!("{}/groups", self.instance);
        self.cloud.call("PUT", &path, Some(json!({"groups": groups}))).await
    }

    fn one(&self, name: &str) -> String {
        format!("{}/groups/{name}", self.instance)
    }

    async fn update(&self, name: &str, body: Value) -> Answer {
        self.cloud.call("PUT", &self.one(name), Some(body)).await
    }

    async fn show(&self, name: &str) -> Value {
        self.cloud.get(&self.one(name)).await.json()
    }

    async fn list(&self, query: &str) -> Value {
        self.cloud.get(&format!("{}/groups{query}", self.instance)).await.json()
    }

    async fn last_task(&self) -> Value {
        self.cloud.get(&format!("{}/tasks", self.instance)).await.json()["tasks"][0].clone()
    }

    fn connect(&self, group: &str, members: u32) -> bool {
        let id = self.instance.rsplit('/').next().unwrap();
        self.cloud.simulator.set_members(id, group, members)
    }
}

#[tokio::test(start_paused = true)]
async fn the_printed_groups_are_created_and_list_more_than_the_detail() {
    let cloud = Cloud::new();
    let old = Groups::new(&cloud, "4.8.0").await;
    let printed = json!({"name": "consumer-group-test", "group_desc": "group_description",
        "brokers": ["broker-0"], "broadcast": false, "retry_max_time": 16});
    assert_eq!(old.create(printed).await.json(), json!({"name": "consumer-group-test"}));
    assert_eq!(
        old.show("consumer-group-test").await,
        json!({"name": "consumer-group-test", "enabled": true, "broadcast": false, "brokers": ["broker-0"],
            "permissions": [], "retry_max_time": 16, "app_id": null, "app_name": null,
            "group_desc": "group_description"})
    );
    let new = Groups::new(&cloud, "5.x").await;
    let printed = json!({"name": "consumer-group-test", "consume_orderly": true});
    assert_eq!(new.create(printed).await.status, 200);
    assert_eq!(new.list("").await["total"], 0, "the list lags");
    seconds(5).await;
    let listed = json!({"name": "consumer-group-test", "enabled": true, "broadcast": false, "brokers": ["broker-0"],
        "createdAt": 1_795_350_720_000_i64, "permissions": [], "retry_max_time": 16, "consume_orderly": true});
    assert_eq!(
        new.list("?group=group&limit=50&offset=0").await,
        json!({"total": 1, "groups": [listed], "max": 50, "remaining": 49, "next_offset": -1, "previous_offset": -1})
    );
    assert_eq!(new.list("?group=other").await["groups"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn each_version_has_its_fields_and_each_field_its_range() {
    let cloud = Cloud::new();
    let body = |version: &str, more: Value| {
        let mut body = if version == "5.x" {
            json!({"name": "billing", "consume_orderly": false})
        } else {
            json!({"name": "billing", "brokers": ["broker-0"]})
        };
        merge(&mut body, &more);
        body
    };
    for (version, more, field) in [
        ("4.8.0", json!({"name": "ab"}), "name"),
        ("4.8.0", json!({"name": "a b c"}), "name"),
        ("4.8.0", json!({"brokers": null}), "brokers"),
        ("4.8.0", json!({"brokers": ["broker-2"]}), "brokers"),
        ("4.8.0", json!({"consume_orderly": false}), "consume_orderly"),
        ("4.8.0", json!({"retry_max_time": 0}), "retry_max_time"),
        ("4.8.0", json!({"group_desc": "x".repeat(201)}), "group_desc"),
        ("4.8.0", json!({"groups": ["billing"]}), "groups"),
        ("5.x", json!({"consume_orderly": null}), "consume_orderly"),
        ("5.x", json!({"brokers": ["broker-0"]}), "brokers"),
        ("5.x", json!({"retry_max_time": 17}), "retry_max_time"),
    ] {
        let groups = Groups::new(&cloud, version).await;
        let body = body(version, more);
        let answer = groups.create(body.clone()).await;
        assert_eq!(answer.refusal(), (400, "DMS.00400062".into()), "{version} {body}");
        assert!(answer.text.contains(field), "{version} {body}: {}", answer.text);
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_changes_all_but_the_brokers_by_a_job_that_it_names() {
    let cloud = Cloud::new();
    let groups = Groups::new(&cloud, "5.x").await;
    groups
        .create(json!({"name": "billing", "consume_orderly": false}))
        .await;
    seconds(5).await;
    let all = json!([{"name": "billing", "enabled": false, "broadcast": true, "consume_orderly": true,
        "retry_max_time": 3, "group_desc": "new"}]);
    let job = groups.update_batch(all).await.json()["job_id"].clone();
    assert_eq!(job.as_str().unwrap().len(), 32);
    assert_eq!(groups.show("billing").await["enabled"], true, "not before the job ends");
    let busy = groups.create(json!({"name": "other", "consume_orderly": false})).await;
    assert_eq!(busy.refusal(), (400, "DMS.00400017".into()));
    seconds(5).await;
    assert_eq!(groups.last_task().await["id"], job);
    let listed = groups.list("").await["groups"][0].clone();
    assert_eq!(
        (&listed["enabled"], &listed["broadcast"], &listed["consume_orderly"]),
        (&json!(false), &json!(true), &json!(true))
    );
    assert_eq!(
        (&listed["retry_max_time"], &listed["group_desc"]),
        (&json!(3), &json!("new"))
    );

    let little = json!([{"name": "billing", "consume_orderly": true, "group_desc": ""}]);
    assert_eq!(groups.update_batch(little).await.status, 200);
    seconds(5).await;
    let shown = groups.show("billing").await;
    assert_eq!((shown.get("group_desc"), &shown["retry_max_time"]), (None, &json!(3)));
    for (change, refusal) in [
        (json!([{"name": "billing"}]), (400, "DMS.00400062")),
        (
            json!([{"name": "absent", "consume_orderly": true}]),
            (404, "DMS.10240405"),
        ),
        (
            json!([{"name": "billing", "consume_orderly": true, "brokers": ["broker-0"]}]),
            (400, "DMS.00400062"),
        ),
        (json!([]), (400, "DMS.00400062")),
    ] {
        let answer = groups.update_batch(change.clone()).await;
        assert_eq!(answer.refusal(), (refusal.0, refusal.1.into()), "{change}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_group_changes_its_brokers_and_three_fields_that_it_wants_every_time() {
    let cloud = Cloud::new();
    let groups = Groups::new(&cloud, "4.8.0").await;
    let body = json!({"name": "billing", "brokers": ["broker-0"], "group_desc": "kept"});
    groups.create(body).await;
    let printed = json!({"name": "billing", "enabled": true, "retry_max_time": 10, "broadcast": true,
        "brokers": ["broker-0", "broker-1"]});
    let answer = groups.update("billing", printed.clone()).await;
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    assert_eq!(groups.show("billing").await["retry_max_time"], 16);
    let task = groups.last_task().await;
    assert_eq!(
        (&task["name"], &task["params"]),
        (&json!("updateRocketMQConsumerGroup"), &json!(r#"{"group":"billing"}"#))
    );
    seconds(5).await;
    let shown = groups.show("billing").await;
    assert_eq!(
        (&shown["retry_max_time"], &shown["brokers"], &shown["group_desc"]),
        (&json!(10), &json!(["broker-0", "broker-1"]), &json!("kept"))
    );
    for (more, field) in [
        (json!({"enabled": null}), "enabled"),
        (json!({"broadcast": null}), "broadcast"),
        (json!({"retry_max_time": null}), "retry_max_time"),
        (json!({"name": "other"}), "name"),
        (json!({"brokers": ["broker-7"]}), "broker-7"),
        (json!({"group_desc": "x"}), "group_desc"),
        (json!({"consume_orderly": true}), "consume_orderly"),
    ] {
        let mut body = printed.clone();
        merge(&mut body, &more);
        let answer = groups.update("billing", body).await;
        assert_eq!(answer.refusal(), (400, "DMS.00400062".into()), "{more}");
        assert!(answer.text.contains(field), "{more}: {}", answer.text);
    }
    let absent = groups.update("absent", printed).await;
    assert_eq!(absent.refusal(), (404, "DMS.10240405".into()));
}

#[tokio::test(start_paused = true)]
async fn groups_go_one_by_one_or_together_unless_somebody_is_in_them() {
    let cloud = Cloud::new();
    let groups = Groups::new(&cloud, "5.x").await;
    for name in ["one", "two", "online"] {
        groups.create(json!({"name": name, "consume_orderly": false})).await;
    }
    let exists = groups.create(json!({"name": "one", "consume_orderly": false})).await;
    assert_eq!(exists.refusal(), (400, "DMS.40050015".into()));
    assert!(groups.connect("online", 2) && !groups.connect("absent", 1));
    let gone = cloud.call("DELETE", &groups.one("one"), None).await;
    assert_eq!((gone.status, gone.text.as_str()), (204, ""));
    assert_eq!(cloud.get(&groups.one("one")).await.status, 200);
    seconds(5).await;
    assert_eq!(
        cloud.get(&groups.one("one")).await.refusal(),
        (404, "DMS.10240405".into())
    );
    let again = cloud.call("DELETE", &groups.one("one"), None).await;
    assert_eq!(again.refusal(), (404, "DMS.10240405".into()));

    assert_eq!(cloud.call("DELETE", &groups.one("online"), None).await.status, 204);
    seconds(5).await;
    assert_eq!(groups.last_task().await["status"], "FAILED");
    assert_eq!(cloud.get(&groups.one("online")).await.status, 200);

    cloud.fault(
        "CreateConsumerGroupOrBatchDeleteConsumerGroup",
        Effect {
            items_fail: true,
            ..Effect::default()
        },
    );
    for left in [2, 1] {
        let job = groups.delete_batch(json!(["two", "online", "absent"])).await.json()["job_id"].clone();
        seconds(5).await;
        let task = groups.last_task().await;
        assert_eq!((&task["id"], &task["status"]), (&job, &json!("FAILED")));
        let state = cloud.simulator.state_json();
        assert_eq!(state["instances"][0]["groups"].as_array().unwrap().len(), left);
    }
    let state = cloud.simulator.state_json();
    assert_eq!(
        state["instances"][0]["groups"][0],
        json!({"name": "online", "enabled": true, "broadcast": false, "retryMaxTime": 16, "consumeOrderly": false,
            "description": null, "brokers": ["broker-0"], "members": 2, "lag": {}})
    );
    assert!(groups.connect("online", 0));
    assert_eq!(groups.delete_batch(json!(["online"])).await.status, 200);
    seconds(5).await;
    assert_eq!(groups.last_task().await["status"], "SUCCESS");

    let cloud = Cloud::with(|config| config.delete_online_groups = true);
    let groups = Groups::new(&cloud, "5.x").await;
    groups.create(json!({"name": "online", "consume_orderly": false})).await;
    groups.connect("online", 1);
    cloud.call("DELETE", &groups.one("online"), None).await;
    seconds(5).await;
    assert_eq!(groups.last_task().await["status"], "SUCCESS");
}

#[tokio::test(start_paused = true)]
async fn a_flavour_ends_the_groups_and_a_name_is_encoded_once() {
    let cloud = Cloud::new();
    let groups = Groups::new(&cloud, "5.x").await;
    let odd = groups
        .create(json!({"name": "%DLQ%g|x", "consume_orderly": false}))
        .await;
    assert_eq!(odd.json()["name"], "%DLQ%g|x");
    assert_eq!(groups.show("%25DLQ%25g%7Cx").await["name"], "%DLQ%g|x");
    let twice = cloud.get(&groups.one("%2525DLQ%2525g%257Cx")).await;
    assert_eq!(twice.refusal(), (404, "DMS.10240405".into()));
    for n in 1..50 {
        let body = json!({"name": format!("group-{n}"), "consume_orderly": false});
        assert_eq!(groups.create(body).await.status, 200, "{n}");
    }
    let full = groups
        .create(json!({"name": "group-50", "consume_orderly": false}))
        .await;
    assert_eq!(full.refusal(), (400, "DMS.10240019".into()));
    seconds(5).await;
    let page = groups.list("?offset=10&limit=10").await;
    assert_eq!(
        (&page["next_offset"], &page["previous_offset"], &page["remaining"]),
        (&json!(20), &json!(0), &json!(0))
    );
    let fault =
        json!({"operation": "BatchUpdateConsumerGroup", "match": {"name": "group-2"}, "effect": {"status": 500}});
    cloud.control("POST", "faults", fault).await;
    for (name, status) in [("group-1", 200), ("group-2", 500)] {
        let answer = groups
            .update_batch(json!([{"name": name, "consume_orderly": true}]))
            .await;
        assert_eq!(answer.status, status);
        seconds(5).await;
    }
}

use serde_json::{Value, json};

use super::*;

struct Groups<'a> {
    cloud: &'a Cloud,
    instance: String,
}

impl<'a> Groups<'a> {
    async fn new(cloud: &'a Cloud) -> Self {
        let instance = cloud.running().await;
        Self { cloud, instance }
    }

    async fn create(&self, body: Value) -> Answer {
        let path = self.instance.replace("/instances/", "/kafka/instances/") + "/group";
        self.cloud.call("POST", &path, Some(body)).await
    }

    fn one(&self, name: &str) -> String {
        self.instance.replace("/v2/{p}", "/v2/kafka/{p}") + "/groups/" + name
    }

    async fn delete(&self, name: &str) -> Answer {
        self.cloud.call("DELETE", &self.one(name), None).await
    }

    async fn list(&self, query: &str) -> Value {
        self.cloud.get(&format!("{}/groups{query}", self.instance)).await.json()
    }

    async fn connect(&self, group: &str, members: u32) -> u16 {
        let body = json!({"instance": "events", "group": group, "members": members});
        self.cloud.control("POST", "clients", body).await.status
    }
}

#[tokio::test(start_paused = true)]
async fn a_group_is_created_with_a_bare_word_and_listed_late() {
    let cloud = Cloud::new();
    let groups = Groups::new(&cloud).await;
    let created = groups.create(json!({"group_name": "test"})).await;
    assert_eq!((created.status, created.text.as_str()), (200, "success"));
    let described = json!({"group_name": "billing", "group_desc": "Billing workers"});
    assert_eq!(groups.create(described).await.status, 200);
    assert_eq!(groups.list("").await, json!({"groups": [], "total": 0}));
    seconds(5).await;
    let list = groups.list("").await;
    assert_eq!(names(&list, "groups", "group_id"), ["billing", "test"]);
    assert_eq!(
        (&list["groups"][0]["group_desc"], &list["groups"][1]["group_desc"]),
        (&json!("Billing workers"), &Value::Null)
    );
    assert_eq!(list["groups"][0]["state"], "EMPTY");
    assert_eq!(list["groups"][0]["createdAt"], 1_795_349_760_000_i64);
    assert_eq!(
        names(&groups.list("?group=ill&offset=0&limit=50").await, "groups", "group_id"),
        ["billing"]
    );
    assert_eq!(groups.list("?limit=1").await["total"], 2);

    let again = groups.create(json!({"group_name": "test"})).await;
    assert_eq!(again.refusal(), (400, "DMS.10240018".into()));
    for (body, code) in [
        (json!({"group_name": ""}), "DMS.10240016"),
        (json!({"group_desc": "no name"}), "DMS.10240016"),
        (json!({"group_name": "x", "name": "x"}), "DMS.00400062"),
        (json!({"group_name": 1}), "DMS.00400085"),
    ] {
        let answer = groups.create(body.clone()).await;
        assert_eq!(answer.refusal(), (400, code.into()), "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_makes_a_group_and_keeps_it() {
    let cloud = Cloud::new();
    let groups = Groups::new(&cloud).await;
    assert_eq!(groups.connect("billing", 2).await, 204);
    assert_eq!(groups.connect("nobody", 0).await, 204);
    let shown = cloud.get(&groups.one("billing")).await.json();
    assert_eq!(shown["group"]["state"], "STABLE");
    assert_eq!(
        names(&shown["group"], "members", "client_id"),
        ["consumer-1", "consumer-2"]
    );
    assert_eq!(
        cloud.get(&groups.one("nobody")).await.refusal(),
        (400, "DMS.111400864".into())
    );
    assert_eq!(groups.delete("billing").await.refusal(), (400, "DMS.00400062".into()));
    let state = cloud.simulator.state_json();
    assert_eq!(
        state["instances"][0]["groups"],
        json!([{"name": "billing", "description": null, "state": "STABLE", "members": 2, "lag": {}}])
    );

    assert_eq!(groups.connect("billing", 0).await, 204);
    assert_eq!(
        cloud.get(&groups.one("billing")).await.json()["group"]["state"],
        "EMPTY"
    );
    let gone = groups.delete("billing").await;
    assert_eq!((gone.status, gone.text.as_str()), (200, ""));
    assert_eq!(groups.delete("billing").await.refusal(), (400, "DMS.111400864".into()));
    let absent = cloud
        .control(
            "POST",
            "clients",
            json!({"instance": "other", "group": "g", "members": 1}),
        )
        .await;
    assert_eq!(absent.status, 404);
}

#[tokio::test(start_paused = true)]
async fn a_group_can_be_shown_as_the_example_has_it() {
    let cloud = Cloud::with(|config| config.flat_groups = true);
    let groups = Groups::new(&cloud).await;
    groups.connect("billing", 1).await;
    let shown = cloud.get(&groups.one("billing")).await.json();
    assert_eq!(
        (shown.get("group"), &shown["group_id"]),
        (Some(&Value::Null), &json!("billing"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_groups_description_changes_at_once() {
    let cloud = Cloud::new();
    let groups = Groups::new(&cloud).await;
    groups
        .create(json!({"group_name": "billing", "group_desc": "old"}))
        .await;
    seconds(5).await;
    for (body, shown) in [
        (json!({"group_name": "billing", "group_desc": "new"}), json!("new")),
        (json!({"group_name": "billing"}), json!("new")),
        (json!({"group_desc": ""}), Value::Null),
    ] {
        let answer = cloud.call("PUT", &groups.one("billing"), Some(body.clone())).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, ""), "{body}");
        assert_eq!(groups.list("").await["groups"][0]["group_desc"], shown, "{body}");
    }
    let renamed = cloud
        .call("PUT", &groups.one("billing"), Some(json!({"group_name": "other"})))
        .await;
    assert_eq!(renamed.refusal(), (400, "DMS.00400062".into()));
    let absent = cloud
        .call("PUT", &groups.one("other"), Some(json!({"group_desc": "x"})))
        .await;
    assert_eq!(absent.refusal(), (400, "DMS.111400864".into()));
}

#[tokio::test(start_paused = true)]
async fn a_batch_deletion_reports_its_failures_only() {
    let cloud = Cloud::new();
    let groups = Groups::new(&cloud).await;
    for name in ["idle", "kept"] {
        groups.create(json!({"group_name": name})).await;
    }
    groups.connect("online", 1).await;
    seconds(5).await;
    let path = format!("{}/groups/batch-delete", groups.instance);
    let delete = |names: Value| cloud.call("POST", &path, Some(json!({"group_ids": names})));
    let answer = delete(json!(["idle", "online", "absent"])).await;
    assert_eq!(answer.status, 200);
    assert_eq!(names(&answer.json(), "failed_groups", "group_id"), ["online", "absent"]);
    assert_eq!(answer.json()["total"], 2);
    assert!(answer.json()["failed_groups"][0]["error_message"].is_string());
    assert_eq!(groups.list("").await["total"], 3, "the list lags");
    seconds(5).await;
    assert_eq!(names(&groups.list("").await, "groups", "group_id"), ["online", "kept"]);
    assert_eq!(delete(json!([])).await.refusal(), (400, "DMS.00400062".into()));

    let fault = json!({"operation": "BatchDeleteGroup", "match": {"name": "kept"}, "effect": {"itemsFail": true}});
    cloud.control("POST", "faults", fault).await;
    assert_eq!(delete(json!(["kept"])).await.json()["total"], 1);
    assert_eq!(
        delete(json!(["kept"])).await.json(),
        json!({"failed_groups": [], "total": 0})
    );
}

#[tokio::test(start_paused = true)]
async fn a_path_names_a_group_once_encoded_and_for_faults() {
    let cloud = Cloud::new();
    let groups = Groups::new(&cloud).await;
    groups.connect("a b/c%25", 0).await;
    groups.create(json!({"group_name": "a b/c%25"})).await;
    assert_eq!(cloud.get(&groups.one("a%20b%2Fc%2525")).await.status, 200);
    assert_eq!(cloud.get(&groups.one("a%2520b%252Fc%252525")).await.status, 400);
    let fault = json!({"operation": "DeleteInstanceConsumerGroup", "match": {"name": "a b/c%25"},
        "effect": {"status": 500}});
    cloud.control("POST", "faults", fault).await;
    assert_eq!(groups.delete("other").await.status, 400);
    assert_eq!(groups.delete("a%20b%2Fc%2525").await.status, 500);
    assert_eq!(groups.delete("a%20b%2Fc%2525").await.status, 200);
    let call = cloud.simulator.calls().pop().unwrap();
    assert_eq!(call.names, ["a b/c%25"]);
}

#[tokio::test(start_paused = true)]
async fn dead_groups_may_stay_in_the_list_and_online_ones_may_be_deleted() {
    let cloud = Cloud::with(|config| (config.dead_groups, config.delete_online_groups) = (true, true));
    let groups = Groups::new(&cloud).await;
    groups.connect("billing", 1).await;
    seconds(5).await;
    assert_eq!(groups.delete("billing").await.status, 200);
    minutes(60).await;
    assert_eq!(groups.list("").await["groups"][0]["state"], "DEAD");
    assert_eq!(cloud.get(&groups.one("billing")).await.status, 400);
    assert_eq!(groups.create(json!({"group_name": "billing"})).await.status, 200);
    seconds(5).await;
    let list = groups.list("").await;
    assert_eq!(
        (&list["total"], &list["groups"][0]["state"]),
        (&json!(1), &json!("EMPTY"))
    );
}

#[tokio::test(start_paused = true)]
async fn groups_wait_for_the_instance() {
    let cloud = Cloud::new();
    let path = format!("/v2/{{p}}/instances/{}", cloud.create("events").await);
    let groups = Groups {
        cloud: &cloud,
        instance: path,
    };
    let early = groups.create(json!({"group_name": "test"})).await;
    assert_eq!(early.refusal(), (400, "DMS.00400026".into()));
    assert_eq!(groups.connect("test", 1).await, 404);
    assert!(groups.list("").await.get("groups").is_none());
    minutes(16).await;
    let change = json!({"retention_policy": "time_base"});
    cloud.call("PUT", &groups.instance, Some(change)).await;
    assert_eq!(
        groups.create(json!({"group_name": "test"})).await.refusal(),
        (400, "DMS.00400017".into())
    );
}

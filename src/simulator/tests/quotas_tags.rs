use serde_json::{Value, json};

use super::super::Effect;
use super::*;

fn quota(user: &str) -> Value {
    json!({"user": user, "client": "", "user-default": false, "client-default": false, "producer-byte-rate": 1000})
}

struct Quotas<'a> {
    cloud: &'a Cloud,
    instance: String,
    path: String,
}

impl<'a> Quotas<'a> {
    async fn new(cloud: &'a Cloud) -> Self {
        let instance = cloud.running().await;
        let path = instance.replace("/v2/{p}", "/v2/kafka/{p}") + "/kafka-user-client-quota";
        Self { cloud, instance, path }
    }

    /// The state in which the job of a change ends.
    async fn change(&self, method: &str, body: Value) -> Value {
        let answer = self.cloud.call(method, &self.path, Some(body)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        seconds(10).await;
        let job = answer.json()["job_id"].as_str().unwrap().to_owned();
        self.cloud.get(&format!("{}/tasks/{job}", self.instance)).await.json()["tasks"][0]["status"].clone()
    }

    async fn list(&self, query: &str) -> Value {
        self.cloud.get(&format!("{}{query}", self.path)).await.json()
    }
}

#[tokio::test(start_paused = true)]
async fn a_quota_comes_changes_and_goes_by_jobs() {
    let cloud = Cloud::new();
    let quotas = Quotas::new(&cloud).await;
    assert_eq!(quotas.change("POST", quota("anna")).await, "SUCCESS");
    assert_eq!(
        quotas.change("POST", quota("anna")).await,
        "FAILED",
        "there is one already"
    );
    let mut other = quota("anna");
    other["consumer-byte-rate"] = json!(2000);
    other.as_object_mut().unwrap().remove("producer-byte-rate");
    assert_eq!(quotas.change("PUT", other.clone()).await, "SUCCESS");
    assert_eq!(
        quotas.list("").await,
        json!({"quotas": [other], "count": 1}),
        "the rate left out is gone"
    );
    assert_eq!(quotas.change("PUT", quota("bert")).await, "FAILED");
    assert_eq!(quotas.change("DELETE", json!({"user": "bert"})).await, "FAILED");
    assert_eq!(quotas.change("DELETE", json!({"user": "anna"})).await, "SUCCESS");
    assert_eq!(quotas.list("").await["count"], 0);
}

#[tokio::test(start_paused = true)]
async fn a_quotas_job_keeps_the_instance_busy() {
    let cloud = Cloud::new();
    let quotas = Quotas::new(&cloud).await;
    assert_eq!(cloud.call("POST", &quotas.path, Some(quota("anna"))).await.status, 200);
    let second = cloud.call("POST", &quotas.path, Some(quota("bert"))).await;
    assert_eq!(second.refusal(), (400, "DMS.00400017".into()));
    assert_eq!(
        cloud.topic(&quotas.instance, "orders").await.refusal(),
        (400, "DMS.00400017".into())
    );
    assert_eq!(
        cloud.call("DELETE", &quotas.instance, None).await.refusal(),
        (400, "DMS.00400017".into())
    );
    assert_eq!(quotas.list("").await["count"], 0, "not there before the job has ended");
}

#[tokio::test(start_paused = true)]
async fn a_quota_names_somebody_and_limits_something() {
    let cloud = Cloud::with(|config| config.strict_quotas = true);
    let quotas = Quotas::new(&cloud).await;
    for body in [
        json!({"user": "", "client": "", "producer-byte-rate": 1}),
        json!({"user": "anna", "user-default": true, "producer-byte-rate": 1}),
        json!({"client": "c", "client-default": true, "producer-byte-rate": 1}),
        json!({"user": "anna"}),
        json!({"user": "anna", "producer-byte-rate": -1}),
        json!({"user": "anna", "producer_rate": 1}),
        json!({"user": "anna", "producer_byte_rate": 1, "producer-byte-rate": 1}),
    ] {
        let answer = cloud.call("POST", &quotas.path, Some(body.clone())).await;
        assert_eq!(answer.refusal(), (400, "DMS.00400062".into()), "{body}");
    }
    let absent = cloud.call("PUT", &quotas.path, Some(quota("nobody"))).await;
    assert_eq!(
        absent.refusal(),
        (400, "DMS.00400062".into()),
        "the switch refuses it at once"
    );
}

#[tokio::test(start_paused = true)]
async fn the_vendors_sdk_spells_a_quota_with_underscores() {
    let cloud = Cloud::new();
    let quotas = Quotas::new(&cloud).await;
    let body = json!({"user": "", "client": "", "user_default": true, "producer_byte_rate": 1});
    assert_eq!(quotas.change("POST", body.clone()).await, "SUCCESS");
    assert_eq!(quotas.change("PUT", body).await, "SUCCESS");
    assert_eq!(quotas.list("").await["quotas"][0]["user-default"], true);
    assert_eq!(quotas.change("DELETE", json!({"user_default": true})).await, "SUCCESS");
    assert_eq!(quotas.list("").await["count"], 0);
}

#[tokio::test(start_paused = true)]
async fn quotas_are_listed_by_ten() {
    let cloud = Cloud::new();
    let quotas = Quotas::new(&cloud).await;
    for n in 0..11 {
        quotas.change("POST", quota(&format!("user-{n}"))).await;
    }
    let first = quotas.list("").await;
    assert_eq!(
        (first["quotas"].as_array().unwrap().len(), &first["count"]),
        (10, &json!(11))
    );
    assert_eq!(names(&quotas.list("?offset=10").await, "quotas", "user"), ["user-0"]);
}

#[tokio::test(start_paused = true)]
async fn tasks_come_in_a_list_newest_first_and_counted_by_a_string() {
    let cloud = Cloud::new();
    let quotas = Quotas::new(&cloud).await;
    quotas.change("POST", quota("anna")).await;
    minutes(1).await;
    quotas.change("PUT", quota("anna")).await;
    let tasks = format!("{}/tasks", quotas.instance);
    let list = async |query: &str| cloud.get(&format!("{tasks}{query}")).await.json();
    let both = list("").await;
    assert_eq!(
        names(&both, "tasks", "name"),
        ["updateKafkaUserClientQuota", "createKafkaUserClientQuota"]
    );
    assert_eq!(
        (&both["task_count"], &both["tasks"][1]["status"]),
        (&json!("2"), &json!("SUCCESS"))
    );
    assert_eq!(both["tasks"][1]["created_at"], "2026-11-22T12:16:00.000Z");
    assert_eq!(both["tasks"][1]["updated_at"], "2026-11-22T12:16:10.000Z");
    assert_eq!(
        names(&list("?start=2&limit=1").await, "tasks", "name"),
        ["createKafkaUserClientQuota"]
    );
    assert_eq!(list("?begin_time=20261122121700").await["task_count"], "1");
    assert_eq!(list("?end_time=20261122121659").await["task_count"], "1");
    assert_eq!(list("?start=0").await["error_code"], "DMS.00400062");
    assert_eq!(list("?end_time=2026").await["error_code"], "DMS.00400062");
    assert_eq!(list("/no-id").await["error_code"], "DMS.00400070");
    assert_eq!(
        list("/8abfa7b372160bfd0172165864064079").await,
        json!({"task_count": "0", "tasks": []})
    );
}

#[tokio::test(start_paused = true)]
async fn a_job_that_fails_leaves_things_as_they_were() {
    let cloud = Cloud::new();
    let quotas = Quotas::new(&cloud).await;
    cloud.fault(
        "CreateKafkaUserClientQuotaTask",
        Effect {
            job_fails: true,
            ..Effect::default()
        },
    );
    assert_eq!(quotas.change("POST", quota("anna")).await, "FAILED");
    assert_eq!(quotas.list("").await["count"], 0);
    assert_eq!(quotas.change("POST", quota("anna")).await, "SUCCESS");
}

#[tokio::test(start_paused = true)]
async fn tags_lag_are_unique_and_go_together_or_not_at_all() {
    let cloud = Cloud::new();
    let path = cloud.running().await.replace("/instances/", "/kafka/") + "/tags";
    let act = |action: &str, tags: Value| {
        let body = json!({"action": action, "tags": tags});
        let (cloud, path) = (&cloud, format!("{path}/action"));
        async move { cloud.call("POST", &path, Some(body)).await.refusal() }
    };
    let ok = (204, String::new());
    assert_eq!(act("create", json!([{"key": "env", "value": "prod"}])).await, ok);
    assert_eq!(cloud.get(&path).await.json(), json!({"tags": []}));
    seconds(10).await;
    assert_eq!(
        cloud.get(&path).await.json(),
        json!({"tags": [{"key": "env", "value": "prod"}]})
    );

    let many: Vec<_> = (0..20).map(|n| json!({"key": format!("k{n}")})).collect();
    for (action, tags, code) in [
        (
            "create",
            json!([{"key": "env", "value": "test"}]),
            (400, "DMS.10240045"),
        ),
        ("create", json!([{"key": ""}]), (400, "DMS.10240035")),
        ("create", json!([{"key": "sys-env"}]), (400, "DMS.10240036")),
        ("create", json!([{"key": " env"}]), (400, "DMS.10240036")),
        ("create", json!([{"key": "a/b"}]), (400, "DMS.10240036")),
        (
            "create",
            json!([{"key": "a", "value": "x".repeat(256)}]),
            (400, "DMS.10240038"),
        ),
        ("create", json!([{"key": "a", "value": "?"}]), (400, "DMS.10240039")),
        ("create", json!(many), (400, "DMS.10240044")),
        ("replace", json!([{"key": "a"}]), (400, "DMS.10240040")),
        (
            "delete",
            json!([{"key": "env"}, {"key": "absent"}]),
            (404, "DMS.10240426"),
        ),
    ] {
        assert_eq!(
            act(action, tags.clone()).await,
            (code.0, code.1.into()),
            "{action} {tags}"
        );
    }
    seconds(10).await;
    assert_eq!(cloud.get(&path).await.json()["tags"].as_array().unwrap().len(), 1);
    assert_eq!(act("delete", json!([{"key": "env", "value": "prod"}])).await, ok);

    let cloud = Cloud::with(|config| config.replace_tags = true);
    let path = cloud.running().await.replace("/instances/", "/kafka/") + "/tags/action";
    for value in ["prod", "test"] {
        let body = json!({"action": "create", "tags": [{"key": "env", "value": value}]});
        assert_eq!(cloud.call("POST", &path, Some(body)).await.status, 204);
    }
}

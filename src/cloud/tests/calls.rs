//! Each operation's request, as the API reference has it.

use serde_json::{Value, json};

use super::kafka::*;
use super::*;

const HOST: &str = "https://dms.eu-west-101.myhuaweicloud.eu";

/// The one request that `call` makes, and what it needs as an answer.
pub(super) async fn request<T, F>(reply: &str, call: impl FnOnce(Client) -> F) -> (String, Value)
where
    F: Future<Output = Result<T, Error>>,
{
    let script = Script::new([answer(200, reply)]);
    call(script.client()).await.unwrap();
    let (line, body) = script.only_request();
    (line.replace(HOST, ""), body)
}

#[tokio::test(start_paused = true)]
async fn instances() {
    let order = CreateInstance {
        order: Order {
            name: "events".to_owned(),
            engine_version: "2.7".to_owned(),
            broker_num: Some(3),
            storage_space: 600,
            ..Order::default()
        },
        tags: vec![Tag {
            key: "k".to_owned(),
            value: "v".to_owned(),
        }],
        ..Default::default()
    };
    let (line, body) = request(r#"{"instance_id":"i1"}"#, async |c| c.create_instance(&order).await).await;
    assert_eq!(line, "POST /v2/kafka/p1/instances");
    assert_eq!(body["engine"], "kafka");
    assert_eq!(body["storage_space"], 600);
    assert_eq!(body["tags"], json!([{"key": "k", "value": "v"}]));
    assert_eq!(body.get("description"), None);

    let query = InstanceQuery {
        name: Some("my events".to_owned()),
        offset: 50,
        ..Default::default()
    };
    let list = r#"{"instances":[],"instance_num":0}"#;
    let (line, _) = request(list, async |c| c.list_instances::<Instance>(&query).await).await;
    assert_eq!(
        line,
        "GET /v2/p1/instances?engine=kafka&exact_match_name=true&include_failure=true&limit=50&name=my%20events&offset=50"
    );

    let (line, _) = request(r#"{"instance_id":"i1"}"#, async |c| {
        c.show_instance::<Instance>("i1").await
    })
    .await;
    assert_eq!(line, "GET /v2/p1/instances/i1");
    let (line, _) = request("", async |c| c.delete_instance("i1").await).await;
    assert_eq!(line, "DELETE /v2/p1/instances/i1");

    let change = UpdateInstance {
        description: Some(String::new()),
        ..Default::default()
    };
    let (line, body) = request("", async |c| c.update_instance("i1", &change).await).await;
    assert_eq!(
        (line.as_str(), body),
        ("PUT /v2/p1/instances/i1", json!({"description": ""}))
    );

    let (line, body) = request(r#"{"job_id":"j1"}"#, async |c| {
        c.extend_storage(Engine::Kafka, "i1", 900).await
    })
    .await;
    assert_eq!(line, "POST /v2/kafka/p1/instances/i1/extend");
    assert_eq!(body, json!({"oper_type": "storage", "new_storage_space": 900}));
}

#[tokio::test(start_paused = true)]
async fn topics() {
    let topic = CreateTopic {
        name: "orders".to_owned(),
        partitions: Some(3),
        retention_hours: Some(72),
        configs: vec![TopicConfig {
            name: "max.message.bytes".to_owned(),
            value: "1024".to_owned(),
        }],
        ..Default::default()
    };
    let (line, body) = request(r#"{"name":"orders"}"#, async |c| c.create_topic("i1", &topic).await).await;
    assert_eq!(line, "POST /v2/p1/instances/i1/topics");
    let configs = json!([{"name": "max.message.bytes", "value": "1024"}]);
    let expected = json!({"id": "orders", "partition": 3, "retention_time": 72, "topic_other_configs": configs});
    assert_eq!(body, expected);

    let (line, _) = request(r#"{"topics":[],"total":0}"#, async |c| {
        c.list_topics("i1", 100, 50).await
    })
    .await;
    assert_eq!(line, "GET /v2/p1/instances/i1/topics?limit=50&offset=100");

    let change = UpdateTopic {
        name: "orders".to_owned(),
        partitions: Some(6),
        ..Default::default()
    };
    let (line, body) = request("", async |c| c.update_topics("i1", &[change]).await).await;
    assert_eq!(line, "PUT /v2/p1/instances/i1/topics");
    assert_eq!(body, json!({"topics": [{"id": "orders", "new_partition_numbers": 6}]}));

    let (line, body) = request(r#"{"topics":[]}"#, async |c| c.delete_topics("i1", &["a", "b"]).await).await;
    assert_eq!(
        (line.as_str(), body),
        ("POST /v2/p1/instances/i1/topics/delete", json!({"topics": ["a", "b"]}))
    );
}

#[tokio::test(start_paused = true)]
async fn groups() {
    let (line, _) = request(r#"{"groups":[],"total":0}"#, async |c| {
        c.list_groups("i1", 50, 50).await
    })
    .await;
    assert_eq!(line, "GET /v2/p1/instances/i1/groups?limit=50&offset=50");
    let mut group = CreateGroup {
        name: "test".to_owned(),
        description: None,
    };
    let (line, body) = request("success", async |c| c.create_group("i1", &group).await).await;
    assert_eq!(line, "POST /v2/p1/kafka/instances/i1/group");
    assert_eq!(body, json!({"group_name": "test"}));
    group.description = Some("d".to_owned());
    let (_, body) = request("success", async |c| c.create_group("i1", &group).await).await;
    assert_eq!(body, json!({"group_name": "test", "group_desc": "d"}));

    let (line, body) = request("", async |c| c.update_group("i1", "%RETRY%g|x", "").await).await;
    assert_eq!(line, "PUT /v2/kafka/p1/instances/i1/groups/%25RETRY%25g%7Cx");
    assert_eq!(body, json!({"group_name": "%RETRY%g|x", "group_desc": ""}));

    let (line, body) = request(r#"{"failed_groups":[],"total":0}"#, async |c| {
        c.delete_groups("i1", &["a", "b"]).await
    })
    .await;
    assert_eq!(line, "POST /v2/p1/instances/i1/groups/batch-delete");
    assert_eq!(body, json!({"group_ids": ["a", "b"]}));
}

#[tokio::test(start_paused = true)]
async fn quotas() {
    let identity = QuotaIdentity {
        client_default: true,
        ..Default::default()
    };
    let quota = Quota {
        identity: identity.clone(),
        producer_byte_rate: Some(1024),
        consumer_byte_rate: None,
    };
    let wire = json!({"user": "", "client": "", "user-default": false, "client-default": true});
    let mut with_rate = wire.clone();
    with_rate["producer-byte-rate"] = 1024.into();
    let path = "/v2/kafka/p1/instances/i1/kafka-user-client-quota";

    let (line, body) = request("{}", async |c| c.create_quota("i1", &quota).await).await;
    assert_eq!((line, &body), (format!("POST {path}"), &with_rate));
    let (line, body) = request("{}", async |c| c.update_quota("i1", &quota).await).await;
    assert_eq!((line, &body), (format!("PUT {path}"), &with_rate));
    let (line, body) = request("{}", async |c| c.delete_quota("i1", &identity).await).await;
    assert_eq!((line, &body), (format!("DELETE {path}"), &wire));
    let (line, _) = request(r#"{"quotas":[],"count":0}"#, async |c| c.list_quotas("i1", 0, 10).await).await;
    assert_eq!(line, format!("GET {path}?limit=10&offset=0"));
}

#[tokio::test(start_paused = true)]
async fn tags_tasks_zones_and_projects() {
    let (line, _) = request(r#"{"tags":[]}"#, async |c| c.list_tags(Engine::Kafka, "i1").await).await;
    assert_eq!(line, "GET /v2/p1/kafka/i1/tags");
    let tag = Tag {
        key: "k".to_owned(),
        value: "v".to_owned(),
    };
    let (line, body) = request("", async |c| {
        c.change_tags(Engine::Kafka, "i1", TagAction::Delete, &[tag]).await
    })
    .await;
    assert_eq!(line, "POST /v2/p1/kafka/i1/tags/action");
    assert_eq!(body, json!({"action": "delete", "tags": [{"key": "k", "value": "v"}]}));

    let (line, _) = request(r#"{"tasks":[],"task_count":"0"}"#, async |c| {
        c.list_tasks("i1", 1, 100).await
    })
    .await;
    assert_eq!(line, "GET /v2/p1/instances/i1/tasks?limit=100&start=1");
    let task = r#"{"tasks":[{"id":"t1"}],"task_count":"1"}"#;
    let (line, _) = request(task, async |c| c.show_task("i1", "t1").await).await;
    assert_eq!(line, "GET /v2/p1/instances/i1/tasks/t1");

    let (line, _) = request(r#"{"available_zones":[]}"#, async |c| c.list_available_zones().await).await;
    assert_eq!(line, "GET /v2/available-zones");

    let script = Script::new([answer(200, r#"{"projects":[]}"#)]);
    script.client().find_projects(Some("eu-west-101")).await.unwrap();
    let (line, _) = script.only_request();
    assert_eq!(
        line,
        "GET https://iam.eu-west-101.myhuaweicloud.eu/v3/projects?name=eu-west-101"
    );
    assert!(
        !script.requests.lock().unwrap()[0]
            .headers()
            .contains_key("x-project-id")
    );
}

#[tokio::test(start_paused = true)]
async fn calls_name_the_project_and_the_type_of_their_body() {
    let script = Script::new([answer(204, "")]);
    script.client().delete_instance("i1").await.unwrap();
    assert_eq!(script.header(0, "x-project-id"), "p1");
    assert_eq!(script.header(0, "content-type"), "application/json");
    assert_eq!(script.header(0, "host"), "dms.eu-west-101.myhuaweicloud.eu");
    let signed = "SignedHeaders=content-type;host;x-project-id;x-sdk-date;x-security-token,";
    assert!(script.header(0, "authorization").contains(signed));
}

#[test]
fn endpoints() {
    let endpoints = Endpoints::of_region("ap-southeast-1").unwrap();
    assert_eq!(
        endpoints.dms.to_string(),
        "https://dms.ap-southeast-1.myhuaweicloud.com"
    );
    assert_eq!(
        endpoints.iam.to_string(),
        "https://iam.ap-southeast-1.myhuaweicloud.com"
    );
    let local: Endpoint = "http://127.0.0.1:8080/".parse().unwrap();
    assert_eq!(
        (local.scheme(), local.host(), local.port()),
        ("http", "127.0.0.1", 8080)
    );
    let https: Endpoint = "https://DMS.example.com:443".parse().unwrap();
    assert_eq!(
        (https.to_string().as_str(), https.port()),
        ("https://dms.example.com", 443)
    );
    for wrong in [
        "dms.example.com",
        "ftp://a",
        "https://a/b",
        "https://user@a",
        "https://a?b=c",
        "",
        "https://",
    ] {
        assert!(wrong.parse::<Endpoint>().is_err(), "{wrong}");
    }
    assert!(Endpoints::of_region("a/b").is_err());
}

//! RocketMQ: each operation's request, as the API reference has it, and what becomes of its examples.

use serde_json::{Value, json};

use super::calls::request;
use super::*;
use crate::cloud::rocketmq::*;

fn client(status: u16, body: &str) -> Client {
    Script::new([answer(status, body)]).client()
}

#[tokio::test(start_paused = true)]
async fn instances_are_ordered_and_listed_as_reliability() {
    let order = CreateInstance {
        order: Order {
            name: "orders".to_owned(),
            engine_version: "4.8.0".to_owned(),
            broker_num: Some(1),
            storage_space: 300,
            ..Order::default()
        },
        enable_acl: Some(true),
    };
    let (line, body) = request(r#"{"instance_id":"i1"}"#, async |c| c.create_instance(&order).await).await;
    assert_eq!(line, "POST /v2/reliability/p1/instances");
    assert_eq!(body["engine"], "reliability");
    assert_eq!(
        (&body["storage_space"], &body["broker_num"], &body["enable_acl"]),
        (&json!(300), &json!(1), &json!(true))
    );
    assert_eq!((body.get("description"), body.get("tags")), (None, None));

    let list = r#"{"instances":[],"instance_num":0}"#;
    let (line, _) = request(list, async |c| {
        c.list_instances::<Instance>(&InstanceQuery::default()).await
    })
    .await;
    assert_eq!(
        line,
        "GET /v2/p1/instances?engine=reliability&include_failure=true&limit=50&offset=0"
    );

    let change = UpdateInstance {
        description: Some(String::new()),
        enable_acl: Some(false),
        ..Default::default()
    };
    let (line, body) = request("", async |c| c.update_instance("i1", &change).await).await;
    assert_eq!(
        (line.as_str(), body),
        (
            "PUT /v2/p1/instances/i1",
            json!({"description": "", "enable_acl": false})
        )
    );

    let (line, body) = request(r#"{"job_id":"j1"}"#, async |c| {
        c.extend_storage(Engine::RocketMq, "i1", 600).await
    })
    .await;
    assert_eq!(line, "POST /v2/rocketmq/p1/instances/i1/extend");
    assert_eq!(body, json!({"oper_type": "storage", "new_storage_space": 600}));
    let (line, _) = request(r#"{"brokers":[]}"#, async |c| c.list_brokers("i1").await).await;
    assert_eq!(line, "GET /v2/p1/instances/i1/brokers");
    let (line, _) = request(r#"{"products":[]}"#, async |c| c.extend_products("i1").await).await;
    assert_eq!(line, "GET /v2/rocketmq/p1/instances/i1/extend");

    let (line, _) = request(r#"{"tags":[]}"#, async |c| c.list_tags(Engine::RocketMq, "i1").await).await;
    assert_eq!(line, "GET /v2/p1/rocketmq/i1/tags");
    let (line, body) = request("", async |c| {
        c.change_tags(Engine::RocketMq, "i1", TagAction::Create, &[]).await
    })
    .await;
    assert_eq!(line, "POST /v2/p1/rocketmq/i1/tags/action");
    assert_eq!(body, json!({"action": "create", "tags": []}));
}

#[tokio::test(start_paused = true)]
async fn topics() {
    // The two examples of 5.3.1: what is not given is not sent, since the other version would refuse it.
    let topic = CreateTopic {
        name: "topic-test".to_owned(),
        permission: Some("all".to_owned()),
        queues: vec![CreateQueues {
            broker: "broker-0".to_owned(),
            queue_num: 3,
        }],
        ..Default::default()
    };
    let created = r#"{"id":"topic-test"}"#;
    let (line, body) = request(created, async |c| c.create_rocketmq_topic("i1", &topic).await).await;
    assert_eq!(line, "POST /v2/p1/instances/i1/topics");
    let queues = json!([{"broker": "broker-0", "queue_num": 3}]);
    assert_eq!(
        body,
        json!({"name": "topic-test", "permission": "all", "queues": queues})
    );
    let topic = CreateTopic {
        name: "topic-test".to_owned(),
        message_type: Some("NORMAL".to_owned()),
        ..Default::default()
    };
    let (_, body) = request(created, async |c| c.create_rocketmq_topic("i1", &topic).await).await;
    assert_eq!(body, json!({"name": "topic-test", "message_type": "NORMAL"}));

    let (line, _) = request(r#"{"topics":[],"total":"0"}"#, async |c| {
        c.list_rocketmq_topics("i1", 50, 50).await
    })
    .await;
    assert_eq!(line, "GET /v2/p1/instances/i1/topics?limit=50&offset=50");

    let change = UpdateTopic {
        read_queue_num: Some(3),
        description: Some("d".to_owned()),
        queues: vec![BrokerQueues {
            broker: "broker-0".to_owned(),
            read_queue_num: Some(3),
            write_queue_num: None,
        }],
        ..Default::default()
    };
    let (line, body) = request("", async |c| c.update_rocketmq_topic("i1", "%RETRY%g|x", &change).await).await;
    assert_eq!(line, "PUT /v2/p1/instances/i1/topics/%25RETRY%25g%7Cx");
    let queues = json!([{"broker": "broker-0", "read_queue_num": 3}]);
    assert_eq!(body, json!({"read_queue_num": 3, "topic_desc": "d", "queues": queues}));

    let (line, body) = request(r#"{"job_id":"j1"}"#, async |c| {
        c.delete_rocketmq_topics("i1", &["a", "%b|"]).await
    })
    .await;
    assert_eq!(line, "POST /v2/p1/instances/i1/topics?action=delete");
    assert_eq!(body, json!({"topics": ["a", "%b|"]}));
}

#[tokio::test(start_paused = true)]
async fn groups() {
    let group = CreateGroup {
        name: "consumer-group-test".to_owned(),
        broadcast: Some(false),
        brokers: vec!["broker-0".to_owned()],
        retry_max_time: Some(16),
        description: Some("d".to_owned()),
        ..Default::default()
    };
    let (line, body) = request(r#"{"name":"consumer-group-test"}"#, async |c| {
        c.create_rocketmq_group("i1", &group).await
    })
    .await;
    assert_eq!(line, "POST /v2/p1/instances/i1/groups");
    assert_eq!(
        body,
        json!({
            "name": "consumer-group-test", "broadcast": false, "brokers": ["broker-0"], "retry_max_time": 16,
            "group_desc": "d",
        })
    );

    let (line, _) = request(r#"{"groups":[],"total":0}"#, async |c| {
        c.list_rocketmq_groups("i1", 0, 50).await
    })
    .await;
    assert_eq!(line, "GET /v2/p1/instances/i1/groups?limit=50&offset=0");

    let change = UpdateGroup {
        name: "consumer-group-test".to_owned(),
        enabled: Some(true),
        broadcast: Some(false),
        retry_max_time: Some(16),
        consume_orderly: Some(false),
        description: None,
    };
    let (line, body) = request(r#"{"job_id":"j1"}"#, async |c| {
        c.update_rocketmq_groups("i1", &[change]).await
    })
    .await;
    assert_eq!(line, "PUT /v2/p1/instances/i1/groups");
    let change = json!({
        "name": "consumer-group-test", "enabled": true, "broadcast": false, "consume_orderly": false,
        "retry_max_time": 16,
    });
    assert_eq!(body, json!({"groups": [change]}));

    let change = UpdateGroupBrokers {
        name: "%RETRY%g|x".to_owned(),
        enabled: true,
        broadcast: false,
        retry_max_time: 16,
        brokers: vec!["broker-0".to_owned(), "broker-1".to_owned()],
    };
    let (line, body) = request("", async |c| c.update_rocketmq_group("i1", "%RETRY%g|x", &change).await).await;
    assert_eq!(line, "PUT /v2/p1/instances/i1/groups/%25RETRY%25g%7Cx");
    assert_eq!(
        body,
        json!({
            "name": "%RETRY%g|x", "enabled": true, "broadcast": false, "retry_max_time": 16,
            "brokers": ["broker-0", "broker-1"],
        })
    );

    let (line, body) = request(r#"{"job_id":"j1"}"#, async |c| {
        c.delete_rocketmq_groups("i1", &["a"]).await
    })
    .await;
    assert_eq!(line, "POST /v2/p1/instances/i1/groups?action=delete");
    assert_eq!(body, json!({"groups": ["a"]}));
}

#[tokio::test(start_paused = true)]
async fn an_instance_is_read_in_the_mixture_of_types_that_it_comes_in() {
    let body = r#"{"instance_id":"i1","name":"orders","engine":"reliability","status":"running","engine_version":"4.8.0",
        "storage_space":558,"total_storage_space":"600","broker_num":"1","extend_times":0,"created_at":"1709087952686",
        "enable_acl":"false","ipv6_enable":false,"available_zones":["z1"],"maintain_begin":"02:00:00",
        "maintain_end":"06:00:00","cross_vpc_info":"{}","tags":["tag1"],"namesrv_address":"192.168.93.114:8100",
        "public_namesrv_address":"100.85.116.211:8200"}"#;
    let instance: Instance = client(200, body).show_instance("i1").await.unwrap();
    assert_eq!(
        (instance.total_storage_space, instance.broker_num),
        (Some(600), Some(1))
    );
    assert_eq!((instance.enable_acl, instance.ipv6_enable), (Some(false), Some(false)));
    assert_eq!(instance.created_at.unwrap().to_string(), "2024-02-28T02:39:12.686Z");
    assert_eq!(instance.status, Some(InstanceStatus::Running));
    assert_eq!(instance.maintain_begin.as_deref(), Some("02:00:00"));
    assert_eq!(instance.namesrv_address.as_deref(), Some("192.168.93.114:8100"));
    assert_eq!((instance.grpc_address, instance.description), (None, None));

    let unfinished = r#"{"instance_id":"i1","status":"CREATING","created_at":""}"#;
    let instance: Instance = client(200, unfinished).show_instance("i1").await.unwrap();
    assert_eq!((instance.created_at, instance.broker_num), (None, None));
    let status = client(200, r#"{"status":"ROLLBACK"}"#)
        .instance_status("i1")
        .await
        .unwrap();
    assert_eq!(status, Some(InstanceStatus::Rollback));
    assert_eq!(client(200, "{}").instance_status("i1").await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn brokers_and_products_of_the_references_examples() {
    let body =
        r#"{"total":1,"brokers":[{"ids":[0,1,2],"broker_name":"broker-0"}],"next_offset":-1,"previous_offset":-1}"#;
    assert_eq!(client(200, body).list_brokers("i1").await.unwrap(), ["broker-0"]);
    let body = r#"{"engine":"rocketmq","versions":["4.8.0"],"products":[{"type":"cluster","product_id":"c6.8u16g.cluster",
        "properties":{"max_broker":"10","max_topic_per_broker":"8000","max_storage_per_node":"90000","min_broker":"1",
        "min_storage_per_node":"300"}},{"product_id":"new"}]}"#;
    let products = client(200, body).extend_products("i1").await.unwrap();
    let limits = |product: &ExtendProduct| {
        (
            product.min_broker,
            product.max_broker,
            product.min_storage_per_node,
            product.max_storage_per_node,
        )
    };
    assert_eq!(products[0].product_id, "c6.8u16g.cluster");
    assert_eq!(limits(&products[0]), (Some(1), Some(10), Some(300), Some(90_000)));
    assert_eq!(limits(&products[1]), (None, None, None, None));
}

#[tokio::test(start_paused = true)]
async fn topics_and_groups_of_the_references_examples() {
    let body = r#"{"total":"3","max":"2000","remaining":"1997","next_offset":"-1","previous_offset":"-1","topics":[
        {"name":"topic-1","total_read_queue_num":3,"total_write_queue_num":4.0,"permission":"all",
        "brokers":[{"broker_name":"broker-0","read_queue_num":3,"write_queue_num":"4"}],"message_type":"NORMAL"},
        {"name":"%RETRY%g|x","total_read_queue_num":2.5}]}"#;
    let page = client(200, body).list_rocketmq_topics("i1", 0, 50).await.unwrap();
    assert_eq!(page.total, Some(3));
    assert_eq!((page.limits.most, page.limits.left), (Some(2000), Some(1997)));
    let [topic, bare] = page.items.as_slice() else { panic!() };
    assert_eq!(
        (topic.total_read_queue_num, topic.total_write_queue_num),
        (Some(3), Some(4))
    );
    assert_eq!(
        (topic.permission.as_deref(), topic.message_type.as_deref()),
        (Some("all"), Some("NORMAL"))
    );
    let broker = BrokerQueues {
        broker: "broker-0".to_owned(),
        read_queue_num: Some(3),
        write_queue_num: Some(4),
    };
    assert_eq!(topic.brokers, Some(vec![broker]));
    assert_eq!(bare.name, "%RETRY%g|x");
    assert_eq!((bare.total_read_queue_num, bare.brokers.clone()), (None, None));

    let body = r#"{"total":1,"groups":[{"name":"group-1","enabled":true,"broadcast":"false","brokers":["broker-0"],
        "createdAt":1709087952686,"permissions":[],"retry_max_time":"16","consume_orderly":false}],"max":4000,
        "remaining":3999,"next_offset":-1,"previous_offset":-1}"#;
    let page = client(200, body).list_rocketmq_groups("i1", 0, 50).await.unwrap();
    assert_eq!(page.total, Some(1));
    assert_eq!((page.limits.most, page.limits.left), (Some(4000), Some(3999)));
    let group = &page.items[0];
    assert_eq!(
        (
            group.enabled,
            group.broadcast,
            group.consume_orderly,
            group.retry_max_time
        ),
        (Some(true), Some(false), Some(false), Some(16))
    );
    assert_eq!(group.brokers.as_deref().unwrap(), ["broker-0"]);
    assert_eq!(group.created_at.unwrap().to_string(), "2024-02-28T02:39:12.686Z");
    assert_eq!(group.description, None);
}

#[tokio::test(start_paused = true)]
async fn a_change_in_the_background_has_an_id_only_if_it_is_told() {
    let change = UpdateTopic::default();
    for (status, body, job) in [
        (204, "", None),
        (200, "{}", None),
        (204, r#"{"job_id":"j1"}"#, Some("j1")),
    ] {
        let id = client(status, body)
            .update_rocketmq_topic("i1", "t", &change)
            .await
            .unwrap();
        assert_eq!(id.as_deref(), job, "{status} {body}");
        let id = client(status, body).delete_rocketmq_groups("i1", &["g"]).await.unwrap();
        assert_eq!(id.as_deref(), job, "{status} {body}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_answer_is_never_an_empty_one() {
    fn class<T: std::fmt::Debug>(result: Result<T, Error>) -> Class {
        result.unwrap_err().class()
    }
    for body in ["", "{}", "[]", "<html>"] {
        let client = || client(200, body);
        let classes = [
            class(client().list_rocketmq_topics("i1", 0, 50).await),
            class(client().list_rocketmq_groups("i1", 0, 50).await),
            class(client().list_brokers("i1").await),
            class(client().extend_products("i1").await),
            class(client().show_instance::<Instance>("i1").await),
            class(client().list_instances::<Instance>(&InstanceQuery::default()).await),
            class(client().list_tags(Engine::RocketMq, "i1").await),
        ];
        assert_eq!(classes, [Class::Malformed; 7], "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn creating_and_deleting_share_a_name_but_not_a_deadline() {
    let script = Script::new([Reply::Silence, Reply::Silence]);
    let client = script.client();
    let start = tokio::time::Instant::now();
    let error = client
        .create_rocketmq_topic("i1", &CreateTopic::default())
        .await
        .unwrap_err();
    assert_eq!(start.elapsed().as_secs(), 8);
    assert_eq!(error.to_string(), "failed to create the topic: no answer in time");
    let error = client.delete_rocketmq_topics("i1", &["t"]).await.unwrap_err();
    assert_eq!(start.elapsed().as_secs(), 38);
    assert_eq!(error.to_string(), "failed to delete the topic: no answer in time");
    assert_eq!(Operation::BatchDeleteTopic.name(), "CreateTopicOrBatchDeleteTopic");
}

#[tokio::test(start_paused = true)]
async fn what_is_there_already_is_told_when_creating() {
    for (code, message) in [
        ("DMS.40050015", "Consumer group exits."),
        ("DMS.00400062", "The group g already exists."),
    ] {
        let client = Script::new([refusal(400, code, message)]).client();
        let error = client.create_rocketmq_group("i1", &CreateGroup::default()).await;
        assert_eq!(error.unwrap_err().fault(), Fault::Exists, "{code} {message}");
    }
    let absent: Value = json!({"error_code": "DMS.10240405", "error_msg": "not found"});
    let error = client(404, &absent.to_string())
        .delete_rocketmq_groups("i1", &["g"])
        .await
        .unwrap_err();
    assert_eq!((error.fault(), error.is_instance_gone()), (Fault::Gone, false));
}

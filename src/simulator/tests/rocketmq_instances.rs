use serde_json::{Value, json};

use super::super::{Effect, FailedCreate};
use super::*;

const LIST: &str = "/v2/{p}/instances?engine=reliability";
const CREATE: &str = "/v2/reliability/{p}/instances";

#[tokio::test(start_paused = true)]
async fn each_range_of_a_creation_has_its_code() {
    let cloud = Cloud::new();
    let five = |more: Value| {
        let mut body = json!({"engine_version": "5.x", "product_id": "rocketmq.b1.large.1", "storage_space": 200, "broker_num": 1});
        merge(&mut body, &more);
        body
    };
    for (otherwise, code) in [
        (json!({"name": "abc"}), "DMS.00400010"),
        (json!({"name": "a".repeat(65)}), "DMS.00400010"),
        (json!({"description": "x".repeat(1025)}), "DMS.00400011"),
        (json!({"engine": "rocketmq"}), "DMS.00400007"),
        (json!({"engine": "kafka"}), "DMS.00400007"),
        (json!({"engine_version": "4.9.0"}), "DMS.00400008"),
        (json!({"product_id": "c6.2u4g.cluster"}), "DMS.00400009"),
        (json!({"product_id": "rocketmq.b1.large.1"}), "DMS.00400009"),
        (five(json!({"product_id": "c6.4u8g.cluster"})), "DMS.00400009"),
        (
            json!({"product_id": "c6.4u8g.cluster.small", "broker_num": 3, "storage_space": 900}),
            "DMS.00400062",
        ),
        (json!({"broker_num": 11, "storage_space": 3300}), "DMS.00400062"),
        (json!({"broker_num": 0}), "DMS.00400062"),
        (five(json!({"broker_num": 2, "storage_space": 400})), "DMS.00400062"),
        (json!({"storage_space": 299}), "DMS.00400500"),
        (json!({"storage_space": 599, "broker_num": 2}), "DMS.00400500"),
        (json!({"storage_space": 601, "broker_num": 2}), "DMS.00400500"),
        (json!({"storage_space": 60_001}), "DMS.00400500"),
        (five(json!({"storage_space": 199})), "DMS.00400500"),
        (
            json!({"storage_spec_code": "dms.physical.storage.high"}),
            "DMS.00400125",
        ),
        (json!({"vpc_id": ""}), "DMS.00400013"),
        (json!({"available_zones": ["eu-west-101b"]}), "DMS.00400042"),
        (json!({"tags": [{"key": "env", "value": "prod"}]}), "DMS.00400062"),
        (json!({"ssl_enable": true}), "DMS.00400062"),
        (json!({"proxy_enable": true}), "DMS.00400062"),
        (json!({"tls_mode": "SSL"}), "DMS.00400062"),
        (json!({"arch_type": "aarch64"}), "DMS.00400062"),
        (
            json!({"publicip_id": "83924171-7014-48f0-a6b2-c714e7a090dd"}),
            "DMS.00400062",
        ),
        (json!({"retention_policy": "time_base"}), "DMS.00400062"),
    ] {
        let answer = cloud.call("POST", CREATE, Some(rocketmq(otherwise.clone()))).await;
        assert_eq!(answer.refusal(), (400, code.into()), "{otherwise}");
    }
    assert_eq!(cloud.simulator.state_json(), json!({"instances": []}));
    let odd = rocketmq(json!({"name": "0_digit_first", "storage_spec_code": "dms.physical.storage.extreme"}));
    let answer = cloud.call("POST", "/v2/rocketmq/{p}/instances", Some(odd)).await;
    assert_eq!(answer.status, 200, "either name of the engine will do in the path");
}

#[tokio::test(start_paused = true)]
async fn an_old_instance_and_a_new_one_read_back_differently() {
    let cloud = Cloud::new();
    let id = cloud.create_rocketmq("4.8.0").await;
    let path = format!("/v2/{{p}}/instances/{id}");
    let creating = cloud.get(&path).await.json();
    for unsettled in ["created_at", "description", "broker_num", "namesrv_address", "tags"] {
        assert!(creating.get(unsettled).is_none(), "{unsettled}");
    }
    minutes(16).await;
    let old = cloud.get(&path).await.json();
    assert_eq!(old["created_at"], "1795349700000", "15 minutes after it was asked for");
    assert_eq!(
        (&old["engine"], &old["type"]),
        (&json!("reliability"), &json!("cluster"))
    );
    assert_eq!(old["specification"], "c6.4u8g.cluster * 2 brokers");
    assert_eq!(
        (&old["storage_space"], &old["total_storage_space"]),
        (&json!(558), &json!(600))
    );
    assert_eq!((&old["broker_num"], &old["enable_acl"]), (&json!(2), &json!(false)));
    assert!(old.get("grpc_address").is_none() && old.get("retention_policy").is_none());
    let cross_vpc: Value = serde_json::from_str(old["cross_vpc_info"].as_str().unwrap()).unwrap();
    assert_eq!(cross_vpc["192.168.0.61"]["broker_port"], "10100");

    let new = cloud.running_rocketmq("5.x").await;
    let new = cloud.get(&new).await.json();
    assert_eq!(new["type"], "single.basic");
    assert_eq!(new["specification"], "rocketmq.b1.large.1, 500 tps");
    assert_eq!(
        (&new["grpc_address"], new.get("broker_num")),
        (&json!("192.168.0.11:8080"), None)
    );
}

#[tokio::test(start_paused = true)]
async fn each_engine_lists_its_own() {
    let cloud = Cloud::new();
    let (kafka, rocketmq) = (cloud.create("events").await, cloud.create_rocketmq("4.8.0").await);
    minutes(1).await;
    for (engine, id) in [("kafka", &kafka), ("reliability", &rocketmq), ("rocketmq", &rocketmq)] {
        let list = cloud.get(&format!("/v2/{{p}}/instances?engine={engine}")).await.json();
        assert_eq!(names(&list, "instances", "instance_id"), [id.as_str()], "{engine}");
        assert_eq!(list["instance_num"], 1);
        assert!(list["instances"][0].get("description").is_none());
    }
    let other = cloud.get("/v2/{p}/instances?engine=rabbitmq").await;
    assert_eq!(other.refusal(), (400, "DMS.00400007".into()));
}

#[tokio::test(start_paused = true)]
async fn a_change_shows_at_once_and_names_are_stricter() {
    let cloud = Cloud::new();
    let instance = cloud.running_rocketmq("4.8.0").await;
    let body = json!({"name": "rocketmq001", "description": "RocketMQ description", "security_group_id": "sg-2",
        "enable_acl": true, "enable_publicip": false, "publicip_id": ""});
    assert_eq!(cloud.call("PUT", &instance, Some(body)).await.status, 204);
    let seen = cloud.get(&instance).await.json();
    assert_eq!(
        (&seen["name"], &seen["description"]),
        (&json!("rocketmq001"), &json!("RocketMQ description"))
    );
    assert_eq!(
        (&seen["enable_acl"], &seen["security_group_id"]),
        (&json!(true), &json!("sg-2"))
    );
    assert_eq!(cloud.simulator.state_json()["instances"][0]["enableAcl"], true);
    let emptied = cloud.call("PUT", &instance, Some(json!({"description": ""}))).await;
    assert_eq!(emptied.status, 204);
    let seen = cloud.get(&instance).await.json();
    assert_eq!((seen.get("description"), &seen["enable_acl"]), (None, &json!(true)));
    for (body, code) in [
        (json!({"name": "0digit"}), "DMS.00400010"),
        (json!({"name": "under_score"}), "DMS.00400010"),
        (json!({"enable_publicip": true}), "DMS.00400062"),
        (
            json!({"maintain_begin": "02:00:00", "maintain_end": "06:00:00"}),
            "DMS.00400062",
        ),
        (json!({"enterprise_project_id": "1"}), "DMS.00400062"),
        (json!({"enable_acl": 1}), "DMS.00400085"),
    ] {
        let answer = cloud.call("PUT", &instance, Some(body.clone())).await;
        assert_eq!(answer.refusal(), (400, code.into()), "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn brokers_are_listed_once_they_are_up() {
    let cloud = Cloud::new();
    let path = format!("/v2/{{p}}/instances/{}", cloud.create_rocketmq("4.8.0").await);
    let brokers = path.clone() + "/brokers";
    assert_eq!(cloud.get(&brokers).await.refusal(), (400, "DMS.00400026".into()));
    minutes(16).await;
    let two = [
        json!({"ids": [0, 1, 2], "broker_name": "broker-0"}),
        json!({"ids": [0, 1, 2], "broker_name": "broker-1"}),
    ];
    assert_eq!(
        cloud.get(&brokers).await.json(),
        json!({"total": 2, "brokers": two, "next_offset": -1, "previous_offset": -1})
    );
    let second = cloud.get(&format!("{brokers}?offset=1&limit=1")).await.json();
    assert_eq!(
        (&second["brokers"], &second["previous_offset"]),
        (&json!([two[1]]), &json!(0))
    );
    let none = cloud.get(&format!("{brokers}?limit=0")).await;
    assert_eq!(none.refusal(), (400, "DMS.00400062".into()));
}

#[tokio::test(start_paused = true)]
async fn a_creation_fails_and_a_deletion_ends_in_absence() {
    let cloud = Cloud::new();
    let instance = cloud.running_rocketmq("5.x").await;
    assert_eq!(cloud.call("DELETE", &instance, None).await.status, 204);
    assert_eq!(cloud.status(&instance).await, "DELETING");
    minutes(2).await;
    assert_eq!(cloud.get(&instance).await.refusal(), (404, "DMS.00404022".into()));
    cloud.fault(
        "CreateInstanceByEngine",
        Effect {
            create_fails: Some(FailedCreate::Error),
            ..Effect::default()
        },
    );
    let failed = cloud.running_rocketmq("5.x").await;
    let seen = cloud.get(&failed).await.json();
    assert_eq!((&seen["status"], seen.get("created_at")), (&json!("ERROR"), None));
    assert_eq!(cloud.get(LIST).await.json()["instance_num"], 0);
}

#[tokio::test(start_paused = true)]
async fn tags_lag_and_come_in_pages() {
    let cloud = Cloud::new();
    let instance = cloud.running_rocketmq("4.8.0").await;
    let tags = instance.replace("/instances/", "/rocketmq/") + "/tags";
    let act = |action: &str, key: &str, value: &str| {
        let body = json!({"action": action, "tags": [{"key": key, "value": value}]});
        let (cloud, path) = (&cloud, format!("{tags}/action"));
        async move { cloud.call("POST", &path, Some(body)).await }
    };
    assert_eq!(act("create", "env", "a+b_.:=-@").await.status, 204);
    assert_eq!(cloud.get(&tags).await.json()["tags"], json!([]));
    seconds(10).await;
    assert_eq!(
        cloud.get(&tags).await.json(),
        json!({"total": 1, "next_offset": -1, "previous_offset": -1, "tags": [{"key": "env", "value": "a+b_.:=-@"}]})
    );
    assert_eq!(cloud.get(&instance).await.json()["tags"][0]["key"], "env");
    for (action, key, value, refusal) in [
        ("create", "env", "again", (400, "DMS.10240045")),
        ("create", "a~b", "", (400, "DMS.10240036")),
        ("create", "sysadmin", "", (400, "DMS.10240036")),
        ("create", "padded", " value", (400, "DMS.10240039")),
        ("delete", "other", "", (404, "DMS.10240426")),
        ("change", "env", "", (400, "DMS.10240040")),
    ] {
        let answer = act(action, key, value).await;
        assert_eq!(answer.refusal(), (refusal.0, refusal.1.into()), "{action} {key}");
    }
    assert_eq!(cloud.get(&format!("{tags}?offset=1")).await.json()["tags"], json!([]));
    assert_eq!(act("delete", "env", "").await.status, 204);
    seconds(10).await;
    assert_eq!(cloud.get(&tags).await.json()["total"], 0);
}

#[tokio::test(start_paused = true)]
async fn an_instance_is_extended_within_its_flavours_limits() {
    let cloud = Cloud::new();
    let instance = cloud.running_rocketmq("4.8.0").await;
    let extend = instance.replace("/v2/{p}", "/v2/rocketmq/{p}") + "/extend";
    let products = cloud.get(&extend).await.json();
    assert_eq!(
        (&products["total"], &products["versions"]),
        (&json!(5), &json!(["4.8.0"]))
    );
    assert_eq!(
        products["products"][0]["properties"],
        json!({"max_broker": "2", "max_topic_per_broker": "2000", "max_storage_per_node": "30000",
            "max_consumer_per_broker": "2000", "min_broker": "1", "product_alias": "rocketmq.4u8g.cluster.small",
            "engine_versions": "4.8.0", "min_storage_per_node": "300"})
    );
    for (body, code) in [
        (
            json!({"oper_type": "storage", "new_storage_space": 799}),
            "DMS.00400500",
        ),
        (
            json!({"oper_type": "storage", "new_storage_space": 120_002}),
            "DMS.00400500",
        ),
        (
            json!({"oper_type": "horizontal", "new_broker_num": 11, "new_storage_space": 3300}),
            "DMS.00400062",
        ),
        (
            json!({"oper_type": "horizontal", "new_broker_num": 3, "new_storage_space": 1000}),
            "DMS.00400500",
        ),
        (
            json!({"oper_type": "vertical", "new_product_id": "c6.4u8g.cluster.small"}),
            "DMS.00400009",
        ),
        (json!({"oper_type": "storage", "tenant_ips": []}), "DMS.00400062"),
    ] {
        let answer = cloud.call("POST", &extend, Some(body.clone())).await;
        assert_eq!(answer.refusal(), (400, code.into()), "{body}");
    }
    for body in [
        json!({"oper_type": "storage", "new_storage_space": 800}),
        json!({"oper_type": "horizontal", "new_broker_num": 3, "new_storage_space": 1200}),
        json!({"oper_type": "vertical", "new_product_id": "c6.8u16g.cluster"}),
    ] {
        let job = cloud.call("POST", &extend, Some(body)).await.json()["job_id"].clone();
        let job = job.as_str().unwrap().to_owned();
        assert!(job.contains('-'));
        assert_eq!(cloud.status(&instance).await, "EXTENDING");
        minutes(10).await;
        let task = cloud.get(&format!("{instance}/tasks/{job}")).await.json();
        let tasks = cloud.get(&format!("{instance}/tasks?start=0&limit=1")).await.json();
        assert_eq!(tasks["tasks"][0]["id"], *job);
        assert_eq!(
            (&task["task_count"], &task["tasks"][0]["status"]),
            (&json!("1"), &json!("SUCCESS"))
        );
    }
    let seen = cloud.get(&instance).await.json();
    assert_eq!(
        (
            &seen["total_storage_space"],
            &seen["broker_num"],
            &seen["product_id"],
            &seen["extend_times"]
        ),
        (&json!(1200), &json!(3), &json!("c6.8u16g.cluster"), &json!(1))
    );
    let heard = cloud.simulator.call_counts();
    assert_eq!(
        (heard["ResizeInstance"], heard["ShowEngineInstanceExtendProductInfo"]),
        (9, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn storage_grows_twenty_times() {
    let cloud = Cloud::new();
    let instance = cloud.running_rocketmq("5.x").await;
    let extend = instance.replace("/v2/{p}", "/v2/reliability/{p}") + "/extend";
    for step in 1..=21 {
        let body = json!({"oper_type": "storage", "new_storage_space": 200 + 100 * step});
        let answer = cloud.call("POST", &extend, Some(body)).await;
        let refusal = if step <= 20 {
            (200, String::new())
        } else {
            (400, "DMS.00400124".into())
        };
        assert_eq!(answer.refusal(), refusal, "{step}");
        minutes(10).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_operation_of_the_other_engine_is_refused() {
    let cloud = Cloud::new();
    let (kafka, rocketmq) = (cloud.running().await, cloud.running_rocketmq("4.8.0").await);
    let quotas = rocketmq.replace("/v2/{p}", "/v2/kafka/{p}") + "/kafka-user-client-quota";
    let extend = kafka.replace("/v2/{p}", "/v2/rocketmq/{p}") + "/extend";
    for (method, path, body) in [
        ("GET", format!("{kafka}/brokers"), None),
        ("GET", kafka.replace("/instances/", "/rocketmq/") + "/tags", None),
        ("GET", rocketmq.replace("/instances/", "/kafka/") + "/tags", None),
        ("GET", quotas, None),
        (
            "PUT",
            format!("{rocketmq}/topics"),
            Some(json!({"topics": [{"id": "orders"}]})),
        ),
        (
            "POST",
            format!("{rocketmq}/topics/delete"),
            Some(json!({"topics": ["orders"]})),
        ),
        (
            "POST",
            extend,
            Some(json!({"oper_type": "storage", "new_storage_space": 900})),
        ),
    ] {
        let answer = cloud.call(method, &path, body).await;
        assert_eq!(answer.refusal(), (400, "DMS.00400007".into()), "{method} {path}");
    }
}

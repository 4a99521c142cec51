use serde_json::json;

use super::super::{Effect, FailedCreate, FailedCreates, Status};
use super::*;

const LIST: &str = "/v2/{p}/instances?engine=kafka";

#[tokio::test(start_paused = true)]
async fn each_range_of_a_creation_has_its_code() {
    let cloud = Cloud::new();
    let many_tags: Vec<_> = (0..21).map(|n| json!({"key": format!("k{n}")})).collect();
    for (otherwise, code) in [
        (json!({"name": "abc"}), "DMS.00400010"),
        (json!({"name": "a.bcd"}), "DMS.00400010"),
        (json!({"name": 1234}), "DMS.00400085"),
        (json!({"description": "x".repeat(1025)}), "DMS.00400011"),
        (json!({"engine": "rabbitmq"}), "DMS.00400007"),
        (json!({"engine_version": "2.8"}), "DMS.00400008"),
        (json!({"product_id": "c6.1u1g.cluster"}), "DMS.00400009"),
        (json!({"broker_num": 2}), "DMS.00400062"),
        (json!({"broker_num": 31}), "DMS.00400062"),
        (json!({"broker_num": "3"}), "DMS.00400085"),
        (json!({"storage_space": 299}), "DMS.00400500"),
        (json!({"storage_space": 301}), "DMS.00400500"),
        (json!({"storage_space": 300_003}), "DMS.00400500"),
        (
            json!({"storage_spec_code": "dms.physical.storage.ultra"}),
            "DMS.00400125",
        ),
        (json!({"vpc_id": null}), "DMS.00400013"),
        (json!({"security_group_id": ""}), "DMS.00400014"),
        (json!({"subnet_id": null}), "DMS.00400016"),
        (json!({"available_zones": []}), "DMS.00400067"),
        (
            json!({"available_zones": [ZONE_A, "9f1c5806706d4c1fb0eb72f0a9b18c77"]}),
            "DMS.00400067",
        ),
        (json!({"available_zones": ["eu-west-101a"]}), "DMS.00400042"),
        (
            json!({"available_zones": ["effdbc2a6b42f565330a1f3bb2c95d0e"]}),
            "DMS.00400055",
        ),
        (
            json!({"available_zones": ["0d1f5b3e8c7a4f6d9e2b4a6c8d0f1e3a"], "ipv6_enable": true}),
            "DMS.00400049",
        ),
        (json!({"maintain_begin": "02:00"}), "DMS.00400106"),
        (
            json!({"maintain_begin": "02:00", "maintain_end": "10:00"}),
            "DMS.00400106",
        ),
        (
            json!({"maintain_begin": "02:00:00", "maintain_end": "06:00:00"}),
            "DMS.00400106",
        ),
        (json!({"retention_policy": "delete"}), "DMS.00400062"),
        (json!({"tags": many_tags}), "DMS.10240044"),
        (json!({"tags": [{"key": "a"}, {"key": "a"}]}), "DMS.10240045"),
        (json!({"storageSpace": 300}), "DMS.00400062"),
        (json!({"ssl_enable": true}), "DMS.00400062"),
    ] {
        let answer = cloud
            .call("POST", "/v2/kafka/{p}/instances", Some(order(otherwise.clone())))
            .await;
        assert_eq!(answer.refusal(), (400, code.into()), "{otherwise}");
    }
    assert_eq!(cloud.simulator.state_json(), json!({"instances": []}));
}

#[tokio::test(start_paused = true)]
async fn a_creation_takes_the_services_time_and_reads_back_differently() {
    let cloud = Cloud::new();
    let zones = [
        ZONE_A,
        "9f1c5806706d4c1fb0eb72f0a9b18c77",
        "38b0f7a602344246bcb0da47b5d548e7",
    ];
    let body = order(
        json!({"maintain_begin": "22:00", "maintain_end": "02:00", "available_zones": zones,
        "description": "for you", "ssl_enable": false, "tags": [{"key": "env", "value": "prod"}]}),
    );
    let answer = cloud.call("POST", "/v2/kafka/{p}/instances", Some(body)).await;
    let path = format!("/v2/{{p}}/instances/{}", answer.json()["instance_id"].as_str().unwrap());
    minutes(14).await;
    let creating = cloud.get(&path).await.json();
    assert_eq!(creating["status"], "CREATING");
    assert!(creating.get("broker_num").is_none() && creating.get("tags").is_none());
    minutes(2).await;
    let running = cloud.get(&path).await.json();
    assert_eq!(running["status"], "RUNNING");
    assert_eq!(
        (&running["storage_space"], &running["total_storage_space"]),
        (&json!(246), &json!(300))
    );
    assert_eq!(running["maintain_begin"], "22:00:00");
    assert_eq!(running["created_at"], "1795348800000");
    assert_eq!(running["partition_num"], "750");
    assert_eq!(running["tags"], json!([{"key": "env", "value": "prod"}]));
    assert!(running["cross_vpc_info"].is_string() && running["port_protocols"].is_string());
    let mut orders = std::collections::BTreeSet::new();
    for _ in 0..20 {
        orders.insert(cloud.get(&path).await.json()["available_zones"].to_string());
    }
    assert!(orders.len() > 1, "zones come in any order");
}

#[tokio::test(start_paused = true)]
async fn the_list_lags_behind_creation_and_deletion() {
    let cloud = Cloud::new();
    let id = cloud.create("events").await;
    assert_eq!(cloud.get(LIST).await.json()["instance_num"], 0);
    seconds(30).await;
    let listed = cloud.get(LIST).await.json();
    assert_eq!(names(&listed, "instances", "instance_id"), [id.as_str()]);
    assert!(listed["instances"][0].get("broker_num").is_none());

    minutes(15).await;
    let path = format!("/v2/{{p}}/instances/{id}");
    assert_eq!(cloud.call("DELETE", &path, None).await.status, 204);
    assert_eq!(cloud.status(&path).await, "DELETING");
    minutes(2).await;
    assert_eq!(cloud.get(&path).await.refusal(), (404, "DMS.00404022".into()));
    assert_eq!(cloud.get(LIST).await.json()["instance_num"], 1);
    seconds(30).await;
    assert_eq!(cloud.get(LIST).await.json()["instance_num"], 0);
}

#[tokio::test(start_paused = true)]
async fn the_list_is_paged_and_filtered_with_strings() {
    let cloud = Cloud::new();
    for n in 0..12 {
        cloud.create(&format!("events-{n}")).await;
        seconds(1).await;
    }
    minutes(1).await;
    assert_eq!(cloud.get(LIST).await.json()["instances"].as_array().unwrap().len(), 10);
    let second = cloud.get(&format!("{LIST}&limit=10&offset=10")).await.json();
    assert_eq!(names(&second, "instances", "name"), ["events-1", "events-0"]);
    assert_eq!(second["instance_num"], 12);
    let count = |query: &'static str| {
        let cloud = &cloud;
        async move { cloud.get(&format!("{LIST}{query}")).await.json()["instance_num"].clone() }
    };
    assert_eq!(count("&name=events-1").await, 3);
    assert_eq!(count("&name=events-1&exact_match_name=true").await, 1);
    assert_eq!(count("&status=RUNNING").await, 0);
    for (query, code) in [
        (format!("{LIST}&limit=51"), "DMS.00400062"),
        (format!("{LIST}&offset=-1"), "DMS.00400062"),
        (format!("{LIST}&offset=12"), "DMS.40050010"),
        (format!("{LIST}&nmae=x"), "DMS.00400062"),
        ("/v2/{p}/instances".into(), "DMS.00400062"),
    ] {
        assert_eq!(cloud.get(&query).await.refusal(), (400, code.into()), "{query}");
    }
}

#[tokio::test(start_paused = true)]
async fn names_are_unique_only_if_told_so() {
    let cloud = Cloud::new();
    assert_ne!(cloud.create("events").await, cloud.create("events").await);
    let cloud = Cloud::with(|config| config.unique_names = true);
    cloud.create("events").await;
    let second = cloud
        .call("POST", "/v2/kafka/{p}/instances", Some(order(json!({}))))
        .await;
    assert_eq!(second.refusal(), (400, "DMS.00400060".into()));
    let other = format!("/v2/{{p}}/instances/{}", cloud.create("other").await);
    minutes(15).await;
    let renamed = cloud.call("PUT", &other, Some(json!({"name": "events"}))).await;
    assert_eq!(renamed.refusal(), (400, "DMS.00400081".into()));
    assert_eq!(
        cloud.call("PUT", &other, Some(json!({"name": "other"}))).await.status,
        204
    );
}

#[tokio::test(start_paused = true)]
async fn a_failed_creation_ends_in_error_or_nowhere_and_may_be_hidden() {
    for (switch, shown, counted) in [
        (FailedCreates::Hidden, 0, 0),
        (FailedCreates::Counted, 0, 1),
        (FailedCreates::Listed, 1, 1),
    ] {
        let cloud = Cloud::with(|config| config.failed_creates = switch);
        cloud.fault(
            "CreateInstanceByEngine",
            Effect {
                create_fails: Some(FailedCreate::Error),
                ..Effect::default()
            },
        );
        assert_eq!(cloud.status(&cloud.running().await).await, "ERROR");
        let list = cloud.get(&format!("{LIST}&include_failure=true")).await.json();
        assert_eq!(
            (list["instances"].as_array().unwrap().len(), &list["instance_num"]),
            (shown, &json!(counted))
        );
        assert_eq!(cloud.get(LIST).await.json()["instance_num"], 0);
    }
    let cloud = Cloud::new();
    cloud.fault(
        "CreateInstanceByEngine",
        Effect {
            create_fails: Some(FailedCreate::Vanishes),
            ..Effect::default()
        },
    );
    assert_eq!(cloud.status(&cloud.running().await).await, "absent");
}

#[tokio::test(start_paused = true)]
async fn a_change_shows_at_once_but_the_retention_policy_is_a_job() {
    let cloud = Cloud::new();
    let instance = cloud.running().await;
    let body = json!({"name": "renamed", "description": "new", "maintain_begin": "06:00:00",
        "maintain_end": "10:00:00", "security_group_id": "sg-2", "retention_policy": "time_base"});
    assert_eq!(cloud.call("PUT", &instance, Some(body)).await.status, 204);
    let seen = cloud.get(&instance).await.json();
    assert_eq!(
        (&seen["name"], &seen["maintain_end"]),
        (&json!("renamed"), &json!("10:00:00"))
    );
    assert_eq!(seen["retention_policy"], "produce_reject");

    let busy = cloud.call("PUT", &instance, Some(json!({"description": ""}))).await;
    assert_eq!(busy.refusal(), (400, "DMS.00400017".into()));
    let tasks = cloud.get(&format!("{instance}/tasks?start=1&limit=10")).await.json();
    assert_eq!(
        (&tasks["task_count"], &tasks["tasks"][0]["status"]),
        (&json!("1"), &json!("CREATED"))
    );
    assert_eq!(
        tasks["tasks"][0]["params"],
        r#"{"new_retention_policy":"time_base","origin_retention_policy":"produce_reject"}"#
    );
    seconds(10).await;
    assert_eq!(cloud.get(&instance).await.json()["retention_policy"], "time_base");
    assert_eq!(
        cloud
            .call("PUT", &instance, Some(json!({"description": ""})))
            .await
            .status,
        204
    );
    assert!(cloud.get(&instance).await.json().get("description").is_none());
    for (body, code) in [
        (json!({"name": "1starts-with-digit"}), "DMS.00400010"),
        (
            json!({"maintain_begin": "02:00", "maintain_end": "06:00"}),
            "DMS.00400106",
        ),
        (json!({"broker_num": 4}), "DMS.00400062"),
    ] {
        assert_eq!(
            cloud.call("PUT", &instance, Some(body.clone())).await.refusal(),
            (400, code.into()),
            "{body}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn storage_grows_in_a_job_and_never_shrinks() {
    let cloud = Cloud::new();
    let instance = cloud.running().await;
    let extend = instance.replace("/v2/{p}", "/v2/kafka/{p}") + "/extend";
    let storage = |total: i64| Some(json!({"oper_type": "storage", "new_storage_space": total}));
    for total in [200, 300, 597, 601, 300_003] {
        assert_eq!(
            cloud.call("POST", &extend, storage(total)).await.refusal(),
            (400, "DMS.00400500".into()),
            "{total}"
        );
    }
    let job = cloud.call("POST", &extend, storage(600)).await.json()["job_id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(cloud.status(&instance).await, "EXTENDING");
    assert_eq!(
        cloud.call("POST", &extend, storage(900)).await.refusal(),
        (400, "DMS.00400026".into())
    );
    let task = async || cloud.get(&format!("{instance}/tasks/{job}")).await.json()["tasks"][0]["status"].clone();
    assert_eq!(task().await, "CREATED");
    minutes(5).await;
    assert_eq!(task().await, "EXECUTING");
    minutes(5).await;
    assert_eq!(task().await, "SUCCESS");
    let seen = cloud.get(&instance).await.json();
    assert_eq!(
        (&seen["total_storage_space"], &seen["extend_times"]),
        (&json!(600), &json!(1))
    );

    let mut horizontal = json!({"oper_type": "horizontal", "new_storage_space": 900, "new_broker_num": 4});
    assert_eq!(
        cloud.call("POST", &extend, Some(horizontal.clone())).await.refusal(),
        (400, "DMS.00400500".into())
    );
    horizontal["new_storage_space"] = json!(800);
    assert_eq!(cloud.call("POST", &extend, Some(horizontal)).await.status, 200);
    minutes(10).await;
    let vertical = json!({"oper_type": "vertical", "new_product_id": "c6.4u8g.cluster"});
    cloud.fault(
        "ResizeEngineInstance",
        Effect {
            job_fails: true,
            ..Effect::default()
        },
    );
    assert_eq!(cloud.call("POST", &extend, Some(vertical)).await.status, 200);
    minutes(10).await;
    let seen = cloud.get(&instance).await.json();
    assert_eq!(
        (&seen["broker_num"], &seen["total_storage_space"]),
        (&json!(4), &json!(800))
    );
    assert_eq!(
        (&seen["status"], &seen["product_id"]),
        (&json!("EXTENDEDFAILED"), &json!("c6.2u4g.cluster"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_deletion_is_refused_fails_afterwards_or_ends_in_the_bin() {
    let cloud = Cloud::new();
    let id = cloud.create("events").await;
    let path = format!("/v2/{{p}}/instances/{id}");
    assert_eq!(
        cloud.call("DELETE", &path, None).await.refusal(),
        (400, "DMS.00400099".into())
    );
    minutes(15).await;
    cloud.fault(
        "DeleteInstance",
        Effect {
            job_fails: true,
            ..Effect::default()
        },
    );
    assert_eq!(cloud.call("DELETE", &path, None).await.status, 204);
    assert_eq!(
        cloud.call("DELETE", &path, None).await.refusal(),
        (400, "DMS.00400026".into())
    );
    minutes(2).await;
    assert_eq!(cloud.status(&path).await, "RUNNING");
    cloud.simulator.set_status(&id, Status::Frozen);
    assert_eq!(
        cloud.topic(&path, "orders").await.refusal(),
        (400, "DMS.00400026".into())
    );

    let cloud = Cloud::with(|config| config.recycle_bin = true);
    let path = cloud.running().await;
    assert_eq!(cloud.call("DELETE", &path, None).await.status, 204);
    minutes(2).await;
    assert_eq!(cloud.status(&path).await, "RECYCLE");
}

#[tokio::test(start_paused = true)]
async fn an_id_must_be_one() {
    let cloud = Cloud::new();
    assert_eq!(
        cloud.get("/v2/{p}/instances/events").await.refusal(),
        (400, "DMS.00400030".into())
    );
    let absent = "/v2/{p}/instances/8959ab1c-7a1a-4a01-a05a-93dfc361b32d";
    assert_eq!(cloud.get(absent).await.refusal(), (404, "DMS.00404022".into()));
}

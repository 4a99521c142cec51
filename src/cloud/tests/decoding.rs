//! What becomes of the service's answers.

use super::kafka::*;
use super::*;

fn client(status: u16, body: &str) -> Client {
    Script::new([answer(status, body)]).client()
}

#[tokio::test(start_paused = true)]
async fn numbers_booleans_and_json_in_strings_are_read() {
    let body = r#"{"instance_id":"i1","name":"events","status":"running","engine_version":2.7,"broker_num":"3",
        "storage_space":492,"total_storage_space":"600","extend_times":"1","charging_mode":1,"ipv6_enable":"False",
        "created_at":"1585618587087","port":"9092","available_zones":["b","a"],"description":null,"new_field":{"x":[]},
        "cross_vpc_info":"{\"10.0.0.1\":{\"advertised_ip\":\"192.168.0.1\",\"port\":\"9011\",\"port_id\":\"x\"}}",
        "port_protocols":"{\"private_plain_enable\":\"true\",\"private_plain_address\":\"10.0.0.1:9092\"}"}"#;
    let instance = client(200, body).show_instance::<Instance>("i1").await.unwrap();
    assert_eq!(instance.engine_version.as_deref(), Some("2.7"));
    assert_eq!((instance.broker_num, instance.node_num), (Some(3), None));
    assert_eq!(
        (instance.storage_space, instance.total_storage_space),
        (Some(492), Some(600))
    );
    assert_eq!(
        (instance.ipv6_enable, instance.port, instance.extend_times),
        (Some(false), Some(9092), Some(1))
    );
    assert_eq!(instance.status, Some(InstanceStatus::Running));
    assert_eq!(instance.description, None);
    assert_eq!(instance.created_at.unwrap().to_string(), "2020-03-31T01:36:27.087Z");
    assert_eq!(instance.available_zones.unwrap(), ["b", "a"]);
    let protocols = instance.port_protocols.unwrap();
    assert_eq!(protocols.private_plain_enable, Some(true));
    assert_eq!(protocols.private_plain_address.as_deref(), Some("10.0.0.1:9092"));
    assert_eq!(instance.cross_vpc_info.unwrap()["10.0.0.1"].port, Some(9011));
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_or_of_no_use_is_unknown() {
    let body = r#"{"instance_id":"i1","status":"HIBERNATING","broker_num":"many","port":70000,"ipv6_enable":"perhaps",
        "port_protocols":"","cross_vpc_info":"{broken","available_zones":null,"tags":"none","created_at":"yesterday"}"#;
    let instance = client(200, body).show_instance::<Instance>("i1").await.unwrap();
    assert_eq!(
        instance.status.as_ref().map(InstanceStatus::as_str),
        Some("HIBERNATING")
    );
    assert_eq!(
        (instance.broker_num, instance.port, instance.ipv6_enable),
        (None, None, None)
    );
    assert_eq!((instance.port_protocols, instance.cross_vpc_info), (None, None));
    assert_eq!(
        (instance.available_zones, instance.tags, instance.created_at),
        (None, None, None)
    );
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_answer_is_never_an_empty_one() {
    let unreadable = [
        "",
        "<html></html>",
        r#"{"instances":[{"instance_id":"#,
        "{}",
        "null",
        r#"{"instances":null}"#,
    ];
    for body in unreadable
        .into_iter()
        .chain([r#"{"instances":[{"name":"no id"}],"instance_num":1}"#])
    {
        let error = client(200, body)
            .list_instances::<Instance>(&Default::default())
            .await
            .unwrap_err();
        assert_eq!(
            (error.class(), error.fault()),
            (Class::Malformed, Fault::Retry),
            "{body}"
        );
    }
    for body in ["{}", "[]", "<html>"] {
        assert_eq!(
            client(200, body)
                .list_tags(Engine::Kafka, "i1")
                .await
                .unwrap_err()
                .class(),
            Class::Malformed,
            "{body}"
        );
        assert_eq!(
            client(200, body).list_topics("i1", 0, 50).await.unwrap_err().class(),
            Class::Malformed,
            "{body}"
        );
        assert_eq!(
            client(200, body).list_quotas("i1", 0, 10).await.unwrap_err().class(),
            Class::Malformed,
            "{body}"
        );
        assert_eq!(
            client(200, body)
                .show_instance::<Instance>("i1")
                .await
                .unwrap_err()
                .class(),
            Class::Malformed,
            "{body}"
        );
        assert_eq!(
            client(200, body).list_available_zones().await.unwrap_err().class(),
            Class::Malformed,
            "{body}"
        );
        assert_eq!(
            client(200, body).find_projects(None).await.unwrap_err().class(),
            Class::Malformed,
            "{body}"
        );
    }
    let error = client(200, "<html>").show_instance::<Instance>("i1").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "failed to read the instance: the answer cannot be read: expected value at line 1 column 1, \
         in a body of no type, 6 bytes (request req-1)"
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_is_nothing_where_the_service_says_so() {
    assert_eq!(
        client(200, r#"{"tags":null}"#)
            .list_tags(Engine::Kafka, "i1")
            .await
            .unwrap(),
        []
    );
    assert_eq!(
        client(200, r#"{"quotas":null,"count":"0"}"#)
            .list_quotas("i1", 0, 10)
            .await
            .unwrap()
            .items,
        []
    );
    let end = refusal(400, "DMS.40050010", "offset");
    let query = InstanceQuery {
        offset: 50,
        ..Default::default()
    };
    assert_eq!(
        Script::new([end])
            .client()
            .list_instances::<Instance>(&query)
            .await
            .unwrap()
            .items,
        []
    );
    let end = refusal(400, "DMS.40050010", "offset");
    Script::new([end])
        .client()
        .list_instances::<Instance>(&Default::default())
        .await
        .unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn topics_come_with_strings_for_booleans_and_with_what_is_left() {
    let body = r#"{"total":"1","size":0,"remain_partitions":294,"max_partitions":300,"topic_max_partitions":200,
        "topics":[{"policiesOnly":false,"name":"t","replication":3,"partition":"3","retention_time":72,
        "sync_replication":"false","sync_message_flush":"true","topic_type":0,"topic_desc":"d","created_at":1688112779916,
        "topic_other_configs":[{"name":"max.message.bytes","value":10485760,"default_value":"10485760"}]}]}"#;
    let page = client(200, body).list_topics("i1", 0, 50).await.unwrap();
    assert_eq!(
        (page.total, page.limits.left, page.limits.of_one),
        (Some(1), Some(294), Some(200))
    );
    let topic = &page.items[0];
    assert_eq!(
        (topic.partitions, topic.replication, topic.retention_hours),
        (Some(3), Some(3), Some(72))
    );
    assert_eq!(
        (topic.sync_replication, topic.sync_message_flush),
        (Some(false), Some(true))
    );
    assert_eq!(topic.configs.as_ref().unwrap()[0].value.as_deref(), Some("10485760"));
    assert_eq!(topic.created_at.unwrap().as_millisecond(), 1_688_112_779_916);
}

#[tokio::test(start_paused = true)]
async fn topics_that_were_not_changed_are_told_whatever_the_status() {
    let listed = r#"{"failed_topics":[{"id":"a","success":false,"error_msg":"Topic already has 3 partitions."}]}"#;
    let marked = r#"{"topics":[{"id":"b","success":"true"},{"id":"a","success":false,"error_code":"DMS.1"}]}"#;
    for (status, body) in [(206, listed), (200, listed), (200, marked)] {
        let failed = client(status, body).update_topics("i1", &[]).await.unwrap();
        assert_eq!(
            failed.iter().map(|item| item.name.as_str()).collect::<Vec<_>>(),
            ["a"],
            "{body}"
        );
    }
    let failed = client(206, listed).update_topics("i1", &[]).await.unwrap();
    assert_eq!(failed[0].message, "Topic already has 3 partitions.");
    assert_eq!(client(204, "").update_topics("i1", &[]).await.unwrap(), []);
    for (status, body) in [(206, ""), (206, "{}"), (206, "<html>"), (200, "<html>")] {
        let error = client(status, body).update_topics("i1", &[]).await.unwrap_err();
        assert_eq!(
            (error.class(), error.sent()),
            (Class::Malformed, Sent::Unknown),
            "{status} {body}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn groups_of_the_references_example() {
    let body = r#"{"groups":[{"createdAt":1691401194847,"group_id":"consumer-1","state":"EMPTY","coordinator_id":1,
        "lag":"7","group_desc":null},{"group_id":"consumer-2"}],"total":"2"}"#;
    let page = client(200, body).list_groups("i1", 0, 50).await.unwrap();
    assert_eq!(page.total, Some(2));
    let [group, bare] = page.items.as_slice() else { panic!() };
    assert_eq!(group.name, "consumer-1");
    assert_eq!((group.state.as_deref(), group.lag), (Some("EMPTY"), Some(7)));
    assert_eq!((&group.description, &bare.description), (&None, &None));
    assert_eq!(group.created_at.unwrap().as_millisecond(), 1_691_401_194_847);
}

#[tokio::test(start_paused = true)]
async fn groups_that_were_not_deleted_are_told_by_a_200() {
    let body = r#"{"failed_groups":[{"group_id":"test-1","error_message":"UNKNOW"},{"group_id":"test-2"}],"total":2}"#;
    let failed = client(200, body)
        .delete_groups("i1", &["test-1", "test-2", "a"])
        .await
        .unwrap();
    let failed: Vec<_> = failed
        .iter()
        .map(|item| (item.name.as_str(), item.message.as_str()))
        .collect();
    assert_eq!(
        failed,
        [("test-1", "UNKNOW"), ("test-2", "the service gives no reason")]
    );
    for body in [
        r#"{"failed_groups":[],"total":0}"#,
        r#"{"failed_groups":null,"total":"0"}"#,
    ] {
        assert_eq!(
            client(200, body).delete_groups("i1", &["a"]).await.unwrap(),
            [],
            "{body}"
        );
    }
    for body in ["", "{}", "<html>", r#"{"total":1}"#] {
        let error = client(200, body).delete_groups("i1", &["a"]).await.unwrap_err();
        assert_eq!(
            (error.class(), error.sent()),
            (Class::Malformed, Sent::Unknown),
            "{body}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn each_deleted_topic_has_its_own_result() {
    let body = r#"{"topics":[{"id":"a","success":true},{"id":"b","success":"false"},{"name":"c"}]}"#;
    let results = client(200, body)
        .delete_topics("i1", &["a", "b", "c", "d"])
        .await
        .unwrap();
    let results: Vec<_> = results.iter().map(|item| (item.name.as_str(), item.success)).collect();
    assert_eq!(results, [("a", true), ("b", false), ("c", false)]);
}

#[tokio::test(start_paused = true)]
async fn quotas_are_told_apart_by_who_they_are_for() {
    let body = r#"{"count":"3","quotas":[{"user":"u","producer-byte-rate":"1048576","consumer-byte-rate":null},
        {"user":null,"client":"","user-default":"true"},{"client":"c","client-default":false}]}"#;
    let page = client(200, body).list_quotas("i1", 0, 10).await.unwrap();
    assert_eq!(page.total, Some(3));
    let [one, all_users, one_client] = page.items.as_slice() else {
        panic!()
    };
    assert_eq!(
        one.identity,
        QuotaIdentity {
            user: "u".to_owned(),
            ..Default::default()
        }
    );
    assert_eq!(
        (one.producer_byte_rate, one.consumer_byte_rate),
        (Some(1_048_576), None)
    );
    assert_eq!(
        all_users.identity,
        QuotaIdentity {
            user_default: true,
            ..Default::default()
        }
    );
    assert_eq!(
        one_client.identity,
        QuotaIdentity {
            client: "c".to_owned(),
            ..Default::default()
        }
    );
}

#[tokio::test(start_paused = true)]
async fn tasks_have_a_state_even_if_its_word_is_new() {
    let task = |status: &str| {
        format!(
            r#"{{"task_count":"1","tasks":[{{"id":"j1","name":"changeRetentionPolicy","status":"{status}",
            "params":"{{}}","created_at":"2020-06-15T08:55:53.606Z","updated_at":""}}]}}"#
        )
    };
    for (word, status) in [
        ("EXECUTING", TaskStatus::Executing),
        ("SUCCESS", TaskStatus::Success),
        ("FAILED", TaskStatus::Failed),
        ("PAUSED", TaskStatus::Other("PAUSED".to_owned())),
    ] {
        let task = client(200, &task(word)).show_task("i1", "j1").await.unwrap();
        assert_eq!(task.status, Some(status));
        assert_eq!(task.created_at.unwrap().to_string(), "2020-06-15T08:55:53.606Z");
        assert_eq!(task.updated_at, None);
    }
    let error = client(200, r#"{"task_count":"0","tasks":[]}"#)
        .show_task("i1", "j1")
        .await
        .unwrap_err();
    assert_eq!(error.fault(), Fault::Gone);
    let error = client(200, &task("SUCCESS"))
        .show_task("i1", "another")
        .await
        .unwrap_err();
    assert_eq!(error.fault(), Fault::Gone);
}

#[tokio::test(start_paused = true)]
async fn a_job_may_come_without_its_id() {
    for (body, job) in [
        (r#"{"job_id":"j1"}"#, Some("j1")),
        ("", None),
        ("{}", None),
        (r#"{"job_id":null}"#, None),
    ] {
        let id = client(200, body)
            .extend_storage(Engine::Kafka, "i1", 900)
            .await
            .unwrap();
        assert_eq!(id.as_deref(), job, "{body}");
    }
    client(200, "<html>")
        .extend_storage(Engine::Kafka, "i1", 900)
        .await
        .unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn zones_and_projects_of_the_references_examples() {
    let body = r#"{"region_id":"xxx","available_zones":[{"soldOut":"true","id":"z1","code":"eu-west-101a","name":"AZ 2.",
        "port":"8003","resource_availability":"true","default_az":true,"remain_time":9223372036854776000}]}"#;
    let zones = client(200, body).list_available_zones().await.unwrap();
    assert_eq!(
        (zones[0].code.as_deref(), zones[0].sold_out),
        (Some("eu-west-101a"), Some(true))
    );
    let body = r#"{"projects":[{"id":"p1","name":"eu-west-101","enabled":true,"links":{"next":null}},{"links":{}}]}"#;
    let projects = client(200, body).find_projects(None).await.unwrap();
    assert_eq!(projects.len(), 1);
    assert_eq!((projects[0].id.as_str(), projects[0].enabled), ("p1", Some(true)));
}

proptest::proptest! {
    #[test]
    fn no_answer_makes_the_client_panic(status in 200u16..600, body in "[\\[{}\\]\":,a-z0-9 é]{0,60}") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let client = client(status, &body);
            let _ = client.list_topics("i1", 0, 50).await;
        });
    }
}

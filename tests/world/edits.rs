//! The user edits: each change arrives in the cloud, and Ready speaks of the newest generation only.

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::everyday::*;
use crate::support::world::World;

/// How something looks in the cloud.
type Seen = Box<dyn Fn(&World) -> Value>;

#[tokio::test(start_paused = true)]
async fn an_edit_of_any_field_arrives_and_ready_waits_for_it() {
    fn instance(of: Object, field: &'static str) -> Seen {
        Box::new(move |world| instance_of(world, of)[field].clone())
    }
    fn of(read: fn(&World, &str) -> Value, name: &'static str, field: &'static str) -> Seen {
        Box::new(move |world| read(world, name)[field].clone())
    }
    fn queues(name: &'static str, side: &'static str) -> Seen {
        Box::new(move |world| {
            let queues = topic(world, name)["queues"].clone();
            let all = queues.as_array().into_iter().flatten();
            json!(all.filter_map(|queues| queues[side].as_u64()).sum::<u64>())
        })
    }
    let window = json!({"maintenanceWindow": {"begin": "06:00:00", "end": "10:00:00"}});
    let tags = json!({"tags": {"env": "prod", "team": null, "new": "1"}});
    let new_tags = json!({"env": "prod", "new": "1"});
    let rocketmq = |fields: Value| json!({"rocketmq": fields});
    let table: Vec<(Object, Value, Seen, Value)> = vec![
        (
            INSTANCE,
            json!({"name": "renamed"}),
            instance(INSTANCE, "name"),
            json!("renamed"),
        ),
        (
            INSTANCE,
            json!({"description": "new"}),
            instance(INSTANCE, "description"),
            json!("new"),
        ),
        (
            INSTANCE,
            json!({"description": ""}),
            instance(INSTANCE, "description"),
            json!(""),
        ),
        (
            INSTANCE,
            json!({"securityGroupId": "sg"}),
            instance(INSTANCE, "securityGroupId"),
            json!("sg"),
        ),
        (INSTANCE, window, instance(INSTANCE, "maintainBegin"), json!("06:00:00")),
        (
            INSTANCE,
            json!({"retentionPolicy": "produce_reject"}),
            instance(INSTANCE, "retentionPolicy"),
            json!("produce_reject"),
        ),
        (
            INSTANCE,
            json!({"enterpriseProjectId": "7"}),
            instance(INSTANCE, "enterpriseProjectId"),
            json!("7"),
        ),
        (INSTANCE, tags.clone(), instance(INSTANCE, "tags"), new_tags.clone()),
        (
            INSTANCE,
            json!({"storageSpace": 900}),
            instance(INSTANCE, "storageSpace"),
            json!(900),
        ),
        (
            ORDERS,
            json!({"kafka": {"partitions": 9}}),
            of(topic, "orders", "partition"),
            json!(9),
        ),
        (
            ORDERS,
            json!({"kafka": {"retentionHours": 24}}),
            of(topic, "orders", "retention_time"),
            json!(24),
        ),
        (
            ORDERS,
            json!({"description": ""}),
            of(topic, "orders", "topic_desc"),
            json!(""),
        ),
        (
            BILLING,
            json!({"description": "new"}),
            of(group, "billing", "description"),
            json!("new"),
        ),
        (
            BILLING,
            json!({"description": ""}),
            of(group, "billing", "description"),
            Value::Null,
        ),
        (
            QUOTA,
            json!({"producerByteRate": "1Mi"}),
            of(quota, "importer", "producer-byte-rate"),
            json!(1 << 20),
        ),
        (
            SHOP,
            json!({"name": "renamed-too"}),
            instance(SHOP, "name"),
            json!("renamed-too"),
        ),
        (
            SHOP,
            json!({"description": "new"}),
            instance(SHOP, "description"),
            json!("new"),
        ),
        (
            SHOP,
            json!({"description": ""}),
            instance(SHOP, "description"),
            json!(""),
        ),
        (
            SHOP,
            json!({"securityGroupId": "sg"}),
            instance(SHOP, "securityGroupId"),
            json!("sg"),
        ),
        (
            SHOP,
            json!({"enableAcl": true}),
            instance(SHOP, "enableAcl"),
            json!(true),
        ),
        (SHOP, tags, instance(SHOP, "tags"), new_tags),
        (
            SHOP,
            json!({"storageSpace": 900}),
            instance(SHOP, "storageSpace"),
            json!(900),
        ),
        (
            MAIL,
            json!({"storageSpace": 300}),
            instance(MAIL, "storageSpace"),
            json!(300),
        ),
        (
            PAYMENTS,
            json!({"description": "new"}),
            of(topic, "payments", "description"),
            json!("new"),
        ),
        (
            PAYMENTS,
            json!({"description": ""}),
            of(topic, "payments", "description"),
            json!(""),
        ),
        (
            PAYMENTS,
            rocketmq(json!({"permission": "sub"})),
            of(topic, "payments", "permission"),
            json!("sub"),
        ),
        (
            PAYMENTS,
            rocketmq(json!({"queueNum": 9})),
            queues("payments", "read"),
            json!(9),
        ),
        (
            PAYMENTS,
            rocketmq(json!({"queueNum": 12})),
            queues("payments", "write"),
            json!(12),
        ),
        (
            PAYMENTS,
            rocketmq(json!({"writeQueueNum": 4})),
            queues("payments", "write"),
            json!(4),
        ),
        (
            PAYMENTS,
            rocketmq(json!({"readQueueNum": 4})),
            queues("payments", "read"),
            json!(4),
        ),
        (
            LETTERS,
            json!({"description": "new"}),
            of(topic, "letters", "description"),
            json!("new"),
        ),
        (
            LETTERS,
            rocketmq(json!({"queueNum": 10})),
            queues("letters", "write"),
            json!(10),
        ),
        (
            LETTERS,
            rocketmq(json!({"permission": "pub"})),
            of(topic, "letters", "permission"),
            json!("pub"),
        ),
        (
            LEDGER,
            rocketmq(json!({"enabled": false})),
            of(group, "GID_ledger", "enabled"),
            json!(false),
        ),
        (
            LEDGER,
            rocketmq(json!({"broadcast": true})),
            of(group, "GID_ledger", "broadcast"),
            json!(true),
        ),
        (
            LEDGER,
            rocketmq(json!({"maxRetries": 3})),
            of(group, "GID_ledger", "retryMaxTime"),
            json!(3),
        ),
        (
            LEDGER,
            json!({"description": ""}),
            of(group, "GID_ledger", "description"),
            Value::Null,
        ),
        (
            LEDGER,
            rocketmq(json!({"brokers": ["broker-0"]})),
            of(group, "GID_ledger", "brokers"),
            json!(["broker-0"]),
        ),
        (
            POSTMEN,
            json!({"description": "new"}),
            of(group, "postmen", "description"),
            json!("new"),
        ),
        (
            POSTMEN,
            rocketmq(json!({"consumeOrderly": false})),
            of(group, "postmen", "consumeOrderly"),
            json!(false),
        ),
    ];
    let (world, _operator) = at_rest_with(&EVERYTHING).await;
    let ids = [INSTANCE, SHOP, MAIL].map(|of| instance_id(&world, of));
    let creates = |world: &World| -> usize {
        let all = ESTATES.iter().flat_map(|estate| estate.creates);
        all.map(|create| world.calls(create)).sum()
    };
    let before = creates(&world);
    for (of, change, seen, expected) in table {
        let film = Film::of(&world, of).await;
        edit(&world, of, change.clone()).await;
        assert!(!waited_for(&world, of), "{change}: Ready is of the generation before");
        world
            .until(20 * MINUTE, "the edit is applied", |world| {
                let done = waited_for(world, of);
                assert!(!done || seen(world) == expected, "{change}: Ready, but {}", seen(world));
                done
            })
            .await;
        sleep(MINUTE).await;
        assert_eq!(shown(&world, of), HEALTHY, "{change}");
        let shots = film.take();
        let [middle @ .., last] = shots.as_slice() else {
            panic!("{change}")
        };
        // Busy with the job of a retention policy, or trying again while the list of tags lags.
        let works = |shot: &String| shot.starts_with("FTFF ") && shot.ends_with(" DriftFound");
        assert!(
            middle.first().is_some_and(|first| first == UPDATING) && middle.iter().all(works),
            "{change}: {shots:?}"
        );
        assert_eq!(last, HEALTHY, "{change}");
    }
    assert_eq!([INSTANCE, SHOP, MAIL].map(|of| instance_id(&world, of)), ids);
    assert_eq!(creates(&world), before, "all in place");
}

#[tokio::test(start_paused = true)]
async fn an_edit_that_changes_nothing_is_ready_for_the_new_generation() {
    let (world, _operator) = at_rest_with(&EVERYTHING).await;
    for (of, same) in [
        (
            INSTANCE,
            json!({"name": "events", "maintenanceWindow": {"begin": "22:00:00", "end": "02:00:00"}}),
        ),
        (ORDERS, json!({"kafka": {"syncReplication": false}})),
        (BILLING, json!({"management": {"adoption": "IfExists"}})),
        (QUOTA, json!({"producerByteRate": 10_485_760})),
        (SHOP, json!({"name": "shop", "enterpriseProjectId": "0"})),
        (PAYMENTS, json!({"rocketmq": {"readQueueNum": 8, "writeQueueNum": 8}})),
        (LETTERS, json!({"rocketmq": {"permission": "all", "queueNum": 8}})),
        (LEDGER, json!({"rocketmq": {"enabled": true, "broadcast": false}})),
        (POSTMEN, json!({"description": "", "rocketmq": {"maxRetries": 16}})),
    ] {
        let writes = cloud_writes(&world);
        edit(&world, of, same).await;
        until_applied(&world, of).await;
        assert_eq!(cloud_writes(&world), writes, "{of:?}: nothing was sent");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_spec_no_longer_names_is_undone_only_if_it_was_ours() {
    let (world, _operator) = at_rest_with(&EVERYTHING).await;
    let foreign = json!({"action": "create", "tags": [{"key": "foreign", "value": "1"}]});
    behind(&world, "POST", TAGS_PATH, foreign.clone()).await;
    behind_in(&world, SHOP, "POST", "/v2/{p}/rocketmq/{i}/tags/action", foreign).await;
    let theirs =
        json!({"id": "orders", "topic_other_configs": [{"name": "message.timestamp.type", "value": "CreateTime"}]});
    behind(&world, "PUT", TOPICS_PATH, json!({"topics": [theirs]})).await;

    edit(&world, ORDERS, json!({"kafka": {"configs": null}})).await;
    for of in [INSTANCE, SHOP] {
        edit(&world, of, json!({"tags": null})).await;
    }
    for of in [INSTANCE, SHOP] {
        until_applied(&world, of).await;
        assert_eq!(instance_of(&world, of)["tags"], json!({"foreign": "1"}));
    }
    until_applied(&world, ORDERS).await;
    let configs = topic(&world, "orders")["topic_other_configs"].clone();
    let value = |name: &str| configs.as_array().unwrap().iter().find(|c| c["name"] == name).unwrap()["value"].clone();
    assert_eq!(value("max.message.bytes"), "10485760", "the default");
    assert_eq!(
        value("message.timestamp.type"),
        "CreateTime",
        "never named, never touched"
    );
    let status = |(kind, name): Object| world.object(kind, name)["status"].clone();
    for of in [INSTANCE, SHOP] {
        assert!(status(of)["managedTags"].as_array().is_none_or(Vec::is_empty));
    }
    assert!(status(ORDERS)["managedConfigs"].as_array().is_none_or(Vec::is_empty));
}

#[tokio::test(start_paused = true)]
async fn a_scalar_that_is_left_out_is_released_and_stays() {
    let (world, _operator) = at_rest_with(&EVERYTHING).await;
    let before = cloud(&world);
    let released = [
        (
            INSTANCE,
            json!({"description": null, "retentionPolicy": null, "maintenanceWindow": null}),
        ),
        (ORDERS, json!({"description": null, "kafka": {"retentionHours": null}})),
        (BILLING, json!({"description": null})),
        (SHOP, json!({"description": null, "enableAcl": null})),
        (
            PAYMENTS,
            json!({"description": null, "rocketmq": {"permission": null, "queueNum": null}}),
        ),
        (LEDGER, json!({"description": null, "rocketmq": {"maxRetries": null}})),
    ];
    for (of, spec) in &released {
        edit(&world, *of, spec.clone()).await;
    }
    for (of, _) in &released {
        until_applied(&world, *of).await;
    }
    assert_eq!(cloud(&world), before);

    let theirs = json!({"topics": [{"id": "orders", "retention_time": 24}]});
    behind(&world, "PUT", TOPICS_PATH, theirs).await;
    for of in [INSTANCE, SHOP] {
        behind_in(&world, of, "PUT", INSTANCE_PATH, json!({"description": "theirs"})).await;
    }
    let (theirs, path) = (json!({"permission": "pub"}), format!("{TOPICS_PATH}/payments"));
    behind_in(&world, SHOP, "PUT", &path, theirs).await;
    let theirs = json!({"groups": [{"name": "GID_ledger", "retry_max_time": 16}]});
    behind_in(&world, SHOP, "PUT", GROUPS_PATH, theirs).await;
    sleep(3 * RESYNC).await;
    assert_eq!(topic(&world, "orders")["retention_time"], 24);
    assert_eq!(topic(&world, "payments")["permission"], "pub");
    assert_eq!(group(&world, "GID_ledger")["retryMaxTime"], 16);
    for of in [INSTANCE, SHOP] {
        assert_eq!(instance_of(&world, of)["description"], "theirs");
    }
    for (of, _) in released {
        assert_eq!(shown(&world, of), HEALTHY);
    }
}

#[tokio::test(start_paused = true)]
async fn a_rate_that_is_left_out_is_taken_away() {
    let (world, _operator) = at_rest().await;
    let film = Film::of(&world, QUOTA).await;
    edit(&world, QUOTA, json!({"consumerByteRate": null})).await;
    until_applied(&world, QUOTA).await;
    assert_eq!(quota(&world, "importer").get("consumer-byte-rate"), None);
    assert_eq!(quota(&world, "importer")["producer-byte-rate"], 10 << 20);
    assert_eq!(
        film.take(),
        [UPDATING, HEALTHY],
        "one Updating, though it was deleted and made anew"
    );
}

#[tokio::test(start_paused = true)]
async fn several_edits_in_a_row_end_in_the_last() {
    let (world, _operator) = at_rest().await;
    for partitions in 7..=12 {
        edit(&world, ORDERS, json!({"kafka": {"partitions": partitions}})).await;
        edit(
            &world,
            INSTANCE,
            json!({"description": format!("for the {partitions}th time")}),
        )
        .await;
        edit(&world, QUOTA, json!({"producerByteRate": partitions << 20})).await;
        sleep(3 * SECOND).await;
    }
    for of in [ORDERS, INSTANCE, QUOTA] {
        until_applied(&world, of).await;
    }
    assert_eq!(topic(&world, "orders")["partition"], 12);
    assert_eq!(world.instances()[0]["description"], "for the 12th time");
    assert_eq!(quota(&world, "importer")["producer-byte-rate"], 12 << 20);
}

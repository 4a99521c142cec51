//! Others change the cloud, and nothing here puts it back: it is told if the spec says otherwise, and else left alone.

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::alterations::*;
use crate::everyday::*;

#[tokio::test(start_paused = true)]
async fn what_nothing_mends_is_told_and_the_thing_stays_ready() {
    let fewer = json!({"id": "orders", "partition": 6, "replication": 2, "retention_time": 72,
        "sync_replication": false, "sync_message_flush": false, "topic_desc": "Orders, as placed",
        "topic_other_configs": [{"name": "max.message.bytes", "value": "1048576"}]});
    let bigger = |product: &str| json!({"oper_type": "vertical", "new_product_id": product});
    let extend = |engine: &str| format!("/v2/{engine}/{{p}}/instances/{{i}}/extend");
    let another = |topic: Value| ("POST", TOPICS_PATH.to_owned(), topic);
    let on_one = json!({"name": "payments", "permission": "all", "brokers": ["broker-0"], "queue_num": 8});
    let table = [
        (
            altered("partitions", ORDERS, [topic_put(json!({"new_partition_numbers": 8}))]),
            "spec.kafka.partitions 6 8 Impossible",
        ),
        (
            altered("replicas", ORDERS, [deleted_topic(), another(fewer)]),
            "spec.kafka.replication 3 2 Reassignment",
        ),
        (
            altered(
                "flavour",
                INSTANCE,
                [("POST", extend("kafka"), bigger("c6.4u8g.cluster"))],
            ),
            "spec.productId c6.2u4g.cluster c6.4u8g.cluster Impossible",
        ),
        (
            altered(
                "flavour",
                SHOP,
                [("POST", extend("rocketmq"), bigger("c6.8u16g.cluster"))],
            ),
            "spec.productId c6.4u8g.cluster c6.8u16g.cluster Impossible",
        ),
        (
            altered(
                "queues",
                PAYMENTS,
                [queues_put("payments", json!({"read_queue_num": 12}))],
            ),
            "spec.rocketmq.queueNum 8 read 12, write 8 Impossible",
        ),
        (
            altered("brokers", PAYMENTS, [deleted("topics", "payments"), another(on_one)]),
            "spec.rocketmq.brokers broker-0,broker-1 broker-0 Impossible",
        ),
        (
            altered(
                "queues for writing",
                LETTERS,
                [queues_put("letters", json!({"write_queue_num": 9}))],
            ),
            "spec.rocketmq.writeQueueNum 8 9 Impossible",
        ),
        (
            altered(
                "kind of messages",
                LETTERS,
                [
                    deleted("topics", "letters"),
                    another(json!({"name": "letters", "message_type": "DELAY"})),
                ],
            ),
            "spec.rocketmq.messageType FIFO DELAY Impossible",
        ),
    ];
    for (alteration, expected) in table {
        let (what, of) = (alteration.what, alteration.of);
        let estate = ESTATES.into_iter().find(|estate| estate.all().contains(&of)).unwrap();
        let (world, _operator) = specified(&estate.all()).await;
        alteration.make(&world).await;
        let after = || shown(&world, of) == DIFFERING && drift(&world, of) == [expected];
        world.until(3 * RESYNC, what, |_| after()).await;
        // What the instance has room for now, its object tells at its next look.
        sleep(4 * RESYNC).await;
        let (writes, altered) = (world.effects().len(), cloud(&world));
        sleep(3 * HOUR).await;
        assert!(after(), "{what}: {}", world.picture());
        assert_eq!(world.effects().len(), writes, "{what}: nothing is tried");
        assert_eq!(cloud(&world), altered);
        assert!(
            message(&world, of, "Ready").contains("cannot be corrected here"),
            "{what}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_user_who_accepts_what_was_changed_ends_the_drift() {
    let (world, _operator) = specified(&ALL).await;
    topic_change(&world, json!({"new_partition_numbers": 8})).await;
    world
        .until(2 * RESYNC, "told", |world| shown(world, ORDERS) == DIFFERING)
        .await;
    world
        .edit("Topic", "orders", json!({"spec": {"kafka": {"partitions": 8}}}))
        .await
        .unwrap();
    world
        .until(MINUTE, "accepted", |world| {
            shown(world, ORDERS) == HEALTHY && world.is_ready("Topic", "orders")
        })
        .await;
    assert!(drift(&world, ORDERS).is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_nobody_claimed_is_left_alone() {
    let (world, _operator) = at_rest_with(&EVERYTHING).await;
    let extra = json!({"id": "theirs", "partition": 3, "replication": 3});
    let of_mail = json!({"name": "theirs", "message_type": "NORMAL"});
    let group = json!({"name": "theirs", "consume_orderly": false});
    let broadcast = json!({"enabled": true, "broadcast": true, "retry_max_time": 5});
    for alteration in [
        altered("a foreign tag", INSTANCE, [tags("create", "foreign", "1")]),
        altered(
            "an enterprise project",
            INSTANCE,
            [put(INSTANCE_PATH, json!({"enterprise_project_id": "7"}))],
        ),
        altered("a flag", ORDERS, [topic_put(json!({"sync_replication": true}))]),
        altered(
            "a config",
            ORDERS,
            [topic_put(config("message.timestamp.type", "CreateTime"))],
        ),
        altered("a foreign topic", ORDERS, [("POST", TOPICS_PATH.into(), extra)]),
        altered("RocketMQ: a foreign tag", SHOP, [shop_tags("create", "foreign", "1")]),
        altered(
            "RocketMQ: a description",
            MAIL,
            [put(INSTANCE_PATH, json!({"description": "theirs"}))],
        ),
        altered("RocketMQ: ACL", MAIL, [put(INSTANCE_PATH, json!({"enable_acl": true}))]),
        altered(
            "a description",
            PAYMENTS,
            [queues_put("payments", json!({"topic_desc": "not to be seen"}))],
        ),
        altered(
            "permission",
            LETTERS,
            [queues_put("letters", json!({"permission": "sub"}))],
        ),
        altered("queues", LETTERS, [queues_put("letters", json!({"read_queue_num": 3}))]),
        altered(
            "a foreign topic of 5.x",
            LETTERS,
            [("POST", TOPICS_PATH.into(), of_mail)],
        ),
        altered("a foreign group", POSTMEN, [("POST", GROUPS_PATH.into(), group)]),
        altered("flags of a group", LEDGER, [group_put("GID_ledger", broadcast)]),
    ] {
        alteration.make(&world).await;
    }
    sleep(MINUTE).await;
    let (altered, posts) = (cloud(&world), cloud_writes(&world));
    sleep(3 * RESYNC).await;
    assert_eq!(cloud(&world), altered);
    assert_eq!(cloud_writes(&world), posts, "nothing was even tried");
    for object in EVERYTHING {
        assert_eq!(shown(&world, object), HEALTHY, "{object:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn growth_by_others_is_no_drift() {
    let wider = |brokers: u32, total: u32| json!({"oper_type": "horizontal", "new_broker_num": brokers, "new_storage_space": total});
    let bigger = json!({"oper_type": "storage", "new_storage_space": 900});
    for (estate, body) in [
        (KAFKA, bigger.clone()),
        (KAFKA, wider(4, 800)),
        (ROCKETMQ, bigger),
        (ROCKETMQ, wider(3, 900)),
    ] {
        let of = estate.instance;
        let (world, _operator) = at_rest_with(&estate.all()).await;
        let film = Film::of(&world, of).await;
        let engine = if of == INSTANCE { "kafka" } else { "rocketmq" };
        let path = format!("/v2/{engine}/{{p}}/instances/{{i}}/extend");
        behind_in(&world, of, "POST", &path, body.clone()).await;
        world
            .until(2 * RESYNC, "grown", |world| {
                let grown = world.instances()[0]["status"] == "RUNNING" && world.instances()[0]["storageSpace"] != 600;
                grown && world.object(of.0, of.1)["status"]["observed"]["storageSpace"] != 600
            })
            .await;
        sleep(2 * RESYNC).await;
        assert_eq!(shown(&world, of), HEALTHY);
        assert!(drift(&world, of).is_empty());
        let seen = film.take();
        assert!(
            seen.iter().all(|shot| shot == HEALTHY || shot == "FTFU InstanceBusy"),
            "{body}: {seen:?}"
        );
        for (kind, name) in estate.children {
            assert!(world.is_ready(kind, name));
        }
    }
}

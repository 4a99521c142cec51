//! Others change the cloud: what the spec says is put back, and what was deleted is made again.

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::alterations::*;
use crate::everyday::*;

#[tokio::test(start_paused = true)]
async fn whatever_others_change_in_place_is_put_back() {
    let window = json!({"maintain_begin": "06:00:00", "maintain_end": "10:00:00"});
    let (mebi, gibi) = (1 << 20, 1 << 30);
    let rates = |producer: i64, consumer: i64| json!({"producer-byte-rate": producer, "consumer-byte-rate": consumer});
    let clustering = |change: Value| {
        let mut all = json!({"enabled": true, "broadcast": false, "retry_max_time": 5});
        all.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        all
    };
    let table = [
        altered("name", INSTANCE, [put(INSTANCE_PATH, json!({"name": "renamed"}))]),
        altered(
            "description",
            INSTANCE,
            [put(INSTANCE_PATH, json!({"description": "mine"}))],
        ),
        altered(
            "description cleared",
            INSTANCE,
            [put(INSTANCE_PATH, json!({"description": ""}))],
        ),
        altered(
            "security group",
            INSTANCE,
            [put(INSTANCE_PATH, json!({"security_group_id": "another"}))],
        ),
        altered("maintenance window", INSTANCE, [put(INSTANCE_PATH, window)]),
        altered(
            "retention policy",
            INSTANCE,
            [put(INSTANCE_PATH, json!({"retention_policy": "produce_reject"}))],
        ),
        altered(
            "enterprise project",
            INSTANCE,
            [put(INSTANCE_PATH, json!({"enterprise_project_id": "another"}))],
        ),
        altered("a tag removed", INSTANCE, [tags("delete", "env", "demo")]),
        altered(
            "a tag changed",
            INSTANCE,
            [tags("delete", "env", "demo"), tags("create", "env", "other")],
        ),
        altered("the other tag removed", INSTANCE, [tags("delete", "team", "shop")]),
        altered("retention", ORDERS, [topic_put(json!({"retention_time": 24}))]),
        altered(
            "synchronous replication",
            ORDERS,
            [topic_put(json!({"sync_replication": true}))],
        ),
        altered(
            "synchronous flushing",
            ORDERS,
            [topic_put(json!({"sync_message_flush": true}))],
        ),
        altered("a config", ORDERS, [topic_put(config("max.message.bytes", "4096"))]),
        altered(
            "a topic's description",
            ORDERS,
            [topic_put(json!({"topic_desc": "mine"}))],
        ),
        altered(
            "a topic's description cleared",
            ORDERS,
            [topic_put(json!({"topic_desc": ""}))],
        ),
        altered("a producer's rate", QUOTA, [quota_call("PUT", rates(mebi, 20 * mebi))]),
        altered("both rates", QUOTA, [quota_call("PUT", rates(gibi, gibi))]),
        altered(
            "a rate dropped",
            QUOTA,
            [quota_call("PUT", json!({"producer-byte-rate": 10 * mebi}))],
        ),
        altered("a group's description", BILLING, [billing_put("mine")]),
        altered("a group's description cleared", BILLING, [billing_put("")]),
        altered("RocketMQ: name", SHOP, [put(INSTANCE_PATH, json!({"name": "renamed"}))]),
        altered(
            "RocketMQ: description",
            SHOP,
            [put(INSTANCE_PATH, json!({"description": "mine"}))],
        ),
        altered(
            "RocketMQ: cleared",
            SHOP,
            [put(INSTANCE_PATH, json!({"description": ""}))],
        ),
        altered(
            "RocketMQ: group",
            SHOP,
            [put(INSTANCE_PATH, json!({"security_group_id": "another"}))],
        ),
        altered(
            "RocketMQ: ACL on",
            SHOP,
            [put(INSTANCE_PATH, json!({"enable_acl": true}))],
        ),
        altered(
            "RocketMQ: ACL off",
            MAIL,
            [put(INSTANCE_PATH, json!({"enable_acl": false}))],
        ),
        altered("RocketMQ: a tag removed", SHOP, [shop_tags("delete", "env", "demo")]),
        altered(
            "RocketMQ: a tag changed",
            SHOP,
            [shop_tags("delete", "env", "demo"), shop_tags("create", "env", "other")],
        ),
        // As if a create had come late.
        altered(
            "RocketMQ: the mark of a creation",
            SHOP,
            [put(
                INSTANCE_PATH,
                json!({"description": "Messages of the shop dms-operator.create:0123abcd"}),
            )],
        ),
        altered(
            "permission",
            PAYMENTS,
            [queues_put("payments", json!({"permission": "sub"}))],
        ),
        altered(
            "queues for writing",
            PAYMENTS,
            [queues_put("payments", json!({"write_queue_num": 2}))],
        ),
        altered(
            "queues for reading",
            PAYMENTS,
            [queues_put("payments", json!({"read_queue_num": 4}))],
        ),
        altered(
            "permission of 5.x",
            LETTERS,
            [queues_put("letters", json!({"permission": "pub"}))],
        ),
        altered(
            "queues of 5.x",
            LETTERS,
            [queues_put("letters", json!({"read_queue_num": 1}))],
        ),
        altered(
            "writing on 5.x",
            LETTERS,
            [queues_put("letters", json!({"write_queue_num": 1}))],
        ),
        altered(
            "enabled",
            LEDGER,
            [group_put("GID_ledger", clustering(json!({"enabled": false})))],
        ),
        altered(
            "broadcast",
            LEDGER,
            [group_put("GID_ledger", clustering(json!({"broadcast": true})))],
        ),
        altered(
            "retries",
            LEDGER,
            [group_put("GID_ledger", clustering(json!({"retry_max_time": 16})))],
        ),
        altered(
            "description",
            LEDGER,
            [group_put("GID_ledger", clustering(json!({"group_desc": "mine"})))],
        ),
        altered(
            "cleared",
            LEDGER,
            [group_put("GID_ledger", clustering(json!({"group_desc": ""})))],
        ),
        altered(
            "brokers",
            LEDGER,
            [put(
                &format!("{GROUPS_PATH}/GID_ledger"),
                clustering(json!({"brokers": ["broker-1"]})),
            )],
        ),
        altered(
            "order",
            POSTMEN,
            [group_put("postmen", clustering(json!({"consume_orderly": false})))],
        ),
        altered(
            "description of 5.x",
            POSTMEN,
            [group_put(
                "postmen",
                clustering(json!({"consume_orderly": true, "group_desc": "mine"})),
            )],
        ),
    ];
    let (world, _operator) = specified(&EVERYTHING).await;
    let before = cloud(&world);
    for alteration in table {
        let (what, of) = (alteration.what, alteration.of);
        let film = Film::of(&world, of).await;
        let told = events(&world, of.1);
        alteration.make(&world).await;
        // Some are jobs of seconds.
        world.until(MINUTE / 4, "changed", |world| cloud(world) != before).await;
        world
            .until(2 * RESYNC, what, |world| {
                cloud(world) == before && shown(world, of) == HEALTHY
            })
            .await;
        sleep(RESYNC).await;
        assert_eq!(cloud(&world), before, "{what}: it stays so");
        assert_eq!(film.take(), [CORRECTING, HEALTHY], "{what}");
        assert_eq!(events(&world, of.1) - told, 2, "{what}: one Event a change");
        let others = EVERYTHING.into_iter().filter(|other| *other != of);
        others.for_each(|other| assert_eq!(shown(&world, other), HEALTHY, "{what}: {other:?}"));
    }
}

#[tokio::test(start_paused = true)]
async fn while_a_difference_is_mended_it_is_named() {
    let (world, _operator) = specified(&ALL).await;
    topic_change(&world, json!({"retention_time": 24})).await;
    world
        .until(2 * RESYNC, "drift", |world| shown(world, ORDERS) == CORRECTING)
        .await;
    assert_eq!(drift(&world, ORDERS), ["spec.kafka.retentionHours 72 24 InPlace"]);
    assert_eq!(
        message(&world, ORDERS, "Reconciling"),
        "puts back spec.kafka.retentionHours"
    );
    assert!(message(&world, ORDERS, "Synced").contains("wanted 72 found 24"));
}

#[tokio::test(start_paused = true)]
async fn what_is_deleted_behind_our_back_is_made_again() {
    let (world, _operator) = specified(&EVERYTHING).await;
    let before = cloud(&world);
    let groups = |name: &str| json!({"group_ids": [name]});
    for (of, call, steps) in [
        (ORDERS, deleted_topic(), 1),
        (QUOTA, quota_call("DELETE", json!({})), 1),
        (
            BILLING,
            ("POST", format!("{GROUPS_PATH}/batch-delete"), groups("billing")),
            1,
        ),
        // A description is sent by a second call.
        (PAYMENTS, deleted("topics", "payments"), 2),
        (LETTERS, deleted("topics", "letters"), 1),
        (LEDGER, deleted("groups", "GID_ledger"), 1),
        (POSTMEN, deleted("groups", "postmen"), 1),
    ] {
        let film = Film::of(&world, of).await;
        altered("deleted", of, [call]).make(&world).await;
        world.until(MINUTE / 4, "gone", |world| cloud(world) != before).await;
        world
            .until(2 * RESYNC, "made again", |world| {
                cloud(world) == before && shown(world, of) == HEALTHY
            })
            .await;
        let story = ["FTFF Creating DriftFound", CORRECTING, HEALTHY];
        let expected = if steps == 2 { &story[..] } else { &[story[0], HEALTHY] };
        assert_eq!(film.take(), expected, "{of:?}");
        assert_eq!(world.object(of.0, of.1)["status"]["origin"], "Created");
    }
}

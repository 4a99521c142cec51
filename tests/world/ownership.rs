//! Whose a thing is: taken over or not, claimed by two, left in the cloud or deleted with its object.

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::everyday::*;
use crate::support::world::{Running, World};

fn second_topic(name: &str) -> String {
    let spec = json!({"instanceRef": {"kind": "KafkaInstance", "name": "events"}, "name": "orders", "kafka": {"partitions": 6}});
    json!({"apiVersion": "dms.huaweicloud.com/v1alpha1", "kind": "Topic", "metadata": {"name": name}, "spec": spec})
        .to_string()
}

fn second_instance(kind: &str, name: &str, spec: Value) -> String {
    json!({"apiVersion": "dms.huaweicloud.com/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec})
        .to_string()
}

/// All estates but what the examples name last, which others made with other values.
async fn with_others() -> (World, Running) {
    let (world, operator) = at_rest_with(&[INSTANCE, SHOP, MAIL]).await;
    let orders = json!({"id": "orders", "partition": 3, "replication": 3, "retention_time": 24});
    let billing = json!({"group_name": "billing", "group_desc": "theirs"});
    let quota = json!({"client": "importer", "producer-byte-rate": 1});
    let payments =
        json!({"name": "payments", "permission": "sub", "brokers": ["broker-0", "broker-1"], "queue_num": 4});
    let ledger = json!({"name": "GID_ledger", "brokers": ["broker-1"], "group_desc": "theirs"});
    let letters = json!({"name": "letters", "message_type": "FIFO", "queue_num": 3});
    let postmen = json!({"name": "postmen", "consume_orderly": false, "enabled": false});
    for (of, path, theirs) in [
        (INSTANCE, TOPICS_PATH, orders),
        (INSTANCE, "/v2/{p}/kafka/instances/{i}/group", billing),
        (INSTANCE, QUOTA_PATH, quota),
        (SHOP, TOPICS_PATH, payments),
        (SHOP, GROUPS_PATH, ledger),
        (MAIL, TOPICS_PATH, letters),
        (MAIL, GROUPS_PATH, postmen),
    ] {
        behind_in(&world, of, "POST", path, theirs).await;
    }
    sleep(MINUTE).await;
    (world, operator)
}

/// What others made.
const OTHERS: [Object; 7] = [ORDERS, BILLING, QUOTA, PAYMENTS, LEDGER, LETTERS, POSTMEN];

fn origin(world: &World, (kind, name): Object) -> Value {
    world.object(kind, name)["status"]["origin"].clone()
}

#[tokio::test(start_paused = true)]
async fn what_is_there_is_taken_over_and_stays_when_its_object_goes() {
    let (world, _operator) = with_others().await;
    let creates = || -> usize {
        ESTATES
            .iter()
            .flat_map(|estate| estate.creates)
            .map(|create| accepted(&world, create))
            .sum()
    };
    let before = creates();
    apply(&world, &OTHERS).await;
    apply(&world, &[AUDIT]).await;
    world.until_ready(10 * MINUTE, &OTHERS).await;
    world.until_ready(MINUTE, &[AUDIT]).await;
    assert_eq!(creates() - before, 1, "audit");
    let mended = |world: &World| {
        let queues = topic(world, "payments")["queues"].clone();
        json!([
            topic(world, "orders")["partition"],
            quota(world, "importer")["producer-byte-rate"],
            group(world, "billing")["description"],
            [
                topic(world, "payments")["permission"],
                queues[0]["read"],
                queues[1]["write"]
            ],
            group(world, "GID_ledger")["brokers"],
            group(world, "postmen")["consumeOrderly"],
        ])
    };
    let ours = json!([
        6,
        10 << 20,
        "Writes the invoices",
        ["all", 4, 4],
        ["broker-0", "broker-1"],
        true
    ]);
    assert_eq!(mended(&world), ours);
    assert_eq!(group(&world, "postmen")["enabled"], false, "nobody claimed it");
    assert_eq!(origin(&world, AUDIT), "Created");
    world.delete(AUDIT.0, AUDIT.1).await;
    for of in OTHERS {
        assert_eq!(origin(&world, of), "Adopted", "{of:?}");
        world.delete(of.0, of.1).await;
    }
    world.until_gone(10 * MINUTE, &OTHERS).await;
    world.until_gone(10 * MINUTE, &[AUDIT]).await;
    assert_eq!(mended(&world), ours, "not ours to delete");
    assert_eq!(topic(&world, "shop.audit"), Value::Null, "ours");
}

/// How many calls of an operation the cloud took.
fn accepted(world: &World, operation: &str) -> usize {
    let calls = world.cloud.calls().into_iter();
    calls
        .filter(|call| call.operation == operation && call.status == Some(200))
        .count()
}

#[tokio::test(start_paused = true)]
async fn never_means_never_until_the_user_changes_it() {
    let (world, _operator) = with_others().await;
    let before = cloud(&world);
    for of in OTHERS {
        let manifest = example(of).trim_end();
        world
            .apply(&format!("{manifest}\n  management: {{adoption: Never}}\n"))
            .await;
    }
    for of in OTHERS {
        world
            .until(MINUTE, "told", |world| shown(world, of) == "FFTU AlreadyExists")
            .await;
        assert!(
            message(&world, of, "Stalled").contains("spec.management.adoption"),
            "{of:?}"
        );
    }
    assert_eq!(cloud(&world), before, "nothing was touched");
    world.delete(QUOTA.0, QUOTA.1).await;
    world.until_gone(MINUTE, &[QUOTA]).await;
    assert_eq!(cloud(&world), before, "nor with the object");
    let allowed = json!({"spec": {"management": {"adoption": "IfExists", "deletion": "Delete"}}});
    for (of, gone) in [
        (ORDERS, &|world: &World| topic(world, "orders").is_null()),
        (PAYMENTS, &|world: &World| topic(world, "payments").is_null()),
        (POSTMEN, &|world: &World| group(world, "postmen").is_null()),
        (BILLING, &|world: &World| group(world, "billing").is_null()),
    ] as [(Object, &dyn Fn(&World) -> bool); 4]
    {
        world.edit(of.0, of.1, allowed.clone()).await.unwrap();
        world.until_ready(10 * MINUTE, &[of]).await;
        world.delete(of.0, of.1).await;
        world.until_gone(MINUTE, &[of]).await;
        assert!(gone(&world), "{of:?}: deletion: Delete was said");
    }
}

#[tokio::test(start_paused = true)]
async fn an_instance_of_the_same_name_is_not_ours_unless_allowed() {
    for estate in ENGINES {
        let (instance, all) = (estate.instance, estate.all());
        let (world, operator) = at_rest_with(&all).await;
        operator.stop().await.unwrap();
        for (kind, name) in all {
            let gone = json!({"metadata": {"finalizers": null}});
            world.edit(kind, name, gone).await.unwrap();
            world.delete(kind, name).await;
        }
        let _operator = world.start("two");
        estate.apply_instance(&world).await;
        world
            .until(HOUR, "told", |world| shown(world, instance) == "FFTU AlreadyExists")
            .await;
        let said = message(&world, instance, "Stalled");
        let id = text(&world.instances()[0]["id"]);
        assert!(said.contains(&id) && said.contains("spec.instanceId"), "{said}");
        sleep(2 * HOUR).await;
        assert_eq!((world.instances().len(), world.calls(CREATE_INSTANCE)), (1, 1));

        let allowed = json!({"spec": {"management": {"adoption": "IfExists"}}});
        world.edit(instance.0, instance.1, allowed).await.unwrap();
        world.until_ready(10 * MINUTE, &[instance]).await;
        assert_eq!(instance_id(&world, instance), id);
        assert_eq!(origin(&world, instance), "Adopted");
        world.delete(instance.0, instance.1).await;
        world.until_gone(10 * MINUTE, &[instance]).await;
        assert_eq!(world.instances().len(), 1, "it was adopted, so it stays");
    }
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_is_named_by_its_id_is_that_one_or_none() {
    let (world, _operator) = at_rest().await;
    let id = instance_id(&world, INSTANCE);
    let orphan = json!({"spec": {"management": {"deletion": "Orphan"}}});
    world.edit("KafkaInstance", "events", orphan).await.unwrap();
    for (kind, name) in ALL.into_iter().rev() {
        world.delete(kind, name).await;
    }
    world.until_gone(10 * MINUTE, &ALL).await;
    assert_eq!(world.instances()[0]["id"], id.as_str(), "Orphan was said");

    world
        .apply(&second_instance(
            INSTANCE.0,
            "here",
            json!({"instanceId": id, "description": "taken over"}),
        ))
        .await;
    world.until_ready(10 * MINUTE, &[("KafkaInstance", "here")]).await;
    assert_eq!(world.instances()[0]["description"], "taken over");
    assert_eq!(world.instances()[0]["name"], "events", "an adopted one keeps its name");

    let nowhere = "11111111-2222-4333-8444-555555555555";
    world
        .apply(&second_instance(INSTANCE.0, "nowhere", json!({"instanceId": nowhere})))
        .await;
    world
        .until(10 * MINUTE, "told", |world| {
            shown(world, ("KafkaInstance", "nowhere")) == "FFTU NotFound"
        })
        .await;
    assert!(message(&world, ("KafkaInstance", "nowhere"), "Stalled").contains(nowhere));
    world.delete("KafkaInstance", "nowhere").await;
    world.until_gone(10 * MINUTE, &[("KafkaInstance", "nowhere")]).await;
    assert_eq!(world.calls("CreateInstanceByEngine"), 1);

    world.delete("KafkaInstance", "here").await;
    world.until_gone(10 * MINUTE, &[("KafkaInstance", "here")]).await;
    assert_eq!(
        world.instances().len(),
        1,
        "nor is it deleted with the object that took it over"
    );
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_cannot_be_what_the_spec_says_is_left_untouched() {
    for estate in ENGINES {
        let (kind, name) = estate.instance;
        let (world, _operator) = at_rest_with(&[estate.instance]).await;
        let id = instance_id(&world, estate.instance);
        let orphan = json!({"spec": {"management": {"deletion": "Orphan"}}});
        world.edit(kind, name, orphan).await.unwrap();
        world.delete(kind, name).await;
        world.until_gone(10 * MINUTE, &[estate.instance]).await;
        let before = cloud(&world);
        for (field, wrong) in [
            ("engineVersion", json!("3.x")),
            ("productId", json!("another.cluster")),
            ("brokerNum", json!(5)),
            ("vpcId", json!("another")),
            ("subnetId", json!("another")),
            ("storageSpecCode", json!("dms.physical.storage.high.v2")),
            ("availableZones", json!(["eu-west-101b"])),
            ("ipv6Enable", json!(true)),
            // Kafka's can be changed.
            ("enterpriseProjectId", json!("7")),
        ] {
            if (kind, field) == (INSTANCE.0, "enterpriseProjectId") {
                continue;
            }
            let mut spec = json!({"instanceId": id, "description": "mine"});
            spec[field] = wrong;
            world.apply(&second_instance(kind, "wrong", spec)).await;
            let wrong = (kind, "wrong");
            world
                .until(10 * MINUTE, field, |world| {
                    shown(world, wrong).starts_with("FFTF InvalidSpec")
                })
                .await;
            let said = message(&world, wrong, "Stalled");
            assert!(said.contains(&format!("spec.{field}")), "{said}");
            assert_eq!(cloud(&world), before, "{field}");
            world.delete(wrong.0, wrong.1).await;
            world.until_gone(10 * MINUTE, &[wrong]).await;
        }
        assert_eq!(cloud(&world), before);
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_objects_for_one_topic_the_recorded_owner_has_it() {
    let (world, _operator) = at_rest().await;
    let rival = ("Topic", "rival");
    world.apply(&second_topic("rival")).await;
    world
        .until(MINUTE, "refused", |world| shown(world, rival) == "FFTU Conflict")
        .await;
    let said = message(&world, rival, "Stalled");
    assert!(said.contains("Topic default/orders"), "{said}");
    let (writes, quiet) = (world.effects().len(), cloud_writes(&world));
    sleep(6 * HOUR).await;
    assert_eq!(
        (world.effects().len(), cloud_writes(&world)),
        (writes, quiet),
        "no quarrel"
    );

    // The loser's deletion takes nothing along.
    world.delete(rival.0, rival.1).await;
    world.until_gone(MINUTE, &[rival]).await;
    assert_eq!(topic(&world, "orders")["partition"], 6);

    // When the owner goes and leaves the topic, the other takes over by itself.
    world.apply(&second_topic("rival")).await;
    world
        .until(MINUTE, "refused", |world| shown(world, rival) == "FFTU Conflict")
        .await;
    let orphan = json!({"spec": {"management": {"deletion": "Orphan"}}});
    world.edit("Topic", "orders", orphan).await.unwrap();
    world.delete("Topic", "orders").await;
    world.until_ready(2 * MINUTE, &[rival]).await;
    assert_eq!(origin(&world, rival), "Adopted");
    assert_eq!(world.calls("BatchDeleteInstanceTopic"), 0);
}

#[tokio::test(start_paused = true)]
async fn of_two_new_objects_for_one_topic_the_older_has_it() {
    let mut world = World::furnished().await;
    world.set_lease(HOUR);
    world.apply(include_str!("../../examples/kafka/instance.yaml")).await;
    world.apply(&second_topic("younger-by-name")).await;
    sleep(5 * SECOND).await;
    world.apply(&second_topic("another")).await;
    let _operator = world.start("one");
    let (older, younger) = (("Topic", "younger-by-name"), ("Topic", "another"));
    world.until_ready(HOUR, &[older]).await;
    world
        .until(MINUTE, "refused", |world| shown(world, younger) == "FFTU Conflict")
        .await;
    assert_eq!(world.calls("CreateInstanceTopic"), 1);
    world.delete(older.0, older.1).await;
    // It was made by the older one, and goes with it; then the younger makes its own.
    world.until_ready(5 * MINUTE, &[younger]).await;
    world.until_gone(MINUTE, &[older]).await;
    assert_eq!(origin(&world, younger), "Created");
    assert_eq!(topic(&world, "orders")["partition"], 6);
}

#[tokio::test(start_paused = true)]
async fn of_two_objects_for_one_instance_only_one_has_it() {
    let (world, _operator) = at_rest().await;
    let id = instance_id(&world, INSTANCE);
    let rival = ("KafkaInstance", "rival");
    world
        .apply(&second_instance(
            INSTANCE.0,
            "rival",
            json!({"instanceId": id, "description": "mine"}),
        ))
        .await;
    world
        .until(MINUTE, "refused", |world| shown(world, rival) == "FFTU Conflict")
        .await;
    assert!(message(&world, rival, "Stalled").contains("KafkaInstance default/events"));
    assert_eq!(world.instances()[0]["description"], "Events of the shop");
    world.delete(rival.0, rival.1).await;
    world.until_gone(MINUTE, &[rival]).await;
    assert_eq!(world.instances().len(), 1);
    assert_eq!(shown(&world, INSTANCE), HEALTHY);
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_served_and_is_gone_is_bought_again_only_when_told() {
    let (world, _operator) = at_rest().await;
    let lost = instance_id(&world, INSTANCE);
    behind(&world, "DELETE", INSTANCE_PATH, Value::Null).await;
    world
        .until(3 * RESYNC, "told", |world| shown(world, INSTANCE) == "FFTU NotFound")
        .await;
    let said = message(&world, INSTANCE, "Stalled");
    assert!(said.contains(&format!("dms.huaweicloud.com/recreate={lost}")), "{said}");
    sleep(6 * HOUR).await;
    assert_eq!(world.calls("CreateInstanceByEngine"), 1);
    for child in CHILDREN {
        assert!(shown(&world, child).contains("WaitingForReference"), "{child:?}");
    }
    let told = json!({"metadata": {"annotations": {"dms.huaweicloud.com/recreate": lost}}});
    world.edit("KafkaInstance", "events", told).await.unwrap();
    world.until_ready(HOUR, &ALL).await;
    assert_ne!(instance_id(&world, INSTANCE), lost);
    assert_eq!(world.instances().len(), 1);
    for child in CHILDREN {
        assert_eq!(
            instance_id(&world, child),
            instance_id(&world, INSTANCE),
            "{child:?} began anew in the new one"
        );
    }
}

//! Whose a thing is: taken over or not, claimed by two, left in the cloud or deleted with its object.

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::everyday::*;
use crate::support::world::World;

const TOPIC: &str = include_str!("../../examples/kafka/topics.yaml");

fn second_topic(name: &str) -> String {
    let spec = json!({"instanceRef": {"kind": "KafkaInstance", "name": "events"}, "name": "orders", "kafka": {"partitions": 6}});
    json!({"apiVersion": "dms.huaweicloud.com/v1alpha1", "kind": "Topic", "metadata": {"name": name}, "spec": spec})
        .to_string()
}

fn second_instance(name: &str, spec: Value) -> String {
    json!({"apiVersion": "dms.huaweicloud.com/v1alpha1", "kind": "KafkaInstance", "metadata": {"name": name}, "spec": spec})
        .to_string()
}

/// Makes a topic and a quota behind the operator's back, as the examples name them but with other values.
async fn made_by_others(world: &World) {
    let theirs = json!({"id": "orders", "partition": 3, "replication": 3, "retention_time": 24});
    behind(world, "POST", TOPICS_PATH, theirs).await;
    let theirs = json!({"client": "importer", "producer-byte-rate": 1});
    behind(world, "POST", QUOTA_PATH, theirs).await;
    sleep(MINUTE).await;
}

/// An instance alone, with a topic and a quota that others made.
async fn with_others() -> (World, crate::support::world::Running) {
    let mut world = World::furnished().await;
    world.set_lease(HOUR);
    world.apply(include_str!("../../examples/kafka/instance.yaml")).await;
    let operator = world.start("one");
    world.until_ready(HOUR, &[INSTANCE]).await;
    made_by_others(&world).await;
    (world, operator)
}

fn origin(world: &World, (kind, name): Object) -> Value {
    world.object(kind, name)["status"]["origin"].clone()
}

#[tokio::test(start_paused = true)]
async fn what_is_there_is_taken_over_and_stays_when_its_object_goes() {
    let (world, _operator) = with_others().await;
    world.apply(TOPIC).await;
    world.apply(include_str!("../../examples/kafka/quota.yaml")).await;
    world.until_ready(10 * MINUTE, &[ORDERS, AUDIT, QUOTA]).await;
    assert_eq!(world.calls("CreateInstanceTopic"), 2, "theirs, and audit");
    assert_eq!(topic(&world, "orders")["partition"], 6);
    assert_eq!(quota(&world, "importer")["producer-byte-rate"], 10 << 20);
    for (of, expected) in [(ORDERS, "Adopted"), (QUOTA, "Adopted"), (AUDIT, "Created")] {
        assert_eq!(origin(&world, of), expected, "{of:?}");
        world.delete(of.0, of.1).await;
    }
    world.until_gone(10 * MINUTE, &[ORDERS, AUDIT, QUOTA]).await;
    assert_eq!(topic(&world, "orders")["partition"], 6, "not ours to delete");
    assert_eq!(quota(&world, "importer")["producer-byte-rate"], 10 << 20);
    assert_eq!(topic(&world, "shop.audit"), Value::Null, "ours");
}

#[tokio::test(start_paused = true)]
async fn never_means_never_until_the_user_changes_it() {
    let (world, _operator) = with_others().await;
    let before = cloud(&world);
    let quotas = include_str!("../../examples/kafka/quota.yaml");
    for manifest in [TOPIC.split("---").next().unwrap(), quotas] {
        world
            .apply(&format!("{manifest}  management: {{adoption: Never}}\n"))
            .await;
    }
    for of in [ORDERS, QUOTA] {
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
    world.edit("Topic", "orders", allowed).await.unwrap();
    world.until_ready(10 * MINUTE, &[ORDERS]).await;
    world.delete("Topic", "orders").await;
    world.until_gone(MINUTE, &[ORDERS]).await;
    assert_eq!(topic(&world, "orders"), Value::Null, "deletion: Delete was said");
}

#[tokio::test(start_paused = true)]
async fn an_instance_of_the_same_name_is_not_ours_unless_allowed() {
    let (first, operator) = at_rest().await;
    operator.stop().await.unwrap();
    for (kind, name) in ALL {
        let gone = json!({"metadata": {"finalizers": null}});
        first.edit(kind, name, gone).await.unwrap();
        first.delete(kind, name).await;
    }
    let world = first;
    let operator = world.start("two");
    world.apply(include_str!("../../examples/kafka/instance.yaml")).await;
    world
        .until(HOUR, "told", |world| shown(world, INSTANCE) == "FFTU AlreadyExists")
        .await;
    let said = message(&world, INSTANCE, "Stalled");
    let id = world.instances()[0]["id"].as_str().unwrap().to_owned();
    assert!(said.contains(&id) && said.contains("spec.instanceId"), "{said}");
    sleep(2 * HOUR).await;
    assert_eq!((world.instances().len(), world.calls("CreateInstanceByEngine")), (1, 1));

    let allowed = json!({"spec": {"management": {"adoption": "IfExists"}}});
    world.edit("KafkaInstance", "events", allowed).await.unwrap();
    world.until_ready(10 * MINUTE, &[INSTANCE]).await;
    assert_eq!(instance_id(&world, INSTANCE), id);
    assert_eq!(origin(&world, INSTANCE), "Adopted");
    world.delete("KafkaInstance", "events").await;
    world.until_gone(10 * MINUTE, &[INSTANCE]).await;
    assert_eq!(world.instances().len(), 1, "it was adopted, so it stays");
    drop(operator);
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_is_named_by_its_id_is_that_one_or_none() {
    let (world, _operator) = at_rest().await;
    let id = instance_id(&world, INSTANCE);
    let orphan = json!({"spec": {"management": {"deletion": "Orphan"}}});
    world.edit("KafkaInstance", "events", orphan).await.unwrap();
    for (kind, name) in [ORDERS, AUDIT, QUOTA, INSTANCE] {
        world.delete(kind, name).await;
    }
    world.until_gone(10 * MINUTE, &ALL).await;
    assert_eq!(world.instances()[0]["id"], id.as_str(), "Orphan was said");

    world
        .apply(&second_instance(
            "here",
            json!({"instanceId": id, "description": "taken over"}),
        ))
        .await;
    world.until_ready(10 * MINUTE, &[("KafkaInstance", "here")]).await;
    assert_eq!(world.instances()[0]["description"], "taken over");
    assert_eq!(world.instances()[0]["name"], "events", "an adopted one keeps its name");

    let nowhere = "11111111-2222-4333-8444-555555555555";
    world
        .apply(&second_instance("nowhere", json!({"instanceId": nowhere})))
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
    let (world, _operator) = at_rest().await;
    let id = instance_id(&world, INSTANCE);
    let orphan = json!({"spec": {"management": {"deletion": "Orphan"}}});
    world.edit("KafkaInstance", "events", orphan).await.unwrap();
    world.delete("KafkaInstance", "events").await;
    world.until_gone(10 * MINUTE, &[INSTANCE]).await;
    let before = cloud(&world);
    for (field, wrong) in [
        ("engineVersion", json!("3.x")),
        ("productId", json!("c6.4u8g.cluster")),
        ("brokerNum", json!(5)),
        ("vpcId", json!("another")),
        ("subnetId", json!("another")),
        ("storageSpecCode", json!("dms.physical.storage.high.v2")),
        ("availableZones", json!(["eu-west-101b"])),
        ("ipv6Enable", json!(true)),
    ] {
        let mut spec = json!({"instanceId": id, "description": "mine"});
        spec[field] = wrong;
        world.apply(&second_instance("wrong", spec)).await;
        let wrong = ("KafkaInstance", "wrong");
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
    for child in [ORDERS, AUDIT, QUOTA] {
        assert!(shown(&world, child).contains("WaitingForReference"), "{child:?}");
    }
    let told = json!({"metadata": {"annotations": {"dms.huaweicloud.com/recreate": lost}}});
    world.edit("KafkaInstance", "events", told).await.unwrap();
    world.until_ready(HOUR, &ALL).await;
    assert_ne!(instance_id(&world, INSTANCE), lost);
    assert_eq!(world.instances().len(), 1);
    for child in [ORDERS, AUDIT, QUOTA] {
        assert_eq!(
            instance_id(&world, child),
            instance_id(&world, INSTANCE),
            "{child:?} began anew in the new one"
        );
    }
}

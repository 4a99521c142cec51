//! What the operator knew is lost, or what it knew of is gone.

use dms_operator::simulator::{Effect, Fault};
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::estate::*;
use crate::support::world::{Running, World};

async fn whole() -> (World, Running) {
    let world = with_all().await;
    let operator = world.start("one");
    world.until_ready(2 * HOUR, &ALL).await;
    sleep(2 * MINUTE).await;
    (world, operator)
}

/// All objects are lost, as with a cluster that burnt down: no finalizer is waited for.
async fn lose_objects(world: &World) {
    for (kind, name) in ALL {
        let api = world.api(kind);
        let free = Patch::Merge(json!({"metadata": {"finalizers": null}}));
        api.patch(name, &PatchParams::default(), &free).await.unwrap();
        api.delete(name, &DeleteParams::default()).await.unwrap();
        assert!(world.object(kind, name).is_null());
    }
}

/// An instance vanishes behind the operator's back.
async fn lose_instance(world: &World) -> String {
    let id = status(world, INSTANCE, "instanceId");
    let (code, answer) = world
        .call("DELETE", &format!("/v2/{{p}}/instances/{id}"), &[], Value::Null)
        .await;
    assert!(code < 300, "{answer}");
    id
}

async fn annotate(world: &World, key: &str, value: &str) {
    let annotations = json!({"metadata": {"annotations": {format!("dms.huaweicloud.com/{key}"): value}}});
    world.edit("KafkaInstance", "events", annotations).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn objects_restored_from_a_backup_buy_nothing_and_take_back_what_is_there() {
    let (world, operator) = whole().await;
    // `kubectl get -o yaml`, with finalizers and status.
    let backup: Vec<Value> = ALL.iter().map(|(kind, name)| world.object(kind, name)).collect();
    operator.stop().await.unwrap();
    lose_objects(&world).await;
    let cloud = world.cloud.state_json();
    let created = ["CreateInstanceByEngine", CREATE_TOPIC, CREATE_QUOTA].map(|operation| accepted(&world, operation));
    for mut object in backup {
        let meta = object["metadata"].as_object_mut().unwrap();
        meta.retain(|key, _| ["name", "namespace", "finalizers", "annotations", "labels"].contains(&key.as_str()));
        world.apply(&object.to_string()).await;
    }
    let operator = world.start("two");
    sleep(2 * HOUR).await;
    assert_eq!(world.condition(INSTANCE.0, INSTANCE.1, "Stalled"), "True AlreadyExists");
    let told = message(&world, INSTANCE, "Stalled");
    let id = text(&cloud["instances"][0]["id"]);
    assert!(
        told.contains(&id) && told.contains("spec.instanceId"),
        "it names the way out: {told}"
    );
    for child in CHILDREN {
        assert_eq!(
            world.condition(child.0, child.1, "Reconciling"),
            "True WaitingForReference"
        );
    }

    world
        .edit("KafkaInstance", "events", json!({"spec": {"instanceId": id}}))
        .await
        .unwrap();
    world.until_ready(HOUR, &ALL).await;
    for object in ALL {
        assert_eq!(status(&world, object, "origin"), "Adopted", "{object:?}");
    }
    assert_eq!(
        created,
        ["CreateInstanceByEngine", CREATE_TOPIC, CREATE_QUOTA].map(|operation| accepted(&world, operation)),
        "nothing was made"
    );
    delete_all(&world, &ALL).await;
    sleep(HOUR).await;
    assert_eq!(world.cloud.state_json(), cloud, "what was adopted stays as it is");
    operator.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_served_and_is_gone_is_not_bought_again_by_itself() {
    let (world, _operator) = whole().await;
    let first = lose_instance(&world).await;
    sleep(12 * HOUR).await;
    assert_eq!(world.condition(INSTANCE.0, INSTANCE.1, "Stalled"), "True NotFound");
    assert!(message(&world, INSTANCE, "Stalled").contains(&format!("recreate={first}")));
    for child in CHILDREN {
        assert_eq!(
            world.condition(child.0, child.1, "Ready"),
            "False WaitingForReference",
            "{child:?}"
        );
    }
    annotate(&world, "recreate", "another-id").await;
    annotate(&world, "reconcile-requested-at", "now").await;
    sleep(2 * HOUR).await;
    assert_eq!(world.calls(CREATE_INSTANCE), 1, "{}", world.picture());

    annotate(&world, "recreate", &first).await;
    world.until_ready(2 * HOUR, &ALL).await;
    sleep(2 * MINUTE).await;
    assert_whole(&world, &ALL, "made anew, its children too");
    let second = status(&world, INSTANCE, "instanceId");
    for child in CHILDREN {
        assert_eq!(status(&world, child, "instanceId"), second, "{child:?}");
    }
    // The annotation is still there, and names another one.
    lose_instance(&world).await;
    sleep(12 * HOUR).await;
    assert_eq!(world.calls(CREATE_INSTANCE), 2);
    delete_all(&world, &ALL).await;
}

#[tokio::test(start_paused = true)]
async fn a_single_look_that_finds_no_instance_proves_nothing() {
    let look_away = |world: &World, operation: &str, times| {
        world.cloud.add_fault(Fault {
            operation: operation.into(),
            times: Some(times),
            effect: Effect {
                status: Some(404),
                code: Some("DMS.00404022".into()),
                ..Effect::default()
            },
            ..Fault::default()
        });
    };
    let (world, operator) = whole().await;
    for operation in ["ShowInstance", "ListInstanceTopics", "ShowKafkaUserClientQuota"] {
        look_away(&world, operation, 1);
        for _ in 0..120 {
            sleep(10 * SECOND).await;
            for (kind, name) in ALL {
                let stalled = world.condition(kind, name, "Stalled");
                assert!(stalled.starts_with("False"), "{operation} {kind} {name}: {stalled}");
            }
        }
        world.until_ready(HOUR, &ALL).await;
    }
    assert_whole(&world, &ALL, "single looks away");
    operator.stop().await.unwrap();
    for operation in ["ShowInstance", "ListInstanceTopics", "ShowKafkaUserClientQuota"] {
        look_away(&world, operation, 1);
    }
    for (kind, name) in ALL {
        world.delete(kind, name).await;
    }
    let _operator = world.start("two");
    world.until_gone(HOUR, &ALL).await;
    assert!(world.instances().is_empty(), "{}", world.picture());
}

#[tokio::test(start_paused = true)]
async fn topics_and_quotas_that_are_gone_are_made_again_and_then_are_ours() {
    for adopted in [false, true] {
        let (world, operator) = whole().await;
        if adopted {
            operator.stop().await.unwrap();
            lose_objects(&world).await;
            world.apply(include_str!("../../examples/kafka/instance.yaml")).await;
            let id = text(&world.instances()[0]["id"]);
            world
                .edit("KafkaInstance", "events", json!({"spec": {"instanceId": id}}))
                .await
                .unwrap();
            apply_children(&world).await;
        }
        let _operator = world.start("two");
        world.until_ready(HOUR, &ALL).await;
        let path = format!(
            "/v2/{{p}}/instances/{}/topics/delete",
            status(&world, INSTANCE, "instanceId")
        );
        assert_eq!(
            world
                .call("POST", &path, &[], json!({"topics": ["orders", "shop.audit"]}))
                .await
                .0,
            200
        );
        sleep(HOUR).await;
        for topic in [ORDERS, AUDIT] {
            assert!(world.is_ready(topic.0, topic.1));
            assert_eq!(status(&world, topic, "origin"), "Created", "adopted: {adopted}");
        }
        delete_all(&world, &CHILDREN).await;
        let instance = &world.instances()[0];
        assert_eq!(instance["topics"], json!([]));
        assert_eq!(instance["quotas"] == json!([]), !adopted, "an adopted quota stays");
    }
}

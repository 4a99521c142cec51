//! What the operator knew is lost, or what it knew of is gone.

use dms_operator::simulator::{Effect, Fault};
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::estate::*;
use crate::everyday::cloud;
use crate::support::world::{Running, World};

async fn whole(estate: Estate) -> (World, Running) {
    let world = with_all(estate).await;
    let operator = world.start("one");
    world.until_ready(2 * HOUR, &estate.all()).await;
    sleep(2 * MINUTE).await;
    (world, operator)
}

/// All objects are lost, as with a cluster that burnt down: no finalizer is waited for.
async fn lose_objects(world: &World, objects: &[Object]) {
    for (kind, name) in objects {
        let api = world.api(kind);
        let free = Patch::Merge(json!({"metadata": {"finalizers": null}}));
        api.patch(name, &PatchParams::default(), &free).await.unwrap();
        api.delete(name, &DeleteParams::default()).await.unwrap();
        assert!(world.object(kind, name).is_null());
    }
}

/// The user names the one instance that is there.
async fn take_over(world: &World, (kind, name): Object) {
    let id = json!({"spec": {"instanceId": world.instances()[0]["id"]}});
    world.edit(kind, name, id).await.unwrap();
}

/// An instance vanishes behind the operator's back.
async fn lose_instance(world: &World, instance: Object) -> String {
    let id = status(world, instance, "instanceId");
    let (code, answer) = world
        .call("DELETE", &format!("/v2/{{p}}/instances/{id}"), &[], Value::Null)
        .await;
    assert!(code < 300, "{answer}");
    id
}

async fn annotate(world: &World, (kind, name): Object, key: &str, value: &str) {
    let annotations = json!({"metadata": {"annotations": {format!("dms.huaweicloud.com/{key}"): value}}});
    world.edit(kind, name, annotations).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn objects_restored_from_a_backup_buy_nothing_and_take_back_what_is_there() {
    for estate in ENGINES {
        let (all, instance) = (estate.all(), estate.instance);
        let (world, operator) = whole(estate).await;
        // `kubectl get -o yaml`, with finalizers and status.
        let backup: Vec<Value> = all.iter().map(|(kind, name)| world.object(kind, name)).collect();
        operator.stop().await.unwrap();
        lose_objects(&world, &all).await;
        let before = cloud(&world);
        let creates = [&[CREATE_INSTANCE], estate.creates].concat();
        let created = || {
            creates
                .iter()
                .map(|create| accepted(&world, create))
                .collect::<Vec<_>>()
        };
        let first = created();
        for mut object in backup {
            let meta = object["metadata"].as_object_mut().unwrap();
            meta.retain(|key, _| ["name", "namespace", "finalizers", "annotations", "labels"].contains(&key.as_str()));
            world.apply(&object.to_string()).await;
        }
        let operator = world.start("two");
        sleep(2 * HOUR).await;
        assert_eq!(world.condition(instance.0, instance.1, "Stalled"), "True AlreadyExists");
        let told = message(&world, instance, "Stalled");
        assert!(
            told.contains(&text(&world.instances()[0]["id"])) && told.contains("spec.instanceId"),
            "it names the way out: {told}"
        );
        for child in estate.children {
            assert_eq!(
                world.condition(child.0, child.1, "Reconciling"),
                "True WaitingForReference"
            );
        }

        take_over(&world, instance).await;
        world.until_ready(HOUR, &all).await;
        for object in &all {
            assert_eq!(status(&world, *object, "origin"), "Adopted", "{object:?}");
        }
        assert_eq!(created(), first, "nothing was made");
        delete_all(&world, &all).await;
        sleep(HOUR).await;
        assert_eq!(cloud(&world), before, "what was adopted stays as it is");
        operator.stop().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_served_and_is_gone_is_not_bought_again_by_itself() {
    for estate in ENGINES {
        let (all, instance) = (estate.all(), estate.instance);
        let (world, _operator) = whole(estate).await;
        let first = lose_instance(&world, instance).await;
        sleep(12 * HOUR).await;
        assert_eq!(world.condition(instance.0, instance.1, "Stalled"), "True NotFound");
        assert!(message(&world, instance, "Stalled").contains(&format!("recreate={first}")));
        for child in estate.children {
            assert_eq!(
                world.condition(child.0, child.1, "Ready"),
                "False WaitingForReference",
                "{child:?}"
            );
        }
        annotate(&world, instance, "recreate", "another-id").await;
        annotate(&world, instance, "reconcile-requested-at", "now").await;
        sleep(2 * HOUR).await;
        assert_eq!(world.calls(CREATE_INSTANCE), 1, "{}", world.picture());

        annotate(&world, instance, "recreate", &first).await;
        world.until_ready(2 * HOUR, &all).await;
        sleep(2 * MINUTE).await;
        assert_whole(&world, &all, "made anew, its children too");
        let second = status(&world, instance, "instanceId");
        for child in estate.children {
            assert_eq!(status(&world, *child, "instanceId"), second, "{child:?}");
        }
        // The annotation is still there, and names another one.
        lose_instance(&world, instance).await;
        sleep(12 * HOUR).await;
        assert_eq!(world.calls(CREATE_INSTANCE), 2);
        delete_all(&world, &all).await;
    }
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
    for estate in ENGINES {
        let all = estate.all();
        let lists = match estate.instance {
            INSTANCE => [
                "ListInstanceTopics",
                "ShowKafkaUserClientQuota",
                "ListInstanceConsumerGroups",
            ],
            _ => ["ListRocketInstanceTopics", "ListInstanceConsumerGroups", "ListBrokers"],
        };
        let looks = [&["ShowInstance"], &lists[..]].concat();
        let (world, operator) = whole(estate).await;
        for operation in &looks {
            look_away(&world, operation, 1);
            for _ in 0..120 {
                sleep(10 * SECOND).await;
                for (kind, name) in &all {
                    let stalled = world.condition(kind, name, "Stalled");
                    assert!(stalled.starts_with("False"), "{operation} {kind} {name}: {stalled}");
                }
            }
            world.until_ready(HOUR, &all).await;
        }
        assert_whole(&world, &all, "single looks away");
        operator.stop().await.unwrap();
        for operation in &looks {
            look_away(&world, operation, 1);
        }
        for (kind, name) in &all {
            world.delete(kind, name).await;
        }
        let _operator = world.start("two");
        world.until_gone(HOUR, &all).await;
        assert!(world.instances().is_empty(), "{}", world.picture());
    }
}

/// Deletes all topics and groups of an estate behind the operator's back.
async fn lose_children(world: &World, estate: Estate) {
    let path = format!("/v2/{{p}}/instances/{}", status(world, estate.instance, "instanceId"));
    let delete = [("action", "delete")];
    let calls: [(&str, &[_], Value); 2] = match estate.instance {
        INSTANCE => [
            ("topics/delete", &[], json!({"topics": ["orders", "shop.audit"]})),
            ("groups/batch-delete", &[], json!({"group_ids": ["billing"]})),
        ],
        _ => [
            ("topics", &delete, json!({"topics": ["payments"]})),
            ("groups", &delete, json!({"groups": ["GID_ledger"]})),
        ],
    };
    for (of, query, body) in calls {
        let (code, answer) = world.call("POST", &format!("{path}/{of}"), query, body).await;
        assert_eq!(code, 200, "{answer}");
        sleep(10 * SECOND).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_lives_in_an_instance_and_is_gone_is_made_again_and_then_is_ours() {
    for (estate, adopted) in ENGINES.into_iter().flat_map(|estate| [(estate, false), (estate, true)]) {
        let all = estate.all();
        let (world, operator) = whole(estate).await;
        if adopted {
            operator.stop().await.unwrap();
            lose_objects(&world, &all).await;
            estate.apply_instance(&world).await;
            take_over(&world, estate.instance).await;
            estate.apply_children(&world).await;
        }
        let _operator = world.start("two");
        world.until_ready(HOUR, &all).await;
        lose_children(&world, estate).await;
        sleep(HOUR).await;
        for child in estate.children.iter().filter(|child| **child != QUOTA) {
            assert!(world.is_ready(child.0, child.1));
            assert_eq!(status(&world, *child, "origin"), "Created", "adopted: {adopted}");
        }
        if estate.instance == SHOP {
            let described = world.instances()[0]["topics"][0]["description"].clone();
            assert_eq!(described, "Payments, as they come in", "the description was sent again");
        }
        delete_all(&world, estate.children).await;
        let instance = &world.instances()[0];
        assert_eq!((&instance["topics"], &instance["groups"]), (&json!([]), &json!([])));
        let quotas = instance["quotas"].as_array().map_or(0, Vec::len);
        let stays = adopted && estate.instance == INSTANCE;
        assert_eq!(quotas, usize::from(stays), "an adopted quota stays");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_being_changed_when_its_instance_went_can_still_be_deleted() {
    let (world, operator) = whole(ROCKETMQ).await;
    let operation = |world: &World| world.object(PAYMENTS.0, PAYMENTS.1)["status"]["operation"].clone();
    let edit = json!({"spec": {"rocketmq": {"permission": "sub"}}});
    world.edit(PAYMENTS.0, PAYMENTS.1, edit).await.unwrap();
    world
        .until(MINUTE, "its change was sent, and no id of a job was told", |world| {
            operation(world)["name"] == "UpdateTopic" && operation(world)["jobId"].is_null()
        })
        .await;
    operator.stop().await.unwrap();
    sleep(MINUTE).await;
    lose_instance(&world, SHOP).await;
    sleep(HOUR).await;
    let api = world.api(PAYMENTS.0);
    api.delete(PAYMENTS.1, &DeleteParams::default()).await.unwrap();
    let _second = world.start("two");
    world
        .until(HOUR, "the topic went", |world| {
            world.object(PAYMENTS.0, PAYMENTS.1).is_null()
        })
        .await;
}

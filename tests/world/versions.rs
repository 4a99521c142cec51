//! What only one version of an engine takes, and names that paths must carry unharmed.

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::everyday::*;
use crate::support::world::{Running, World};

/// Instances of both versions, and nothing in them.
async fn instances() -> (World, Running) {
    at_rest_with(&[SHOP, MAIL]).await
}

/// The example of an object with this change in its block `rocketmq`; null takes a field away.
fn changed(of: Object, change: &Value) -> String {
    let mut object: Value = serde_saphyr::from_str(example(of)).unwrap();
    let block = object["spec"]["rocketmq"].as_object_mut().unwrap();
    for (field, value) in change.as_object().unwrap() {
        block.insert(field.clone(), value.clone());
    }
    block.retain(|_, value| !value.is_null());
    object.to_string()
}

#[tokio::test(start_paused = true)]
async fn what_a_version_has_not_or_needs_is_said_before_anything_is_sent() {
    let queues = json!([{"broker": "broker-7", "readQueueNum": 2, "writeQueueNum": 2}]);
    let table = [
        (
            PAYMENTS,
            json!({"messageType": "NORMAL"}),
            "spec.rocketmq.messageType is not for",
        ),
        (
            PAYMENTS,
            json!({"permission": null}),
            "spec.rocketmq.permission is needed",
        ),
        (PAYMENTS, json!({"brokers": null}), "its brokers are broker-0, broker-1"),
        (
            PAYMENTS,
            json!({"brokers": ["broker-0", "broker-2"]}),
            "no broker broker-2",
        ),
        (
            PAYMENTS,
            json!({"brokers": null, "queueNum": null, "queues": queues}),
            "spec.rocketmq.queues: the instance has no broker broker-7",
        ),
        (
            LETTERS,
            json!({"messageType": null}),
            "spec.rocketmq.messageType is needed",
        ),
        (
            LETTERS,
            json!({"brokers": ["broker-0"]}),
            "spec.rocketmq.brokers is for instances of version 4.8.0",
        ),
        (
            LETTERS,
            json!({"queues": queues}),
            "spec.rocketmq.queues is for instances of version 4.8.0",
        ),
        (
            LEDGER,
            json!({"consumeOrderly": false}),
            "spec.rocketmq.consumeOrderly is for",
        ),
        (LEDGER, json!({"brokers": null}), "spec.rocketmq.brokers is needed"),
        (LEDGER, json!({"brokers": ["broker-2"]}), "no broker broker-2"),
        (
            POSTMEN,
            json!({"brokers": ["broker-0"]}),
            "spec.rocketmq.brokers is for",
        ),
    ];
    let (world, _operator) = instances().await;
    for (of, wrong, expected) in table {
        let sent = cloud_writes(&world);
        world.apply(&changed(of, &wrong)).await;
        world
            .until(MINUTE, expected, |world| shown(world, of) == "FFTU InvalidSpec")
            .await;
        let said = message(&world, of, "Stalled");
        assert!(said.contains(expected), "{of:?} {wrong}: {said}");
        // What the instance has room for, its object tells at its next look.
        sleep(20 * MINUTE).await;
        let (calls, writes) = (world.cloud.calls().len(), world.effects().len());
        sleep(HOUR).await;
        assert!(world.cloud.calls().len() - calls < 60, "{of:?} {wrong}: no hot loop");
        assert_eq!(world.effects().len(), writes, "{of:?} {wrong}: all was said");
        assert_eq!(cloud_writes(&world), sent, "{of:?} {wrong}");
        // The mistake can be mended, and forgotten.
        world.apply(example(of)).await;
        world.until_ready(2 * MINUTE, &[of]).await;
        world.delete(of.0, of.1).await;
        world.until_gone(2 * MINUTE, &[of]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_edit_to_what_the_version_has_not_stops_and_changes_nothing() {
    let table = [
        (PAYMENTS, json!({"messageType": "NORMAL"}), "spec.rocketmq.messageType"),
        (LEDGER, json!({"consumeOrderly": true}), "spec.rocketmq.consumeOrderly"),
        (LEDGER, json!({"brokers": ["broker-0", "broker-5"]}), "broker-5"),
        (POSTMEN, json!({"brokers": ["broker-0"]}), "spec.rocketmq.brokers"),
    ];
    let (world, _operator) = at_rest_with(&[SHOP, PAYMENTS, LEDGER, MAIL, POSTMEN]).await;
    for (of, wrong, expected) in table {
        let (sent, before) = (cloud_writes(&world), cloud(&world));
        world
            .edit(of.0, of.1, json!({"spec": {"rocketmq": wrong}}))
            .await
            .unwrap();
        world
            .until(MINUTE, expected, |world| shown(world, of).starts_with("FFT"))
            .await;
        assert!(shown(&world, of).contains("InvalidSpec"), "{}", shown(&world, of));
        let said = message(&world, of, "Stalled");
        assert!(said.contains(expected), "{said}");
        sleep(2 * HOUR).await;
        assert_eq!((cloud_writes(&world), cloud(&world)), (sent, before), "{of:?} {wrong}");
        let mut right: Value = serde_saphyr::from_str(example(of)).unwrap();
        for (field, value) in wrong.as_object().unwrap() {
            let back = &mut right["spec"]["rocketmq"][field];
            assert_ne!(back, value);
        }
        let right = json!({"spec": {"rocketmq": right["spec"]["rocketmq"]}});
        world.edit(of.0, of.1, right).await.unwrap();
        world
            .until(2 * MINUTE, "mended", |world| {
                world.is_ready(of.0, of.1) && shown(world, of) == HEALTHY
            })
            .await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_only_the_service_refuses_for_its_version_is_said_with_its_code() {
    let (world, _operator) = instances().await;
    for (of, create) in [(PAYMENTS, ROCKETMQ.creates[0]), (POSTMEN, ROCKETMQ.creates[1])] {
        world.cloud.add_fault(dms_operator::simulator::Fault {
            operation: create.into(),
            times: Some(0),
            effect: dms_operator::simulator::Effect {
                status: Some(400),
                code: Some("DMS.00400062".into()),
                message: Some("Not for an instance of this engine version.".into()),
                ..Default::default()
            },
            ..Default::default()
        });
        apply(&world, &[of]).await;
        world
            .until(MINUTE, "refused", |world| shown(world, of) == "FFTU InvalidSpec")
            .await;
        let said = message(&world, of, "Stalled");
        for part in ["DMS.00400062", "request ", "this engine version"] {
            assert!(said.contains(part), "{said}");
        }
        let tried = world.calls(create);
        sleep(2 * HOUR).await;
        assert!(world.calls(create) - tried <= 4, "looked at every half hour");
        world.cloud.clear_faults();
        let asked = json!({"metadata": {"annotations": {"dms.huaweicloud.com/reconcile-requested-at": "now"}}});
        world.edit(of.0, of.1, asked).await.unwrap();
        world.until_ready(2 * MINUTE, &[of]).await;
    }
}

/// Names whose percent signs would vanish if they were decoded twice, and would show if they were encoded twice.
const NAMES: [&str; 3] = ["%RETRY%GID|x", "%41|b%25", "a%2Fb"];

#[tokio::test(start_paused = true)]
async fn names_with_percent_signs_and_bars_are_encoded_once() {
    let (world, _operator) = at_rest_with(&[INSTANCE, SHOP, MAIL]).await;
    let moved = |broker: &str| json!({"rocketmq": {"brokers": [broker]}});
    for (of, edit, list) in [
        (PAYMENTS, json!({"rocketmq": {"queueNum": 9}}), "topics"),
        (LETTERS, json!({"rocketmq": {"permission": "sub"}}), "topics"),
        (LEDGER, moved("broker-0"), "groups"),
        (POSTMEN, json!({"rocketmq": {"maxRetries": 3}}), "groups"),
        (BILLING, json!({"description": "changed"}), "groups"),
    ] {
        for name in NAMES {
            let when = format!("{of:?} called {name}");
            let mut object: Value = serde_saphyr::from_str(example(of)).unwrap();
            object["spec"]["name"] = json!(name);
            world.apply(&object.to_string()).await;
            world.until_ready(2 * MINUTE, &[of]).await;
            let there = |world: &World| match list {
                "topics" => topic(world, name),
                _ => group(world, name),
            };
            let made = there(&world);
            assert_eq!(made["name"], name, "{when}");
            let others = world.cloud.call_counts();
            world.edit(of.0, of.1, json!({"spec": edit})).await.unwrap();
            world
                .until(2 * MINUTE, &when, |world| {
                    world.is_ready(of.0, of.1) && shown(world, of) == HEALTHY
                })
                .await;
            assert_ne!(there(&world), made, "{when}: changed");
            assert_ne!(world.cloud.call_counts(), others, "{when}");
            world.delete(of.0, of.1).await;
            world.until_gone(2 * MINUTE, &[of]).await;
            assert_eq!(there(&world), Value::Null, "{when}: deleted");
        }
    }
    // Where the name is in the path.
    let paths: Vec<String> = world.cloud.calls().into_iter().map(|call| call.path).collect();
    for once in [
        "/topics/%25RETRY%25GID%7Cx",
        "/groups/%25RETRY%25GID%7Cx",
        "/groups/%2541%7Cb%2525",
    ] {
        assert!(paths.iter().any(|path| path.ends_with(once)), "{once}: {paths:#?}");
    }
}

//! References, Secrets and annotations: what is missing is waited for, what is wrong is said, and both mend themselves.

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::everyday::*;
use crate::support::world::World;

fn provider(spec: Value) -> String {
    let mut whole =
        json!({"region": "eu-west-101", "credentials": {"type": "AccessKey", "secretRef": {"name": "huawei"}}});
    whole.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    json!({"apiVersion": "dms.huaweicloud.com/v1alpha1", "kind": "ProviderConfig", "metadata": {"name": "default"}, "spec": whole})
        .to_string()
}

fn secret(data: Value) -> String {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "huawei"}, "stringData": data}).to_string()
}

fn annotate(name: &str, value: Value) -> Value {
    let mut annotations = json!({});
    annotations[format!("dms.huaweicloud.com/{name}")] = value;
    json!({"metadata": {"annotations": annotations}})
}

#[tokio::test(start_paused = true)]
async fn everything_waits_for_what_it_names_in_whatever_order_it_comes() {
    let mut world = World::new();
    world.set_lease(HOUR);
    let _operator = world.start("one");
    let instances = ESTATES.map(|estate| estate.instance);
    let children: Vec<Object> = ESTATES.iter().flat_map(|estate| estate.children.to_vec()).collect();
    apply(&world, &children).await;
    sleep(MINUTE).await;
    apply(&world, &instances).await;
    sleep(MINUTE).await;
    for of in EVERYTHING {
        assert_eq!(shown(&world, of), "FTFU WaitingForReference", "{of:?}");
    }
    assert!(message(&world, INSTANCE, "Ready").contains("ProviderConfig default/default"));
    world
        .apply(include_str!("../../examples/kafka/provider-config.yaml"))
        .await;
    sleep(MINUTE).await;
    assert_eq!(shown(&world, PROVIDER), "FTFU WaitingForReference");
    assert!(message(&world, PROVIDER, "Ready").contains("Secret default/huawei"));
    assert_eq!(world.cloud.calls().len(), 0);
    let quiet = world.effects().len();
    sleep(6 * HOUR).await;
    assert_eq!(world.effects().len(), quiet, "waiting writes nothing");
    world.apply_credentials().await;
    world
        .until(2 * MINUTE, "on its way", |world| world.calls(CREATE_INSTANCE) == 3)
        .await;
    world.until_ready(HOUR, &EVERYTHING).await;
}

#[tokio::test(start_paused = true)]
async fn a_rotated_key_is_used_within_a_minute_and_a_wrong_one_is_said_and_mended() {
    let (world, _operator) = at_rest().await;
    let right = world.object("Secret", "huawei")["data"].clone();
    world
        .edit("Secret", "huawei", json!({"stringData": {"secretKey": "wrong"}}))
        .await
        .unwrap();
    world
        .until(2 * MINUTE, "said", |world| {
            shown(world, PROVIDER) == "UFTU AccessDenied"
        })
        .await;
    let said = message(&world, PROVIDER, "Stalled");
    assert!(said.contains("APIGW.0301") && said.contains("request"), "{said}");
    world
        .until(2 * RESYNC, "told by all", |world| {
            ALL.iter().all(|of| shown(world, *of) == "UFTU AccessDenied")
        })
        .await;
    assert!(message(&world, ORDERS, "Stalled").contains("APIGW.0301"));
    let calls = world.cloud.calls().len();
    sleep(HOUR).await;
    let rate = world.cloud.calls().len() - calls;
    assert!(
        rate < 40,
        "a refused key is not tried again and again: {rate} calls in an hour"
    );

    world.edit("Secret", "huawei", json!({"data": right})).await.unwrap();
    world
        .until(2 * MINUTE, "well again", |world| {
            ALL.iter().all(|of| shown(world, *of) == HEALTHY)
        })
        .await;
    assert_eq!(shown(&world, PROVIDER), HEALTHY);
    assert!(
        !world
            .server
            .objects("events")
            .iter()
            .any(|event| event.to_string().contains("wrong"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_leads_elsewhere_later_is_refused_without_a_call() {
    let (world, _operator) = at_rest().await;
    // With its finalizer taken off by force, it can be made anew.
    world
        .edit("ProviderConfig", "default", json!({"metadata": {"finalizers": null}}))
        .await
        .unwrap();
    world.delete("ProviderConfig", "default").await;
    world.until_gone(MINUTE, &[PROVIDER]).await;
    let elsewhere = "ffffffffffffffffffffffffffffffff";
    world.apply(&provider(json!({"projectId": elsewhere}))).await;
    sleep(2 * MINUTE).await;
    // The cloud refuses a foreign project; had it not, the objects' own guard would.
    assert!(
        shown(&world, PROVIDER).starts_with("FFTU"),
        "{}",
        shown(&world, PROVIDER)
    );
    let before = cloud(&world);
    sleep(2 * HOUR).await;
    assert_eq!(cloud(&world), before);

    world
        .edit("ProviderConfig", "default", json!({"metadata": {"finalizers": null}}))
        .await
        .unwrap();
    world.delete("ProviderConfig", "default").await;
    world.until_gone(MINUTE, &[PROVIDER]).await;
    let endpoints = json!({"dms": "https://dms.other.myhuaweicloud.eu", "iam": "https://iam.other.myhuaweicloud.eu"});
    world.apply(&provider(json!({"endpoints": endpoints}))).await;
    world.until_ready(2 * MINUTE, &[PROVIDER]).await;
    world.cloud.forget_calls();
    let writes = cloud_writes(&world);
    for of in ALL {
        world
            .until(2 * RESYNC, "refused", |world| {
                shown(world, of).starts_with("FFTU InvalidSpec")
            })
            .await;
        let said = message(&world, of, "Stalled");
        assert!(
            said.contains("dms.other.") && said.contains("dms.eu-west-101."),
            "{said}"
        );
    }
    world.cloud.forget_calls();
    sleep(HOUR).await;
    let of_objects = world.cloud.call_counts();
    assert!(
        of_objects.keys().all(|operation| operation == "ListInstances"),
        "only the provider's own: {of_objects:?}"
    );
    assert_eq!(cloud_writes(&world), writes);

    world
        .edit("ProviderConfig", "default", json!({"spec": {"endpoints": null}}))
        .await
        .unwrap();
    world
        .until(5 * MINUTE, "pointed back", |world| {
            ALL.iter().all(|of| shown(world, *of) == HEALTHY)
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn credentials_are_held_until_the_last_object_that_needs_them_is_gone() {
    let (world, _operator) = at_rest().await;
    world.delete("Secret", "huawei").await;
    world.delete("ProviderConfig", "default").await;
    sleep(2 * HOUR).await;
    assert!(!world.object("Secret", "huawei").is_null());
    assert_eq!(shown(&world, PROVIDER), "FTFU Deleting");
    let said = message(&world, PROVIDER, "Ready");
    assert!(
        said.contains("KafkaInstance default/events") && said.contains('5'),
        "{said}"
    );
    world
        .edit(
            "KafkaInstance",
            "events",
            json!({"spec": {"description": "still works"}}),
        )
        .await
        .unwrap();
    world.until_ready(5 * MINUTE, &[INSTANCE]).await;
    for (kind, name) in ALL {
        world.delete(kind, name).await;
    }
    world.until_gone(HOUR, &ALL).await;
    assert!(world.instances().is_empty());
    world.until_gone(2 * MINUTE, &[PROVIDER, ("Secret", "huawei")]).await;
}

#[tokio::test(start_paused = true)]
async fn paused_means_no_call_and_no_change_until_it_is_lifted() {
    let (world, _operator) = at_rest_with(&EVERYTHING).await;
    for (kind, name) in EVERYTHING {
        world.edit(kind, name, annotate("paused", json!("true"))).await.unwrap();
    }
    sleep(MINUTE).await;
    for of in EVERYTHING {
        assert_eq!(shown(&world, of), "TFFU Available Paused", "{of:?}");
    }
    world
        .edit("Topic", "orders", json!({"spec": {"kafka": {"partitions": 9}}}))
        .await
        .unwrap();
    let longer = json!({"spec": {"rocketmq": {"queueNum": 9}}});
    world.edit("Topic", "payments", longer).await.unwrap();
    world.delete("Topic", "audit").await;
    world.delete("ConsumerGroup", "ledger").await;
    world.cloud.forget_calls();
    sleep(6 * HOUR).await;
    let counts = world.cloud.call_counts();
    assert!(
        counts.keys().all(|operation| operation == "ListInstances"),
        "only the provider's own: {counts:?}"
    );
    let orders = world.object("Topic", "orders");
    assert!(orders["status"]["observedGeneration"].as_i64() < orders["metadata"]["generation"].as_i64());
    assert_eq!(shown(&world, AUDIT), "FTFU Deleting");
    assert_eq!(shown(&world, LEDGER), "FTFU Deleting");
    for (kind, name) in EVERYTHING {
        world.edit(kind, name, annotate("paused", Value::Null)).await.unwrap();
    }
    let left = EVERYTHING.into_iter().filter(|of| ![AUDIT, LEDGER].contains(of));
    world.until_ready(5 * MINUTE, &left.collect::<Vec<_>>()).await;
    assert_eq!(topic(&world, "orders")["partition"], 9);
    world.until_gone(5 * MINUTE, &[AUDIT, LEDGER]).await;
}

#[tokio::test(start_paused = true)]
async fn a_request_to_reconcile_is_echoed_and_looks_at_once() {
    let (world, _operator) = at_rest_with(&EVERYTHING).await;
    for (n, of) in EVERYTHING.into_iter().enumerate() {
        let asked = format!("2026-11-22T12:{n:02}:00Z");
        match of {
            SHOP | MAIL => behind_in(&world, of, "PUT", INSTANCE_PATH, json!({"enable_acl": true})).await,
            PAYMENTS => {
                let path = format!("{TOPICS_PATH}/payments");
                behind_in(&world, of, "PUT", &path, json!({"permission": "sub"})).await
            }
            LEDGER => {
                let theirs = json!({"groups": [{"name": "GID_ledger", "retry_max_time": 9}]});
                behind_in(&world, of, "PUT", GROUPS_PATH, theirs).await
            }
            INSTANCE => behind(&world, "PUT", INSTANCE_PATH, json!({"description": "mine"})).await,
            ORDERS => {
                behind(
                    &world,
                    "PUT",
                    TOPICS_PATH,
                    json!({"topics": [{"id": "orders", "retention_time": 9}]}),
                )
                .await
            }
            _ => Value::Null,
        };
        // Some are jobs of seconds.
        sleep(10 * SECOND).await;
        world
            .edit(of.0, of.1, annotate("reconcile-requested-at", json!(asked)))
            .await
            .unwrap();
        let echo = |world: &World| world.object(of.0, of.1)["status"]["lastHandledReconcileAt"].clone();
        world
            .until(MINUTE / 4, "echoed", |world| echo(world) == asked.as_str())
            .await;
        world.until(MINUTE, "mended", |world| shown(world, of) == HEALTHY).await;
    }
    assert_eq!(topic(&world, "orders")["retention_time"], 72);
    assert_eq!(topic(&world, "payments")["permission"], "all");
    assert_eq!(group(&world, "GID_ledger")["retryMaxTime"], 5);
    assert_eq!(instance_of(&world, SHOP)["enableAcl"], false);
    assert_eq!(instance_of(&world, INSTANCE)["description"], "Events of the shop");
}

#[tokio::test(start_paused = true)]
async fn a_request_to_reconcile_ends_a_stop_before_its_time() {
    let (world, _operator) = at_rest().await;
    let quota_used_up = dms_operator::simulator::Effect {
        status: Some(400),
        code: Some("DMS.00400119".into()),
        ..Default::default()
    };
    world.fault("UpdateInstanceTopic", quota_used_up);
    world
        .edit("Topic", "orders", json!({"spec": {"kafka": {"partitions": 9}}}))
        .await
        .unwrap();
    world
        .until(MINUTE, "stopped", |world| shown(world, ORDERS).starts_with("FFTF"))
        .await;
    sleep(10 * MINUTE).await;
    assert!(shown(&world, ORDERS).starts_with("FFTF"), "{}", shown(&world, ORDERS));
    world
        .edit("Topic", "orders", annotate("reconcile-requested-at", json!("now")))
        .await
        .unwrap();
    world
        .until(MINUTE, "applied", |world| shown(world, ORDERS) == HEALTHY)
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_secret_without_its_keys_and_an_endpoint_that_is_not_allowed_are_said() {
    let mut world = World::new();
    world.set_lease(HOUR);
    world.apply(&secret(json!({"accessKey": "AK"}))).await;
    world.apply(&provider(json!({}))).await;
    let _operator = world.start("one");
    world
        .until(MINUTE, "said", |world| shown(world, PROVIDER) == "FFTU InvalidSpec")
        .await;
    assert!(message(&world, PROVIDER, "Stalled").contains("secretKey"));
    world.apply_credentials().await;
    world.until_ready(2 * MINUTE, &[PROVIDER]).await;
    world
        .apply(&provider(json!({"endpoints": {"dms": "https://dms.example.com"}})))
        .await;
    world
        .until(MINUTE, "said", |world| shown(world, PROVIDER).starts_with("FFT"))
        .await;
    assert!(message(&world, PROVIDER, "Stalled").contains("allowed"));
    let calls = world.cloud.calls().len();
    sleep(HOUR).await;
    assert_eq!(world.cloud.calls().len(), calls, "nothing is sent there");
}

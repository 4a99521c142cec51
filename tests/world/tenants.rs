//! Instances that several namespaces share: who is admitted, who is refused with which words, and what is left of it all.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::everyday::*;
use crate::support::world::{Running, World};

/// Namespace, kind and name of an object.
type There = (&'static str, &'static str, &'static str);

const PAY_ORDERS: There = ("payments", "Topic", "orders");
const PAY_GROUP: There = ("payments", "ConsumerGroup", "invoices");
const PAY_QUOTA: There = ("payments", "KafkaUserQuota", "importer");
const BILL_ORDERS: There = ("billing", "Topic", "orders");

fn object(world: &World, (namespace, kind, name): There) -> Value {
    let plural = format!("{}s", kind.to_lowercase());
    world.server.object(&plural, namespace, name).unwrap_or_default()
}

fn short(world: &World, of: There) -> String {
    in_short(&object(world, of)["status"])
}

/// What an object says of its state.
fn said(world: &World, of: There) -> String {
    text(&object(world, of)["status"]["conditions"][0]["message"])
}

/// `spec.instanceRef` to the instance of the examples, from another namespace.
fn by_name() -> Value {
    json!({"kind": "KafkaInstance", "name": "events", "namespace": "default"})
}

fn by_id(id: &str) -> Value {
    json!({"kind": "KafkaInstance", "instanceId": id})
}

async fn apply_there(world: &World, (namespace, kind, name): There, spec: Value) {
    let meta = json!({"name": name, "namespace": namespace});
    let object = json!({"apiVersion": "dms.huaweicloud.com/v1alpha1", "kind": kind, "metadata": meta, "spec": spec});
    world.apply(&object.to_string()).await;
}

async fn apply_topic(world: &World, of: There, instance: Value, name: &str, partitions: u32) {
    let spec = json!({"instanceRef": instance, "name": name, "kafka": {"partitions": partitions}});
    apply_there(world, of, spec).await;
}

async fn edit_there(world: &World, (namespace, kind, name): There, spec: Value) {
    let patch = kube::api::Patch::Merge(json!({"spec": spec}));
    let api = world.api_in(kind, namespace);
    api.patch(name, &Default::default(), &patch).await.unwrap();
}

async fn delete_there(world: &World, (namespace, kind, name): There) {
    let api = world.api_in(kind, namespace);
    api.delete(name, &Default::default()).await.unwrap();
}

async fn until_short(world: &World, of: There, wanted: &str) {
    let what = format!("{of:?} is {wanted}");
    world
        .until(10 * MINUTE, &what, |world| short(world, of) == wanted)
        .await;
}

async fn until_ended(world: &World, of: There) {
    let what = format!("{of:?} is gone");
    world
        .until(10 * MINUTE, &what, |world| object(world, of).is_null())
        .await;
}

async fn grant(world: &World, grants: Value) {
    edit(world, INSTANCE, json!({"allowedNamespaces": grants})).await;
}

async fn label(world: &World, namespace: &str, labels: Value) {
    let change = json!({"metadata": {"labels": labels}});
    world.edit("Namespace", namespace, change).await.unwrap();
}

/// The example's instance in the namespace `default`, at rest, which grants this; and two namespaces of tenants.
async fn shared(grants: Value) -> (World, Running) {
    let (world, operator) = at_rest_with(&[INSTANCE]).await;
    for namespace in ["payments", "billing"] {
        world.server.add_namespace(namespace);
    }
    grant(&world, grants).await;
    sleep(MINUTE).await;
    (world, operator)
}

/// A namespace gets credentials of its own.
async fn furnish(world: &World, namespace: &str) {
    use secrecy::ExposeSecret as _;
    let known = world.cloud.config();
    let data = json!({"accessKey": known.access_key, "secretKey": known.secret_key.expose_secret()});
    let meta = json!({"name": "huawei", "namespace": namespace});
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": data});
    world.apply(&secret.to_string()).await;
    let config = include_str!("../../examples/kafka/provider-config.yaml");
    let there = format!("metadata:\n  namespace: {namespace}\n");
    world.apply(&config.replacen("metadata:\n", &there, 1)).await;
}

#[tokio::test(start_paused = true)]
async fn the_examples_of_a_platform_and_a_tenant_fit_together() {
    let mut world = World::new();
    world.set_lease(HOUR);
    let _operator = world.start("one");
    world.apply(include_str!("../../examples/tenancy/payments.yaml")).await;
    sleep(MINUTE).await;
    world.apply(include_str!("../../examples/tenancy/platform.yaml")).await;
    furnish(&world, "platform").await;
    for kind_and_name in [PAY_ORDERS, PAY_GROUP, PAY_QUOTA] {
        let what = format!("{kind_and_name:?}");
        world
            .until(HOUR, &what, |world| short(world, kind_and_name) == HEALTHY)
            .await;
    }
    assert_eq!(topic(&world, "pay.orders")["partition"], 12);
    // Nobody else is admitted, but by its labels.
    world.server.add_namespace("visitors");
    let trial = ("visitors", "Topic", "trial");
    let shared = json!({"kind": "KafkaInstance", "name": "shared", "namespace": "platform"});
    apply_topic(&world, trial, shared, "trial.orders", 3).await;
    until_short(&world, trial, "FFTU NotAllowed").await;
    label(&world, "visitors", json!({"example.com/messaging": "trial"})).await;
    until_short(&world, trial, HEALTHY).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_admitted_lives_as_in_the_instances_own_namespace() {
    let kinds = json!(["Topic", "ConsumerGroup", "KafkaUserQuota"]);
    let grants = json!([{"name": "payments", "namespaces": ["payments"], "kinds": kinds, "namePrefixes": ["pay."]}]);
    let (world, operator) = shared(grants).await;
    apply_topic(&world, PAY_ORDERS, by_name(), "pay.orders", 6).await;
    apply_there(
        &world,
        PAY_GROUP,
        json!({"instanceRef": by_name(), "name": "pay.invoices"}),
    )
    .await;
    let quota = json!({"instanceRef": by_name(), "client": "importer", "producerByteRate": "10Mi"});
    apply_there(&world, PAY_QUOTA, quota).await;
    for of in [PAY_ORDERS, PAY_GROUP, PAY_QUOTA] {
        until_short(&world, of, HEALTHY).await;
        let status = &object(&world, of)["status"];
        assert_eq!(
            status["provider"]["namespace"], "default",
            "{of:?}: the host's credentials"
        );
        assert_eq!(text(&status["instanceId"]), instance_id(&world, INSTANCE), "{of:?}");
    }
    assert_eq!(topic(&world, "pay.orders")["partition"], 6);
    edit_there(&world, PAY_ORDERS, json!({"kafka": {"partitions": 12}})).await;
    world
        .until(MINUTE, "grown", |world| topic(world, "pay.orders")["partition"] == 12)
        .await;
    // An operator that begins anew knows the labels before it looks at anything.
    sleep(3 * RESYNC).await;
    drop(operator);
    let before = world.effects().len();
    let _operator = world.start("two");
    sleep(6 * HOUR).await;
    assert_eq!(world.effects()[before..], [""; 0], "rest");
    for of in [PAY_ORDERS, PAY_GROUP, PAY_QUOTA] {
        delete_there(&world, of).await;
        until_ended(&world, of).await;
    }
    assert_eq!(topic(&world, "pay.orders"), Value::Null);
}

#[tokio::test(start_paused = true)]
async fn what_no_grant_fits_is_refused_until_one_does() {
    let grants = json!([{"name": "payments", "namespaces": ["payments"], "namePrefixes": ["pay."]}]);
    let (world, _operator) = shared(grants).await;
    let before = world.cloud.calls().len();
    apply_topic(&world, PAY_ORDERS, by_name(), "orders", 6).await;
    apply_topic(&world, BILL_ORDERS, by_name(), "pay.billing", 6).await;
    let quota = json!({"instanceRef": by_name(), "clientDefault": true, "producerByteRate": 1});
    apply_there(&world, PAY_QUOTA, quota).await;
    for (of, words) in [
        (
            PAY_ORDERS,
            "fits the name \"orders\" (grant payments allows pay.); ask the owner of default/events, or rename",
        ),
        (BILL_ORDERS, "admits namespace billing; ask the owner of default/events"),
        (PAY_QUOTA, "a default quota holds for everybody"),
    ] {
        until_short(&world, of, "FFTU NotAllowed").await;
        let said = said(&world, of);
        assert!(
            said.starts_with("KafkaInstance default/events: ") && said.contains(words),
            "{said}"
        );
        assert_eq!(object(&world, of)["status"]["externalName"], Value::Null, "{of:?}");
    }
    let calls = world.cloud.calls().len() - before;
    assert!(
        calls <= 4,
        "{calls} calls, though nothing was to be looked at but the instance"
    );
    // What can be corrected, is: here by the tenant, there by the host.
    edit_there(&world, PAY_ORDERS, json!({"name": "pay.orders"})).await;
    until_short(&world, PAY_ORDERS, HEALTHY).await;
    let all = json!([{"name": "all", "selector": {}, "kinds": ["Topic", "KafkaUserQuota"]}]);
    grant(&world, all).await;
    until_short(&world, BILL_ORDERS, HEALTHY).await;
    until_short(&world, PAY_ORDERS, HEALTHY).await;
    assert_eq!(short(&world, PAY_QUOTA), "FFTU NotAllowed", "whatever the grant");
    delete_there(&world, PAY_QUOTA).await;
    until_ended(&world, PAY_QUOTA).await;
}

#[tokio::test(start_paused = true)]
async fn labels_of_a_namespace_open_and_close_the_door() {
    let selector = json!({"matchExpressions": [{"key": "tier", "operator": "In", "values": ["gold"]}]});
    let (world, _operator) = shared(json!([{"name": "gold", "selector": selector}])).await;
    apply_topic(&world, PAY_ORDERS, by_name(), "orders", 6).await;
    until_short(&world, PAY_ORDERS, "FFTU NotAllowed").await;
    label(&world, "billing", json!({"tier": "gold"})).await;
    label(&world, "payments", json!({"tier": "silver"})).await;
    sleep(MINUTE).await;
    assert_eq!(short(&world, PAY_ORDERS), "FFTU NotAllowed");
    label(&world, "payments", json!({"tier": "gold"})).await;
    world
        .until(MINUTE, "admitted", |world| short(world, PAY_ORDERS) == HEALTHY)
        .await;
    label(&world, "payments", json!({"tier": null})).await;
    world
        .until(MINUTE, "shut out", |world| {
            short(world, PAY_ORDERS) == "FFTU NotAllowed"
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_withdrawn_grant_stops_changes_and_deletes_nothing() {
    let grants = json!([{"name": "payments", "namespaces": ["payments"]}]);
    let (world, _operator) = shared(grants.clone()).await;
    apply_topic(&world, PAY_ORDERS, by_name(), "orders", 6).await;
    until_short(&world, PAY_ORDERS, HEALTHY).await;
    grant(&world, json!([])).await;
    until_short(&world, PAY_ORDERS, "FFTU NotAllowed").await;
    let (writes, objects) = (cloud_writes(&world), world.effects().len());
    edit_there(&world, PAY_ORDERS, json!({"kafka": {"retentionHours": 24}})).await;
    sleep(6 * HOUR).await;
    assert_eq!(cloud_writes(&world), writes, "nothing is changed");
    assert!(
        world.effects().len() - objects <= 2,
        "and told once: {:?}",
        &world.effects()[objects..]
    );
    assert_eq!(topic(&world, "orders")["partition"], 6, "nothing is deleted");
    grant(&world, grants).await;
    until_short(&world, PAY_ORDERS, HEALTHY).await;
    assert_eq!(topic(&world, "orders")["retention_time"], 24);
    grant(&world, json!([])).await;
    until_short(&world, PAY_ORDERS, "FFTU NotAllowed").await;
    delete_there(&world, PAY_ORDERS).await;
    until_ended(&world, PAY_ORDERS).await;
    assert_eq!(
        topic(&world, "orders"),
        Value::Null,
        "its own deletion is the tenant's to ask for"
    );
}

#[tokio::test(start_paused = true)]
async fn of_two_topics_that_want_the_last_partitions_one_has_them() {
    let (world, _operator) = shared(json!([{"name": "all", "selector": {}, "maxPartitions": 10}])).await;
    apply_topic(&world, PAY_ORDERS, by_name(), "pay", 6).await;
    apply_topic(&world, BILL_ORDERS, by_name(), "bill", 6).await;
    sleep(5 * MINUTE).await;
    let ends = [PAY_ORDERS, BILL_ORDERS].map(|of| short(&world, of));
    let won = ends.iter().position(|end| end == HEALTHY).expect("one wins");
    assert_eq!(ends[1 - won], "FFTU NotAllowed");
    let (winner, loser) = [(PAY_ORDERS, BILL_ORDERS), (BILL_ORDERS, PAY_ORDERS)][won];
    let words = "needs 6 more partitions, but of the 10 of grant all (maxPartitions) 4 are left";
    assert!(said(&world, loser).contains(words), "{}", said(&world, loser));
    // Who is there may not outgrow it either; what is told stays true to what there is.
    edit_there(&world, winner, json!({"kafka": {"partitions": 11}})).await;
    until_short(&world, winner, "FFTF NotAllowed DriftFound").await;
    edit_there(&world, winner, json!({"kafka": {"partitions": 6}})).await;
    until_short(&world, winner, HEALTHY).await;
    edit_there(&world, loser, json!({"kafka": {"partitions": 4}})).await;
    until_short(&world, loser, HEALTHY).await;
    edit_there(&world, loser, json!({"kafka": {"partitions": 6}})).await;
    until_short(&world, loser, "FFTF NotAllowed DriftFound").await;
    // Room comes when the other goes; nobody waits half an hour for it.
    delete_there(&world, winner).await;
    until_ended(&world, winner).await;
    world
        .until(2 * MINUTE, "it grows", |world| short(world, loser) == HEALTHY)
        .await;
    // What is lowered below what is there takes nothing away.
    grant(&world, json!([{"name": "all", "selector": {}, "maxPartitions": 1}])).await;
    sleep(HOUR).await;
    assert_eq!(short(&world, loser), HEALTHY);
}

#[tokio::test(start_paused = true)]
async fn who_only_looks_takes_nothing_of_a_grant() {
    let (world, _operator) = shared(json!([{"name": "all", "selector": {}, "maxPartitions": 10}])).await;
    let spec = json!({
        "instanceRef": by_name(), "name": "bill", "kafka": {"partitions": 10}, "management": {"policy": "Observe"},
    });
    apply_there(&world, BILL_ORDERS, spec).await;
    until_short(&world, BILL_ORDERS, "FFTU NotFound").await;
    apply_topic(&world, PAY_ORDERS, by_name(), "pay", 6).await;
    until_short(&world, PAY_ORDERS, HEALTHY).await;
    // From now on it does more than look, and is told how much is left.
    edit_there(&world, BILL_ORDERS, json!({"management": {"policy": "Manage"}})).await;
    until_short(&world, BILL_ORDERS, "FFTU NotAllowed").await;
    assert!(
        said(&world, BILL_ORDERS).contains("4 are left"),
        "{}",
        said(&world, BILL_ORDERS)
    );
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_no_object_manages_is_read_once_for_all_that_live_in_it() {
    let world = World::furnished().await;
    let id = KAFKA.foreign(&world, "by hand").await;
    sleep(HOUR).await;
    let _operator = world.start("one");
    let names: Vec<&'static str> = vec!["t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8", "t9"];
    let all: Vec<There> = names.iter().map(|name| ("default", "Topic", *name)).collect();
    for of in &all {
        let spec = json!({"instanceRef": by_id(&id), "kafka": {"partitions": 3}, "name": format!("name-{}", of.2)});
        apply_there(&world, *of, spec).await;
    }
    let group = ("default", "ConsumerGroup", "readers");
    apply_there(&world, group, json!({"instanceRef": by_id(&id)})).await;
    for of in all.iter().chain([&group]) {
        until_short(&world, *of, HEALTHY).await;
    }
    sleep(RESYNC).await;
    let (shows, effects) = (world.calls("ShowInstance"), world.effects().len());
    sleep(12 * RESYNC).await;
    let shows = world.calls("ShowInstance") - shows;
    assert!((10..=16).contains(&shows), "{shows} in 12 intervals");
    assert_eq!(world.effects().len(), effects, "rest");
    // It is lost with its instance, and goes.
    world
        .call("DELETE", &format!("/v2/{{p}}/instances/{id}"), &[], Value::Null)
        .await;
    sleep(2 * RESYNC).await;
    assert_eq!(short(&world, all[0]), "FFTU NotFound");
    assert!(said(&world, all[0]).contains(&id));
    for of in &all {
        delete_there(&world, *of).await;
        until_ended(&world, *of).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_id_names_must_be_there_and_of_the_kind() {
    let (world, _operator) = at_rest_with(&[SHOP]).await;
    let (nowhere, other) = (("default", "Topic", "nowhere"), ("default", "Topic", "other"));
    apply_topic(
        &world,
        nowhere,
        by_id("8959ab1c-7b1a-4b11-a05b-93dfc361b32d"),
        "nowhere",
        1,
    )
    .await;
    apply_topic(&world, other, by_id(&instance_id(&world, SHOP)), "other", 1).await;
    until_short(&world, nowhere, "FFTU NotFound").await;
    until_short(&world, other, "FFTU InvalidSpec").await;
    assert!(
        said(&world, nowhere).starts_with("spec.instanceRef.instanceId: "),
        "{}",
        said(&world, nowhere)
    );
    assert!(
        said(&world, other).starts_with("spec.instanceRef: "),
        "{}",
        said(&world, other)
    );
    let missing = ("default", "ConsumerGroup", "missing");
    let shop = json!({"kind": "RocketMQInstance", "instanceId": instance_id(&world, SHOP)});
    let spec = json!({"instanceRef": shop, "providerConfigRef": {"name": "eu"}, "name": "GID_x"});
    apply_there(&world, missing, spec).await;
    until_short(&world, missing, "FTFU WaitingForReference").await;
    assert!(said(&world, missing).contains("ProviderConfig default/eu does not exist"));
    edit_there(
        &world,
        missing,
        json!({"providerConfigRef": null, "rocketmq": {"brokers": ["broker-0"]}}),
    )
    .await;
    until_short(&world, missing, HEALTHY).await;
    assert_eq!(group(&world, "GID_x")["brokers"], json!(["broker-0"]));
}

#[tokio::test(start_paused = true)]
async fn who_names_it_by_its_id_asks_the_namespace_that_manages_it_too() {
    let (world, _operator) = shared(json!([])).await;
    let id = instance_id(&world, INSTANCE);
    furnish(&world, "payments").await;
    apply_topic(&world, PAY_ORDERS, by_id(&id), "orders", 6).await;
    until_short(&world, PAY_ORDERS, "FFTU NotAllowed").await;
    assert!(said(&world, PAY_ORDERS).contains("ask the owner of default/events"));
    assert_eq!(world.calls(CREATE_TOPIC), 0);
    grant(&world, json!([{"name": "all", "selector": {}, "maxPartitions": 8}])).await;
    until_short(&world, PAY_ORDERS, HEALTHY).await;
    assert_eq!(
        object(&world, PAY_ORDERS)["status"]["provider"]["namespace"],
        "payments"
    );
    // The cap is for all that the grant admits, however they name the instance.
    apply_topic(&world, BILL_ORDERS, by_name(), "bill", 6).await;
    until_short(&world, BILL_ORDERS, "FFTU NotAllowed").await;
    grant(&world, json!([{"name": "all", "selector": {}}])).await;
    until_short(&world, BILL_ORDERS, HEALTHY).await;
    // In its own namespace nobody is asked.
    grant(&world, json!([])).await;
    let own = ("default", "Topic", "own");
    apply_topic(&world, own, by_id(&id), "own", 1).await;
    until_short(&world, own, HEALTHY).await;
}

#[tokio::test(start_paused = true)]
async fn the_form_of_a_reference_may_change_but_not_where_it_leads() {
    let (world, _operator) = shared(json!([{"name": "all", "selector": {}}])).await;
    let id = instance_id(&world, INSTANCE);
    let foreign = KAFKA.foreign(&world, "another").await;
    sleep(HOUR).await;
    furnish(&world, "payments").await;
    apply_topic(&world, PAY_ORDERS, by_name(), "orders", 6).await;
    until_short(&world, PAY_ORDERS, HEALTHY).await;
    let writes = cloud_writes(&world);
    let to = |name: Value, namespace: Value, id: Value| json!({"instanceRef": {"name": name, "namespace": namespace, "instanceId": id}});
    edit_there(&world, PAY_ORDERS, to(Value::Null, Value::Null, json!(id))).await;
    sleep(MINUTE).await;
    until_short(&world, PAY_ORDERS, HEALTHY).await;
    assert_eq!(
        object(&world, PAY_ORDERS)["status"]["provider"]["namespace"],
        "payments"
    );
    edit_there(&world, PAY_ORDERS, to(json!("events"), json!("default"), Value::Null)).await;
    sleep(MINUTE).await;
    until_short(&world, PAY_ORDERS, HEALTHY).await;
    assert_eq!(object(&world, PAY_ORDERS)["status"]["provider"]["namespace"], "default");
    edit_there(&world, PAY_ORDERS, to(Value::Null, Value::Null, json!(foreign))).await;
    until_short(&world, PAY_ORDERS, "FFTF InvalidSpec DriftFound").await;
    let said = said(&world, PAY_ORDERS);
    assert!(
        said.starts_with("spec.instanceRef: ") && said.contains(&id) && said.contains(&foreign),
        "{said}"
    );
    assert_eq!(cloud_writes(&world), writes, "all the while nothing was sent");
    delete_there(&world, PAY_ORDERS).await;
    until_ended(&world, PAY_ORDERS).await;
    assert_eq!(topic(&world, "orders"), Value::Null, "it goes from where it was made");
}

#[tokio::test(start_paused = true)]
async fn two_namespaces_never_share_a_topic() {
    let (world, _operator) = shared(json!([{"name": "all", "selector": {}}])).await;
    let id = instance_id(&world, INSTANCE);
    furnish(&world, "billing").await;
    apply_topic(&world, PAY_ORDERS, by_name(), "orders", 6).await;
    sleep(2 * SECOND).await;
    let own = ("default", "Topic", "mine");
    apply_topic(
        &world,
        own,
        json!({"kind": "KafkaInstance", "name": "events"}),
        "orders",
        3,
    )
    .await;
    apply_topic(&world, BILL_ORDERS, by_id(&id), "orders", 3).await;
    until_short(&world, PAY_ORDERS, HEALTHY).await;
    for of in [own, BILL_ORDERS] {
        until_short(&world, of, "FFTU Conflict").await;
        assert!(
            said(&world, of).contains("belongs to Topic payments/orders"),
            "{}",
            said(&world, of)
        );
    }
    delete_there(&world, BILL_ORDERS).await;
    until_ended(&world, BILL_ORDERS).await;
    assert_eq!(topic(&world, "orders")["partition"], 6, "it belongs to another");
    delete_there(&world, PAY_ORDERS).await;
    until_ended(&world, PAY_ORDERS).await;
    until_short(&world, own, HEALTHY).await;
    assert_eq!(topic(&world, "orders")["partition"], 3);
}

/// An instance that two namespaces use, each by one topic; the one by its id and with credentials of its own.
async fn used() -> (World, Running) {
    let (world, operator) = shared(json!([{"name": "all", "selector": {}}])).await;
    furnish(&world, "billing").await;
    apply_topic(&world, PAY_ORDERS, by_name(), "pay", 6).await;
    apply_topic(&world, BILL_ORDERS, by_id(&instance_id(&world, INSTANCE)), "bill", 6).await;
    for of in [PAY_ORDERS, BILL_ORDERS] {
        until_short(&world, of, HEALTHY).await;
    }
    sleep(MINUTE).await;
    (world, operator)
}

#[tokio::test(start_paused = true)]
async fn an_instance_may_go_before_its_tenants() {
    let (world, _operator) = used().await;
    world.delete(INSTANCE.0, INSTANCE.1).await;
    world.until_gone(HOUR, &[INSTANCE]).await;
    assert!(world.instances().is_empty());
    sleep(HOUR).await;
    assert!(short(&world, PAY_ORDERS).contains("WaitingForReference"));
    assert_eq!(short(&world, BILL_ORDERS), "FFTU NotFound");
    for of in [PAY_ORDERS, BILL_ORDERS] {
        delete_there(&world, of).await;
        until_ended(&world, of).await;
    }
}

#[tokio::test(start_paused = true)]
async fn namespaces_end_in_any_order() {
    const ALL: [&str; 3] = ["default", "payments", "billing"];
    for first in ALL {
        for pause in [Duration::ZERO, HOUR] {
            let (world, _operator) = used().await;
            for kind in ["topics", "kafkainstances", "providerconfigs"] {
                world.server.set_watch_lag(kind, 7 * SECOND);
            }
            let others = ALL.into_iter().filter(|name| *name != first);
            for namespace in [first].into_iter().chain(others) {
                world.delete("Namespace", namespace).await;
                sleep(pause).await;
                if pause > Duration::ZERO {
                    assert!(
                        world.object("Namespace", namespace).is_null(),
                        "{namespace}, {first} first"
                    );
                }
            }
            world.until_gone(2 * HOUR, &ALL.map(|name| ("Namespace", name))).await;
            assert!(world.instances().is_empty(), "{first} first: {}", world.picture());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_stays_keeps_what_its_tenants_left() {
    let (world, _operator) = used().await;
    edit(&world, INSTANCE, json!({"management": {"deletion": "Orphan"}})).await;
    sleep(MINUTE).await;
    world.delete("Namespace", "default").await;
    world.until_gone(HOUR, &[("Namespace", "default")]).await;
    for namespace in ["payments", "billing"] {
        world.delete("Namespace", namespace).await;
        world.until_gone(HOUR, &[("Namespace", namespace)]).await;
    }
    assert_eq!(world.instances().len(), 1);
    assert_eq!(
        topic(&world, "bill"),
        Value::Null,
        "reached with credentials of its own"
    );
    assert_eq!(
        topic(&world, "pay")["partition"],
        6,
        "nobody was left who could reach it"
    );
}

//! What is only observed, only reported, or protected from deletion.

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::alterations::*;
use crate::everyday::*;
use crate::support::world::{Running, World};

const NOT_FOUND: &str = "FFTU NotFound";
const BLOCKED: &str = "FFTU DeletionBlocked";

/// What lives in the instances of the examples.
const LIVING: [Object; 8] = [ORDERS, AUDIT, BILLING, QUOTA, PAYMENTS, LEDGER, LETTERS, POSTMEN];

/// The example of an object, treated so.
fn treated(of: Object, management: &Value) -> String {
    format!("{}\n  management: {management}\n", example(of).trim_end())
}

async fn apply_treated(world: &World, objects: &[Object], management: Value) {
    for of in objects {
        world.apply(&treated(*of, &management)).await;
    }
}

async fn treat(world: &World, of: Object, management: Value) {
    edit(world, of, json!({ "management": management })).await;
}

async fn instances() -> (World, Running) {
    at_rest_with(&[INSTANCE, SHOP, MAIL]).await
}

/// All that the examples ask for, made behind the operator's back as they ask for it.
async fn with_theirs() -> (World, Running) {
    let (world, operator) = instances().await;
    apply(&world, &LIVING).await;
    world.until_ready(HOUR, &LIVING).await;
    for of in LIVING {
        treat(&world, of, json!({"deletion": "Orphan"})).await;
        world.delete(of.0, of.1).await;
    }
    world.until_gone(MINUTE, &LIVING).await;
    (world, operator)
}

fn origin(world: &World, (kind, name): Object) -> Value {
    world.object(kind, name)["status"]["origin"].clone()
}

/// Changes all of it behind the operator's back.
async fn change_all(world: &World) {
    let audit = put(
        TOPICS_PATH,
        json!({"topics": [{"id": "shop.audit", "retention_time": 24}]}),
    );
    let clustering = json!({"group_desc": "theirs", "enabled": true, "broadcast": false, "retry_max_time": 3});
    let mut in_any_order = clustering.clone();
    in_any_order["consume_orderly"] = json!(false);
    for (of, call) in [
        (ORDERS, topic_put(json!({"retention_time": 24}))),
        (AUDIT, audit),
        (BILLING, billing_put("theirs")),
        (QUOTA, quota_call("PUT", json!({"producer-byte-rate": 1}))),
        (PAYMENTS, queues_put("payments", json!({"permission": "sub"}))),
        (LEDGER, group_put("GID_ledger", clustering)),
        (
            LETTERS,
            queues_put("letters", json!({"write_queue_num": 12, "read_queue_num": 12})),
        ),
        (POSTMEN, group_put("postmen", in_any_order)),
    ] {
        altered("", of, [call]).make(world).await;
    }
    sleep(MINUTE).await;
}

/// In six hours any number of objects costs no more lists than one that is as old as a list may be.
fn assert_shared(lists: usize) {
    let most = 6 * HOUR.as_secs() / RESYNC.as_secs() + 2;
    assert!(lists as u64 <= most, "{lists} lists, and {most} are enough");
}

/// Others who watch `orders`, and find what they do not expect.
async fn apply_watchers(world: &World) {
    for name in ["one", "two", "three", "four"] {
        let spec = json!({
            "instanceRef": {"kind": "KafkaInstance", "name": "events"}, "name": "orders",
            "kafka": {"partitions": 100}, "management": {"policy": "Observe"},
        });
        let watcher = json!({
            "apiVersion": "dms.huaweicloud.com/v1alpha1", "kind": "Topic", "metadata": {"name": name}, "spec": spec,
        });
        world.apply(&watcher.to_string()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_observed_is_read_and_nothing_else() {
    let (world, _operator) = with_theirs().await;
    let sent = cloud_writes(&world);
    // Adoption is not asked for, and partitions are not needed.
    apply_treated(&world, &LIVING, json!({"policy": "Observe", "adoption": "Never"})).await;
    edit(&world, AUDIT, json!({"kafka": null})).await;
    world.until_ready(MINUTE, &LIVING).await;
    for of in LIVING {
        assert_eq!(
            (shown(&world, of), origin(&world, of)),
            (HEALTHY.into(), Value::Null),
            "{of:?}"
        );
    }
    change_all(&world).await;
    apply_watchers(&world).await;
    let changed = cloud(&world);
    sleep(2 * RESYNC).await;
    for of in LIVING {
        // Of what changed here, the specs of two say nothing.
        let as_seen = if [AUDIT, LETTERS].contains(&of) {
            HEALTHY
        } else {
            DIFFERING
        };
        assert_eq!(shown(&world, of), as_seen, "{of:?}");
        let said = message(&world, of, "Synced");
        assert!(
            as_seen == HEALTHY || said.contains("policy is Observe, nothing is changed"),
            "{said}"
        );
    }
    let (writes, lists) = (world.effects().len(), world.calls("ListInstanceTopics"));
    sleep(6 * HOUR).await;
    assert_eq!(world.effects().len(), writes, "at rest nothing is written");
    assert_shared(world.calls("ListInstanceTopics") - lists);
    for of in LIVING {
        world.delete(of.0, of.1).await;
    }
    world.until_gone(MINUTE, &LIVING).await;
    assert_eq!(cloud(&world), changed, "it stays as others left it");
    assert_eq!(cloud_writes(&world), sent, "no call");
}

#[tokio::test(start_paused = true)]
async fn what_is_observed_and_not_there_is_seen_when_it_appears() {
    let (world, _operator) = instances().await;
    apply_treated(&world, &LIVING, json!({"policy": "Observe"})).await;
    sleep(MINUTE).await;
    for of in LIVING {
        assert_eq!(shown(&world, of), NOT_FOUND, "{of:?}");
        let said = message(&world, of, "Stalled");
        assert!(said.contains("set management.policy to Manage"), "{said}");
    }
    // Until the instances tell what their lists say of limits.
    sleep(2 * RESYNC).await;
    let (effects, lists) = (world.effects(), world.calls("ListInstanceTopics"));
    sleep(6 * HOUR).await;
    assert_eq!(world.effects()[effects.len()..], [""; 0]);
    assert_shared(world.calls("ListInstanceTopics") - lists);

    let orders = json!({"id": "orders", "partition": 6, "replication": 3, "retention_time": 72});
    behind(&world, "POST", TOPICS_PATH, orders).await;
    let ledger = json!({"name": "GID_ledger", "brokers": ["broker-1"], "group_desc": "theirs"});
    behind_in(&world, SHOP, "POST", GROUPS_PATH, ledger).await;
    world.until_ready(2 * RESYNC, &[ORDERS, LEDGER]).await;
    behind(
        &world,
        "POST",
        &format!("{TOPICS_PATH}/delete"),
        json!({"topics": ["orders"]}),
    )
    .await;
    world
        .until(2 * RESYNC, "gone again", |world| shown(world, ORDERS) == NOT_FOUND)
        .await;
    assert_eq!(origin(&world, LEDGER), Value::Null);

    // Told to manage, it makes what is not there and takes over what is.
    for of in LIVING {
        treat(&world, of, json!({"policy": "Manage"})).await;
    }
    world.until_ready(20 * MINUTE, &LIVING).await;
    assert_eq!(
        (origin(&world, ORDERS), origin(&world, LEDGER)),
        (json!("Created"), json!("Adopted"))
    );
    assert_eq!(group(&world, "GID_ledger")["brokers"].as_array().map(Vec::len), Some(2));
}

#[tokio::test(start_paused = true)]
async fn what_was_made_is_ours_also_after_it_was_only_observed() {
    let (world, _operator) = at_rest_with(&[&[INSTANCE, SHOP, MAIL], &LIVING[..]].concat()).await;
    for of in LIVING {
        treat(&world, of, json!({"policy": "Observe", "deletion": "Delete"})).await;
    }
    sleep(MINUTE).await;
    change_all(&world).await;
    let changed = cloud(&world);
    sleep(2 * RESYNC).await;
    assert_eq!(cloud(&world), changed, "nothing is put back");
    for of in LIVING {
        assert_eq!(origin(&world, of), "Created", "{of:?}");
        treat(&world, of, json!({"policy": "Manage", "deletion": null})).await;
    }
    for of in [ORDERS, BILLING, QUOTA, PAYMENTS, LEDGER, POSTMEN] {
        until_applied(&world, of).await;
    }
    assert_eq!(group(&world, "billing")["description"], "Writes the invoices");
    // One goes as ours, the other as one that is watched.
    treat(&world, AUDIT, json!({"policy": "Observe"})).await;
    for of in [ORDERS, AUDIT] {
        world.delete(of.0, of.1).await;
    }
    world.until_gone(10 * MINUTE, &[ORDERS, AUDIT]).await;
    assert!(topic(&world, "orders").is_null());
    assert!(!topic(&world, "shop.audit").is_null());
}

#[tokio::test(start_paused = true)]
async fn under_report_things_are_made_and_deleted_and_never_changed() {
    let (world, _operator) = instances().await;
    apply_treated(&world, &LIVING, json!({"updates": "Report"})).await;
    world.until_ready(HOUR, &LIVING).await;
    for of in LIVING {
        // What no create can say is not said later either.
        let as_seen = if of == PAYMENTS { DIFFERING } else { HEALTHY };
        assert_eq!(
            (shown(&world, of), origin(&world, of)),
            (as_seen.into(), json!("Created")),
            "{of:?}"
        );
    }
    assert!(message(&world, PAYMENTS, "Synced").contains("spec.description"));
    change_all(&world).await;
    let changed = cloud(&world);
    edit(&world, BILLING, json!({"description": "mine"})).await;
    edit(&world, LETTERS, json!({"rocketmq": {"queueNum": 50}})).await;
    sleep(2 * RESYNC).await;
    assert_eq!(cloud(&world), changed);
    for of in LIVING {
        assert_eq!(shown(&world, of), DIFFERING, "{of:?}");
        assert!(waited_for(&world, of), "{of:?}: an edit is looked at, and that is all");
        let said = message(&world, of, "Synced");
        assert!(said.contains("updates is Report, nothing is changed"), "{said}");
    }
    assert_eq!(drift(&world, BILLING), ["spec.description mine theirs InPlace"]);
    let writes = world.effects().len();
    sleep(6 * HOUR).await;
    assert_eq!(world.effects().len(), writes);

    treat(&world, BILLING, json!({"updates": "Apply"})).await;
    until_applied(&world, BILLING).await;
    assert_eq!(group(&world, "billing")["description"], "mine");
    for of in LIVING {
        world.delete(of.0, of.1).await;
    }
    world.until_gone(20 * MINUTE, &LIVING).await;
    assert!(topic(&world, "orders").is_null() && group(&world, "postmen").is_null());
}

#[tokio::test(start_paused = true)]
async fn a_protected_object_is_held_until_it_may_go() {
    let (world, _operator) = at_rest_with(&[&[INSTANCE, SHOP, MAIL], &LIVING[..]].concat()).await;
    let protected = json!({"deletionProtection": true});
    for of in LIVING {
        treat(&world, of, protected.clone()).await;
    }
    treat(&world, AUDIT, json!({"deletion": "Orphan"})).await;
    treat(&world, LEDGER, json!({"policy": "Observe"})).await;
    sleep(MINUTE).await;
    let (before, calls) = (cloud(&world), world.cloud.calls().len());
    for of in LIVING {
        world.delete(of.0, of.1).await;
    }
    sleep(MINUTE).await;
    for of in LIVING {
        assert_eq!(shown(&world, of), BLOCKED, "{of:?}");
        let said = message(&world, of, "Stalled");
        assert!(
            said.contains("spec.management.deletionProtection is true: set it to false"),
            "{said}"
        );
    }
    assert_eq!(world.cloud.calls().len(), calls, "nothing has to be asked");
    let writes = world.effects().len();
    sleep(6 * HOUR).await;
    assert_eq!((cloud(&world), world.effects().len()), (before, writes));

    for of in LIVING {
        treat(&world, of, json!({"deletionProtection": false})).await;
    }
    world.until_gone(5 * MINUTE, &LIVING).await;
    assert!(topic(&world, "orders").is_null() && quota(&world, "importer").is_null());
    assert!(!topic(&world, "shop.audit").is_null(), "Orphan was said");
    assert!(!group(&world, "GID_ledger").is_null(), "Observe was said");
}

#[tokio::test(start_paused = true)]
async fn a_dying_namespace_waits_for_what_is_protected() {
    let (world, _operator) = at_rest().await;
    treat(&world, ORDERS, json!({"deletionProtection": true})).await;
    sleep(MINUTE).await;
    world.delete("Namespace", "default").await;
    let blocked = |world: &World| shown(world, ORDERS) == BLOCKED;
    world.until(10 * MINUTE, "held", blocked).await;
    sleep(HOUR).await;
    assert!(blocked(&world));
    assert!(world.object(AUDIT.0, AUDIT.1).is_null(), "the others go");
    treat(&world, ORDERS, json!({"deletionProtection": false})).await;
    world
        .until_gone(HOUR, &[ORDERS, PROVIDER, ("Namespace", "default")])
        .await;
    assert_eq!(world.instances(), Vec::<Value>::new());
}

//! Several objects for one thing that lives in an instance: one of them manages it, any number may watch.

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::everyday::*;
use crate::support::world::World;

const CONFLICT: &str = "FFTU Conflict";
const RIVALS: [Object; 5] = [
    ("Topic", "rival-orders"),
    ("Topic", "rival-payments"),
    ("ConsumerGroup", "rival-billing"),
    ("ConsumerGroup", "rival-ledger"),
    ("KafkaUserQuota", "rival-importer"),
];
/// One of each kind and engine.
const OWNERS: [Object; 5] = [ORDERS, PAYMENTS, BILLING, LEDGER, QUOTA];

/// The example of an object under another name, for the same thing.
async fn apply_again(world: &World, of: Object, name: &str, management: Value) {
    let mut object: Value = serde_saphyr::from_str(example(of)).unwrap();
    let spec = &mut object["spec"];
    if of.0 != "KafkaUserQuota" && spec["name"].is_null() {
        spec["name"] = json!(of.1);
    }
    spec["management"] = management;
    object["metadata"]["name"] = json!(name);
    world.apply(&object.to_string()).await;
}

async fn apply_rivals(world: &World, management: Value) {
    for (of, rival) in OWNERS.into_iter().zip(RIVALS) {
        apply_again(world, of, rival.1, management.clone()).await;
    }
}

async fn treat(world: &World, objects: &[Object], management: Value) {
    for of in objects {
        edit(world, *of, json!({ "management": management })).await;
    }
}

async fn until_shown(world: &World, objects: &[Object], conditions: &str) {
    let all = |world: &World| objects.iter().all(|of| shown(world, *of) == conditions);
    world.until(10 * MINUTE, conditions, all).await;
}

fn origins(world: &World, objects: &[Object]) -> Vec<Value> {
    let origin = |(kind, name): &Object| world.object(kind, name)["status"]["origin"].clone();
    objects.iter().map(origin).collect()
}

async fn go(world: &World, objects: &[Object]) {
    for of in objects {
        world.delete(of.0, of.1).await;
    }
    world.until_gone(10 * MINUTE, objects).await;
}

#[tokio::test(start_paused = true)]
async fn of_two_objects_for_one_thing_the_recorded_owner_has_it_and_else_the_older() {
    let mut world = World::furnished().await;
    world.set_lease(HOUR);
    apply(&world, &[INSTANCE, SHOP]).await;
    apply_rivals(&world, json!({})).await;
    sleep(5 * SECOND).await;
    apply(&world, &OWNERS).await;
    let _operator = world.start("one");
    // Nothing is recorded yet: these are the older ones.
    world.until_ready(HOUR, &RIVALS).await;
    until_shown(&world, &OWNERS, CONFLICT).await;
    assert_eq!(origins(&world, &RIVALS), vec![json!("Created"); 5]);
    for (of, rival) in OWNERS.into_iter().zip(RIVALS) {
        let said = message(&world, of, "Stalled");
        assert!(said.contains(&format!("{} default/{}", rival.0, rival.1)), "{said}");
    }
    // A stop is looked at again after half an hour, and then shows what was made meanwhile.
    sleep(HOUR).await;
    let (before, effects) = (cloud(&world), world.effects());
    sleep(6 * HOUR).await;
    assert_eq!(world.effects()[effects.len()..], [""; 0], "no quarrel");
    assert_eq!(cloud(&world), before);
    // Who lost takes nothing along, and the owner leaves it to whoever comes next, however young.
    go(&world, &OWNERS).await;
    assert_eq!(cloud(&world), before);
    apply(&world, &OWNERS).await;
    until_shown(&world, &OWNERS, CONFLICT).await;
    treat(&world, &RIVALS, json!({"deletion": "Orphan"})).await;
    go(&world, &RIVALS).await;
    world.until_ready(10 * MINUTE, &OWNERS).await;
    assert_eq!(origins(&world, &OWNERS), vec![json!("Adopted"); 5]);
    assert_eq!(cloud(&world), before);
}

#[tokio::test(start_paused = true)]
async fn who_only_watches_is_nobodys_rival() {
    let (world, _operator) = at_rest_with(&[&[INSTANCE, SHOP], &OWNERS[..]].concat()).await;
    apply_rivals(&world, json!({"policy": "Observe"})).await;
    apply_again(&world, ORDERS, "third", json!({"policy": "Observe"})).await;
    until_shown(&world, &[&RIVALS[..], &[("Topic", "third")]].concat(), HEALTHY).await;
    sleep(2 * RESYNC).await;
    until_shown(&world, &OWNERS, HEALTHY).await;

    // One who wants to manage as well has to wait, until the owner only watches: then at once.
    treat(&world, &RIVALS, json!({"policy": "Manage"})).await;
    until_shown(&world, &RIVALS, CONFLICT).await;
    treat(&world, &OWNERS, json!({"policy": "Observe"})).await;
    sleep(MINUTE).await;
    until_shown(&world, &RIVALS, HEALTHY).await;
    until_shown(&world, &OWNERS, HEALTHY).await;
    assert_eq!(origins(&world, &RIVALS), vec![json!("Adopted"); 5]);
    // Who made it has it back as soon as it asks for it.
    treat(&world, &OWNERS, json!({"policy": "Manage"})).await;
    sleep(MINUTE).await;
    until_shown(&world, &RIVALS, CONFLICT).await;
    until_shown(&world, &OWNERS, HEALTHY).await;
    assert_eq!(origins(&world, &OWNERS), vec![json!("Created"); 5]);
}

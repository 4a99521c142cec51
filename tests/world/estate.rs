//! What tests of crash safety begin with and end with: all that an estate asks for, each thing exactly once.

use dms_operator::simulator;

pub use crate::examples::*;
use crate::support::world::World;

/// A world whose cloud is `cloud`, with the estate's instance applied. Leases last a minute: their renewals would be
/// most of the work.
pub async fn with_instance_in(estate: Estate, cloud: simulator::Config) -> World {
    let mut world = World::furnished_with(cloud).await;
    world.set_lease(MINUTE);
    estate.apply_instance(&world).await;
    world
}

/// A world with the estate's instance applied.
pub async fn with_instance(estate: Estate) -> World {
    with_instance_in(estate, World::awkward()).await
}

/// A world with the whole estate applied.
pub async fn with_all(estate: Estate) -> World {
    let world = with_instance(estate).await;
    estate.apply_children(&world).await;
    world
}

/// Each thing is in the cloud exactly once, known as ours, without a trace of how it came about.
pub fn assert_whole(world: &World, objects: &[Object], when: &str) {
    let fail = |what: &str| -> ! { panic!("{when}: {what}\n{}", world.picture()) };
    let instances = world.instances();
    let [instance] = instances.as_slice() else {
        fail("there should be one instance")
    };
    for (list, kind) in [
        ("topics", "Topic"),
        ("groups", "ConsumerGroup"),
        ("quotas", "KafkaUserQuota"),
    ] {
        let there = instance[list].as_array().map_or(0, Vec::len);
        if there != objects.iter().filter(|(k, _)| *k == kind).count() {
            fail(&format!("there should be one of each of the {list}"));
        }
    }
    if instance["tags"].get("dms-operator.create").is_some() {
        fail("the nonce should be off");
    }
    for (kind, name) in objects {
        let object = world.object(kind, name);
        let status = &object["status"];
        if status["origin"] != "Created" || !status["createIntent"].is_null() {
            fail(&format!("{kind} {name} should be known as ours: {status}"));
        }
        let described = object["spec"]["description"].as_str().unwrap_or_default();
        if kind.ends_with("Instance") && instance["description"] != described {
            fail("the description should be the user's, and nothing else");
        }
    }
}

/// Deletes objects and waits until they are gone.
pub async fn delete_all(world: &World, objects: &[Object]) {
    for (kind, name) in objects {
        world.delete(kind, name).await;
    }
    world.until_gone(2 * HOUR, objects).await;
}

/// The ids of the instances in the cloud but these.
pub fn instances_but(world: &World, others: &[&str]) -> Vec<String> {
    let ids = world.instances().into_iter().map(|instance| text(&instance["id"]));
    ids.filter(|id| !others.contains(&id.as_str())).collect()
}

/// How many calls of an operation the cloud took.
pub fn accepted(world: &World, operation: &str) -> usize {
    let calls = world.cloud.calls().into_iter();
    calls
        .filter(|call| call.operation == operation && call.status.is_some_and(|status| status < 300))
        .count()
}

/// A field of an object's status as text; empty if it is not there.
pub fn status(world: &World, (kind, name): Object, field: &str) -> String {
    text(&world.object(kind, name)["status"][field])
}

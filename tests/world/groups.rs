//! Consumer groups: made by clients, held by clients, and changed by jobs of which the answer says nothing.

use dms_operator::simulator::Effect;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::everyday::*;
use crate::support::world::World;

/// As many clients of a group in the instance of an object.
fn connect(world: &World, of: Object, name: &str, clients: u32) {
    assert!(world.cloud.set_members(&instance_id(world, of), name, clients));
}

#[tokio::test(start_paused = true)]
async fn a_group_that_kafkas_clients_made_is_taken_over_and_stays_when_its_object_goes() {
    let (world, _operator) = at_rest_with(&[INSTANCE]).await;
    connect(&world, INSTANCE, "billing", 2);
    sleep(MINUTE).await;
    apply(&world, &[BILLING]).await;
    world.until_ready(2 * MINUTE, &[BILLING]).await;
    assert_eq!(world.calls(CREATE_GROUP), 0);
    assert_eq!(world.object(BILLING.0, BILLING.1)["status"]["origin"], "Adopted");
    let mut there = group(&world, "billing");
    assert_eq!(there["description"], "Writes the invoices");

    // Members come and go, and nobody has to write that down.
    let writes = world.effects().len();
    for clients in [0, 5, 1, 0] {
        connect(&world, INSTANCE, "billing", clients);
        sleep(RESYNC).await;
        assert_eq!(shown(&world, BILLING), HEALTHY);
    }
    assert_eq!(world.effects().len(), writes);

    connect(&world, INSTANCE, "billing", 2);
    world.delete(BILLING.0, BILLING.1).await;
    world.until_gone(MINUTE, &[BILLING]).await;
    sleep(HOUR).await;
    there["state"] = json!("STABLE");
    there["members"] = json!(2);
    assert_eq!(group(&world, "billing"), there, "theirs, as it was");
    assert_eq!(world.calls("BatchDeleteGroup"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_kafka_group_that_is_online_is_deleted_when_its_clients_have_left() {
    for adopted in [false, true] {
        let (world, _operator) = at_rest_with(&[INSTANCE]).await;
        if adopted {
            connect(&world, INSTANCE, "billing", 1);
            sleep(MINUTE).await;
        }
        apply(&world, &[BILLING]).await;
        world.until_ready(2 * MINUTE, &[BILLING]).await;
        let delete = json!({"spec": {"management": {"deletion": "Delete"}}});
        world.edit(BILLING.0, BILLING.1, delete).await.unwrap();
        connect(&world, INSTANCE, "billing", 3);
        sleep(MINUTE).await;
        world.delete(BILLING.0, BILLING.1).await;
        world
            .until(MINUTE, "blocked", |world| {
                shown(world, BILLING).starts_with("FFTU DeletionBlocked")
            })
            .await;
        let said = message(&world, BILLING, "Stalled");
        assert!(
            said.contains("has consumers (STABLE)") && said.contains("stop them"),
            "{said}"
        );
        let calls = world.cloud.calls().len();
        sleep(2 * HOUR).await;
        assert!(world.cloud.calls().len() - calls < 100, "looked at every five minutes");
        assert_eq!(world.calls("BatchDeleteGroup"), 0, "nothing was tried");
        assert_eq!(group(&world, "billing")["members"], 3);
        connect(&world, INSTANCE, "billing", 0);
        world.until_gone(6 * MINUTE, &[BILLING]).await;
        assert_eq!(group(&world, "billing"), Value::Null);
    }
}

#[tokio::test(start_paused = true)]
async fn a_kafka_group_whose_clients_come_between_look_and_call_is_deleted_in_the_end() {
    let (world, _operator) = at_rest_with(&[INSTANCE, BILLING]).await;
    world.cloud.add_fault(dms_operator::simulator::Fault {
        operation: "BatchDeleteGroup".into(),
        times: Some(3),
        effect: Effect {
            items_fail: true,
            ..Effect::default()
        },
        ..Default::default()
    });
    world.delete(BILLING.0, BILLING.1).await;
    world.until_gone(30 * MINUTE, &[BILLING]).await;
    assert_eq!(group(&world, "billing"), Value::Null);
    assert!(
        (4..9).contains(&world.calls("BatchDeleteGroup")),
        "while it is still listed"
    );
}

#[tokio::test(start_paused = true)]
async fn a_rocketmq_group_that_is_online_is_deleted_when_its_clients_have_left() {
    for (estate, of, name) in [(ROCKETMQ, LEDGER, "GID_ledger"), (ROCKETMQ_5, POSTMEN, "postmen")] {
        let (world, _operator) = at_rest_with(&estate.all()).await;
        connect(&world, of, name, 2);
        world.delete(of.0, of.1).await;
        world
            .until(MINUTE, "failed", |world| {
                shown(world, of).starts_with("FFTU CloudFailed")
            })
            .await;
        let said = message(&world, of, "Stalled");
        assert!(said.contains("FAILED") && said.contains("every 5 min"), "{said}");
        let (deletes, calls) = (world.calls(estate.creates[1]), world.cloud.calls().len());
        sleep(HOUR).await;
        let again = world.calls(estate.creates[1]) - deletes;
        assert!((8..=12).contains(&again), "tried every five minutes: {again} times");
        assert!(
            world.cloud.calls().len() - calls < 200,
            "{:?}",
            world.cloud.call_counts()
        );
        assert_eq!(group(&world, name)["members"], 2, "it is still there");
        for other in estate.all().iter().filter(|other| **other != of) {
            assert_eq!(shown(&world, *other), HEALTHY, "{other:?}");
        }
        connect(&world, of, name, 0);
        world.until_gone(6 * MINUTE, &[of]).await;
        assert_eq!(group(&world, name), Value::Null);
    }
}

#[tokio::test(start_paused = true)]
async fn groups_that_are_online_go_with_their_instance() {
    for estate in ENGINES {
        let (world, _operator) = at_rest_with(&estate.all()).await;
        let name = if estate.instance == INSTANCE {
            "billing"
        } else {
            "GID_ledger"
        };
        connect(&world, estate.instance, name, 4);
        for (kind, name) in estate.all() {
            world.delete(kind, name).await;
        }
        world.until_gone(HOUR, &estate.all()).await;
        assert!(world.instances().is_empty(), "{}", world.picture());
    }
}

#[tokio::test(start_paused = true)]
async fn a_group_that_kafka_has_dropped_is_not_there_although_it_is_listed() {
    let cloud = dms_operator::simulator::Config {
        dead_groups: true,
        ..World::awkward()
    };
    let mut world = World::furnished_with(cloud).await;
    world.set_lease(HOUR);
    apply(&world, &[INSTANCE, BILLING]).await;
    let _operator = world.start("one");
    settled_with(&world, &[INSTANCE, BILLING]).await;
    behind(
        &world,
        "POST",
        "/v2/{p}/instances/{i}/groups/batch-delete",
        json!({"group_ids": ["billing"]}),
    )
    .await;
    world
        .until(2 * RESYNC, "made again", |world| {
            group(world, "billing")["state"] == "EMPTY"
        })
        .await;
    world.until_ready(2 * MINUTE, &[BILLING]).await;
    world.delete(BILLING.0, BILLING.1).await;
    world.until_gone(2 * MINUTE, &[BILLING]).await;
}

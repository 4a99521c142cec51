//! The operator dies, or its answers are lost: never two instances, and nothing is left behind.

use std::time::Duration;

use dms_operator::simulator::{Effect, LostAnswer};

use crate::support::world::World;

const HOUR: Duration = Duration::from_secs(3600);
const INSTANCE: (&str, &str) = ("KafkaInstance", "events");

async fn with_instance() -> World {
    let world = World::furnished().await;
    world.apply(include_str!("../../examples/kafka/instance.yaml")).await;
    world
}

#[tokio::test(start_paused = true)]
async fn a_crash_after_any_effect_of_a_create_leaves_one_instance() {
    for count in 1.. {
        let mut world = with_instance().await;
        world.set_lease(Duration::from_secs(60));
        let first = world.start("one");
        world.cut_after_effects(count, &first);
        let done = |world: &World| world.effects().len() >= count || world.is_ready(INSTANCE.0, INSTANCE.1);
        world.until(HOUR, "as many effects, or Ready", done).await;
        let through = world.effects().len() < count;
        first.crash();
        let _second = world.start("two");
        world.until_ready(HOUR, &[INSTANCE]).await;
        assert_eq!(world.instances().len(), 1, "after {count} effects: {}", world.picture());
        assert_eq!(
            world.calls("CreateInstanceByEngine"),
            1,
            "after {count} effects: {}",
            world.picture()
        );
        if through {
            assert!(count > 5, "the crashes were real");
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_to_a_create_leaves_one_instance() {
    for (lost, creates) in [(LostAnswer::Before, 2), (LostAnswer::After, 1)] {
        let world = with_instance().await;
        world.fault(
            "CreateInstanceByEngine",
            Effect {
                lost: Some(lost),
                ..Effect::default()
            },
        );
        let _operator = world.start("one");
        world.until_ready(2 * HOUR, &[INSTANCE]).await;
        assert_eq!(world.instances().len(), 1, "{lost:?}: {}", world.picture());
        assert_eq!(world.calls("CreateInstanceByEngine"), creates, "{lost:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_lost_the_network_ends_and_its_successor_makes_no_second_instance() {
    let world = with_instance().await;
    let first = world.start("one");
    world
        .until(HOUR, "the first create", |world| {
            world.calls("CreateInstanceByEngine") == 1
        })
        .await;
    first.cut();
    let _second = world.start("two");
    world.until_ready(HOUR, &[INSTANCE]).await;
    first.restore();
    tokio::time::sleep(HOUR).await;
    assert!(first.has_ended(), "it knows that another leads");
    assert_eq!(world.instances().len(), 1);
    assert_eq!(world.calls("CreateInstanceByEngine"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_deletion_in_any_namespace_order_ends_with_an_empty_cloud() {
    for first in [
        ["secrets", "providerconfigs"],
        ["providerconfigs", "kafkainstances"],
        ["topics", "kafkainstances"],
    ] {
        let world = with_instance().await;
        world.apply(include_str!("../../examples/kafka/topics.yaml")).await;
        world.apply(include_str!("../../examples/kafka/quota.yaml")).await;
        world.server.set_namespace_sweep(&first, Duration::from_secs(20));
        let _operator = world.start("one");
        world
            .until_ready(HOUR, &[INSTANCE, ("Topic", "orders"), ("KafkaUserQuota", "importer")])
            .await;
        world.delete("Namespace", "default").await;
        world.until_gone(HOUR, &[("Namespace", "default")]).await;
        assert!(world.instances().is_empty(), "{first:?}: {}", world.picture());
    }
}

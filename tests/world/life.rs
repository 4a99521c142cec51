//! The life of a user's objects, from the first apply to the last delete.

use std::time::Duration;

use crate::support::world::World;

const HOUR: Duration = Duration::from_secs(3600);
const ALL: [(&str, &str); 4] = [
    ("KafkaInstance", "events"),
    ("Topic", "orders"),
    ("Topic", "audit"),
    ("KafkaUserQuota", "importer"),
];

async fn with_examples() -> World {
    let world = World::furnished().await;
    world.apply(include_str!("../../examples/kafka/instance.yaml")).await;
    world.apply(include_str!("../../examples/kafka/topics.yaml")).await;
    world.apply(include_str!("../../examples/kafka/quota.yaml")).await;
    world
}

#[tokio::test(start_paused = true)]
async fn the_examples_become_ready_rest_and_are_deleted() {
    let mut world = with_examples().await;
    world.set_lease(HOUR);
    let operator = world.start("one");
    world.until_ready(HOUR, &ALL).await;
    assert_eq!(world.instances().len(), 1);

    tokio::time::sleep(HOUR).await;
    let before = world.effects().len();
    tokio::time::sleep(24 * HOUR).await;
    assert_eq!(world.effects()[before..], [] as [&str; 0], "a day of rest");

    for (kind, name) in ALL {
        world.delete(kind, name).await;
    }
    world.until_gone(HOUR, &ALL).await;
    assert!(world.instances().is_empty(), "{}", world.picture());
    operator.stop().await.expect("it ends when told to");
}

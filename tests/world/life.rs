//! The life of a user's objects, from the first apply to the last delete.

use tokio::time::sleep;

use crate::everyday::*;

#[tokio::test(start_paused = true)]
async fn the_examples_become_ready_rest_and_are_deleted() {
    let (world, operator) = at_rest_with(&EVERYTHING).await;
    assert_eq!(world.instances().len(), 3);

    sleep(HOUR).await;
    let before = world.effects().len();
    sleep(24 * HOUR).await;
    assert_eq!(world.effects()[before..], [] as [&str; 0], "a day of rest");

    for (kind, name) in EVERYTHING {
        world.delete(kind, name).await;
    }
    world.until_gone(HOUR, &EVERYTHING).await;
    assert!(world.instances().is_empty(), "{}", world.picture());
    operator.stop().await.expect("it ends when told to");
}

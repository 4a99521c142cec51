//! Five thousand topics in one instance, from the first apply to the last delete. One long life: what costs the time is to
//! make them.

use tokio::time::{Instant, sleep};

use crate::scale::kit::*;
use crate::support::view::KINDS;
use crate::support::world::World;

const LAKE: Object = ("KafkaInstance", "lake");

fn many() -> usize {
    std::env::var("TOPICS").ok().and_then(|n| n.parse().ok()).unwrap_or(5_000)
}

#[tokio::test(start_paused = true)]
async fn thousands_of_topics_live_through_lag_faults_deletes_edits_and_a_restart() {
    let many = many();
    let real = std::time::Instant::now();
    let mut world = World::furnished().await;
    world.set_lease(HOUR);
    world.apply(&instance(LAKE.1)).await;
    let operator = world.start("one");
    world.until_ready(HOUR, &[LAKE]).await;
    eprintln!("{:?} instance", real.elapsed());

    // Made while watches lag and every tenth call fails; a fifth is deleted again before all are made.
    for kind in KINDS {
        world.server.set_watch_lag(kind, 5 * SECOND);
    }
    every_tenth_call_fails(&world);
    let all = names("t", many);
    apply_topics(&world, LAKE.1, &all).await;
    eprintln!("{:?} applied", real.elapsed());
    let begun = Instant::now();
    let (calls, writes) = (world.cloud.calls().len(), world.writes());
    within_or(&world, HOUR, "half are there", |world| {
        world.calls(CREATE_TOPIC) > many / 2
    })
    .await;
    let (deleted, kept): (Vec<_>, Vec<_>) = all.iter().cloned().partition(|name| name.ends_with(['3', '7']));
    eprintln!("{:?} half", real.elapsed());
    delete_topics(&world, &deleted).await;
    until_topics_ready(&world, HOUR, kept.len()).await;
    eprintln!("{:?} ready", real.elapsed());
    assert!(names_in_cloud(&world).iter().eq(&kept), "each once, and no other");
    let spent = by_operation(&calls_since(&world, calls));
    eprintln!("{:?} {spent:?} {:?} {:?}", begun.elapsed(), writes, world.writes());

    world.cloud.clear_faults();
    for kind in KINDS {
        world.server.set_watch_lag(kind, SECOND);
    }
    sleep(RESYNC).await;
    eprintln!("{:?} rests", real.elapsed());
    let calls = world.cloud.calls().len();
    let writes = world.writes();
    sleep(2 * HOUR).await;
    eprintln!("{:?} 2 hours {:?}", real.elapsed(), by_operation(&calls_since(&world, calls)));
    assert_eq!(world.writes(), writes);
    drop(operator);
}

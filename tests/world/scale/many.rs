//! Thousands of topics in one instance.

use tokio::time::sleep;

use crate::scale::kit::*;
use crate::support::world::World;

#[tokio::test(start_paused = true)]
async fn five_thousand() {
    let real = std::time::Instant::now();
    let count: usize = std::env::var("N").ok().and_then(|n| n.parse().ok()).unwrap_or(5000);
    let mut world = World::furnished().await;
    world.set_lease(HOUR);
    world.apply(&instance("lake")).await;
    apply_topics(&world, "lake", &names("t", count)).await;
    eprintln!("applied {:?}", real.elapsed());
    let _operator = world.start("one");
    world.until_ready(HOUR, &[("KafkaInstance", "lake")]).await;
    eprintln!("instance {:?}", real.elapsed());
    let start = tokio::time::Instant::now();
    world.until(2 * HOUR, "Ready", |world| world.number_ready("Topic") == count).await;
    eprintln!("ready {:?} {:?}", real.elapsed(), start.elapsed());
    eprintln!("{:?} {:?}", world.cloud.call_counts(), world.writes());
    sleep(HOUR).await;
    eprintln!("rest {:?}", real.elapsed());
    eprintln!("{:?}", world.cloud.call_counts());
}

//! What one instance, one object or one user does under load costs the others nothing.

use std::time::Duration;

use dms_operator::cloud::Operation;
use dms_operator::simulator::{Effect, Fault, Match};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::scale::kit::*;
use crate::support::world::{Running, World};

/// As many instances as there are in the note on limits.
const INSTANCES: usize = 20;

/// Instances `lake-00` to `lake-19`, each with so many topics `lake-00-0000`..., at rest.
async fn lakes(topics: usize) -> (World, Running) {
    let mut world = World::furnished().await;
    world.set_lease(HOUR);
    for lake in lake_names() {
        world.apply(&instance(&lake)).await;
    }
    let operator = world.start("one");
    let ready = |world: &World| world.number_ready("KafkaInstance") == INSTANCES;
    world.until(HOUR, "all instances are Ready", ready).await;
    for lake in lake_names() {
        apply_topics(&world, &lake, &names(&lake, topics)).await;
    }
    until_topics_ready(&world, HOUR, INSTANCES * topics).await;
    sleep(2 * MINUTE).await;
    (world, operator)
}

fn lake_names() -> Vec<String> {
    (0..INSTANCES).map(|n| format!("lake-{n:02}")).collect()
}

/// Every write to this instance is answered with "busy" until the faults are cleared.
fn make_busy(world: &World, lake: &str) {
    for write in Operation::ALL.iter().filter(|operation| !operation.is_read()) {
        world.cloud.add_fault(Fault {
            operation: write.name().into(),
            times: Some(0),
            only: Match {
                instance: Some(lake.into()),
                name: None,
            },
            effect: Effect {
                status: Some(400),
                code: Some("DMS.00400026".into()),
                ..Effect::default()
            },
            ..Fault::default()
        });
    }
}

/// The path that all calls to an instance have.
fn path_of(world: &World, lake: &str) -> String {
    format!(
        "/instances/{}/",
        text(&world.object("KafkaInstance", lake)["status"]["instanceId"])
    )
}

async fn change(world: &World, topic: &str, kafka: serde_json::Value) {
    world
        .edit("Topic", topic, json!({"spec": {"kafka": kafka}}))
        .await
        .unwrap();
}

/// Edits all topics of an instance and adds three.
async fn stir(world: &World, lake: &str, topics: usize) {
    for name in names(lake, topics) {
        change(world, &name, json!({"partitions": 2})).await;
    }
    apply_topics(world, lake, &names(&format!("{lake}-new"), 3)).await;
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_is_busy_for_an_hour_holds_up_no_other() {
    const TOPICS: usize = 4;
    let mut took = vec![];
    for hot in [false, true] {
        let (world, _operator) = lakes(TOPICS).await;
        let (path, all) = (path_of(&world, "lake-00"), INSTANCES * (TOPICS + 3));
        if hot {
            make_busy(&world, "lake-00");
        }
        let (begun, calls) = (Instant::now(), world.cloud.calls().len());
        for lake in lake_names() {
            stir(&world, &lake, TOPICS).await;
        }
        let others = if hot { all - TOPICS - 3 } else { all };
        within_or(&world, HOUR, "the others are Ready", |world| {
            world.number_ready("Topic") == others
        })
        .await;
        took.push(begun.elapsed());
        if !hot {
            continue;
        }
        sleep(HOUR - begun.elapsed()).await;
        let to_it: Vec<_> = calls_since(&world, calls)
            .into_iter()
            .filter(|call| call.path.contains(&path))
            .collect();
        // Seven wait, and it is tried once a polling interval for all of them.
        let tried = to_it.iter().filter(|call| changes(call)).count();
        assert!(
            (120..=245).contains(&tried),
            "{tried} writes in an hour: {:?}",
            by_operation(&to_it)
        );
        assert!(
            to_it.len() <= 3 * 245,
            "{} calls in an hour: {:?}",
            to_it.len(),
            by_operation(&to_it)
        );
        let neighbours = calls_since(&world, calls).len() - to_it.len();
        assert!(neighbours < 2_000, "{neighbours} calls to the others and the account");
        for name in names("lake-00", TOPICS) {
            let said = shown(&world, ("Topic", Box::leak(name.into_boxed_str())));
            assert!(said.starts_with("FTF") && said.contains("InstanceBusy"), "{said}");
        }
        world.cloud.clear_faults();
        until_topics_ready(&world, 2 * MINUTE, all).await;
    }
    assert!(
        took[1] <= took[0] + 2 * SECOND,
        "{took:?}: without and with a hot instance"
    );
}

#[tokio::test(start_paused = true)]
async fn an_edit_overtakes_a_storm_of_resyncs() {
    const TOPICS: usize = 12;
    let (mut world, operator) = lakes(TOPICS).await;
    operator.stop().await.unwrap();
    // Twenty lists, and twenty instances that are asked themselves, in less time than it takes at 20 calls a second.
    world.config.resync = SECOND;
    let _operator = world.start("two");
    sleep(MINUTE).await;
    let calls = world.cloud.calls().len();
    sleep(10 * SECOND).await;
    let rate = calls_since(&world, calls).len();
    assert!(rate >= 180, "{rate} calls in ten seconds: it is a storm");
    let mut slowest = Duration::ZERO;
    for lake in lake_names() {
        let name = format!("{lake}-0003");
        let (begun, calls) = (Instant::now(), world.cloud.calls().len());
        change(&world, &name, json!({"partitions": 5})).await;
        while !calls_since(&world, calls)
            .iter()
            .any(|call| changes(call) && call.names.contains(&name))
        {
            assert!(begun.elapsed() < MINUTE, "{}", unready(&world));
            sleep(SECOND / 20).await;
        }
        slowest = slowest.max(begun.elapsed());
        sleep(2 * SECOND).await;
    }
    assert!(slowest <= 2 * SECOND, "{slowest:?} from an edit to the call for it");
}

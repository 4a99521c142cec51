//! What the operator sees of the API server is old: watches that lag, freeze, break and expire.

use std::time::Duration;

use dms_operator::simulator::Config;
use serde_json::json;
use tokio::time::sleep;

use crate::estate::*;
use crate::support::view::KINDS;
use crate::support::world::World;

#[derive(Clone, Copy, Debug)]
enum Watches {
    Lag(u64),
    /// Seconds without anything new, and then as many as usual.
    Freeze(u64),
    Break(u64),
    Expire(u64),
}

impl Watches {
    const ALL: [Self; 8] = [
        Self::Lag(2),
        Self::Lag(20),
        Self::Lag(120),
        Self::Freeze(40),
        Self::Freeze(600),
        Self::Break(7),
        Self::Expire(7),
        Self::Expire(50),
    ];

    /// Troubles the watches of a world for ever.
    fn trouble(self, world: &World) {
        let server = world.server.clone();
        let every = |seconds| Duration::from_secs(seconds);
        match self {
            Self::Lag(seconds) => KINDS
                .iter()
                .for_each(|resource| server.set_watch_lag(resource, every(seconds))),
            Self::Freeze(seconds) => drop(tokio::spawn(async move {
                loop {
                    KINDS.iter().for_each(|resource| server.freeze_watches(resource));
                    sleep(every(seconds)).await;
                    KINDS.iter().for_each(|resource| server.thaw_watches(resource));
                    sleep(every(seconds)).await;
                }
            })),
            Self::Break(seconds) => drop(tokio::spawn(async move {
                loop {
                    server.drop_watches();
                    sleep(every(seconds)).await;
                }
            })),
            Self::Expire(seconds) => drop(tokio::spawn(async move {
                loop {
                    server.expire_watches();
                    sleep(every(seconds)).await;
                }
            })),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_whole_life_with_troubled_watches() {
    for (watches, estate) in Watches::ALL
        .into_iter()
        .flat_map(|watches| ENGINES.map(|estate| (watches, estate)))
    {
        let ((kind, name), all) = (estate.instance, estate.all());
        let when = format!("{name}, {watches:?}");
        let world = with_all(estate).await;
        watches.trouble(&world);
        let operator = world.start("one");
        world.until_ready(3 * HOUR, &all).await;
        sleep(5 * MINUTE).await;
        assert_whole(&world, &all, &when);
        let creates = [&[CREATE_INSTANCE], estate.creates].concat();
        let made = creates.iter().map(|create| accepted(&world, create));
        assert_eq!(made.sum::<usize>(), all.len(), "{when}: each thing was made once");
        let edit = json!({"spec": {"description": "new", "storageSpace": 900}});
        world.edit(kind, name, edit).await.unwrap();
        let bigger = match estate.instance {
            INSTANCE => json!({"spec": {"kafka": {"partitions": 9}}}),
            _ => json!({"spec": {"rocketmq": {"queueNum": 9}}}),
        };
        world.edit("Topic", estate.children[0].1, bigger).await.unwrap();
        world.until_ready(3 * HOUR, &all).await;
        sleep(5 * MINUTE).await;
        assert_whole(&world, &all, &when);
        assert_eq!(world.instances()[0]["storageSpace"], 900, "{when}");
        let extensions = ["ResizeEngineInstance", "ResizeInstance"].map(|resize| accepted(&world, resize));
        assert_eq!(extensions.into_iter().sum::<usize>(), 1, "{when}");
        delete_all(&world, &all).await;
        assert!(world.instances().is_empty(), "{when}: {}", world.picture());
        operator.stop().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_just_written_is_known_although_the_watch_lags() {
    for estate in ENGINES {
        let world = with_all(estate).await;
        Watches::Lag(600).trouble(&world);
        // What was applied is seen; what is written from now on, ten minutes later.
        sleep(11 * MINUTE).await;
        let _operator = world.start("one");
        world.until_ready(30 * MINUTE, &estate.all()).await;
        let writes = world.server.writes_of("operator");
        let refused = writes.iter().filter(|write| write.code == 409);
        assert_eq!(refused.count(), 0, "it never writes from memory of the past");
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_operator_begins_with_an_old_list() {
    // The first one dies after its intent, or after the create; the second one's first list shows neither.
    for (count, estate) in (1..=9).flat_map(|count| ENGINES.map(|estate| (count, estate))) {
        let when = format!("{:?}, a crash after {count} effects", estate.instance);
        // No search helps: what was made is listed only when the watch has caught up.
        let cloud = Config {
            list_lag: 4 * MINUTE,
            ..World::awkward()
        };
        let world = with_instance_in(estate, cloud).await;
        sleep(2 * MINUTE).await;
        world.server.set_watch_lag(&estate.resource(), 90 * SECOND);
        let first = world.start("first");
        world.cut_after_effects(count, &first);
        world
            .until(5 * MINUTE, &when, |world| world.effects().len() >= count)
            .await;
        first.crash();
        let _second = world.start("second");
        world.until_ready(2 * HOUR, &[estate.instance]).await;
        sleep(2 * MINUTE).await;
        assert_whole(&world, &[estate.instance], &when);
        assert_eq!(world.calls(CREATE_INSTANCE), 1, "{when}");
    }
}

#[tokio::test(start_paused = true)]
async fn edits_and_deletions_that_come_between_two_writes_are_not_lost() {
    // Somebody writes to the object right after the operator's `count`th effect, before it can know of that.
    for (count, estate) in (1..=12).flat_map(|count| ENGINES.map(|estate| (count, estate))) {
        let (kind, name) = estate.instance;
        for delete in [false, true] {
            let when = format!("{name}, after {count} effects, deleted: {delete}");
            let world = with_instance(estate).await;
            let operator = world.start("one");
            world.cut_after_effects(count, &operator);
            world.until(HOUR, &when, |world| world.effects().len() >= count).await;
            if delete {
                world.delete(kind, name).await;
            } else {
                let edit = json!({"spec": {"description": "edited"}});
                world.edit(kind, name, edit).await.unwrap();
            }
            operator.restore();
            if delete {
                world.until_gone(2 * HOUR, &[estate.instance]).await;
                sleep(2 * MINUTE).await;
                assert!(world.instances().is_empty(), "{when}: {}", world.picture());
            } else {
                world.until_ready(2 * HOUR, &[estate.instance]).await;
                sleep(2 * MINUTE).await;
                assert_whole(&world, &[estate.instance], &when);
                assert_eq!(world.instances()[0]["description"], "edited", "{when}");
            }
            assert!(world.calls(CREATE_INSTANCE) <= 1, "{when}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_finalizer_of_somebody_else_that_is_not_seen_yet_stays() {
    let world = World::furnished().await;
    let _operator = world.start("one");
    sleep(MINUTE).await;
    world.server.set_watch_lag("kafkainstances", 20 * SECOND);
    world.apply(include_str!("../../examples/kafka/instance.yaml")).await;
    sleep(10 * SECOND).await;
    let held = json!({"metadata": {"finalizers": ["example.com/hold"]}});
    world.edit("KafkaInstance", "events", held).await.unwrap();
    world.until_ready(HOUR, &[INSTANCE]).await;
    let finalizers = world.object(INSTANCE.0, INSTANCE.1)["metadata"]["finalizers"].clone();
    assert_eq!(finalizers, json!(["example.com/hold", dms_operator::api::FINALIZER]));
}

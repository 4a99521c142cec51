//! The operator dies after any of its effects on the API server or the cloud, before it can know of it: the next one goes
//! on, makes nothing twice and leaves nothing behind.

use std::time::Duration;

use serde_json::json;

use crate::estate::*;
use crate::support::world::World;

/// An operator that dies right after its `count`th effect from now, and another one that takes over and must reach `done`.
/// Whether the first one lived to see it done.
async fn crash_and_recover(world: &World, count: usize, what: &str, done: impl Fn(&World) -> bool) -> bool {
    let before = world.effects().len();
    let first = world.start("first");
    world.cut_after_effects(count, &first);
    let dead = |world: &World| world.effects().len() - before >= count;
    world.until(2 * HOUR, what, |world| dead(world) || done(world)).await;
    let survived = !dead(world);
    first.crash();
    let second = world.start("second");
    world.until(2 * HOUR, what, done).await;
    // What is left to be put right, such as the nonce's tag, has its time.
    tokio::time::sleep(2 * MINUTE).await;
    second.stop().await.expect("it ends when told to");
    survived
}

/// Lets an operator make what is wanted, and end.
async fn settle(world: &World, objects: &[Object]) {
    let operator = world.start("zero");
    world.until_ready(2 * HOUR, objects).await;
    tokio::time::sleep(2 * MINUTE).await;
    operator.stop().await.expect("it ends when told to");
}

fn all_ready(world: &World, objects: &[Object]) -> bool {
    objects.iter().all(|(kind, name)| world.is_ready(kind, name))
}

fn all_gone(world: &World, objects: &[Object]) -> bool {
    objects.iter().all(|(kind, name)| world.object(kind, name).is_null())
}

#[tokio::test(start_paused = true)]
async fn in_the_create_of_an_instance() {
    for count in 1.. {
        let when = format!("a crash after {count} effects of an instance's create");
        let world = with_instance().await;
        let survived = crash_and_recover(&world, count, &when, |world| all_ready(world, &[INSTANCE])).await;
        assert_whole(&world, &[INSTANCE], &when);
        assert_eq!(world.calls(CREATE_INSTANCE), 1, "{when}: {}", world.picture());
        if survived {
            assert!(count > 8, "the crashes were real");
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn in_the_creates_and_deletes_of_topics_and_quotas() {
    let world = with_instance().await;
    settle(&world, &[INSTANCE]).await;
    let (mut made, mut deleted) = (false, false);
    for count in 1.. {
        let when = format!("a crash after {count} effects of topics' and a quota's creates");
        apply_children(&world).await;
        made = crash_and_recover(&world, count, &when, |world| all_ready(world, &ALL)).await;
        assert_whole(&world, &ALL, &when);

        let when = format!("a crash after {count} effects of their deletes");
        for (kind, name) in CHILDREN {
            world.delete(kind, name).await;
        }
        deleted = crash_and_recover(&world, count, &when, |world| all_gone(world, &CHILDREN)).await;
        assert_whole(&world, &[INSTANCE], &when);
        if made && deleted {
            assert!(count > 12, "the crashes were real");
            return;
        }
    }
    unreachable!("{made} {deleted}");
}

#[tokio::test(start_paused = true)]
async fn in_an_edit_of_an_instance() {
    let mut world = with_instance().await;
    settle(&world, &[INSTANCE]).await;
    let mut grown = 0;
    for count in 1.. {
        let when = format!("a crash after {count} effects of an edit");
        // The service extends an instance no more than 20 times.
        if grown == 20 {
            world = with_instance().await;
            settle(&world, &[INSTANCE]).await;
            grown = 0;
        }
        grown += 1;
        let (new, old, storage) = (format!("t{count}"), format!("t{}", count - 1), 600 + 300 * grown);
        let tags = json!({"env": new, "team": null, &new: "new", &old: null});
        let edit = json!({"spec": {"description": when, "storageSpace": storage, "tags": tags}});
        world.edit("KafkaInstance", "events", edit).await.unwrap();
        let survived = crash_and_recover(&world, count, &when, |world| all_ready(world, &[INSTANCE])).await;
        assert_whole(&world, &[INSTANCE], &when);
        let instance = &world.instances()[0];
        assert_eq!(instance["description"], when);
        assert_eq!(instance["storageSpace"], storage, "{when}");
        let tags = json!({"env": new, &new: "new"});
        assert_eq!(instance["tags"], tags, "{when}: {}", world.picture());
        if survived {
            assert!(count > 6, "the crashes were real");
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn in_edits_of_topics_and_quotas() {
    let world = with_all().await;
    settle(&world, &ALL).await;
    for count in 1.. {
        let when = format!("a crash after {count} effects of edits");
        let kafka = json!({"partitions": 6 + count, "retentionHours": 10 + count});
        world
            .edit("Topic", "orders", json!({"spec": {"kafka": kafka}}))
            .await
            .unwrap();
        // By turns a changed rate, and one that is dropped: for that the quota is made anew.
        let (producer, consumer) = (format!("{count}Mi"), (count % 2 == 0).then(|| format!("{count}Mi")));
        let quota = json!({"spec": {"producerByteRate": producer, "consumerByteRate": consumer}});
        world.edit("KafkaUserQuota", "importer", quota).await.unwrap();
        let survived = crash_and_recover(&world, count, &when, |world| all_ready(world, &ALL)).await;
        assert_whole(&world, &ALL, &when);
        let instance = &world.instances()[0];
        let topics = instance["topics"].as_array().unwrap();
        let topic = topics.iter().find(|topic| topic["name"] == "orders").unwrap();
        let size = (&topic["partition"], &topic["retention_time"]);
        assert_eq!(size, (&json!(6 + count), &json!(10 + count)), "{when}");
        let quota = &instance["quotas"][0];
        assert_eq!(quota["producer-byte-rate"], count << 20, "{when}");
        let consumer = if count % 2 == 0 {
            json!(count << 20)
        } else {
            json!(null)
        };
        assert_eq!(quota["consumer-byte-rate"], consumer, "{when}");
        if survived {
            assert!(count > 8, "the crashes were real");
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn in_the_deletion_of_everything() {
    for count in 1.. {
        let when = format!("a crash after {count} effects of the deletion of everything");
        let world = with_all().await;
        settle(&world, &ALL).await;
        for (kind, name) in ALL {
            world.delete(kind, name).await;
        }
        let survived = crash_and_recover(&world, count, &when, |world| all_gone(world, &ALL)).await;
        assert!(world.instances().is_empty(), "{when}: {}", world.picture());
        if survived {
            assert!(count > 8, "the crashes were real");
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_operator_after_the_other() {
    for seed in 0..8u64 {
        let when = format!("seed {seed}");
        let world = with_all().await;
        let mut random = seed;
        let mut run = async |what: &str, done: &dyn Fn(&World) -> bool| {
            for turn in 0..200 {
                // Knuth's MMIX. With one effect each, none would get from an intent to its call.
                random = random
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let (count, before) = ((random >> 33) as usize % 4 + 1, world.effects().len());
                let operator = world.start(&format!("{what} {turn}"));
                world.cut_after_effects(count, &operator);
                let dead = |world: &World| world.effects().len() - before >= count;
                world.until(2 * HOUR, what, |world| dead(world) || done(world)).await;
                operator.crash();
                if done(&world) {
                    return;
                }
            }
            panic!("{when}: no end of it\n{}", world.picture());
        };
        run("made", &|world| all_ready(world, &ALL)).await;
        run("settled", &|world| {
            world.instances()[0]["tags"].get("dms-operator.create").is_none()
        })
        .await;
        assert_whole(&world, &ALL, &when);
        for (kind, name) in ALL {
            world.delete(kind, name).await;
        }
        run("deleted", &|world| all_gone(world, &ALL)).await;
        assert!(world.instances().is_empty(), "{when}: {}", world.picture());
    }
}

#[tokio::test(start_paused = true)]
async fn a_deletion_in_any_namespace_order_ends_with_an_empty_cloud() {
    for first in [
        ["secrets", "providerconfigs"],
        ["providerconfigs", "kafkainstances"],
        ["topics", "kafkainstances"],
    ] {
        let world = with_all().await;
        world.server.set_namespace_sweep(&first, Duration::from_secs(20));
        let _operator = world.start("one");
        world.until_ready(HOUR, &ALL).await;
        world.delete("Namespace", "default").await;
        world.until_gone(HOUR, &[("Namespace", "default")]).await;
        assert!(world.instances().is_empty(), "{first:?}: {}", world.picture());
    }
}

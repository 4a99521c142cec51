//! The operator dies after any of its effects on the API server or the cloud, before it can know of it: the next one goes
//! on, makes nothing twice and leaves nothing behind.

use serde_json::{Value, json};

use crate::estate::*;
use crate::support::world::World;

/// What a create leaves in tags or a description until it is put right.
const MARK: &str = "dms-operator.create";

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
    for estate in ENGINES {
        let instance = [estate.instance];
        for count in 1.. {
            let when = format!("a crash after {count} effects of the create of {instance:?}");
            let world = with_instance(estate).await;
            let survived = crash_and_recover(&world, count, &when, |world| all_ready(world, &instance)).await;
            assert_whole(&world, &instance, &when);
            assert_eq!(world.calls(CREATE_INSTANCE), 1, "{when}: {}", world.picture());
            if survived {
                assert!(count > 8, "the crashes were real");
                break;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn in_the_creates_and_deletes_of_what_lives_in_an_instance() {
    for estate in ESTATES {
        let world = with_instance(estate).await;
        let (instance, children) = ([estate.instance], estate.children);
        settle(&world, &instance).await;
        for count in 1.. {
            let when = format!("a crash after {count} effects of creates in {instance:?}");
            estate.apply_children(&world).await;
            let made = crash_and_recover(&world, count, &when, |world| all_ready(world, &estate.all())).await;
            assert_whole(&world, &estate.all(), &when);

            let when = format!("a crash after {count} effects of deletes in {instance:?}");
            for (kind, name) in children {
                world.delete(kind, name).await;
            }
            let deleted = crash_and_recover(&world, count, &when, |world| all_gone(world, children)).await;
            assert_whole(&world, &instance, &when);
            if made && deleted {
                assert!(count > 4 * children.len(), "the crashes were real");
                break;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn in_an_edit_of_an_instance() {
    for estate in ENGINES {
        let (kind, name) = estate.instance;
        let mut world = with_instance(estate).await;
        settle(&world, &[(kind, name)]).await;
        let mut grown = 0;
        for count in 1.. {
            let when = format!("a crash after {count} effects of an edit of {name}");
            // The service extends an instance no more than 20 times.
            if grown == 20 {
                world = with_instance(estate).await;
                settle(&world, &[(kind, name)]).await;
                grown = 0;
            }
            grown += 1;
            let (new, old, storage) = (format!("t{count}"), format!("t{}", count - 1), 600 + 300 * grown);
            let tags = json!({"env": new, "team": null, &new: "new", &old: null});
            let edit = json!({"spec": {"description": when, "storageSpace": storage, "tags": tags}});
            world.edit(kind, name, edit).await.unwrap();
            let survived = crash_and_recover(&world, count, &when, |world| all_ready(world, &[(kind, name)])).await;
            assert_whole(&world, &[(kind, name)], &when);
            let instance = &world.instances()[0];
            assert_eq!(instance["description"], when);
            assert_eq!(instance["storageSpace"], storage, "{when}");
            let tags = json!({"env": new, &new: "new"});
            assert_eq!(instance["tags"], tags, "{when}: {}", world.picture());
            if survived {
                assert!(count > 6, "the crashes were real");
                break;
            }
        }
    }
}

/// What the `count`th edit of a child says, and whether the cloud shows it.
type Edits = (Object, fn(usize) -> Value, fn(&Value, usize) -> bool);

/// Every other time a quota drops a rate: for that it is made anew.
fn edits(estate: Estate) -> Vec<Edits> {
    match estate.instance {
        INSTANCE => vec![
            (
                ORDERS,
                |count| json!({"kafka": {"partitions": 6 + count, "retentionHours": 10 + count}}),
                |instance, count| {
                    let topic = named(instance, "topics", "orders");
                    (&topic["partition"], &topic["retention_time"]) == (&json!(6 + count), &json!(10 + count))
                },
            ),
            (
                BILLING,
                |count| json!({"description": format!("{count} times")}),
                |instance, count| named(instance, "groups", "billing")["description"] == format!("{count} times"),
            ),
            (
                QUOTA,
                |count| {
                    let consumer = (count % 2 == 0).then(|| format!("{count}Mi"));
                    json!({"producerByteRate": format!("{count}Mi"), "consumerByteRate": consumer})
                },
                |instance, count| {
                    let consumer = (count % 2 == 0).then_some(count << 20);
                    let quota = &instance["quotas"][0];
                    quota["producer-byte-rate"] == count << 20 && quota["consumer-byte-rate"] == json!(consumer)
                },
            ),
        ],
        _ => vec![
            (
                PAYMENTS,
                |count| {
                    let permission = if count % 2 == 0 { "all" } else { "sub" };
                    json!({"description": format!("{count} times"), "rocketmq": {"queueNum": 8 + count, "permission": permission}})
                },
                |instance, count| {
                    let topic = named(instance, "topics", "payments");
                    let queues = topic["queues"].as_array().into_iter().flatten();
                    let total = |side: &str| queues.clone().filter_map(|queues| queues[side].as_u64()).sum::<u64>();
                    topic["permission"] == (if count % 2 == 0 { "all" } else { "sub" })
                        && topic["description"] == format!("{count} times")
                        && (total("read"), total("write")) == (8 + count as u64, 8 + count as u64)
                },
            ),
            (
                LEDGER,
                |count| {
                    let brokers = if count % 2 == 0 {
                        json!(["broker-0"])
                    } else {
                        json!(["broker-1"])
                    };
                    json!({"description": format!("{count} times"), "rocketmq": {"maxRetries": 1 + count % 16, "brokers": brokers}})
                },
                |instance, count| {
                    let group = named(instance, "groups", "GID_ledger");
                    group["description"] == format!("{count} times")
                        && group["retryMaxTime"] == 1 + count % 16
                        && group["brokers"] == json!([format!("broker-{}", count % 2)])
                },
            ),
        ],
    }
}

fn named(instance: &Value, list: &str, name: &str) -> Value {
    let mut all = instance[list].as_array().into_iter().flatten();
    all.find(|thing| thing["name"] == name).cloned().unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn in_edits_of_what_lives_in_an_instance() {
    for estate in ENGINES {
        let world = with_all(estate).await;
        settle(&world, &estate.all()).await;
        for count in 1.. {
            let when = format!("a crash after {count} effects of edits in {:?}", estate.instance);
            for ((kind, name), edit, _) in edits(estate) {
                world.edit(kind, name, json!({"spec": edit(count)})).await.unwrap();
            }
            let survived = crash_and_recover(&world, count, &when, |world| all_ready(world, &estate.all())).await;
            assert_whole(&world, &estate.all(), &when);
            let instance = &world.instances()[0];
            for (of, _, shows) in edits(estate) {
                assert!(shows(instance, count), "{when}: {of:?}: {instance}");
            }
            if survived {
                assert!(count > 8, "the crashes were real");
                break;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn in_the_deletion_of_everything() {
    for estate in ENGINES {
        let all = estate.all();
        for count in 1.. {
            let when = format!("a crash after {count} effects of the deletion of {all:?}");
            let world = with_all(estate).await;
            settle(&world, &all).await;
            for (kind, name) in &all {
                world.delete(kind, name).await;
            }
            let survived = crash_and_recover(&world, count, &when, |world| all_gone(world, &all)).await;
            assert!(world.instances().is_empty(), "{when}: {}", world.picture());
            if survived {
                assert!(count > 2 * all.len(), "the crashes were real");
                break;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_operator_after_the_other() {
    for seed in 0..8u64 {
        let estate = ENGINES[usize::from(seed % 2 == 1)];
        let (when, all) = (format!("seed {seed}"), estate.all());
        let world = with_all(estate).await;
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
        run("made", &|world| all_ready(world, &all)).await;
        run("settled", &|world| !world.instances()[0].to_string().contains(MARK)).await;
        assert_whole(&world, &all, &when);
        for (kind, name) in &all {
            world.delete(kind, name).await;
        }
        run("deleted", &|world| all_gone(world, &all)).await;
        assert!(world.instances().is_empty(), "{when}: {}", world.picture());
    }
}

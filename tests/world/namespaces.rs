//! A namespace goes, in any order and however late the watches are: everything in it ends, and the cloud is empty.

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::everyday::*;
use crate::support::view;
use crate::support::world::{Running, World};

/// What lives in the cloud, of both engines.
const ALL: [Object; 8] = [INSTANCE, ORDERS, AUDIT, BILLING, QUOTA, SHOP, PAYMENTS, LEDGER];

/// The order in which a namespace's contents are deleted is the API server's secret.
fn kinds() -> impl Iterator<Item = &'static str> + Clone {
    view::KINDS.into_iter().chain(["secrets"])
}

fn everything() -> Vec<Object> {
    [&[("Secret", "huawei"), PROVIDER], &ALL[..]].concat()
}

async fn at_rest() -> (World, Running) {
    at_rest_with(&ALL).await
}

async fn ends_empty(world: &World, what: &str) {
    world.delete("Namespace", "default").await;
    world.until_gone(HOUR, &[("Namespace", "default")]).await;
    assert!(world.instances().is_empty(), "{what}: {}", world.picture());
    for (kind, name) in everything() {
        assert_eq!(world.object(kind, name), Value::Null, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_two_kinds_go_first() {
    for first in kinds() {
        for second in kinds().filter(|second| *second != first) {
            let (world, _operator) = at_rest().await;
            world.server.set_namespace_sweep(&[first, second], 20 * SECOND);
            ends_empty(&world, &format!("{first}, {second}")).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_goes_first_while_watches_lag() {
    for first in kinds() {
        let (world, _operator) = at_rest().await;
        for kind in kinds() {
            world.server.set_watch_lag(kind, 7 * SECOND);
        }
        world.server.set_namespace_sweep(&[first], 30 * SECOND);
        ends_empty(&world, first).await;
    }
}

/// The examples, deleted when this has become true.
async fn deleted_while(what: &str, moment: impl Fn(&World) -> bool) {
    let (world, _operator): (World, Running) = {
        let world = with(&ALL).await;
        let operator = world.start("one");
        (world, operator)
    };
    world.until(HOUR, what, moment).await;
    world.delete("Namespace", "default").await;
    world.until_gone(2 * HOUR, &[("Namespace", "default")]).await;
    sleep(HOUR).await;
    assert!(world.instances().is_empty(), "{what}: {}", world.picture());
}

#[tokio::test(start_paused = true)]
async fn at_any_moment_of_a_creation() {
    deleted_while("nothing was seen yet", |_| true).await;
    deleted_while("the create was sent", |world| world.calls(CREATE_INSTANCE) >= 1).await;
    deleted_while("it is being created", |world| shown(world, INSTANCE) == "FTFU Creating").await;
    deleted_while("so is the other one", |world| shown(world, SHOP) == "FTFU Creating").await;
    for create in [KAFKA.creates, ROCKETMQ.creates].concat() {
        deleted_while(create, |world| world.calls(create) >= 1).await;
    }
}

#[tokio::test(start_paused = true)]
async fn while_the_instance_grows() {
    let (world, _operator) = at_rest().await;
    for (kind, name) in [INSTANCE, SHOP] {
        let bigger = json!({"spec": {"storageSpace": 900}});
        world.edit(kind, name, bigger).await.unwrap();
    }
    world
        .until(MINUTE, "they grow", |world| {
            world
                .instances()
                .iter()
                .all(|instance| instance["status"] == "EXTENDING")
        })
        .await;
    ends_empty(&world, "growing").await;
}

#[tokio::test(start_paused = true)]
async fn one_by_one_whichever_is_first() {
    let backwards: Vec<Object> = everything().into_iter().rev().collect();
    for mut order in [everything(), backwards] {
        for _ in 0..order.len() {
            order.rotate_left(1);
            let (world, _operator) = at_rest().await;
            for (kind, name) in &order {
                world.delete(kind, name).await;
                sleep(10 * SECOND).await;
            }
            world.until_gone(HOUR, &order).await;
            assert!(world.instances().is_empty(), "{order:?}: {}", world.picture());
        }
    }
}

//! Deletion: nothing is left that is ours, nothing goes that is not, and the object goes only with proof.

use dms_operator::simulator::{Config, Effect, FailedCreate, FailedCreates, Fault, LostAnswer};
use serde_json::json;
use tokio::time::sleep;

use crate::estate::*;
use crate::support::world::{Running, World};

async fn whole(estate: Estate) -> (World, Running) {
    let world = with_all(estate).await;
    let operator = world.start("one");
    world.until_ready(2 * HOUR, &estate.all()).await;
    sleep(2 * MINUTE).await;
    (world, operator)
}

/// How many things live in the one instance.
fn inhabitants(world: &World) -> usize {
    let instance = &world.instances()[0];
    let lists = ["topics", "groups", "quotas"].map(|list| instance[list].as_array().map_or(0, Vec::len));
    lists.into_iter().sum()
}

fn often(operation: &str, times: u32, effect: Effect) -> Fault {
    Fault {
        operation: operation.into(),
        times: Some(times),
        effect,
        ..Fault::default()
    }
}

async fn annotate(world: &World, (kind, name): Object, key: &str, value: &str) {
    let annotations = json!({"metadata": {"annotations": {format!("dms.huaweicloud.com/{key}"): value}}});
    world.edit(kind, name, annotations).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_accepted_delete_that_comes_to_nothing_is_sent_again() {
    for (estate, times) in [(KAFKA, 1), (KAFKA, 2), (ROCKETMQ, 3)] {
        let (world, _operator) = whole(estate).await;
        world.cloud.add_fault(often(
            "DeleteInstance",
            times,
            Effect {
                job_fails: true,
                ..Effect::default()
            },
        ));
        delete_all(&world, &estate.all()).await;
        assert!(world.instances().is_empty(), "{}", world.picture());
        assert_eq!(accepted(&world, "DeleteInstance"), times as usize + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn deletes_that_go_wrong_are_repeated_until_the_things_are_gone() {
    let effects = [
        Effect {
            lost: Some(LostAnswer::Before),
            ..Effect::default()
        },
        Effect {
            lost: Some(LostAnswer::After),
            ..Effect::default()
        },
        Effect {
            status: Some(500),
            ..Effect::default()
        },
        Effect {
            status: Some(504),
            after_effect: true,
            ..Effect::default()
        },
        Effect {
            status: Some(429),
            ..Effect::default()
        },
        Effect {
            delay_ms: 120_000,
            ..Effect::default()
        },
        Effect {
            effect_delay_ms: 120_000,
            ..Effect::default()
        },
        Effect {
            items_fail: true,
            ..Effect::default()
        },
    ];
    for (effect, estate) in effects
        .into_iter()
        .flat_map(|effect| ENGINES.map(|estate| (effect.clone(), estate)))
    {
        let when = format!("{:?}, {effect:?}", estate.instance);
        let (world, _operator) = whole(estate).await;
        for operation in estate.deletes.iter().chain(&["DeleteInstance"]) {
            world.cloud.add_fault(often(operation, 2, effect.clone()));
        }
        // The children go by themselves, then the instance.
        delete_all(&world, estate.children).await;
        assert_eq!(inhabitants(&world), 0, "{when}");
        delete_all(&world, &[estate.instance]).await;
        assert!(world.instances().is_empty(), "{when}: {}", world.picture());
    }
}

#[tokio::test(start_paused = true)]
async fn at_any_time_of_a_creation() {
    for seconds in [0, 1, 2, 5, 60, 600, 905, 930] {
        for estate in ENGINES {
            let world = with_all(estate).await;
            let _operator = world.start("one");
            sleep(seconds * SECOND).await;
            delete_all(&world, &estate.all()).await;
            sleep(HOUR).await;
            assert!(world.instances().is_empty(), "after {seconds} s: {}", world.picture());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn while_the_answer_to_the_create_is_lost() {
    let effects = [
        (
            false,
            Effect {
                lost: Some(LostAnswer::Before),
                ..Effect::default()
            },
        ),
        (
            true,
            Effect {
                lost: Some(LostAnswer::After),
                ..Effect::default()
            },
        ),
        (
            true,
            Effect {
                effect_delay_ms: 300_000,
                ..Effect::default()
            },
        ),
    ];
    for (made, effect) in effects {
        for seconds in [0, 5, 60, 400] {
            for (crash, estate) in [(false, KAFKA), (true, KAFKA), (true, ROCKETMQ)] {
                let (kind, name) = estate.instance;
                let when = format!("{name}, {effect:?}, deleted after {seconds} s, a crash: {crash}");
                let world = with_instance(estate).await;
                world.fault(CREATE_INSTANCE, effect.clone());
                let operator = world.start("one");
                world
                    .until(MINUTE, &when, |world| world.calls(CREATE_INSTANCE) == 1)
                    .await;
                let begun = world.clock.now();
                sleep(seconds * SECOND).await;
                world.delete(kind, name).await;
                let mut running = operator;
                if crash {
                    running.crash();
                    running = world.start("two");
                }
                world.until_gone(2 * HOUR, &[estate.instance]).await;
                let took = world.clock.now().duration_since(begun).as_secs();
                assert!(made || took >= 600, "{when}: it let go after {took} s");
                sleep(HOUR).await;
                assert!(world.instances().is_empty(), "{when}: {}", world.picture());
                assert_eq!(world.calls(CREATE_INSTANCE), 1, "{when}");
                drop(running);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn children_while_the_answers_to_their_creates_are_lost() {
    let lost = |lost| Effect {
        lost: Some(lost),
        ..Effect::default()
    };
    let late = Effect {
        effect_delay_ms: 20_000,
        ..Effect::default()
    };
    for estate in ENGINES {
        let (world, _operator) = whole(estate).await;
        delete_all(&world, estate.children).await;
        for effect in [lost(LostAnswer::Before), lost(LostAnswer::After), late.clone()] {
            for seconds in [1, 4, 15] {
                let when = format!("{:?}, {effect:?}, deleted after {seconds} s", estate.instance);
                for create in estate.creates {
                    world.cloud.add_fault(often(create, 2, effect.clone()));
                }
                estate.apply_children(&world).await;
                sleep(seconds * SECOND).await;
                delete_all(&world, estate.children).await;
                sleep(10 * MINUTE).await;
                world.cloud.clear_faults();
                assert_whole(&world, &[estate.instance], &when);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn of_an_instance_whose_creation_failed() {
    for failed_creates in [FailedCreates::Hidden, FailedCreates::Listed, FailedCreates::Counted] {
        for failure in [FailedCreate::Error, FailedCreate::Vanishes] {
            for (lost, estate) in [
                (None, KAFKA),
                (Some(LostAnswer::After), KAFKA),
                (Some(LostAnswer::After), ROCKETMQ),
            ] {
                let (kind, name) = estate.instance;
                let when = format!("{name}, {failed_creates:?}, {failure:?}, {lost:?}");
                let cloud = Config {
                    failed_creates,
                    ..World::awkward()
                };
                let world = with_instance_in(estate, cloud).await;
                world.fault(
                    CREATE_INSTANCE,
                    Effect {
                        create_fails: Some(failure),
                        lost,
                        ..Effect::default()
                    },
                );
                let _operator = world.start("one");
                sleep(3 * HOUR).await;
                assert_eq!(world.condition(kind, name, "Stalled"), "True CloudFailed", "{when}");
                assert_eq!(
                    world.calls(CREATE_INSTANCE),
                    1,
                    "{when}: a failed one is not made again by itself"
                );
                delete_all(&world, &[estate.instance]).await;
                assert!(world.instances().is_empty(), "{when}: {}", world.picture());
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_abandoned_object_goes_and_its_thing_stays() {
    // The credentials are refused for ever, so that nothing can be deleted.
    let (world, _operator) = whole(KAFKA).await;
    let id = status(&world, INSTANCE, "instanceId");
    let denied = Effect {
        status: Some(403),
        code: Some("DMS.00403002".into()),
        ..Effect::default()
    };
    world.cloud.add_fault(often("*", 0, denied));
    for (kind, name) in ALL {
        world.delete(kind, name).await;
    }
    for object in ALL {
        annotate(&world, object, "abandon", "something-else").await;
    }
    sleep(2 * HOUR).await;
    for (kind, name) in ALL {
        assert!(!world.object(kind, name).is_null(), "{kind} {name} is held");
        assert!(
            world.condition(kind, name, "Stalled").starts_with("True"),
            "{}",
            world.picture()
        );
    }
    for object in ALL {
        annotate(&world, object, "abandon", &id).await;
    }
    world.until_gone(MINUTE, &ALL).await;
    assert_eq!(instances_but(&world, &[]), [id]);
}

#[tokio::test(start_paused = true)]
async fn a_create_under_way_is_abandoned_by_its_nonce() {
    let world = with_instance(KAFKA).await;
    world.fault(
        CREATE_INSTANCE,
        Effect {
            lost: Some(LostAnswer::Before),
            ..Effect::default()
        },
    );
    let _operator = world.start("one");
    world
        .until(MINUTE, "sent", |world| world.calls(CREATE_INSTANCE) == 1)
        .await;
    sleep(20 * SECOND).await;
    let nonce = text(&world.object(INSTANCE.0, INSTANCE.1)["status"]["createIntent"]["nonce"]);
    world.delete(INSTANCE.0, INSTANCE.1).await;
    annotate(&world, INSTANCE, "abandon", "").await;
    sleep(MINUTE).await;
    assert!(!world.object(INSTANCE.0, INSTANCE.1).is_null());
    annotate(&world, INSTANCE, "abandon", &nonce).await;
    world.until_gone(MINUTE, &[INSTANCE]).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_to_stay_stays() {
    // spec.management.deletion: of what we made, of what we adopted; and whether it stays.
    for adopted in [false, true] {
        for (deletion, stays) in [(None, adopted), (Some("Orphan"), true), (Some("Delete"), false)] {
            for estate in ENGINES {
                let when = format!("{:?}, adopted {adopted}, {deletion:?}", estate.instance);
                let (world, _operator) = whole(estate).await;
                let deletion_is = async |deletion: Option<&str>| {
                    for (kind, name) in estate.all() {
                        let management = json!({"spec": {"management": {"deletion": deletion}}});
                        world.edit(kind, name, management).await.unwrap();
                    }
                };
                if adopted {
                    deletion_is(Some("Orphan")).await;
                    delete_all(&world, &estate.all()).await;
                    estate.apply_instance(&world).await;
                    let id = json!({"spec": {"instanceId": world.instances()[0]["id"]}});
                    world.edit(estate.instance.0, estate.instance.1, id).await.unwrap();
                    estate.apply_children(&world).await;
                    world.until_ready(HOUR, &estate.all()).await;
                }
                deletion_is(deletion).await;
                sleep(MINUTE).await;
                delete_all(&world, estate.children).await;
                assert_eq!(
                    inhabitants(&world),
                    if stays { estate.children.len() } else { 0 },
                    "{when}"
                );
                delete_all(&world, &[estate.instance]).await;
                sleep(HOUR).await;
                assert_eq!(world.instances().len(), usize::from(stays), "{when}");
            }
        }
    }
}

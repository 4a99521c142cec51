//! Names are not unique: instances of others, and instances of which it cannot be told whose they are.

use std::time::Duration;

use dms_operator::simulator::{Config, Effect, Fault, LostAnswer, Match};
use serde_json::json;

use crate::estate::*;
use crate::support::world::World;

fn lost(lost: LostAnswer) -> Effect {
    Effect {
        lost: Some(lost),
        ..Effect::default()
    }
}

/// What another instance of the name says of itself: nothing, or that somebody else's create made it.
const DESCRIPTIONS: [&str; 2] = ["", "Theirs dms-operator.create:0123456789abcdef0123456789abcdef"];

/// Whose this instance is, or all are, cannot be read the next `times` times; 0 is for ever.
fn hide_marks(world: &World, estate: Estate, instance: Option<&str>, times: u32) {
    world.cloud.add_fault(Fault {
        operation: estate.shows_mark.into(),
        times: Some(times),
        only: Match {
            instance: instance.map(str::to_owned),
            ..Match::default()
        },
        effect: Effect {
            status: Some(500),
            ..Effect::default()
        },
        ..Fault::default()
    });
}

#[tokio::test(start_paused = true)]
async fn one_that_was_there_before_is_neither_taken_nor_doubled() {
    for (estate, description) in [
        (KAFKA, DESCRIPTIONS[0]),
        (ROCKETMQ, DESCRIPTIONS[0]),
        (ROCKETMQ, DESCRIPTIONS[1]),
    ] {
        for unique_names in [false, true] {
            let world = with_instance_in(
                estate,
                Config {
                    unique_names,
                    ..World::awkward()
                },
            )
            .await;
            let theirs = estate.foreign(&world, description).await;
            tokio::time::sleep(MINUTE).await;
            let _operator = world.start("one");
            tokio::time::sleep(3 * HOUR).await;
            let (kind, name) = estate.instance;
            assert_eq!(world.condition(kind, name, "Stalled"), "True AlreadyExists");
            assert!(
                message(&world, estate.instance, "Stalled").contains("spec.instanceId"),
                "it says what to do"
            );
            assert_eq!(world.calls(CREATE_INSTANCE), 1, "theirs");
            delete_all(&world, &[estate.instance]).await;
            assert_eq!(instances_but(&world, &[]), [theirs], "it is not ours to delete");
        }
    }
}

/// Another instance of the name comes while the answer to the create of ours is lost.
struct Coincidence {
    estate: Estate,
    description: &'static str,
    unique_names: bool,
    /// Ours was made all the same.
    ours: bool,
    /// Theirs comes so many seconds later.
    delay: u64,
    /// Whose theirs is cannot be read so often.
    hidden: u32,
}

impl Coincidence {
    async fn happens(&self) {
        let Self { estate, ours, .. } = *self;
        let (kind, name) = estate.instance;
        let when = format!(
            "{name}, theirs described as {:?} after {} s, {} times hidden; unique {}, ours made {ours}",
            self.description, self.delay, self.hidden, self.unique_names
        );
        let world = with_instance_in(
            estate,
            Config {
                unique_names: self.unique_names,
                ..World::awkward()
            },
        )
        .await;
        world.fault(
            CREATE_INSTANCE,
            lost(if ours { LostAnswer::After } else { LostAnswer::Before }),
        );
        let _operator = world.start("one");
        world
            .until(MINUTE, "the first create", |world| world.calls(CREATE_INSTANCE) == 1)
            .await;
        tokio::time::sleep(Duration::from_secs(self.delay)).await;
        let theirs = estate.foreign(&world, self.description).await;
        if self.hidden > 0 {
            hide_marks(&world, estate, Some(&theirs), self.hidden);
        }
        tokio::time::sleep(3 * HOUR).await;
        if ours {
            assert!(world.is_ready(kind, name), "{when}: {}", world.picture());
            assert_eq!(instances_but(&world, &[&theirs]).len(), 1, "{when}");
        } else {
            let stalled = world.condition(kind, name, "Stalled");
            assert_eq!(stalled, "True AlreadyExists", "{when}: {}", world.picture());
            assert!(instances_but(&world, &[&theirs]).is_empty(), "{when}");
        }
        assert_eq!(world.calls(CREATE_INSTANCE), 2, "{when}: ours and theirs");
        let described = world
            .instances()
            .into_iter()
            .find(|instance| instance["id"] == theirs.as_str());
        assert_eq!(
            described.unwrap()["description"],
            self.description,
            "{when}: not ours to mend"
        );
        delete_all(&world, &[estate.instance]).await;
        assert_eq!(instances_but(&world, &[]), [theirs], "{when}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_appears_while_an_answer_is_lost_is_not_mistaken_for_ours() {
    // Ours was made, or was not; theirs comes before or after, is seen at once or late, and may be hidden.
    for unique_names in [false, true] {
        for ours in [false, true] {
            for delay in [0, 20, 300] {
                for hidden in [0, 10] {
                    if unique_names && (ours || delay != 20) {
                        continue;
                    }
                    for (estate, description) in [(KAFKA, 0), (ROCKETMQ, 0), (ROCKETMQ, 1)] {
                        let coincidence = Coincidence {
                            estate,
                            description: DESCRIPTIONS[description],
                            unique_names,
                            ours,
                            delay,
                            hidden,
                        };
                        coincidence.happens().await;
                    }
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn ours_is_not_made_anew_while_it_cannot_be_told_whose_it_is() {
    for estate in ENGINES {
        for hidden in [5, 50, 200] {
            let world = with_instance(estate).await;
            world.fault(CREATE_INSTANCE, lost(LostAnswer::After));
            hide_marks(&world, estate, None, hidden);
            let _operator = world.start("one");
            world.until_ready(4 * HOUR, &[estate.instance]).await;
            tokio::time::sleep(2 * MINUTE).await;
            assert_whole(&world, &[estate.instance], &format!("{hidden} times hidden"));
            assert_eq!(world.calls(CREATE_INSTANCE), 1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn searches_begin_anew_after_one_that_could_not_tell() {
    // Lost before the effect; another's tags are hidden until shortly before the window would have ended.
    let world = with_instance(KAFKA).await;
    world.fault(CREATE_INSTANCE, lost(LostAnswer::Before));
    let _operator = world.start("one");
    world
        .until(MINUTE, "the first create", |world| world.calls(CREATE_INSTANCE) == 1)
        .await;
    let theirs = KAFKA.foreign(&world, "").await;
    hide_marks(&world, KAFKA, Some(&theirs), 0);
    tokio::time::sleep(9 * MINUTE).await;
    world.cloud.clear_faults();
    world
        .call("DELETE", &format!("/v2/{{p}}/instances/{theirs}"), &[], json!(null))
        .await;
    tokio::time::sleep(9 * MINUTE).await;
    assert_eq!(
        world.calls(CREATE_INSTANCE),
        2,
        "ours and theirs, and ten minutes are not over"
    );
    world
        .cloud
        .set_status(&theirs, dms_operator::simulator::Status::Running);
    world
        .call("DELETE", &format!("/v2/{{p}}/instances/{theirs}"), &[], json!(null))
        .await;
    world.until_ready(2 * HOUR, &[INSTANCE]).await;
    assert_eq!(instances_but(&world, &[]).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_failed_search_counts_for_nothing() {
    // The service lists nothing for half an hour.
    for effect in [
        Effect {
            status: Some(503),
            ..Effect::default()
        },
        Effect {
            malformed: Some(dms_operator::simulator::Malformed::Html),
            ..Effect::default()
        },
    ] {
        let world = with_instance(KAFKA).await;
        world.fault(CREATE_INSTANCE, lost(LostAnswer::After));
        let _operator = world.start("one");
        world
            .until(MINUTE, "the first create", |world| world.calls(CREATE_INSTANCE) == 1)
            .await;
        let fault = Fault {
            operation: "ListInstances".into(),
            times: Some(0),
            effect,
            ..Fault::default()
        };
        world.cloud.add_fault(fault);
        tokio::time::sleep(HOUR / 2).await;
        world.cloud.clear_faults();
        world.until_ready(2 * HOUR, &[INSTANCE]).await;
        assert_eq!(world.calls(CREATE_INSTANCE), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn two_of_ours_are_shown_to_a_person_and_deleted_with_the_object() {
    // The first create is carried out so late that the second was sent; the second one's answer is lost as well.
    let world = with_instance(KAFKA).await;
    world.fault(
        CREATE_INSTANCE,
        Effect {
            effect_delay_ms: 620_000,
            ..Effect::default()
        },
    );
    world.cloud.add_fault(Fault {
        operation: CREATE_INSTANCE.into(),
        effect: lost(LostAnswer::After),
        ..Fault::default()
    });
    let _operator = world.start("one");
    world.until(HOUR, "two", |world| world.instances().len() == 2).await;
    let unlisted = Effect {
        status: Some(503),
        ..Effect::default()
    };
    world.cloud.add_fault(Fault {
        operation: "ListInstances".into(),
        times: Some(0),
        effect: unlisted,
        ..Fault::default()
    });
    tokio::time::sleep(2 * MINUTE).await;
    world.cloud.clear_faults();
    world
        .until(HOUR, "told", |world| {
            world.condition(INSTANCE.0, INSTANCE.1, "Stalled") == "True Conflict"
        })
        .await;
    for id in instances_but(&world, &[]) {
        assert!(message(&world, INSTANCE, "Stalled").contains(&id), "both are named");
    }
    tokio::time::sleep(3 * HOUR).await;
    assert_eq!(world.instances().len(), 2, "and no third one");
    delete_all(&world, &[INSTANCE]).await;
    assert!(world.instances().is_empty(), "{}", world.picture());
}

#[tokio::test(start_paused = true)]
async fn a_new_name_while_an_answer_is_lost() {
    for (answer, theirs) in [
        (LostAnswer::After, false),
        (LostAnswer::Before, false),
        (LostAnswer::Before, true),
    ] {
        let when = format!("{answer:?}, another of the new name: {theirs}");
        let world = with_instance(KAFKA).await;
        // Called `events` by somebody else; ours is called `shop` first.
        let rename = |name: &str| json!({"spec": {"name": name}});
        world.edit("KafkaInstance", "events", rename("shop")).await.unwrap();
        world.fault(CREATE_INSTANCE, lost(answer));
        let _operator = world.start("one");
        world
            .until(MINUTE, "the first create", |world| world.calls(CREATE_INSTANCE) == 1)
            .await;
        let others: Vec<_> = if theirs {
            vec![KAFKA.foreign(&world, "").await]
        } else {
            vec![]
        };
        world.edit("KafkaInstance", "events", rename("events")).await.unwrap();
        tokio::time::sleep(2 * HOUR).await;
        let others: Vec<_> = others.iter().map(String::as_str).collect();
        if theirs {
            assert_eq!(
                world.condition(INSTANCE.0, INSTANCE.1, "Stalled"),
                "True AlreadyExists",
                "{when}"
            );
            assert!(instances_but(&world, &others).is_empty(), "{when}: {}", world.picture());
        } else {
            assert_whole(&world, &[INSTANCE], &when);
            assert_eq!(world.instances()[0]["name"], "events", "{when}");
        }
    }
}

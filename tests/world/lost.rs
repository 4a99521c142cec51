//! Answers to creates that are lost, spoilt, late or wrong: each thing is made once, and is known as ours.

use std::time::Duration;

use dms_operator::simulator::{Config, Effect, FailedCreates, LostAnswer, Malformed};

use crate::estate::*;
use crate::support::world::World;

/// Whether the create takes effect although its answer is as good as none.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Made {
    Yes,
    No,
    /// No, and it is known that nothing came of it.
    Never,
}

/// What can come instead of a good answer.
fn mishaps() -> Vec<(&'static str, Made, Effect)> {
    let lost = |lost| Effect {
        lost: Some(lost),
        ..Effect::default()
    };
    let status = |status, code: Option<&str>, after_effect| Effect {
        status: Some(status),
        code: code.map(str::to_owned),
        after_effect,
        ..Effect::default()
    };
    let spoilt = |malformed| Effect {
        malformed: Some(malformed),
        ..Effect::default()
    };
    vec![
        ("lost before the effect", Made::No, lost(LostAnswer::Before)),
        ("lost after the effect", Made::Yes, lost(LostAnswer::After)),
        ("html", Made::Yes, spoilt(Malformed::Html)),
        ("truncated", Made::Yes, spoilt(Malformed::Truncated)),
        ("empty", Made::Yes, spoilt(Malformed::Empty)),
        ("500 before the effect", Made::No, status(500, None, false)),
        ("500 after the effect", Made::Yes, status(500, None, true)),
        ("503 after the effect", Made::Yes, status(503, None, true)),
        ("504 after the effect", Made::Yes, status(504, None, true)),
        ("429", Made::Never, status(429, Some("APIGW.0308"), false)),
        (
            "answered too late",
            Made::Yes,
            Effect {
                delay_ms: 20_000,
                ..Effect::default()
            },
        ),
        (
            "carried out too late",
            Made::Yes,
            Effect {
                effect_delay_ms: 60_000,
                ..Effect::default()
            },
        ),
        (
            "lost, and carried out late",
            Made::Yes,
            Effect {
                effect_delay_ms: 6_000,
                ..lost(LostAnswer::After)
            },
        ),
    ]
}

/// Clouds that differ in what a search shows.
fn clouds() -> Vec<(&'static str, Config)> {
    let seconds = Duration::from_secs;
    vec![
        ("as usual", World::awkward()),
        (
            "without lags",
            Config {
                list_lag: seconds(0),
                tag_lag: seconds(0),
                topic_lag: seconds(0),
                ..World::awkward()
            },
        ),
        (
            "tags late",
            Config {
                list_lag: seconds(0),
                tag_lag: seconds(90),
                ..World::awkward()
            },
        ),
        (
            "lists late",
            Config {
                list_lag: seconds(240),
                topic_lag: seconds(30),
                ..World::awkward()
            },
        ),
        (
            "descriptions late",
            Config {
                late_descriptions: true,
                ..World::awkward()
            },
        ),
        (
            "unique names",
            Config {
                unique_names: true,
                ..World::awkward()
            },
        ),
        (
            "failures listed",
            Config {
                failed_creates: FailedCreates::Listed,
                ..World::awkward()
            },
        ),
        (
            "failures counted",
            Config {
                failed_creates: FailedCreates::Counted,
                ..World::awkward()
            },
        ),
    ]
}

#[tokio::test(start_paused = true)]
async fn the_create_of_an_instance_goes_wrong() {
    for (turn, (cloud, config)) in clouds().into_iter().enumerate() {
        for (mishap, made, effect) in mishaps() {
            // Every mishap in one cloud, and in all clouds what leaves something or nothing to be found.
            if turn > 0 && !mishap.starts_with("lost") && made != Made::Never {
                continue;
            }
            for estate in ENGINES {
                let instance = estate.instance;
                let when = format!("{instance:?}, {cloud}, {mishap}");
                let world = with_instance_in(estate, config.clone()).await;
                world.fault(CREATE_INSTANCE, effect.clone());
                let _operator = world.start("one");
                world.until_ready(2 * HOUR, &[instance]).await;
                tokio::time::sleep(2 * MINUTE).await;
                assert_whole(&world, &[instance], &when);
                let creates = if made == Made::Yes { 1 } else { 2 };
                assert_eq!(world.calls(CREATE_INSTANCE), creates, "{when}");
                if made == Made::No {
                    assert_patient(&world, &when);
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_create_of_what_lives_in_an_instance_goes_wrong() {
    let clouds = clouds();
    for (estate, cloud) in [(KAFKA, 0), (KAFKA, 3), (ROCKETMQ, 0), (ROCKETMQ_5, 3)] {
        let (cloud, config) = &clouds[cloud];
        let world = with_instance_in(estate, config.clone()).await;
        let _operator = world.start("one");
        world.until_ready(HOUR, &[estate.instance]).await;
        for (mishap, _, effect) in mishaps() {
            let when = format!("{:?}, {cloud}, {mishap}", estate.instance);
            for create in estate.creates {
                world.fault(create, effect.clone());
            }
            estate.apply_children(&world).await;
            world.until_ready(HOUR, &estate.all()).await;
            tokio::time::sleep(2 * MINUTE).await;
            assert_whole(&world, &estate.all(), &when);
            delete_all(&world, estate.children).await;
            // What was carried out too late.
            tokio::time::sleep(2 * MINUTE).await;
            assert_whole(&world, &[estate.instance], &format!("{when}, then deleted"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_connection_is_no_lost_answer() {
    for estate in ENGINES {
        let world = with_all(estate).await;
        world.refuse_connections(3);
        let _operator = world.start("one");
        world
            .until(2 * MINUTE, "made after all", |world| world.instances().len() == 1)
            .await;
        world.until_ready(HOUR, &[estate.instance]).await;
        world.refuse_connections(3);
        world.until_ready(HOUR, &estate.all()).await;
        assert_whole(&world, &estate.all(), "connections refused");
    }
}

#[tokio::test(start_paused = true)]
async fn the_id_cannot_be_written_down() {
    use crate::support::apiserver::Trouble;
    let troubles = [
        Trouble::Refuse(409),
        Trouble::Refuse(500),
        Trouble::RefuseAfter(504),
        Trouble::Break,
        Trouble::BreakAfter,
        Trouble::Hang,
        Trouble::HangAfter,
    ];
    for (trouble, estate) in troubles
        .into_iter()
        .flat_map(|trouble| ENGINES.map(|estate| (trouble, estate)))
    {
        let (instance, resource) = (estate.instance, estate.resource());
        let when = format!("{instance:?}, {trouble:?}");
        let world = with_instance(estate).await;
        let cloud = world.cloud.clone();
        let made = move || cloud.call_counts().contains_key(CREATE_INSTANCE);
        world.server.fail(
            3,
            move |call| call.verb == "patch" && call.resource == resource && made(),
            trouble,
        );
        let _operator = world.start("one");
        world.until_ready(HOUR, &[instance]).await;
        tokio::time::sleep(2 * MINUTE).await;
        assert_whole(&world, &[instance], &when);
        assert_eq!(world.calls(CREATE_INSTANCE), 1, "{when}");
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_the_description_is_the_mark_finds_room_in_it_and_leaves() {
    let descriptions = [
        None,
        Some(String::new()),
        Some("ends in a blank ".into()),
        Some("ü".repeat(1024)),
    ];
    for (description, lost) in descriptions
        .into_iter()
        .flat_map(|d| [(d.clone(), None), (d, Some(LostAnswer::After))])
    {
        let world = with_instance(ROCKETMQ).await;
        let edit = serde_json::json!({"spec": {"description": description}});
        world.edit("RocketMQInstance", "shop", edit).await.unwrap();
        world.fault(
            CREATE_INSTANCE,
            Effect {
                lost,
                ..Effect::default()
            },
        );
        let _operator = world.start("one");
        world.until_ready(HOUR, &[ROCKETMQ.instance]).await;
        tokio::time::sleep(2 * MINUTE).await;
        assert_whole(&world, &[ROCKETMQ.instance], &format!("{description:?}, {lost:?}"));
        assert_eq!(world.calls(CREATE_INSTANCE), 1);
        assert_eq!(world.calls("UpdateInstance"), 1, "once is enough");
    }
}

#[tokio::test(start_paused = true)]
async fn three_searches_are_made_even_if_the_window_is_short() {
    let mut world = with_instance(KAFKA).await;
    world.config.search_window = Duration::ZERO;
    world.fault(
        CREATE_INSTANCE,
        Effect {
            lost: Some(LostAnswer::Before),
            ..Effect::default()
        },
    );
    let _operator = world.start("one");
    world.until_ready(HOUR, &[INSTANCE]).await;
    let calls = world.cloud.calls().into_iter();
    let between = calls
        .skip_while(|call| call.operation != CREATE_INSTANCE)
        .skip(1)
        .take_while(|call| call.operation != CREATE_INSTANCE);
    let lists: Vec<_> = between.filter(|call| call.path.contains("name=events")).collect();
    assert_eq!(lists.len(), 6, "two lists a search: {lists:#?}");
}

/// The second create came only after three complete searches without a trace, over ten minutes.
fn assert_patient(world: &World, when: &str) {
    let calls = world.cloud.calls();
    let creates: Vec<_> = calls.iter().filter(|call| call.operation == CREATE_INSTANCE).collect();
    let (first, second) = (creates[0].time, creates[1].time);
    let waited = second.duration_since(first);
    assert!(waited.as_secs() >= 600, "{when}: {waited:?}");
    let searches = calls
        .iter()
        .filter(|call| call.operation == "ListInstances" && call.time > first && call.time < second);
    assert!(searches.count() >= 6, "{when}: two lists a search");
}

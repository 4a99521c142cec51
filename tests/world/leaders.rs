//! Two operators, one of which does not know that it no longer leads.

use std::time::Duration;

use dms_operator::clock::Clock;
use dms_operator::simulator::{Effect, LostAnswer};
use jiff::Timestamp;
use tokio::time::sleep;

use crate::estate::*;
use crate::support::apiserver::Trouble;
use crate::support::world::World;

/// Who holds the operators' lease, and when it was renewed.
fn lease(world: &World) -> (String, Timestamp) {
    let lease = world
        .server
        .object("leases", "dms-operator", "dms-operator")
        .unwrap_or_default();
    let renewed = text(&lease["spec"]["renewTime"]);
    (
        text(&lease["spec"]["holderIdentity"]),
        renewed.parse().unwrap_or_default(),
    )
}

#[tokio::test(start_paused = true)]
async fn one_that_was_cut_off_anywhere_in_a_create_comes_back() {
    for count in 1..=9 {
        for (away, estate) in [12, 17]
            .into_iter()
            .flat_map(|away| ENGINES.map(|estate| (away, estate)))
        {
            let instance = estate.instance;
            let when = format!("{instance:?}, cut off after {count} effects for {away} s");
            let mut world = with_instance(estate).await;
            world.set_lease(15 * SECOND);
            let first = world.start("first");
            world.cut_after_effects(count, &first);
            let cut = |world: &World| world.effects().len() >= count;
            world.until(MINUTE, &when, cut).await;
            let second = world.start("second");
            sleep(away * SECOND).await;
            first.restore();
            sleep(MINUTE).await;
            assert_eq!(first.has_ended(), away > 15, "{when}: it leads or it ends");
            world.until_ready(HOUR, &[instance]).await;
            sleep(2 * MINUTE).await;
            assert_whole(&world, &[instance], &when);
            assert_eq!(world.calls(CREATE_INSTANCE), 1, "{when}");
            drop((first, second));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_hands_over_anywhere_in_a_create_finishes_its_round() {
    for (turn, tenth) in (0..120).step_by(7).enumerate() {
        let estate = ENGINES[turn % 2];
        let instance = estate.instance;
        let when = format!("{instance:?}, handed over after {tenth} tenths of a second");
        let world = with_instance(estate).await;
        world.server.set_latency(Duration::from_millis(300));
        world.fault(
            CREATE_INSTANCE,
            Effect {
                delay_ms: 3_000,
                ..Effect::default()
            },
        );
        let first = world.start("first");
        let second = world.start("second");
        sleep(tenth * SECOND / 10).await;
        first.stop().await.expect("it ends when told to");
        let handed_over = world.clock.now();
        let leads = |world: &World| lease(world).0 == "second";
        world.until(MINUTE, &when, leads).await;
        let waited = world.clock.now().duration_since(handed_over).as_secs();
        assert!(waited <= 30, "{when}: the lease was given back: {waited} s");
        world.until_ready(HOUR, &[instance]).await;
        sleep(2 * MINUTE).await;
        assert_whole(&world, &[instance], &when);
        assert_eq!(world.calls(CREATE_INSTANCE), 1, "{when}");
        // Nobody had to search for ten minutes: the answer was waited for.
        let running = status(&world, instance, "servedSince");
        let took = running
            .parse::<Timestamp>()
            .unwrap()
            .duration_since(handed_over)
            .as_mins();
        assert!(took < 20, "{when}: {took} min");
        drop(second);
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_is_sent_only_while_the_lease_outlasts_its_timeout() {
    let mut sent = 0;
    for latency in [0, 1_500] {
        for half in 0..32 {
            let mut world = World::furnished().await;
            world.set_lease(15 * SECOND);
            let operator = world.start("one");
            world
                .until(MINUTE, "at work", |world| world.is_ready("ProviderConfig", "default"))
                .await;
            world
                .server
                .fail(usize::MAX, |call| call.resource == "leases", Trouble::Refuse(500));
            world.server.set_latency(Duration::from_millis(latency));
            sleep(half * SECOND / 2).await;
            ENGINES[half as usize % 2].apply_instance(&world).await;
            sleep(MINUTE).await;
            let ends = lease(&world).1 + 15 * SECOND;
            let calls = world.cloud.calls();
            for create in calls.iter().filter(|call| call.operation == CREATE_INSTANCE) {
                sent += 1;
                let left = ends.duration_since(create.time).as_secs_f64();
                assert!(
                    left >= 8.0,
                    "latency {latency} ms, after {half} halves: only {left} s are left"
                );
            }
            assert!(operator.has_ended(), "it lost the lease");
        }
    }
    assert!((10..50).contains(&sent), "some were sent and some were not: {sent}");
}

#[tokio::test(start_paused = true)]
async fn clocks_that_disagree() {
    for shift in [-7_200, 7_200] {
        for lost in [None, Some(LostAnswer::Before), Some(LostAnswer::After)] {
            let estate = ENGINES[usize::from(shift > 0)];
            let instance = estate.instance;
            let when = format!("{instance:?}, {shift} s, {lost:?}");
            let mut world = with_instance(estate).await;
            world.set_lease(15 * SECOND);
            world.fault(
                CREATE_INSTANCE,
                Effect {
                    lost,
                    ..Effect::default()
                },
            );
            let first = world.start("first");
            let made = |world: &World| world.calls(CREATE_INSTANCE) == 1;
            world.until(MINUTE, &when, made).await;
            let begun = world.clock.now();
            world.clock = Clock::anchored(begun + jiff::SignedDuration::from_secs(shift));
            let second = world.start("second");
            sleep(2 * MINUTE).await;
            assert_eq!(lease(&world).0, "first", "{when}: it renews, whatever the clocks say");
            first.crash();
            world.until_ready(2 * HOUR, &[instance]).await;
            sleep(2 * MINUTE).await;
            assert_whole(&world, &[instance], &when);
            let calls = world.cloud.calls();
            let creates: Vec<_> = calls.iter().filter(|call| call.operation == CREATE_INSTANCE).collect();
            assert_eq!(
                creates.len(),
                if lost == Some(LostAnswer::Before) { 2 } else { 1 },
                "{when}"
            );
            for again in &creates[1..] {
                let waited = again.time.duration_since(begun).as_secs();
                assert!(waited >= 600, "{when}: made anew after {waited} s");
            }
            drop(second);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn two_that_both_believe_to_lead_make_one_instance() {
    // As if the lease did not work at all: each status write names the version that it goes by.
    for (tenth, estate) in (0..20).zip(ENGINES.into_iter().cycle()) {
        let instance = estate.instance;
        let when = format!("{instance:?}, the second starts {tenth} tenths of a second later");
        let mut world = with_instance(estate).await;
        world.config.lease = None;
        world.server.set_latency(Duration::from_millis(250));
        let first = world.start("first");
        sleep(tenth * SECOND / 10).await;
        let second = world.start("second");
        world.until_ready(2 * HOUR, &[instance]).await;
        sleep(HOUR).await;
        assert_whole(&world, &[instance], &when);
        assert_eq!(world.calls(CREATE_INSTANCE), 1, "{when}");
        drop((first, second));
    }
}

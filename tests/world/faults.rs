//! Whatever the cloud answers: nothing crashes, nothing runs hot, each trouble is called by its name, and ends by itself.

use std::collections::BTreeMap;

use dms_operator::cloud::Operation;
use dms_operator::simulator::{Effect, Fault, LostAnswer, Malformed};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::everyday::*;
use crate::support::world::World;

/// A way to fail.
struct Trouble {
    name: &'static str,
    effect: Effect,
    /// The reason that a user reads, where the call has no effect.
    reason: Option<&'static str>,
    /// Only a person is expected to help.
    stops: bool,
}

fn refused(name: &'static str, status: u16, code: &str, reason: &'static str) -> Trouble {
    Trouble {
        name,
        effect: Effect {
            status: Some(status),
            code: Some(code.into()),
            ..Effect::default()
        },
        reason: Some(reason),
        stops: !["Throttled", "Retrying", "InstanceBusy"].contains(&reason),
    }
}

fn spoilt(name: &'static str, effect: Effect) -> Trouble {
    Trouble {
        name,
        effect,
        reason: None,
        stops: false,
    }
}

fn malformed(name: &'static str, how: Malformed) -> Trouble {
    let malformed = Some(how);
    spoilt(
        name,
        Effect {
            malformed,
            ..Effect::default()
        },
    )
}

fn lost(name: &'static str, when: LostAnswer) -> Trouble {
    let lost = Some(when);
    spoilt(
        name,
        Effect {
            lost,
            ..Effect::default()
        },
    )
}

fn troubles() -> Vec<Trouble> {
    vec![
        refused("flow control", 429, "APIGW.0308", "Throttled"),
        refused("flow control as a 404", 404, "DMS.10240407", "Throttled"),
        refused("internal error", 500, "DMS.00500000", "Retrying"),
        refused("unavailable", 503, "DMS.00500000", "Retrying"),
        refused("busy", 400, "DMS.00400026", "InstanceBusy"),
        refused("denied", 403, "DMS.99999999", "AccessDenied"),
        refused("invalid", 400, "DMS.00400062", "InvalidSpec"),
        refused("quota", 400, "DMS.00400055", "QuotaExceeded"),
        refused("payment", 400, "DMS.00500987", "PaymentRequired"),
        Trouble {
            reason: Some("Retrying"),
            ..lost("lost before", LostAnswer::Before)
        },
        lost("lost after", LostAnswer::After),
        malformed("html", Malformed::Html),
        malformed("truncated", Malformed::Truncated),
        malformed("empty", Malformed::Empty),
        spoilt(
            "slow",
            Effect {
                delay_ms: 120_000,
                ..Effect::default()
            },
        ),
    ]
}

fn arrange(world: &World, operation: &Operation, times: u32, trouble: &Trouble) {
    world.cloud.add_fault(Fault {
        operation: operation.name().into(),
        times: Some(times),
        effect: trouble.effect.clone(),
        ..Fault::default()
    });
}

fn writes() -> impl Iterator<Item = &'static Operation> {
    Operation::ALL.iter().filter(|operation| !operation.is_read())
}

#[tokio::test(start_paused = true)]
async fn a_life_in_which_every_operation_fails_once() {
    for trouble in troubles() {
        let name = trouble.name;
        let mut world = World::furnished_by_password().await;
        world.set_lease(HOUR);
        apply(&world, &EVERYTHING).await;
        Operation::ALL
            .iter()
            .for_each(|operation| arrange(&world, operation, 1, &trouble));
        let _operator = world.start("one");
        world.until_ready(5 * HOUR, &EVERYTHING).await;
        let tags = json!({"description": "new", "tags": {"env": "prod", "team": null}});
        for (of, spec) in [
            (INSTANCE, tags.clone()),
            (ORDERS, json!({"statusDetail": "Full", "kafka": {"partitions": 9}})),
            (BILLING, json!({"statusDetail": "Full", "description": "new"})),
            (QUOTA, json!({"producerByteRate": "1Mi"})),
            (SHOP, tags),
            (PAYMENTS, json!({"statusDetail": "Full", "rocketmq": {"queueNum": 9}})),
            (
                LEDGER,
                json!({"statusDetail": "Full", "description": "new", "rocketmq": {"brokers": ["broker-0"]}}),
            ),
        ] {
            edit(&world, of, spec).await;
        }
        world.until_ready(5 * HOUR, &EVERYTHING).await;
        edit(&world, QUOTA, json!({"consumerByteRate": null})).await;
        for instance in [INSTANCE, SHOP] {
            edit(&world, instance, json!({"storageSpace": 900})).await;
        }
        world.until_ready(5 * HOUR, &EVERYTHING).await;
        assert_eq!(world.instances().len(), 3, "{name}: {}", world.picture());
        for of in [INSTANCE, SHOP] {
            let instance = instance_of(&world, of);
            assert_eq!(
                (&instance["storageSpace"], &instance["description"]),
                (&json!(900), &json!("new")),
                "{name}"
            );
        }
        assert_eq!(topic(&world, "orders")["partition"], 9, "{name}");
        assert_eq!(group(&world, "billing")["description"], "new", "{name}");
        assert_eq!(group(&world, "GID_ledger")["brokers"], json!(["broker-0"]), "{name}");
        for estate in ESTATES {
            for (kind, object) in estate.children {
                world.delete(kind, object).await;
            }
            world.until_gone(5 * HOUR, estate.children).await;
        }
        for estate in ESTATES {
            world.delete(estate.instance.0, estate.instance.1).await;
            world.until_gone(5 * HOUR, &[estate.instance]).await;
        }
        assert!(world.instances().is_empty(), "{name}: {}", world.picture());
        let unused = world.cloud.faults().into_iter().map(|fault| fault.operation);
        assert_eq!(unused.collect::<Vec<_>>(), [] as [&str; 0], "{name}: all were hit");
    }
}

/// What an hour of trouble is about: objects that are edited, one that is new, and a neighbour that nobody edits.
struct Affected {
    estate: Estate,
    edits: Vec<(Object, Value)>,
    fresh: Object,
    neighbour: Object,
}

/// One of each engine.
fn affected() -> [Affected; 2] {
    let description = || json!({"description": "new"});
    [
        Affected {
            estate: KAFKA,
            edits: vec![
                (INSTANCE, description()),
                (ORDERS, json!({"kafka": {"partitions": 9}})),
                (BILLING, description()),
                (QUOTA, json!({"producerByteRate": "1Mi"})),
            ],
            fresh: ("Topic", "fresh"),
            neighbour: AUDIT,
        },
        Affected {
            estate: ROCKETMQ,
            edits: vec![(SHOP, description()), (PAYMENTS, json!({"rocketmq": {"queueNum": 9}}))],
            fresh: ("ConsumerGroup", "fresh"),
            neighbour: LEDGER,
        },
    ]
}

impl Affected {
    /// Edits and adds; nothing of it can be applied while writes fail.
    async fn edit(&self, world: &World) {
        for (of, spec) in &self.edits {
            edit(world, *of, spec.clone()).await;
        }
        let fresh = match self.fresh.0 {
            "Topic" => example(AUDIT).replace("audit", "fresh"),
            _ => example(LEDGER).replace("ledger", "fresh"),
        };
        world.apply(&fresh).await;
    }

    /// All that waits for the end of the trouble.
    fn all(&self) -> Vec<Object> {
        let edited = self.edits.iter().map(|(of, _)| *of);
        edited.chain([self.fresh]).collect()
    }

    fn assert_applied(&self, world: &World, name: &str) {
        let instance = &world.instances()[0];
        assert_eq!(instance["description"], "new", "{name}");
        match self.estate.instance {
            INSTANCE => assert_eq!(topic(world, "orders")["partition"], 9, "{name}"),
            _ => assert_eq!(
                world.object("Topic", "payments")["status"]["observed"]["queueNum"],
                9,
                "{name}"
            ),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_hour_in_which_every_write_fails() {
    for (trouble, affected) in troubles()
        .iter()
        .flat_map(|trouble| affected().map(|affected| (trouble, affected)))
    {
        let name = format!("{}, {:?}", trouble.name, affected.estate.instance);
        let (world, _operator) = at_rest_with(&affected.estate.all()).await;
        writes().for_each(|operation| arrange(&world, operation, 0, trouble));
        affected.edit(&world).await;
        let bounds = hour_of_bounds(&world, &name).await;
        // A busy instance is looked at every 15 seconds by each object that waits for it.
        let steady = if trouble.reason == Some("InstanceBusy") { 36 } else { 19 };
        assert!(
            bounds.calls_a_minute <= 76 && bounds.calls_at_last <= steady,
            "{name}: {bounds:?}"
        );
        assert_eq!(
            shown(&world, affected.neighbour),
            HEALTHY,
            "{name}: the neighbour is not affected"
        );
        for of in affected.all() {
            let now = shown(&world, of);
            let Some(reason) = trouble.reason else { continue };
            if of == affected.fresh && reason == "Retrying" {
                // Nobody knows whether it was made after all.
                assert_eq!(now, "FTFU Creating", "{name}");
                continue;
            }
            assert!(now.starts_with('F') && now.contains(reason), "{name} {of:?}: {now}");
            let said = message(&world, of, if trouble.stops { "Stalled" } else { "Reconciling" });
            let code = trouble.effect.code.as_deref().unwrap_or_default();
            assert!(said.contains(code), "{name} {of:?}: {said}");
            assert_eq!(said.contains("request "), trouble.stops, "{name} {of:?}: {said}");
        }
        world.cloud.clear_faults();
        let patience = if trouble.stops { 31 * MINUTE } else { 11 * MINUTE };
        world.until_ready(patience, &affected.all()).await;
        affected.assert_applied(&world, &name);
    }
}

#[tokio::test(start_paused = true)]
async fn an_hour_in_which_nothing_at_all_works() {
    for (trouble, affected) in troubles()
        .iter()
        .flat_map(|trouble| affected().map(|affected| (trouble, affected)))
    {
        let name = format!("{}, {:?}", trouble.name, affected.estate.instance);
        let (world, _operator) = at_rest_with(&affected.estate.all()).await;
        Operation::ALL
            .iter()
            .for_each(|operation| arrange(&world, operation, 0, trouble));
        affected.edit(&world).await;
        sleep(20 * MINUTE).await;
        if !trouble.stops {
            let shown = shown(&world, affected.neighbour);
            assert_eq!(shown, HEALTHY, "{name}: at rest nobody noticed yet");
        }
        let bounds = hour_of_bounds(&world, &name).await;
        assert!(
            bounds.calls_a_minute <= 30 && bounds.calls_at_last <= 30,
            "{name}: {bounds:?}"
        );
        let neighbour = shown(&world, affected.neighbour);
        match trouble.reason {
            Some("AccessDenied") => assert_eq!(neighbour, "UFTU AccessDenied", "{name}"),
            Some(reason) if trouble.stops => assert_eq!(neighbour, format!("FFTU {reason}"), "{name}"),
            reason => assert_eq!(
                neighbour,
                format!("TFFU Available {}", reason.unwrap_or("Retrying")),
                "{name}"
            ),
        }
        world.cloud.clear_faults();
        let patience = if trouble.stops { 31 * MINUTE } else { 11 * MINUTE };
        world.until_ready(patience, &affected.all()).await;
        world
            .until(RESYNC, "well again", |world| {
                shown(world, affected.neighbour) == HEALTHY
            })
            .await;
        affected.assert_applied(&world, &name);
    }
}

#[tokio::test(start_paused = true)]
async fn one_topic_that_is_refused_holds_up_no_other() {
    let (world, _operator) = at_rest().await;
    let orders_only = dms_operator::simulator::Match {
        name: Some("orders".into()),
        instance: None,
    };
    world.cloud.add_fault(Fault {
        operation: "UpdateInstanceTopic".into(),
        times: Some(0),
        only: orders_only,
        effect: refused("", 400, "DMS.00400062", "").effect,
        ..Fault::default()
    });
    edit(&world, ORDERS, json!({"kafka": {"partitions": 9}})).await;
    world
        .until(MINUTE, "refused", |world| {
            shown(world, ORDERS) == "FFTF InvalidSpec DriftFound"
        })
        .await;
    edit(&world, AUDIT, json!({"kafka": {"partitions": 5}})).await;
    edit(&world, QUOTA, json!({"producerByteRate": "1Mi"})).await;
    world.until_ready(2 * MINUTE, &[AUDIT, QUOTA]).await;
}

#[derive(Debug)]
struct Bounds {
    /// Calls to the cloud in the worst minute.
    calls_a_minute: usize,
    /// The same in the last ten minutes.
    calls_at_last: usize,
}

/// Lets an hour pass, and looks at each minute of it: what is written about an object, and told in Events, stays little.
async fn hour_of_bounds(world: &World, name: &str) -> Bounds {
    let mut calls = vec![];
    let mut told = 0;
    for minute in 0..60 {
        let before = (world.cloud.calls().len(), world.server.requests().len());
        sleep(MINUTE).await;
        calls.push(world.cloud.calls().len() - before.0);
        let mut writes = BTreeMap::<String, usize>::new();
        for record in &world.server.requests()[before.1..] {
            if record.user == "operator" && record.writes() && record.resource != "leases" {
                *writes
                    .entry(format!("{}/{}", record.resource, record.name))
                    .or_default() += 1;
                told += usize::from(record.resource == "events");
            }
        }
        // An intent is written before each attempt of a create and taken back after it, and there are seven in the first
        // minute. Later, whoever waits for a busy instance may be the one that tries every 15 seconds.
        let bound = if minute == 0 { 16 } else { 8 };
        let most = writes.values().max().copied().unwrap_or_default();
        assert!(most <= bound, "{name}, minute {minute}: {writes:?}");
    }
    assert!(told <= 24, "{name}: {told} Events about seven objects at most");
    Bounds {
        calls_a_minute: calls.iter().copied().max().unwrap_or_default(),
        calls_at_last: calls[50..].iter().copied().max().unwrap_or_default(),
    }
}

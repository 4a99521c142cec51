//! What a round that ended early means for its object.

use super::fault::{Again, Halt, Standing, create_failed, interrupted};
use super::*;
use crate::api::CreateIntent;
use crate::cloud::{Class, Error, Operation as Call, Sent};

const PASSING: [(Class, &str); 6] = [
    (Class::Busy, "InstanceBusy"),
    (Class::Throttled, "Throttled"),
    (Class::Unavailable, "Retrying"),
    (Class::Malformed, "Retrying"),
    (Class::NotFound, "Retrying"),
    (Class::AlreadyExists, "Retrying"),
];
const STOPPING: [(Class, &str); 5] = [
    (Class::Invalid, "InvalidSpec"),
    (Class::Quota, "QuotaExceeded"),
    (Class::Payment, "PaymentRequired"),
    (Class::Denied, "AccessDenied"),
    (Class::Reauthenticate, "AccessDenied"),
];

fn error(class: Class) -> Error {
    Error::new(Call::ShowInstance, class, Sent::Refused, "no")
}

/// Never served; applied at generation 1 and healthy.
fn new() -> CoreStatus {
    CoreStatus::default()
}

fn healthy() -> CoreStatus {
    CoreStatus {
        served_since: Some(written(0)),
        applied_generation: Some(1),
        conditions: Situation::Healthy { message: "fine".into() }.conditions(&[], 1, &[], at(0)),
        ..Default::default()
    }
}

fn look(core: &CoreStatus, generation: i64) -> Standing<'_> {
    Standing {
        core,
        generation,
        deleting: false,
        acting: false,
        recent: true,
    }
}

#[test]
fn each_fault_means_for_each_standing_what_a_user_would_expect() {
    let (new, healthy) = (new(), healthy());
    let intended = CoreStatus {
        create_intent: Some(CreateIntent::default()),
        ..Default::default()
    };
    // Standing, what passes by itself, what stops, and refused credentials; "" is the reason, "-" changes nothing.
    let table = [
        ("never served, look", look(&new, 1), "Waiting/", "Stopped/", "Stopped/"),
        (
            "create sent",
            Standing {
                acting: true,
                ..look(&intended, 1)
            },
            "Creating",
            "Stopped/",
            "Stopped/",
        ),
        (
            "create lost, look",
            look(&intended, 1),
            "Waiting/",
            "Stopped/",
            "Stopped/",
        ),
        (
            "edited, look",
            look(&healthy, 2),
            "Updating/",
            "Edit stopped/",
            "Edit stopped/",
        ),
        (
            "edited, step",
            Standing {
                acting: true,
                ..look(&healthy, 2)
            },
            "Updating/",
            "Edit stopped/",
            "Edit stopped/",
        ),
        ("at rest, recent", look(&healthy, 1), "-", "Stopped/", "Denied"),
        (
            "at rest, long ago",
            Standing {
                recent: false,
                ..look(&healthy, 1)
            },
            "Unread/",
            "Stopped/",
            "Denied",
        ),
        (
            "drift, step",
            Standing {
                acting: true,
                ..look(&healthy, 1)
            },
            "Correcting",
            "Edit stopped/",
            "Edit stopped/",
        ),
        (
            "deleting",
            Standing {
                deleting: true,
                ..look(&healthy, 1)
            },
            "Deleting",
            "Deletion stopped/",
            "Deletion stopped/",
        ),
        (
            "deleting, step",
            Standing {
                deleting: true,
                acting: true,
                ..look(&new, 1)
            },
            "Deleting",
            "Deletion stopped/",
            "Deletion stopped/",
        ),
    ];
    for (what, standing, passing, stopping, denied) in table {
        let expect = |pattern: &str, reason: &str| match pattern.ends_with('/') {
            true => format!("{pattern}{reason}"),
            false => pattern.to_owned(),
        };
        for (class, reason) in PASSING {
            let (situation, again) = interrupted(standing, &error(class).into());
            let shown = situation.as_ref().map_or("-".into(), name_of);
            assert_eq!(shown, expect(passing, reason), "{what}, {class:?}");
            let expected = match class {
                // What was to be sent goes when the writes to the instance move again.
                Class::Busy if standing.acting => Again::At(Next::Moved),
                Class::Busy => Again::At(Next::Poll),
                _ => Again::Backoff(Duration::ZERO),
            };
            assert_eq!(again, expected, "{what}, {class:?}");
        }
        for (class, reason) in STOPPING {
            let (situation, again) = interrupted(standing, &error(class).into());
            let situation = situation.unwrap();
            let pattern = if reason == "AccessDenied" { denied } else { stopping };
            assert_eq!(name_of(&situation), expect(pattern, reason), "{what}, {class:?}");
            says(situation.message(), "failed to");
            let pause = if standing.deleting { BLOCKED } else { STOP };
            assert_eq!(again, Again::At(Next::Stop(pause)), "{what}, {class:?}");
        }
    }
}

#[test]
fn a_missing_reference_and_a_stop_before_the_call_are_told_likewise() {
    let (new, healthy) = (new(), healthy());
    let missing = Halt::Waiting("ProviderConfig shop/default does not exist".into());
    let moved = Halt::Stop(Reason::InvalidSpec, "points elsewhere".into());
    let shown = |standing, halt: &Halt| interrupted(standing, halt).0.map_or("-".into(), |s| name_of(&s));
    assert_eq!(shown(look(&new, 1), &missing), "Waiting/WaitingForReference");
    assert_eq!(shown(look(&healthy, 2), &missing), "Updating/WaitingForReference");
    assert_eq!(shown(look(&healthy, 1), &missing), "-");
    assert_eq!(shown(look(&healthy, 1), &moved), "Stopped/InvalidSpec");
    assert_eq!(interrupted(look(&new, 1), &missing).1, Again::At(Next::Woken));
}

#[test]
fn the_same_failure_again_writes_nothing_new() {
    for (class, _) in PASSING.iter().chain(&STOPPING) {
        for (core, generation) in [(new(), 1), (healthy(), 1), (healthy(), 2)] {
            for (acting, recent) in [(false, false), (true, false), (true, true)] {
                let mut core = core.clone();
                let mut shown = vec![];
                for round in 0..3 {
                    let standing = Standing {
                        acting,
                        recent,
                        ..look(&core, generation)
                    };
                    let situation = interrupted(standing, &error(*class).into()).0.unwrap();
                    core.conditions = situation.conditions(&[], generation, &core.conditions, at(round));
                    shown.push(core.conditions.clone());
                }
                assert_eq!(shown[1], shown[2], "{class:?} {generation} {acting}");
                assert_eq!(shown[0], shown[1], "{class:?} {generation} {acting}");
            }
        }
    }
}

#[test]
fn an_intent_stays_unless_nothing_can_have_been_made() {
    for (sent, attempts, stays) in [
        (Sent::Never, None, false),
        (Sent::Refused, None, false),
        (Sent::Refused, Some(1), false),
        (Sent::Unknown, None, true),
        // The first attempt may still have been carried out.
        (Sent::Never, Some(2), true),
        (Sent::Refused, Some(2), true),
        (Sent::Unknown, Some(2), true),
    ] {
        let intent = CreateIntent {
            attempts,
            ..Default::default()
        };
        let mut core = CoreStatus {
            create_intent: Some(intent),
            external_name: Some("orders".into()),
            ..Default::default()
        };
        let error = Error::new(Call::CreateInstanceTopic, Class::Unavailable, sent, "no");
        create_failed(&mut core, &error, at(0));
        assert_eq!(core.create_intent.is_some(), stays, "{sent:?} {attempts:?}");
        assert_eq!(core.external_name.is_some(), stays, "{sent:?} {attempts:?}");
    }
}

#[test]
fn an_instances_intent_stays_where_a_refusal_may_mean_our_own_create() {
    for (class, sent, attempts, stays) in [
        (Class::Invalid, Sent::Refused, None, false),
        // The first attempt is proven to have left no trace, or the second would not have been sent.
        (Class::Invalid, Sent::Refused, Some(2), false),
        (Class::Unavailable, Sent::Never, Some(2), false),
        // A gateway may have delivered it twice.
        (Class::AlreadyExists, Sent::Refused, None, true),
        (Class::Unavailable, Sent::Unknown, None, true),
    ] {
        let intent = CreateIntent {
            nonce: Some("7f3a".into()),
            attempts,
            ..Default::default()
        };
        let mut core = CoreStatus {
            create_intent: Some(intent),
            ..Default::default()
        };
        create_failed(
            &mut core,
            &Error::new(Call::CreateInstanceByEngine, class, sent, "no"),
            at(0),
        );
        assert_eq!(core.create_intent.is_some(), stays, "{class:?} {sent:?} {attempts:?}");
    }
}

#[test]
fn whoever_must_act_is_told_how() {
    for (class, way_out) in [
        (Class::Invalid, "edit the spec"),
        (Class::Quota, "have the quota raised"),
        (Class::Payment, "settle the account"),
        (Class::Denied, "the Secret of its ProviderConfig"),
        (Class::Reauthenticate, "the Secret of its ProviderConfig"),
    ] {
        let situation = interrupted(look(&new(), 1), &error(class).into()).0.unwrap();
        assert!(situation.message().contains(way_out), "{situation:?}");
    }
    let untouched = new();
    let deleting = Standing {
        deleting: true,
        ..look(&untouched, 1)
    };
    let situation = interrupted(deleting, &error(Class::Invalid).into()).0.unwrap();
    assert!(!situation.message().contains("edit the spec"), "{situation:?}");
}

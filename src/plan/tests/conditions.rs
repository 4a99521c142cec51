//! The table of conditions, and what kstatus makes of each row.

use super::*;
use crate::api::{Correction, Drift};

const EVERY_REASON: [Reason; 25] = {
    use Reason::*;
    [
        Pending,
        WaitingForReference,
        Creating,
        Updating,
        Deleting,
        CorrectingDrift,
        InstanceBusy,
        DisruptionPending,
        Throttled,
        Retrying,
        Available,
        InSync,
        DriftFound,
        Paused,
        InvalidSpec,
        ConfirmationRequired,
        Conflict,
        AlreadyExists,
        NotFound,
        NotAllowed,
        AccessDenied,
        QuotaExceeded,
        PaymentRequired,
        CloudFailed,
        DeletionBlocked,
    ]
};
const STOPS: [Reason; 11] = {
    use Reason::*;
    [
        InvalidSpec,
        ConfirmationRequired,
        Conflict,
        AlreadyExists,
        NotFound,
        NotAllowed,
        AccessDenied,
        QuotaExceeded,
        PaymentRequired,
        CloudFailed,
        DeletionBlocked,
    ]
};

fn drift() -> Vec<Drift> {
    let one = |field: &str, wanted: &str, found: &str| Drift {
        field: field.into(),
        wanted: wanted.into(),
        found: found.into(),
        correction: Correction::InPlace,
    };
    vec![
        one("spec.retentionPolicy", "time_base", "produce_reject"),
        one("spec.name", "a", "b"),
    ]
}

/// `Ready T Available | Reconciling F Available | ...`, without the types.
fn row(conditions: &[Condition]) -> String {
    let cells = conditions
        .iter()
        .map(|c| format!("{} {}", &c.status[..1], c.reason))
        .collect::<Vec<_>>();
    cells.join(" | ")
}

fn message() -> String {
    "why".into()
}

fn differing() -> Situation {
    Situation::Differing {
        message: message(),
        why: "nothing is changed",
    }
}

#[test]
fn each_situation_reads_as_the_table_says() {
    use Situation::*;
    let waiting = |reason| Waiting {
        reason,
        message: message(),
    };
    let updating = |reason| Updating {
        reason,
        message: message(),
    };
    let unread = |reason| Unread {
        reason,
        message: message(),
    };
    let stopped = |reason, edit| Stopped {
        reason,
        message: message(),
        edit,
    };
    let creating = |again| Creating {
        message: message(),
        again,
    };
    let mut table = vec![
        (
            Pending,
            "U Pending | T Pending | F Pending | U Pending".to_owned(),
            "InProgress",
        ),
        (
            creating(false),
            "F Creating | T Creating | F Creating | U Creating".into(),
            "InProgress",
        ),
        (
            creating(true),
            "F Creating | T Creating | F Creating | F DriftFound".into(),
            "InProgress",
        ),
        (
            Healthy { message: message() },
            "T Available | F Available | F Available | T InSync".into(),
            "Current",
        ),
        (
            Correcting { message: message() },
            "T Available | T CorrectingDrift | F Available | F DriftFound".into(),
            "InProgress",
        ),
        (
            differing(),
            "T Available | F Available | F Available | F DriftFound".into(),
            "Current",
        ),
        (
            Denied { message: message() },
            "U AccessDenied | F AccessDenied | T AccessDenied | U AccessDenied".into(),
            "Failed",
        ),
        (
            Deleting { message: message() },
            "F Deleting | T Deleting | F Deleting | U Deleting".into(),
            "Terminating",
        ),
    ];
    for r in [
        Reason::WaitingForReference,
        Reason::InstanceBusy,
        Reason::Throttled,
        Reason::Retrying,
    ] {
        table.push((waiting(r), format!("F {r} | T {r} | F {r} | U {r}"), "InProgress"));
    }
    for r in [
        Reason::Updating,
        Reason::InstanceBusy,
        Reason::Throttled,
        Reason::Retrying,
        Reason::DisruptionPending,
    ] {
        table.push((
            updating(r),
            format!("F {r} | T {r} | F {r} | F DriftFound"),
            "InProgress",
        ));
    }
    for r in [Reason::Throttled, Reason::Retrying, Reason::WaitingForReference] {
        table.push((
            unread(r),
            format!("T Available | F Available | F Available | U {r}"),
            "Current",
        ));
    }
    for r in STOPS {
        table.push((stopped(r, false), format!("F {r} | F {r} | T {r} | U {r}"), "Failed"));
        table.push((
            stopped(r, true),
            format!("F {r} | F {r} | T {r} | F DriftFound"),
            "Failed",
        ));
        let blocked = DeletionStopped {
            reason: r,
            message: message(),
        };
        table.push((blocked, format!("F {r} | F {r} | T {r} | U {r}"), "Terminating"));
    }
    for (situation, expected, verdict) in table {
        let conditions = situation.conditions(&[], 7, &[], at(0));
        assert_eq!(row(&conditions), expected, "{situation:?}");
        let types: Vec<_> = conditions.iter().map(|c| c.type_.as_str()).collect();
        assert_eq!(types, ["Ready", "Reconciling", "Stalled", "Synced"]);
        assert!(
            conditions.iter().all(|c| c.observed_generation == Some(7)),
            "{situation:?}"
        );
        let deleting = verdict == "Terminating";
        assert_eq!(kstatus(deleting, 7, Some(7), &conditions), verdict, "{situation:?}");
        assert_eq!(situation.is_stopped(), conditions[2].status == "True", "{situation:?}");
    }
}

#[test]
fn what_was_applied_or_edited_after_the_last_look_is_in_progress() {
    let healthy = Situation::Healthy { message: message() }.conditions(&[], 1, &[], at(0));
    assert_eq!(kstatus(false, 1, Some(-1), &[]), "InProgress");
    assert_eq!(kstatus(false, 2, Some(1), &healthy), "InProgress");
    assert_eq!(kstatus(false, 1, Some(1), &healthy), "Current");
}

#[test]
fn a_paused_object_stays_as_ready_as_it_was() {
    let before = Situation::Healthy { message: message() }.conditions(&[], 3, &[], at(0));
    let paused = Situation::Paused.conditions(&[], 3, &before, at(60));
    assert_eq!(row(&paused), "T Available | F Paused | F Paused | U Paused");
    assert_eq!(paused[0], before[0]);
    assert_eq!(kstatus(false, 3, Some(3), &paused), "Current");
    assert_eq!(kstatus(false, 4, Some(3), &paused), "InProgress");
    says(&paused[3].message, "dms.huaweicloud.com/paused");
    let never_seen = Situation::Paused.conditions(&[], 1, &[], at(0));
    assert_eq!(row(&never_seen), "U Paused | F Paused | F Paused | U Paused");
}

fn every_situation() -> Vec<Situation> {
    let message = message;
    let mut all = vec![
        Situation::Pending,
        Situation::Paused,
        Situation::Creating {
            message: message(),
            again: false,
        },
        Situation::Creating {
            message: message(),
            again: true,
        },
        Situation::Healthy { message: message() },
        Situation::Correcting { message: message() },
        differing(),
        Situation::Denied { message: message() },
        Situation::Deleting { message: message() },
    ];
    for reason in EVERY_REASON {
        all.push(Situation::Waiting {
            reason,
            message: message(),
        });
        all.push(Situation::Updating {
            reason,
            message: message(),
        });
        all.push(Situation::Unread {
            reason,
            message: message(),
        });
        all.push(Situation::Stopped {
            reason,
            message: message(),
            edit: false,
        });
        all.push(Situation::Stopped {
            reason,
            message: message(),
            edit: true,
        });
        all.push(Situation::DeletionStopped {
            reason,
            message: message(),
        });
    }
    all
}

#[test]
fn reconciling_and_stalled_are_never_both_true_and_ready_never_with_stalled() {
    for (situation, before) in every_situation()
        .iter()
        .flat_map(|s| every_situation().into_iter().map(move |b| (s, b)))
    {
        let before = before.conditions(&[], 1, &[], at(0));
        let conditions = situation.conditions(&drift(), 1, &before, at(1));
        let [ready, reconciling, stalled, synced] = conditions.as_slice() else {
            panic!("{conditions:?}");
        };
        assert!(
            !(reconciling.status == "True" && stalled.status == "True"),
            "{situation:?}"
        );
        assert!(!(ready.status == "True" && stalled.status == "True"), "{situation:?}");
        assert!(!(synced.status == "True" && ready.status != "True"), "{situation:?}");
        if ready.status == "True" {
            assert_eq!(ready.reason, "Available", "{situation:?}");
        }
        for c in [ready, reconciling, stalled] {
            assert!(c.status != "True" || !c.message.is_empty(), "{situation:?}: {c:?}");
        }
    }
}

#[test]
fn a_condition_moves_its_time_only_with_its_status() {
    let creating = |message: &str| Situation::Creating {
        message: message.into(),
        again: false,
    };
    let first = creating("one").conditions(&[], 1, &[], at(0));
    let second = creating("two").conditions(&[], 2, &first, at(10));
    let healthy = Situation::Healthy { message: message() }.conditions(&[], 2, &second, at(20));
    let times = |conditions: &[Condition]| conditions.iter().map(|c| c.last_transition_time.0).collect::<Vec<_>>();
    assert_eq!(times(&first), [at(0); 4]);
    assert_eq!(times(&second), [at(0); 4]);
    assert_eq!(second[0].message, "two");
    // Stalled was False all along.
    assert_eq!(times(&healthy), [at(20), at(20), at(0), at(20)]);
    // The same situation again is the same status, whatever the time.
    let again = Situation::Healthy { message: message() }.conditions(&[], 2, &healthy, at(99));
    assert_eq!(again, healthy);
}

#[test]
fn messages_say_what_matters_where_it_matters() {
    let of = |situation: Situation, drift: &[Drift]| {
        let conditions = situation.conditions(drift, 1, &[], at(0));
        conditions.into_iter().map(|c| c.message).collect::<Vec<_>>()
    };
    assert_eq!(of(Situation::Healthy { message: message() }, &[]), ["why", "", "", ""]);
    assert_eq!(
        of(Situation::Correcting { message: message() }, &drift()),
        [
            "why",
            "why",
            "",
            "2 fields differ, first: spec.retentionPolicy wanted time_base found produce_reject"
        ]
    );
    assert_eq!(
        of(differing(), &drift()[1..])[3],
        "1 field differs, first: spec.name wanted a found b; nothing is changed"
    );
    let stopped = Situation::Stopped {
        reason: Reason::Conflict,
        message: message(),
        edit: false,
    };
    assert_eq!(of(stopped, &drift()), ["why", "", "why", "why"]);
    let long = Situation::Healthy {
        message: "ä".repeat(40_000),
    };
    let cut = &of(long, &[])[0];
    assert!(cut.len() <= 32 * 1024 && cut.ends_with("ä…"), "{}", cut.len());
}

#[test]
fn an_event_tells_the_reason_that_moved() {
    let headline = |situation: Situation| situation.headline();
    assert_eq!(
        headline(Situation::Correcting { message: message() }),
        Reason::CorrectingDrift
    );
    assert_eq!(headline(differing()), Reason::DriftFound);
    assert_eq!(headline(Situation::Healthy { message: message() }), Reason::Available);
    assert_eq!(headline(Situation::Paused), Reason::Paused);
    let updating = Situation::Updating {
        reason: Reason::Throttled,
        message: message(),
    };
    assert_eq!(headline(updating), Reason::Throttled);
}

#[test]
fn reasons_are_spelled_as_their_names() {
    for reason in EVERY_REASON {
        assert_eq!(format!("{reason:?}"), reason.as_str());
    }
}

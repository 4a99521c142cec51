//! How an instance goes, and what holds it.

use serde_json::json;

use super::instance::{DELETE, Found, Search};
use super::instances::{
    accept, empty, ids, in_state, later, leave, look, nothing, object, plain, running, served, shown,
};
use super::kafka_instance::Step;
use super::*;

#[test]
fn a_deletion_is_sent_then_waited_for_until_the_instance_is_proven_gone() {
    let mut object = served(json!({}), shown("RUNNING", json!({})));
    let plan = leave(&mut object, running(), 10);
    assert_eq!(plan.steps, [Step::Delete("i1".into())]);
    accept(&mut object, DELETE, None, 10);
    says(
        &idle(&leave(&mut object, running(), 129)),
        "Deleting, Poll: deletion accepted at",
    );
    let again = leave(&mut object.clone(), running(), 130);
    says(
        &told(&again),
        "the accepted deletion of Kafka instance events had no effect; sends it again",
    );
    assert_eq!(again.steps.len(), 1);
    says(&idle(&leave(&mut object, in_state("DELETING"), 999)), "is DELETING");
    assert_eq!(leave(&mut object, Found::Missing(1), 999).next, Next::Poll);
    assert_eq!(leave(&mut object, Found::Missing(2), 999).next, Next::Release);
    assert_eq!(leave(&mut object, in_state("RECYCLE"), 999).next, Next::Release);
}

#[test]
fn a_deletion_waits_for_what_cannot_be_deleted_now_and_tells_what_nobody_can() {
    let mut object = served(json!({}), shown("RUNNING", json!({})));
    says(
        &idle(&leave(&mut object, in_state("CREATING"), 0)),
        "cannot be deleted before that ends",
    );
    let frozen = leave(&mut object, in_state("FROZEN"), 0);
    says(&told(&frozen), "Deletion stopped/PaymentRequired, Stop 5 min");
    let rival = look(&mut object, running(), |f, _| {
        f.deleting = true;
        f.owner = Some("KafkaInstance shop/first".into());
    });
    says(
        &idle(&rival),
        "Deleting, Release: Kafka instance events belongs to another object and stays",
    );
}

#[test]
fn a_deletion_after_a_lost_answer_leaves_nothing_behind() {
    let mut object = object(json!({}));
    assert_eq!(leave(&mut object.clone(), nothing(), 0).next, Next::Release);
    plain(&mut object, nothing());
    says(
        &idle(&leave(&mut object, empty(1), 10)),
        "Deleting, Poll: the answer to a create was lost",
    );
    assert_eq!(leave(&mut object.clone(), empty(3), 609).next, Next::Poll);
    assert_eq!(leave(&mut object.clone(), empty(2), 610).next, Next::Poll);
    assert_eq!(leave(&mut object.clone(), empty(3), 610).next, Next::Release);
    // Tags that cannot be read may be ours.
    leave(&mut object, ids(&[], &[], &["i7"]), 600);
    assert_eq!(leave(&mut object.clone(), empty(3), 620).next, Next::Poll);

    // Of two that our create made, the second goes after the first.
    assert_eq!(leave(&mut object, ids(&["i1", "i2"], &[], &[]), 630).next, Next::Soon);
    assert_eq!(leave(&mut object, running(), 631).steps, [Step::Delete("i1".into())]);
    assert_eq!(leave(&mut object, Found::Missing(2), 640).next, Next::Soon);
    leave(&mut object, ids(&["i2"], &[], &[]), 641);
    assert_eq!(leave(&mut object, running(), 642).steps, [Step::Delete("i2".into())]);
    assert_eq!(leave(&mut object, Found::Missing(2), 650).next, Next::Release);
}

#[test]
fn a_clock_put_forward_shortens_no_search() {
    let mut object = object(json!({}));
    plain(&mut object, nothing());
    later(&mut object, empty(1), 0);
    for (searched, again) in [(WINDOW - Duration::from_secs(1), false), (WINDOW, true)] {
        let found = || {
            Found::Searched(Search {
                empty_in_a_row: 99,
                empty_for: searched,
                ..Default::default()
            })
        };
        assert_eq!(later(&mut object.clone(), found(), 9999).steps.len() == 1, again);
        assert_eq!(leave(&mut object.clone(), found(), 9999).next == Next::Release, again);
    }
}

//! What an instance admits of other namespaces, and what a refusal says.

use serde_json::{Value, json};

use super::*;
use crate::api::Grant;
use crate::plan::grant::{Labels, Share, Wish, admit, fits};

const EVENTS: &str = "KafkaInstance platform/events";

fn grants(grants: Value) -> Vec<Grant> {
    serde_json::from_value(grants).unwrap()
}

fn labels(labels: &[(&str, &str)]) -> Labels {
    let owned = |(key, value): &(&str, &str)| (key.to_string(), value.to_string());
    labels.iter().map(owned).collect()
}

fn topic(name: &str) -> Wish {
    Wish::Topic(name.into())
}

/// The name of the grant that admits a wish of the namespace `payments`, or the refusal.
fn asked(admitted: &[Grant], wish: &Wish) -> Result<String, String> {
    let labels = labels(&[("tenant", "payments"), ("stage", "test")]);
    admit(EVENTS, admitted, ("payments", &labels), wish).map(|grant| grant.name.clone())
}

#[test]
fn a_namespace_is_admitted_by_name_or_by_its_labels() {
    let of = |selector: Value| {
        let granted = grants(json!([{"name": "g", "selector": selector}]));
        asked(&granted, &topic("orders")).is_ok()
    };
    let expression = |key: &str, operator: &str, values: Value| {
        of(json!({"matchExpressions": [{"key": key, "operator": operator, "values": values}]}))
    };
    assert!(of(json!({})), "every namespace");
    assert!(of(json!({"matchLabels": {"tenant": "payments"}})));
    assert!(!of(json!({"matchLabels": {"tenant": "billing"}})));
    assert!(
        !of(json!({"matchLabels": {"tenant": "payments", "region": "eu"}})),
        "all of them"
    );
    assert!(expression("stage", "In", json!(["live", "test"])));
    assert!(!expression("stage", "In", json!(["live"])));
    assert!(!expression("region", "In", json!(["eu"])));
    assert!(expression("stage", "NotIn", json!(["live"])));
    assert!(expression("region", "NotIn", json!(["eu"])), "what is not there");
    assert!(!expression("stage", "NotIn", json!(["test"])));
    assert!(expression("stage", "Exists", json!([])));
    assert!(!expression("region", "Exists", json!([])));
    assert!(expression("region", "DoesNotExist", json!([])));
    assert!(!expression("stage", "DoesNotExist", json!([])));
    assert!(!of(json!({
        "matchLabels": {"tenant": "payments"},
        "matchExpressions": [{"key": "stage", "operator": "In", "values": ["live"]}],
    })));
    let named = |names: Value| asked(&grants(json!([{"name": "g", "namespaces": names}])), &topic("orders")).is_ok();
    assert!(named(json!(["billing", "payments"])));
    assert!(!named(json!(["pay"])));
}

#[test]
fn the_first_grant_that_fits_decides() {
    let granted = grants(json!([
        {"name": "others", "namespaces": ["billing"]},
        {"name": "groups", "namespaces": ["payments"], "kinds": ["ConsumerGroup"]},
        {"name": "pay", "namespaces": ["payments"], "namePrefixes": ["pay.", "pay-"]},
        {"name": "all", "selector": {}, "namePrefixes": ["p"]},
        {"name": "quotas", "selector": {}, "kinds": ["KafkaUserQuota"], "namePrefixes": ["never"]},
    ]));
    assert_eq!(asked(&granted, &topic("pay.orders")).unwrap(), "pay");
    assert_eq!(asked(&granted, &topic("pay-orders")).unwrap(), "pay");
    assert_eq!(asked(&granted, &topic("payments")).unwrap(), "all");
    assert_eq!(asked(&granted, &Wish::ConsumerGroup("x".into())).unwrap(), "groups");
    assert_eq!(
        asked(&granted, &Wish::Quota { default: false }).unwrap(),
        "quotas",
        "quotas have no name"
    );
}

#[test]
fn a_refusal_says_whom_to_ask_and_what_the_namespace_may_have() {
    let granted = grants(json!([
        {"name": "payments", "namespaces": ["payments"], "namePrefixes": ["pay.", "pay-"]},
        {"name": "billing", "namespaces": ["billing"]},
    ]));
    let refused = |wish: &Wish| asked(&granted, wish).unwrap_err();
    assert_eq!(
        refused(&topic("orders")),
        "KafkaInstance platform/events: no grant for Topic from namespace payments fits the name \"orders\" \
         (grant payments allows pay-, pay.); ask the owner of platform/events, or rename"
    );
    assert_eq!(
        refused(&Wish::Quota { default: false }),
        "KafkaInstance platform/events: no grant for KafkaUserQuota from namespace payments \
         (grant payments allows Topic, ConsumerGroup); ask the owner of platform/events"
    );
    let nobody = admit(EVENTS, &granted, ("hr", &Labels::new()), &topic("pay.x")).unwrap_err();
    assert_eq!(
        nobody,
        "KafkaInstance platform/events: no grant in its spec.allowedNamespaces admits namespace hr; \
         ask the owner of platform/events",
        "and nothing of others"
    );
    let everything = grants(json!([{"name": "all", "selector": {}, "kinds": ["KafkaUserQuota"]}]));
    let default = asked(&everything, &Wish::Quota { default: true }).unwrap_err();
    assert!(default.contains("a default quota holds for everybody"), "{default}");
    let prefixes: Vec<_> = (0..32).map(|n| format!("{n:0>200}")).collect();
    let many = grants(json!([{"name": "g", "selector": {}, "namePrefixes": prefixes}]));
    assert!(
        asked(&many, &topic("x")).unwrap_err().len() < 1300,
        "messages stay short"
    );
}

fn share(name: &str, has: u32, wants: u32, age: i64) -> Share {
    Share {
        has,
        wants,
        admitted: false,
        age: (Some(at(age)), name.into()),
    }
}

fn admitted(share: Share) -> Share {
    Share {
        admitted: true,
        ..share
    }
}

#[test]
fn partitions_fit_into_their_grant_the_older_first() {
    let limited = grants(json!([{"name": "payments", "selector": {}, "maxPartitions": 10}])).remove(0);
    let room = |mine: Share, others: &[Share]| fits(EVENTS, &limited, &mine, others).is_ok();
    let mine = |has, wants| share("mine", has, wants, 5);
    assert!(room(mine(0, 10), &[]));
    assert!(!room(mine(0, 11), &[]));
    assert!(room(mine(4, 10), &[]), "what it has counts once");
    assert!(!room(mine(0, 5), &[share("there", 6, 0, 9)]), "younger, but there");
    assert!(!room(mine(0, 5), &[share("older", 0, 6, 1)]));
    assert!(room(mine(0, 5), &[share("younger", 0, 6, 9)]));
    assert!(
        !room(mine(0, 5), &[admitted(share("younger", 0, 6, 9))]),
        "its call is on the way"
    );
    assert!(
        room(mine(0, 5), &[share("older", 0, 11, 1)]),
        "what does not fit itself holds up nobody"
    );
    assert!(!room(mine(0, 5), &[admitted(share("older", 0, 11, 1))]));
    assert!(!room(mine(0, 5), &[share("older", 4, 8, 1)]), "it may grow first");
    assert!(room(mine(0, 5), &[share("older", 4, 2, 1)]), "nothing shrinks");
    assert!(!room(mine(0, 4), &[share("a", 0, 4, 1), share("b", 0, 4, 2)]));
    assert!(room(
        mine(0, 2),
        &[share("a", 0, 4, 1), share("b", 0, 7, 2), share("c", 0, 4, 3)]
    ));
    assert!(
        !room(mine(1, 2), &[share("there", 10, 0, 9)]),
        "lowered below what is there"
    );
    let unlimited = grants(json!([{"name": "payments", "selector": {}}])).remove(0);
    assert!(fits(EVENTS, &unlimited, &mine(0, 200), &[share("there", 5000, 0, 1)]).is_ok());
    assert_eq!(
        fits(EVENTS, &limited, &mine(2, 8), &[share("there", 5, 0, 1)]).unwrap_err(),
        "KafkaInstance platform/events: spec.kafka.partitions needs 6 more partitions, but of the 10 of grant payments \
         (maxPartitions) 3 are left; ask for fewer, or ask the owner of platform/events"
    );
}

#[test]
fn of_two_that_race_for_the_last_partitions_exactly_one_wins() {
    let limited = grants(json!([{"name": "payments", "selector": {}, "maxPartitions": 10}])).remove(0);
    // Of the same second.
    let (a, b) = (share("a", 0, 6, 5), share("b", 0, 6, 5));
    let wins = |mine: &Share, other: &Share| fits(EVENTS, &limited, mine, std::slice::from_ref(other)).is_ok();
    assert!(wins(&a, &b) && !wins(&b, &a));
    let b = admitted(b);
    assert!(wins(&b, &a) && !wins(&a, &b), "it was the first");
}

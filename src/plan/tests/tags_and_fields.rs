//! Which fields of an instance are compared, how they are changed, and which cannot be.

use serde_json::{Value, json};

use super::instance::Found;
use super::instances::{Shown, look, object, plain, served, shown};
use super::kafka_instance::{NONCE_TAG, Step, View};
use super::*;
use crate::api::KafkaInstance;
use crate::api::kafka_instance::KafkaLimits;
use crate::cloud::kafka::UpdateInstance;
use crate::cloud::{Limits, Tag, TagAction};

fn tag(key: &str, value: &str) -> Tag {
    Tag {
        key: key.into(),
        value: value.into(),
    }
}

fn tagged(tags: &[(&str, &str)]) -> View {
    View {
        tags: Some(tags.iter().map(|(k, v)| tag(k, v)).collect()),
        ..shown("RUNNING", json!({}))
    }
}

fn edited(spec: Value, view: View, edit: Value) -> KafkaInstance {
    let mut object = served(spec, view);
    let status = object.status.take();
    let mut whole = serde_json::to_value(&object).unwrap();
    for (field, value) in edit.as_object().unwrap() {
        whole["spec"][field] = value.clone();
    }
    whole["metadata"]["generation"] = 2.into();
    object = serde_json::from_value(whole).unwrap();
    object.status = status;
    object
}

#[test]
fn each_setting_is_changed_alone() {
    let text = |text: &str| Some(text.to_owned());
    for (edit, expected, field) in [
        (
            json!({"name": "other"}),
            UpdateInstance {
                name: text("other"),
                ..Default::default()
            },
            "spec.name",
        ),
        (
            json!({"description": "d"}),
            UpdateInstance {
                description: text("d"),
                ..Default::default()
            },
            "spec.description",
        ),
        (
            json!({"securityGroupId": "g2"}),
            UpdateInstance {
                security_group_id: text("g2"),
                ..Default::default()
            },
            "spec.securityGroupId",
        ),
        (
            json!({"enterpriseProjectId": "ep"}),
            UpdateInstance {
                enterprise_project_id: text("ep"),
                ..Default::default()
            },
            "spec.enterpriseProjectId",
        ),
        (
            json!({"retentionPolicy": "time_base"}),
            UpdateInstance {
                retention_policy: text("time_base"),
                ..Default::default()
            },
            "spec.retentionPolicy",
        ),
        (
            json!({"maintenanceWindow": {"begin": "22:00", "end": "02:00:00"}}),
            UpdateInstance {
                maintain_begin: text("22:00:00"),
                maintain_end: text("02:00:00"),
                ..Default::default()
            },
            "spec.maintenanceWindow",
        ),
    ] {
        let mut object = edited(json!({}), shown("RUNNING", json!({})), edit);
        let plan = plain(&mut object, Found::There(shown("RUNNING", json!({}))));
        assert_eq!(told(&plan), format!("Updating/Updating, Soon: changes {field}"));
        assert_eq!(plan.steps, [Step::Update(expected)]);
        // Absent is unknown: nothing is sent for what the cloud does not tell.
        let bare: View = View {
            instance: serde_json::from_value(json!({"instance_id": "i1", "status": "RUNNING", "description": "d"}))
                .unwrap(),
            tags: None,
            limits: None,
        };
        assert_eq!(idle(&plain(&mut object, Found::There(bare))), "Healthy, Rest: RUNNING");
    }
}

#[test]
fn one_window_may_be_written_in_many_ways() {
    for (begin, end) in [("02:00", "06:00"), ("02:00:00", "06:00:00"), ("02:00", "06:00:00")] {
        let mut object = object(json!({"instanceId": "i1", "maintenanceWindow": {"begin": begin, "end": end}}));
        for shows in [
            json!({}),
            json!({"maintain_begin": "02:00", "maintain_end": "06:00"}),
            json!({"maintain_end": null}),
        ] {
            says(
                &idle(&plain(&mut object, Found::There(shown("RUNNING", shows)))),
                "Healthy",
            );
        }
    }
}

#[test]
fn a_frozen_field_that_differs_is_told_with_its_path() {
    for (field, edit, shows) in [
        ("engineVersion", json!("3.x"), json!({})),
        ("productId", json!("c6.4u8g.cluster"), json!({})),
        ("vpcId", json!("v2"), json!({})),
        ("subnetId", json!("s2"), json!({})),
        ("ipv6Enable", json!(true), json!({})),
        ("brokerNum", json!(4), json!({})),
        ("brokerNum", json!(4), json!({"broker_num": null, "node_num": "3"})),
        ("storageSpecCode", json!("dms.physical.storage.high.v2"), json!({})),
        ("availableZones", json!(["eu-west-101b"]), json!({})),
    ] {
        let mut object = edited(json!({}), shown("RUNNING", json!({})), json!({ field: edit }));
        let plan = plain(&mut object, Found::There(shown("RUNNING", shows)));
        says(
            &idle(&plan),
            &format!("Edit stopped/InvalidSpec, Stop 30 min: spec.{field} of Kafka instance events is "),
        );
        says(
            &idle(&plan),
            "set the field to what is there, or delete and make it anew at the price of its data",
        );
    }
}

#[test]
fn what_only_looks_different_is_no_difference() {
    for (edit, shows) in [
        (
            json!({"availableZones": ["eu-west-101a"]}),
            json!({"available_zones": ["z-a"]}),
        ),
        (
            json!({"availableZones": ["z-a"]}),
            json!({"available_zones": "[\"z-a\"]"}),
        ),
        (
            json!({"availableZones": ["eu-west-101a", "z-b"]}),
            json!({"available_zones": ["z-b", "z-a"]}),
        ),
        (json!({}), json!({"available_zones": []})),
        (json!({}), json!({"storage_spec_code": "dms.physical.storage.ultra.v2"})),
        // It grew by itself, or by somebody else's hand.
        (json!({}), json!({"total_storage_space": "1200", "broker_num": 4})),
    ] {
        let mut object = edited(json!({}), shown("RUNNING", json!({})), edit);
        says(
            &idle(&plain(&mut object, Found::There(shown("RUNNING", shows.clone())))),
            "Healthy",
        );
    }
}

#[test]
fn storage_grows_to_what_can_be_reached_or_the_next_total_is_named() {
    for (wanted, shows, expected) in [
        (900, json!({}), Ok(900)),
        (1200, json!({}), Ok(1200)),
        (
            700,
            json!({}),
            Err(
                "spec.storageSpace cannot grow from 600 to 700 GB: each of 3 brokers grows by whole GB and at least 100; the \
                 next total that can be reached is 900",
            ),
        ),
        (901, json!({}), Err("the next total that can be reached is 903")),
        (1000, json!({"broker_num": 4}), Ok(1000)),
    ] {
        let mut object = edited(
            json!({}),
            shown("RUNNING", json!({})),
            json!({ "storageSpace": wanted }),
        );
        let plan = plain(&mut object, Found::There(shown("RUNNING", shows)));
        match expected {
            Ok(total) => assert_eq!(plan.steps, [Step::ExtendStorage(total)]),
            Err(why) => {
                says(
                    &idle(&plan),
                    "Edit stopped/InvalidSpec, Stop 30 min: spec.storageSpace cannot grow",
                );
                says(&idle(&plan), why);
            }
        }
    }
    // Lowered is what is there already: at least so much.
    let mut lower = edited(json!({}), shown("RUNNING", json!({})), json!({"storageSpace": 300}));
    says(
        &idle(&plain(&mut lower, Found::There(shown("RUNNING", json!({}))))),
        "Healthy",
    );
}

#[test]
fn an_adopted_instance_that_cannot_become_what_is_asked_is_not_touched() {
    let mut object = object(json!({"instanceId": "i1", "vpcId": "v2", "description": "mine", "tags": {"a": "b"}}));
    says(
        &idle(&plain(&mut object, Found::There(shown("RUNNING", json!({}))))),
        "Edit stopped/InvalidSpec",
    );
}

#[test]
fn tags_change_key_by_key_and_those_of_others_stay() {
    let spec = json!({"tags": {"env": "prod", "team": "a"}});
    let before = || tagged(&[("env", "prod"), ("team", "a"), ("theirs", "x")]);
    let mut object = edited(spec, before(), json!({"tags": {"env": "test", "new": ""}}));
    let plan = plain(&mut object, Found::There(before()));
    assert_eq!(
        plan.steps,
        [
            Step::Tags(TagAction::Delete, vec![tag("env", "prod"), tag("team", "a")]),
            Step::Tags(TagAction::Create, vec![tag("env", "test"), tag("new", "")]),
        ]
    );
    assert_eq!(
        told(&plan),
        "Updating/Updating, Soon: changes spec.tags[env], spec.tags[new], spec.tags[team]"
    );
    // What was removed stays on record until it is seen to be gone, and longer than tags are unreadable.
    let has_team = |plan: &super::instances::Shown| plan.status.managed_tags.contains("team");
    assert!(has_team(&plan));
    let unread = plain(&mut object, Found::There(View { tags: None, ..before() }));
    assert!(has_team(&unread) && unread.steps.is_empty());
    let half = plain(&mut object, Found::There(tagged(&[("theirs", "x")])));
    assert_eq!(
        half.steps,
        [Step::Tags(TagAction::Create, vec![tag("env", "test"), tag("new", "")])]
    );
    assert!(!has_team(&half));
    let done = plain(
        &mut object,
        Found::There(tagged(&[("theirs", "x"), ("new", ""), ("env", "test")])),
    );
    says(&idle(&done), "Healthy");
}

#[test]
fn the_nonce_is_taken_off_once_the_instance_runs() {
    let mut object = served(json!({}), tagged(&[]));
    let nonce = || tagged(&[(NONCE_TAG, "n1")]);
    let creating = View {
        tags: nonce().tags,
        ..shown("CREATING", json!({}))
    };
    assert!(idle(&plain(&mut object, Found::There(creating))).starts_with("Creating"));
    let plan = plain(&mut object, Found::There(nonce()));
    assert_eq!(plan.steps, [Step::Tags(TagAction::Delete, vec![tag(NONCE_TAG, "n1")])]);
}

#[test]
fn all_tags_may_be_replaced_at_once() {
    let many = |prefix: &str| {
        (0..19)
            .map(|i| (format!("{prefix}{i}"), "v".to_owned()))
            .collect::<Vec<_>>()
    };
    let spec = |prefix| json!({ "tags": many(prefix).into_iter().collect::<crate::api::StringMap>() });
    let tags = many("old").into_iter().map(|(k, v)| tag(&k, &v)).collect();
    let view = View {
        tags: Some(tags),
        ..shown("RUNNING", json!({}))
    };
    let mut object = edited(spec("old"), view.clone(), spec("new"));
    let plan = plain(&mut object, Found::There(view));
    // As much as the definition of the status has room for.
    assert_eq!(plan.status.managed_tags.len(), 38);
    assert_eq!(plan.status.core.drift.len(), 32);
    assert_eq!(told(&plan).matches("spec.tags").count(), 6);
}

#[test]
fn clients_find_each_access_mode_that_is_on() {
    let mut object = object(json!({"instanceId": "i1"}));
    let ports = json!({"port_protocols": {
        "private_plain_enable": "true", "private_plain_address": "10.0.0.1:9092,10.0.0.2:9092",
        "private_sasl_ssl_enable": true, "private_sasl_ssl_address": "10.0.0.1:9093",
        "public_plain_enable": false, "public_plain_address": "1.2.3.4:9094",
        "public_sasl_ssl_enable": true, "public_sasl_ssl_address": "",
    }});
    let plan = look(&mut object, Found::There(shown("RUNNING", ports)), |_, _| {});
    let shown: Vec<_> = plan
        .status
        .endpoints
        .iter()
        .map(|e| format!("{} {} {}", e.name, e.protocol, e.bootstrap_servers))
        .collect();
    assert_eq!(
        shown,
        [
            "PrivatePlaintext PLAINTEXT 10.0.0.1:9092,10.0.0.2:9092",
            "PrivateSasl SASL_SSL 10.0.0.1:9093"
        ]
    );
}

#[test]
fn limits_are_those_of_the_last_list_and_stay_until_a_newer_one_tells() {
    let limits = |left| {
        Some(Limits {
            most: Some(750),
            left: Some(left),
            of_one: Some(200),
        })
    };
    let with = |limits| {
        Found::There(View {
            limits,
            ..shown("RUNNING", json!({}))
        })
    };
    let mut object = served(json!({}), shown("RUNNING", json!({})));
    let left = |plan: &Shown| plan.status.limits.map(|limits| limits.remain_partitions);
    assert_eq!(left(&plain(&mut object, with(None))), None, "nobody has read the list");
    let seen = plain(&mut object, with(limits(602)));
    let expected = KafkaLimits {
        max_partitions: Some(750),
        remain_partitions: Some(602),
        topic_max_partitions: Some(200),
    };
    assert_eq!(seen.status.limits, Some(expected));
    assert_eq!(left(&plain(&mut object, with(limits(0)))), Some(Some(0)));
    // A new operator has not read it yet.
    assert_eq!(left(&plain(&mut object, with(None))), Some(Some(0)));
    assert_eq!(left(&plain(&mut object, Found::Missing(2))), None);
}

//! Which fields of a topic are compared, how they are changed, and which cannot be.

use serde_json::json;

use super::child::Found;
use super::topic::Step;
use super::topics::{bare, plain, served, setting, settings, there, topic, update};
use super::*;
use crate::api::{Correction, Topic};
use crate::cloud::kafka::{self, TopicConfig, UpdateTopic};

#[test]
fn each_setting_is_changed_alone() {
    let wanted = json!({"partitions": 3});
    type Change = (fn(&mut Topic), UpdateTopic, &'static str);
    let table: [Change; 6] = [
        (
            |t| {
                settings(t).partitions = Some(6);
                settings(t).new_partition_brokers = vec![1, 2];
            },
            UpdateTopic {
                partitions: Some(6),
                new_partition_brokers: vec![1, 2],
                ..update()
            },
            "spec.kafka.partitions",
        ),
        (
            |t| settings(t).retention_hours = Some(1),
            UpdateTopic {
                retention_hours: Some(1),
                ..update()
            },
            "spec.kafka.retentionHours",
        ),
        (
            |t| settings(t).sync_replication = Some(true),
            UpdateTopic {
                sync_replication: Some(true),
                ..update()
            },
            "spec.kafka.syncReplication",
        ),
        (
            |t| settings(t).sync_message_flush = Some(true),
            UpdateTopic {
                sync_message_flush: Some(true),
                ..update()
            },
            "spec.kafka.syncMessageFlush",
        ),
        (
            |t| t.spec.description = Some("new".into()),
            UpdateTopic {
                description: Some("new".into()),
                ..update()
            },
            "spec.description",
        ),
        (
            |t| drop(settings(t).configs.insert("max.message.bytes".into(), "9".into())),
            UpdateTopic {
                configs: vec![TopicConfig {
                    name: "max.message.bytes".into(),
                    value: "9".into(),
                }],
                ..update()
            },
            "spec.kafka.configs[max.message.bytes]",
        ),
    ];
    for (change, expected, field) in table {
        let mut topic = served(wanted.clone(), there(3));
        edit(&mut topic, change);
        let plan = plain(&mut topic, Found::There(there(3)));
        assert_eq!(told(&plan), format!("Updating/Updating, Soon: changes {field}"));
        assert_eq!(plan.steps, [Step::UpdateKafka(expected)]);
        assert_eq!(plan.status.core.applied_generation, Some(1));
        assert_eq!(plan.status.core.drift[0].field, field);
        // The same difference, without an edit, is drift.
        topic.status.as_mut().unwrap().core.applied_generation = topic.metadata.generation;
        let plan = plain(&mut topic, Found::There(there(3)));
        assert_eq!(told(&plan), format!("Correcting, Soon: puts back {field}"));
    }
}

#[test]
fn a_description_is_set_cleared_or_left_alone() {
    for (wanted, found, sent) in [
        (None, Some("x"), None),
        (None, None, None),
        (Some(""), Some("x"), Some("")),
        (Some(""), None, None),
        (Some(""), Some(""), None),
        (Some("x"), None, Some("x")),
        (Some("x"), Some("x"), None),
    ] {
        let mut topic = topic(json!({}));
        topic.spec.description = wanted.map(Into::into);
        let found = kafka::Topic {
            description: found.map(Into::into),
            ..there(3)
        };
        let plan = plain(&mut topic, Found::There(found));
        let expected: Vec<_> = sent
            .map(|sent: &str| {
                Step::UpdateKafka(UpdateTopic {
                    description: Some(sent.into()),
                    ..update()
                })
            })
            .into_iter()
            .collect();
        assert_eq!(plan.steps, expected, "{wanted:?}");
    }
}

#[test]
fn partitions_never_shrink_and_the_message_names_the_way_out() {
    // At the first look, nothing at all is touched.
    let mut adopted = topic(json!({"partitions": 2, "retentionHours": 1}));
    let plan = plain(&mut adopted, Found::There(there(3)));
    assert_eq!(
        idle(&plan),
        "Edit stopped/InvalidSpec, Stop 30 min: spec.kafka.partitions of topic orders is 3 in the cloud and cannot \
         become 2; set the field to what is there, or delete and make it anew at the price of its data"
    );
    // An edit is applied as far as it goes, then it is refused.
    let mut edited = served(json!({"partitions": 3}), there(3));
    edit(&mut edited, |t| {
        settings(t).partitions = Some(2);
        settings(t).retention_hours = Some(1);
    });
    let plan = plain(&mut edited, Found::There(there(3)));
    assert_eq!(
        plan.steps,
        [Step::UpdateKafka(UpdateTopic {
            retention_hours: Some(1),
            ..update()
        })]
    );
    let found = kafka::Topic {
        retention_hours: Some(1),
        ..there(3)
    };
    says(
        &idle(&plain(&mut edited, Found::There(found))),
        "Edit stopped/InvalidSpec",
    );
    // What grew by itself is only told.
    let mut grown = served(json!({"partitions": 3}), there(3));
    let plan = plain(&mut grown, Found::There(there(4)));
    says(
        &idle(&plan),
        "cannot be corrected here: spec.kafka.partitions is 4 in the cloud, not 3",
    );
    assert_eq!((name_of(&plan.situation), plan.next), ("Differing".into(), Next::Rest));
}

#[test]
fn replicas_are_told_and_hold_nothing() {
    let mut topic = served(json!({"partitions": 3}), there(3));
    edit(&mut topic, |t| settings(t).replication = Some(2));
    let plan = plain(&mut topic, Found::There(there(3)));
    says(
        &idle(&plan),
        "Differing, Rest: 3 partitions, 3 replicas, 72 h; cannot be corrected here: spec.kafka.replication",
    );
    assert_eq!(plan.status.core.drift[0].correction, Correction::Reassignment);
    assert_eq!(plan.status.core.applied_generation, Some(2));
}

#[test]
fn a_removed_config_goes_back_to_its_default_but_only_if_it_was_ours() {
    let found = |value: &str| kafka::Topic {
        configs: Some(vec![
            setting("max.message.bytes", value, Some("1000")),
            setting("flush.ms", "1", Some("9")),
        ]),
        ..there(3)
    };
    let mut topic = served(
        json!({"partitions": 3, "configs": {"max.message.bytes": "5"}}),
        found("5"),
    );
    edit(&mut topic, |t| settings(t).configs.clear());
    // Not told is not gone.
    let untold = plain(
        &mut topic,
        Found::There(kafka::Topic {
            configs: None,
            ..there(3)
        }),
    );
    assert_eq!(idle(&untold), "Healthy, Rest: 3 partitions, 3 replicas, 72 h");
    let reset = plain(&mut topic, Found::There(found("5")));
    let config = TopicConfig {
        name: "max.message.bytes".into(),
        value: "1000".into(),
    };
    assert_eq!(
        reset.steps,
        [Step::UpdateKafka(UpdateTopic {
            configs: vec![config],
            ..update()
        })]
    );
    assert!(reset.status.managed_configs.contains("max.message.bytes"));
    let done = plain(&mut topic, Found::There(found("1000")));
    assert!(idle(&done).starts_with("Healthy"));
    assert!(done.status.managed_configs.is_empty());
}

#[test]
fn a_config_removed_before_the_first_look_is_ours_too() {
    let mut topic = topic(json!({"partitions": 3, "configs": {"max.message.bytes": "5"}}));
    plain(&mut topic, Found::Absent);
    edit(&mut topic, |t| settings(t).configs.clear());
    plain(&mut topic, Found::Absent);
    let found = kafka::Topic {
        configs: Some(vec![setting("max.message.bytes", "5", Some("1000"))]),
        ..there(3)
    };
    assert_eq!(plain(&mut topic, Found::There(found)).steps.len(), 1);
}

#[test]
fn a_config_without_a_known_default_stays_as_it_is() {
    let mut topic = served(json!({"partitions": 3, "configs": {"compression": "lz4"}}), there(3));
    edit(&mut topic, |t| settings(t).configs.clear());
    let plan = plain(&mut topic, Found::There(there(3)));
    assert!(idle(&plan).starts_with("Healthy"));
    assert!(plan.status.managed_configs.is_empty());
}

#[test]
fn what_the_cloud_does_not_tell_is_not_compared() {
    let mut topic = topic(json!({
        "partitions": 3, "replication": 3, "retentionHours": 1, "syncReplication": true, "syncMessageFlush": true,
        "configs": {"a": "b"}
    }));
    assert_eq!(
        idle(&plain(&mut topic, Found::There(bare("orders")))),
        "Healthy, Rest: "
    );
}

#[test]
fn a_config_that_the_service_does_not_have_is_said_and_what_else_was_edited_is_done() {
    let found = |hours| kafka::Topic {
        configs: Some(vec![setting("max.message.bytes", "5", Some("1000"))]),
        retention_hours: Some(hours),
        ..there(3)
    };
    let mut topic = served(json!({"partitions": 3, "retentionHours": 72}), found(72));
    edit(&mut topic, |t| {
        settings(t).retention_hours = Some(24);
        settings(t).configs = [("max.mesage.bytes".to_owned(), "9".to_owned())].into();
    });
    let plan = plain(&mut topic, Found::There(found(72)));
    let update = UpdateTopic {
        retention_hours: Some(24),
        ..update()
    };
    assert_eq!(plan.steps, [Step::UpdateKafka(update)]);
    assert_eq!(
        idle(&plain(&mut topic, Found::There(found(24)))),
        "Edit stopped/InvalidSpec, Stop 30 min: spec.kafka.configs[max.mesage.bytes] is none of the settings that the service \
         has for topic orders: max.message.bytes; correct it or leave it out"
    );
}

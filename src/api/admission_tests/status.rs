//! What the operator writes fits what the definitions allow: a status that is refused would never be written at all.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use serde::Serialize;
use serde_json::{Value, json};

use super::Kind;
use crate::api::common::{Correction, CreateIntent, Drift, Location, Operation, Origin};
use crate::api::consumer_group::{ConsumerGroupStatus, ObservedConsumerGroup};
use crate::api::instance::{ObservedInstance, ObservedMaintenanceWindow as Window};
use crate::api::kafka_instance::{Endpoint, KafkaInstanceStatus, KafkaLimits, ObservedKafkaInstance};
use crate::api::kafka_user_quota::{KafkaUserQuotaStatus, ObservedQuota};
use crate::api::live::{ConsumerGroupLive, TopicLag, TopicLive};
use crate::api::provider_config::{CredentialsType, EffectiveRate, Identity, ProviderConfigStatus};
use crate::api::rocketmq_instance::{self, ObservedRocketMqInstance, RocketMQInstanceStatus, RocketMqLimits};
use crate::api::topic::{BrokerQueues, ObservedTopic, TopicStatus};
use crate::api::{CoreStatus, StringMap};

fn core() -> CoreStatus {
    let time = || "2026-11-22T10:00:00Z".to_owned();
    let condition = |kind: &str| Condition {
        type_: kind.into(),
        status: "Unknown".into(),
        reason: "Pending".into(),
        message: String::new(),
        observed_generation: Some(1),
        last_transition_time: Time(time().parse().unwrap()),
    };
    CoreStatus {
        observed_generation: Some(1),
        applied_generation: Some(1),
        conditions: ["Ready", "Reconciling", "Stalled", "Synced"].map(condition).into(),
        instance_id: Some("8959ab1c".into()),
        external_name: Some("orders".into()),
        create_intent: Some(CreateIntent {
            name: Some("n".repeat(64)),
            time: time(),
            nonce: Some("7f3a".into()),
            searched_since: Some(time()),
            attempts: Some(1),
        }),
        origin: Some(Origin::Adopted),
        served_since: Some(time()),
        provider: Some(Location {
            name: "default".into(),
            ..Location::default()
        }),
        operation: Some(Operation {
            name: "ExtendStorage".into(),
            job_id: Some("93b94287".into()),
            start_time: time(),
            attempts: Some(1),
            shared: true,
            failure: Some("sold out".into()),
        }),
        drift: vec![Drift {
            field: "spec.storageSpace".into(),
            wanted: "900".into(),
            found: "600".into(),
            correction: Correction::Job,
        }],
        last_handled_reconcile_at: Some("now".into()),
    }
}

#[track_caller]
fn fits(kind: &'static str, status: &impl Serialize) {
    let status = serde_json::to_value(status).unwrap();
    let schema = Kind(kind).strict_schema();
    let errors: Vec<_> = jsonschema::draft7::new(&schema["properties"]["status"])
        .unwrap()
        .iter_errors(&status)
        .map(|error| format!("{}: {error}", error.instance_path))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    // Every field is there, so that each of them was judged.
    let missing: Vec<_> = fields(&schema["properties"]["status"])
        .into_iter()
        .filter(|path| status.pointer(path).is_none())
        .collect();
    assert!(missing.is_empty(), "not filled: {missing:?}");
}

fn fields(schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        found.push(format!("/{name}"));
        found.extend(fields(property).into_iter().map(|rest| format!("/{name}{rest}")));
    }
    found
}

fn text() -> Option<String> {
    Some("x".to_owned())
}

fn instance() -> ObservedInstance {
    ObservedInstance {
        name: text(),
        description: text(),
        engine_version: text(),
        product_id: text(),
        broker_num: Some(3),
        storage_space: Some(600),
        storage_spec_code: text(),
        available_zones: ["a".into()].into(),
        vpc_id: text(),
        subnet_id: text(),
        security_group_id: text(),
        ipv6_enable: Some(false),
        maintenance_window: Some(Window::default()),
        enterprise_project_id: text(),
        extend_times: Some(0),
        create_time: text(),
    }
}

#[test]
fn every_status_fits_its_definition() {
    fits(
        "ProviderConfig",
        &ProviderConfigStatus {
            core: core(),
            project_id: text(),
            rate_limit: Some(EffectiveRate {
                effective: "0.63/s".into(),
                throttled_by: text(),
            }),
            identity: Some(Identity {
                kind: CredentialsType::AccessKey,
                access_key: Some("HPUA...X3Q".into()),
                user_name: Some("...".into()),
            }),
            endpoint: text(),
            held_secret: text(),
        },
    );
    fits(
        "KafkaInstance",
        &KafkaInstanceStatus {
            core: core(),
            state: text(),
            endpoints: vec![Endpoint::default()],
            observed: Some(ObservedKafkaInstance {
                instance: instance(),
                retention_policy: text(),
            }),
            limits: Some(KafkaLimits {
                max_partitions: Some(750),
                remain_partitions: Some(602),
                topic_max_partitions: Some(200),
            }),
            managed_tags: ["env".into()].into(),
        },
    );
    fits(
        "RocketMQInstance",
        &RocketMQInstanceStatus {
            core: core(),
            state: text(),
            endpoints: vec![rocketmq_instance::Endpoint::default()],
            observed: Some(ObservedRocketMqInstance {
                instance: instance(),
                enable_acl: Some(true),
                brokers: ["broker-0".into()].into(),
            }),
            limits: Some(RocketMqLimits {
                max_topics: Some(2000),
                remain_topics: Some(1997),
                max_groups: Some(4000),
                remain_groups: Some(0),
            }),
            managed_tags: ["env".into()].into(),
        },
    );
    fits(
        "Topic",
        &TopicStatus {
            core: core(),
            observed: Some(ObservedTopic {
                partitions: Some(6),
                replication: Some(3),
                retention_hours: Some(72),
                sync_replication: Some(false),
                sync_message_flush: Some(false),
                description: text(),
                configs: StringMap::from([("a".into(), "b".into())]),
                message_type: text(),
                queue_num: Some(8),
                read_queue_num: Some(8),
                write_queue_num: Some(8),
                permission: text(),
                brokers: ["broker-0".into()].into(),
                queues: vec![BrokerQueues {
                    broker: "broker-0".into(),
                    read_queue_num: 8,
                    write_queue_num: 8,
                }],
                create_time: text(),
            }),
            managed_configs: ["a".into()].into(),
            sent_description: text(),
            unverifiable: ["description".into()].into(),
            live: Some(TopicLive {
                time: "2026-11-22T10:00:00Z".into(),
                consumer_groups: (0..20).map(|n| format!("g{n}")).collect(),
                consumer_groups_total: Some(21),
                messages: Some(u64::MAX),
            }),
        },
    );
    fits(
        "ConsumerGroup",
        &ConsumerGroupStatus {
            core: core(),
            observed: Some(ObservedConsumerGroup {
                description: text(),
                enabled: Some(true),
                broadcast: Some(false),
                max_retries: Some(16),
                consume_orderly: Some(false),
                brokers: ["broker-0".into()].into(),
                create_time: text(),
            }),
            live: Some(ConsumerGroupLive {
                time: "2026-11-22T10:00:00Z".into(),
                state: text(),
                members: Some(4),
                lag: Some(1200),
                topics: vec![TopicLag {
                    topic: "orders".into(),
                    lag: Some(1200),
                }],
                topics_total: Some(1),
            }),
        },
    );
    let observed = ObservedQuota {
        user: text(),
        client: text(),
        producer_byte_rate: Some(1),
        consumer_byte_rate: Some(1),
    };
    fits(
        "KafkaUserQuota",
        &KafkaUserQuotaStatus {
            core: core(),
            observed: Some(observed),
        },
    );
}

#[test]
fn an_untouched_object_can_be_read() {
    let status = json!({"observedGeneration": -1});
    let read: TopicStatus = serde_json::from_value(status).unwrap();
    assert_eq!(read.core.observed_generation, Some(-1));
}

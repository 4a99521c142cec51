use serde_json::{Value, json};

use super::{Judge, object, spec, with_status};

const TOPIC: &str = "Topic";

fn topic() -> Value {
    object(
        TOPIC,
        "orders",
        &json!({"instanceRef": {"kind": "KafkaInstance", "name": "events"}, "kafka": {"partitions": 6}}),
    )
}

pub fn a_topic_is_let_in_or_refused(judge: &mut Judge<'_>) {
    let kafka = |kafka: Value| spec(json!({"kafka": kafka}));
    let cases = [
        (json!({}), None),
        (spec(json!({"instanceRef": {"kind": null}})), Some("kind")),
        (
            spec(json!({"instanceRef": {"kind": "RocketMQInstance"}})),
            Some("/spec/instanceRef/kind"),
        ),
        (spec(json!({"name": "pay.orders_v-1"})), None),
        (spec(json!({"name": "ab"})), Some("/spec/name")),
        (spec(json!({"name": "9orders"})), Some("/spec/name")),
        (json!({"metadata": {"name": "ab"}}), Some("set spec.name")),
        (json!({"metadata": {"name": "9"}, "spec": {"name": "nine"}}), None),
        (kafka(json!({"partitions": 200})), None),
        (kafka(json!({"partitions": 0})), Some("/spec/kafka/partitions")),
        (kafka(json!({"partitions": 201})), Some("/spec/kafka/partitions")),
        (kafka(json!({"replication": 4})), Some("/spec/kafka/replication")),
        (kafka(json!({"retentionHours": 720})), None),
        (
            kafka(json!({"retentionHours": 721})),
            Some("/spec/kafka/retentionHours"),
        ),
        (kafka(json!({"configs": {"max.message.bytes": "1048576"}})), None),
        (
            kafka(json!({"configs": {"max.message.bytes": 1048576}})),
            Some("/spec/kafka/configs"),
        ),
        (kafka(json!({"configs": {"": "x"}})), Some("names of configs")),
        (kafka(json!({"newPartitionBrokers": [0, 0, 1]})), None),
        (kafka(json!({"partitions": null})), None),
        (
            json!({"spec": {"kafka": null, "management": {"adoption": "Never"}}}),
            Some("kafka.partitions is needed"),
        ),
        (kafka(json!({"quota": {}})), Some("quota")),
    ];
    judge(TOPIC, &topic(), &cases, false);
}

pub fn a_topic_keeps_its_name_and_place_and_never_shrinks(judge: &mut Judge<'_>) {
    let edits = [
        spec(json!({"name": "pay.orders"})),
        spec(json!({"instanceRef": {"name": "other"}})),
        spec(json!({"kafka": {"partitions": 3}})),
    ];
    judge(TOPIC, &topic(), &edits.clone().map(|edit| (edit, None)), true);

    let made = with_status(
        topic(),
        json!({"externalName": "orders", "observed": {"partitions": 6}}),
    );
    judge(TOPIC, &made, &edits.map(|edit| (edit, Some("cannot "))), true);
    let cases = [
        (spec(json!({"name": "orders"})), None),
        (
            spec(json!({"kafka": {"partitions": 12, "replication": 2, "retentionHours": 1}})),
            None,
        ),
        (spec(json!({"kafka": null})), None),
    ];
    judge(TOPIC, &made, &cases, true);

    let mut hoped = made;
    hoped["spec"]["kafka"]["partitions"] = json!(20);
    let to = |partitions: u32| spec(json!({"kafka": {"partitions": partitions}}));
    judge(
        TOPIC,
        &hoped,
        &[(to(6), None), (to(10), None), (to(5), Some("partitions only grows"))],
        true,
    );
}

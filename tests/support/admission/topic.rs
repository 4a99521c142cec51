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
            spec(json!({"instanceRef": {"kind": "PulsarInstance"}})),
            Some("/spec/instanceRef/kind"),
        ),
        (
            spec(json!({"instanceRef": {"kind": "RocketMQInstance"}})),
            Some("kafka is for instanceRef.kind KafkaInstance"),
        ),
        (
            spec(json!({"rocketmq": {"queueNum": 8}})),
            Some("rocketmq is for instanceRef.kind RocketMQInstance"),
        ),
        (spec(json!({"name": "pay.orders_v-1"})), None),
        (spec(json!({"name": "ab"})), Some("/spec/name")),
        (spec(json!({"name": "9orders"})), Some("a letter first")),
        (spec(json!({"name": "a%b"})), Some("a letter first")),
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
        (
            json!({"spec": {"kafka": null, "management": {"adoption": "Never", "policy": "Observe"}}}),
            None,
        ),
        (kafka(json!({"quota": {}})), Some("quota")),
        (spec(json!({"statusDetail": "Full"})), None),
        (spec(json!({"statusDetail": "Some"})), Some("/spec/statusDetail")),
        (spec(json!({"management": {"deletionGuard": "InUse"}})), None),
        (
            spec(json!({"management": {"deletionGuard": "Always"}})),
            Some("/spec/management/deletionGuard"),
        ),
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
    let observed = json!({"policy": "Observe", "adoption": "Never", "updates": "Report", "deletionProtection": true});
    let cases = [
        (spec(json!({"kafka": null, "management": observed})), None),
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

fn rocketmq_topic() -> Value {
    object(
        TOPIC,
        "orders",
        &json!({"instanceRef": {"kind": "RocketMQInstance", "name": "shop"}, "rocketmq": {"messageType": "NORMAL"}}),
    )
}

pub fn a_rocketmq_topic_is_let_in_or_refused(judge: &mut Judge<'_>) {
    let rocketmq = |rocketmq: Value| spec(json!({"rocketmq": rocketmq}));
    let queues = json!([{"broker": "broker-0", "readQueueNum": 8, "writeQueueNum": 8}]);
    let cases = [
        (json!({}), None),
        (spec(json!({"rocketmq": null})), None),
        (
            json!({"spec": {"rocketmq": null, "management": {"adoption": "Never"}}}),
            None,
        ),
        (spec(json!({"name": "%RETRY%billing|x_-1"})), None),
        (spec(json!({"name": "9orders"})), None),
        (spec(json!({"name": "pay.orders"})), Some("3 to 64 letters, digits, %")),
        (
            spec(json!({"name": "o".repeat(65)})),
            Some("3 to 64 letters, digits, %"),
        ),
        (json!({"metadata": {"name": "pay.orders"}}), Some("set spec.name")),
        (
            json!({"metadata": {"name": "pay.orders"}, "spec": {"name": "orders"}}),
            None,
        ),
        (
            rocketmq(json!({"messageType": "normal"})),
            Some("/spec/rocketmq/messageType"),
        ),
        (rocketmq(json!({"queueNum": 50, "permission": "sub"})), None),
        (rocketmq(json!({"queueNum": 51})), Some("/spec/rocketmq/queueNum")),
        (rocketmq(json!({"queueNum": 0})), Some("/spec/rocketmq/queueNum")),
        (rocketmq(json!({"readQueueNum": 4, "writeQueueNum": 8})), None),
        (
            rocketmq(json!({"permission": "PUB"})),
            Some("/spec/rocketmq/permission"),
        ),
        (
            rocketmq(json!({"messageType": null, "permission": "all", "brokers": ["broker-0"]})),
            None,
        ),
        (rocketmq(json!({"queues": queues})), None),
        (rocketmq(json!({"queues": [], "queueNum": 8})), None),
        (
            rocketmq(json!({"queues": queues, "queueNum": 8})),
            Some("queues says it broker by broker"),
        ),
    ];
    judge(TOPIC, &rocketmq_topic(), &cases, false);
}

pub fn a_rocketmq_topic_keeps_what_cannot_change(judge: &mut Judge<'_>) {
    let rocketmq = |rocketmq: Value| spec(json!({"rocketmq": rocketmq}));
    let mut base = rocketmq_topic();
    base["spec"]["rocketmq"] = json!({"messageType": "NORMAL", "queueNum": 8, "brokers": ["broker-0", "broker-1"]});
    let edits = [
        rocketmq(json!({"messageType": "FIFO"})),
        rocketmq(json!({"queueNum": 4})),
        rocketmq(json!({"brokers": ["broker-0"]})),
        spec(json!({"name": "other"})),
        spec(json!({"instanceRef": {"name": "other"}})),
    ];
    judge(TOPIC, &base, &edits.clone().map(|edit| (edit, None)), true);

    let made = with_status(base, json!({"externalName": "orders", "observed": {"queueNum": 8}}));
    judge(TOPIC, &made, &edits.map(|edit| (edit, Some("cannot "))), true);
    let cases = [
        (rocketmq(json!({"queueNum": 12, "permission": "sub"})), None),
        (rocketmq(json!({"brokers": ["broker-1", "broker-0"]})), None),
        // What may be lowered is said on its own.
        (
            rocketmq(json!({"queueNum": null, "readQueueNum": 4, "writeQueueNum": 4})),
            None,
        ),
    ];
    judge(TOPIC, &made, &cases, true);
}

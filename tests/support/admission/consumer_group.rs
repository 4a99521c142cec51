use serde_json::{Value, json};

use super::{Judge, object, spec, with_status};

const GROUP: &str = "ConsumerGroup";

fn group(kind: &str) -> Value {
    object(
        GROUP,
        "billing",
        &json!({"instanceRef": {"kind": kind, "name": "events"}, "description": "Billing workers"}),
    )
}

pub fn a_consumer_group_is_let_in_or_refused(judge: &mut Judge<'_>) {
    let cases = [
        (json!({}), None),
        (json!({"metadata": {"name": "a"}}), None),
        (spec(json!({"name": "Any.Name:of|a client"})), Some("/spec/name")),
        (spec(json!({"name": "Any.Name:of|a-client"})), None),
        (spec(json!({"name": "a/b"})), Some("/spec/name")),
        (spec(json!({"name": "g".repeat(256)})), Some("/spec/name")),
        (spec(json!({"description": "d".repeat(201)})), Some("/spec/description")),
        (spec(json!({"description": ""})), None),
        (
            spec(json!({"rocketmq": {"enabled": true}})),
            Some("rocketmq is for instanceRef.kind RocketMQInstance"),
        ),
        (spec(json!({"instanceRef": {"kind": null}})), Some("kind")),
        (
            spec(json!({"management": {"policy": "Observe", "updates": "Report"}})),
            None,
        ),
        (
            spec(json!({"management": {"policy": "Observed"}})),
            Some("/spec/management/policy"),
        ),
        (
            spec(json!({"management": {"updates": "Never"}})),
            Some("/spec/management/updates"),
        ),
        (
            spec(json!({"management": {"deletionProtection": "yes"}})),
            Some("/spec/management/deletionProtection"),
        ),
        (
            spec(json!({"statusDetail": "Full", "management": {"deletionGuard": "InUse"}})),
            None,
        ),
        (spec(json!({"statusDetail": "full"})), Some("/spec/statusDetail")),
    ];
    judge(GROUP, &group("KafkaInstance"), &cases, false);

    let rocketmq = |rocketmq: Value| spec(json!({"rocketmq": rocketmq}));
    let cases = [
        (json!({}), None),
        (spec(json!({"name": "GID_billing|1"})), None),
        (spec(json!({"name": "GID.billing"})), Some("3 to 64 letters, digits, %")),
        (spec(json!({"name": "ab"})), Some("3 to 64 letters, digits, %")),
        (json!({"metadata": {"name": "ab"}}), Some("set spec.name")),
        (
            rocketmq(json!({"enabled": true, "broadcast": false, "maxRetries": 16, "consumeOrderly": true})),
            None,
        ),
        (rocketmq(json!({"maxRetries": 0})), Some("/spec/rocketmq/maxRetries")),
        (rocketmq(json!({"maxRetries": 17})), Some("/spec/rocketmq/maxRetries")),
        (rocketmq(json!({"brokers": ["broker-0"]})), None),
        (rocketmq(json!({"enabled": "yes"})), Some("/spec/rocketmq/enabled")),
    ];
    judge(GROUP, &group("RocketMQInstance"), &cases, false);
}

pub fn a_consumer_group_keeps_its_name_and_place(judge: &mut Judge<'_>) {
    let edits = [
        spec(json!({"name": "GID_other"})),
        spec(json!({"instanceRef": {"name": "other"}})),
        spec(json!({"instanceRef": {"kind": "KafkaInstance"}})),
    ];
    let base = group("RocketMQInstance");
    judge(GROUP, &base, &edits.clone().map(|edit| (edit, None)), true);
    let made = with_status(base, json!({"externalName": "billing"}));
    judge(GROUP, &made, &edits.map(|edit| (edit, Some("cannot "))), true);
    let cases = [
        (spec(json!({"name": "billing"})), None),
        (
            spec(json!({"description": "x", "rocketmq": {"enabled": false, "maxRetries": 1, "brokers": ["b"]}})),
            None,
        ),
    ];
    judge(GROUP, &made, &cases, true);
}

use serde_json::{Value, json};

use super::{Judge, object, spec, with_status};

const QUOTA: &str = "KafkaUserQuota";

fn quota() -> Value {
    object(
        QUOTA,
        "importer",
        &json!({"instanceRef": {"name": "events"}, "client": "importer", "producerByteRate": "10Mi"}),
    )
}

pub fn a_quota_is_let_in_or_refused(judge: &mut Judge<'_>) {
    let rate = |rate: Value| spec(json!({"producerByteRate": rate}));
    let cases = [
        (json!({}), None),
        (spec(json!({"user": "app"})), None),
        (spec(json!({"client": null, "userDefault": true})), None),
        (spec(json!({"client": null})), Some("at least one of user")),
        (
            spec(json!({"client": null, "userDefault": false})),
            Some("at least one of user"),
        ),
        (
            spec(json!({"user": "app", "userDefault": true})),
            Some("at most one of user and userDefault"),
        ),
        (spec(json!({"user": "app", "userDefault": false})), None),
        (
            spec(json!({"clientDefault": true})),
            Some("at most one of client and clientDefault"),
        ),
        (spec(json!({"user": "u".repeat(65)})), Some("/spec/user")),
        (
            spec(json!({"producerByteRate": null})),
            Some("at least one of producerByteRate"),
        ),
        (spec(json!({"producerByteRate": null, "consumerByteRate": 1})), None),
        (
            spec(json!({"producerByteRate": null, "management": {"policy": "Observe"}})),
            None,
        ),
        (rate(json!(10485760)), None),
        (rate(json!("10485760")), None),
        (rate(json!("1G")), None),
        (rate(json!(0)), Some("/spec/producerByteRate")),
        (rate(json!(-1)), Some("/spec/producerByteRate")),
        (rate(json!("0Mi")), Some("/spec/producerByteRate")),
        (rate(json!("10MB")), Some("/spec/producerByteRate")),
        (
            spec(json!({"instanceRef": {"kind": "RocketMQInstance"}})),
            Some("/spec/instanceRef/kind"),
        ),
        (spec(json!({"management": {"deletionGuard": "None"}})), None),
        (
            spec(json!({"management": {"deletionGuard": "InUse"}})),
            Some("deletionGuard is not for quotas"),
        ),
        (spec(json!({"statusDetail": "Full"})), Some("statusDetail")),
    ];
    judge(QUOTA, &quota(), &cases, false);
}

pub fn a_quota_keeps_its_identity(judge: &mut Judge<'_>) {
    let edits = [
        spec(json!({"user": "app"})),
        spec(json!({"userDefault": true})),
        spec(json!({"client": "exporter"})),
        spec(json!({"client": null, "clientDefault": true})),
        spec(json!({"instanceRef": {"name": "other"}})),
    ];
    judge(QUOTA, &quota(), &edits.clone().map(|edit| (edit, None)), true);
    let made = with_status(quota(), json!({"externalName": "client=importer"}));
    judge(QUOTA, &made, &edits.map(|edit| (edit, Some("cannot change"))), true);
    let cases = [
        (spec(json!({"producerByteRate": 1, "consumerByteRate": "2k"})), None),
        (spec(json!({"userDefault": false})), None),
    ];
    judge(QUOTA, &made, &cases, true);
}

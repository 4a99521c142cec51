use serde_json::{Value, json};

use super::{Judge, object, spec, with_status};

const INSTANCE: &str = "KafkaInstance";

fn instance() -> Value {
    object(
        INSTANCE,
        "events",
        &json!({
            "engineVersion": "2.7", "productId": "c6.2u4g.cluster", "brokerNum": 3, "storageSpace": 600,
            "storageSpecCode": "dms.physical.storage.ultra.v2", "availableZones": ["eu-west-101a"],
            "vpcId": "ead6c5ff", "subnetId": "3cb6afa2", "securityGroupId": "aa75ae22",
        }),
    )
}

pub fn a_kafka_instance_is_let_in_or_refused(judge: &mut Judge<'_>) {
    let window = |begin: &str, end: &str| spec(json!({"maintenanceWindow": {"begin": begin, "end": end}}));
    let zones = |zones: &[&str]| spec(json!({"availableZones": zones}));
    let mut cases = vec![
        (json!({}), None),
        (spec(json!({"name": "abc"})), Some("/spec/name")),
        (spec(json!({"name": "1events"})), Some("/spec/name")),
        (spec(json!({"name": "e".repeat(64)})), None),
        (spec(json!({"name": "e".repeat(65)})), Some("/spec/name")),
        (json!({"metadata": {"name": "my.events"}}), Some("set spec.name")),
        (
            json!({"metadata": {"name": "my.events"}, "spec": {"name": "my_events"}}),
            None,
        ),
        (
            json!({"metadata": {"name": "my.events"}, "spec": {"instanceId": "8959ab1c"}}),
            None,
        ),
        (spec(json!({"engineVersion": 2.7})), Some("/spec/engineVersion")),
        (
            spec(json!({"brokerNum": 31, "storageSpace": 3100})),
            Some("/spec/brokerNum"),
        ),
        (spec(json!({"brokerNum": 0})), Some("/spec/brokerNum")),
        (spec(json!({"storageSpace": 300})), None),
        (
            spec(json!({"storageSpace": 200})),
            Some("the next total that can be reached is 300"),
        ),
        (
            spec(json!({"storageSpace": 700})),
            Some("the next total that can be reached is 702"),
        ),
        (zones(&["a", "b", "c"]), None),
        (zones(&["a", "b"]), Some("one availability zone, or at least three")),
        (zones(&[]), Some("all of these are needed")),
        (spec(json!({"tags": {"env": "prod", "cost centre": "42"}})), None),
        (spec(json!({"tags": {"sysadmin": "x"}})), Some("tag keys")),
        (spec(json!({"tags": {"dms-operator.create": "x"}})), Some("tag keys")),
        (spec(json!({"tags": {"": "x"}})), Some("tag keys")),
        (spec(json!({"tags": {"k".repeat(129): "x"}})), Some("tag keys")),
        (spec(json!({"tags": {"env": "v".repeat(256)}})), Some("/spec/tags/env")),
        (spec(json!({"tags": {"env": 42}})), Some("/spec/tags/env")),
        (spec(json!({"retentionPolicy": "time_base"})), None),
        (
            spec(json!({"retentionPolicy": "TimeBase"})),
            Some("/spec/retentionPolicy"),
        ),
        (window("22:00", "02:00:00"), None),
        (window("22:00", "22:00:00"), Some("does not end when it begins")),
        (window("24:00", "02:00"), Some("/spec/maintenanceWindow/begin")),
        (spec(json!({"maintenanceWindow": {"begin": "22:00"}})), Some("end")),
        (spec(json!({"description": ""})), None),
        (
            spec(json!({"description": "d".repeat(1025)})),
            Some("/spec/description"),
        ),
        (spec(json!({"management": {}})), None),
        (
            spec(json!({"management": {"adoption": "Maybe"}})),
            Some("/spec/management/adoption"),
        ),
        (spec(json!({"management": {"deletion": "Orphan"}})), None),
        (spec(json!({"listeners": {}})), Some("listeners")),
    ];
    let many: serde_json::Map<_, _> = (0..20).map(|n| (format!("k{n}"), json!("v"))).collect();
    cases.push((spec(json!({"tags": many})), Some("/spec/tags")));
    for field in CREATION {
        cases.push((spec(json!({field: null})), Some("all of these are needed")));
        cases.push((spec(json!({field: null, "instanceId": "8959ab1c"})), None));
    }
    judge(INSTANCE, &instance(), &cases, false);
}

const CREATION: [&str; 9] = [
    "engineVersion",
    "productId",
    "brokerNum",
    "storageSpace",
    "storageSpecCode",
    "availableZones",
    "vpcId",
    "subnetId",
    "securityGroupId",
];

pub fn an_instance_is_frozen_from_its_create_call_on(judge: &mut Judge<'_>) {
    let edits = [
        json!({"engineVersion": "3.x"}),
        json!({"productId": "c6.4u8g.cluster"}),
        json!({"brokerNum": 4}),
        json!({"storageSpecCode": "dms.physical.storage.high.v2"}),
        json!({"availableZones": ["eu-west-101b"]}),
        json!({"vpcId": "another"}),
        json!({"subnetId": "another"}),
        json!({"ipv6Enable": true}),
        json!({"storageSpace": 300}),
    ];
    let mut base = instance();
    base["spec"]["ipv6Enable"] = json!(false);
    let free = edits.clone().map(|edit| (spec(edit), None));
    judge(INSTANCE, &base, &free, true);
    judge(
        INSTANCE,
        &with_status(base.clone(), json!({"observedGeneration": 1, "state": "?"})),
        &free,
        true,
    );

    let frozen = edits.map(|edit| (spec(edit), Some("cannot ")));
    for status in [
        json!({"instanceId": "8959ab1c"}),
        json!({"createIntent": {"time": "2026-11-22T10:00:00Z"}}),
    ] {
        judge(INSTANCE, &with_status(base.clone(), status), &frozen, true);
    }

    let editable = [
        (
            spec(json!({"name": "renamed", "description": "x", "securityGroupId": "another"})),
            None,
        ),
        (
            spec(json!({"tags": {"env": "prod"}, "retentionPolicy": "time_base", "enterpriseProjectId": "1"})),
            None,
        ),
        (
            spec(json!({"ipv6Enable": null, "management": {"deletion": "Orphan"}})),
            None,
        ),
        (spec(json!({"storageSpace": 900})), None),
        (spec(json!({"instanceId": "8959ab1c"})), None),
        (
            spec(json!({"instanceId": "1f20c9aa"})),
            Some("instanceId cannot become another"),
        ),
    ];
    judge(
        INSTANCE,
        &with_status(base, json!({"instanceId": "8959ab1c"})),
        &editable,
        true,
    );
}

pub fn what_was_never_so_can_be_corrected_to_what_is(judge: &mut Judge<'_>) {
    let seen = json!({"instanceId": "8959ab1c", "observed": {
        "vpcId": "real", "brokerNum": 3, "availableZones": ["c", "b", "a"], "storageSpace": 300
    }});
    let mut base = with_status(instance(), seen);
    base["spec"]["availableZones"] = json!(["a", "b", "d"]);
    let cases = [
        (spec(json!({"vpcId": "real"})), None),
        (spec(json!({"vpcId": "other"})), Some("vpcId cannot change")),
        (spec(json!({"availableZones": ["d", "b", "a"]})), None),
        (spec(json!({"availableZones": ["a", "b", "c"]})), None),
        (
            spec(json!({"availableZones": ["a", "b", "e"]})),
            Some("availableZones cannot change"),
        ),
        // 600 were asked for and never came.
        (spec(json!({"storageSpace": 300})), None),
    ];
    judge(INSTANCE, &base, &cases, true);
}

pub fn storage_grows_by_steps_that_the_service_takes_and_never_shrinks(judge: &mut Judge<'_>) {
    let seen = |storage: u32| json!({"instanceId": "8959ab1c", "observed": {"brokerNum": 3, "storageSpace": storage}});
    let to = |storage: u32| spec(json!({"storageSpace": storage}));
    let cases = [
        (to(300), Some("cannot be lowered below what exists")),
        (to(603), Some("the next total that can be reached is 900")),
        // Not the next that three brokers could share, but the next that the service takes.
        (to(650), Some("the next total that can be reached is 900")),
        (to(900), None),
        (to(901), Some("the next total that can be reached is 903")),
    ];
    judge(INSTANCE, &with_status(instance(), seen(600)), &cases, true);
    // It grew by itself: what the spec says is a least.
    judge(
        INSTANCE,
        &with_status(instance(), seen(900)),
        &[(to(750), None), (to(900), None)],
        true,
    );
    // Before anything is there, all that counts is whether the brokers can share it.
    let early = [
        (to(650), Some("the next total that can be reached is 651")),
        (to(200), Some("the next total that can be reached is 300")),
        (
            spec(json!({"brokerNum": 7})),
            Some("the next total that can be reached is 700"),
        ),
        (spec(json!({"brokerNum": 4})), None),
    ];
    judge(INSTANCE, &instance(), &early, true);
}

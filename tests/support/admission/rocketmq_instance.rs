use serde_json::{Value, json};

use super::{Judge, object, spec, with_status};

const INSTANCE: &str = "RocketMQInstance";

fn instance() -> Value {
    object(
        INSTANCE,
        "shop",
        &json!({
            "engineVersion": "4.8.0", "productId": "c6.4u8g.cluster", "brokerNum": 2, "storageSpace": 600,
            "storageSpecCode": "dms.physical.storage.ultra.v2", "availableZones": ["eu-west-101a"],
            "vpcId": "ead6c5ff", "subnetId": "3cb6afa2", "securityGroupId": "aa75ae22",
        }),
    )
}

pub fn a_rocketmq_instance_is_let_in_or_refused(judge: &mut Judge<'_>) {
    let small =
        |version: &str, storage: u32| spec(json!({"engineVersion": version, "brokerNum": 1, "storageSpace": storage}));
    let mut cases = vec![
        (json!({}), None),
        (spec(json!({"enableAcl": true})), None),
        (spec(json!({"brokerNum": null})), None),
        (spec(json!({"brokerNum": 11, "storageSpace": 3300})), Some("at most 10")),
        (small("5.x", 200), None),
        (small("5.x", 199), Some("the next total that can be reached is 200")),
        (small("4.8.0", 300), None),
        (small("4.8.0", 299), Some("the next total that can be reached is 300")),
        (
            spec(json!({"storageSpace": 601})),
            Some("the next total that can be reached is 602"),
        ),
        (spec(json!({"retentionPolicy": "time_base"})), Some("retentionPolicy")),
        (
            spec(json!({"maintenanceWindow": {"begin": "22:00", "end": "02:00"}})),
            Some("maintenanceWindow"),
        ),
        (
            spec(json!({"description": "copied dms-operator.create:0123abcd"})),
            Some("the mark of an instance that is being created"),
        ),
        (spec(json!({"engineVersion": 5})), Some("/spec/engineVersion")),
        (spec(json!({"name": "my_shop"})), None),
        (json!({"metadata": {"name": "abc"}}), Some("set spec.name")),
    ];
    for field in CREATION {
        cases.push((spec(json!({field: null})), Some("all of these are needed")));
        cases.push((spec(json!({field: null, "instanceId": "8959ab1c"})), None));
    }
    judge(INSTANCE, &instance(), &cases, false);
}

const CREATION: [&str; 8] = [
    "engineVersion",
    "productId",
    "storageSpace",
    "storageSpecCode",
    "availableZones",
    "vpcId",
    "subnetId",
    "securityGroupId",
];

pub fn a_rocketmq_instance_is_frozen_from_its_create_call_on(judge: &mut Judge<'_>) {
    let edits = [
        json!({"productId": "c6.8u16g.cluster"}),
        json!({"brokerNum": 1}),
        json!({"availableZones": ["eu-west-101b"]}),
        json!({"vpcId": "another"}),
        json!({"subnetId": "another"}),
        json!({"enterpriseProjectId": "1"}),
        json!({"ipv6Enable": true}),
    ];
    let mut base = instance();
    base["spec"]["ipv6Enable"] = json!(false);
    base["spec"]["enterpriseProjectId"] = json!("0");
    judge(INSTANCE, &base, &edits.clone().map(|edit| (spec(edit), None)), true);
    let frozen = edits.map(|edit| (spec(edit), Some("cannot ")));
    for status in [
        json!({"instanceId": "8959ab1c"}),
        json!({"createIntent": {"time": "2026-11-22T10:00:00Z"}}),
    ] {
        judge(INSTANCE, &with_status(base.clone(), status), &frozen, true);
    }
    let cases = [
        (
            spec(json!({"enableAcl": true, "description": "x", "name": "shop-2"})),
            None,
        ),
        (
            spec(json!({"securityGroupId": "another", "tags": {"env": "prod"}})),
            None,
        ),
        // The service takes it at creation only.
        (spec(json!({"name": "shop_2"})), Some("no _ in the new name")),
        (spec(json!({"storageSpace": 800})), None),
        (spec(json!({"storageSpace": 500})), Some("cannot be lowered")),
    ];
    let seen = json!({"instanceId": "8959ab1c", "observed": {"brokerNum": 2, "storageSpace": 600}});
    judge(INSTANCE, &with_status(base, seen), &cases, true);
}

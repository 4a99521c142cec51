//! How a user sees a RocketMQ instance come: its create is known by the end of its description.

use serde_json::{Value, json};

use super::instance::{CREATE, Found, Search};
use super::instances::{accept, look_at_instance};
use super::rocketmq_instance::{RocketMq, Step, View, is_marked};
use super::*;
use crate::api::{RocketMQInstance, RocketMQInstanceStatus};
use crate::cloud::rocketmq::{self, CreateInstance, UpdateInstance};

type Shown = Plan<RocketMQInstanceStatus, Step>;

pub(super) const MARK: &str = "dms-operator.create:n1";

pub(super) fn object(more: Value) -> RocketMQInstance {
    let mut spec = json!({
        "engineVersion": "4.8.0", "productId": "c6.4u8g.cluster", "brokerNum": 3, "storageSpace": 900,
        "storageSpecCode": "dms.physical.storage.ultra.v2", "availableZones": ["eu-west-101a"],
        "vpcId": "v1", "subnetId": "s1", "securityGroupId": "g1",
    });
    spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(json!({
        "apiVersion": "dms.huaweicloud.com/v1alpha1", "kind": "RocketMQInstance",
        "metadata": {"name": "shop", "namespace": "shop", "generation": 1}, "spec": spec,
    }))
    .unwrap()
}

/// As the cloud shows what [`object`] asks for, once it runs.
pub(super) fn shown(state: &str, more: Value) -> View {
    let mut instance = json!({
        "instance_id": "i1", "name": "shop", "status": state, "engine_version": "4.8.0",
        "product_id": "c6.4u8g.cluster", "broker_num": 3, "total_storage_space": 900,
        "storage_spec_code": "dms.physical.storage.ultra", "available_zones": ["z-a"], "vpc_id": "v1",
        "subnet_id": "s1", "security_group_id": "g1", "maintain_begin": "02:00:00", "maintain_end": "06:00:00",
        "description": "", "ipv6_enable": false, "enterprise_project_id": "0", "enable_acl": false,
    });
    instance
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    View {
        instance: serde_json::from_value::<rocketmq::Instance>(instance).unwrap(),
        tags: Some(vec![]),
        brokers: Some(brokers(3)),
        most_disk: None,
        topic_limits: None,
        group_limits: None,
    }
}

pub(super) fn brokers(count: usize) -> std::collections::BTreeSet<String> {
    (0..count).map(|n| format!("broker-{n}")).collect()
}

/// One of version 5.x: it neither is asked for a number of brokers nor tells it.
pub(super) fn five(more: Value) -> View {
    let mut instance = json!({"engine_version": "5.x", "broker_num": null});
    instance
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    shown("RUNNING", instance)
}

pub(super) fn plain(object: &mut RocketMQInstance, view: View) -> Shown {
    look_at_instance::<RocketMq>(object, Found::There(view), |_, _| {})
}

fn order(object: &mut RocketMQInstance) -> Shown {
    let none = Found::Searched(Search::default());
    look_at_instance::<RocketMq>(object, none, |_, _| {})
}

/// An instance whose create was accepted.
fn made(more: Value) -> RocketMQInstance {
    let mut object = object(more);
    order(&mut object);
    accept(&mut object, CREATE, None, 0);
    object
}

/// An instance that we made and that serves.
pub(super) fn served(more: Value, view: View) -> RocketMQInstance {
    let mut object = made(more);
    let plan = plain(&mut object, view);
    assert_eq!(plan.next, Next::Rest, "{plan:?}");
    object
}

/// The same, with fields of the spec edited since.
pub(super) fn edited(spec: Value, view: View, edit: Value) -> RocketMQInstance {
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

fn creates(plan: &Shown) -> &CreateInstance {
    match plan.steps.as_slice() {
        [Step::Create(create)] => create,
        steps => panic!("does not create: {steps:?}, {:?}", plan.situation),
    }
}

#[test]
fn a_create_carries_its_nonce_at_the_end_of_the_description_and_nowhere_else() {
    let long = "é".repeat(1024);
    let room = 1024 - MARK.len() - 1;
    for (description, expected) in [
        (None, MARK.to_owned()),
        (Some(""), MARK.to_owned()),
        (Some("the shop's"), format!("the shop's {MARK}")),
        (Some(&long), format!("{} {MARK}", "é".repeat(room))),
    ] {
        let mut object = object(json!({ "description": description, "tags": {"env": "prod"} }));
        let plan = order(&mut object);
        assert_eq!(told(&plan), "Creating, Soon: creates RocketMQ instance shop");
        let create = creates(&plan);
        assert_eq!(create.order.description.as_deref(), Some(&*expected));
        assert!(expected.chars().count() <= 1024);
        assert!(is_marked(&expected, "n1"));
        let all = serde_json::to_string(create).unwrap();
        assert_eq!(all.matches("n1").count(), 1, "{all}");
        let intent = plan.status.core.create_intent.as_ref().unwrap();
        assert_eq!(
            (intent.nonce.as_deref(), intent.name.as_deref()),
            (Some("n1"), Some("shop"))
        );
        assert!(plan.status.managed_tags.contains("env"));
    }
}

#[test]
fn only_the_very_nonce_at_the_very_end_marks_what_a_create_made() {
    for (description, marked) in [
        (MARK, true),
        ("text dms-operator.create:n1", true),
        ("textdms-operator.create:n1", true),
        ("dms-operator.create:n1 ", false),
        ("dms-operator.create:n1 text", false),
        ("dms-operator.create:n11", false),
        ("dms-operator.create:xn1", false),
        ("dms-operator.create:n", false),
        ("dms-operator.create: n1", false),
        ("n1", false),
        ("", false),
    ] {
        assert_eq!(is_marked(description, "n1"), marked, "{description:?}");
    }
}

#[test]
fn the_mark_is_put_right_once_the_instance_runs() {
    let marked = |text: &str| json!({ "description": format!("{text}{MARK}") });
    let long = "é".repeat(1024);
    let cut = format!("{} ", "é".repeat(1024 - MARK.len() - 1));
    for (wanted, text, sent) in [
        (None, "", ""),
        (None, "theirs ", "theirs"),
        (Some(""), "", ""),
        (Some("mine"), "mine ", "mine"),
        (Some("mine"), "theirs ", "mine"),
        (Some(&*long), &*cut, &*long),
        (Some("ends in a blank "), "ends in a blank  ", "ends in a blank "),
    ] {
        let mut object = made(json!({ "description": wanted }));
        let creating = plain(&mut object, shown("CREATING", marked(text)));
        says(&idle(&creating), "Creating, Poll: being created");
        assert!(creating.status.core.drift.is_empty());
        let plan = plain(&mut object, shown("RUNNING", marked(text)));
        assert_eq!(
            plan.steps,
            [Step::Update(UpdateInstance {
                description: Some(sent.into()),
                ..Default::default()
            })],
            "{wanted:?} {text:?}"
        );
        says(&told(&plan), "Updating/Updating, Soon: changes ");
        says(&told(&plan), "the mark of its creation");
        // What a user sees never has the mark; what is empty is left out of the next answer.
        let observed = plan.status.observed.unwrap().instance.description;
        assert_eq!(observed.as_deref(), Some(text.trim_end()));
        let shows = json!({ "description": Some(sent).filter(|text| !text.is_empty()) });
        says(&idle(&plain(&mut object, shown("RUNNING", shows))), "Healthy");
    }
}

#[test]
fn the_mark_goes_in_the_same_call_as_other_changes() {
    let mut object = made(json!({"description": "mine", "enableAcl": true}));
    let shows = json!({ "description": format!("mine {MARK}"), "name": "other", "security_group_id": "g9" });
    let plan = plain(&mut object, shown("RUNNING", shows));
    assert_eq!(
        plan.steps,
        [Step::Update(UpdateInstance {
            name: Some("shop".into()),
            description: Some("mine".into()),
            security_group_id: Some("g1".into()),
            enable_acl: Some(true),
        })]
    );
}

#[test]
fn a_mark_of_another_create_is_taken_off_an_adopted_instance_too() {
    let mut adopted = object(json!({"instanceId": "i1"}));
    let plan = plain(
        &mut adopted,
        shown("RUNNING", json!({"description": "theirs dms-operator.create:zz"})),
    );
    let update = UpdateInstance {
        description: Some("theirs".into()),
        ..Default::default()
    };
    assert_eq!(plan.steps, [Step::Update(update)]);
    assert_eq!(plan.status.core.origin, Some(Origin::Adopted));
    assert_eq!(plan.status.core.drift[0].found, " dms-operator.create:zz");
    // Text that only looks like one is somebody's description.
    for text in [
        "about dms-operator.create: it",
        "dms-operator.create:",
        "dms-operator.create:a-b",
    ] {
        let mut adopted = object(json!({"instanceId": "i1"}));
        let plan = plain(&mut adopted, shown("RUNNING", json!({ "description": text })));
        says(&idle(&plan), "Healthy");
        let observed = plan.status.observed.unwrap().instance.description;
        assert_eq!(observed.as_deref(), Some(text));
    }
}

#[test]
fn when_it_was_created_says_nothing_about_what_it_is_doing() {
    let mut object = made(json!({}));
    let creating = plain(&mut object, shown("CREATING", json!({"created_at": "1577836800000"})));
    says(&idle(&creating), "Creating, Poll: being created");
    assert_eq!(creating.status.core.served_since, None);
    let running = plain(&mut object, shown("RUNNING", json!({"created_at": null})));
    assert_eq!(idle(&running), "Healthy, Rest: RUNNING, 3 brokers, 900 GB");
    assert_eq!(running.status.observed.unwrap().instance.create_time, None);
}

#[test]
fn each_version_says_what_it_needs_to_be_ordered() {
    let five = |more: Value| {
        let mut spec = json!({"engineVersion": "5.x", "brokerNum": null, "storageSpace": 200});
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        spec
    };
    for (spec, expected) in [
        (
            json!({"brokerNum": null}),
            "spec.brokerNum is needed to create an instance",
        ),
        (
            json!({"storageSpace": 600}),
            "spec.storageSpace 600 cannot be shared by 3 brokers in whole GB of at least 300 each; the next total that can \
             is 900",
        ),
        (
            json!({"storageSpace": 901}),
            "spec.storageSpace 901 cannot be shared by 3 brokers in whole GB of at least 300 each; the next total that can \
             is 903",
        ),
        (
            five(json!({"storageSpace": 199})),
            "spec.storageSpace 199 cannot be shared by 1 brokers in whole GB of at least 200 each; the next total that can \
             is 200",
        ),
        (
            five(json!({"brokerNum": 2, "storageSpace": 300})),
            "spec.storageSpace 300 cannot be shared by 2 brokers in whole GB of at least 200 each; the next total that can \
             is 400",
        ),
        (
            five(json!({"productId": null})),
            "spec.productId is needed to create an instance",
        ),
    ] {
        let plan = order(&mut object(spec));
        assert_eq!(idle(&plan), format!("Stopped/InvalidSpec, Stop 30 min: {expected}"));
        assert!(!plan.status.core.stands_for_something());
    }
    let plan = order(&mut object(five(
        json!({"enableAcl": true, "enterpriseProjectId": "ep"}),
    )));
    let create = creates(&plan);
    assert_eq!(
        (create.order.broker_num, create.order.storage_space, create.enable_acl),
        (None, 200, Some(true))
    );
    assert_eq!(create.order.enterprise_project_id.as_deref(), Some("ep"));
    assert_eq!(creates(&order(&mut object(json!({})))).order.broker_num, Some(3));
}

#[test]
fn clients_find_the_name_servers_and_where_grpc_is_spoken() {
    let mut object = object(json!({"instanceId": "i1"}));
    let shows = json!({
        "namesrv_address": "10.0.0.1:8100;10.0.0.2:8100", "grpc_address": "", "public_namesrv_address": "",
        "public_grpc_address": "1.2.3.4:8081",
    });
    let plan = plain(&mut object, shown("RUNNING", shows));
    let endpoints = plan.status.endpoints.iter();
    let endpoints: Vec<_> = endpoints
        .map(|e| (e.name.as_str(), e.name_servers.as_deref(), e.grpc.as_deref()))
        .collect();
    assert_eq!(
        endpoints,
        [
            ("Private", Some("10.0.0.1:8100;10.0.0.2:8100"), None),
            ("Public", None, Some("1.2.3.4:8081")),
        ]
    );
    let gone = look_at_instance::<RocketMq>(&mut object, Found::Missing(2), |_, _| {});
    assert_eq!((gone.status.endpoints.len(), gone.status.state), (0, None));
}

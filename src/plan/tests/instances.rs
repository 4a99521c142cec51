//! How a user sees an instance come, be found, be lost, and go.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::instance::{CREATE, Found, InstanceEngine, Search, State, StepOf};
use super::kafka_instance::{Kafka, NONCE_TAG, Seen, Step, View};
use super::*;
use crate::api::{KafkaInstance, KafkaInstanceStatus};
use crate::cloud::kafka::{self, CreateInstance};
use crate::cloud::{Class, Error, Operation as Call, Sent, Tag};

pub(super) type Shown = Plan<KafkaInstanceStatus, Step>;

pub(super) fn object(more: Value) -> KafkaInstance {
    let mut spec = json!({
        "engineVersion": "2.7", "productId": "c6.2u4g.cluster", "brokerNum": 3, "storageSpace": 600,
        "storageSpecCode": "dms.physical.storage.ultra.v2", "availableZones": ["eu-west-101a"],
        "vpcId": "v1", "subnetId": "s1", "securityGroupId": "g1",
    });
    spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(json!({
        "apiVersion": "dms.huaweicloud.com/v1alpha1", "kind": "KafkaInstance",
        "metadata": {"name": "events", "namespace": "shop", "generation": 1}, "spec": spec,
    }))
    .unwrap()
}

/// As the cloud shows what [`object`] asks for.
pub(super) fn shown(state: &str, more: Value) -> View {
    let mut instance = json!({
        "instance_id": "i1", "name": "events", "status": state, "engine_version": "2.7",
        "product_id": "c6.2u4g.cluster", "broker_num": 3, "total_storage_space": 600,
        "storage_spec_code": "dms.physical.storage.ultra", "available_zones": ["z-a"], "vpc_id": "v1",
        "subnet_id": "s1", "security_group_id": "g1", "maintain_begin": "02:00:00", "maintain_end": "06:00:00",
        "retention_policy": "produce_reject", "description": "", "ipv6_enable": false, "enterprise_project_id": "0",
    });
    instance
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    View {
        instance: serde_json::from_value::<kafka::Instance>(instance).unwrap(),
        tags: Some(vec![]),
        limits: None,
    }
}

pub(super) fn running() -> Found<View> {
    Found::There(shown("RUNNING", json!({})))
}

pub(super) fn in_state(state: &str) -> Found<View> {
    Found::There(shown(state, json!({})))
}

pub(super) fn nothing() -> Found<View> {
    Found::Searched(Search::default())
}

pub(super) fn empty(times: u32) -> Found<View> {
    Found::Searched(Search {
        empty_in_a_row: times,
        empty_for: Duration::MAX,
        ..Default::default()
    })
}

pub(super) fn ids(ours: &[&str], others: &[&str], unreadable: &[&str]) -> Found<View> {
    let own = |ids: &[&str]| ids.iter().map(ToString::to_string).collect();
    Found::Searched(Search {
        ours: own(ours),
        others: own(others),
        unreadable: own(unreadable),
        empty_in_a_row: 0,
        empty_for: Duration::ZERO,
    })
}

/// One look at an instance of either engine; what is decided is written down.
pub(super) fn look_at_instance<E: InstanceEngine>(
    object: &mut E::Cr,
    found: Found<E::View>,
    tweak: impl FnOnce(&mut Facts<'_>, &mut instance::Seen<E::View>),
) -> Plan<State<E>, StepOf<E>> {
    let core = object.core().cloned().unwrap_or_default();
    let mut facts = facts(&core, object.meta().generation);
    facts.adoption = E::spec(object).management.adoption;
    let mut seen = instance::Seen {
        location: location(),
        enterprise_project_id: None,
        zones: BTreeMap::from([
            ("eu-west-101a".into(), "z-a".into()),
            ("eu-west-101b".into(), "z-b".into()),
        ])
        .into(),
        found,
        search_window: WINDOW,
    };
    tweak(&mut facts, &mut seen);
    let plan = instance::plan::<E>(object, facts, seen);
    *object.status_mut() = Some(plan.status.clone());
    plan
}

pub(super) fn look(
    object: &mut KafkaInstance,
    found: Found<View>,
    tweak: impl FnOnce(&mut Facts<'_>, &mut Seen),
) -> Shown {
    look_at_instance::<Kafka>(object, found, tweak)
}

pub(super) fn plain(object: &mut KafkaInstance, found: Found<View>) -> Shown {
    look(object, found, |_, _| {})
}

pub(super) fn later(object: &mut KafkaInstance, found: Found<View>, seconds: i64) -> Shown {
    look(object, found, |f, _| f.now = at(seconds))
}

pub(super) fn leave(object: &mut KafkaInstance, found: Found<View>, seconds: i64) -> Shown {
    look(object, found, |f, _| {
        f.deleting = true;
        f.now = at(seconds);
    })
}

/// What the operator notes once a create was answered, or a delete accepted.
pub(super) fn accept<Cr: Managed>(object: &mut Cr, operation: &str, job: Option<&str>, seconds: i64) {
    let core = object.status_mut().as_mut().unwrap().as_mut();
    core.operation = Some(begun(core, operation, job.map(Into::into), at(seconds)));
    if operation == CREATE {
        core.instance_id = Some("i1".into());
        core.origin = Some(Origin::Created);
        core.create_intent = None;
    }
}

/// An instance that we made and that serves.
pub(super) fn served(more: Value, view: View) -> KafkaInstance {
    let mut object = object(more);
    plain(&mut object, nothing());
    accept(&mut object, CREATE, None, 0);
    let plan = plain(&mut object, Found::There(view));
    assert_eq!(plan.next, Next::Rest, "{plan:?}");
    object
}

fn creates(plan: &Shown) -> &CreateInstance {
    match plan.steps.as_slice() {
        [Step::Create(create)] => create,
        steps => panic!("does not create: {steps:?}, {:?}", plan.situation),
    }
}

#[test]
fn a_new_instance_is_written_down_with_a_nonce_then_ordered() {
    let mut object =
        object(json!({"tags": {"env": "prod"}, "maintenanceWindow": {"begin": "22:00:00", "end": "02:00"}}));
    let plan = look(&mut object, nothing(), |_, s| {
        s.enterprise_project_id = Some("ep".into())
    });
    assert_eq!(told(&plan), "Creating, Soon: creates Kafka instance events");
    let create = creates(&plan);
    let tag = |key: &str, value: &str| Tag {
        key: key.into(),
        value: value.into(),
    };
    assert_eq!(create.tags, [tag("env", "prod"), tag(NONCE_TAG, "n1")]);
    assert_eq!(create.order.available_zones, ["z-a"]);
    assert_eq!(
        (create.maintain_begin.as_deref(), create.maintain_end.as_deref()),
        (Some("22:00"), Some("02:00"))
    );
    assert_eq!((create.order.storage_space, create.order.broker_num), (600, Some(3)));
    assert_eq!(create.order.enterprise_project_id.as_deref(), Some("ep"));
    let core = &plan.status.core;
    let intent = core.create_intent.as_ref().unwrap();
    assert_eq!((intent.nonce.as_deref(), &intent.time), (Some("n1"), &written(0)));
    assert_eq!(
        (core.provider.clone(), core.instance_id.clone()),
        (Some(location()), None)
    );
    assert!(plan.status.managed_tags.contains("env"));
}

#[test]
fn a_spec_that_cannot_be_ordered_says_which_field_and_what_would_do() {
    for (spec, expected) in [
        (
            json!({"engineVersion": null}),
            "spec.engineVersion is needed to create an instance",
        ),
        (
            json!({"storageSpace": null}),
            "spec.storageSpace is needed to create an instance",
        ),
        (
            json!({"availableZones": []}),
            "spec.availableZones is needed to create an instance",
        ),
        (
            json!({"availableZones": ["eu-west-101x"]}),
            "spec.availableZones: there is no zone eu-west-101x in eu-west-101; there are eu-west-101a, eu-west-101b",
        ),
        (
            json!({"storageSpace": 601}),
            "spec.storageSpace 601 cannot be shared by 3 brokers in whole GB of at least 100 each; the next total that can is 603",
        ),
        (
            json!({"storageSpace": 150}),
            "spec.storageSpace 150 cannot be shared by 3 brokers in whole GB of at least 100 each; the next total that can is 300",
        ),
    ] {
        let mut object = object(spec);
        assert_eq!(
            idle(&plain(&mut object, nothing())),
            format!("Stopped/InvalidSpec, Stop 30 min: {expected}")
        );
        assert!(!object.status.unwrap().core.stands_for_something());
    }
    // A zone may be named by its id too.
    assert_eq!(
        creates(&plain(&mut object(json!({"availableZones": ["z-b"]})), nothing()))
            .order
            .available_zones,
        ["z-b"]
    );
}

#[test]
fn after_a_lost_answer_only_three_empty_searches_over_the_whole_window_allow_another_order() {
    let mut object = object(json!({}));
    plain(&mut object, nothing());
    let waits = later(&mut object, empty(1), 10);
    says(&idle(&waits), "Creating, Poll: the answer to the create of");
    says(&idle(&waits), "and creates it anew only after 10 min without a trace");
    for (searches, seconds, again) in [(2, 700, false), (9, 609, false), (2, 9999, false), (3, 610, true)] {
        let plan = later(&mut object.clone(), empty(searches), seconds);
        assert_eq!(!plan.steps.is_empty(), again, "{searches} searches, {seconds} s");
    }
    let plan = look(&mut object, empty(3), |f, _| {
        f.now = at(610);
        f.nonce = "another";
    });
    says(
        &told(&plan),
        "creates Kafka instance events once more: no trace of the first attempt",
    );
    assert_eq!(creates(&plan).tags[0].value, "n1");
    let intent = plan.status.core.create_intent.unwrap();
    assert_eq!(
        (intent.attempts, intent.searched_since, intent.time),
        (Some(2), None, written(610))
    );
}

#[test]
fn a_search_that_could_not_tell_begins_the_window_anew() {
    let mut object = object(json!({}));
    plain(&mut object, nothing());
    later(&mut object, empty(1), 10);
    let unknown = later(&mut object, ids(&[], &["x"], &["i7"]), 600);
    assert_eq!(
        idle(&unknown),
        "Creating, Poll: cannot tell yet whether i7 is ours: its tags were not readable"
    );
    assert_eq!(
        idle(&later(&mut object, empty(3), 620)).split(',').next(),
        Some("Creating")
    );
    creates(&later(&mut object, empty(99), 1220));
}

#[test]
fn what_carries_our_nonce_is_ours() {
    let mut object = object(json!({}));
    plain(&mut object, nothing());
    let two = plain(&mut object.clone(), ids(&["i1", "i2"], &[], &[]));
    says(
        &idle(&two),
        "Stopped/Conflict, Stop 30 min: instances i1, i2 all carry our nonce",
    );
    let plan = plain(&mut object, ids(&["i1"], &["x"], &["y"]));
    assert_eq!(idle(&plan), "Creating, Soon: found i1, which our create made");
    let core = &plan.status.core;
    assert_eq!(
        (core.instance_id.as_deref(), core.origin),
        (Some("i1"), Some(Origin::Created))
    );
    assert_eq!(core.operation.as_ref().map(|o| o.name.as_str()), Some(CREATE));
    assert_eq!(core.create_intent, None);
}

#[test]
fn after_a_definite_refusal_the_next_order_is_a_first_one() {
    let mut object = object(json!({}));
    plain(&mut object, nothing());
    let no = Error::new(Call::CreateInstanceByEngine, Class::Quota, Sent::Refused, "sold out");
    fault::create_failed(&mut object.status.as_mut().unwrap().core, &no, at(0));
    let plan = look(&mut object, nothing(), |f, _| f.nonce = "n2");
    assert_eq!(creates(&plan).tags[0].value, "n2");
    assert_eq!(plan.status.core.create_intent.unwrap().attempts, None);
}

#[test]
fn an_instance_of_the_same_name_is_taken_over_only_if_asked_and_if_there_is_but_one() {
    let mut never = object(json!({}));
    let plan = plain(&mut never, ids(&[], &["x"], &[]));
    says(
        &idle(&plan),
        "Stopped/AlreadyExists, Stop 30 min: Kafka instance events of this name is there already (x)",
    );
    assert!(!plan.status.core.stands_for_something());
    let mut takes = object(json!({"management": {"adoption": "IfExists"}}));
    says(
        &idle(&plain(&mut takes, ids(&[], &["x", "y"], &[]))),
        "Stopped/AlreadyExists",
    );
    let plan = plain(&mut takes, ids(&[], &["x"], &[]));
    assert_eq!(idle(&plan), "Creating, Soon: takes over x");
    assert_eq!(
        (plan.status.core.instance_id, plan.status.core.origin),
        (Some("x".into()), Some(Origin::Adopted))
    );
}

#[test]
fn an_instance_named_by_id_is_adopted_and_never_created() {
    let mut named = object(json!({"instanceId": "i1"}));
    let plan = plain(&mut named, running());
    assert_eq!(
        (plan.status.core.instance_id, plan.status.core.origin),
        (Some("i1".into()), Some(Origin::Adopted))
    );
    let mut wrong = object(json!({"instanceId": "i9"}));
    says(&idle(&plain(&mut wrong, Found::Missing(1))), "looks again to be sure");
    assert_eq!(
        idle(&plain(&mut wrong, Found::Missing(2))),
        "Stopped/NotFound, Stop 30 min: there is no instance i9; correct spec.instanceId"
    );
    // Its name in the cloud is its own business unless the spec says one.
    let other = || Found::There(shown("RUNNING", json!({"name": "legacy"})));
    assert!(idle(&plain(&mut object(json!({"instanceId": "i1"})), other())).starts_with("Healthy"));
    assert_eq!(
        plain(&mut object(json!({"instanceId": "i1", "name": "events"})), other())
            .steps
            .len(),
        1
    );
}

#[test]
fn an_instance_that_served_and_is_gone_is_not_bought_again_by_itself() {
    let mut object = served(json!({}), shown("RUNNING", json!({})));
    let once = plain(&mut object, Found::Missing(1));
    assert_eq!(
        idle(&once),
        "Unread/Retrying, Poll: the service does not know i1; looks again to be sure"
    );
    assert_eq!(once.status.state.as_deref(), Some("RUNNING"));
    let twice = plain(&mut object, Found::Missing(2));
    assert_eq!(
        idle(&twice),
        "Stopped/NotFound, Stop 30 min: Kafka instance events (i1) is gone and is not bought again by itself; to buy a new \
         one, annotate dms.huaweicloud.com/recreate=i1"
    );
    assert_eq!(twice.status.state, None);
    let wrong = look(&mut object, Found::Missing(3), |f, _| f.recreate = Some("i0"));
    says(&idle(&wrong), "Stopped/NotFound");
    let anew = look(&mut object, Found::Missing(3), |f, _| f.recreate = Some("i1"));
    assert_eq!(idle(&anew), "Creating again, Soon: i1 is gone; begins anew");
    assert!(!anew.status.core.stands_for_something());
    let order = plain(&mut object, nothing());
    creates(&order);
    // Nothing of the lost one is shown, or held against the spec.
    assert_eq!(order.status.observed, None);
}

#[test]
fn an_instance_that_was_just_ordered_may_not_be_readable_yet() {
    let mut object = object(json!({}));
    plain(&mut object, nothing());
    accept(&mut object, CREATE, None, 0);
    assert_eq!(
        idle(&later(&mut object.clone(), Found::Missing(9), 119)),
        "Waiting/Creating, Poll: the service does not know i1; looks again to be sure"
    );
    says(
        &idle(&later(&mut object.clone(), Found::Missing(9), 120)),
        "Stopped/CloudFailed",
    );
    says(
        &idle(&leave(&mut object.clone(), Found::Missing(9), 119)),
        "Deleting, Poll",
    );
    assert_eq!(leave(&mut object, Found::Missing(9), 120).next, Next::Release);
}

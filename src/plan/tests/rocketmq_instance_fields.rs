//! Which fields of a RocketMQ instance are compared, how they are changed, and which cannot be.

use serde_json::{Value, json};

use super::rocketmq_instance::{Step, View};
use super::rocketmq_instances::{brokers, edited, five, object, plain, served, shown};
use super::*;
use crate::api::Correction;
use crate::cloud::rocketmq::{self, UpdateInstance};
use crate::cloud::{Limits, Tag, TagAction};

fn update(change: impl FnOnce(&mut UpdateInstance)) -> Option<Step> {
    let mut update = UpdateInstance::default();
    change(&mut update);
    Some(Step::Update(update))
}

/// Everything that a spec can say.
fn whole() -> Value {
    json!({
        "name": "shop", "description": "mine", "ipv6Enable": false, "enterpriseProjectId": "0", "enableAcl": false,
        "tags": {"env": "prod"},
    })
}

fn tag(key: &str, value: &str) -> Tag {
    Tag {
        key: key.into(),
        value: value.into(),
    }
}

fn tagged(view: View, tags: &[(&str, &str)]) -> View {
    let tags = tags.iter().map(|(key, value)| tag(key, value)).collect();
    View {
        tags: Some(tags),
        ..view
    }
}

fn as_wanted(more: Value) -> View {
    let mut shows = json!({"description": "mine"});
    shows.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    tagged(shown("RUNNING", shows), &[("env", "prod")])
}

/// Each field that a read shows, altered by somebody else: which field of the spec is told, how it can be mended, and the
/// call that does. `None` where nobody wants anything of it.
#[test]
fn whatever_somebody_else_changes_is_put_back_told_or_none_of_our_business() {
    use Correction::{Impossible, InPlace};
    // A field that is new here needs a row below.
    let rocketmq::Instance {
        id: _,
        status: _,
        name: _,
        description: _,
        security_group_id: _,
        enable_acl: _,
        total_storage_space: _,
        extend_times: _,
        engine_version: _,
        product_id: _,
        broker_num: _,
        storage_spec_code: _,
        available_zones: _,
        vpc_id: _,
        subnet_id: _,
        ipv6_enable: _,
        enterprise_project_id: _,
        maintain_begin: _,
        maintain_end: _,
        created_at: _,
        namesrv_address: _,
        grpc_address: _,
        public_namesrv_address: _,
        public_grpc_address: _,
    } = as_wanted(json!({})).instance;
    let told_of = |field, correction| Some((field, correction));
    let nothing = None;
    for (shows, drift, step) in [
        (
            json!({"name": "x"}),
            told_of("spec.name", InPlace),
            update(|u| u.name = Some("shop".into())),
        ),
        (
            json!({"description": "x"}),
            told_of("spec.description", InPlace),
            update(|u| u.description = Some("mine".into())),
        ),
        (
            json!({"description": null}),
            told_of("spec.description", InPlace),
            update(|u| u.description = Some("mine".into())),
        ),
        (
            json!({"description": "mine dms-operator.create:abc"}),
            told_of("the mark of its creation", InPlace),
            update(|u| u.description = Some("mine".into())),
        ),
        (
            json!({"security_group_id": "x"}),
            told_of("spec.securityGroupId", InPlace),
            update(|u| u.security_group_id = Some("g1".into())),
        ),
        (
            json!({"enable_acl": true}),
            told_of("spec.enableAcl", InPlace),
            update(|u| u.enable_acl = Some(false)),
        ),
        (
            json!({"total_storage_space": 600}),
            told_of("spec.storageSpace", Correction::Job),
            Some(Step::ExtendStorage(900)),
        ),
        (json!({"total_storage_space": 1200, "extend_times": 1}), nothing, None),
        (
            json!({"engine_version": "5.x"}),
            told_of("spec.engineVersion", Impossible),
            None,
        ),
        (json!({"product_id": "x"}), told_of("spec.productId", Impossible), None),
        (json!({"broker_num": 2}), told_of("spec.brokerNum", Impossible), None),
        (json!({"broker_num": 4}), nothing, None),
        (
            json!({"storage_spec_code": "x"}),
            told_of("spec.storageSpecCode", Impossible),
            None,
        ),
        (
            json!({"storage_spec_code": "dms.physical.storage.ultra.v2"}),
            nothing,
            None,
        ),
        (
            json!({"available_zones": ["z-b"]}),
            told_of("spec.availableZones", Impossible),
            None,
        ),
        (json!({"vpc_id": "x"}), told_of("spec.vpcId", Impossible), None),
        (json!({"subnet_id": "x"}), told_of("spec.subnetId", Impossible), None),
        (
            json!({"ipv6_enable": true}),
            told_of("spec.ipv6Enable", Impossible),
            None,
        ),
        (
            json!({"enterprise_project_id": "x"}),
            told_of("spec.enterpriseProjectId", Impossible),
            None,
        ),
        (
            json!({"maintain_begin": "22:00:00", "maintain_end": "02:00:00"}),
            nothing,
            None,
        ),
        (json!({"created_at": "1577836800000"}), nothing, None),
        (
            json!({"namesrv_address": "10.9.9.9:8100", "public_grpc_address": "1.2.3.4:1"}),
            nothing,
            None,
        ),
    ] {
        let mut object = served(whole(), as_wanted(json!({})));
        let plan = plain(&mut object, as_wanted(shows.clone()));
        let drift_found = &plan.status.core.drift;
        let found: Vec<_> = drift_found.iter().map(|d| (d.field.as_str(), d.correction)).collect();
        assert_eq!(found, Vec::from_iter(drift), "{shows}");
        assert_eq!(plan.steps, Vec::from_iter(step), "{shows}");
        let expected = match drift {
            Some((_, Impossible)) => "Differing, Rest: ",
            Some(_) => "Correcting, Soon: puts back ",
            None => "Healthy, Rest: ",
        };
        says(&told(&plan), expected);
        // What an answer leaves out is unknown, and nothing follows from it.
        if let Some(field) = shows
            .as_object()
            .and_then(|o| o.keys().next())
            .filter(|f| *f != "description")
        {
            says(&idle(&plain(&mut object, as_wanted(json!({ field: null })))), "Healthy");
        }
    }
}

#[test]
fn tags_that_somebody_else_changes_are_put_back_and_those_of_others_stay() {
    let call = |action, key: &str, value: &str| Step::Tags(action, vec![tag(key, value)]);
    for (tags, steps) in [
        (vec![("env", "prod"), ("theirs", "x")], vec![]),
        (vec![("theirs", "x")], vec![call(TagAction::Create, "env", "prod")]),
        (
            vec![("env", "test")],
            vec![
                call(TagAction::Delete, "env", "test"),
                call(TagAction::Create, "env", "prod"),
            ],
        ),
        // On RocketMQ no tag carries a nonce.
        (vec![("env", "prod"), ("dms-operator.create", "n1")], vec![]),
    ] {
        let mut object = served(whole(), as_wanted(json!({})));
        assert_eq!(
            plain(&mut object, tagged(as_wanted(json!({})), &tags)).steps,
            steps,
            "{tags:?}"
        );
        let unread = View {
            tags: None,
            ..as_wanted(json!({}))
        };
        let plan = plain(&mut object, unread);
        says(&idle(&plan), "Healthy");
        assert!(plan.status.managed_tags.contains("env"));
    }
}

#[test]
fn each_edit_is_one_call_with_nothing_but_the_field_or_is_refused_with_its_path() {
    for (edit, step) in [
        (json!({"name": "other"}), update(|u| u.name = Some("other".into()))),
        (
            json!({"description": ""}),
            update(|u| u.description = Some(String::new())),
        ),
        (
            json!({"securityGroupId": "g2"}),
            update(|u| u.security_group_id = Some("g2".into())),
        ),
        (json!({"enableAcl": true}), update(|u| u.enable_acl = Some(true))),
        (
            json!({"tags": {"env": "prod", "team": "a"}}),
            Some(Step::Tags(TagAction::Create, vec![tag("team", "a")])),
        ),
        (json!({"storageSpace": 1200}), Some(Step::ExtendStorage(1200))),
        (json!({"enterpriseProjectId": "ep"}), None),
        (json!({"engineVersion": "5.x"}), None),
        (json!({"productId": "c6.8u16g.cluster"}), None),
        (json!({"brokerNum": 4}), None),
        (json!({"ipv6Enable": true}), None),
        // A field that is removed is released.
        (
            json!({"enableAcl": null, "description": null, "enterpriseProjectId": null}),
            None,
        ),
    ] {
        let mut object = edited(whole(), as_wanted(json!({})), edit.clone());
        let plan = plain(&mut object, as_wanted(json!({})));
        let (field, value) = edit.as_object().and_then(|o| o.iter().next()).unwrap();
        match (step, value.is_null()) {
            (Some(step), _) => {
                says(&told(&plan), &format!("Updating/Updating, Soon: changes spec.{field}"));
                assert_eq!(plan.steps, [step]);
            }
            (None, true) => says(&idle(&plan), "Healthy"),
            (None, false) => {
                let stopped = "Edit stopped/InvalidSpec, Stop 30 min: ";
                says(
                    &idle(&plan),
                    &format!("{stopped}spec.{field} of RocketMQ instance shop is "),
                );
            }
        }
    }
}

#[test]
fn access_control_that_the_spec_leaves_out_is_the_clouds() {
    let mut object = object(json!({"instanceId": "i1"}));
    for acl in [json!(true), json!(false), json!("true"), json!(null)] {
        let plan = plain(&mut object, shown("RUNNING", json!({ "enable_acl": acl })));
        says(&idle(&plan), "Healthy");
        let expected = if acl.is_null() { None } else { Some(acl != json!(false)) };
        assert_eq!(plan.status.observed.unwrap().enable_acl, expected);
    }
}

#[test]
fn the_maintenance_window_is_only_shown() {
    let plan = plain(&mut object(json!({"instanceId": "i1"})), shown("RUNNING", json!({})));
    let window = plan.status.observed.unwrap().instance.maintenance_window.unwrap();
    assert_eq!((&*window.begin, &*window.end), ("02:00:00", "06:00:00"));
}

#[test]
fn storage_grows_by_the_brokers_that_are_there_up_to_the_most_that_the_flavour_takes() {
    let spec = json!({"engineVersion": "5.x", "brokerNum": null, "storageSpace": 400});
    let on = |count: usize, most| View {
        brokers: Some(brokers(count)),
        most_disk: most,
        ..five(json!({"total_storage_space": 400}))
    };
    let refused = "Edit stopped/InvalidSpec, Stop 30 min: spec.storageSpace cannot grow from 400 to";
    for (wanted, view, expected) in [
        (600, on(2, None), Ok(600)),
        (500, on(1, None), Ok(500)),
        (
            500,
            on(2, None),
            Err(
                "500 GB: each of 2 brokers grows by whole GB and at least 100; the next total that can be reached is 600",
            ),
        ),
        (601, on(2, None), Err("the next total that can be reached is 602")),
        (600, on(2, Some(300)), Ok(600)),
        (
            602,
            on(2, Some(300)),
            Err("602 GB: c6.4u8g.cluster with 2 brokers takes at most 600 GB, in steps of at least 100 GB a broker"),
        ),
        (
            401,
            on(2, Some(250)),
            Err("401 GB: c6.4u8g.cluster with 2 brokers takes at most 500 GB, in steps of at least 100 GB a broker"),
        ),
        // Less than is there is there already.
        (200, on(2, Some(100)), Err("")),
    ] {
        let mut object = edited(spec.clone(), on(2, None), json!({ "storageSpace": wanted }));
        let plan = plain(&mut object, view);
        match expected {
            Ok(total) => assert_eq!(plan.steps, [Step::ExtendStorage(total)]),
            Err("") => says(&idle(&plan), "Healthy"),
            Err(why) => {
                says(&idle(&plan), refused);
                says(&idle(&plan), why);
            }
        }
    }
    // The list cannot be read now: what was known goes on to count.
    let mut object = edited(spec.clone(), on(2, None), json!({"storageSpace": 500}));
    let unlisted = View {
        brokers: None,
        ..on(2, None)
    };
    says(&idle(&plain(&mut object, unlisted.clone())), "each of 2 brokers grows");
    // Where it was never known, the wish is not forgotten.
    let mut adopted = super::rocketmq_instances::object(spec);
    adopted.spec.instance.instance_id = Some("i1".into());
    adopted.spec.instance.storage_space = Some(600);
    let plan = plain(&mut adopted, unlisted);
    says(
        &idle(&plan),
        "Edit stopped/InvalidSpec, Stop 30 min: spec.storageSpace cannot grow from 400 to 600 GB",
    );
    says(&idle(&plan), "how many brokers it has is not known");
}

#[test]
fn brokers_are_kept_while_they_cannot_be_listed() {
    let mut object = served(json!({"engineVersion": "5.x", "brokerNum": null}), five(json!({})));
    let busy = View {
        brokers: None,
        tags: None,
        ..five(json!({"status": "EXTENDING"}))
    };
    let plan = plain(&mut object, busy);
    says(&idle(&plan), "Waiting/InstanceBusy, Poll: the instance is EXTENDING");
    let observed = plan.status.observed.unwrap();
    assert_eq!((observed.brokers, observed.instance.broker_num), (brokers(3), Some(3)));
    // What is listed later is what counts, whoever added it.
    let more = View {
        brokers: Some(brokers(4)),
        ..five(json!({}))
    };
    let plan = plain(&mut object, more);
    assert_eq!(idle(&plan), "Healthy, Rest: RUNNING, 4 brokers, 900 GB");
    assert_eq!(plan.status.observed.unwrap().brokers, brokers(4));
}

#[test]
fn an_adopted_instance_that_cannot_become_what_is_asked_is_not_touched() {
    let mut object =
        object(json!({"instanceId": "i1", "enterpriseProjectId": "ep", "enableAcl": true, "tags": {"a": "b"}}));
    says(
        &idle(&plain(&mut object, shown("RUNNING", json!({})))),
        "Edit stopped/InvalidSpec",
    );
}

#[test]
fn limits_of_topics_and_of_groups_are_told_by_lists_of_their_own() {
    let limits = |left| {
        Some(Limits {
            most: Some(4000),
            left: Some(left),
            of_one: None,
        })
    };
    let mut object = served(json!({}), shown("RUNNING", json!({})));
    let mut tell = |topics, groups| {
        let view = View {
            topic_limits: topics,
            group_limits: groups,
            ..shown("RUNNING", json!({}))
        };
        let limits = plain(&mut object, view).status.limits;
        limits.map(|l| (l.remain_topics, l.remain_groups))
    };
    assert_eq!(tell(None, None), None);
    assert_eq!(tell(limits(3), None), Some((Some(3), None)));
    assert_eq!(tell(None, limits(0)), Some((Some(3), Some(0))));
}

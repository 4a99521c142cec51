//! What a client may expect of an API server: run on the one in memory, and on a real one, with equal answers.

mod apply;

use futures::future::BoxFuture;
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::core::params::Preconditions;
use serde_json::{Value, json};

use super::gadgets::gadget_api;

/// A scenario works on gadgets in a namespace of its own.
pub type Scenario = fn(Api<DynamicObject>) -> BoxFuture<'static, ()>;

/// All scenarios by name.
pub const ALL: &[(&str, Scenario)] = &[
    ("status-and-spec-are-kept-apart", |api| {
        Box::pin(status_and_spec_are_kept_apart(api))
    }),
    ("stale-writes-are-refused", |api| {
        Box::pin(stale_writes_are_refused(api))
    }),
    ("names-are-unique", |api| Box::pin(names_are_unique(api))),
    ("generation-counts-spec-changes", |api| {
        Box::pin(generation_counts_spec_changes(api))
    }),
    ("apply-drops-what-is-no-longer-named", |api| {
        Box::pin(apply::apply_drops_what_is_no_longer_named(api))
    }),
    ("apply-leaves-the-fields-of-others", |api| {
        Box::pin(apply::apply_leaves_the_fields_of_others(api))
    }),
    ("managers-conflict", |api| Box::pin(apply::managers_conflict(api))),
    ("status-apply-owns-status-only", |api| {
        Box::pin(apply::status_apply_owns_status_only(api))
    }),
    ("list-maps-merge-by-key", |api| {
        Box::pin(apply::list_maps_merge_by_key(api))
    }),
    ("schema-is-enforced", |api| Box::pin(schema_is_enforced(api))),
    ("rules-see-the-old-object", |api| {
        Box::pin(rules_see_the_old_object(api))
    }),
    ("unknown-fields-are-pruned", |api| {
        Box::pin(unknown_fields_are_pruned(api))
    }),
    ("finalizers-hold-an-object", |api| {
        Box::pin(finalizers_hold_an_object(api))
    }),
    ("deletion-has-preconditions", |api| {
        Box::pin(deletion_has_preconditions(api))
    }),
    ("json-patch-tests-null-for-missing", |api| {
        Box::pin(json_patch_tests_null_for_missing(api))
    }),
    ("lists-come-in-pages", |api| Box::pin(lists_come_in_pages(api))),
    ("missing-is-not-found", |api| Box::pin(missing_is_not_found(api))),
];

async fn status_and_spec_are_kept_apart(api: Api<DynamicObject>) {
    let made = create(&api, json!({"spec": {"partitions": 3}, "status": {"id": "smuggled"}})).await;
    assert_eq!(
        made.data["status"],
        json!({"observedGeneration": -1}),
        "status is dropped, its default shows"
    );
    assert_eq!(made.data["spec"]["level"], "low", "defaults are filled in");

    let body = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"partitions": 9}, "status": {"id": "x"}});
    let after = api
        .patch_status("g", &PatchParams::default(), &Patch::Merge(body))
        .await
        .unwrap();
    assert_eq!(after.data["status"], json!({"observedGeneration": -1, "id": "x"}));
    assert_eq!(after.data["spec"]["partitions"], 3, "a status write leaves the spec");
    assert!(after.labels().is_empty(), "and the metadata");

    let mut whole = after.clone();
    whole.data["spec"]["partitions"] = json!(4);
    whole.data["status"] = json!({"id": "y"});
    let after = api.replace("g", &PostParams::default(), &whole).await.unwrap();
    assert_eq!(after.data["spec"]["partitions"], 4);
    assert_eq!(after.data["status"]["id"], "x", "a main write leaves the status");
}

async fn stale_writes_are_refused(api: Api<DynamicObject>) {
    let old = create(&api, json!({"spec": {"partitions": 3}})).await;
    let version = old.resource_version().unwrap();
    merge(&api, json!({"spec": {"partitions": 4}})).await.unwrap();

    let stale = |mut body: Value| {
        body["metadata"] = json!({"resourceVersion": version});
        body
    };
    let put = api.replace("g", &PostParams::default(), &old).await;
    assert_refused(put, 409, "Conflict");
    assert_refused(
        merge(&api, stale(json!({"spec": {"level": "high"}}))).await,
        409,
        "Conflict",
    );
    let status = Patch::Merge(stale(json!({"status": {"id": "x"}})));
    assert_refused(
        api.patch_status("g", &PatchParams::default(), &status).await,
        409,
        "Conflict",
    );
    let mut body = typed(stale(json!({"status": {"id": "x"}})));
    let apply = PatchParams::apply("op").force();
    assert_refused(
        api.patch_status("g", &apply, &Patch::Apply(&body)).await,
        409,
        "Conflict",
    );
    body["metadata"]["resourceVersion"] = json!(api.get("g").await.unwrap().resource_version());
    api.patch_status("g", &apply, &Patch::Apply(&body))
        .await
        .expect("the current version is taken");

    let mut blind = old;
    blind.metadata.resource_version = None;
    assert_refused(api.replace("g", &PostParams::default(), &blind).await, 422, "Invalid");
}

async fn names_are_unique(api: Api<DynamicObject>) {
    let first = create(&api, json!({"spec": {"partitions": 3}})).await;
    assert_refused(
        api.create(&PostParams::default(), &gadget(json!({"spec": {"partitions": 3}})))
            .await,
        409,
        "AlreadyExists",
    );
    let body = json!({"metadata": {"name": null, "generateName": "g-"}, "spec": {"partitions": 1}});
    let second = api.create(&PostParams::default(), &gadget(body)).await.unwrap();
    assert!(second.name_any().starts_with("g-") && second.name_any().len() > 2);
    assert_ne!(first.uid(), second.uid());
}

async fn generation_counts_spec_changes(api: Api<DynamicObject>) {
    let made = create(&api, json!({"spec": {"partitions": 3}})).await;
    assert_eq!(made.metadata.generation, Some(1));
    let labelled = merge(&api, json!({"metadata": {"labels": {"a": "b"}}})).await.unwrap();
    assert_eq!(labelled.metadata.generation, Some(1));
    let edited = merge(&api, json!({"spec": {"partitions": 4}})).await.unwrap();
    assert_eq!(edited.metadata.generation, Some(2));
    let same = merge(&api, json!({"spec": {"partitions": 4}})).await.unwrap();
    assert_eq!(
        same.resource_version(),
        edited.resource_version(),
        "a write of nothing makes no version"
    );
    let body = json!({"status": {"observedGeneration": 2}});
    let observed = api
        .patch_status("g", &PatchParams::default(), &Patch::Merge(body))
        .await
        .unwrap();
    assert_eq!(observed.metadata.generation, Some(2));
    assert_ne!(observed.resource_version(), edited.resource_version());
}

async fn schema_is_enforced(api: Api<DynamicObject>) {
    let wrong = [
        (json!({"partitions": 0}), "spec.partitions"),
        (json!({"partitions": "3"}), "spec.partitions"),
        (json!({"level": "low"}), "spec.partitions"),
        (json!({"partitions": 3, "name": "No"}), "spec.name"),
        (
            json!({"partitions": 3, "name": "aaaaaaaaaaaaaaaaaaaaaaaaa"}),
            "spec.name",
        ),
        (json!({"partitions": 3, "level": "middle"}), "spec.level"),
        (json!({"partitions": 3, "words": ["a", "a"]}), "spec.words[1]"),
    ];
    for (spec, field) in wrong {
        let refused = api.create(&PostParams::default(), &gadget(json!({"spec": spec}))).await;
        let causes = assert_refused(refused, 422, "Invalid");
        assert!(
            causes.contains(&field.to_string()),
            "{spec}: {field} is named: {causes:?}"
        );
    }
    assert_refused(
        api.create(&PostParams::default(), &gadget(json!({}))).await,
        422,
        "Invalid",
    );
    let named = json!({"metadata": {"name": "No_Name"}, "spec": {"partitions": 3}});
    assert_refused(api.create(&PostParams::default(), &gadget(named)).await, 422, "Invalid");
    assert!(
        api.get_opt("g").await.unwrap().is_none(),
        "what was refused is not there"
    );
}

async fn rules_see_the_old_object(api: Api<DynamicObject>) {
    create(&api, json!({"spec": {"partitions": 3, "name": "a"}})).await;
    let causes = assert_refused(merge(&api, json!({"spec": {"partitions": 2}})).await, 422, "Invalid");
    assert_eq!(causes, ["spec.partitions"]);
    merge(&api, json!({"spec": {"name": "b"}}))
        .await
        .expect("nothing exists yet");
    let body = json!({"status": {"id": "x"}});
    api.patch_status("g", &PatchParams::default(), &Patch::Merge(body))
        .await
        .unwrap();
    assert_refused(merge(&api, json!({"spec": {"name": "c"}})).await, 422, "Invalid");
    assert_refused(merge(&api, json!({"spec": {"name": null}})).await, 422, "Invalid");
    merge(&api, json!({"spec": {"partitions": 4}}))
        .await
        .expect("the rest can be edited");
}

async fn unknown_fields_are_pruned(api: Api<DynamicObject>) {
    let made = create(&api, json!({"spec": {"partitions": 3, "colour": "red"}, "extra": 1})).await;
    assert_eq!(made.data["spec"], json!({"partitions": 3, "level": "low"}));
    assert!(made.data.get("extra").is_none());
    let body = json!({"spec": {"colour": "red", "name": null}});
    let after = merge(&api, body.clone()).await.unwrap();
    assert_eq!(after.data["spec"], made.data["spec"]);
    let strict = PatchParams {
        field_validation: Some(kube::api::ValidationDirective::Strict),
        ..PatchParams::default()
    };
    assert_refused(api.patch("g", &strict, &Patch::Merge(body)).await, 422, "Invalid");
    let body = typed(json!({"spec": {"colour": "red"}}));
    assert_refused(
        api.patch("g", &PatchParams::apply("u"), &Patch::Apply(body)).await,
        500,
        "",
    );
}

async fn finalizers_hold_an_object(api: Api<DynamicObject>) {
    let body = json!({"metadata": {"finalizers": ["example.com/one", "example.com/two"]}, "spec": {"partitions": 3}});
    create(&api, body).await;
    let held = api
        .delete("g", &DeleteParams::default())
        .await
        .unwrap()
        .left()
        .expect("the object, still there");
    assert!(held.metadata.deletion_timestamp.is_some());
    assert_eq!(held.metadata.deletion_grace_period_seconds, Some(0));
    assert_eq!(held.metadata.generation, Some(2));
    let again = api.delete("g", &DeleteParams::default()).await.unwrap().left().unwrap();
    assert_eq!(
        again.resource_version(),
        held.resource_version(),
        "it is being deleted already"
    );

    let added = json!({"metadata": {"finalizers": ["example.com/one", "example.com/two", "example.com/three"]}});
    assert_refused(merge(&api, added).await, 422, "Invalid");
    merge(&api, json!({"metadata": {"finalizers": ["example.com/two"]}}))
        .await
        .unwrap();
    let body = json!({"status": {"id": "x"}});
    api.patch_status("g", &PatchParams::default(), &Patch::Merge(body))
        .await
        .expect("status can still be written");
    merge(&api, json!({"metadata": {"finalizers": null}})).await.unwrap();
    assert!(
        api.get_opt("g").await.unwrap().is_none(),
        "with the last finalizer it is gone"
    );

    create(&api, json!({"spec": {"partitions": 3}})).await;
    assert!(
        api.delete("g", &DeleteParams::default()).await.unwrap().is_right(),
        "nothing holds this one"
    );
    assert!(api.get_opt("g").await.unwrap().is_none());
}

async fn deletion_has_preconditions(api: Api<DynamicObject>) {
    let made = create(&api, json!({"spec": {"partitions": 3}})).await;
    let only = |uid: Option<String>, resource_version: Option<String>| DeleteParams {
        preconditions: Some(Preconditions { uid, resource_version }),
        ..DeleteParams::default()
    };
    let other = Some("00000000-0000-0000-0000-000000000000".to_string());
    assert_refused(api.delete("g", &only(other, None)).await, 409, "Conflict");
    merge(&api, json!({"spec": {"level": "high"}})).await.unwrap();
    assert_refused(
        api.delete("g", &only(None, made.resource_version())).await,
        409,
        "Conflict",
    );
    api.delete("g", &only(made.uid(), None)).await.unwrap();
}

async fn json_patch_tests_null_for_missing(api: Api<DynamicObject>) {
    create(&api, json!({"spec": {"partitions": 3}})).await;
    let patch = |operations: Value| Patch::<DynamicObject>::Json(serde_json::from_value(operations).unwrap());
    let none = PatchParams::default();
    let add = json!([
        {"op": "test", "path": "/metadata/finalizers", "value": null},
        {"op": "add", "path": "/metadata/finalizers", "value": ["example.com/one"]},
    ]);
    let after = api.patch("g", &none, &patch(add.clone())).await.unwrap();
    assert_eq!(after.finalizers(), ["example.com/one"]);
    assert_refused(api.patch("g", &none, &patch(add)).await, 422, "Invalid");
    let remove = json!([
        {"op": "test", "path": "/metadata/finalizers/0", "value": "example.com/one"},
        {"op": "remove", "path": "/metadata/finalizers/0"},
    ]);
    assert!(
        api.patch("g", &none, &patch(remove))
            .await
            .unwrap()
            .finalizers()
            .is_empty()
    );
    let absent = json!([{"op": "remove", "path": "/spec/tags"}]);
    assert_refused(api.patch("g", &none, &patch(absent)).await, 422, "Invalid");
}

async fn lists_come_in_pages(api: Api<DynamicObject>) {
    for name in ["a", "b", "c"] {
        let labels = json!({"first": (name == "a").to_string()});
        create(
            &api,
            json!({"metadata": {"name": name, "labels": labels}, "spec": {"partitions": 1}}),
        )
        .await;
    }
    let names =
        |list: &kube::api::ObjectList<DynamicObject>| list.items.iter().map(ResourceExt::name_any).collect::<Vec<_>>();
    let page = api.list(&ListParams::default().limit(2)).await.unwrap();
    assert_eq!(names(&page), ["a", "b"]);
    let token = page.metadata.continue_.expect("there is more");
    create(&api, json!({"metadata": {"name": "d"}, "spec": {"partitions": 1}})).await;
    let page = api
        .list(&ListParams::default().limit(2).continue_token(&token))
        .await
        .unwrap();
    assert_eq!(
        names(&page),
        ["c"],
        "the second page is of the same moment as the first"
    );
    assert_eq!(page.metadata.continue_.unwrap_or_default(), "");
    assert_eq!(
        names(&api.list(&ListParams::default().labels("first=true")).await.unwrap()),
        ["a"]
    );
    assert_eq!(
        names(
            &api.list(&ListParams::default().labels("first,first!=true"))
                .await
                .unwrap()
        ),
        ["b", "c"]
    );
    assert_eq!(
        names(
            &api.list(&ListParams::default().fields("metadata.name=d"))
                .await
                .unwrap()
        ),
        ["d"]
    );
    assert_refused(
        api.list(&ListParams::default().fields("spec.level=low")).await,
        400,
        "BadRequest",
    );
}

async fn missing_is_not_found(api: Api<DynamicObject>) {
    assert_refused(api.get("none").await, 404, "NotFound");
    assert_refused(api.delete("none", &DeleteParams::default()).await, 404, "NotFound");
    let body = json!({"spec": {"partitions": 1}});
    assert_refused(
        api.patch("none", &PatchParams::default(), &Patch::Merge(body)).await,
        404,
        "NotFound",
    );
    let elsewhere = gadget_api(api.clone().into_client(), "no-such-namespace");
    let body = gadget(json!({"spec": {"partitions": 1}}));
    assert_refused(elsewhere.create(&PostParams::default(), &body).await, 404, "NotFound");
}

fn typed(mut body: Value) -> Value {
    body["apiVersion"] = json!("test.dms.huaweicloud.com/v1");
    body["kind"] = json!("Gadget");
    body
}

/// A gadget named `g` unless the body says otherwise.
fn gadget(mut body: Value) -> DynamicObject {
    if body["metadata"].get("name").is_none() {
        body["metadata"]["name"] = json!("g");
    }
    serde_json::from_value(typed(body)).unwrap()
}

async fn create(api: &Api<DynamicObject>, body: Value) -> DynamicObject {
    api.create(&PostParams::default(), &gadget(body)).await.unwrap()
}

async fn merge(api: &Api<DynamicObject>, body: Value) -> kube::Result<DynamicObject> {
    api.patch("g", &PatchParams::default(), &Patch::Merge(body)).await
}

/// The fields that a refusal names.
#[track_caller]
fn assert_refused<T: std::fmt::Debug>(result: kube::Result<T>, code: u16, reason: &str) -> Vec<String> {
    match result {
        Err(kube::Error::Api(status)) => {
            assert_eq!(
                (status.code, status.reason.as_str()),
                (code, reason),
                "{}",
                status.message
            );
            status
                .details
                .iter()
                .flat_map(|details| &details.causes)
                .map(|cause| cause.field.clone())
                .collect()
        }
        other => panic!("should have been refused with {code} {reason}: {other:?}"),
    }
}

//! Server-side apply: who owns which field.

use kube::ResourceExt;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};

use super::{assert_refused, create, merge, typed};

pub(super) async fn apply_drops_what_is_no_longer_named(api: Api<DynamicObject>) {
    let nameless = typed(json!({"spec": {"partitions": 3}}));
    let refused = api
        .patch("g", &PatchParams::apply("user"), &Patch::Apply(nameless))
        .await;
    assert_refused(refused, 400, "BadRequest");
    let full = json!({"spec": {
        "partitions": 3, "name": "orders", "tags": {"a": "1", "b": "2"}, "words": ["x", "y"], "hosts": ["h1", "h2"],
        "grants": [{"user": "ann"}, {"user": "bob", "verb": "write"}],
    }});
    let made = apply(&api, "user", full).await.unwrap();
    assert_eq!(made.metadata.managed_fields.as_ref().map(Vec::len), Some(1));
    let less = json!({"spec": {
        "partitions": 3, "tags": {"b": "2"}, "words": ["y", "z"], "hosts": ["h2"], "grants": [{"user": "bob"}],
    }});
    let after = apply(&api, "user", less).await.unwrap();
    let expected = json!({
        "partitions": 3, "level": "low", "tags": {"b": "2"}, "words": ["y", "z"], "hosts": ["h2"],
        "grants": [{"user": "bob", "verb": "read"}],
    });
    assert_eq!(after.data["spec"], expected);
    let bare = apply(&api, "user", json!({"spec": {"partitions": 3}})).await.unwrap();
    assert_eq!(bare.data["spec"], json!({"partitions": 3, "level": "low"}));
    let again = apply(&api, "user", json!({"spec": {"partitions": 3}})).await.unwrap();
    assert_eq!(
        again.resource_version(),
        bare.resource_version(),
        "the same apply again makes no version"
    );
}

pub(super) async fn apply_leaves_the_fields_of_others(api: Api<DynamicObject>) {
    let body = json!({"metadata": {"labels": {"mine": "1"}}, "spec": {"partitions": 3, "tags": {"a": "1"}}});
    apply(&api, "user", body).await.unwrap();
    let other = json!({
        "metadata": {"finalizers": ["example.com/hold"], "labels": {"theirs": "1"}},
        "spec": {"tags": {"b": "2"}, "words": ["w"]},
    });
    merge(&api, other).await.unwrap();
    let after = apply(&api, "user", json!({"spec": {"partitions": 3}})).await.unwrap();
    assert_eq!(
        after.data["spec"]["tags"],
        json!({"b": "2"}),
        "only what this manager owned went"
    );
    assert_eq!(after.data["spec"]["words"], json!(["w"]));
    assert_eq!(after.finalizers(), ["example.com/hold"]);
    assert_eq!(after.labels().keys().collect::<Vec<_>>(), ["theirs"]);
    merge(&api, json!({"metadata": {"finalizers": null}})).await.unwrap();
}

pub(super) async fn managers_conflict(api: Api<DynamicObject>) {
    apply(&api, "one", json!({"spec": {"partitions": 3}})).await.unwrap();
    assert_refused(
        apply(&api, "two", json!({"spec": {"partitions": 4}})).await,
        409,
        "Conflict",
    );
    apply(&api, "two", json!({"spec": {"partitions": 3}}))
        .await
        .expect("the same value is shared");
    let params = PatchParams::apply("two").force();
    let body = typed(json!({"spec": {"partitions": 4}}));
    api.patch("g", &params, &Patch::Apply(&body))
        .await
        .expect("force takes the field");
    assert_refused(
        apply(&api, "one", json!({"spec": {"partitions": 5}})).await,
        409,
        "Conflict",
    );
    apply(&api, "one", json!({"spec": {"level": "high"}}))
        .await
        .expect("what was taken is not dropped");
    assert_eq!(api.get("g").await.unwrap().data["spec"]["partitions"], 4);
}

pub(super) async fn status_apply_owns_status_only(api: Api<DynamicObject>) {
    create(&api, json!({"spec": {"partitions": 3}})).await;
    let params = PatchParams::apply("op").force();
    let body = typed(json!({"spec": {"partitions": 9}, "status": {"observedGeneration": 1, "id": "x"}}));
    let after = api.patch_status("g", &params, &Patch::Apply(&body)).await.unwrap();
    assert_eq!(after.data["spec"]["partitions"], 3);
    assert_eq!(after.data["status"], json!({"observedGeneration": 1, "id": "x"}));
    let body = typed(json!({"status": {"observedGeneration": 1}}));
    let after = api.patch_status("g", &params, &Patch::Apply(&body)).await.unwrap();
    assert_eq!(
        after.data["status"],
        json!({"observedGeneration": 1}),
        "what the status no longer names is gone"
    );
    let body = typed(json!({"status": {"id": "x"}}));
    assert_refused(
        api.patch_status("none", &params, &Patch::Apply(&body)).await,
        404,
        "NotFound",
    );
}

pub(super) async fn list_maps_merge_by_key(api: Api<DynamicObject>) {
    apply(
        &api,
        "one",
        json!({"spec": {"partitions": 3, "grants": [{"user": "ann", "verb": "write"}]}}),
    )
    .await
    .unwrap();
    let body = json!({"spec": {"grants": [{"user": "bob", "verb": "read"}]}});
    let both = apply(&api, "two", body).await.unwrap();
    let users: Vec<_> = both.data["spec"]["grants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|g| g["user"].clone())
        .collect();
    assert_eq!(users, ["ann", "bob"]);
    let body = json!({"spec": {"grants": [{"user": "ann", "verb": "read"}]}});
    assert_refused(apply(&api, "two", body).await, 409, "Conflict");
    let twice = json!({"spec": {"partitions": 3, "grants": [{"user": "ann"}, {"user": "ann"}]}});
    assert_refused(merge(&api, twice).await, 422, "Invalid");
}

async fn apply(api: &Api<DynamicObject>, manager: &str, body: Value) -> kube::Result<DynamicObject> {
    api.patch("g", &PatchParams::apply(manager), &Patch::Apply(named(body)))
        .await
}

fn named(mut body: Value) -> Value {
    body["metadata"]["name"] = json!("g");
    typed(body)
}

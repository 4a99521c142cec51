//! Create, update, patch, apply, delete: the rules that every write goes through.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::builtin::Definition;
use super::managers::{Managers, Who};
use super::read;
use super::rules;
use super::store::{Key, Store, key_of};
use super::wire::{Call, Failure};

/// The object as it is after the write, and whether it was created.
pub type Written = Result<(Value, bool), Failure>;

/// POST to a collection.
pub fn create(store: &mut Store, call: &Call, now: &str) -> Written {
    let mut object = call.json()?;
    rules::place(&definition(store, call)?.kind, &mut object, call)?;
    insert(store, call, object, now)
}

/// PUT.
pub fn update(store: &mut Store, call: &Call, now: &str) -> Written {
    let mut object = call.json()?;
    let definition = definition(store, call)?;
    rules::place(&definition.kind, &mut object, call)?;
    let Some(old) = current(store, call) else {
        return if definition.create_on_update && call.subresource.is_empty() {
            insert(store, call, object, now)
        } else {
            Err(Failure::not_found(&definition.qualified(), &call.name))
        };
    };
    if object["metadata"]["resourceVersion"].as_str().is_none_or(str::is_empty) {
        if !definition.unconditional_update {
            let message = "Invalid value: 0x0: must be specified for an update";
            return Err(rules::refuse(
                &definition,
                &call.name,
                "metadata.resourceVersion",
                message,
            ));
        }
        object["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"].clone();
    }
    replace(store, call, &old, object, None, now)
}

/// PATCH of any type.
pub fn patch(store: &mut Store, call: &Call, now: &str) -> Written {
    let old = current(store, call);
    let definition = definition(store, call)?;
    let missing = || Failure::not_found(&definition.qualified(), &call.name);
    match call.content_type.split(';').next().unwrap_or_default() {
        "application/apply-patch+yaml" => apply(store, call, old, now),
        "application/merge-patch+json" => {
            let (old, change) = (old.ok_or_else(missing)?, call.json()?);
            let mut object = old.clone();
            json_patch::merge(&mut object, &change);
            if object["metadata"]["resourceVersion"].is_null() {
                object["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"].clone();
            }
            replace(store, call, &old, object, None, now)
        }
        "application/json-patch+json" => {
            let old = old.ok_or_else(missing)?;
            let mut object = old.clone();
            rules::json_patch(&mut object, call)?;
            replace(store, call, &old, object, None, now)
        }
        other => {
            let message = format!("the body of the request was in an unknown format: {other}");
            Err(Failure::new(415, "UnsupportedMediaType", message))
        }
    }
}

/// DELETE of one object: the object while finalizers hold it, else a `Status`.
pub fn delete(store: &mut Store, call: &Call, now: &str) -> Result<Value, Failure> {
    remove(store, call, &(call.namespace.clone(), call.name.clone()), now)
}

/// DELETE of everything that the selectors mean.
pub fn delete_collection(store: &mut Store, call: &Call, now: &str) -> Result<Value, Failure> {
    let listed = read::list(store, call)?;
    for object in listed["items"].as_array().into_iter().flatten() {
        remove(store, call, &key_of(object), now)?;
    }
    Ok(listed)
}

fn remove(store: &mut Store, call: &Call, key: &Key, now: &str) -> Result<Value, Failure> {
    let definition = definition(store, call)?;
    let (what, is_namespace) = (definition.qualified(), definition.plural == "namespaces");
    let mut object = find(store, call, key).ok_or_else(|| Failure::not_found(&what, &key.1))?;
    let options: Value = if call.body.is_empty() {
        Value::Null
    } else {
        call.json()?
    };
    for field in ["uid", "resourceVersion"] {
        let (wanted, found) = (&options["preconditions"][field], &object["metadata"][field]);
        if !wanted.is_null() && wanted != found {
            let why = format!("Precondition failed: {field} in precondition: {wanted}, in object meta: {found}");
            return Err(Failure::conflict(&what, &key.1, &why));
        }
    }
    let held = is_namespace
        || object["metadata"]["finalizers"]
            .as_array()
            .is_some_and(|held| !held.is_empty());
    let dry_run = is_dry_run(call) || options["dryRun"].is_array();
    if dry_run || (held && rules::is_deleting(&object)) {
        return Ok(object);
    }
    if held {
        let meta = &mut object["metadata"];
        meta["deletionTimestamp"] = json!(now);
        if let Some(generation) = meta["generation"].as_i64() {
            meta["generation"] = json!(generation + 1);
        }
        if is_namespace {
            object["status"]["phase"] = json!("Terminating");
        } else {
            meta["deletionGracePeriodSeconds"] = json!(0);
        }
        return Ok(store.commit(&call.resource, key, object, false));
    }
    let details = json!({"name": key.1, "group": call.group, "kind": call.resource, "uid": object["metadata"]["uid"]});
    store.commit(&call.resource, key, object, true);
    Ok(json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}))
}

fn apply(store: &mut Store, call: &Call, old: Option<Value>, now: &str) -> Written {
    let mut config = call.json()?;
    let definition = definition(store, call)?;
    if !call.query.contains_key("fieldManager") {
        return Err(Failure::bad_request(
            "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value",
        ));
    }
    if config["apiVersion"] != definition.api_version().as_str() || config["kind"] != definition.kind.as_str() {
        return Err(Failure::bad_request(
            "invalid object type: apiVersion and kind must be those of the resource",
        ));
    }
    if !config["metadata"]["managedFields"].as_array().is_none_or(Vec::is_empty) {
        return Err(Failure::bad_request("metadata.managedFields must be nil"));
    }
    let named = config["metadata"]["name"].is_string();
    rules::place(&definition.kind, &mut config, call)?;
    let config_version = config["metadata"]["resourceVersion"].take();
    prepare(&definition, call, &mut config)?;
    let Some(old) = old else {
        if !call.subresource.is_empty() {
            return Err(Failure::not_found(&definition.qualified(), &call.name));
        }
        if !named {
            return Err(Failure::bad_request(
                "the name of the object was undeterminable: name must be provided",
            ));
        }
        return insert(store, call, config, now);
    };
    let mut owned = config.clone();
    keep_only_writable(&definition, call, &mut owned);
    let mut managers = Managers::of(&old);
    let applied = managers.apply(&who(call), &old, &owned, call.flag("force"), &definition.fields, now);
    let mut object = applied.map_err(rules::conflicts)?;
    object["metadata"]["resourceVersion"] = match config_version {
        Value::Null => old["metadata"]["resourceVersion"].clone(),
        version => version,
    };
    replace(store, call, &old, object, Some(managers), now)
}

/// Stores a new object.
fn insert(store: &mut Store, call: &Call, mut object: Value, now: &str) -> Written {
    let uid = store.next_uid();
    let definition = definition(store, call)?;
    let text = |object: &Value, field: &str| object["metadata"][field].as_str().unwrap_or_default().to_string();
    if !text(&object, "resourceVersion").is_empty() {
        return Err(Failure::new(
            500,
            "InternalError",
            "resourceVersion should not be set on objects to be created",
        ));
    }
    prepare(&definition, call, &mut object)?;
    let mut owned = object.clone();
    keep_only_writable(&definition, call, &mut owned);
    if let Some(schema) = &definition.schema {
        object = schema.default(&object);
    }
    let meta = &mut object["metadata"];
    for field in [
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "managedFields",
        "resourceVersion",
        "generation",
    ] {
        meta.as_object_mut().expect("prepared").remove(field);
    }
    meta["creationTimestamp"] = json!(now);
    if meta["name"].is_null() && meta["generateName"].is_string() {
        meta["name"] = json!(format!(
            "{}{}",
            meta["generateName"].as_str().unwrap_or_default(),
            &uid[3..8]
        ));
    }
    meta["uid"] = json!(uid);
    if definition.generation {
        meta["generation"] = json!(1);
    }
    if definition.status {
        object.as_object_mut().expect("prepared").remove("status");
    }
    if definition.plural == "namespaces" {
        object["status"] = json!({"phase": "Active"});
    }
    let key = key_of(&object);
    if key.1.is_empty() {
        return Err(rules::refuse(
            &definition,
            &key.1,
            "metadata.name",
            "Required value: name or generateName is required",
        ));
    }
    if !rules::is_dns_name(&key.1) {
        return Err(rules::refuse(
            &definition,
            &key.1,
            "metadata.name",
            "must be a lowercase RFC 1123 subdomain",
        ));
    }
    rules::check_namespace(store, &definition, &key)?;
    if find(store, call, &key).is_some() {
        let message = format!("{} \"{}\" already exists", definition.qualified(), key.1);
        return Err(Failure::new(409, "AlreadyExists", message));
    }
    check(&definition, &mut object, None, &key.1)?;
    let mut managers = Managers::of(&json!({"apiVersion": definition.api_version()}));
    if who(call).applies {
        let applied = managers.apply(&who(call), &json!({}), &owned, true, &definition.fields, now);
        applied.map_err(rules::conflicts)?;
    } else {
        managers.updated(&who(call), &json!({}), &object, &definition.fields, now);
    }
    managers.write_to(&mut object);
    // What is read is defaulted again: a default of the status shows although the status was dropped.
    if let Some(schema) = &definition.schema {
        object = schema.default(&object);
    }
    if is_dry_run(call) {
        return Ok((object, true));
    }
    Ok((store.commit(&call.resource, &key, object, false), true))
}

/// Stores a new state of an object that is there.
fn replace(
    store: &mut Store,
    call: &Call,
    old: &Value,
    object: Value,
    applied: Option<Managers>,
    now: &str,
) -> Written {
    let definition = definition(store, call)?;
    let key = key_of(old);
    let mut new = object;
    rules::check_identity(&definition, old, &new)?;
    prepare(&definition, call, &mut new)?;
    for field in [
        "name",
        "namespace",
        "uid",
        "creationTimestamp",
        "generation",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    ] {
        new["metadata"][field] = old["metadata"][field].clone();
    }
    if definition.status && call.subresource == "status" {
        let status = new["status"].take();
        new = old.clone();
        new["status"] = status;
    } else if definition.status {
        new["status"] = old["status"].clone();
    }
    rules::normalise(&mut new);
    if let Some(schema) = &definition.schema {
        new = schema.default(&new);
    }
    if rules::is_deleting(old) {
        rules::no_new_finalizers(&definition, old, &new)?;
    }
    check(&definition, &mut new, Some(old), &key.1)?;
    let managers = applied.unwrap_or_else(|| {
        let mut managers = Managers::of(old);
        managers.updated(&who(call), old, &new, &definition.fields, now);
        managers
    });
    managers.write_to(&mut new);
    let content = |object: &Value| -> Map<String, Value> {
        let fields = object.as_object().into_iter().flatten();
        fields
            .filter(|(n, _)| *n != "metadata" && *n != "status")
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect()
    };
    if definition.generation && content(old) != content(&new) {
        new["metadata"]["generation"] = json!(old["metadata"]["generation"].as_i64().unwrap_or_default() + 1);
    }
    new["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"].clone();
    if new == *old || is_dry_run(call) {
        return Ok((new, false));
    }
    let released =
        rules::is_deleting(&new) && new["metadata"]["finalizers"].is_null() && definition.plural != "namespaces";
    Ok((store.commit(&call.resource, &key, new, released), false))
}

/// Prunes what the type does not have; strict validation and apply refuse it.
fn prepare(definition: &Definition, call: &Call, object: &mut Value) -> Result<(), Failure> {
    rules::normalise(object);
    object["apiVersion"] = json!(definition.api_version());
    object["kind"] = json!(definition.kind);
    let Some(schema) = &definition.schema else {
        return Ok(());
    };
    let unknown = schema.prune(object);
    if let (Some(field), true) = (unknown.first(), who(call).applies) {
        let message = format!("failed to create typed patch object: .{field}: field not declared in schema");
        return Err(Failure::new(500, "", message));
    }
    if !unknown.is_empty() && call.query.get("fieldValidation").is_some_and(|level| level == "Strict") {
        let fields: Vec<_> = unknown
            .iter()
            .map(|field| format!("unknown field \"{field}\""))
            .collect();
        let message = format!("strict decoding error: {}", fields.join(", "));
        return Err(match call.verb {
            "patch" => Failure::new(422, "Invalid", message),
            _ => Failure::bad_request(message),
        });
    }
    Ok(())
}

/// What a write to this (sub)resource can own.
fn keep_only_writable(definition: &Definition, call: &Call, object: &mut Value) {
    let fields = object.as_object_mut().expect("an object");
    if call.subresource == "status" {
        fields.retain(|name, _| name == "status");
    } else if definition.status {
        fields.remove("status");
    }
}

fn check(definition: &Definition, object: &mut Value, old: Option<&Value>, name: &str) -> Result<(), Failure> {
    let mut causes = (definition.check)(object);
    if let Some(schema) = &definition.schema {
        causes.extend(schema.validate(object, old));
    }
    if causes.is_empty() {
        Ok(())
    } else {
        Err(Failure::invalid(&definition.kind, name, causes))
    }
}

fn who(call: &Call) -> Who {
    Who {
        name: call
            .query
            .get("fieldManager")
            .cloned()
            .unwrap_or_else(|| "unknown".into()),
        applies: call.content_type.starts_with("application/apply-patch"),
        subresource: call.subresource.clone(),
    }
}

fn is_dry_run(call: &Call) -> bool {
    call.query.contains_key("dryRun")
}

fn definition(store: &Store, call: &Call) -> Result<Arc<Definition>, Failure> {
    let resource = store
        .resource(&call.resource)
        .filter(|resource| resource.definition.group == call.group);
    resource
        .map(|resource| resource.definition.clone())
        .ok_or_else(no_such_resource)
}

/// 404 for a resource that nobody installed.
pub fn no_such_resource() -> Failure {
    Failure::new(404, "NotFound", "the server could not find the requested resource")
}

fn find(store: &Store, call: &Call, key: &Key) -> Option<Value> {
    store.resource(&call.resource)?.objects.get(key).cloned()
}

fn current(store: &Store, call: &Call) -> Option<Value> {
    find(store, call, &(call.namespace.clone(), call.name.clone()))
}

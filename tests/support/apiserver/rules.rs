//! What makes the server refuse a write, whatever the type.

use serde_json::{Value, json};

use super::builtin::Definition;
use super::fields;
use super::managers::Conflicts;
use super::store::{Key, Store};
use super::wire::{Call, Cause, Failure};

/// The object is of the kind, and has the name and namespace, that the path says.
pub fn place(kind: &str, object: &mut Value, call: &Call) -> Result<(), Failure> {
    if !object.is_object() || object["kind"].as_str().is_some_and(|found| found != kind) {
        return Err(Failure::bad_request(format!("the object provided is not a {kind}")));
    }
    for (field, in_path) in [("name", &call.name), ("namespace", &call.namespace)] {
        let found = object["metadata"][field].as_str().unwrap_or_default();
        if !found.is_empty() && !in_path.is_empty() && found != in_path {
            let message =
                format!("the {field} of the object ({found}) does not match the {field} on the URL ({in_path})");
            return Err(Failure::bad_request(message));
        }
        if !in_path.is_empty() {
            object["metadata"][field] = json!(in_path);
        }
    }
    Ok(())
}

/// Name, namespace, uid and version are those of the stored object.
pub fn check_identity(definition: &Definition, old: &Value, new: &Value) -> Result<(), Failure> {
    let what = definition.qualified();
    let name = old["metadata"]["name"].as_str().unwrap_or_default();
    for field in ["name", "namespace"] {
        if !new["metadata"][field].is_null() && new["metadata"][field] != old["metadata"][field] {
            return Err(Failure::bad_request(format!(
                "the {field} of an object cannot be changed"
            )));
        }
    }
    if !new["metadata"]["uid"].is_null() && new["metadata"]["uid"] != old["metadata"]["uid"] {
        return Err(Failure::conflict(
            &what,
            name,
            "Precondition failed: UID in precondition does not match",
        ));
    }
    if new["metadata"]["resourceVersion"] != old["metadata"]["resourceVersion"] {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        return Err(Failure::conflict(&what, name, why));
    }
    Ok(())
}

/// The namespace is there and is not ending.
pub fn check_namespace(store: &Store, definition: &Definition, key: &Key) -> Result<(), Failure> {
    if !definition.namespaced {
        return Ok(());
    }
    let namespaces = store.resource("namespaces").expect("built in");
    match namespaces.objects.get(&(String::new(), key.0.clone())) {
        None => Err(Failure::not_found("namespaces", &key.0)),
        Some(namespace) if is_deleting(namespace) => {
            let message = format!(
                "{} \"{}\" is forbidden: unable to create new content in namespace {} because it is being terminated",
                definition.qualified(),
                key.1,
                key.0
            );
            let message_of_cause = format!("namespace {} is being terminated", key.0);
            let cause = Cause {
                reason: "NamespaceTerminating".into(),
                field: "metadata.namespace".into(),
                message: message_of_cause,
            };
            Err(Failure {
                causes: vec![cause],
                ..Failure::new(403, "Forbidden", message)
            })
        }
        Some(_) => Ok(()),
    }
}

/// An object that is being deleted takes no further finalizers.
pub fn no_new_finalizers(definition: &Definition, old: &Value, new: &Value) -> Result<(), Failure> {
    let list = |object: &Value| object["metadata"]["finalizers"].as_array().cloned().unwrap_or_default();
    let before = list(old);
    let added: Vec<_> = list(new)
        .into_iter()
        .filter(|finalizer| !before.contains(finalizer))
        .collect();
    if added.is_empty() {
        return Ok(());
    }
    let name = old["metadata"]["name"].as_str().unwrap_or_default();
    let message = format!(
        "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers {added:?}"
    );
    let cause = Cause {
        reason: "FieldValueForbidden".into(),
        field: "metadata.finalizers".into(),
        message,
    };
    Err(Failure::invalid(&definition.kind, name, vec![cause]))
}

/// As the server does: a `test` for null holds where nothing is.
pub fn json_patch(object: &mut Value, call: &Call) -> Result<(), Failure> {
    let unprocessable = |message: String| Failure::new(422, "Invalid", message);
    let patch: json_patch::Patch =
        serde_json::from_slice(&call.body).map_err(|error| Failure::bad_request(error.to_string()))?;
    for operation in &patch.0 {
        if let json_patch::PatchOperation::Test(test) = operation {
            let found = object.pointer(test.path.as_str()).unwrap_or(&Value::Null);
            if *found != test.value {
                return Err(unprocessable(format!("testing value {} failed", test.path)));
            }
        } else {
            json_patch::patch(object, std::slice::from_ref(operation))
                .map_err(|error| unprocessable(error.to_string()))?;
        }
    }
    Ok(())
}

/// The refusal of an apply that others own fields of.
pub fn conflicts(conflicts: Conflicts) -> Failure {
    let cause = |(manager, path): &(String, fields::Path)| Cause {
        reason: "FieldManagerConflict".into(),
        field: fields::display(path),
        message: format!("conflict with \"{manager}\""),
    };
    let causes: Vec<Cause> = conflicts.iter().map(cause).collect();
    let texts: Vec<_> = causes
        .iter()
        .map(|cause| format!("{}: {}", cause.message, cause.field))
        .collect();
    let message = format!("Apply failed with {} conflicts: {}", causes.len(), texts.join(", "));
    Failure {
        causes,
        ..Failure::new(409, "Conflict", message)
    }
}

/// A refusal of one field.
pub fn refuse(definition: &Definition, name: &str, field: &str, message: &str) -> Failure {
    let cause = Cause {
        reason: "FieldValueInvalid".into(),
        field: field.into(),
        message: message.into(),
    };
    Failure::invalid(&definition.kind, name, vec![cause])
}

/// Go's metadata has no nulls and leaves empty lists and maps out.
pub fn normalise(object: &mut Value) {
    if !object["metadata"].is_object() {
        object["metadata"] = json!({});
    }
    let meta = object["metadata"].as_object_mut().expect("just made");
    meta.retain(|_, value| match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(entries) => !entries.is_empty(),
        _ => true,
    });
}

/// RFC 1123 subdomain.
pub fn is_dns_name(name: &str) -> bool {
    let label = |label: &str| {
        let inner = label
            .bytes()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-');
        inner && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(label)
}

/// Whether the object is being deleted.
pub fn is_deleting(object: &Value) -> bool {
    !object["metadata"]["deletionTimestamp"].is_null()
}

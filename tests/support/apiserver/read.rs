//! Get and list, and which objects a selector means.

use serde_json::{Value, json};

use super::builtin::Definition;
use super::store::{Key, Resource, Store};
use super::wire::{Call, Failure, shown};
use super::write::no_such_resource;

/// One object.
pub fn get(store: &Store, call: &Call) -> Result<Value, Failure> {
    let resource = resource(store, call)?;
    let object = resource.objects.get(&(call.namespace.clone(), call.name.clone()));
    let object = object.ok_or_else(|| Failure::not_found(&resource.definition.qualified(), &call.name))?;
    Ok(shown(object, call.metadata_only))
}

/// A page of objects. With `resourceVersion=0` it comes from the cache, which lags like the watches do.
pub fn list(store: &Store, call: &Call) -> Result<Value, Failure> {
    let resource = resource(store, call)?;
    let selector = Selector::of(call, &resource.definition)?;
    let seen = resource.seen(store.version());
    let (version, after) = match call.query.get("continue").filter(|token| !token.is_empty()) {
        Some(token) => position(token).ok_or_else(|| Failure::bad_request("continue key is not valid"))?,
        None => match call.number("resourceVersion") {
            Some(wanted) if wanted <= seen => (seen, None),
            _ => (store.version(), None),
        },
    };
    let objects = resource.at(version)?;
    let matching: Vec<_> = objects
        .iter()
        .filter(|(key, object)| after.as_ref().is_none_or(|after| *key > after) && selector.matches(object))
        .collect();
    let limit = call
        .number("limit")
        .filter(|limit| *limit > 0)
        .map_or(usize::MAX, |limit| limit as usize);
    let page: Vec<_> = matching.iter().take(limit).collect();
    let mut meta = json!({"resourceVersion": version.to_string()});
    if let (Some(((namespace, name), _)), true) = (page.last(), matching.len() > limit) {
        meta["continue"] = json!(format!("{version}/{namespace}/{name}"));
        meta["remainingItemCount"] = json!(matching.len() - limit);
    }
    let definition = &resource.definition;
    let (api_version, kind) = if call.metadata_only {
        ("meta.k8s.io/v1".to_string(), "PartialObjectMetadataList".to_string())
    } else {
        (definition.api_version(), format!("{}List", definition.kind))
    };
    let items: Vec<Value> = page
        .iter()
        .map(|(_, object)| shown(object, call.metadata_only))
        .collect();
    Ok(json!({"apiVersion": api_version, "kind": kind, "metadata": meta, "items": items}))
}

/// The resource that a call is about.
pub fn resource<'a>(store: &'a Store, call: &Call) -> Result<&'a Resource, Failure> {
    let resource = store
        .resource(&call.resource)
        .filter(|resource| resource.definition.group == call.group);
    resource.ok_or_else(no_such_resource)
}

/// Namespace, labels and fields that are asked for.
pub struct Selector {
    namespace: String,
    /// JSON pointer, wanted value (`None`: it must be there), and whether the opposite is meant.
    terms: Vec<(String, Option<String>, bool)>,
}

impl Selector {
    /// Reads `labelSelector` (equality and existence) and `fieldSelector`.
    pub fn of(call: &Call, definition: &Definition) -> Result<Self, Failure> {
        let mut terms = Vec::new();
        let query = |name: &str| call.query.get(name).cloned().unwrap_or_default();
        for term in query("labelSelector").split(',').filter(|term| !term.is_empty()) {
            if term.contains(['(', ' ']) {
                return Err(Failure::bad_request(format!("unable to parse requirement: {term}")));
            }
            let (key, value, negated) = split(term);
            terms.push((format!("/metadata/labels/{}", key.replace('/', "~1")), value, negated));
        }
        for term in query("fieldSelector").split(',').filter(|term| !term.is_empty()) {
            let (field, value, negated) = split(term);
            let always = ["metadata.name", "metadata.namespace"];
            if !always.contains(&field) && !definition.selectable.iter().any(|path| path[1..] == *field) {
                return Err(Failure::bad_request(format!("field label not supported: {field}")));
            }
            terms.push((format!("/{}", field.replace('.', "/")), value, negated));
        }
        Ok(Self {
            namespace: call.namespace.clone(),
            terms,
        })
    }

    /// Whether it means this object.
    pub fn matches(&self, object: &Value) -> bool {
        let in_namespace = self.namespace.is_empty() || object["metadata"]["namespace"] == self.namespace.as_str();
        in_namespace
            && self.terms.iter().all(|(pointer, wanted, negated)| {
                let found = object.pointer(pointer).and_then(Value::as_str);
                let holds = wanted.as_ref().map_or(found.is_some(), |wanted| found == Some(wanted));
                holds != *negated
            })
    }
}

fn split(term: &str) -> (&str, Option<String>, bool) {
    match term.split_once('=') {
        Some((key, value)) => match key.strip_suffix('!') {
            Some(key) => (key, Some(value.into()), true),
            None => (key, Some(value.trim_start_matches('=').into()), false),
        },
        None => match term.strip_prefix('!') {
            Some(key) => (key, None, true),
            None => (term, None, false),
        },
    }
}

fn position(token: &str) -> Option<(u64, Option<Key>)> {
    let mut parts = token.splitn(3, '/');
    let version = parts.next()?.parse().ok()?;
    Some((version, Some((parts.next()?.into(), parts.next()?.into()))))
}

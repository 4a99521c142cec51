//! Sets of fields, as `metadata.managedFields` speaks of them (structured-merge-diff).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// Elements as in FieldsV1: `f:<name>`, `k:<keys as JSON>` (item of a list-map), `v:<JSON>` (item of a set).
pub type Path = Vec<String>;
/// Fields by their paths.
pub type Set = BTreeSet<Path>;

/// How a schema lets a value be merged.
pub enum Shape {
    /// Replaced as a whole.
    Atomic,
    /// Fields or map entries are owned one by one.
    Granular,
    /// Items are found again by these keys.
    ListMap(Vec<String>),
    /// Items are scalars, present or not.
    ListSet,
}

/// The shape of `value` under `schema`. Without a schema, maps are granular and lists atomic.
pub fn shape(value: &Value, schema: &Value) -> Shape {
    match value {
        Value::Object(_) if schema["x-kubernetes-map-type"] != "atomic" => Shape::Granular,
        Value::Array(_) if schema["x-kubernetes-list-type"] == "set" => Shape::ListSet,
        Value::Array(_) if schema["x-kubernetes-list-type"] == "map" => Shape::ListMap(
            schema["x-kubernetes-list-map-keys"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|key| key.as_str().map(String::from))
                .collect(),
        ),
        _ => Shape::Atomic,
    }
}

/// Schema of a field or map entry.
pub fn child<'a>(schema: &'a Value, name: &str) -> &'a Value {
    schema["properties"]
        .get(name)
        .unwrap_or(&schema["additionalProperties"])
}

/// The path element of a list item.
pub fn item_key(item: &Value, schema: &Value, shape: &Shape) -> String {
    match shape {
        Shape::ListMap(keys) => {
            let with_default = |key: &String| {
                item.get(key)
                    .unwrap_or(&schema["items"]["properties"][key.as_str()]["default"])
                    .clone()
            };
            let keys: BTreeMap<_, _> = keys.iter().map(|key| (key.clone(), with_default(key))).collect();
            format!("k:{}", json!(keys))
        }
        _ => format!("v:{item}"),
    }
}

/// Every field that `value` has, with its value where the field is owned as a whole.
pub fn fields(value: &Value, schema: &Value) -> BTreeMap<Path, Option<Value>> {
    let mut all = BTreeMap::new();
    collect(value, schema, &mut Vec::new(), &mut all);
    all.retain(|path, _| may_be_owned(path));
    all
}

/// The fields that `value` has.
pub fn set_of(value: &Value, schema: &Value) -> Set {
    fields(value, schema).into_keys().collect()
}

/// What an edit did.
pub struct Difference {
    /// Added or modified.
    pub changed: Set,
    /// No longer there.
    pub removed: Set,
}

/// Compares two values field by field.
pub fn compare(old: &Value, new: &Value, schema: &Value) -> Difference {
    let (old, new) = (fields(old, schema), fields(new, schema));
    Difference {
        changed: new
            .iter()
            .filter(|(path, value)| old.get(*path) != Some(value))
            .map(|(p, _)| p.clone())
            .collect(),
        removed: old.into_keys().filter(|path| !new.contains_key(path)).collect(),
    }
}

/// `set` with the declared fields on the way to each of its members.
pub fn with_named_parents(set: &Set, schema: &Value) -> Set {
    let mut all = set.clone();
    for path in set {
        let mut schema = schema;
        for (depth, element) in path.iter().enumerate() {
            schema = match element.strip_prefix("f:") {
                Some(name) => {
                    if schema["properties"].get(name).is_some() {
                        all.insert(path[..=depth].to_vec());
                    }
                    child(schema, name)
                }
                None => &schema["items"],
            };
        }
    }
    all
}

/// Renders a set as FieldsV1.
pub fn render(set: &Set) -> Value {
    let mut root = Map::new();
    for path in set {
        let mut node = &mut root;
        for element in path {
            let next = node.entry(element.clone()).or_insert_with(|| json!({}));
            node = next.as_object_mut().expect("every node is an object");
        }
        node.insert(".".into(), json!({}));
    }
    drop_lone_dots(&mut root);
    Value::Object(root)
}

/// Reads FieldsV1.
pub fn parse(value: &Value) -> Set {
    fn walk(value: &Value, path: &mut Path, set: &mut Set) {
        let children = value.as_object().expect("FieldsV1 is made of objects");
        if children.is_empty() || children.contains_key(".") {
            set.insert(path.clone());
        }
        for (element, child) in children.iter().filter(|(element, _)| *element != ".") {
            path.push(element.clone());
            walk(child, path, set);
            path.pop();
        }
    }
    let mut set = Set::new();
    walk(value, &mut Vec::new(), &mut set);
    set.remove(&Vec::new());
    set
}

/// A path as error messages print it: `.spec.grants[name="a"].verb`.
pub fn display(path: &Path) -> String {
    let element = |element: &String| match element.split_once(':') {
        Some(("k", keys)) => {
            let keys: BTreeMap<String, Value> = serde_json::from_str(keys).unwrap_or_default();
            format!(
                "[{}]",
                keys.iter()
                    .map(|(k, v)| format!("{k}={v}"))
                    .collect::<Vec<_>>()
                    .join(",")
            )
        }
        Some(("v", value)) => format!("[={value}]"),
        _ => format!(".{}", &element[2..]),
    };
    path.iter().map(element).collect()
}

fn collect(value: &Value, schema: &Value, path: &mut Path, all: &mut BTreeMap<Path, Option<Value>>) {
    let shape = shape(value, schema);
    match (value, &shape) {
        (Value::Object(map), Shape::Granular) => {
            for (name, value) in map {
                path.push(format!("f:{name}"));
                collect(value, child(schema, name), path, all);
                let empty = value.as_object().is_some_and(Map::is_empty);
                if empty || schema["properties"].get(name).is_none() {
                    all.entry(path.clone()).or_insert(None);
                }
                path.pop();
            }
        }
        (Value::Array(items), Shape::ListMap(_) | Shape::ListSet) => {
            for item in items {
                path.push(item_key(item, schema, &shape));
                collect(item, &schema["items"], path, all);
                all.entry(path.clone()).or_insert(None);
                path.pop();
            }
        }
        _ => {
            all.insert(path.clone(), Some(value.clone()));
        }
    }
}

/// Identity and what the server keeps belong to nobody.
fn may_be_owned(path: &Path) -> bool {
    let elements: Vec<&str> = path.iter().map(String::as_str).collect();
    match elements.as_slice() {
        ["f:apiVersion" | "f:kind" | "f:metadata"] | [] => false,
        ["f:metadata", field, ..] => {
            matches!(
                *field,
                "f:labels" | "f:annotations" | "f:finalizers" | "f:ownerReferences" | "f:generateName"
            )
        }
        _ => true,
    }
}

fn drop_lone_dots(node: &mut Map<String, Value>) {
    for child in node.values_mut().filter_map(Value::as_object_mut) {
        if child.len() == 1 && child.contains_key(".") {
            child.clear();
        } else {
            drop_lone_dots(child);
        }
    }
}

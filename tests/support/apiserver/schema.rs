//! What the schema of a custom resource does to an object: pruning, defaults, validation, rules.

use jsonschema::{Draft, error::ValidationErrorKind as Kind, paths::LocationSegment};
use serde_json::{Map, Value, json};

use super::wire::Cause;

/// The schema of one version of a custom resource.
pub struct Schema {
    raw: Value,
    structure: jsonschema::Validator,
    rules: kube_cel::CompiledSchema,
    rules_at_create: kube_cel::CompiledSchema,
    cel: kube_cel::Validator,
}

impl Schema {
    /// Panics when the schema is not one that a server would take.
    pub fn new(raw: Value) -> Self {
        let structure = jsonschema::options()
            .with_draft(Draft::Draft4)
            .should_validate_formats(true)
            .build(&as_json_schema(&raw))
            .expect("a structural schema is a JSON schema");
        let rules = kube_cel::compile_schema(&raw);
        assert!(
            !rules.has_errors(),
            "rules do not compile: {:?}",
            rules.compilation_errors()
        );
        // At create the status has been dropped and is not defaulted again before the rules run.
        let mut at_create = raw.clone();
        if let Some(status) = at_create
            .pointer_mut("/properties/status")
            .and_then(Value::as_object_mut)
        {
            status.remove("default");
        }
        let rules_at_create = kube_cel::compile_schema(&at_create);
        Self {
            raw,
            structure,
            rules,
            rules_at_create,
            cel: kube_cel::Validator::new(),
        }
    }

    /// The schema with what every object has, for ownership of fields.
    pub fn for_fields(&self) -> Value {
        let mut schema = self.raw.clone();
        schema["properties"]["metadata"] = metadata_fields();
        schema
    }

    /// Removes what the schema does not know; the paths of what went.
    pub fn prune(&self, object: &mut Value) -> Vec<String> {
        let mut unknown = Vec::new();
        let Value::Object(fields) = object else { return unknown };
        let known = |name: &str| matches!(name, "apiVersion" | "kind" | "metadata");
        for (name, value) in fields.iter_mut().filter(|(name, _)| !known(name)) {
            if let Some(schema) = self.raw["properties"].get(name) {
                prune(value, schema, name, &mut unknown);
            }
        }
        fields.retain(|name, _| {
            let keep = known(name) || self.raw["properties"].get(name).is_some();
            if !keep {
                unknown.push(name.clone());
            }
            keep
        });
        unknown
    }

    /// Fills in the defaults.
    pub fn default(&self, object: &Value) -> Value {
        let mut object = object.clone();
        drop_nulls(&mut object, &self.raw);
        kube_cel::apply_defaults(&self.raw, &object)
    }

    /// What is wrong with `new`; the rules run once the structure is right.
    pub fn validate(&self, new: &Value, old: Option<&Value>) -> Vec<Cause> {
        let mut causes: Vec<Cause> = self.structure.iter_errors(new).map(|error| cause(&error)).collect();
        duplicates(new, &self.raw, String::new(), &mut causes);
        if !causes.is_empty() {
            return causes;
        }
        let rules = if old.is_some() {
            &self.rules
        } else {
            &self.rules_at_create
        };
        let broken = self.cel.validate_compiled(rules, new, old).err();
        let causes = broken.into_iter().flatten().map(|error| Cause {
            reason: error.reason.unwrap_or_else(|| "FieldValueInvalid".into()),
            field: if error.field_path.is_empty() {
                "<nil>".into()
            } else {
                error.field_path
            },
            message: error.message,
        });
        causes.collect()
    }
}

/// How the fields of `metadata` are owned.
pub fn metadata_fields() -> Value {
    json!({"type": "object", "properties": {
        "labels": {"additionalProperties": {"type": "string"}},
        "annotations": {"additionalProperties": {"type": "string"}},
        "finalizers": {"type": "array", "x-kubernetes-list-type": "set"},
        "generateName": {"type": "string"},
        "ownerReferences": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["uid"]},
    }})
}

fn prune(value: &mut Value, schema: &Value, path: &str, unknown: &mut Vec<String>) {
    let keeps_unknown =
        schema["x-kubernetes-preserve-unknown-fields"] == true || schema["additionalProperties"] == true;
    match value {
        Value::Object(fields) => {
            let known = |name: &str| {
                schema["properties"]
                    .get(name)
                    .or_else(|| schema.get("additionalProperties").filter(|s| s.is_object()))
            };
            fields.retain(|name, value| {
                let path = format!("{path}.{name}");
                match known(name) {
                    Some(schema) => prune(value, schema, &path, unknown),
                    None if keeps_unknown => {}
                    None => {
                        unknown.push(path);
                        return false;
                    }
                }
                true
            });
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                prune(item, &schema["items"], &format!("{path}[{index}]"), unknown);
            }
        }
        _ => {}
    }
}

/// A null for a field that may not be null counts as absent.
fn drop_nulls(value: &mut Value, schema: &Value) {
    match value {
        Value::Object(fields) => {
            let child = |name: &str| super::fields::child(schema, name);
            fields.retain(|name, value| !value.is_null() || child(name).is_null() || child(name)["nullable"] == true);
            for (name, value) in fields {
                drop_nulls(value, child(name));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| drop_nulls(item, &schema["items"])),
        _ => {}
    }
}

/// A structural schema in the words of JSON Schema (draft 4).
fn as_json_schema(schema: &Value) -> Value {
    let Value::Object(fields) = schema else {
        return schema.clone();
    };
    let mut converted = Map::new();
    for (name, value) in fields {
        let value = match name.as_str() {
            "properties" => value
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, schema)| (name.clone(), as_json_schema(schema)))
                .collect::<Map<_, _>>()
                .into(),
            "items" | "additionalProperties" | "not" => as_json_schema(value),
            "allOf" | "anyOf" | "oneOf" => value.as_array().into_iter().flatten().map(as_json_schema).collect(),
            "type" if fields.get("nullable") == Some(&json!(true)) => json!([value, "null"]),
            "default" | "nullable" => continue,
            name if name.starts_with("x-kubernetes-") => continue,
            _ => value.clone(),
        };
        converted.insert(name.clone(), value);
    }
    if fields.get("x-kubernetes-int-or-string") == Some(&json!(true)) {
        converted.insert("type".into(), json!(["integer", "string"]));
    }
    Value::Object(converted)
}

fn cause(error: &jsonschema::ValidationError<'_>) -> Cause {
    let mut field = String::new();
    for segment in &error.instance_path {
        match segment {
            LocationSegment::Property(name) if field.is_empty() => field.push_str(&name),
            LocationSegment::Property(name) => field.push_str(&format!(".{name}")),
            LocationSegment::Index(index) => field.push_str(&format!("[{index}]")),
        }
    }
    let reason = match &error.kind {
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            field = if field.is_empty() {
                name.into()
            } else {
                format!("{field}.{name}")
            };
            "FieldValueRequired"
        }
        Kind::Type { .. } => "FieldValueTypeInvalid",
        Kind::Enum { .. } => "FieldValueNotSupported",
        Kind::MaxLength { .. } | Kind::MaxItems { .. } | Kind::MaxProperties { .. } => "FieldValueTooLong",
        _ => "FieldValueInvalid",
    };
    Cause {
        reason: reason.into(),
        message: error.to_string(),
        field,
    }
}

/// Items of sets and list-maps must be distinct.
fn duplicates(value: &Value, schema: &Value, path: String, causes: &mut Vec<Cause>) {
    use super::fields::{Shape, child, item_key, shape};
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                duplicates(value, child(schema, name), path, causes);
            }
        }
        Value::Array(items) => {
            let shape = shape(value, schema);
            let mut seen = Vec::new();
            for (index, item) in items.iter().enumerate() {
                let path = format!("{path}[{index}]");
                duplicates(item, &schema["items"], path.clone(), causes);
                let key = item_key(item, schema, &shape);
                if !matches!(shape, Shape::Atomic) && seen.contains(&key) {
                    let message = format!("Duplicate value: {}", key[2..].to_owned());
                    causes.push(Cause {
                        reason: "FieldValueDuplicate".into(),
                        field: path,
                        message,
                    });
                }
                seen.push(key);
            }
        }
        _ => {}
    }
}

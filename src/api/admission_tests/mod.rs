//! What the API server lets in: bounds, defaults and rules of each kind, judged as it judges them.

mod status;
#[path = "../../../tests/support/admission/mod.rs"]
mod table;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube_cel::Validator;
use serde_json::{Value, json};

use super::crds;

const KINDS: [&str; 6] = [
    "ProviderConfig",
    "KafkaInstance",
    "RocketMQInstance",
    "Topic",
    "ConsumerGroup",
    "KafkaUserQuota",
];

#[derive(Clone, Copy)]
struct Kind(&'static str);

impl Kind {
    fn schema(self) -> Value {
        static CRDS: LazyLock<Vec<CustomResourceDefinition>> = LazyLock::new(crds);
        let crd = CRDS.iter().find(|crd| crd.spec.names.kind == self.0).unwrap();
        serde_json::to_value(crd.spec.versions[0].schema.as_ref().unwrap()).unwrap()["openAPIV3Schema"].take()
    }

    /// Why the API server refuses `object`; empty if it does not. `old` is what it replaces.
    fn refusals(self, object: &Value, old: Option<&Value>) -> Vec<String> {
        let mut schema = self.schema();
        if old.is_none() {
            // Nobody creates a status: the API server drops it, and judges what is left.
            schema["properties"]["status"]
                .as_object_mut()
                .unwrap()
                .remove("default");
        }
        let object = kube_cel::apply_defaults(&schema, object);
        let old = old.map(|old| kube_cel::apply_defaults(&schema, old));
        let shape: Vec<String> = jsonschema::draft7::new(&self.strict_schema())
            .unwrap()
            .iter_errors(&object)
            .map(|error| format!("{}: {error}", error.instance_path))
            .collect();
        if !shape.is_empty() {
            return shape;
        }
        match Validator::new().validate(&schema, &object, old.as_ref()) {
            Ok(()) => vec![],
            Err(errors) => errors
                .iter()
                .map(|error| format!("{}: {}", error.field_path, error.message))
                .collect(),
        }
    }

    fn strict_schema(self) -> Value {
        let mut schema = self.schema();
        schema["properties"]["apiVersion"] = json!({"const": "dms.huaweicloud.com/v1alpha1"});
        schema["properties"]["kind"] = json!({"const": self.0});
        schema["properties"]["metadata"] = json!({"type": "object"});
        strict(&mut schema);
        schema
    }
}

/// As kubectl asks for it: unknown fields are an error.
fn strict(schema: &mut Value) {
    if let Value::Object(map) = schema {
        if map.get("properties").is_some_and(Value::is_object) {
            for property in map["properties"].as_object_mut().unwrap().values_mut() {
                strict(property);
            }
            if map.get("type") == Some(&json!("object")) {
                map.insert("additionalProperties".into(), json!(false));
            }
        }
        if let Some(items) = map.get_mut("items") {
            strict(items);
        }
    }
}

#[test]
fn every_object_of_the_table_meets_its_fate() {
    let mut judged = BTreeSet::new();
    for (name, part) in table::ALL {
        part(&mut |kind, base, cases, update| {
            judged.insert(kind);
            for (change, refusal) in cases {
                let mut object = base.clone();
                json_patch::merge(&mut object, change);
                let found = Kind(kind).refusals(&object, update.then_some(base));
                match refusal {
                    None => assert!(found.is_empty(), "{name}: {change} was refused: {found:#?}"),
                    Some(word) => assert!(
                        found.len() == 1 && found[0].contains(word),
                        "{name}: {change} should be refused once, with {word:?}, but: {found:#?}"
                    ),
                }
            }
        });
    }
    assert_eq!(judged, BTreeSet::from(KINDS), "every kind has a part of the table");
}

#[test]
fn every_kind_is_looked_at_here() {
    let defined: Vec<_> = crds().into_iter().map(|crd| crd.spec.names.kind).collect();
    assert_eq!(defined, KINDS);
}

/// Calls `visit` with each part of a schema and its path.
fn walk(schema: &Value, path: &str, visit: &mut impl FnMut(&str, &Value)) {
    visit(path, schema);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        walk(property, &format!("{path}.{name}"), visit);
    }
    for part in ["items", "additionalProperties"] {
        if schema[part].is_object() {
            walk(&schema[part], &format!("{path}[]"), visit);
        }
    }
}

#[test]
fn every_rule_fits_the_budget_of_the_api_server() {
    let mut rules = 0;
    for kind in KINDS {
        walk(&Kind(kind).schema(), kind, &mut |path, schema| {
            let compiled = kube_cel::compile_schema(schema);
            assert!(!compiled.has_errors(), "{path}: {:?}", compiled.compilation_errors());
            for rule in schema["x-kubernetes-validations"].as_array().into_iter().flatten() {
                let rule = rule["rule"].as_str().unwrap();
                let warnings = kube_cel::estimate_rule_cost(rule, &compiled);
                assert!(warnings.is_empty(), "{path}: {warnings:?}");
                rules += 1;
            }
        });
    }
    assert!(rules > 25, "only {rules} rules were looked at");
}

#[test]
fn everything_that_can_grow_has_a_bound_and_everything_has_words() {
    for kind in KINDS {
        walk(&Kind(kind).schema(), kind, &mut |path, schema| {
            let has = |key: &str| !schema[key].is_null();
            let bounded = match schema["type"].as_str() {
                Some("string") => has("maxLength") || has("enum") || has("format"),
                Some("array") => has("maxItems"),
                Some("object") => !has("additionalProperties") || has("maxProperties"),
                _ => true,
            };
            assert!(bounded, "{path} has no bound");
            assert!(has("description") || path.ends_with("[]"), "{path} has no description");
        });
    }
}

#[test]
fn an_object_that_nobody_has_looked_at_is_not_current() {
    for kind in KINDS {
        let seen = kube_cel::apply_defaults(&Kind(kind).schema(), &json!({"spec": {}}));
        assert_eq!(seen["status"]["observedGeneration"], -1, "{kind}");
    }
}

#[test]
fn the_examples_are_let_in_and_say_what_the_types_say() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for (folder, expected) in [
        (
            "kafka",
            [
                "ConsumerGroup",
                "KafkaInstance",
                "KafkaUserQuota",
                "ProviderConfig",
                "Secret",
                "Topic",
            ]
            .as_slice(),
        ),
        ("rocketmq", &["ConsumerGroup", "RocketMQInstance", "Topic"]),
        ("password", &["ProviderConfig", "Secret"]),
        (
            "tenancy",
            &["ConsumerGroup", "KafkaInstance", "KafkaUserQuota", "Namespace", "Topic"],
        ),
    ] {
        let mut kinds = BTreeSet::new();
        for file in std::fs::read_dir(examples.join(folder)).unwrap() {
            let path = file.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            for object in serde_saphyr::from_multiple::<Value>(&text).unwrap() {
                let kind = object["kind"].as_str().unwrap().to_owned();
                if let Some(kind) = KINDS.into_iter().find(|known| *known == kind) {
                    let refusals = Kind(kind).refusals(&object, None);
                    assert!(refusals.is_empty(), "{}: {refusals:#?}", path.display());
                }
                kinds.insert(kind);
            }
        }
        assert_eq!(
            kinds,
            BTreeSet::from_iter(expected.iter().map(|kind| (*kind).to_owned())),
            "{folder}"
        );
    }
}

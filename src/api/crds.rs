//! The CustomResourceDefinitions, as the API server gets them.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;
use serde_json::{Map, Value, json};

use super::{ConsumerGroup, KafkaInstance, KafkaUserQuota, ProviderConfig, RocketMQInstance, Topic};

/// The definition of every kind, in the order in which they are installed.
pub fn crds() -> Vec<CustomResourceDefinition> {
    vec![
        finish(ProviderConfig::crd()),
        finish(KafkaInstance::crd()),
        finish(RocketMQInstance::crd()),
        finish(Topic::crd()),
        finish(ConsumerGroup::crd()),
        finish(KafkaUserQuota::crd()),
    ]
}

/// Says what the derives cannot say.
fn finish(crd: CustomResourceDefinition) -> CustomResourceDefinition {
    let mut value = serde_json::to_value(crd).expect("a definition is plain data");
    let schema = &mut value["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    tidy(schema);
    // Until the operator has come by, tools that compare generations must not call the object current.
    schema["properties"]["status"]["default"] = json!({"observedGeneration": -1});
    serde_json::from_value(value).expect("a tidied definition is still one")
}

/// Makes a schema read the way a person would have written it, with every string and list of the shared condition type
/// bounded as in Go.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            strip_null(map);
            unwrap_text(map);
            bound_condition(map);
            for value in map.values_mut() {
                tidy(value);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

fn strip_null(map: &mut Map<String, Value>) {
    // A property may itself be called `nullable` or `enum`; those hold schemas, not these values.
    if map.get("nullable").is_some_and(Value::is_boolean) {
        map.remove("nullable");
    }
    if let Some(Value::Array(values)) = map.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    // The API server takes int32 and int64 only, and warns of others.
    if let Some(Value::String(format)) = map.get_mut("format")
        && format.starts_with("uint")
    {
        *format = "int64".into();
    }
    map.remove("uniqueItems");
}

/// Source lines end where the editor wraps them; only paragraphs mean something to a reader of `kubectl explain`.
fn unwrap_text(map: &mut Map<String, Value>) {
    if let Some(Value::String(text)) = map.get_mut("description") {
        *text = text
            .split("\n\n")
            .map(|paragraph| paragraph.replace('\n', " "))
            .collect::<Vec<_>>()
            .join("\n\n");
    }
}

fn bound_condition(map: &mut Map<String, Value>) {
    let Some(Value::Object(properties)) = map.get_mut("properties") else {
        return;
    };
    if !properties.contains_key("lastTransitionTime") {
        return;
    }
    for (name, max) in [("type", 316), ("reason", 1024), ("message", 32768)] {
        properties[name]["maxLength"] = json!(max);
    }
    properties["status"]["enum"] = json!(["True", "False", "Unknown"]);
}

use serde_json::{Value, json};

use super::{Judge, object, spec, with_status};

/// What lives in an instance, of each kind.
fn tenants() -> [Value; 3] {
    let events = json!({"kind": "KafkaInstance", "name": "events"});
    [
        object(
            "Topic",
            "orders",
            &json!({"instanceRef": events, "kafka": {"partitions": 6}}),
        ),
        object("ConsumerGroup", "billing", &json!({"instanceRef": events})),
        object(
            "KafkaUserQuota",
            "importer",
            &json!({"instanceRef": events, "client": "importer", "producerByteRate": 1}),
        ),
    ]
}

fn kind(object: &Value) -> &'static str {
    match object["kind"].as_str() {
        Some("Topic") => "Topic",
        Some("ConsumerGroup") => "ConsumerGroup",
        _ => "KafkaUserQuota",
    }
}

/// Another `instanceRef`; what is null is not there.
fn to(name: Value, namespace: Value, id: Value) -> Value {
    json!({"instanceRef": {"name": name, "namespace": namespace, "instanceId": id}})
}

const ID: &str = "8959ab1c-7b1a-4b11-a05b-93dfc361b32d";

pub fn an_instance_is_named_by_its_object_or_by_its_id(judge: &mut Judge<'_>) {
    let by_id = |extra: Value| {
        let mut change = to(Value::Null, Value::Null, json!(ID));
        json_patch(&mut change, extra);
        spec(change)
    };
    let cases = [
        (spec(to(json!("events"), json!("shared"), Value::Null)), None),
        (
            spec(to(json!("events"), json!(""), Value::Null)),
            Some("/spec/instanceRef/namespace"),
        ),
        (
            spec(to(json!("events"), json!("n".repeat(64)), Value::Null)),
            Some("/spec/instanceRef/namespace"),
        ),
        (
            spec(to(Value::Null, Value::Null, Value::Null)),
            Some("exactly one of name and instanceId"),
        ),
        (
            spec(to(json!("events"), Value::Null, json!(ID))),
            Some("exactly one of name and instanceId"),
        ),
        (
            spec(to(Value::Null, json!("shared"), json!(ID))),
            Some("namespace is where the object of that name is"),
        ),
        (
            spec(to(Value::Null, Value::Null, json!("not/an id"))),
            Some("/spec/instanceRef/instanceId"),
        ),
        (by_id(json!({})), None),
        (by_id(json!({"providerConfigRef": {"name": "eu"}})), None),
        (
            spec(json!({"providerConfigRef": {"name": "eu"}})),
            Some("providerConfigRef is for instanceRef.instanceId"),
        ),
    ];
    for tenant in tenants() {
        judge(kind(&tenant), &tenant, &cases, false);
    }
}

pub fn what_exists_stays_in_its_instance_however_that_is_named(judge: &mut Judge<'_>) {
    let object_there = to(json!("events"), json!("shared"), Value::Null);
    let by_id = to(Value::Null, Value::Null, json!(ID));
    let other_id = to(Value::Null, Value::Null, json!("another"));
    for tenant in tenants() {
        let judge = &mut |base: &Value, cases: &[(&Value, Option<&'static str>)]| {
            let cases: Vec<_> = cases
                .iter()
                .map(|(change, fate)| (spec((*change).clone()), *fate))
                .collect();
            judge(kind(base), base, &cases, true);
        };
        // Before it exists, all can be corrected.
        judge(&tenant, &[(&object_there, None), (&by_id, None)]);

        let made = |change: &Value| {
            let mut made = tenant.clone();
            json_patch(&mut made, spec(change.clone()));
            with_status(made, json!({"externalName": "orders"}))
        };
        let refused = Some("instanceRef cannot change");
        let here = to(json!("events"), Value::Null, Value::Null);
        judge(&made(&here), &[(&object_there, refused), (&by_id, None)]);
        let elsewhere = to(json!("events"), json!("other"), Value::Null);
        let another = to(json!("logs"), json!("shared"), Value::Null);
        judge(
            &made(&object_there),
            &[
                (&object_there, None),
                (&here, refused),
                (&elsewhere, refused),
                (&another, refused),
                (&by_id, None),
            ],
        );
        judge(
            &made(&by_id),
            &[(&by_id, None), (&other_id, refused), (&object_there, None)],
        );
    }
}

pub fn an_instance_says_whom_it_admits(judge: &mut Judge<'_>) {
    let grant = |grant: Value| {
        let mut whole = json!({"name": "payments", "namespaces": ["payments"]});
        json_patch(&mut whole, grant);
        spec(json!({"allowedNamespaces": [whole]}))
    };
    let selector = |selector: Value| grant(json!({"namespaces": null, "selector": selector}));
    let expression = |expression: Value| selector(json!({"matchExpressions": [expression]}));
    let one_of = Some("exactly one of namespaces and selector");
    let values = Some("values are needed with In and NotIn");
    let cases = [
        (spec(json!({"allowedNamespaces": []})), None),
        (grant(json!({})), None),
        (grant(json!({"name": null})), Some("name")),
        (grant(json!({"namespaces": null})), one_of),
        (grant(json!({"namespaces": []})), one_of),
        (grant(json!({"selector": {}})), one_of),
        (grant(json!({"namespaces": [], "selector": {}})), None),
        (selector(json!({})), None),
        (selector(json!({"matchLabels": {"tenant": "payments"}})), None),
        (
            expression(json!({"key": "tenant", "operator": "In", "values": ["payments", "billing"]})),
            None,
        ),
        (expression(json!({"key": "tenant", "operator": "Exists"})), None),
        (expression(json!({"key": "tenant", "operator": "In"})), values),
        (
            expression(json!({"key": "tenant", "operator": "DoesNotExist", "values": ["x"]})),
            values,
        ),
        (
            expression(json!({"key": "tenant", "operator": "Is", "values": ["x"]})),
            Some("/spec/allowedNamespaces"),
        ),
        (
            grant(
                json!({"kinds": ["Topic", "KafkaUserQuota"], "namePrefixes": ["pay.", "pay-"], "maxPartitions": 200}),
            ),
            None,
        ),
        (
            grant(json!({"kinds": ["KafkaInstance"]})),
            Some("/spec/allowedNamespaces"),
        ),
        (grant(json!({"namePrefixes": [""]})), Some("/spec/allowedNamespaces")),
        (grant(json!({"maxPartitions": 0})), Some("/spec/allowedNamespaces")),
    ];
    for kind in ["KafkaInstance", "RocketMQInstance"] {
        let base = object(
            kind,
            "events",
            &json!({"instanceId": ID, "management": {"adoption": "IfExists"}}),
        );
        judge(kind, &base, &cases, false);
        // It may change at any time.
        let made = with_status(base, json!({"instanceId": ID}));
        judge(kind, &made, &cases[1..2], true);
    }
}

fn json_patch(object: &mut Value, change: Value) {
    for (key, value) in change.as_object().into_iter().flatten() {
        if value.is_object() && object[key].is_object() {
            json_patch(&mut object[key], value.clone());
        } else if value.is_null() {
            object.as_object_mut().expect("an object").remove(key);
        } else {
            object[key] = value.clone();
        }
    }
}

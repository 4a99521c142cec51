//! A small custom resource, for tests of API servers.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject};
use kube::core::GroupVersionKind;
use serde_json::json;

/// The custom resource that the scenarios use.
pub fn gadgets() -> CustomResourceDefinition {
    let text = json!({"type": "string", "maxLength": 64});
    let grants = json!({
        "type": "array", "maxItems": 8, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["user"],
        "items": {"type": "object", "required": ["user"], "properties": {
            "user": text, "verb": {"type": "string", "enum": ["read", "write"], "default": "read"},
        }},
    });
    let spec = json!({
        "type": "object", "required": ["partitions"],
        "properties": {
            "partitions": {"type": "integer", "minimum": 1, "maximum": 200, "x-kubernetes-validations": [
                {"rule": "self >= oldSelf", "message": "partitions only grow", "reason": "FieldValueForbidden"},
            ]},
            "name": {"type": "string", "maxLength": 20, "pattern": "^[a-z]+$"},
            "level": {"type": "string", "enum": ["low", "high"], "default": "low"},
            "tags": {"type": "object", "maxProperties": 8, "additionalProperties": text},
            "words": {"type": "array", "maxItems": 8, "x-kubernetes-list-type": "set", "items": text},
            "hosts": {"type": "array", "maxItems": 8, "items": text},
            "grants": grants,
        },
    });
    let status = json!({
        "type": "object", "default": {"observedGeneration": -1},
        "properties": {"observedGeneration": {"type": "integer"}, "id": text},
    });
    let rule = json!({
        "rule": "!has(oldSelf.status) || !has(oldSelf.status.id) || (has(self.spec.name) == has(oldSelf.spec.name) \
            && (!has(self.spec.name) || self.spec.name == oldSelf.spec.name))",
        "message": "name is immutable once the gadget exists",
    });
    let schema = json!({
        "type": "object", "required": ["spec"], "x-kubernetes-validations": [rule],
        "properties": {"spec": spec, "status": status},
    });
    serde_json::from_value(json!({
        "metadata": {"name": "gadgets.test.dms.huaweicloud.com"},
        "spec": {
            "group": "test.dms.huaweicloud.com", "scope": "Namespaced",
            "names": {"kind": "Gadget", "plural": "gadgets", "singular": "gadget", "listKind": "GadgetList"},
            "versions": [{
                "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": schema},
            }],
        },
    }))
    .expect("a CRD")
}

/// Gadgets of a namespace.
pub fn gadget_api(client: Client, namespace: &str) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("test.dms.huaweicloud.com", "v1", "Gadget");
    Api::namespaced_with(client, namespace, &ApiResource::from_gvk_with_plural(&kind, "gadgets"))
}

//! What makes the API server refuse the deletion of a protected object.

use serde_json::{Value, json};

use super::common::GROUP;
use super::crds;

/// The admission policy and what puts it into force, both called `name`.
pub(super) fn deletion_protection(name: &str) -> [Value; 2] {
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [{
                "apiGroups": [GROUP],
                "apiVersions": ["*"],
                "operations": ["DELETE"],
                "resources": protected(),
            }]},
            "validations": [{
                "expression": "!has(oldObject.spec.management) || !has(oldObject.spec.management.deletionProtection) || \
                               !oldObject.spec.management.deletionProtection",
                "message": "spec.management.deletionProtection is true: set it to false first",
                "reason": "Forbidden",
            }],
        },
    });
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"]},
    });
    [policy, binding]
}

/// The plurals of the kinds that have the field.
fn protected() -> Vec<String> {
    let field =
        "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/management/properties/deletionProtection";
    let has_it = |crd: &_| serde_json::to_value(crd).is_ok_and(|crd: Value| crd.pointer(field).is_some());
    let kinds = crds().into_iter().filter(has_it);
    kinds.map(|crd| crd.spec.names.plural).collect()
}

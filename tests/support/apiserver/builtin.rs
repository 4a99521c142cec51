//! What kinds of objects there are, and what the server checks of those that it knows by itself.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::{Value, json};

use super::schema::{Schema, metadata_fields};
use super::wire::Cause;

/// A resource and how the server treats it.
pub struct Definition {
    /// API group; empty for the core group.
    pub group: String,
    /// API version, without the group.
    pub version: String,
    /// Kind.
    pub kind: String,
    /// Plural name.
    pub plural: String,
    /// Objects live in namespaces.
    pub namespaced: bool,
    /// Status is written through `/status` alone.
    pub status: bool,
    /// `metadata.generation` counts changes of the spec.
    pub generation: bool,
    /// A PUT needs no version.
    pub unconditional_update: bool,
    /// A PUT may create.
    pub create_on_update: bool,
    /// Of custom resources.
    pub schema: Option<Schema>,
    /// How fields are merged and owned.
    pub fields: Value,
    /// Fields that selectors may name, as `.spec.x`.
    pub selectable: Vec<String>,
    /// Changes and checks of a built-in type.
    pub check: fn(&mut Value) -> Vec<Cause>,
}

impl Definition {
    /// Of a custom resource, in its storage version.
    pub fn custom(crd: &CustomResourceDefinition) -> Self {
        let version = crd
            .spec
            .versions
            .iter()
            .find(|version| version.storage)
            .expect("a CRD has a storage version");
        let schema = version
            .schema
            .as_ref()
            .and_then(|schema| schema.open_api_v3_schema.as_ref());
        let schema = Schema::new(json!(schema.expect("a version has a schema")));
        Self {
            group: crd.spec.group.clone(),
            version: version.name.clone(),
            kind: crd.spec.names.kind.clone(),
            plural: crd.spec.names.plural.clone(),
            namespaced: crd.spec.scope == "Namespaced",
            status: version.subresources.as_ref().is_some_and(|sub| sub.status.is_some()),
            generation: true,
            unconditional_update: false,
            create_on_update: false,
            fields: schema.for_fields(),
            schema: Some(schema),
            selectable: version
                .selectable_fields
                .iter()
                .flatten()
                .map(|field| field.json_path.clone())
                .collect(),
            check: |_| Vec::new(),
        }
    }

    /// Secrets, Namespaces, Events and Leases.
    pub fn built_in() -> Vec<Self> {
        let plain = |group: &str, kind: &str, plural: &str, check| Self {
            group: group.into(),
            version: "v1".into(),
            kind: kind.into(),
            plural: plural.into(),
            namespaced: true,
            status: false,
            generation: false,
            unconditional_update: true,
            create_on_update: false,
            schema: None,
            selectable: Vec::new(),
            fields: json!({"properties": {"metadata": metadata_fields()}}),
            check,
        };
        vec![
            plain("", "Secret", "secrets", check_secret),
            Self {
                namespaced: false,
                status: true,
                ..plain("", "Namespace", "namespaces", |_| Vec::new())
            },
            Self {
                create_on_update: true,
                ..plain("events.k8s.io", "Event", "events", check_event)
            },
            Self {
                create_on_update: true,
                unconditional_update: false,
                ..plain("coordination.k8s.io", "Lease", "leases", check_lease)
            },
        ]
    }

    /// `group/version`, or `v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// `plural.group`, as messages name it.
    pub fn qualified(&self) -> String {
        if self.group.is_empty() {
            self.plural.clone()
        } else {
            format!("{}.{}", self.plural, self.group)
        }
    }
}

fn check_secret(secret: &mut Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    if let Some(plain) = secret.as_object_mut().and_then(|fields| fields.remove("stringData")) {
        for (key, value) in plain.as_object().into_iter().flatten() {
            let bytes = k8s_openapi::ByteString(value.as_str().unwrap_or_default().as_bytes().to_vec());
            secret["data"][key] = json!(bytes);
        }
    }
    if secret["type"].is_null() {
        secret["type"] = json!("Opaque");
    }
    for (key, value) in secret["data"].as_object().into_iter().flatten() {
        if serde_json::from_value::<k8s_openapi::ByteString>(value.clone()).is_err() {
            causes.push(invalid(&format!("data[{key}]"), "illegal base64 data"));
        }
    }
    causes
}

fn check_event(event: &mut Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    for (field, longest) in [
        ("reason", 128),
        ("action", 128),
        ("reportingController", 253),
        ("reportingInstance", 128),
    ] {
        let text = event[field].as_str().unwrap_or_default();
        if text.is_empty() || text.len() > longest {
            causes.push(invalid(field, &format!("must have between 1 and {longest} characters")));
        }
    }
    if event["note"].as_str().is_some_and(|note| note.len() > 1024) {
        causes.push(invalid("note", "can have at most 1024 bytes"));
    }
    if !matches!(event["type"].as_str(), Some("Normal" | "Warning")) {
        causes.push(invalid("type", "must be Normal or Warning"));
    }
    if event["regarding"]["namespace"].as_str().unwrap_or("default") != event["metadata"]["namespace"] {
        causes.push(invalid("regarding.namespace", "does not match event.namespace"));
    }
    check_micro_time(event, "/eventTime", &mut causes);
    causes
}

fn check_lease(lease: &mut Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    if lease["spec"]["leaseDurationSeconds"]
        .as_i64()
        .is_some_and(|seconds| seconds <= 0)
    {
        causes.push(invalid("spec.leaseDurationSeconds", "must be greater than 0"));
    }
    if lease["spec"]["leaseTransitions"]
        .as_i64()
        .is_some_and(|count| count < 0)
    {
        causes.push(invalid("spec.leaseTransitions", "must be greater than or equal to 0"));
    }
    for time in ["/spec/acquireTime", "/spec/renewTime"] {
        check_micro_time(lease, time, &mut causes);
    }
    causes
}

/// The server reads a MicroTime only with exactly six digits.
fn check_micro_time(object: &Value, pointer: &str, causes: &mut Vec<Cause>) {
    let Some(time) = object.pointer(pointer).and_then(Value::as_str) else {
        return;
    };
    let digits = time
        .split_once('.')
        .map_or(0, |(_, rest)| rest.chars().take_while(char::is_ascii_digit).count());
    if digits != 6 || time.parse::<jiff::Timestamp>().is_err() {
        causes.push(invalid(
            &pointer[1..].replace('/', "."),
            "is not an RFC 3339 time with six digits",
        ));
    }
}

fn invalid(field: &str, message: &str) -> Cause {
    Cause {
        reason: "FieldValueInvalid".into(),
        field: field.into(),
        message: message.into(),
    }
}

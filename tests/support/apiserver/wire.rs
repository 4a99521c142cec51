//! Requests taken apart, answers put together.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

/// Body of every answer; a watch's may break.
pub type AnswerBody = UnsyncBoxBody<Bytes, std::io::Error>;

/// One request, understood.
#[derive(Clone, Debug)]
pub struct Call {
    /// Whose client sent it.
    pub user: String,
    /// get, list, watch, create, update, patch, delete, deletecollection.
    pub verb: &'static str,
    /// API group; empty for the core group.
    pub group: String,
    /// Plural name.
    pub resource: String,
    /// Empty for a cluster-wide list or a cluster-scoped object.
    pub namespace: String,
    /// Empty for a collection (the body names a create's object).
    pub name: String,
    /// Empty, `status` or `finalize`.
    pub subresource: String,
    /// Query parameters, decoded.
    pub query: BTreeMap<String, String>,
    /// Content type of the body.
    pub content_type: String,
    /// Only `metadata` is wanted.
    pub metadata_only: bool,
    /// The body.
    pub body: Bytes,
}

impl Call {
    /// Reads a request; `None` for a path that no resource has.
    pub async fn read<B>(user: &str, request: Request<B>) -> Option<Self>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: std::fmt::Debug,
    {
        let (parts, body) = request.into_parts();
        let decode = |text: &str| {
            percent_decode_str(&text.replace('+', " "))
                .decode_utf8_lossy()
                .into_owned()
        };
        let query: BTreeMap<String, String> = parts
            .uri
            .query()
            .unwrap_or_default()
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (decode(name), decode(value)))
            .collect();
        let path: Vec<String> = parts.uri.path().trim_matches('/').split('/').map(decode).collect();
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let (group, rest) = match path.as_slice() {
            ["api", "v1", rest @ ..] => ("", rest),
            ["apis", group, _, rest @ ..] => (*group, rest),
            _ => return None,
        };
        let (namespace, resource, name, subresource) = match rest {
            ["namespaces", name, sub @ ("status" | "finalize")] => ("", "namespaces", *name, *sub),
            ["namespaces", namespace, resource] => (*namespace, *resource, "", ""),
            ["namespaces", namespace, resource, name] => (*namespace, *resource, *name, ""),
            ["namespaces", namespace, resource, name, sub] => (*namespace, *resource, *name, *sub),
            [resource] => ("", *resource, "", ""),
            [resource, name] => ("", *resource, *name, ""),
            [resource, name, sub] => ("", *resource, *name, *sub),
            _ => return None,
        };
        let watches = query.get("watch").is_some_and(|watch| watch == "true" || watch == "1");
        let verb = match (&parts.method, name.is_empty()) {
            (&Method::GET, true) if watches => "watch",
            (&Method::GET, true) => "list",
            (&Method::GET, false) => "get",
            (&Method::POST, true) => "create",
            (&Method::PUT, false) => "update",
            (&Method::PATCH, false) => "patch",
            (&Method::DELETE, false) => "delete",
            (&Method::DELETE, true) => "deletecollection",
            _ => return None,
        };
        let header = |name| {
            parts
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
        };
        Some(Self {
            user: user.into(),
            verb,
            group: group.into(),
            resource: resource.into(),
            namespace: namespace.into(),
            name: name.into(),
            subresource: subresource.into(),
            query,
            content_type: header(header::CONTENT_TYPE).into(),
            metadata_only: header(header::ACCEPT).contains("as=PartialObjectMetadata"),
            body: body.collect().await.expect("request bodies are in memory").to_bytes(),
        })
    }

    /// Whether it changes something.
    pub fn writes(&self) -> bool {
        !matches!(self.verb, "get" | "list" | "watch")
    }

    /// Whether a query parameter is there and says yes.
    pub fn flag(&self, name: &str) -> bool {
        self.query
            .get(name)
            .is_some_and(|value| value == "true" || value == "1")
    }

    /// A query parameter that is a number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.query.get(name)?.parse().ok()
    }

    /// The body as JSON.
    pub fn json(&self) -> Result<Value, Failure> {
        serde_json::from_slice(&self.body).map_err(|error| Failure::bad_request(format!("failed to decode: {error}")))
    }
}

/// One reason of a refusal.
#[derive(Debug)]
pub struct Cause {
    /// Such as FieldValueInvalid.
    pub reason: String,
    /// Path of the field.
    pub field: String,
    /// What is wrong.
    pub message: String,
}

/// A refusal, as a `Status` object.
#[derive(Debug)]
pub struct Failure {
    /// HTTP status.
    pub code: u16,
    /// Machine-readable reason.
    pub reason: &'static str,
    /// For people.
    pub message: String,
    /// The details.
    pub causes: Vec<Cause>,
}

impl Failure {
    /// Any refusal without causes.
    pub fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
            causes: Vec::new(),
        }
    }

    /// 400.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// 404.
    pub fn not_found(what: &str, name: &str) -> Self {
        Self::new(404, "NotFound", format!("{what} \"{name}\" not found"))
    }

    /// 409 for a version that is no longer current.
    pub fn conflict(what: &str, name: &str, why: &str) -> Self {
        Self::new(
            409,
            "Conflict",
            format!("Operation cannot be fulfilled on {what} \"{name}\": {why}"),
        )
    }

    /// 422 with its causes.
    pub fn invalid(kind: &str, name: &str, causes: Vec<Cause>) -> Self {
        let texts: Vec<_> = causes
            .iter()
            .map(|cause| format!("{}: {}", cause.field, cause.message))
            .collect();
        let message = format!("{kind} \"{name}\" is invalid: {}", texts.join(", "));
        Self {
            code: 422,
            reason: "Invalid",
            message,
            causes,
        }
    }

    /// 410: the version that a list or watch wants to go on from is forgotten.
    pub fn expired() -> Self {
        Self::new(410, "Expired", "The resourceVersion for the provided watch is too old.")
    }

    /// The `Status` object.
    pub fn status(&self) -> Value {
        let causes = self
            .causes
            .iter()
            .map(|cause| json!({"reason": cause.reason, "field": cause.field, "message": cause.message}));
        json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": self.code,
            "reason": self.reason, "message": self.message, "details": {"causes": causes.collect::<Vec<_>>()},
        })
    }

    /// The answer.
    pub fn answer(&self) -> Response<AnswerBody> {
        answer(
            StatusCode::from_u16(self.code).expect("a valid status code"),
            &self.status(),
        )
    }
}

/// An answer with a JSON body.
pub fn answer(code: StatusCode, body: &Value) -> Response<AnswerBody> {
    Response::builder()
        .status(code)
        .header(header::CONTENT_TYPE, "application/json")
        .body(
            Full::new(Bytes::from(body.to_string()))
                .map_err(|never| match never {})
                .boxed_unsync(),
        )
        .expect("a complete response")
}

/// The same object, or only its metadata where that was asked for.
pub fn shown(object: &Value, metadata_only: bool) -> Value {
    if metadata_only {
        json!({"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": object["metadata"]})
    } else {
        object.clone()
    }
}

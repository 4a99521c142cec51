//! From the HTTP answer to a value or an [`Error`].

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, Response};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Class, Error, Limits, Operation, Page, Sent, codes, decode};

/// An answer with a 2xx.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) operation: Operation,
    pub(super) status: u16,
    pub(super) request_id: Option<String>,
    /// A new token, the one thing that is told in a header.
    pub(super) subject_token: Option<SecretString>,
    content_type: String,
    body: Bytes,
}

impl Answer {
    /// Any 2xx is a success (not in the reference, whose success codes differ from region to region).
    pub(super) fn read(
        operation: Operation,
        response: Response<Bytes>,
        secrets: &[&SecretString],
    ) -> Result<Self, Error> {
        let header = |name: &str| text(response.headers(), name);
        let answer = Self {
            operation,
            status: response.status().as_u16(),
            request_id: header("x-request-id").map(|id| id.chars().take(64).collect()),
            subject_token: header("x-subject-token").map(Into::into),
            content_type: header(CONTENT_TYPE.as_str()).unwrap_or_default(),
            body: response.body().clone(),
        };
        if response.status().is_success() {
            return Ok(answer);
        }
        let retry_after = header(RETRY_AFTER.as_str()).and_then(|seconds| seconds.trim().parse().ok());
        Err(answer.failure(retry_after.map(Duration::from_secs), secrets))
    }

    /// The body as a value.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let why = if self.body.is_empty() {
                "it is empty".to_owned()
            } else {
                format!("{error}, in {}", self.kind())
            };
            self.malformed(&why)
        })
    }

    /// The body as a value where the service may also say nothing.
    pub(super) fn json_if_any<T: DeserializeOwned>(&self) -> Result<Option<T>, Error> {
        if self.body.trim_ascii().is_empty() {
            Ok(None)
        } else {
            self.json().map(Some)
        }
    }

    /// The id of the job that carries a change out; some regions leave it out, and a 204 has no body to hold it.
    pub(super) fn job_id(&self) -> Result<Option<String>, Error> {
        Ok(self.json_if_any::<Job>()?.and_then(|job| job.job_id))
    }

    /// One page. A list that is not there is not an empty one, unless the total says so.
    pub(super) fn page<T>(&self, items: Option<Vec<T>>, total: Option<u64>) -> Result<Page<T>, Error> {
        let items = match items {
            Some(items) => items,
            None if total == Some(0) => Vec::new(),
            None => return Err(self.malformed("it has no list")),
        };
        let limits = Limits::default();
        Ok(Page { items, total, limits })
    }

    /// The service said yes, but not what we need to know.
    pub(super) fn malformed(&self, why: &str) -> Error {
        let message = one_line(&format!("the answer cannot be read: {why}"));
        let error = Error::new(self.operation, Class::Malformed, Sent::Unknown, message);
        Error {
            status: Some(self.status),
            request_id: self.request_id.clone(),
            ..error
        }
    }

    fn failure(&self, retry_after: Option<Duration>, secrets: &[&SecretString]) -> Error {
        let body = serde_json::from_slice(&self.body)
            .ok()
            .and_then(|body: Value| ErrorBody::find(&body));
        let Some(body) = body else {
            let class = match codes::by_status(self.operation, self.status) {
                class @ (Class::Throttled | Class::Unavailable | Class::Reauthenticate) => class,
                // A proxy's page says nothing about the thing that was asked for.
                _ => Class::Malformed,
            };
            let sent = if self.status == 429 {
                Sent::Refused
            } else {
                Sent::Unknown
            };
            let error = self.malformed(&format!("HTTP {} with {}", self.status, self.kind()));
            return Error {
                class,
                sent,
                retry_after,
                ..error
            };
        };
        let class = codes::classify(self.operation, body.code.as_deref(), &body.message, self.status);
        // The gateway explains a refused signature with the whole canonical request, security token included.
        let message = match class {
            Class::Reauthenticate => "the service does not accept these credentials".to_owned(),
            _ => without_secrets(&body.message, secrets),
        };
        // 408: the gateway gave up waiting, which does not stop what it waited for. Without a code it may be anyone's.
        let refused = matches!(self.status, 400..=499) && self.status != 408 && body.code.is_some();
        Error {
            operation: self.operation,
            class,
            sent: if refused || self.status == 429 {
                Sent::Refused
            } else {
                Sent::Unknown
            },
            status: Some(self.status),
            code: body.code,
            message,
            request_id: self.request_id.clone().or(body.request_id),
            retry_after,
        }
    }

    fn kind(&self) -> String {
        let content_type = if self.content_type.is_empty() {
            "a body of no type"
        } else {
            &self.content_type
        };
        format!("{content_type}, {} bytes", self.body.len())
    }
}

#[derive(Deserialize)]
struct Job {
    #[serde(default, deserialize_with = "decode::text")]
    job_id: Option<String>,
}

/// One bounded line, whatever the service wrote.
pub(super) fn one_line(text: &str) -> String {
    const MAX: usize = 512;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.len() <= MAX {
        return line;
    }
    let end = line.floor_char_boundary(MAX);
    format!("{}...", &line[..end])
}

fn without_secrets(message: &str, secrets: &[&SecretString]) -> String {
    let clean = secrets
        .iter()
        .map(|secret| secret.expose_secret())
        .filter(|secret| !secret.is_empty())
        .fold(message.to_owned(), |message, secret| {
            message.replace(secret, "[secret]")
        });
    one_line(&clean)
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// What the service and its gateways say about a failure; their spellings differ (not in the reference but the first).
struct ErrorBody {
    code: Option<String>,
    message: String,
    request_id: Option<String>,
}

impl ErrorBody {
    fn find(body: &Value) -> Option<Self> {
        let body = body.get("error").filter(|nested| nested.is_object()).unwrap_or(body);
        let field = |names: &[&str]| names.iter().find_map(|name| body.get(*name)).and_then(scalar);
        let code = field(&["error_code", "errorCode", "code"]).map(|code| code.split_whitespace().collect::<String>());
        let code = code
            .filter(|code| !code.is_empty())
            .map(|code| code.chars().take(64).collect());
        let message = field(&["error_msg", "errorMsg", "error_message", "message"]);
        if code.is_none() && message.is_none() {
            return None;
        }
        let request_id = field(&["request_id", "requestId"]).map(|id| id.chars().take(64).collect());
        Some(Self {
            code,
            message: message.unwrap_or_else(|| "the service gives no reason".to_owned()),
            request_id,
        })
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

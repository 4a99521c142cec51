//! The record of calls.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

/// One call to the APIs; recorded when it arrives, completed when it is answered.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// When it arrived.
    pub time: Timestamp,
    /// HTTP method.
    pub method: String,
    /// Path and query, as sent.
    pub path: String,
    /// The operation's name in the vendor's SDK; `Unknown` for what is not served.
    pub operation: String,
    /// Names in the body, of an instance, topics, groups, a quota's user or client; and what the path names after the
    /// instance.
    pub names: Vec<String>,
    /// The HTTP status of the answer; absent while there is none, and for a lost one.
    pub status: Option<u16>,
    /// The answer's `error_code`.
    pub code: Option<String>,
    /// The answer's `X-Request-Id`.
    pub request_id: String,
    /// Whether the connection broke instead of an answer.
    pub lost: bool,
}

/// Calls by operation.
pub(crate) fn summary(calls: &[Call]) -> BTreeMap<String, usize> {
    calls.iter().fold(BTreeMap::new(), |mut counts, call| {
        *counts.entry(call.operation.clone()).or_default() += 1;
        counts
    })
}

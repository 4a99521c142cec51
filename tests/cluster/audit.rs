//! The API server's audit log: who asked for what, and what it was told.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;

/// A request as the log has it.
#[derive(Debug)]
pub struct Request {
    pub at: Timestamp,
    pub verb: String,
    pub group: String,
    /// `topics` or `topics/status`.
    pub resource: String,
    /// The authorizer's word.
    pub allowed: bool,
}

impl Request {
    /// Whether it changes anything.
    pub fn writes(&self) -> bool {
        !matches!(self.verb.as_str(), "get" | "list" | "watch")
    }

    /// What a role must grant for it.
    pub fn right(&self) -> (String, String, String) {
        (self.verb.clone(), self.group.clone(), self.resource.clone())
    }
}

/// Rights by (verb, group, resource).
pub type Rights = BTreeSet<(String, String, String)>;

/// What a user asked for, in order; every request has one entry, a watch two.
pub fn requests_of(user: &str, log: &Path) -> Vec<Request> {
    let text = std::fs::read_to_string(log).unwrap();
    let entries = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    entries
        .filter(|entry| entry["user"]["username"] == user)
        .map(|entry| request(&entry))
        .collect()
}

fn request(entry: &Value) -> Request {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let object = &entry["objectRef"];
    let resource = match object["subresource"].as_str() {
        Some(subresource) => format!("{}/{subresource}", text(&object["resource"])),
        None => text(&object["resource"]),
    };
    Request {
        at: text(&entry["requestReceivedTimestamp"]).parse().unwrap(),
        verb: text(&entry["verb"]),
        group: text(&object["apiGroup"]),
        resource,
        allowed: entry["annotations"]["authorization.k8s.io/decision"] == "allow",
    }
}

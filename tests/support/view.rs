//! What can be seen of a world, and waiting until it shows.

use std::collections::BTreeMap;
use std::time::Duration;

use kube::api::{Api, ApiResource, DynamicObject};
use kube::core::GroupVersionKind;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::world::World;

/// The operator's kinds, as they are in paths of the API server.
pub const KINDS: [&str; 6] = [
    "providerconfigs",
    "kafkainstances",
    "rocketmqinstances",
    "topics",
    "consumergroups",
    "kafkauserquotas",
];

impl World {
    /// The user's view of a kind in the namespace `default`.
    pub fn api(&self, kind: &str) -> Api<DynamicObject> {
        self.api_in(kind, "default")
    }

    /// The user's view of a kind.
    pub fn api_in(&self, kind: &str, namespace: &str) -> Api<DynamicObject> {
        let (group, version) = match kind {
            "Secret" | "Namespace" => ("", "v1"),
            "Lease" => ("coordination.k8s.io", "v1"),
            "Event" => ("events.k8s.io", "v1"),
            _ => (dms_operator::api::GROUP, "v1alpha1"),
        };
        let resource = ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), &plural(kind));
        let client = self.server.client_as("user");
        if kind == "Namespace" {
            Api::all_with(client, &resource)
        } else {
            Api::namespaced_with(client, namespace, &resource)
        }
    }

    /// An object of the namespace `default` as it is stored; null if it is not there.
    pub fn object(&self, kind: &str, name: &str) -> Value {
        let namespace = if kind == "Namespace" { "" } else { "default" };
        self.server.object(&plural(kind), namespace, name).unwrap_or_default()
    }

    /// A condition as `True Available`; empty if there is none.
    pub fn condition(&self, kind: &str, name: &str, condition: &str) -> String {
        condition_of(&self.object(kind, name), condition)
    }

    /// Whether the object is Ready for its present generation.
    pub fn is_ready(&self, kind: &str, name: &str) -> bool {
        is_ready(&self.object(kind, name))
    }

    /// How long changes of the operator's objects take to reach its watches.
    pub fn set_watch_lag(&self, lag: Duration) {
        KINDS
            .iter()
            .for_each(|resource| self.server.set_watch_lag(resource, lag));
    }

    /// How many objects of a kind there are, in all namespaces.
    pub fn number(&self, kind: &str) -> usize {
        self.server.count(&plural(kind), |_| true)
    }

    /// How many of them are Ready for their present generation.
    pub fn number_ready(&self, kind: &str) -> usize {
        self.server.count(&plural(kind), is_ready)
    }

    /// Waits until `condition` holds, looking every second; panics with a picture of the world when it takes longer.
    pub async fn until(&self, within: Duration, what: &str, condition: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !condition(self) {
            assert!(
                start.elapsed() <= within,
                "not within {within:?}: {what}\n{}",
                self.picture()
            );
            sleep(Duration::from_secs(1)).await;
        }
    }

    /// Waits until each of these (kind, name) is Ready.
    pub async fn until_ready(&self, within: Duration, objects: &[(&str, &str)]) {
        let what = format!("Ready: {objects:?}");
        self.until(within, &what, |world| {
            objects.iter().all(|(kind, name)| world.is_ready(kind, name))
        })
        .await;
    }

    /// Waits until each of these (kind, name) is gone.
    pub async fn until_gone(&self, within: Duration, objects: &[(&str, &str)]) {
        let what = format!("gone: {objects:?}");
        self.until(within, &what, |world| {
            objects.iter().all(|(kind, name)| world.object(kind, name).is_null())
        })
        .await;
    }

    /// The instances in the cloud, without any lag.
    pub fn instances(&self) -> Vec<Value> {
        self.cloud.state_json()["instances"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    }

    /// How often an operation was called, by whomever.
    pub fn calls(&self, operation: &str) -> usize {
        self.cloud.call_counts().get(operation).copied().unwrap_or_default()
    }

    /// The operators' writes to the API server by `verb resource`, leases aside.
    pub fn writes(&self) -> BTreeMap<String, usize> {
        let writes = self.server.writes_of("operator");
        let writes = writes.iter().filter(|write| write.resource != "leases");
        writes.fold(BTreeMap::new(), |mut counts, write| {
            *counts.entry(format!("{} {}", write.verb, write.resource)).or_default() += 1;
            counts
        })
    }

    /// Conditions of all objects, the last effects and what the cloud holds, for the message of a failed test.
    pub fn picture(&self) -> String {
        let mut lines = Vec::new();
        for plural in KINDS {
            for object in self.server.objects(plural) {
                lines.push(format!("{plural}/{}:", object["metadata"]["name"]));
                lines.extend(
                    object["status"]["conditions"]
                        .as_array()
                        .into_iter()
                        .flatten()
                        .map(|condition| {
                            let field = |name: &str| condition[name].as_str().unwrap_or_default();
                            format!(
                                "  {} {} {}: {}",
                                field("type"),
                                field("status"),
                                field("reason"),
                                field("message")
                            )
                        }),
                );
            }
        }
        let effects = self.effects();
        lines.push("last effects:".into());
        lines.extend(
            effects[effects.len().saturating_sub(12)..]
                .iter()
                .map(|effect| format!("  {effect}")),
        );
        lines.push(format!("cloud: {}", self.cloud.state_json()));
        lines.join("\n")
    }
}

/// Whether an object is Ready for its present generation.
pub fn is_ready(object: &Value) -> bool {
    object["status"]["observedGeneration"] == object["metadata"]["generation"]
        && condition_of(object, "Ready").starts_with("True")
}

fn condition_of(object: &Value, condition: &str) -> String {
    let all = object["status"]["conditions"].as_array();
    let found = all.into_iter().flatten().find(|found| found["type"] == condition);
    let text = |found: &Value, field: &str| found[field].as_str().unwrap_or_default().to_string();
    found
        .map(|found| format!("{} {}", text(found, "status"), text(found, "reason")))
        .unwrap_or_default()
}

fn plural(kind: &str) -> String {
    format!("{}s", kind.to_lowercase())
}

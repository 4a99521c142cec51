//! What can be measured from outside.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::cloud::{CallRecord, Class};

/// The operator's metrics; cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    calls: Family<CallLabels, Counter>,
    call_seconds: Family<OperationLabels, Histogram>,
    reconciles: Family<KindLabels, Histogram>,
    faults: Family<ClassLabels, Counter>,
    leads: Gauge,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct CallLabels {
    operation: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OperationLabels {
    operation: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct KindLabels {
    kind: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ClassLabels {
    class: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        let calls = Family::default();
        let seconds: fn() -> Histogram = || Histogram::new(exponential_buckets(0.001, 2.0, 16));
        let call_seconds = Family::new_with_constructor(seconds);
        let reconciles = Family::new_with_constructor(seconds);
        let faults = Family::default();
        let leads = Gauge::default();
        let mut registry = Registry::with_prefix("dms_operator");
        registry.register(
            "cloud_calls",
            "Calls to the cloud by operation and outcome",
            calls.clone(),
        );
        registry.register_with_unit(
            "cloud_call",
            "Time of a call to the cloud",
            Unit::Seconds,
            call_seconds.clone(),
        );
        registry.register_with_unit(
            "reconcile",
            "Time of a round by kind",
            Unit::Seconds,
            reconciles.clone(),
        );
        registry.register(
            "interrupted_rounds",
            "Rounds that a failed call ended, by class",
            faults.clone(),
        );
        registry.register("leader", "1 while this replica leads", leads.clone());
        Self {
            registry: Arc::new(registry),
            calls,
            call_seconds,
            reconciles,
            faults,
            leads,
        }
    }
}

impl Metrics {
    /// A call to the cloud ended.
    pub fn called(&self, call: &CallRecord<'_>) {
        let operation = call.operation.name();
        let outcome = call.error.map_or("ok", |error| error.class().as_str());
        self.calls.get_or_create(&CallLabels { operation, outcome }).inc();
        self.call_seconds
            .get_or_create(&OperationLabels { operation })
            .observe(call.elapsed.as_secs_f64());
    }

    /// A round ended.
    pub fn reconciled(&self, kind: &str, elapsed: Duration) {
        self.reconciles
            .get_or_create(&KindLabels { kind: kind.to_owned() })
            .observe(elapsed.as_secs_f64());
    }

    /// A failed call ended a round.
    pub fn fault(&self, class: Class) {
        self.faults.get_or_create(&ClassLabels { class: class.as_str() }).inc();
    }

    /// Whether this replica leads.
    pub fn leads(&self, leads: bool) {
        self.leads.set(i64::from(leads));
    }

    /// In the OpenMetrics text format.
    pub fn text(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to a string does not fail");
        text
    }
}

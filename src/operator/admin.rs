//! What the kubelet and Prometheus ask: `/livez`, `/readyz`, `/metrics`.

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::sync::watch;

use super::metrics::Metrics;

/// How far the operator is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// Not yet in touch with the API server.
    #[default]
    Starting,
    /// Another replica leads.
    Standby,
    /// Leads, and fills its caches.
    Syncing,
    /// Leads and works.
    Leading,
}

#[derive(Clone)]
struct Shown {
    stage: watch::Receiver<Stage>,
    metrics: Metrics,
}

/// The routes. A standby is ready: it would take over at once.
pub fn router(stage: watch::Receiver<Stage>, metrics: Metrics) -> Router {
    Router::new()
        .route("/livez", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(show_metrics))
        .with_state(Shown { stage, metrics })
}

async fn ready(State(shown): State<Shown>) -> impl IntoResponse {
    match *shown.stage.borrow() {
        Stage::Starting => (StatusCode::SERVICE_UNAVAILABLE, "starting"),
        Stage::Syncing => (StatusCode::SERVICE_UNAVAILABLE, "fills its caches"),
        Stage::Standby => (StatusCode::OK, "standby"),
        Stage::Leading => (StatusCode::OK, "leading"),
    }
}

async fn show_metrics(State(shown): State<Shown>) -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], shown.metrics.text())
}

//! The way from the client to the simulator, without a network.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, to_bytes};
use bytes::Bytes;
use dms_operator::cloud::{Broken, Transport};
use dms_operator::simulator;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{Request, Response};
use tower::ServiceExt as _;

use super::apiserver::Lifeline;

type Hook = Box<dyn Fn(&str, &str) + Send + Sync>;

/// Carries requests to a router, on a line that can be cut.
pub struct InProcess {
    router: Router,
    lifeline: Lifeline,
    refusals: Arc<AtomicUsize>,
    answered: Hook,
}

impl InProcess {
    /// As many writes as `refusals` says find nobody who takes the connection. `answered` is told method and path of each
    /// call when the cloud is done with it, before its answer is on the way.
    pub fn new(
        router: Router,
        lifeline: Lifeline,
        refusals: Arc<AtomicUsize>,
        answered: impl Fn(&str, &str) + Send + Sync + 'static,
    ) -> Self {
        Self {
            router,
            lifeline,
            refusals,
            answered: Box::new(answered),
        }
    }
}

impl Transport for InProcess {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, Broken>> {
        async move {
            self.lifeline.passage().await;
            let one_less = |left: usize| left.checked_sub(1);
            let relaxed = Ordering::Relaxed;
            if request.method() != "GET" && self.refusals.fetch_update(relaxed, relaxed, one_less).is_ok() {
                return Err(Broken::NotSent("connection refused".into()));
            }
            let (method, path) = (request.method().to_string(), request.uri().path().to_string());
            let answer = carry(self.router.clone(), request).await;
            (self.answered)(&method, &path);
            self.lifeline.passage().await;
            answer
        }
        .boxed()
    }
}

/// One request to a router; an answer that the simulator loses is a broken connection.
pub async fn carry(router: Router, request: Request<Bytes>) -> Result<Response<Bytes>, Broken> {
    let response = router
        .oneshot(request.map(Body::from))
        .await
        .unwrap_or_else(|never| match never {});
    if simulator::is_lost(&response) {
        return Err(Broken::Lost("connection reset".into()));
    }
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX)
        .await
        .map_err(|error| Broken::Lost(error.to_string()))?;
    Ok(Response::from_parts(parts, body))
}

//! The seam between the client and the network.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::header::HOST;
use thiserror::Error;

/// Carries one request and brings the answer back; it never repeats one by itself.
pub trait Transport: Send + Sync {
    /// Sends a complete, signed request.
    fn send(&self, request: http::Request<Bytes>) -> BoxFuture<'_, Result<http::Response<Bytes>, Broken>>;
}

/// No answer came. What counts is whether the request may have had an effect.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Broken {
    /// Provably nothing left this machine: no address, connection refused, TLS refused.
    #[error("{0}")]
    NotSent(String),
    /// The request may have arrived.
    #[error("{0}")]
    Lost(String),
}

/// The real network: HTTPS with the platform's root certificates, no redirects, no retries.
pub struct HttpTransport {
    http: reqwest::Client,
}

/// A list of 50 instances is about 150 KB: whatever is larger than this is not the service.
const MAX_BODY: usize = 8 * 1024 * 1024;

impl HttpTransport {
    /// Opens no connection yet.
    ///
    /// # Errors
    /// [`Broken::NotSent`] if the TLS stack does not come up, for want of root certificates for one.
    pub fn new() -> Result<Self, Broken> {
        // reqwest is built without a TLS provider of its own and panics without one; a second installation changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .user_agent(concat!("dms-operator/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(Duration::from_secs(5))
            .pool_idle_timeout(Duration::from_secs(30))
            .build()
            .map_err(|error| Broken::NotSent(chain(&error)))?;
        Ok(Self { http })
    }
}

impl Transport for HttpTransport {
    fn send(&self, request: http::Request<Bytes>) -> BoxFuture<'_, Result<http::Response<Bytes>, Broken>> {
        async move {
            let mut request = reqwest::Request::try_from(request).map_err(|error| Broken::NotSent(chain(&error)))?;
            // hyper makes the same one of the address, as HTTP/2 wants it too.
            request.headers_mut().remove(HOST);
            let mut response = self.http.execute(request).await.map_err(broken)?;
            let mut answer = http::Response::new(Bytes::new());
            *answer.status_mut() = response.status();
            *answer.headers_mut() = std::mem::take(response.headers_mut());
            let mut body = BytesMut::new();
            while let Some(chunk) = response.chunk().await.map_err(broken)? {
                if body.len() + chunk.len() > MAX_BODY {
                    return Err(Broken::Lost(format!("the answer is larger than {MAX_BODY} bytes")));
                }
                body.extend_from_slice(&chunk);
            }
            *answer.body_mut() = body.freeze();
            Ok(answer)
        }
        .boxed()
    }
}

fn broken(error: reqwest::Error) -> Broken {
    let sent = !(error.is_connect() || error.is_builder());
    let text = chain(&error.without_url());
    if sent {
        Broken::Lost(text)
    } else {
        Broken::NotSent(text)
    }
}

/// reqwest says only "error sending request"; why is in its sources.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

//! The one sender: signs, limits, times, repeats what may be repeated, and turns every answer into a value or an
//! [`Error`].

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::header::DATE;
use http::{HeaderValue, Response};
use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use tokio::time::{Instant, timeout_at};

use super::answer::{Answer, one_line};
use super::limiter::{Throttled, policy_in};
use super::sign::{Key, Target, sign};
use super::token::{Identity, Token};
use super::{Broken, Class, Credentials, Endpoint, Endpoints, Error, Limiter, Operation, Priority, Sent, Transport};
use crate::clock::Clock;

/// A client of one project. Clones share everything but how urgent their calls are.
#[derive(Clone)]
pub struct Client {
    pub(super) inner: Arc<Inner>,
    priority: Priority,
}

/// What a client is made of.
pub struct Config {
    /// Where to call.
    pub endpoints: Endpoints,
    /// The project that all calls but those to IAM act in; may be empty for a client that only looks projects up.
    pub project_id: String,
    /// The name of that project, which a token is for where the id is empty; may be empty too for access keys.
    pub project_name: String,
    /// Wall-clock time, for signatures and for what a token's answer says of its end.
    pub clock: Clock,
    /// How long to wait for answers.
    pub timeouts: Timeouts,
    /// Told of each request that was answered or lost; for metrics.
    pub on_call: Option<Observer>,
}

/// How long one request may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// A create, from the call of the function to its end, waiting for the limiter and for a token included: whoever
    /// checked that it may create knows until when that must hold. Default: 8 s.
    pub create: Duration,
    /// Any other request, each attempt, from when it is sent. Default: 30 s.
    pub other: Duration,
}

/// Called once a request.
pub type Observer = Arc<dyn Fn(&CallRecord<'_>) + Send + Sync>;

/// One request and how it ended.
#[derive(Clone, Copy, Debug)]
pub struct CallRecord<'a> {
    /// What was called.
    pub operation: Operation,
    /// Why it failed; `None` is success.
    pub error: Option<&'a Error>,
    /// From sending to the end of the answer.
    pub elapsed: Duration,
}

pub(super) struct Inner {
    pub(super) config: Config,
    transport: Arc<dyn Transport>,
    limiter: Arc<Limiter>,
    pub(super) identity: Mutex<Identity>,
    /// What to add to our clock to get the service's, in milliseconds.
    skew: AtomicI64,
}

impl Client {
    /// `limiter` belongs to the credentials and is shared by all clients that use them.
    pub fn new(config: Config, transport: Arc<dyn Transport>, limiter: Arc<Limiter>, credentials: Credentials) -> Self {
        let inner = Inner {
            config,
            transport,
            limiter,
            identity: Mutex::new(Identity::new(credentials)),
            skew: AtomicI64::new(0),
        };
        Self {
            inner: Arc::new(inner),
            priority: Priority::default(),
        }
    }

    /// The same client for calls of this urgency; those of a new client can wait.
    pub fn at(&self, priority: Priority) -> Self {
        Self {
            inner: self.inner.clone(),
            priority,
        }
    }

    /// The limiter that it shares with all clients of its credentials.
    pub fn limiter(&self) -> &Limiter {
        &self.inner.limiter
    }

    /// Whether both are clones of one: what is set on one shows on the other.
    pub fn is_clone_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// Authenticates with other credentials from the next attempt on; a token of the old ones is dropped.
    pub fn set_credentials(&self, credentials: Credentials) {
        *self.identity() = Identity::new(credentials);
    }

    /// The service's time, as far as its last answer told.
    pub fn server_now(&self) -> Timestamp {
        self.inner.config.clock.now() + SignedDuration::from_millis(self.inner.skew.load(Ordering::Relaxed))
    }

    /// The project that the calls act in.
    pub fn project_id(&self) -> &str {
        &self.inner.config.project_id
    }

    /// Sends a call until it is answered for good: at most once more after a refused signature that a corrected clock
    /// may mend or a refused token that a new one may, at most once more after a lost answer if it only reads.
    pub(super) fn send(&self, call: Call) -> BoxFuture<'_, Result<Answer, Error>> {
        // Whoever may call would be as large as a call.
        self.answer(call).boxed()
    }

    async fn answer(&self, call: Call) -> Result<Answer, Error> {
        let Timeouts { create, other } = self.inner.config.timeouts;
        let end = call.operation.is_create().then(|| Instant::now() + create);
        let (mut corrected, mut repeated) = (false, false);
        loop {
            let token = self.token(call.operation, end).await?;
            self.wait_for_turn(&call, end).await?;
            let skew = self.inner.skew.load(Ordering::Relaxed);
            let (broken, result) = self
                .attempt(&call, token.as_ref(), end.unwrap_or_else(|| Instant::now() + other))
                .await;
            let Err(error) = result else { return result };
            let clock_changed = self.inner.skew.load(Ordering::Relaxed) != skew;
            let mended = error.class == Class::Reauthenticate
                && !corrected
                && self.may_mend(call.operation, token.as_ref(), clock_changed);
            // A refusal without a code may be anyone's, so it does not prove that nothing was made.
            if mended && (error.sent == Sent::Refused || !call.operation.is_create()) {
                corrected = true;
            } else if broken && call.operation.is_read() && !repeated {
                repeated = true;
            } else {
                return Err(error);
            }
        }
    }

    async fn wait_for_turn(&self, call: &Call, end: Option<Instant>) -> Result<(), Error> {
        let turn = self.inner.limiter.acquire(self.priority);
        let Some(end) = end else {
            turn.await;
            return Ok(());
        };
        let late = |_| {
            Error::new(
                call.operation,
                Class::Throttled,
                Sent::Never,
                "too many calls wait before it",
            )
        };
        timeout_at(end, turn).await.map_err(late)
    }

    /// One request; also tells whether the connection broke under it.
    async fn attempt(&self, call: &Call, token: Option<&Token>, end: Instant) -> (bool, Result<Answer, Error>) {
        let credentials = self.identity().credentials();
        let target = self.target(call);
        let request = match self.request(call, &target, &credentials, token) {
            Ok(request) => request,
            Err(error) => return (false, Err(error)),
        };
        let start = Instant::now();
        let outcome = timeout_at(end, self.inner.transport.send(request)).await;
        let elapsed = start.elapsed();
        let unavailable = |sent, why: &str| Err(Error::new(call.operation, Class::Unavailable, sent, one_line(why)));
        let (broken, result) = match outcome {
            Ok(Ok(response)) => {
                self.learn_time(&response);
                let secrets = credentials
                    .secrets()
                    .chain(token.map(Token::secret))
                    .chain(&call.secret);
                let secrets: Vec<_> = secrets.collect();
                (false, Answer::read(call.operation, response, &secrets))
            }
            Ok(Err(Broken::Lost(why))) => (true, unavailable(Sent::Unknown, &why)),
            Ok(Err(Broken::NotSent(why))) => (false, unavailable(Sent::Never, &why)),
            Err(_) => (false, unavailable(Sent::Unknown, "no answer in time")),
        };
        let error = result.as_ref().err();
        if let Some(error) = error.filter(|error| error.class == Class::Throttled) {
            self.inner.limiter.throttled(Throttled {
                sent: start,
                retry_after: error.retry_after,
                policy: policy_in(&error.message),
            });
        }
        log(call.operation, &target.path(), &result, elapsed);
        if let Some(observer) = &self.inner.config.on_call {
            observer(&CallRecord {
                operation: call.operation,
                error,
                elapsed,
            });
        }
        (broken, result)
    }

    fn target(&self, call: &Call) -> Target {
        let authority = self.endpoint(call).authority();
        Target {
            authority,
            segments: call.segments.clone(),
            query: call.query.clone(),
        }
    }

    fn request(
        &self,
        call: &Call,
        target: &Target,
        credentials: &Credentials,
        token: Option<&Token>,
    ) -> Result<http::Request<Bytes>, Error> {
        let mut headers = BTreeMap::from([("content-type".to_owned(), "application/json".to_owned())]);
        if !call.iam {
            headers.insert("x-project-id".into(), self.inner.config.project_id.clone());
        }
        let method = call.operation.method();
        match credentials {
            Credentials::AccessKey {
                access_key,
                secret_key,
                security_token,
            } => {
                let key = Key {
                    access_key,
                    secret_key,
                    security_token: security_token.as_ref(),
                };
                headers = sign(method.as_str(), target, &headers, &call.body, key, self.server_now());
            }
            Credentials::Password { .. } => {
                let token = token.map(|token| token.secret().expose_secret().to_owned());
                headers.insert("host".into(), target.authority.clone());
                headers.extend(token.map(|token| ("x-auth-token".to_owned(), token)));
            }
        }
        let question = if target.query.is_empty() { "" } else { "?" };
        let url = format!("{}{}{question}{}", self.endpoint(call), target.path(), target.query());
        let mut request = http::Request::builder().method(method).uri(url);
        for (name, value) in headers {
            // The http crate's error would not tell which one, and must not tell what is in it.
            let mut value = HeaderValue::try_from(value).map_err(|_| {
                let why = format!("the credentials or the project id cannot be sent: bad characters in {name}");
                Error::new(call.operation, Class::Invalid, Sent::Never, why)
            })?;
            value.set_sensitive(matches!(
                name.as_str(),
                "authorization" | "x-security-token" | "x-auth-token"
            ));
            request = request.header(name, value);
        }
        request.body(call.body.clone()).map_err(|error| {
            Error::new(
                call.operation,
                Class::Invalid,
                Sent::Never,
                format!("the request cannot be built: {error}"),
            )
        })
    }

    fn endpoint(&self, call: &Call) -> &Endpoint {
        let endpoints = &self.inner.config.endpoints;
        if call.iam { &endpoints.iam } else { &endpoints.dms }
    }

    /// The service's clock rules: signatures are accepted for 15 minutes around it (not in the reference). `Date` has
    /// whole seconds and has travelled, so a small difference is none.
    fn learn_time(&self, response: &Response<Bytes>) {
        let date = response.headers().get(DATE).and_then(|date| date.to_str().ok());
        let Some(date) = date.and_then(|date| rfc2822::DateTimeParser::new().parse_timestamp(date).ok()) else {
            return;
        };
        if date.duration_since(self.server_now()).abs() >= SignedDuration::from_secs(5) {
            let skew = date.duration_since(self.inner.config.clock.now());
            self.inner
                .skew
                .store(i64::try_from(skew.as_millis()).unwrap_or(0), Ordering::Relaxed);
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            create: Duration::from_secs(8),
            other: Duration::from_secs(30),
        }
    }
}

/// A request before it is authenticated.
pub(super) struct Call {
    operation: Operation,
    iam: bool,
    segments: Vec<String>,
    query: Vec<(String, String)>,
    body: Bytes,
    secret: Option<SecretString>,
}

impl Call {
    /// To DMS; `segments` are the path's parts, not encoded.
    pub(super) fn dms(operation: Operation, segments: &[&str]) -> Self {
        let segments = segments.iter().map(|segment| (*segment).to_owned()).collect();
        Self {
            operation,
            iam: false,
            segments,
            query: Vec::new(),
            body: Bytes::new(),
            secret: None,
        }
    }

    /// To IAM.
    pub(super) fn iam(operation: Operation, segments: &[&str]) -> Self {
        Self {
            iam: true,
            ..Self::dms(operation, segments)
        }
    }

    /// Adds a query parameter, if it has a value.
    pub(super) fn filter(mut self, name: &str, value: Option<impl ToString>) -> Self {
        self.query
            .extend(value.map(|value| (name.to_owned(), value.to_string())));
        self
    }

    /// Adds a body.
    pub(super) fn json(mut self, body: &impl Serialize) -> Self {
        self.body = serde_json::to_vec(body)
            .expect("our bodies have string keys and finite numbers")
            .into();
        self
    }

    /// Names a secret of the body, which no error may repeat.
    pub(super) fn secret(mut self, secret: &SecretString) -> Self {
        self.secret = Some(secret.clone());
        self
    }
}

/// The one line a call: where it went and how it ended, never a query, a header or a body.
fn log(operation: Operation, path: &str, result: &Result<Answer, Error>, elapsed: Duration) {
    let (status, code, request_id) = match result {
        Ok(answer) => (Some(answer.status), None, answer.request_id.as_deref()),
        Err(error) => (
            error.status,
            Some(error.code().unwrap_or(error.class.as_str())),
            error.request_id(),
        ),
    };
    let (operation, method, ms) = (operation.name(), operation.method(), elapsed.as_millis());
    tracing::info!(operation, %method, path, status, code, request_id, ms, "called the cloud");
}

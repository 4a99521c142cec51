//! Tokens: what a password is exchanged for ("Token-based Authentication" in 3.2 of both API references).

use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared, WeakShared};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;
use tokio::time::{Instant, timeout_at};

use super::answer::Answer;
use super::client::Call;
use super::{Class, Client, Credentials, Error, Fault, Operation, Sent, decode};

/// How long a token is valid, unless its answer says less.
const LIFE: Duration = Duration::from_hours(24);
/// How long before its end a token is replaced, or half its life if that is shorter.
const EARLY: Duration = Duration::from_hours(1);
/// How long IAM is left alone after a refusal, since it locks out who tries too often (not in the reference), and after
/// a failure while the old token still serves.
const PAUSE: Duration = Duration::from_mins(1);

/// A token. Clones are the same one.
#[derive(Clone)]
pub(super) struct Token(Arc<Issued>);

struct Issued {
    text: SecretString,
    renewal: Instant,
    end: Instant,
}

/// Who a client is: its credentials, and what they were last exchanged for.
pub(super) struct Identity {
    /// Tells these credentials from those that replace them.
    mark: Arc<()>,
    credentials: Credentials,
    kept: Option<Kept>,
    /// Held weakly, so that it ends with the last who waits for it.
    pending: Option<WeakShared<Exchange>>,
}

/// An outcome that stands for a while.
struct Kept {
    outcome: Result<Token, Error>,
    until: Instant,
}

type Exchange = BoxFuture<'static, Result<Token, Error>>;

impl Token {
    pub(super) fn secret(&self) -> &SecretString {
        &self.0.text
    }
}

impl Identity {
    pub(super) fn new(credentials: Credentials) -> Self {
        Self {
            mark: Arc::default(),
            credentials,
            kept: None,
            pending: None,
        }
    }

    pub(super) fn credentials(&self) -> Credentials {
        self.credentials.clone()
    }

    fn token(&self) -> Option<&Token> {
        self.kept.as_ref()?.outcome.as_ref().ok()
    }

    /// Decides what stands after an exchange.
    fn keep(&mut self, outcome: Result<Token, Error>) -> Result<Token, Error> {
        self.pending = None;
        let now = Instant::now();
        let old = self.token().filter(|old| now < old.0.end).cloned();
        let (outcome, until) = match (outcome, old) {
            (Err(error), Some(old)) if error.fault() != Fault::Stop => (Ok(old.clone()), old.0.end.min(now + PAUSE)),
            (Err(error), _) => (Err(error), now + PAUSE),
            (Ok(token), _) => (Ok(token.clone()), token.0.renewal),
        };
        let stands = !matches!(&outcome, Err(error) if error.fault() != Fault::Stop);
        let kept = || Kept {
            outcome: outcome.clone(),
            until,
        };
        self.kept = stands.then(kept);
        outcome
    }
}

impl Client {
    /// The token to send with a call, if that is how it is authenticated. However many ask for one at once, IAM is
    /// asked once. `end` is when the call must be over.
    pub(super) async fn token(&self, operation: Operation, end: Option<Instant>) -> Result<Option<Token>, Error> {
        if operation == Operation::KeystoneCreateUserTokenByPassword {
            return Ok(None);
        }
        let Some(exchange) = self.exchange() else {
            return Ok(None);
        };
        let late = |_| {
            Err(Error::new(
                operation,
                Class::Unavailable,
                Sent::Never,
                "no answer in time",
            ))
        };
        let outcome = match end {
            Some(end) => timeout_at(end, exchange).await.unwrap_or_else(late),
            None => exchange.await,
        };
        // Whatever became of the exchange, the call itself was not sent.
        outcome.map(Some).map_err(|error| Error {
            operation,
            sent: Sent::Never,
            message: format!("no token: {}", error.message),
            ..error
        })
    }

    /// The service refused what a call was sent with; whether it is worth another try. A refused token is forgotten.
    pub(super) fn may_mend(&self, operation: Operation, token: Option<&Token>, clock_changed: bool) -> bool {
        let mut identity = self.identity();
        let Credentials::Password { .. } = identity.credentials else {
            return clock_changed;
        };
        let is_kept = |token: &Token| identity.token().is_some_and(|kept| Arc::ptr_eq(&kept.0, &token.0));
        if token.is_some_and(is_kept) {
            identity.kept = None;
        }
        operation != Operation::KeystoneCreateUserTokenByPassword
    }

    pub(super) fn identity(&self) -> MutexGuard<'_, Identity> {
        self.inner.identity.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token, or why there is none, as soon as that is known; `None` if the credentials need none.
    fn exchange(&self) -> Option<Shared<Exchange>> {
        let mut identity = self.identity();
        let Credentials::Password {
            user_name,
            password,
            domain_name,
        } = &identity.credentials
        else {
            return None;
        };
        if let Some(kept) = identity.kept.as_ref().filter(|kept| Instant::now() < kept.until) {
            return Some(std::future::ready(kept.outcome.clone()).boxed().shared());
        }
        if let Some(running) = identity.pending.as_ref().and_then(WeakShared::upgrade) {
            return Some(running);
        }
        let call = self.token_call(user_name, password, domain_name);
        let (client, mark) = (self.clone(), identity.mark.clone());
        let exchange = async move {
            let outcome = match call {
                Ok(call) => client.send(call).await.and_then(|answer| client.issued(&answer)),
                Err(error) => Err(error),
            };
            let mut identity = client.identity();
            if Arc::ptr_eq(&identity.mark, &mark) {
                identity.keep(outcome)
            } else {
                outcome
            }
        };
        let exchange = exchange.boxed().shared();
        identity.pending = exchange.downgrade();
        Some(exchange)
    }

    /// `POST /v3/auth/tokens`; the references print the body, but not the path.
    fn token_call(&self, user_name: &str, password: &SecretString, domain_name: &str) -> Result<Call, Error> {
        let operation = Operation::KeystoneCreateUserTokenByPassword;
        let config = &self.inner.config;
        let project = match (config.project_id.as_str(), config.project_name.as_str()) {
            ("", "") => {
                let why = "neither the id nor the name of a project is known";
                return Err(Error::new(operation, Class::Invalid, Sent::Never, why));
            }
            ("", name) => json!({"name": name}),
            (id, _) => json!({"id": id}),
        };
        let user = json!({
            "name": user_name,
            "password": password.expose_secret(),
            "domain": {"name": domain_name},
        });
        let identity = json!({"methods": ["password"], "password": {"user": user}});
        let body = json!({"auth": {"identity": identity, "scope": {"project": project}}});
        let call = Call::iam(operation, &["v3", "auth", "tokens"]);
        Ok(call.json(&body).secret(password))
    }

    /// The token is in a header. What the body says of its end is used if it can be read and agrees with the clocks.
    fn issued(&self, answer: &Answer) -> Result<Token, Error> {
        let text = answer.subject_token.clone();
        let text = text.ok_or_else(|| answer.malformed("it has no X-Subject-Token"))?;
        let body = answer.json_if_any::<Body>().ok().flatten();
        let end = body.and_then(|body| body.token?.expires_at);
        let life = end.and_then(|end| Duration::try_from(end.duration_since(self.server_now())).ok());
        let life = life.filter(|life| !life.is_zero()).unwrap_or(LIFE).min(LIFE);
        let now = Instant::now();
        Ok(Token(Arc::new(Issued {
            text,
            renewal: now + life - EARLY.min(life / 2),
            end: now + life,
        })))
    }
}

#[derive(Deserialize)]
struct Body {
    #[serde(default, deserialize_with = "decode::embedded")]
    token: Option<Described>,
}

#[derive(Deserialize)]
struct Described {
    #[serde(default, deserialize_with = "decode::time")]
    expires_at: Option<Timestamp>,
}

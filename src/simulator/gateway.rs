//! What every call passes: the record, the signature, flow control, faults, and the shape of the answer.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State as Extract};
use axum::http::{HeaderValue, StatusCode, header, request::Parts};
use axum::response::{IntoResponse, Response};
use jiff::fmt::rfc2822::DateTimePrinter;
use serde_json::{Value, json};

use super::calls::Call;
use super::codes::{self, ApiError};
use super::faults::{self, Effect, Malformed, Subject};
use super::fields::Query;
use super::limits::Limit;
use super::route::{Route, route};
use super::state::{Instance, State};
use super::{Config, Now, Simulator, signature, tokens};

/// The gateway's limit for a body (API reference 3.1).
const MAX_BODY: usize = 12 << 20;

/// Marks a response that was never sent: the connection broke.
#[derive(Clone, Copy, Debug)]
pub struct Lost;

/// An answer of the service.
pub(crate) struct Reply {
    status: StatusCode,
    body: Option<String>,
    header: Option<(&'static str, String)>,
}

impl Reply {
    pub(crate) fn ok(body: Value) -> Self {
        Self::with_status(StatusCode::OK, body)
    }

    pub(crate) fn no_content() -> Self {
        Self {
            status: StatusCode::NO_CONTENT,
            body: None,
            header: None,
        }
    }

    /// 200 without a body.
    pub(crate) fn empty() -> Self {
        Self {
            status: StatusCode::OK,
            ..Self::no_content()
        }
    }

    /// 200 with a bare word for a body.
    pub(crate) fn word(word: &str) -> Self {
        Self {
            body: Some(word.to_owned()),
            ..Self::empty()
        }
    }

    pub(crate) fn with_status(status: StatusCode, body: Value) -> Self {
        Self {
            status,
            body: Some(body.to_string()),
            header: None,
        }
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: String) -> Self {
        self.header = Some((name, value));
        self
    }
}

/// What an operation works on.
pub(crate) struct Context<'a> {
    pub(crate) now: Now,
    pub(crate) config: &'a Config,
    pub(crate) state: &'a mut State,
    pub(crate) route: &'a Route,
    pub(crate) query: Query,
    pub(crate) body: &'a [u8],
    pub(crate) effect: &'a Effect,
}

impl Context<'_> {
    /// The instance in the path: `DMS.00400030` if that is no id, `DMS.00404022` if there is none. What the service says
    /// to an operation of the other engine is not in the references: here `DMS.00400007`.
    pub(crate) fn instance(&mut self) -> Result<&mut Instance, ApiError> {
        let id = self.route.instance.as_deref().expect("the route has an instance");
        uuid::Uuid::try_parse(id).map_err(|_| codes::INSTANCE_ID.error())?;
        let instance = self.state.instances.get_mut(id);
        let instance = instance.filter(|instance| instance.gone.is_none());
        let instance = instance.ok_or_else(|| codes::NO_INSTANCE.error())?;
        if self.route.engine.is_some_and(|engine| engine != instance.engine()) {
            return Err(codes::TYPE.about(format_args!("The instance runs {}.", instance.engine().name())));
        }
        Ok(instance)
    }

    /// What the path names after the instance.
    pub(crate) fn item(&self) -> &str {
        self.route.item.as_deref().expect("the route has an item")
    }

    /// How long something takes that takes the service `duration`.
    pub(crate) fn takes(&self, duration: Duration) -> Duration {
        duration.div_f64(self.config.speed)
    }
}

pub(crate) async fn handle(Extract(simulator): Extract<Simulator>, request: Request) -> Response {
    // A task of its own: the service goes on when its client hangs up.
    match tokio::spawn(answer(simulator, request)).await {
        Ok(response) => response,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

async fn answer(simulator: Simulator, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, MAX_BODY).await;
    let route = route(&parts.method, parts.uri.path(), |id| {
        Some(simulator.lock().instances.get(id)?.engine())
    });
    let subject = simulator.subject(route.as_ref(), body.as_deref().unwrap_or_default());
    let (request_id, number) = simulator.arrive(&parts, &subject);
    let latency = simulator.config().latency;
    pause(latency / 2).await;

    let mut effect = Effect::default();
    let outcome = match simulator.admit(&parts, body, route) {
        Err(refusal) => Err(refusal),
        Ok((route, body)) => {
            effect = faults::take(&mut simulator.lock().faults, &subject);
            pause(effect.effect_delay()).await;
            let outcome = if effect.lets_through() {
                simulator.perform(&route, &parts, &body, &effect)
            } else {
                Ok(Reply::no_content())
            };
            pause(effect.delay()).await;
            outcome
        }
    };
    pause(latency - latency / 2).await;
    simulator.respond((&request_id, number, subject.operation), outcome, &effect)
}

async fn pause(duration: Duration) {
    if !duration.is_zero() {
        tokio::time::sleep(duration).await;
    }
}

impl Simulator {
    fn subject(&self, route: Option<&Route>, body: &[u8]) -> Subject {
        let instance = route.and_then(|route| route.instance.clone());
        let name = instance
            .as_ref()
            .and_then(|id| Some(self.lock().instances.get(id)?.name.clone()));
        // A body with a password in it is not looked into.
        let body = if route.is_some_and(|route| route.open) {
            &[]
        } else {
            body
        };
        let mut names = serde_json::from_slice(body).map_or_else(|_| Vec::new(), |body| names(&body));
        names.extend(route.and_then(|route| route.item.clone()));
        Subject {
            operation: route.map_or("Unknown", |route| route.operation),
            names,
            instance: instance.into_iter().chain(name).collect(),
        }
    }

    /// The call's request id, and its number in the record.
    fn arrive(&self, parts: &Parts, subject: &Subject) -> (String, usize) {
        let mut state = self.lock();
        let request_id = state.hex(32);
        let time = self.now(&state).wall;
        let number = state.calls.arrive(Call {
            time,
            method: parts.method.to_string(),
            path: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
            operation: subject.operation.to_owned(),
            names: subject.names.clone(),
            status: None,
            code: None,
            request_id: request_id.clone(),
            lost: false,
        });
        (request_id, number)
    }

    /// What the gateway checks before the service sees the call.
    fn admit(
        &self,
        parts: &Parts,
        body: Result<Bytes, axum::Error>,
        route: Option<Route>,
    ) -> Result<(Route, Bytes), ApiError> {
        let body = body.map_err(|_| codes::TOO_LARGE.error())?;
        let route = route.ok_or_else(|| codes::NOT_SERVED.error())?;
        let config = self.config();
        let mut state = self.lock();
        let now = self.now(&state);
        let authentic = match tokens::verify(&state, &parts.headers, route.project.as_deref(), now.wall) {
            _ if route.open => Ok(()),
            Some(verdict) => verdict,
            None => signature::verify(&config.access_key, &config.secret_key, parts, &body, now.wall)
                .map_err(|reason| codes::SIGNATURE.about(reason)),
        };
        authentic?;
        let limit = |calls, window| Limit { calls, window };
        if let Some(limit) = config.rate_limit.map(|calls| limit(calls, config.rate_window))
            && !state.limits.pass("", limit, now.at)
        {
            return Err(codes::THROTTLED.about(format_args!("policy user over ratelimit,{limit}")));
        }
        if let (Some(calls), Some(instance)) = (config.instance_limit, &route.instance)
            && !state
                .limits
                .pass(instance, limit(calls, Duration::from_secs(1)), now.at)
        {
            return Err(codes::FLOW_CONTROL.error());
        }
        if route
            .project
            .as_ref()
            .is_some_and(|project| *project != config.project_id)
        {
            return Err(codes::PROJECT.error());
        }
        Ok((route, body))
    }

    fn perform(&self, route: &Route, parts: &Parts, body: &[u8], effect: &Effect) -> Result<Reply, ApiError> {
        // Content-Type is mandatory (3.1); the gateway's own code for its absence is not printed.
        let is_json = parts
            .headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
        if !body.is_empty() && !is_json {
            return Err(codes::NOT_JSON.error());
        }
        let config = self.config();
        let mut state = self.lock();
        let now = self.now(&state);
        state.advance(now, config);
        let query = Query::parse(parts.uri.query().unwrap_or_default());
        (route.handler)(&mut Context {
            now,
            config,
            state: &mut state,
            route,
            query,
            body,
            effect,
        })
    }

    fn respond(
        &self,
        (request_id, number, operation): (&str, usize, &str),
        outcome: Result<Reply, ApiError>,
        effect: &Effect,
    ) -> Response {
        let outcome = match effect
            .status
            .map(|status| StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST))
        {
            None => outcome,
            Some(status) => Err(ApiError::new(
                status,
                effect.code.as_deref().unwrap_or("DMS.00500000"),
                effect.message.as_deref().unwrap_or("Internal service error."),
            )),
        };
        let code = outcome.as_ref().err().map(|error| error.code.clone());
        let Reply { status, body, header } = outcome.unwrap_or_else(|error| {
            let body = json!({"error_code": error.code, "error_msg": error.message, "request_id": request_id});
            Reply::with_status(error.status, body)
        });
        let mut state = self.lock();
        let now = self.now(&state);
        let answered = effect.lost.is_none().then_some(status.as_u16());
        state.calls.answer(number, operation, now.wall, answered, code);
        drop(state);
        if effect.lost.is_some() {
            return lost();
        }
        let (kind, text) = match effect.malformed {
            None => ("application/json; charset=utf8", body),
            Some(Malformed::Html) => (
                "text/html",
                Some("<html><head><title>Gateway</title></head></html>".to_owned()),
            ),
            Some(Malformed::Truncated) => ("application/json", body.map(|body| body[..body.len() / 2].to_owned())),
            Some(Malformed::Empty) => ("application/json", None),
        };
        let mut response = Response::new(text.map_or_else(Body::empty, Body::from));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        let value = |text: &str| HeaderValue::from_str(text).expect("ids, dates and numbers are visible ASCII");
        let date = DateTimePrinter::new()
            .timestamp_to_rfc9110_string(&now.wall)
            .expect("the present has four-digit years");
        headers.insert(header::CONTENT_TYPE, value(kind));
        headers.insert(header::DATE, value(&date));
        headers.insert(header::SERVER, value("api-gateway"));
        headers.insert("x-request-id", value(request_id));
        if let Some((name, text)) = header {
            headers.insert(name, value(&text));
        }
        if let Some(seconds) = effect.retry_after {
            headers.insert(header::RETRY_AFTER, value(&seconds.to_string()));
        }
        response
    }
}

/// A broken connection: the body fails at once, before the server has flushed the head.
fn lost() -> Response {
    let broken = futures::stream::once(async { Err::<Bytes, _>(std::io::Error::other("the answer is lost")) });
    let mut response = Response::new(Body::from_stream(broken));
    response.extensions_mut().insert(Lost);
    response
}

/// The names that a body speaks of: in fields of its own, in lists of names, and in lists of what has a name.
fn names(body: &Value) -> Vec<String> {
    let own = ["name", "id", "user", "client", "group_name"].into_iter();
    let own = own.filter_map(|key| body.get(key)?.as_str());
    let lists = ["topics", "groups", "group_ids"].into_iter();
    let items = lists.filter_map(|key| body.get(key)?.as_array()).flatten();
    let items = items.filter_map(|item| {
        item.as_str()
            .or_else(|| item.get("id").or_else(|| item.get("name"))?.as_str())
    });
    own.chain(items)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

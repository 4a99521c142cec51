//! IAM's tokens: the call that gives one, and what the services' gateway makes of one.
//!
//! The references print the body that asks for a token, that it comes in `X-Subject-Token`, and its 24 hours (Kafka 3.2,
//! RocketMQ 3.2). The path, the 201, the answer's body and IAM's shape of an error are not in them.

use axum::http::{HeaderMap, StatusCode};
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::catalogue::{DOMAIN_ID, all_projects};
use super::codes::{self, ApiError};
use super::gateway::{Context, Reply};
use super::state::State;

/// How long a token is good, by the wall clock.
const LIFE: SignedDuration = SignedDuration::from_hours(24);

/// What a token stands for.
pub(crate) struct Token {
    project_id: String,
    expires_at: Timestamp,
}

/// `KeystoneCreateUserTokenByPassword`.
pub(crate) fn create(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    context.query.only(&[])?;
    let body: Value = serde_json::from_slice(context.body).unwrap_or_default();
    let Some(asked) = Asked::read(&body) else {
        return Ok(refusal(
            StatusCode::BAD_REQUEST,
            "The request body is invalid.",
            "Bad Request",
        ));
    };
    let config = context.config;
    let known = (
        config.user_name.as_str(),
        config.user_password.expose_secret(),
        config.domain_name.as_str(),
    );
    if known != (asked.user, asked.password, asked.domain) {
        return Ok(refusal(
            StatusCode::UNAUTHORIZED,
            "The username or password is wrong.",
            "Unauthorized",
        ));
    }
    let projects = all_projects(config);
    let named = |(name, id): &&(String, String)| asked.project == Scope::Id(id) || asked.project == Scope::Name(name);
    let Some((name, id)) = projects.iter().find(named) else {
        // That a project is unknown is said as if the user were, so that nobody can search for projects.
        return Ok(refusal(
            StatusCode::UNAUTHORIZED,
            "The project in the scope does not exist, or the user has no rights in it.",
            "Unauthorized",
        ));
    };
    let (issued_at, expires_at) = (context.now.wall, context.now.wall + LIFE);
    let domain = json!({"id": DOMAIN_ID, "name": asked.domain});
    let body = json!({"token": {
        "expires_at": format!("{expires_at:.6}"),
        "issued_at": format!("{issued_at:.6}"),
        "methods": ["password"],
        "project": {"id": id, "name": name, "domain": domain},
        "user": {
            "id": "3df5acbc24a54fadb62a043c9000a307",
            "name": asked.user,
            "domain": domain,
            "password_expires_at": "",
        },
        "roles": [{"id": "0", "name": "te_admin"}],
        "catalog": [],
    }});
    let secret = context.state.hex(64);
    let token = Token {
        project_id: id.clone(),
        expires_at,
    };
    context.state.tokens.insert(secret.clone(), token);
    Ok(Reply::with_status(StatusCode::CREATED, body).with_header("x-subject-token", secret))
}

/// Checks the token of a call, if it has one; `project` is the path's.
pub(crate) fn verify(
    state: &State,
    headers: &HeaderMap,
    project: Option<&str>,
    now: Timestamp,
) -> Option<Result<(), ApiError>> {
    let sent = headers.get("x-auth-token")?;
    let token = sent.to_str().ok().and_then(|sent| state.tokens.get(sent));
    Some(match token {
        None => Err(codes::TOKEN.error()),
        Some(token) if token.expires_at <= now => Err(codes::TOKEN_EXPIRED.error()),
        Some(token) if project.is_some_and(|project| project != token.project_id) => Err(codes::PROJECT.error()),
        Some(_) => Ok(()),
    })
}

/// What the body of the call says.
struct Asked<'a> {
    user: &'a str,
    password: &'a str,
    domain: &'a str,
    project: Scope<'a>,
}

#[derive(PartialEq)]
enum Scope<'a> {
    Id(&'a str),
    Name(&'a str),
}

impl<'a> Asked<'a> {
    /// None for anything but a password and a project: the reference wants `auth.scope` to be a project.
    fn read(body: &'a Value) -> Option<Self> {
        let identity = &body["auth"]["identity"];
        let (user, project) = (&identity["password"]["user"], &body["auth"]["scope"]["project"]);
        if identity["methods"] != json!(["password"]) {
            return None;
        }
        let id = project["id"].as_str().map(Scope::Id);
        Some(Self {
            user: user["name"].as_str()?,
            password: user["password"].as_str()?,
            domain: user["domain"]["name"].as_str()?,
            project: id.or_else(|| project["name"].as_str().map(Scope::Name))?,
        })
    }
}

fn refusal(status: StatusCode, message: &str, title: &str) -> Reply {
    let error = json!({"code": status.as_u16(), "message": message, "title": title});
    Reply::with_status(status, json!({"error": error}))
}

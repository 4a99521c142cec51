//! The control side, below `/_simulator`: unsigned, for tests and people.
//!
//! | call | what it does |
//! |---|---|
//! | `GET calls`, `?summary=true` | the latest calls, or the number of all by operation |
//! | `GET load` | by operation: calls, what they named, the most at once, answers by status and code, when |
//! | `DELETE calls` | forgets them |
//! | `GET state` | what exists, without lag |
//! | `GET`, `POST`, `DELETE faults` | what goes wrong: [`Fault`] |
//! | `POST clock` `{advanceSeconds}` | moves time on; answers `{time}` |
//! | `POST instances/{id}` `{status}` | puts an instance into a state by force |
//! | `POST clients` `{instance, group, members}` | connects clients to a group; on Kafka that makes it |
//! | `POST lag` `{instance, group, topic, messages}` | lets a group consume a topic and leave messages of it unread |
//! | `POST topics` `{instance, names}` | makes topics of three partitions in an instance of Kafka, all at once |
//! | `DELETE tokens` | revokes every token |

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, Query, State as Extract};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::state::{Instance, Own, State, Status};
use super::{Fault, Now, Simulator, kafka, rocketmq, tasks};

pub(crate) fn router() -> Router<Simulator> {
    Router::new()
        .route("/calls", get(calls).delete(forget_calls))
        .route("/load", get(load))
        .route("/state", get(state))
        .route("/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/clock", post(clock))
        .route("/instances/{id}", post(instance))
        .route("/clients", post(clients))
        .route("/lag", post(lag))
        .route("/topics", post(topics))
        .route("/tokens", delete(revoke_tokens))
}

/// What exists, in plain form.
pub(crate) fn state_json(state: &State, now: Now) -> Value {
    let instances = state.instances.values().filter(|instance| instance.gone.is_none());
    json!({"instances": instances.map(|instance| plain(instance, now)).collect::<Vec<_>>()})
}

fn plain(instance: &Instance, now: Now) -> Value {
    let tasks = instance.tasks.iter().map(|task| tasks::shown(task, now));
    let mut plain = json!({
        "id": instance.id,
        "name": instance.name,
        "description": instance.description,
        "engine": instance.engine().name(),
        "status": instance.status,
        "engineVersion": instance.engine_version,
        "productId": instance.product_id,
        "brokerNum": instance.broker_num,
        "storageSpace": instance.storage,
        "storageSpecCode": instance.storage_spec_code,
        "availableZones": instance.zones,
        "vpcId": instance.vpc_id,
        "subnetId": instance.subnet_id,
        "securityGroupId": instance.security_group_id,
        "enterpriseProjectId": instance.enterprise_project_id,
        "ipv6Enable": instance.ipv6,
        "maintainBegin": instance.window.0,
        "maintainEnd": instance.window.1,
        "createdAt": instance.created_at,
        "creationFailed": instance.creation_failed,
        "busy": instance.job.is_some(),
        "tags": instance.tags.truth(),
        "tasks": tasks.collect::<Vec<_>>(),
    });
    match &instance.own {
        Own::Kafka(own) => {
            plain["retentionPolicy"] = json!(own.retention_policy);
            plain["topics"] = own.topics.live().map(kafka::topics::shown).collect();
            plain["groups"] = own.groups.live().map(kafka::groups::plain).collect();
            plain["quotas"] = own.quotas.iter().map(|quota| quota.shown()).collect();
        }
        Own::RocketMq(own) => {
            plain["enableAcl"] = json!(own.enable_acl);
            plain["topics"] = own.topics.live().map(rocketmq::topics::plain).collect();
            plain["groups"] = own.groups.live().map(rocketmq::groups::plain).collect();
        }
    }
    plain
}

#[derive(Deserialize)]
struct Summary {
    #[serde(default)]
    summary: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Advance {
    advance_seconds: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Forced {
    status: Status,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Clients {
    /// Its id or name.
    instance: String,
    group: String,
    members: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lag {
    /// Its id or name.
    instance: String,
    group: String,
    topic: String,
    messages: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Topics {
    /// Its id or name.
    instance: String,
    names: Vec<String>,
}

async fn calls(Extract(simulator): Extract<Simulator>, Query(query): Query<Summary>) -> Response {
    if query.summary {
        Json(simulator.call_counts()).into_response()
    } else {
        Json(simulator.calls()).into_response()
    }
}

async fn load(Extract(simulator): Extract<Simulator>) -> Response {
    Json(simulator.load()).into_response()
}

async fn forget_calls(Extract(simulator): Extract<Simulator>) -> StatusCode {
    simulator.forget_calls();
    StatusCode::NO_CONTENT
}

async fn state(Extract(simulator): Extract<Simulator>) -> Json<Value> {
    Json(simulator.state_json())
}

async fn faults(Extract(simulator): Extract<Simulator>) -> Json<Vec<Fault>> {
    Json(simulator.faults())
}

async fn add_fault(Extract(simulator): Extract<Simulator>, body: Bytes) -> Result<StatusCode, Refusal> {
    simulator.add_fault(parse(&body)?);
    Ok(StatusCode::NO_CONTENT)
}

async fn clear_faults(Extract(simulator): Extract<Simulator>) -> StatusCode {
    simulator.clear_faults();
    StatusCode::NO_CONTENT
}

async fn clock(Extract(simulator): Extract<Simulator>, body: Bytes) -> Result<Json<Value>, Refusal> {
    let Advance { advance_seconds } = parse(&body)?;
    let by = Duration::try_from_secs_f64(advance_seconds)
        .map_err(|_| (StatusCode::BAD_REQUEST, "time only moves on\n".to_owned()))?;
    simulator.advance_clock(by);
    Ok(Json(json!({"time": simulator.time()})))
}

async fn instance(
    Extract(simulator): Extract<Simulator>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    let Forced { status } = parse(&body)?;
    Ok(if simulator.set_status(&id, status) {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::NOT_FOUND
    })
}

async fn clients(Extract(simulator): Extract<Simulator>, body: Bytes) -> Result<StatusCode, Refusal> {
    let Clients {
        instance,
        group,
        members,
    } = parse(&body)?;
    Ok(if simulator.set_members(&instance, &group, members) {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::NOT_FOUND
    })
}

async fn lag(Extract(simulator): Extract<Simulator>, body: Bytes) -> Result<StatusCode, Refusal> {
    let Lag {
        instance,
        group,
        topic,
        messages,
    } = parse(&body)?;
    Ok(if simulator.set_lag(&instance, &group, &topic, messages) {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::NOT_FOUND
    })
}

async fn topics(Extract(simulator): Extract<Simulator>, body: Bytes) -> Result<StatusCode, Refusal> {
    let Topics { instance, names } = parse(&body)?;
    Ok(if simulator.add_topics(&instance, names) {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::NOT_FOUND
    })
}

async fn revoke_tokens(Extract(simulator): Extract<Simulator>) -> StatusCode {
    simulator.revoke_tokens();
    StatusCode::NO_CONTENT
}

/// What is wrong with a body.
type Refusal = (StatusCode, String);

/// Reads a body whatever its type is said to be: people use curl.
fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| (StatusCode::BAD_REQUEST, format!("{error}\n")))
}

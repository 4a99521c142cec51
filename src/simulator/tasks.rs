//! Background tasks: Kafka 5.9.1 and 5.9.2, RocketMQ 5.12.1 and 5.12.3. One task comes in a list as well; the number of tasks is a string.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::Now;
use super::codes::{self, ApiError};
use super::gateway::{Context, Reply};
use super::jobs::Task;
use super::state::Engine;

/// `ListBackgroundTasks`, newest first. `start` is an index from 1 and `limit` at most 100, as known of the service;
/// the references call the one a task's id and give the other no range. RocketMQ's lets `start` be 0: the first, too.
/// Times are taken as UTC.
pub(crate) fn list(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    let query = &context.query;
    query.only(&["start", "limit", "begin_time", "end_time"])?;
    let (start, limit) = (
        query.number("start")?.unwrap_or(1),
        query.number("limit")?.unwrap_or(10),
    );
    if !(1..=100).contains(&limit) {
        return Err(codes::PARAMETER.about("limit"));
    }
    let time = |key| match query.text(key) {
        Some(text) if text.len() != 14 || text.bytes().any(|digit| !digit.is_ascii_digit()) => {
            Err(codes::PARAMETER.about(key))
        }
        text => Ok(text.map(str::to_owned)),
    };
    let (begin, end) = (time("begin_time")?, time("end_time")?);
    let now = context.now;
    let instance = context.instance()?;
    if start == 0 && instance.engine() == Engine::Kafka {
        return Err(codes::PARAMETER.about("start"));
    }
    let found: Vec<&Task> = instance
        .tasks
        .iter()
        .rev()
        .filter(|task| {
            let created = task
                .created_at
                .to_zoned(TimeZone::UTC)
                .strftime("%Y%m%d%H%M%S")
                .to_string();
            begin.as_ref().is_none_or(|begin| *begin <= created) && end.as_ref().is_none_or(|end| created <= *end)
        })
        .collect();
    let page: Vec<Value> = found
        .iter()
        .skip(start.saturating_sub(1))
        .take(limit)
        .map(|task| shown(task, now))
        .collect();
    Ok(Reply::ok(json!({"task_count": found.len().to_string(), "tasks": page})))
}

/// `ShowBackgroundTask`. What it says of a task that does not exist is not printed: an empty list.
pub(crate) fn show(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    context.query.only(&[])?;
    let id = context.item().to_owned();
    // Both shapes of job ids: 32 digits, and a UUID with hyphens.
    uuid::Uuid::try_parse(&id).map_err(|_| codes::TASK_ID.error())?;
    let now = context.now;
    let tasks: Vec<Value> = context
        .instance()?
        .tasks
        .iter()
        .filter(|task| task.id == id)
        .map(|task| shown(task, now))
        .collect();
    Ok(Reply::ok(
        json!({"task_count": tasks.len().to_string(), "tasks": tasks}),
    ))
}

/// A task as 5.9.1 prints it; `CREATED` and `FAILED` are known of the service, not in the reference.
pub(crate) fn shown(task: &Task, now: Now) -> Value {
    let status = match task.ended {
        Some((_, true)) => "SUCCESS",
        Some((_, false)) => "FAILED",
        None if now.at < task.started + (task.ends - task.started) / 10 => "CREATED",
        None => "EXECUTING",
    };
    let updated = task.ended.map_or(now.wall, |(ended, _)| ended);
    json!({
        "id": task.id,
        "name": task.name,
        "user_name": "paas_dms",
        "user_id": "3df5acbc24a54fadb62a043c9000a307",
        "params": task.params.to_string(),
        "status": status,
        "created_at": format!("{:.3}", task.created_at),
        "updated_at": format!("{updated:.3}"),
    })
}

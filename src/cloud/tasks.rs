//! Background tasks: Kafka API reference 5.9.1 and 5.9.2, RocketMQ API reference 5.12.1 and 5.12.3.

use jiff::Timestamp;
use serde::Deserialize;

use super::answer::Answer;
use super::client::Call;
use super::vocabulary::vocabulary;
use super::{Class, Client, Error, Operation, Page, Sent, decode};

impl Client {
    /// One page of an instance's tasks (Kafka API reference 5.9.1, RocketMQ API reference 5.12.3). `start` counts from 1
    /// (not in the reference).
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn list_tasks(&self, instance: &str, start: u32, limit: u32) -> Result<Page<Task>, Error> {
        let path = ["v2", self.project_id(), "instances", instance, "tasks"];
        let call = Call::dms(Operation::ListBackgroundTasks, &path)
            .filter("start", Some(start))
            .filter("limit", Some(limit));
        tasks(&self.send(call).await?)
    }

    /// One task (Kafka API reference 5.9.2, RocketMQ API reference 5.12.1); its id is the job's.
    ///
    /// # Errors
    /// [`Class::NotFound`] if the service knows no such task, and any of the sender's.
    pub async fn show_task(&self, instance: &str, id: &str) -> Result<Task, Error> {
        let path = ["v2", self.project_id(), "instances", instance, "tasks", id];
        let answer = self.send(Call::dms(Operation::ShowBackgroundTask, &path)).await?;
        let task = tasks(&answer)?.items.into_iter().find(|task| task.id == id);
        let none = || {
            Error::new(
                Operation::ShowBackgroundTask,
                Class::NotFound,
                Sent::Refused,
                "there is no such task",
            )
        };
        task.ok_or_else(none)
    }
}

/// A background task.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Task {
    /// Its identity.
    #[serde(deserialize_with = "decode::required")]
    pub id: String,
    /// What it does, such as `changeRetentionPolicy`, `bindInstancePublicIp`.
    #[serde(default, deserialize_with = "decode::text")]
    pub name: Option<String>,
    /// What it works on, as JSON in a string; its form is not documented.
    #[serde(default, deserialize_with = "decode::text")]
    pub params: Option<String>,
    /// How far it is.
    #[serde(default, deserialize_with = "decode::word")]
    pub status: Option<TaskStatus>,
    /// When it began.
    #[serde(default, deserialize_with = "decode::time")]
    pub created_at: Option<Timestamp>,
    /// When it last changed; set before it ends too.
    #[serde(default, deserialize_with = "decode::time")]
    pub updated_at: Option<Timestamp>,
}

vocabulary! {
    /// How far a task is. Only `EXECUTING` and `SUCCESS` are in the reference.
    TaskStatus {
        /// Not begun.
        Created = "CREATED",
        /// Running.
        Executing = "EXECUTING",
        /// Done.
        Success = "SUCCESS",
        /// Ended without success.
        Failed = "FAILED",
        /// Called off.
        Cancelled = "CANCELLED",
        /// Its record was removed.
        Deleted = "DELETED",
    }
}

fn tasks(answer: &Answer) -> Result<Page<Task>, Error> {
    let body: List = answer.json()?;
    answer.page(body.tasks, body.task_count)
}

#[derive(Deserialize)]
struct List {
    tasks: Option<Vec<Task>>,
    #[serde(default, deserialize_with = "decode::number")]
    task_count: Option<u64>,
}

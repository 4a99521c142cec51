//! What an instance is busy with, and the tasks by which that is followed.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::faults::FailedCreate;
use super::state::{Instance, Status};
use super::{Config, Now, kafka, rocketmq};

/// The one thing that an instance is busy with.
pub(crate) struct Job {
    pub(crate) ends: Duration,
    pub(crate) fails: bool,
    pub(crate) task: Option<String>,
    pub(crate) change: Change,
}

/// What a job does when it ends.
pub(crate) enum Change {
    Create(Option<FailedCreate>),
    Delete {
        before: Status,
    },
    Extend {
        storage: i64,
        broker_num: i64,
        product_id: String,
    },
    Kafka(kafka::Change),
    RocketMq(rocketmq::Change),
}

/// A background task (Kafka 5.9, RocketMQ 5.12).
pub(crate) struct Task {
    pub(crate) id: String,
    pub(crate) name: &'static str,
    pub(crate) params: Value,
    pub(crate) started: Duration,
    pub(crate) ends: Duration,
    pub(crate) created_at: Timestamp,
    /// When it ended, and whether well.
    pub(crate) ended: Option<(Timestamp, bool)>,
}

/// A task about to begin.
pub(crate) struct NewTask {
    pub(crate) id: String,
    pub(crate) name: &'static str,
    pub(crate) params: Value,
}

impl Instance {
    /// Begins the job that `change` is, with a task to follow it by if it has a name.
    pub(crate) fn begin(&mut self, now: Now, lasts: Duration, fails: bool, task: Option<NewTask>, change: Change) {
        let ends = now.at + lasts;
        self.job = Some(Job {
            ends,
            fails,
            task: task.as_ref().map(|task| task.id.clone()),
            change,
        });
        self.tasks.extend(task.map(|NewTask { id, name, params }| Task {
            id,
            name,
            params,
            started: now.at,
            ends,
            created_at: now.wall,
            ended: None,
        }));
    }

    /// Lets a job that has come to its end have its effect.
    pub(crate) fn finish(&mut self, job: Job, now: Now, config: &Config) {
        let at = now.wall_of(job.ends);
        let done = !job.fails && self.apply(&job, at, config);
        if !done {
            self.undo(&job);
        }
        self.close_task(&job, at, done);
    }

    pub(crate) fn close_task(&mut self, job: &Job, at: Timestamp, done: bool) {
        if let Some(task) = self.tasks.iter_mut().find(|task| Some(&task.id) == job.task.as_ref()) {
            task.ended = Some((at, done));
        }
    }

    /// False if it cannot be done.
    fn apply(&mut self, job: &Job, at: Timestamp, config: &Config) -> bool {
        match &job.change {
            Change::Create(None) => {
                self.status = Status::Running;
                self.completed_at = Some(at);
            }
            Change::Create(Some(failure)) => {
                self.status = Status::Error;
                self.creation_failed = true;
                self.gone = (*failure == FailedCreate::Vanishes).then_some(job.ends);
            }
            Change::Delete { .. } if config.recycle_bin => self.status = Status::Recycle,
            Change::Delete { .. } => self.gone = Some(job.ends),
            Change::Extend {
                storage,
                broker_num,
                product_id,
            } => {
                self.status = Status::Running;
                self.extend_times += u32::from(*storage != self.storage && *broker_num == self.broker_num);
                (self.storage, self.broker_num) = (*storage, *broker_num);
                self.product_id.clone_from(product_id);
            }
            Change::Kafka(change) => return change.apply(self.kafka_mut()),
            Change::RocketMq(change) => return change.apply(self.rocketmq_mut(), job.ends, config),
        }
        true
    }

    fn undo(&mut self, job: &Job) {
        match &job.change {
            Change::Create(_) => {
                self.status = Status::Error;
                self.creation_failed = true;
            }
            Change::Delete { before } => self.status = *before,
            Change::Extend { .. } => self.status = Status::ExtendedFailed,
            _ => {}
        }
    }
}

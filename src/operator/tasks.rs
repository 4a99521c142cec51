//! Shared reads of one instance's background tasks: a call may do the work of many objects in one job.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::cloud::{Client, Error, Task, TaskStatus};

/// How many of the newest tasks are looked through for one whose id was not told.
const NEWEST: u32 = 50;
/// How long a task is remembered.
const REMEMBERED: Duration = Duration::from_secs(600);

/// The tasks of one instance, as they were last read.
#[derive(Default)]
pub struct Tasks {
    known: Mutex<BTreeMap<String, (Instant, Arc<Task>)>>,
    newest: Mutex<Option<(Instant, Arc<[Task]>)>>,
}

impl Tasks {
    /// A task, as of later than `after`, and when it was read; one that has ended stays as it is.
    pub async fn one(
        &self,
        client: &Client,
        instance: &str,
        id: &str,
        after: Instant,
    ) -> Result<(Arc<Task>, Instant), Error> {
        let mut known = self.known.lock().await;
        if let Some((read, task)) = known.get(id)
            && (*read > after || has_ended(task))
        {
            return Ok((task.clone(), *read));
        }
        let begun = Instant::now();
        let task = Arc::new(client.show_task(instance, id).await?);
        known.retain(|_, (read, _)| read.elapsed() < REMEMBERED);
        known.insert(id.to_owned(), (begun, task.clone()));
        Ok((task, begun))
    }

    /// The newest tasks, as of later than `after`, and when they were read.
    pub async fn newest(
        &self,
        client: &Client,
        instance: &str,
        after: Instant,
    ) -> Result<(Arc<[Task]>, Instant), Error> {
        let mut newest = self.newest.lock().await;
        if let Some((read, tasks)) = &*newest
            && *read > after
        {
            return Ok((tasks.clone(), *read));
        }
        let begun = Instant::now();
        let tasks: Arc<[Task]> = client.list_tasks(instance, 1, NEWEST).await?.items.into();
        *newest = Some((begun, tasks.clone()));
        Ok((tasks, begun))
    }
}

fn has_ended(task: &Task) -> bool {
    use TaskStatus::{Cancelled, Deleted, Failed, Success};
    matches!(task.status, Some(Success | Failed | Cancelled | Deleted))
}

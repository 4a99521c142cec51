//! What a kind has at hand while one of its objects is looked at.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt as _;
use tokio::time::Instant;

use super::Context;
use super::kind::Reference;
use crate::api::{Adoption, CoreStatus, Managed, Policy, RECONCILE_REQUESTED_AT, RECREATE, Updates};
use crate::cloud::{Class, Client, Task};
use crate::plan::fault::Halt;
use crate::plan::{Facts, Job};

/// A read for somebody who waits must not be older than this.
const FRESH: Duration = Duration::from_secs(1);

/// How many of the newest tasks are looked through for one whose id was not told.
const TASKS: u32 = 20;
/// How far two times of one event may lie apart.
const ROUNDED: SignedDuration = SignedDuration::from_secs(2);

/// One object in one round.
pub struct Round<'a, Cr: Managed> {
    /// The operator.
    pub cx: &'a Context,
    /// The object as new as we know it.
    pub cr: &'a Cr,
    /// A nonce, in case an intent is written.
    pub nonce: String,
}

impl<Cr: Managed> Round<'_, Cr> {
    /// What every plan needs to know of its object.
    pub fn facts<'b>(
        &'b self,
        core: &'b CoreStatus,
        adoption: Adoption,
        owner: Option<String>,
        job: Option<Job>,
        now: Timestamp,
    ) -> Facts<'b> {
        let annotation = |name: &str| self.cr.annotations().get(name).map(String::as_str);
        Facts {
            core,
            generation: self.cr.meta().generation.unwrap_or(0),
            deleting: self.deleting(),
            policy: Policy::Manage,
            adoption,
            updates: Updates::Apply,
            requested: annotation(RECONCILE_REQUESTED_AT),
            recreate: annotation(RECREATE),
            owner,
            job,
            nonce: &self.nonce,
            now,
        }
    }

    /// The object's namespace.
    pub fn namespace(&self) -> &str {
        self.cr.meta().namespace.as_deref().unwrap_or_default()
    }

    /// The object is being deleted.
    pub fn deleting(&self) -> bool {
        self.cr.meta().deletion_timestamp.is_some()
    }

    /// The object that has a better claim to the same thing, for a message.
    pub fn owner(&self) -> Option<String> {
        let rival = self.cx.rooms.of::<Cr>().rival(self.cr)?;
        let since = rival
            .creation_timestamp()
            .map(|t| format!(", made {}", t.0))
            .unwrap_or_default();
        Some(format!("{}{since}", Reference::to(&*rival)))
    }

    /// How new a shared read must be: newer than our last step, and fresh unless nobody waits for it.
    pub fn since(&self, core: &CoreStatus) -> Instant {
        let now = Instant::now();
        let works = core
            .conditions
            .iter()
            .any(|c| c.type_ == "Reconciling" && c.status == "True");
        let waits = core.create_intent.is_some() || core.operation.is_some() || self.deleting();
        let at_rest = core.applied_generation == self.cr.meta().generation && !works && !waits;
        let age = if at_rest && !self.is_asked() {
            self.cx.resync_of(self.cr).mul_f64(0.8)
        } else {
            FRESH
        };
        let floor = now.checked_sub(age).unwrap_or(now);
        let acted = self.cx.rooms.of::<Cr>().note(self.cr, |note| note.acted);
        acted.map_or(floor, |acted| acted.max(floor))
    }

    /// The annotation asks for a look now.
    pub fn is_asked(&self) -> bool {
        let requested = self.cr.annotations().get(RECONCILE_REQUESTED_AT);
        requested.is_some() && requested != self.cr.core().and_then(|core| core.last_handled_reconcile_at.as_ref())
    }

    /// The state of the background job of `status.operation`, if its id is known.
    pub async fn job(&self, client: &Client, instance_id: &str, core: &CoreStatus) -> Result<Option<Job>, Halt> {
        let operation = core.operation.as_ref().filter(|o| o.failure.is_none());
        let Some(id) = operation.and_then(|o| o.job_id.as_ref()) else {
            return Ok(None);
        };
        match client.show_task(instance_id, id).await {
            Ok(task) => Ok(Some(outcome(&task))),
            Err(error) if error.class() == Class::NotFound => Ok(Some(Job::Unknown)),
            Err(error) => Err(error.into()),
        }
    }

    /// The same for something of that name in an instance. Where the service did not tell the id, which some answers have no
    /// room for (RocketMQ API reference 5.2.6, 5.3.5), it is the newest task since then that speaks of the thing.
    pub async fn job_on(
        &self,
        client: &Client,
        instance_id: &str,
        core: &CoreStatus,
        name: &str,
    ) -> Result<Option<Job>, Halt> {
        let operation = core.operation.as_ref().filter(|o| o.failure.is_none());
        let Some(operation) = operation.filter(|o| o.job_id.is_none()) else {
            return self.job(client, instance_id, core).await;
        };
        // In quotes, as JSON has it, or `pay` would follow the tasks of `payments`.
        let quoted = format!("\"{name}\"");
        let begun = operation.start_time.parse::<Timestamp>().ok();
        // Times of tasks and answers are rounded.
        let since = begun.map(|begun| begun - ROUNDED);
        let tasks = match client.list_tasks(instance_id, 1, TASKS).await {
            Ok(page) => page.items,
            // The instance itself may be gone: that is for the look at the list to say.
            Err(error) if error.class() == Class::NotFound => return Ok(Some(Job::Unknown)),
            Err(error) => return Err(error.into()),
        };
        let newest = tasks
            .into_iter()
            .filter(|task| task.params.as_ref().is_some_and(|params| params.contains(&quoted)))
            .filter(|task| task.created_at.is_some() && task.created_at >= since)
            .max_by_key(|task| task.created_at);
        Ok(Some(newest.map_or(Job::Unknown, |task| outcome(&task))))
    }
}

fn outcome(task: &Task) -> Job {
    use crate::cloud::TaskStatus as S;
    match &task.status {
        Some(S::Success) => Job::Succeeded,
        Some(status @ (S::Failed | S::Cancelled | S::Deleted)) => {
            Job::Failed(format!("job {} ended {}", task.id, status.as_str()))
        }
        Some(S::Created | S::Executing | S::Other(_)) | None => Job::Running,
    }
}

//! What a kind has at hand while one of its objects is looked at.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt as _;
use tokio::time::Instant;

use super::Context;
use super::hub::{Hub, Writer};
use super::kind::Reference;
use super::snapshot::Freshness;
use crate::api::{Adoption, CoreStatus, Managed, Policy, RECONCILE_REQUESTED_AT, RECREATE, Updates};
use crate::cloud::{Class, Priority, Task};
use crate::plan::fault::Halt;
use crate::plan::{BLOCKED, Facts, Job};

/// How old a list may be for somebody who asks.
const FRESH: Duration = Duration::from_secs(1);
/// How old it may be for a plan: what it misses, the service's refusal tells, or the next look.
const RECENT: Duration = Duration::from_secs(30);
/// Older than any list.
const UNBOUNDED: Duration = Duration::from_secs(48 * 3600);

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
        let room = self.cx.rooms.of::<Cr>();
        let (deleted, acted) = room.note(self.cr, |note| (note.deleted, note.acted));
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
            deleted: deleted.map(|at| at.elapsed()),
            acted: acted.map(|at| at.elapsed()),
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

    /// How urgent it is.
    pub fn priority(&self) -> Priority {
        let core = self.cr.core();
        let applied = core.and_then(|core| core.applied_generation);
        if self.deleting() {
            Priority::Delete
        } else if applied == self.cr.meta().generation && !self.is_asked() {
            Priority::Resync
        } else if core.is_none_or(|core| core.served_since.is_none()) {
            Priority::Create
        } else {
            Priority::Edit
        }
    }

    /// Who writes.
    pub fn writer(&self) -> Writer {
        Writer {
            object: Reference::to(self.cr),
            generation: self.cr.meta().generation.unwrap_or(0),
            priority: self.priority(),
        }
    }

    /// How new must be what is read of the instance itself: nothing that an object does to what lives in it changes that.
    pub fn host_freshness(&self) -> Freshness {
        let now = Instant::now();
        let (age, floor) = if self.is_asked() {
            (FRESH, FRESH)
        } else {
            (self.cx.resync_of(self.cr), UNBOUNDED)
        };
        Freshness {
            after: now.checked_sub(floor).unwrap_or(now),
            age,
            priority: self.priority(),
        }
    }

    /// How new a shared list must be: newer than our last step, and than what was seen if something is to show; as old as the
    /// interval allows if nobody waits for it, or if nothing could be done now.
    pub fn freshness(&self, core: &CoreStatus, held: bool) -> Freshness {
        let now = Instant::now();
        let is = |name: &str| core.conditions.iter().any(|c| c.type_ == name && c.status == "True");
        let generation = self.cr.meta().generation;
        // It stopped, and nobody did anything about it since.
        let stopped = is("Stalled") && core.observed_generation == generation;
        let room = self.cx.rooms.of::<Cr>();
        let (acted, seen, deleted) = room.note(self.cr, |note| (note.acted, note.seen, note.deleted.is_some()));
        let waits = core.create_intent.is_some() || core.operation.is_some() || deleted;
        let applied = core.applied_generation == generation && !is("Reconciling");
        let at_rest = (applied || stopped) && !waits && !self.deleting();
        let ever = now.checked_sub(UNBOUNDED).unwrap_or(now);
        let (age, floor) = if self.is_asked() {
            (FRESH, now.checked_sub(FRESH).unwrap_or(now))
        } else if at_rest || held {
            (self.cx.resync_of(self.cr), ever)
        } else if stopped && !waits {
            (BLOCKED.mul_f64(0.8), ever)
        } else if waits {
            (RECENT, seen.unwrap_or(ever))
        } else {
            (RECENT, ever)
        };
        Freshness {
            after: acted.map_or(floor, |acted| acted.max(floor)),
            age,
            priority: self.priority(),
        }
    }

    /// The annotation asks for a look now.
    pub fn is_asked(&self) -> bool {
        let requested = self.cr.annotations().get(RECONCILE_REQUESTED_AT);
        requested.is_some() && requested != self.cr.core().and_then(|core| core.last_handled_reconcile_at.as_ref())
    }

    /// The state of the background job of `status.operation`, if its id is known.
    /// And when that was read: what it did shows in lists that were begun later.
    pub async fn job(&self, hub: &Hub, core: &CoreStatus) -> Result<Option<(Job, Instant)>, Halt> {
        let operation = core.operation.as_ref().filter(|o| o.failure.is_none());
        let Some(id) = operation.and_then(|o| o.job_id.as_ref()) else {
            return Ok(None);
        };
        let client = hub.client(self.priority());
        match hub.tasks.one(&client, &hub.instance_id, id, self.polled()).await {
            Ok((task, read)) => Ok(Some((outcome(&task), read))),
            Err(error) if error.class() == Class::NotFound => Ok(Some((Job::Unknown, self.polled()))),
            Err(error) => Err(error.into()),
        }
    }

    /// The same for something of that name in an instance. Where the service did not tell the id, which some answers have no
    /// room for (RocketMQ API reference 5.2.6, 5.3.5), it is the newest task since then that speaks of the thing.
    pub async fn job_on(&self, hub: &Hub, core: &CoreStatus, name: &str) -> Result<Option<(Job, Instant)>, Halt> {
        let operation = core.operation.as_ref().filter(|o| o.failure.is_none());
        let Some(operation) = operation.filter(|o| o.job_id.is_none()) else {
            return self.job(hub, core).await;
        };
        // In quotes, as JSON has it, or `pay` would follow the tasks of `payments`.
        let quoted = format!("\"{name}\"");
        let begun = operation.start_time.parse::<Timestamp>().ok();
        // Times of tasks and answers are rounded.
        let since = begun.map(|begun| begun - ROUNDED);
        let client = hub.client(self.priority());
        let (tasks, read) = match hub.tasks.newest(&client, &hub.instance_id, self.polled()).await {
            Ok(tasks) => tasks,
            // The instance itself may be gone: that is for the look at the list to say.
            Err(error) if error.class() == Class::NotFound => return Ok(Some((Job::Unknown, self.polled()))),
            Err(error) => return Err(error.into()),
        };
        let newest = tasks
            .iter()
            .filter(|task| task.params.as_ref().is_some_and(|params| params.contains(&quoted)))
            .filter(|task| task.created_at.is_some() && task.created_at >= since)
            .max_by_key(|task| task.created_at);
        Ok(Some((newest.map_or(Job::Unknown, outcome), read)))
    }

    /// A job that others read later than this need not be read again.
    fn polled(&self) -> Instant {
        let now = Instant::now();
        let half = now.checked_sub(self.cx.config.poll / 2).unwrap_or(now);
        let acted = self.cx.rooms.of::<Cr>().note(self.cr, |note| note.acted);
        acted.map_or(half, |acted| acted.max(half))
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

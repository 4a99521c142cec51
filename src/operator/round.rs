//! What a kind has at hand while one of its objects is looked at.

use std::time::Duration;

use jiff::Timestamp;
use kube::ResourceExt as _;
use tokio::time::Instant;

use super::Context;
use super::kind::Reference;
use crate::api::{Adoption, CoreStatus, Managed, RECONCILE_REQUESTED_AT, RECREATE};
use crate::cloud::{Class, Client};
use crate::plan::fault::Halt;
use crate::plan::{Facts, Job};

/// A read for somebody who waits must not be older than this.
const FRESH: Duration = Duration::from_secs(1);

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
            adoption,
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
        let waits = core.create_intent.is_some() || core.operation.is_some() || self.deleting();
        let at_rest = core.applied_generation == self.cr.meta().generation && core.drift.is_empty() && !waits;
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

    /// The state of the background job of `status.operation`.
    pub async fn job(&self, client: &Client, instance_id: &str, core: &CoreStatus) -> Result<Option<Job>, Halt> {
        let Some(operation) = core.operation.as_ref().filter(|o| o.failure.is_none()) else {
            return Ok(None);
        };
        let Some(id) = &operation.job_id else { return Ok(None) };
        use crate::cloud::TaskStatus as S;
        let task = match client.show_task(instance_id, id).await {
            Ok(task) => task,
            Err(error) if error.class() == Class::NotFound => return Ok(Some(Job::Unknown)),
            Err(error) => return Err(error.into()),
        };
        Ok(Some(match task.status {
            Some(S::Success) => Job::Succeeded,
            Some(status @ (S::Failed | S::Cancelled | S::Deleted)) => {
                Job::Failed(format!("job {id} ended {}", status.as_str()))
            }
            Some(S::Created | S::Executing | S::Other(_)) | None => Job::Running,
        }))
    }
}

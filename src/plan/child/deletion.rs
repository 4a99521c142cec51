//! How a thing that lives in an instance goes: until a complete list shows that it is gone, or its instance takes it along.

use super::{Calls, Child, Found, Guard};
use crate::api::CoreStatus;
use crate::plan::{BLOCKED, Job, LIST_LAG, Next, Plan, Reason, Situation};

/// How the names of operations begin that delete a thing for good.
const DELETES: &str = "Delete";

impl<T> Child<'_, T> {
    pub(super) fn plan_deletion<State: AsMut<CoreStatus>, Step>(
        &self,
        mut status: State,
        calls: Calls<Step>,
    ) -> Plan<State, Step> {
        let Self {
            facts,
            title,
            instance_id,
            ..
        } = self;
        let wait = |status, message, steps, next| Plan {
            status,
            situation: Situation::Deleting { message },
            steps,
            next,
        };
        let stopped = |status, reason, message| Plan {
            status,
            situation: Situation::DeletionStopped { reason, message },
            steps: vec![],
            next: Next::Stop(BLOCKED),
        };
        // The same before and after it was sent: each word is a write.
        let deletes = || format!("deletes {title}, and waits until it is no longer listed");
        let may_appear = facts
            .core
            .create_intent
            .as_ref()
            .is_some_and(|intent| self.sent_ago(&intent.time) < LIST_LAG);
        if facts.owner.is_some() {
            return wait(
                status,
                format!("{title} belongs to another object and stays"),
                vec![],
                Next::Release,
            );
        }
        match (&self.found, facts.job()) {
            (Found::InstanceGone, _) => wait(
                status,
                format!("{title} goes with instance {instance_id}"),
                vec![],
                Next::Release,
            ),
            (_, Some(Job::Running)) => wait(
                status,
                format!("a background job on {title} is under way"),
                vec![],
                Next::Poll,
            ),
            (Found::Absent, _) if may_appear => wait(
                status,
                format!("{title} may still appear: its create was just sent"),
                vec![],
                Next::Poll,
            ),
            (Found::Absent, _) => wait(status, format!("{title} is gone"), vec![], Next::Release),
            (Found::There(_), job) if self.is_going(job.as_ref()) => wait(status, deletes(), vec![], Next::Shows),
            (Found::There(_), Some(Job::Failed(why)))
                if self.was_deleted() && !facts.is_asked() && self.sent_within(BLOCKED) =>
            {
                let message = format!(
                    "deleting {title} failed: {why}{}; it is tried again every 5 min, or when reconcile-requested-at is annotated",
                    calls.advice
                );
                stopped(status, Reason::CloudFailed, message)
            }
            (Found::There(_), _) => match (&self.guard, calls.blocked) {
                (Guard::Closed(why), refused) => {
                    // What the service would refuse all the same is not promised.
                    let way = match refused {
                        None => ", or set management.deletionGuard to None",
                        Some(_) => "",
                    };
                    let message = format!(
                        "{title} is in use: {why}{way}; looked at again every 5 min, or when reconcile-requested-at is \
                         annotated; a deletion of its namespace waits too"
                    );
                    stopped(status, Reason::DeletionBlocked, message)
                }
                (Guard::Unknown(left), _) => wait(
                    status,
                    format!("{title} waits for its turn to be asked about, as management.deletionGuard is InUse"),
                    vec![],
                    Next::Within(*left),
                ),
                (Guard::Open, Some(why)) if !facts.is_requested() => stopped(
                    status,
                    Reason::DeletionBlocked,
                    format!(
                        "{title} {why}; looked at again every 5 min, or tried all the same when reconcile-requested-at is annotated"
                    ),
                ),
                (Guard::Open, _) => {
                    status.as_mut().operation = None;
                    match &self.held {
                        Some(why) => wait(
                            status,
                            format!("{title} waits to be deleted: {why}"),
                            vec![],
                            Next::Moved,
                        ),
                        None => wait(status, deletes(), vec![calls.delete], Next::Soon),
                    }
                }
            },
        }
    }

    /// Its deletion was accepted so short a time ago that lists need not show it.
    fn is_going(&self, job: Option<&Job>) -> bool {
        match job {
            Some(Job::Succeeded | Job::Unknown) => self.was_deleted() && self.sent_lately(),
            Some(Job::Failed(_) | Job::Running) => false,
            None => self.facts.deleted.is_some_and(|ago| ago < LIST_LAG),
        }
    }

    /// What `status.operation` tells of is a deletion, and not a change that came before it.
    fn was_deleted(&self) -> bool {
        let operation = self.facts.core.operation.as_ref();
        self.is_being_replaced() || operation.is_some_and(|operation| operation.name.starts_with(DELETES))
    }
}

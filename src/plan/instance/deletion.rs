//! How an instance goes: until its absence is proven, or a person says that it stays.

use super::{DELETE, DELETE_PATIENCE, Found, Instance, Phase, minutes};
use crate::api::{CoreStatus, Origin};
use crate::plan::{BLOCKED, Next, Plan, Reason, Situation, age, clock_time};

impl<T> Instance<'_, T> {
    pub(super) fn plan_deletion<State: AsMut<CoreStatus>, Step>(
        &self,
        mut status: State,
        state_of: impl Fn(&T) -> &str,
        delete: Step,
    ) -> Plan<State, Step> {
        let Self {
            facts,
            title,
            search_window,
            ..
        } = self;
        let wait = |status, message, steps, next| Plan {
            status,
            situation: Situation::Deleting { message },
            steps,
            next,
        };
        if facts.owner.is_some() {
            return wait(
                status,
                format!("{title} belongs to another object and stays"),
                vec![],
                Next::Release,
            );
        }
        let gone = |mut status: State, message: String| {
            let core = status.as_mut();
            if core.create_intent.is_none() {
                return wait(status, message, vec![], Next::Release);
            }
            core.instance_id = None;
            core.operation = None;
            let message = format!("{message}; looks for others that our create made");
            wait(status, message, vec![], Next::Soon)
        };
        match &self.found {
            Found::Missing(times) if *times < 2 || self.may_appear() => wait(
                status,
                format!("{title} seems to be gone; looks again to be sure"),
                vec![],
                Next::Poll,
            ),
            Found::Missing(_) => gone(status, format!("{title} is gone")),
            Found::Searched(search) => {
                let core = status.as_mut();
                let Some(intent) = &mut core.create_intent else {
                    return wait(status, "nothing was created".into(), vec![], Next::Release);
                };
                if let [id, more @ ..] = search.ours.as_slice() {
                    core.instance_id = Some(id.clone());
                    core.origin = Some(Origin::Created);
                    if more.is_empty() {
                        core.create_intent = None;
                    }
                    return wait(status, format!("found {id}, which our create made"), vec![], Next::Soon);
                }
                if !search.unreadable.is_empty() {
                    intent.searched_since = None;
                }
                let since = intent
                    .searched_since
                    .get_or_insert_with(|| facts.now.to_string())
                    .clone();
                if search.proves_absence(*search_window) && age(&since, facts.now) >= *search_window {
                    return wait(status, "no trace of our create".into(), vec![], Next::Release);
                }
                let message = format!(
                    "the answer to a create was lost; searches since {} for {} before it lets go, so that no instance is left behind",
                    clock_time(&since),
                    minutes(*search_window)
                );
                wait(status, message, vec![], Next::Poll)
            }
            Found::There(thing) => {
                let state = state_of(thing).to_owned();
                let core = status.as_mut();
                let accepted = core.operation.as_ref().filter(|o| o.name == DELETE).cloned();
                match (Phase::of(&state), accepted) {
                    (Phase::Recycled, _) => gone(status, format!("{title} is in the recycle bin")),
                    (Phase::Deleting, _) => wait(status, format!("{title} is {state}"), vec![], Next::Poll),
                    (_, Some(op)) if age(&op.start_time, facts.now) < DELETE_PATIENCE => wait(
                        status,
                        format!("deletion accepted at {}; state {state}", clock_time(&op.start_time)),
                        vec![],
                        Next::Poll,
                    ),
                    (Phase::Frozen, _) => {
                        let message = format!(
                            "{title} is {state}: the account must be paid, or the instance deleted in the console"
                        );
                        Plan {
                            status,
                            situation: Situation::DeletionStopped {
                                reason: Reason::PaymentRequired,
                                message,
                            },
                            steps: vec![delete],
                            next: Next::Stop(BLOCKED),
                        }
                    }
                    (Phase::Creating, _) => wait(
                        status,
                        format!("{title} is {state} and cannot be deleted before that ends"),
                        vec![],
                        Next::Poll,
                    ),
                    (_, Some(_)) => wait(
                        status,
                        format!("the accepted deletion of {title} had no effect; sends it again"),
                        vec![delete],
                        Next::Soon,
                    ),
                    (_, None) => wait(status, format!("deletes {title}"), vec![delete], Next::Soon),
                }
            }
        }
    }
}

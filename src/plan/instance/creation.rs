//! How an instance comes to be: the search that must find nothing, the intent, the create, and what follows a lost answer.

use super::{CREATE, Calls, Instance, Search, minutes};
use crate::api::{Adoption, CoreStatus, CreateIntent, Origin};
use crate::plan::upkeep::stop;
use crate::plan::{Next, Plan, Reason, Situation, age, begun, clock_time};

impl<T> Instance<'_, T> {
    pub(super) fn plan_creation<State: AsMut<CoreStatus>, Step>(
        &self,
        mut status: State,
        search: &Search,
        calls: Calls<Step>,
    ) -> Plan<State, Step> {
        let Self { facts, title, .. } = self;
        let core = status.as_mut();
        core.drift = vec![];
        let creating = |status, message, steps, next| Plan {
            status,
            situation: Situation::Creating { message, again: false },
            steps,
            next,
        };
        let found = |mut status: State, id: &str, origin, message| {
            let core = status.as_mut();
            core.instance_id = Some(id.to_owned());
            core.provider = Some(self.location.clone());
            core.origin = Some(origin);
            if let (Origin::Created, Some(intent)) = (origin, core.create_intent.take()) {
                core.operation = Some(begun(core, CREATE, None, intent.time.parse().unwrap_or(facts.now)));
            }
            creating(status, message, vec![], Next::Soon)
        };
        match (search.ours.as_slice(), search.unreadable.as_slice()) {
            ([], []) => {}
            ([id], _) => {
                return found(
                    status,
                    id,
                    Origin::Created,
                    format!("found {id}, which our create made"),
                );
            }
            ([], unknown) => {
                if let Some(intent) = &mut core.create_intent {
                    // Only searches that could tell count, and together they must last.
                    intent.searched_since = None;
                }
                let message = format!(
                    "cannot tell yet whether {} is ours: its tags were not readable",
                    unknown.join(", ")
                );
                return creating(status, message, vec![], Next::Poll);
            }
            (several, _) => {
                let message = format!(
                    "instances {} all carry our nonce; delete all but one in the console, then annotate reconcile-requested-at",
                    several.join(", ")
                );
                return stop(status, Reason::Conflict, message, false);
            }
        }
        if let Some(intent) = core.create_intent.clone() {
            return self.plan_search(status, intent, search, calls);
        }
        match (search.others.as_slice(), facts.adoption) {
            ([], _) => {}
            ([id], Adoption::IfExists) => {
                return found(status, id, Origin::Adopted, format!("takes over {id}"));
            }
            (ids, _) => {
                let message = format!(
                    "{} of this name is there already ({}) and not ours; set spec.instanceId to manage it, or choose another name",
                    title,
                    ids.join(", ")
                );
                return stop(status, Reason::AlreadyExists, message, false);
            }
        }
        let create = match calls.create {
            Ok(create) => create,
            Err(why) => return stop(status, Reason::InvalidSpec, why, false),
        };
        core.provider = Some(self.location.clone());
        core.operation = None;
        core.create_intent = Some(CreateIntent {
            time: facts.now.to_string(),
            nonce: Some(facts.nonce.to_owned()),
            ..Default::default()
        });
        creating(status, format!("creates {title}"), vec![create], Next::Soon)
    }

    /// An intent is written and no answer is known: the create may have been carried out.
    pub(super) fn plan_search<State: AsMut<CoreStatus>, Step>(
        &self,
        mut status: State,
        mut intent: CreateIntent,
        search: &Search,
        calls: Calls<Step>,
    ) -> Plan<State, Step> {
        let Self {
            facts,
            title,
            search_window,
            ..
        } = self;
        let since = intent
            .searched_since
            .get_or_insert_with(|| facts.now.to_string())
            .clone();
        let proven = search.proves_absence(*search_window) && age(&since, facts.now) >= *search_window;
        if proven && !search.others.is_empty() {
            // It was refused for its name, or somebody else took the name meanwhile: as at a first look.
            status.as_mut().create_intent = None;
            return Plan {
                status,
                situation: Situation::Creating {
                    message: format!("no trace of our create of {title}, but of another of that name"),
                    again: false,
                },
                steps: vec![],
                next: Next::Soon,
            };
        }
        let (message, steps, next) = match calls.create {
            Ok(create) if proven => {
                intent.attempts = Some(intent.attempts.unwrap_or(1) + 1);
                intent.time = facts.now.to_string();
                intent.searched_since = None;
                (
                    format!("creates {title} once more: no trace of the first attempt"),
                    vec![create],
                    Next::Soon,
                )
            }
            _ => {
                let message = format!(
                    "the answer to the create of {} was lost; searches for the instance since {}, and creates it anew only after {} without a trace",
                    clock_time(&intent.time),
                    clock_time(&since),
                    minutes(*search_window),
                );
                (message, vec![], Next::Poll)
            }
        };
        status.as_mut().create_intent = Some(intent);
        Plan {
            status,
            situation: Situation::Creating { message, again: false },
            steps,
            next,
        }
    }
}

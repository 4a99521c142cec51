//! Decisions for `ProviderConfig`: a place in the cloud and a Secret that are held as long as anything needs them.

use super::{Facts, Next, Plan, Situation};
use crate::api::provider_config::{EffectiveRate, Identity};
use crate::api::{ProviderConfig, ProviderConfigStatus};

/// What a look shows.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// It is in use or may be used: the credentials work here.
    Usable {
        /// The project's id.
        project_id: String,
        /// The address of DMS.
        endpoint: String,
        /// Whose credentials they are, shortened.
        identity: Identity,
        /// How often the cloud is called at most.
        rate: EffectiveRate,
        /// The Secret carries our finalizer already.
        secret_held: bool,
    },
    /// It is being deleted.
    Leaving {
        /// Objects that still need it (the first few), and how many there are.
        users: (Vec<String>, usize),
        /// The Secrets that we hold and no other ProviderConfig needs.
        held_secrets: Vec<String>,
    },
}

/// What can be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Put our finalizer on the Secret.
    HoldSecret(String),
    /// Take our finalizer off the Secret.
    ReleaseSecret(String),
}

/// Decides.
pub fn plan(config: &ProviderConfig, facts: &Facts<'_>, seen: &Seen) -> Plan<ProviderConfigStatus, Step> {
    let mut status = facts.looked(config.status.clone().unwrap_or_default());
    match seen {
        Seen::Usable {
            project_id,
            endpoint,
            identity,
            rate,
            secret_held,
        } => {
            let secret = config.spec.credentials.secret_ref.name.clone();
            status.project_id = Some(project_id.clone());
            status.endpoint = Some(endpoint.clone());
            status.identity = Some(identity.clone());
            status.rate_limit = Some(rate.clone());
            status.core.served_since.get_or_insert_with(|| facts.now.to_string());
            if *secret_held {
                // Whoever put the finalizer on: the last one that needs the Secret takes it off.
                status.held_secret.get_or_insert_with(|| secret.clone());
            }
            // The old Secret is let go only after the new one is held.
            let steps = match status.held_secret.clone() {
                _ if !secret_held => vec![Step::HoldSecret(secret)],
                Some(old) if old != secret => vec![Step::ReleaseSecret(old)],
                _ => vec![],
            };
            status.core.applied_generation = Some(facts.generation);
            let message = format!("project {project_id} in {}", config.spec.region);
            let next = if steps.is_empty() { Next::Rest } else { Next::Soon };
            Plan {
                status,
                situation: Situation::Healthy { message },
                steps,
                next,
            }
        }
        Seen::Leaving {
            users: (named, count), ..
        } if *count > 0 => {
            let objects = if *count == 1 { "object" } else { "objects" };
            let more = if *count > named.len() { ", ..." } else { "" };
            let message = format!("still needed by {count} {objects}: {}{more}", named.join(", "));
            Plan {
                status,
                situation: Situation::Deleting { message },
                steps: vec![],
                next: Next::Poll,
            }
        }
        Seen::Leaving { held_secrets, .. } => {
            let situation = Situation::Deleting {
                message: "nothing needs it any more".into(),
            };
            let steps: Vec<_> = held_secrets.iter().cloned().map(Step::ReleaseSecret).collect();
            let next = if steps.is_empty() { Next::Release } else { Next::Soon };
            Plan {
                status,
                situation,
                steps,
                next,
            }
        }
    }
}

/// What a step's success writes down.
pub fn settle(config: &ProviderConfig, status: &mut ProviderConfigStatus, step: &Step) {
    match step {
        Step::HoldSecret(name) => {
            status.held_secret.get_or_insert_with(|| name.clone());
        }
        Step::ReleaseSecret(name) => {
            let secret = &config.spec.credentials.secret_ref.name;
            status.held_secret = (secret != name).then(|| secret.clone());
        }
    }
}

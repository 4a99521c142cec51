//! `ProviderConfig`: looks whether the credentials work, and holds the Secret.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::api::{Adoption, CoreStatus, FINALIZER, META_MANAGER, ProviderConfig, ProviderConfigStatus};
use crate::cloud::Fault;
use crate::cloud::kafka::InstanceQuery;
use crate::operator::engine::Round;
use crate::operator::kind::{Effect, Kind, Look, Reference};
use crate::operator::providers::Keys;
use crate::plan::fault::Halt;
use crate::plan::provider_config::{Seen, Step, plan, settle};
use crate::plan::{Plan, Reason};

/// How many users a message names.
const NAMED: usize = 4;

/// The kind.
pub struct ProviderConfigs;

impl Kind for ProviderConfigs {
    // The Secret is not watched: RBAC cannot grant metadata alone.
    const LONGEST_PAUSE: Duration = Duration::from_secs(60);

    type Cr = ProviderConfig;
    type Reach = ();
    type Step = Step;

    fn references(_: &ProviderConfig) -> Vec<Reference> {
        vec![]
    }

    fn claim(_: &ProviderConfig) -> Option<String> {
        None
    }

    fn can_let_go(_: &CoreStatus) -> bool {
        false
    }

    fn abandon_key(cr: &ProviderConfig) -> Option<String> {
        cr.metadata.name.clone()
    }

    fn orphans(_: &ProviderConfig) -> bool {
        false
    }

    async fn look(round: &Round<'_, ProviderConfig>) -> Result<Look<Self>, Halt> {
        let seen = if round.deleting() {
            leaving(round)
        } else {
            usable(round).await?
        };
        let nothing = CoreStatus::default();
        let core = round.cr.status.as_ref().map_or(&nothing, |s| &s.core);
        let facts = round.facts(core, Adoption::IfExists, None, None, round.cx.clock.now());
        let plan: Plan<ProviderConfigStatus, Step> = plan(round.cr, &facts, &seen);
        Ok(Look { reach: (), plan })
    }

    async fn act(round: &Round<'_, ProviderConfig>, (): &(), step: &Step) -> Result<Effect, Halt> {
        let namespace = round.cr.metadata.namespace.clone().unwrap_or_default();
        let (name, hold) = match step {
            Step::HoldSecret(name) => (name, true),
            Step::ReleaseSecret(name) => (name, false),
        };
        hold_secret(round, &namespace, name, hold).await?;
        round.cx.providers.forget_secret(&namespace, name).await;
        Ok(Effect::Done)
    }

    fn creates(_: &Step) -> bool {
        false
    }

    fn settle(cr: &ProviderConfig, status: &mut ProviderConfigStatus, step: &Step, _: Effect, _: Timestamp) {
        settle(cr, status, step);
    }
}

/// The Secret is read at every look, the credentials are tried when it or the spec changed, and at the resync interval.
async fn usable(round: &Round<'_, ProviderConfig>) -> Result<Seen, Halt> {
    let Round { cx, cr, .. } = round;
    let keys = cx.providers.keys(cx, cr, Duration::ZERO).await?;
    let age = if round.is_asked() {
        Duration::ZERO
    } else {
        cr.spec.resync().unwrap_or(cx.config.resync).mul_f64(0.9)
    };
    let outcome = match cx.providers.checked(cr, &keys, age).filter(|_| !round.is_asked()) {
        Some(outcome) => outcome,
        None => {
            let outcome = try_credentials(round, &keys).await;
            let passes = matches!(&outcome, Err(Halt::Cloud(error)) if error.fault() != Fault::Stop);
            if !passes && cx.providers.check(cr, &keys, outcome.clone()) {
                // Whoever stopped for the old credentials can go on.
                cx.rooms.wake_users_of(&Reference::to(*cr));
            }
            outcome
        }
    };
    Ok(Seen::Usable {
        project_id: outcome?,
        identity: keys.identity(),
        secret_held: keys.held,
    })
}

async fn try_credentials(round: &Round<'_, ProviderConfig>, keys: &Keys) -> Result<String, Halt> {
    let Round { cx, cr, .. } = round;
    let known = cr.status.as_ref().and_then(|s| s.project_id.clone());
    let Some(id) = cr.spec.project_id.clone().or(known) else {
        return find_project(round, keys).await;
    };
    let client = cx.providers.client(cx, cr, keys, &id)?;
    // The cheapest call that needs the credentials and the project.
    client
        .list_instances(&InstanceQuery {
            limit: 1,
            ..Default::default()
        })
        .await?;
    Ok(id)
}

async fn find_project(round: &Round<'_, ProviderConfig>, keys: &Keys) -> Result<String, Halt> {
    let Round { cx, cr, .. } = round;
    let client = cx.providers.client(cx, cr, keys, "")?;
    let (field, name) = match &cr.spec.project_name {
        Some(name) => ("spec.projectName", name),
        None => ("spec.region", &cr.spec.region),
    };
    let projects = client.find_projects(Some(name)).await?;
    let named: Vec<_> = projects
        .into_iter()
        .filter(|p| p.name.as_deref().is_none_or(|n| n == name))
        .collect();
    match named.as_slice() {
        [project] => Ok(project.id.clone()),
        found => Err(Halt::Stop(
            Reason::InvalidSpec,
            format!(
                "{field}: {} projects are called {name}, must be exactly one; set spec.projectId",
                found.len()
            ),
        )),
    }
}

fn leaving(round: &Round<'_, ProviderConfig>) -> Seen {
    let Round { cx, cr, .. } = round;
    let users = cx.rooms.users_of(&Reference::to(*cr));
    if users.is_empty() {
        cx.providers.forget(cr);
    }
    let named = users.iter().take(NAMED).map(ToString::to_string).collect();
    let mut held: Vec<String> = cr.status.iter().filter_map(|s| s.held_secret.clone()).collect();
    let current = cr.spec.credentials.secret_ref.name.clone();
    if !held.is_empty() && !held.contains(&current) {
        held.push(current);
    }
    let others = cx.rooms.of::<ProviderConfig>().all();
    held.retain(|secret| {
        !others.iter().any(|other| {
            other.metadata.namespace == cr.metadata.namespace
                && other.metadata.name != cr.metadata.name
                && other.spec.credentials.secret_ref.name == *secret
        })
    });
    // What was taken off already is not taken off again.
    let released = cr.status.as_ref().and_then(|s| s.held_secret.as_ref()).is_none();
    let held_secrets = if released { vec![] } else { held };
    Seen::Leaving {
        users: (named, users.len()),
        held_secrets,
    }
}

async fn hold_secret(round: &Round<'_, ProviderConfig>, namespace: &str, name: &str, hold: bool) -> Result<(), Halt> {
    let api: Api<Secret> = Api::namespaced(round.cx.kube.clone(), namespace);
    let failed = |error: kube::Error| match error {
        kube::Error::Api(status) => Halt::Waiting(format!(
            "the finalizer of Secret {namespace}/{name} cannot be changed: {}",
            status.message
        )),
        _ => Halt::Waiting(format!(
            "the finalizer of Secret {namespace}/{name} cannot be changed: no answer from the API server"
        )),
    };
    let Some(secret) = api.get_opt(name).await.map_err(failed)? else {
        return Ok(());
    };
    let mut finalizers = secret.metadata.finalizers.unwrap_or_default();
    let held = finalizers.iter().any(|f| f == FINALIZER);
    if held == hold {
        return Ok(());
    }
    if hold && secret.metadata.deletion_timestamp.is_some() {
        return Err(Halt::Waiting(format!("Secret {namespace}/{name} is being deleted")));
    }
    finalizers.retain(|f| f != FINALIZER);
    if hold {
        finalizers.push(FINALIZER.into());
    }
    let patch = json!({
        "metadata": { "resourceVersion": secret.metadata.resource_version, "finalizers": finalizers },
    });
    let params = PatchParams {
        field_manager: Some(META_MANAGER.into()),
        ..Default::default()
    };
    api.patch(name, &params, &Patch::Merge(patch)).await.map_err(failed)?;
    Ok(())
}

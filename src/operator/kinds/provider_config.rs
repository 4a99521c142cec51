//! `ProviderConfig`: looks whether the credentials work, and holds the Secret.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Patch, PatchParams};
use kube::{Api, ResourceExt as _};
use serde_json::json;
use tokio::time::timeout;

use crate::api::provider_config::EffectiveRate;
use crate::api::{ABANDON, Adoption, CoreStatus, FINALIZER, META_MANAGER, ProviderConfig, ProviderConfigStatus};
use crate::cloud::{Fault, InstanceQuery, Priority, kafka};
use crate::operator::hub::Hub;
use crate::operator::kind::{Effect, Kind, Look, Reference};
use crate::operator::providers::{Keys, location};
use crate::operator::round::Round;
use crate::operator::writes::KUBE_TIMEOUT;
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

    fn claims(_: &ProviderConfig) -> Vec<String> {
        vec![]
    }

    fn can_let_go(_: &CoreStatus) -> bool {
        false
    }

    // Abandoned or not, the Secret is let go first: see `leaving`.
    fn abandon_key(_: &ProviderConfig) -> Option<String> {
        None
    }

    fn orphans(_: &ProviderConfig) -> bool {
        false
    }

    async fn look(round: &Round<'_, ProviderConfig>) -> Result<Look<Self>, Halt> {
        let seen = if round.deleting() {
            leaving(round).await?
        } else {
            usable(round).await?
        };
        let nothing = CoreStatus::default();
        let core = round.cr.status.as_ref().map_or(&nothing, |s| &s.core);
        let facts = round.facts(core, Adoption::IfExists, None, None, round.cx.clock.now());
        let plan: Plan<ProviderConfigStatus, Step> = plan(round.cr, &facts, &seen);
        let now = facts.now;
        Ok(Look {
            reach: (),
            plan,
            as_of: None,
            now,
        })
    }

    fn hub((): &()) -> Option<&Hub> {
        None
    }

    async fn act(round: &Round<'_, ProviderConfig>, (): &(), step: &Step) -> Result<Effect, Halt> {
        let (name, hold) = match step {
            Step::HoldSecret(name) => (name, true),
            Step::ReleaseSecret(name) if needed_elsewhere(round, name) => return Ok(Effect::Done),
            Step::ReleaseSecret(name) => (name, false),
        };
        hold_secret(round, name, hold).await?;
        round.cx.providers.forget_secret(round.namespace(), name);
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
    let project_id = outcome?;
    let (pace, slowed) = cx.providers.client(cx, cr, &keys, &project_id)?.limiter().pace();
    Ok(Seen::Usable {
        endpoint: location(cr, &project_id)?.endpoint,
        rate: EffectiveRate {
            effective: format!("{}/s", (pace * 100.0).round() / 100.0),
            throttled_by: slowed.then(|| "flow control of the service".into()),
        },
        project_id,
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
    // The cheapest call that needs the credentials and the project; everything waits for it.
    client
        .at(Priority::Edit)
        .list_instances::<kafka::Instance>(&InstanceQuery {
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
    let projects = client.at(Priority::Edit).find_projects(Some(name)).await?;
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

/// What still needs it, and the Secrets to let go. The Secrets themselves tell whether they are held: a crash may have come
/// between their finalizer and our status.
async fn leaving(round: &Round<'_, ProviderConfig>) -> Result<Seen, Halt> {
    let Round { cx, cr, .. } = round;
    let abandoned = cr
        .annotations()
        .get(ABANDON)
        .is_some_and(|name| Some(name) == cr.metadata.name.as_ref());
    let users = if abandoned { vec![] } else { users(round, cr) };
    let mut held_secrets = vec![];
    if users.is_empty() {
        cx.providers.forget(cr);
        let mut names = BTreeSet::from([cr.spec.credentials.secret_ref.name.clone()]);
        names.extend(cr.status.iter().filter_map(|s| s.held_secret.clone()));
        for name in names {
            if !needed_elsewhere(round, &name) && secret(round, &name).await?.is_some_and(|secret| is_held(&secret)) {
                held_secrets.push(name);
            }
        }
    }
    let named = users.iter().take(NAMED).map(ToString::to_string).collect();
    Ok(Seen::Leaving {
        users: (named, users.len()),
        held_secrets,
    })
}

/// The objects that need a ProviderConfig. Those of other namespaces live in an instance that needs it too: once that is gone,
/// they must not hold the namespace of their host.
fn users(round: &Round<'_, ProviderConfig>, config: &ProviderConfig) -> Vec<Reference> {
    let mut users = round.cx.rooms.users_of(&Reference::to(config));
    users.retain(|user| user.namespace == round.namespace());
    users
}

/// Whether another ProviderConfig needs the Secret; one that is only about to go does not, or each would leave it to the
/// other.
fn needed_elsewhere(round: &Round<'_, ProviderConfig>, secret: &str) -> bool {
    let Round { cx, cr, .. } = round;
    let all = cx.rooms.of::<ProviderConfig>().all();
    all.iter().any(|other| {
        other.metadata.namespace == cr.metadata.namespace
            && other.metadata.name != cr.metadata.name
            && other.spec.credentials.secret_ref.name == secret
            && (other.metadata.deletion_timestamp.is_none() || !users(round, other).is_empty())
    })
}

async fn hold_secret(round: &Round<'_, ProviderConfig>, name: &str, hold: bool) -> Result<(), Halt> {
    let Some(secret) = secret(round, name).await? else {
        return Ok(());
    };
    if is_held(&secret) == hold {
        return Ok(());
    }
    if hold && secret.metadata.deletion_timestamp.is_some() {
        return Err(Halt::Polling(format!(
            "Secret {}/{name} is being deleted",
            round.namespace()
        )));
    }
    let mut finalizers = secret.metadata.finalizers.unwrap_or_default();
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
    let (api, patch) = (secrets(round), Patch::Merge(patch));
    let patched = api.patch(name, &params, &patch);
    answer(round, name, "its finalizer cannot be changed", patched).await?;
    Ok(())
}

async fn secret(round: &Round<'_, ProviderConfig>, name: &str) -> Result<Option<Secret>, Halt> {
    let api = secrets(round);
    answer(round, name, "it cannot be read", api.get_opt(name)).await
}

fn secrets(round: &Round<'_, ProviderConfig>) -> Api<Secret> {
    Api::namespaced(round.cx.kube.clone(), round.namespace())
}

fn is_held(secret: &Secret) -> bool {
    secret.metadata.finalizers.iter().flatten().any(|f| f == FINALIZER)
}

async fn answer<T>(
    round: &Round<'_, ProviderConfig>,
    name: &str,
    failed: &str,
    call: impl Future<Output = kube::Result<T>>,
) -> Result<T, Halt> {
    let why = match timeout(KUBE_TIMEOUT, call).await {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(kube::Error::Api(status))) => status.message,
        Ok(Err(_)) | Err(_) => "no answer from the API server".into(),
    };
    Err(Halt::Polling(format!(
        "Secret {}/{name}: {failed}: {why}",
        round.namespace()
    )))
}

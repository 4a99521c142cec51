//! What a user sees of a ProviderConfig, and when its Secret is held and let go.

use serde_json::json;

use super::provider_config::{Seen, Step, plan, settle};
use super::*;
use crate::api::ProviderConfig;
use crate::api::provider_config::{CredentialsType, EffectiveRate, Identity};

fn config(secret: &str) -> ProviderConfig {
    serde_json::from_value(json!({
        "apiVersion": "dms.huaweicloud.com/v1alpha1", "kind": "ProviderConfig",
        "metadata": {"name": "default", "namespace": "shop", "generation": 1},
        "spec": {"region": "eu-west-101", "credentials": {"type": "AccessKey", "secretRef": {"name": secret}}},
    }))
    .unwrap()
}

fn usable(held: bool) -> Seen {
    Seen::Usable {
        project_id: "p1".into(),
        endpoint: "https://dms.eu-west-101.myhuaweicloud.eu".into(),
        identity: Identity {
            kind: CredentialsType::AccessKey,
            access_key: Some("HPUA...X3Q".into()),
            user_name: None,
        },
        rate: EffectiveRate {
            effective: "20/s".into(),
            throttled_by: None,
        },
        secret_held: held,
    }
}

fn leaving(users: &[&str], count: usize, held: &[&str]) -> Seen {
    let own = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    Seen::Leaving {
        users: (own(users), count),
        held_secrets: own(held),
    }
}

/// One look, and its first step carried out.
fn round(config: &mut ProviderConfig, seen: &Seen) -> (String, Vec<Step>) {
    let core = config.status.clone().unwrap_or_default().core;
    let facts = facts(&core, config.metadata.generation);
    let mut plan = plan(config, &facts, seen);
    if let Some(step) = plan.steps.first() {
        settle(config, &mut plan.status, step);
    }
    config.status = Some(plan.status.clone());
    (told(&plan), plan.steps)
}

fn held(config: &ProviderConfig) -> Option<&str> {
    config.status.as_ref()?.held_secret.as_deref()
}

#[test]
fn credentials_that_work_make_it_ready_and_hold_the_secret() {
    let mut config = config("huawei");
    let (told, steps) = round(&mut config, &usable(false));
    assert_eq!(told, "Healthy, Soon: project p1 in eu-west-101");
    assert_eq!(steps, [Step::HoldSecret("huawei".into())]);
    let (told, steps) = round(&mut config, &usable(true));
    assert_eq!(
        (told.as_str(), steps),
        ("Healthy, Rest: project p1 in eu-west-101", vec![])
    );
    let status = config.status.clone().unwrap();
    assert_eq!(status.project_id.as_deref(), Some("p1"));
    assert_eq!(status.core.applied_generation, Some(1));
    round(&mut config, &usable(true));
    assert_eq!(config.status, Some(status));
}

#[test]
fn a_new_secret_is_held_before_the_old_one_is_let_go() {
    let mut old = config("old");
    round(&mut old, &usable(false));
    let mut config = config("new");
    config.status = old.status;
    assert_eq!(round(&mut config, &usable(false)).1, [Step::HoldSecret("new".into())]);
    assert_eq!(held(&config), Some("old"));
    assert_eq!(round(&mut config, &usable(true)).1, [Step::ReleaseSecret("old".into())]);
    assert_eq!(held(&config), Some("new"));
    assert_eq!(round(&mut config, &usable(true)).1, []);
}

#[test]
fn a_secret_that_another_one_holds_already_is_held_by_both() {
    let mut second = config("huawei");
    assert_eq!(round(&mut second, &usable(true)).1, []);
    assert_eq!(held(&second), Some("huawei"));
}

#[test]
fn it_leaves_when_nothing_needs_it_and_its_secrets_go_first() {
    let mut config = config("new");
    round(&mut config, &usable(false));
    let waits = round(&mut config, &leaving(&["Topic shop/a", "Topic shop/b"], 3, &["new"]));
    assert_eq!(
        waits.0,
        "Deleting, Poll: still needed by 3 objects: Topic shop/a, Topic shop/b, ..."
    );
    assert_eq!(waits.1, []);
    config.status.as_mut().unwrap().held_secret = Some("old".into());
    assert_eq!(
        round(&mut config, &leaving(&[], 0, &["old", "new"])).1[0],
        Step::ReleaseSecret("old".into())
    );
    assert_eq!(held(&config), Some("new"));
    assert_eq!(
        round(&mut config, &leaving(&[], 0, &["new"])).1,
        [Step::ReleaseSecret("new".into())]
    );
    assert_eq!(held(&config), None);
    assert_eq!(
        round(&mut config, &leaving(&[], 0, &[])).0,
        "Deleting, Release: nothing needs it any more"
    );
}

#[test]
fn an_old_secret_that_another_one_needs_holds_up_nothing() {
    let mut config = config("new");
    round(&mut config, &usable(false));
    config.status.as_mut().unwrap().held_secret = Some("old".into());
    round(&mut config, &leaving(&[], 0, &["new"]));
    assert_eq!(held(&config), None);
}

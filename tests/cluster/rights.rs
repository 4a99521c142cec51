//! The chart grants what the operator uses, and nothing else.

use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, Subject};
use kube::Api;
use kube::api::ListParams;

use crate::audit::{self, Rights};
use crate::cluster::{ACCOUNT, Cluster};
use crate::run::Run;

/// Runs last: it judges what all other tests made the operator do.
pub async fn all(run: &mut Run, cluster: &Cluster) {
    let complete = run.is_complete() && !run.has_failed();
    run.test("rights::nothing_was_refused", nothing_was_refused(cluster))
        .await;
    if complete {
        run.test("rights::every_right_was_used", every_right_was_used(cluster))
            .await;
    } else {
        println!("test rights::every_right_was_used ... not run: it judges a complete run");
    }
}

async fn nothing_was_refused(cluster: &Cluster) {
    cluster.shop().await;
    let requests = audit::requests_of(ACCOUNT, cluster.audit_log());
    assert!(!requests.is_empty(), "the operator works under another name");
    let refused: Vec<_> = requests.iter().filter(|request| !request.allowed).collect();
    assert!(refused.is_empty(), "{refused:#?}");
}

async fn every_right_was_used(cluster: &Cluster) {
    let requests = audit::requests_of(ACCOUNT, cluster.audit_log());
    let used: Rights = requests.iter().map(audit::Request::right).collect();
    let granted = granted(cluster).await;
    let unused: Vec<_> = granted.difference(&used).collect();
    let missing: Vec<_> = used.difference(&granted).collect();
    assert!(
        unused.is_empty() && missing.is_empty(),
        "granted but never used: {unused:#?}\nused but not granted: {missing:#?}"
    );
}

/// What the bindings of the operator's account grant.
async fn granted(cluster: &Cluster) -> Rights {
    let everything = ListParams::default();
    let client = || cluster.client.clone();
    let (mut roles, mut cluster_roles) = (vec![], vec![]);
    for binding in Api::<RoleBinding>::all(client()).list(&everything).await.unwrap() {
        if is_ours(&binding.subjects) {
            roles.push(binding.role_ref.name);
        }
    }
    for binding in Api::<ClusterRoleBinding>::all(client())
        .list(&everything)
        .await
        .unwrap()
    {
        if is_ours(&binding.subjects) {
            cluster_roles.push(binding.role_ref.name);
        }
    }
    let mut rules = vec![];
    for name in roles {
        rules.extend(
            Api::<Role>::namespaced(client(), "dms-system")
                .get(&name)
                .await
                .unwrap()
                .rules,
        );
    }
    for name in cluster_roles {
        rules.extend(Api::<ClusterRole>::all(client()).get(&name).await.unwrap().rules);
    }
    rules.iter().flatten().flat_map(rights).collect()
}

fn is_ours(subjects: &Option<Vec<Subject>>) -> bool {
    let account = |subject: &Subject| {
        let namespace = subject.namespace.as_deref().unwrap_or_default();
        format!("system:serviceaccount:{namespace}:{}", subject.name)
    };
    subjects
        .iter()
        .flatten()
        .any(|subject| subject.kind == "ServiceAccount" && account(subject) == ACCOUNT)
}

fn rights(rule: &PolicyRule) -> Rights {
    let mut rights = Rights::new();
    for group in rule.api_groups.iter().flatten() {
        for resource in rule.resources.iter().flatten() {
            rights.extend(
                rule.verbs
                    .iter()
                    .map(|verb| (verb.clone(), group.clone(), resource.clone())),
            );
        }
    }
    rights
}

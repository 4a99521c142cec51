//! A namespace always ends, whatever goes first.

use futures::FutureExt as _;

use crate::cluster::Cluster;
use crate::environment::eventually;
use crate::run::Run;

pub async fn all(run: &mut Run, cluster: &Cluster) {
    run.together(vec![
        (
            "namespaces::one_ends_though_the_credentials_went_first",
            ends(
                cluster,
                "credentials-first",
                &["secret/huawei", "secret/huawei-password"],
            )
            .boxed_local(),
        ),
        (
            "namespaces::one_ends_though_the_instances_went_first",
            ends(
                cluster,
                "instances-first",
                &["kafkainstance/events", "rocketmqinstance/shop"],
            )
            .boxed_local(),
        ),
        (
            "namespaces::one_ends_though_the_provider_configs_went_first",
            ends(
                cluster,
                "providers-first",
                &["providerconfig/default", "providerconfig/by-password"],
            )
            .boxed_local(),
        ),
    ])
    .await;
}

/// Everything in a namespace of its own, `what` deleted at once, then the rest.
async fn ends(cluster: &Cluster, namespace: &str, what: &[&str]) {
    cluster.open(namespace, namespace).await;
    for thing in what.iter().copied().chain([format!("namespace/{namespace}").as_str()]) {
        let printed = cluster.kubectl(namespace, &["delete", "--wait=false", thing]).await;
        assert!(printed.success, "{}", printed.err);
    }
    eventually("the namespace is gone", 60, async || {
        let printed = cluster
            .kubectl(
                namespace,
                &["get", "namespace", namespace, "-o", "jsonpath={.status.conditions}"],
            )
            .await;
        if printed.err.contains("NotFound") {
            return Ok(());
        }
        let left = cluster.kubectl(namespace, &["get", "dms"]).await;
        Err(format!("{}\n{}{}", printed.out, left.out, left.err))
    })
    .await;
    let mut left = cluster.cloud.instances().await;
    left.retain(|instance| {
        instance["name"]
            .as_str()
            .is_some_and(|name| name.starts_with(namespace))
    });
    assert!(left.is_empty(), "left in the cloud: {left:#?}");
}

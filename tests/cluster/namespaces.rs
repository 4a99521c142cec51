//! A namespace always ends, whatever goes first.

use futures::FutureExt as _;

use crate::cluster::Cluster;
use crate::environment::eventually;
use crate::run::Run;

pub async fn all(run: &mut Run, cluster: &Cluster) {
    run.together(vec![
        (
            "namespaces::one_ends_though_the_credentials_went_first",
            ends(cluster, "credentials-first", "secret/huawei").boxed_local(),
        ),
        (
            "namespaces::one_ends_though_the_instance_went_first",
            ends(cluster, "instance-first", "kafkainstance/events").boxed_local(),
        ),
        (
            "namespaces::one_ends_though_the_provider_config_went_first",
            ends(cluster, "provider-first", "providerconfig/default").boxed_local(),
        ),
    ])
    .await;
}

/// Everything in a namespace of its own, `what` deleted at once, then the rest.
async fn ends(cluster: &Cluster, namespace: &str, what: &str) {
    cluster.open(namespace, namespace).await;
    for args in [
        ["delete", "--wait=false", what],
        ["delete", "--wait=false", &format!("namespace/{namespace}")],
    ] {
        let printed = cluster.kubectl(namespace, &args).await;
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
    assert!(
        cluster.cloud.instance(namespace).await.is_none(),
        "the instance is left in the cloud"
    );
}

//! A namespace always ends, whatever goes first.

use crate::cluster::Cluster;
use crate::environment::eventually;
use crate::run::Run;

pub async fn all(run: &mut Run, cluster: &Cluster) {
    for (first, what) in [
        ("the_credentials", "secret/huawei"),
        ("the_instance", "kafkainstance/events"),
        ("the_provider_config", "providerconfig/default"),
    ] {
        let test = ends(cluster, first, what);
        run.test(&format!("namespaces::one_ends_though_{first}_went_first"), test)
            .await;
    }
}

/// Everything in a namespace of its own, `what` deleted at once, then the rest.
async fn ends(cluster: &Cluster, first: &str, what: &str) {
    let namespace = first.replace('_', "-");
    cluster.open(&namespace, &namespace).await;
    for args in [
        ["delete", "--wait=false", what],
        ["delete", "--wait=false", &format!("namespace/{namespace}")],
    ] {
        let printed = cluster.kubectl(&namespace, &args).await;
        assert!(printed.success, "{}", printed.err);
    }
    eventually("the namespace is gone", 60, async || {
        let printed = cluster
            .kubectl(
                &namespace,
                &["get", "namespace", &namespace, "-o", "jsonpath={.status.conditions}"],
            )
            .await;
        if printed.err.contains("NotFound") {
            return Ok(());
        }
        let left = cluster.kubectl(&namespace, &["get", "dms"]).await;
        Err(format!("{}\n{}{}", printed.out, left.out, left.err))
    })
    .await;
    assert!(
        cluster.cloud.instance(&namespace).await.is_none(),
        "the instance is left in the cloud"
    );
}

//! An instance that another namespace uses, on a real API server, with nothing but the chart's rights.

use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::environment::until;
use crate::run::Run;

pub async fn all(run: &mut Run, cluster: &Cluster) {
    run.test(
        "tenants::labels_admit_and_both_namespaces_end",
        labels_admit_and_both_namespaces_end(cluster),
    )
    .await;
}

async fn labels_admit_and_both_namespaces_end(cluster: &Cluster) {
    cluster.with_operator().await;
    for namespace in ["platform", "payments"] {
        cluster.make_namespace(namespace).await;
    }
    let read = |name: &str| {
        let text = std::fs::read_to_string(format!("examples/tenancy/{name}.yaml")).unwrap();
        let mut objects: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
        objects.retain(|object| object["kind"] != "Namespace");
        objects
    };
    let mut platform = read("platform");
    platform[0]["spec"]["allowedNamespaces"] = json!([{"name": "gold", "selector": {"matchLabels": {"tier": "gold"}}, "kinds": ["Topic", "ConsumerGroup", "KafkaUserQuota"]}]);
    let ours = json!([
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "huawei"}, "stringData": cluster.keys()},
        {
            "apiVersion": "dms.huaweicloud.com/v1alpha1", "kind": "ProviderConfig", "metadata": {"name": "default"},
            "spec": {
                "region": "eu-west-101", "endpoints": cluster.endpoints(),
                "credentials": {"type": "AccessKey", "secretRef": {"name": "huawei"}},
            },
        },
    ]);
    platform.extend(ours.as_array().unwrap().clone());
    cluster.apply("platform", &platform).await;
    cluster.apply("payments", &read("payments")).await;
    let orders = ("Topic", "payments", "orders");
    let said = cluster.condition(orders, ("Stalled", "True", "NotAllowed")).await;
    assert!(said.contains("ask the owner of platform/shared"), "{said}");
    let label = ["label", "namespace", "payments", "tier=gold"];
    assert!(cluster.kubectl("payments", &label).await.success);
    let wait = ["wait", "--for=condition=Ready", "--timeout=60s", "dms", "--all"];
    let waited = cluster.kubectl("payments", &wait).await;
    assert!(waited.success, "{}", waited.err);
    for namespace in ["platform", "payments"] {
        let delete = ["delete", "--wait=false", "namespace", namespace];
        assert!(cluster.kubectl(namespace, &delete).await.success);
        until("the namespace is gone", 60, async || {
            let printed = cluster.kubectl(namespace, &["get", "namespace", namespace]).await;
            printed.err.contains("NotFound")
        })
        .await;
    }
    assert!(cluster.cloud.instance("shared").await.is_none());
}

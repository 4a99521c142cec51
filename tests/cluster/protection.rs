//! Who is protected from deletion stays: the API server refuses it, and where it does not, the operator holds.

use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::environment::{eventually, until};
use crate::run::Run;

const BINDING: &str = "validatingadmissionpolicybinding/dms-operator-deletion-protection";
const REFUSAL: &str = "spec.management.deletionProtection is true: set it to false first";

pub async fn all(run: &mut Run, cluster: &Cluster) {
    run.test(
        "protection::the_api_server_refuses_and_else_the_operator_holds",
        the_api_server_refuses_and_else_the_operator_holds(cluster),
    )
    .await;
    run.test(
        "protection::a_dying_namespace_waits_for_what_is_protected",
        a_dying_namespace_waits_for_what_is_protected(cluster),
    )
    .await;
}

fn protected(kind: &str, spec: Value) -> Value {
    let mut object = json!({
        "apiVersion": "dms.huaweicloud.com/v1alpha1", "kind": kind, "metadata": {"name": "kept"}, "spec": spec,
    });
    let kafka = json!({"kind": "KafkaInstance", "name": "events"});
    object["spec"]["instanceRef"] = kafka;
    object["spec"]["management"] = json!({"deletionProtection": true});
    object
}

/// One of each kind that can be protected; none needs to be there to be refused.
fn objects() -> [Value; 3] {
    [
        protected("Topic", json!({"kafka": {"partitions": 1}})),
        protected("ConsumerGroup", json!({})),
        protected("KafkaUserQuota", json!({"client": "kept", "producerByteRate": 1})),
    ]
}

fn name_of(object: &Value) -> String {
    format!("{}/kept", object["kind"].as_str().expect("a kind").to_lowercase())
}

/// Lets it go, or protects it again.
async fn protect(cluster: &Cluster, namespace: &str, name: &str, yes: bool) {
    let patch = json!({"spec": {"management": {"deletionProtection": yes}}}).to_string();
    let printed = cluster
        .kubectl(namespace, &["patch", name, "--type=merge", "-p", &patch])
        .await;
    assert!(printed.success, "{}", printed.err);
}

/// Waits until the API server lets a deletion pass, or refuses it: it learns late of policies.
async fn passes(cluster: &Cluster, name: &str, passes: bool) {
    until(&format!("{name} can be deleted: {passes}"), 30, async || {
        let args = ["delete", name, "--wait=false", "--dry-run=server"];
        let printed = cluster.kubectl("shop", &args).await;
        assert!(printed.success || printed.err.contains(REFUSAL), "{}", printed.err);
        printed.success == passes
    })
    .await;
}

async fn the_api_server_refuses_and_else_the_operator_holds(cluster: &Cluster) {
    cluster.shop().await;
    cluster.apply("shop", &objects()).await;
    let names = objects().map(|object| name_of(&object));
    for name in &names {
        let args = ["wait", "--for=condition=Ready", "--timeout=45s", name];
        assert!(cluster.kubectl("shop", &args).await.success, "{name}");
        passes(cluster, name, false).await;
    }
    // Who deletes many at once is told the same.
    let all = [
        "delete",
        "topics",
        "--field-selector=metadata.name=kept",
        "--wait=false",
    ];
    let printed = cluster.kubectl("shop", &all).await;
    assert!(!printed.success && printed.err.contains(REFUSAL), "{}", printed.err);

    // Without the chart's policy the operator holds what was asked to go.
    let [topic, group, quota] = &names;
    let kept = cluster.kubectl("shop", &["get", BINDING, "-o", "json"]).await.out;
    assert!(cluster.kubectl("shop", &["delete", BINDING]).await.success);
    passes(cluster, topic, true).await;
    let printed = cluster.kubectl("shop", &["delete", topic, "--wait=false"]).await;
    assert!(printed.success, "{}", printed.err);
    let blocked = ("Stalled", "True", "DeletionBlocked");
    let said = cluster.condition(("Topic", "shop", "kept"), blocked).await;
    assert!(said.contains("set it to false"), "{said}");
    protect(cluster, "shop", topic, false).await;
    gone(cluster, "shop", topic).await;

    // The same policy without Helm.
    let plain = "policies/deletion-protection.yaml";
    assert!(cluster.kubectl("shop", &["apply", "-f", plain]).await.success);
    passes(cluster, group, false).await;
    assert!(cluster.kubectl("shop", &["delete", "-f", plain]).await.success);

    let mut binding: Value = serde_json::from_str(&kept).unwrap();
    binding["metadata"]
        .as_object_mut()
        .unwrap()
        .retain(|key, _| key == "name" || key == "labels" || key == "annotations");
    cluster.apply("shop", &[binding]).await;
    passes(cluster, group, false).await;
    for name in [group, quota] {
        protect(cluster, "shop", name, false).await;
        let printed = cluster.kubectl("shop", &["delete", name, "--wait=false"]).await;
        assert!(printed.success, "{}", printed.err);
        gone(cluster, "shop", name).await;
    }
}

async fn a_dying_namespace_waits_for_what_is_protected(cluster: &Cluster) {
    cluster.open("protected", "protected").await;
    protect(cluster, "protected", "topic/orders", true).await;
    let printed = cluster
        .kubectl("protected", &["delete", "--wait=false", "namespace/protected"])
        .await;
    assert!(printed.success, "{}", printed.err);
    // The namespace says what holds it.
    eventually("the namespace says why", 60, async || {
        let args = ["get", "namespace", "protected", "-o", "jsonpath={.status.conditions}"];
        let said = cluster.kubectl("protected", &args).await.out;
        if said.contains(REFUSAL) { Ok(()) } else { Err(said) }
    })
    .await;
    gone(cluster, "protected", "consumergroup/billing").await;
    let topic = cluster.object("Topic", "protected", "orders").await;
    assert!(topic["metadata"]["deletionTimestamp"].is_null(), "{topic}");
    protect(cluster, "protected", "topic/orders", false).await;
    gone(cluster, "protected", "namespace/protected").await;
}

async fn gone(cluster: &Cluster, namespace: &str, name: &str) {
    eventually(&format!("{name} is gone"), 90, async || {
        let printed = cluster.kubectl(namespace, &["get", name, "-o", "yaml"]).await;
        if printed.err.contains("NotFound") {
            Ok(())
        } else {
            Err(printed.out)
        }
    })
    .await;
}

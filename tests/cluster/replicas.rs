//! Starting, stopping, dying, and taking turns.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use serde_json::Value;

use crate::cluster::Cluster;
use crate::environment::until;
use crate::operator::Operator;
use crate::run::Run;

pub async fn all(run: &mut Run, cluster: &Cluster) {
    run.test("replicas::the_metrics_can_be_read", the_metrics_can_be_read(cluster))
        .await;
    run.test(
        "replicas::a_standby_takes_over_at_once_from_one_that_is_stopped",
        a_standby_takes_over(cluster),
    )
    .await;
    run.test(
        "replicas::one_that_is_killed_is_followed_when_its_lease_has_run_out",
        killed(cluster),
    )
    .await;
    run.test(
        "replicas::a_restart_writes_nothing_to_objects_at_rest",
        a_restart_writes_nothing(cluster),
    )
    .await;
}

async fn the_metrics_can_be_read(cluster: &Cluster) {
    cluster.shop().await;
    let operator = cluster.operator.lock().await;
    let (code, text) = operator
        .as_ref()
        .expect("it runs")
        .page("/metrics")
        .await
        .expect("it listens");
    assert_eq!(code, 200);
    for line in [
        "# TYPE dms_operator_cloud_calls counter",
        "# UNIT dms_operator_cloud_call_seconds seconds",
        "# TYPE dms_operator_reconcile_seconds histogram",
        "# TYPE dms_operator_interrupted_rounds counter",
        "dms_operator_leader 1",
        "dms_operator_cloud_calls_total{operation=\"CreateInstanceByEngine\",outcome=\"ok\"}",
        "dms_operator_reconcile_seconds_count{kind=\"KafkaInstance\"}",
        "dms_operator_reconcile_seconds_count{kind=\"RocketMQInstance\"}",
        "dms_operator_reconcile_seconds_count{kind=\"ConsumerGroup\"}",
        "dms_operator_cloud_calls_total{operation=\"KeystoneCreateUserTokenByPassword\",outcome=\"ok\"}",
        "# EOF",
    ] {
        assert!(text.contains(line), "{line} is not in:\n{text}");
    }
}

async fn a_standby_takes_over(cluster: &Cluster) {
    cluster.shop().await;
    let mut operator = cluster.operator.lock().await;
    let standby = cluster.start_operator();
    standby.becomes("standby", 20).await;
    assert!(
        standby
            .page("/metrics")
            .await
            .expect("it listens")
            .1
            .contains("dms_operator_leader 0")
    );
    let mut first = operator.take().expect("it runs");
    let ended = first.terminate().await;
    assert_eq!(ended.code(), Some(0), "it ends in peace");
    // It asks every 2.5 s, and the lease lasts 15: so it was given back.
    let taken = standby.becomes("leading", 20).await;
    assert!(
        taken < Duration::from_secs(8),
        "the lease was not given back: taken over after {taken:?}"
    );
    edited(cluster, &standby, "72").await;
    *operator = Some(standby);
}

async fn killed(cluster: &Cluster) {
    cluster.shop().await;
    let mut operator = cluster.operator.lock().await;
    let before = holder(cluster).await;
    operator.take().expect("it runs").kill();
    let successor = cluster.start_operator();
    successor.becomes("standby", 20).await;
    assert_eq!(holder(cluster).await, before, "the lease of the dead one still holds");
    let waited = successor.becomes("leading", 40).await;
    assert!(
        waited < Duration::from_secs(25),
        "the lease holds for 15 s only: {waited:?}"
    );
    assert_ne!(holder(cluster).await, before);
    edited(cluster, &successor, "96").await;
    *operator = Some(successor);
}

async fn a_restart_writes_nothing(cluster: &Cluster) {
    cluster.shop().await;
    let versions = async || {
        let printed = cluster
            .kubectl(
                "shop",
                &[
                    "get",
                    "dms",
                    "-o",
                    "jsonpath={range .items[*]}{.kind} {.metadata.resourceVersion}\n{end}",
                ],
            )
            .await;
        assert!(printed.success, "{}", printed.err);
        printed.out
    };
    let before = versions().await;
    let mut operator = cluster.operator.lock().await;
    assert_eq!(operator.take().expect("it runs").terminate().await.code(), Some(0));
    let fresh = cluster.start_operator();
    fresh.becomes("leading", 20).await;
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert_eq!(versions().await, before, "nothing had changed");
    *operator = Some(fresh);
}

/// An edit arrives in the cloud: the operator works.
async fn edited(cluster: &Cluster, operator: &Operator, hours: &str) {
    let patch = format!(r#"{{"spec":{{"kafka":{{"retentionHours":{hours}}}}}}}"#);
    assert!(
        cluster
            .kubectl("shop", &["patch", "topic/audit", "--type=merge", "-p", &patch])
            .await
            .success
    );
    until("the edit arrives", 20, async || {
        let topic = cluster.cloud.topic("events", "shop.audit").await.expect("it is there");
        number(&topic["retention_time"]) == hours
    })
    .await;
    cluster
        .condition(("Topic", "shop", "audit"), ("Ready", "True", "Available"))
        .await;
    assert_eq!(operator.page("/livez").await, Some((200, "ok".into())));
}

fn number(value: &Value) -> String {
    value.to_string().trim_matches('"').to_owned()
}

async fn holder(cluster: &Cluster) -> Option<String> {
    let api: Api<Lease> = Api::namespaced(cluster.client.clone(), "dms-system");
    api.get("dms-operator").await.unwrap().spec?.holder_identity
}

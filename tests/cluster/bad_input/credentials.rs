//! Credentials that are not there, are wrong, or would go where they must not.

use serde_json::json;

use super::{WATCHED, example, gone, recovers};
use crate::cluster::{Cluster, merged};

pub async fn a_missing_secret_is_waited_for(cluster: &Cluster) {
    cluster.with_operator().await;
    let namespace = "no-secret";
    cluster.make_namespace(namespace).await;
    cluster
        .apply(namespace, &[example(cluster, "ProviderConfig", "default")])
        .await;
    let place = ("ProviderConfig", namespace, "default");
    let why = cluster
        .condition(place, ("Ready", "False", "WaitingForReference"))
        .await;
    assert!(why.contains("Secret no-secret/huawei does not exist"), "{why}");

    let half = merged(
        &example(cluster, "Secret", "huawei"),
        &json!({"stringData": {"secretKey": null}}),
    );
    cluster.apply(namespace, &[half]).await;
    let why = cluster.condition(place, ("Stalled", "True", "InvalidSpec")).await;
    assert!(why.contains("secretKey is missing"), "{why}");

    cluster.apply(namespace, &[example(cluster, "Secret", "huawei")]).await;
    recovers(cluster, place).await;
    gone(cluster, namespace, &format!("namespace/{namespace}")).await;
}

pub async fn wrong_keys(cluster: &Cluster) {
    cluster.with_operator().await;
    let namespace = "wrong-keys";
    cluster.make_namespace(namespace).await;
    let secret = example(cluster, "Secret", "huawei");
    let wrong = merged(&secret, &json!({"stringData": {"secretKey": "this-is-not-the-key"}}));
    cluster
        .apply(namespace, &[example(cluster, "ProviderConfig", "default"), wrong])
        .await;
    let place = ("ProviderConfig", namespace, "default");
    let why = cluster.condition(place, ("Stalled", "True", "AccessDenied")).await;
    assert!(
        why.contains("APIGW.0301") && why.contains("request "),
        "the code and the request id: {why}"
    );
    assert!(!why.contains("this-is-not-the-key"), "{why}");
    tokio::time::sleep(WATCHED).await;
    let refused = cluster
        .cloud
        .calls()
        .await
        .iter()
        .filter(|call| call["status"] == 401)
        .count();
    assert!(
        (1..=4).contains(&refused),
        "{refused} calls with keys that are known to be wrong"
    );

    cluster.apply(namespace, &[secret]).await;
    recovers(cluster, place).await;
    gone(cluster, namespace, &format!("namespace/{namespace}")).await;
}

pub async fn a_wrong_password(cluster: &Cluster) {
    cluster.with_operator().await;
    let namespace = "wrong-password";
    cluster.make_namespace(namespace).await;
    let secret = example(cluster, "Secret", "huawei-password");
    let wrong = merged(
        &secret,
        &json!({"stringData": {"password": "this-is-not-the-password"}}),
    );
    cluster
        .apply(namespace, &[example(cluster, "ProviderConfig", "by-password"), wrong])
        .await;
    let place = ("ProviderConfig", namespace, "by-password");
    let why = cluster.condition(place, ("Stalled", "True", "AccessDenied")).await;
    // IAM's refusals have no code.
    assert!(
        why.contains("(401, request ") && why.contains("check the credentials"),
        "the status and the request id: {why}"
    );
    assert!(!why.contains("this-is-not-the-password"), "{why}");
    tokio::time::sleep(WATCHED).await;
    let calls = cluster.cloud.calls().await;
    let tries = calls
        .iter()
        .filter(|call| call["operation"] == "KeystoneCreateUserTokenByPassword" && call["status"] == 401);
    let tries = tries.count();
    assert!(
        (1..=4).contains(&tries),
        "{tries} calls with a password that is known to be wrong"
    );

    cluster.apply(namespace, &[secret]).await;
    recovers(cluster, place).await;
    gone(cluster, namespace, &format!("namespace/{namespace}")).await;
}

pub async fn an_endpoint_that_is_not_allowed(cluster: &Cluster) {
    cluster.with_operator().await;
    let namespace = "endpoint";
    cluster.make_namespace(namespace).await;
    let elsewhere = json!({"spec": {"endpoints": {"dms": "https://dms.attacker.example"}}});
    let config = merged(&example(cluster, "ProviderConfig", "default"), &elsewhere);
    cluster
        .apply(namespace, &[config, example(cluster, "Secret", "huawei")])
        .await;
    let why = cluster
        .condition(
            ("ProviderConfig", namespace, "default"),
            ("Stalled", "True", "InvalidSpec"),
        )
        .await;
    assert!(
        why.contains("spec.endpoints.dms") && why.contains("allowed endpoints"),
        "{why}"
    );
    let plain = json!({"spec": {"endpoints": {"dms": "http://dms.eu-west-101.myhuaweicloud.eu"}}});
    let why = cluster
        .refused(
            namespace,
            &merged(&example(cluster, "ProviderConfig", "default"), &plain),
        )
        .await;
    assert!(why.contains("spec.endpoints.dms"), "{why}");
    gone(cluster, namespace, &format!("namespace/{namespace}")).await;
}

use axum::body::Body;
use axum::http::{HeaderValue, Request};
use serde_json::{Value, json};

use super::super::{Effect, LostAnswer};
use super::*;

const ZONES: &str = "/v2/available-zones";

/// The printed body, with the known user and a scope.
fn asked(cloud: &Cloud, scope: Value) -> Value {
    let config = cloud.simulator.config();
    json!({"auth": {
        "identity": {"methods": ["password"], "password": {"user": {
            "name": config.user_name,
            "password": config.user_password.expose_secret(),
            "domain": {"name": config.domain_name},
        }}},
        "scope": scope,
    }})
}

async fn ask(cloud: &Cloud, body: Value) -> Answer {
    let request = Request::builder()
        .method("POST")
        .uri("/v3/auth/tokens")
        .header("content-type", "application/json");
    cloud.send(request.body(Body::from(body.to_string())).unwrap()).await
}

async fn token(cloud: &Cloud, project: &str) -> String {
    let answer = ask(cloud, asked(cloud, json!({"project": {"name": project}}))).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.headers["x-subject-token"].to_str().unwrap().to_owned()
}

async fn with_token(cloud: &Cloud, token: &str, path: &str) -> Answer {
    let path = path.replace("{p}", &cloud.simulator.config().project_id);
    let request = Request::builder().uri(path).header("x-auth-token", token);
    cloud.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test(start_paused = true)]
async fn a_token_stands_for_a_signature() {
    let cloud = Cloud::new();
    let answer = ask(&cloud, asked(&cloud, json!({"project": {"name": "eu-west-101"}}))).await;
    let body = answer.json();
    assert_eq!(
        (&body["token"]["issued_at"], &body["token"]["expires_at"]),
        (
            &json!("2026-11-22T12:00:00.000000Z"),
            &json!("2026-11-23T12:00:00.000000Z")
        )
    );
    let project = &cloud.simulator.config().project_id;
    assert_eq!(body["token"]["project"]["id"], **project);
    let by_id = ask(&cloud, asked(&cloud, json!({"project": {"id": project}}))).await;
    assert_eq!(by_id.status, 201);
    let token = answer.headers["x-subject-token"].to_str().unwrap();
    for path in [ZONES, "/v3/projects", "/v2/{p}/instances?engine=reliability"] {
        assert_eq!(with_token(&cloud, token, path).await.status, 200, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_ends_is_revoked_or_never_was() {
    let cloud = Cloud::new();
    let known = token(&cloud, "eu-west-101").await;
    assert_eq!(
        with_token(&cloud, "MIIPAgYJ", ZONES).await.refusal(),
        (401, "DMS.10240101".into())
    );
    let other = token(&cloud, "eu-west-101_team").await;
    assert_eq!(
        with_token(&cloud, &other, "/v2/{p}/instances?engine=kafka")
            .await
            .refusal(),
        (401, "DMS.10240104".into())
    );
    let advance = |seconds: u32| cloud.control("POST", "clock", json!({"advanceSeconds": seconds}));
    advance(24 * 3600 - 1).await;
    assert_eq!(with_token(&cloud, &known, ZONES).await.status, 200);
    advance(1).await;
    assert_eq!(
        with_token(&cloud, &known, ZONES).await.refusal(),
        (401, "DMS.10240102".into())
    );
    let known = token(&cloud, "eu-west-101").await;
    assert_eq!(cloud.control("DELETE", "tokens", Value::Null).await.status, 204);
    assert_eq!(
        with_token(&cloud, &known, ZONES).await.refusal(),
        (401, "DMS.10240101".into())
    );
    let mut unsigned = cloud.request("GET", ZONES, None);
    unsigned.headers_mut().remove("authorization");
    assert_eq!(cloud.send(unsigned).await.refusal(), (401, "APIGW.0301".into()));
    let mut both = cloud.request("GET", ZONES, None);
    both.headers_mut()
        .insert("x-auth-token", HeaderValue::from_static("MIIPAgYJ"));
    assert_eq!(
        cloud.send(both).await.refusal(),
        (401, "DMS.10240101".into()),
        "a signature does not make a bad token good"
    );
}

#[tokio::test(start_paused = true)]
async fn who_is_not_known_gets_no_token_and_iams_words() {
    let cloud = Cloud::new();
    let scope = json!({"project": {"name": "eu-west-101"}});
    for key in ["name", "password"] {
        let mut body = asked(&cloud, scope.clone());
        body["auth"]["identity"]["password"]["user"][key] = json!("wrong");
        let answer = ask(&cloud, body).await;
        let error = json!({"code": 401, "message": "The username or password is wrong.", "title": "Unauthorized"});
        assert_eq!((answer.status, answer.json()), (401, json!({"error": error})), "{key}");
        assert!(!answer.headers.contains_key("x-subject-token"));
    }
    for (scope, status) in [
        (json!({"project": {"name": "eu-west-102"}}), 401),
        (json!({"project": {"id": "eu-west-101"}}), 401),
        (json!({"domain": {"name": "simulator-account"}}), 400),
        (Value::Null, 400),
    ] {
        let answer = ask(&cloud, asked(&cloud, scope.clone())).await;
        assert_eq!(
            (answer.status, &answer.json()["error"]["code"]),
            (status, &json!(status)),
            "{scope}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_password_is_recorded_nowhere() {
    let cloud = Cloud::new();
    token(&cloud, "eu-west-101").await;
    ask(&cloud, json!({"name": "simulator-password-of-no-value"})).await;
    let calls = cloud.control("GET", "calls", Value::Null).await;
    assert_eq!(calls.json()[0]["operation"], "KeystoneCreateUserTokenByPassword");
    assert_eq!(calls.json()[0]["status"], 201);
    let state = cloud.control("GET", "state", Value::Null).await;
    for text in [calls.text, state.text] {
        assert!(!text.contains("password-of-no-value"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn iam_fails_on_demand_as_well() {
    let cloud = Cloud::new();
    cloud.fault(
        "KeystoneCreateUserTokenByPassword",
        Effect {
            lost: Some(LostAnswer::After),
            ..Effect::default()
        },
    );
    let body = asked(&cloud, json!({"project": {"name": "eu-west-101"}}));
    assert!(ask(&cloud, body.clone()).await.lost);
    assert_eq!(ask(&cloud, body).await.status, 201);
}

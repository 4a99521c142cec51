//! What a user of the API sees, each awkwardness once; signed calls through the router, under paused time.

mod batches;
mod control;
mod gateway;
mod groups;
mod instances;
mod quotas_tags;
mod rocketmq_groups;
mod rocketmq_instances;
mod rocketmq_topics;
mod tokens;
mod topics;
mod usage;

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, Response};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tower::ServiceExt;

use super::{Config, Effect, Fault, Simulator, is_lost};
use crate::clock::Clock;

const ZONE_A: &str = "d539378ec1314c85b76fefa3f7071458";

/// A simulator and somebody who knows its keys.
pub(super) struct Cloud {
    pub(super) simulator: Simulator,
    router: Router,
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
    pub(super) lost: bool,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// Status and error code, for one comparison.
    pub(super) fn refusal(&self) -> (u16, String) {
        (
            self.status,
            self.json()["error_code"].as_str().unwrap_or_default().to_owned(),
        )
    }
}

impl Cloud {
    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(super) fn with(change: impl FnOnce(&mut Config)) -> Self {
        let clock = Clock::anchored("2026-11-22T12:00:00Z".parse().unwrap());
        let mut config = Config {
            rate_limit: None,
            clock,
            ..Config::default()
        };
        change(&mut config);
        let simulator = Simulator::new(config);
        Self {
            router: simulator.router(),
            simulator,
        }
    }

    /// A signed call; `{p}` in the path is the project.
    pub(super) async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.send(self.request(method, path, body)).await
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, None).await
    }

    pub(super) fn request(&self, method: &str, path: &str, body: Option<Value>) -> Request<Body> {
        self.request_as(
            &self.simulator.config().access_key,
            &["host", "x-sdk-date"],
            method,
            path,
            body,
        )
    }

    /// A request with the right secret key, as another user or with other headers signed.
    pub(super) fn request_as(
        &self,
        access_key: &str,
        signed: &[&str],
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Request<Body> {
        let config = self.simulator.config();
        let path = path.replace("{p}", &config.project_id);
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let date = self.simulator.time().strftime("%Y%m%dT%H%M%SZ").to_string();
        let (uri, query) = path.split_once('?').unwrap_or((&path, ""));
        let mut query: Vec<_> = query.split('&').collect();
        query.sort_unstable();
        let value = |name: &str| {
            if name == "host" {
                "cloud".to_owned()
            } else {
                date.clone()
            }
        };
        let headers: String = signed.iter().map(|name| format!("{name}:{}\n", value(name))).collect();
        let signed = signed.join(";");
        let canonical = format!(
            "{method}\n{uri}/\n{}\n{headers}\n{signed}\n{}",
            query.join("&"),
            hex::encode(Sha256::digest(&body)),
        );
        let text = format!("SDK-HMAC-SHA256\n{date}\n{}", hex::encode(Sha256::digest(canonical)));
        let mut mac = Hmac::<Sha256>::new_from_slice(config.secret_key.expose_secret().as_bytes()).unwrap();
        mac.update(text.as_bytes());
        let signature = hex::encode(mac.finalize().into_bytes());
        let authorization =
            format!("SDK-HMAC-SHA256 Access={access_key}, SignedHeaders={signed}, Signature={signature}");
        Request::builder()
            .method(method)
            .uri(&path)
            .header("content-type", "application/json")
            .header("host", "cloud")
            .header("x-sdk-date", date)
            .header("authorization", authorization)
            .body(Body::from(body))
            .unwrap()
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Answer {
        let response: Response<Body> = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers, lost) = (
            response.status().as_u16(),
            response.headers().clone(),
            is_lost(&response),
        );
        let bytes = to_bytes(response.into_body(), usize::MAX).await;
        assert_eq!(bytes.is_err(), lost, "the body of a lost answer breaks, others do not");
        let text = String::from_utf8(bytes.unwrap_or_default().into()).unwrap();
        Answer {
            status,
            headers,
            text,
            lost,
        }
    }

    /// An unsigned call to the control side.
    pub(super) async fn control(&self, method: &str, path: &str, body: Value) -> Answer {
        let request = Request::builder().method(method).uri(format!("/_simulator/{path}"));
        let request = request
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()));
        self.send(request.unwrap()).await
    }

    pub(super) fn fault(&self, operation: &str, effect: Effect) {
        self.simulator.add_fault(Fault {
            operation: operation.into(),
            effect,
            ..Fault::default()
        });
    }

    /// The id of a new instance, still being created.
    pub(super) async fn create(&self, name: &str) -> String {
        let answer = self
            .call("POST", "/v2/kafka/{p}/instances", Some(order(json!({"name": name}))))
            .await;
        answer.json()["instance_id"].as_str().expect(&answer.text).to_owned()
    }

    /// The path of an instance that runs.
    pub(super) async fn running(&self) -> String {
        let id = self.create("events").await;
        minutes(16).await;
        format!("/v2/{{p}}/instances/{id}")
    }

    /// The id of a new RocketMQ instance of that version, still being created.
    pub(super) async fn create_rocketmq(&self, version: &str) -> String {
        let order = if version == "5.x" {
            rocketmq(json!({"engine_version": "5.x", "product_id": "rocketmq.b1.large.1", "storage_space": 200}))
        } else {
            rocketmq(json!({"engine_version": version, "broker_num": 2}))
        };
        let answer = self.call("POST", "/v2/reliability/{p}/instances", Some(order)).await;
        answer.json()["instance_id"].as_str().expect(&answer.text).to_owned()
    }

    /// The path of a RocketMQ instance that runs; one of 4.8.0 has two brokers.
    pub(super) async fn running_rocketmq(&self, version: &str) -> String {
        let id = self.create_rocketmq(version).await;
        minutes(16).await;
        format!("/v2/{{p}}/instances/{id}")
    }

    pub(super) async fn status(&self, instance: &str) -> String {
        let answer = self.get(instance).await;
        answer.json()["status"].as_str().unwrap_or("absent").to_owned()
    }

    pub(super) async fn topic(&self, instance: &str, name: &str) -> Answer {
        self.call("POST", &format!("{instance}/topics"), Some(json!({"id": name})))
            .await
    }
}

/// The body of a good creation, with some fields otherwise; `null` leaves one out.
pub(super) fn order(otherwise: Value) -> Value {
    let mut body = json!({
        "name": "events",
        "engine": "kafka",
        "engine_version": "2.7",
        "broker_num": 3,
        "storage_space": 300,
        "product_id": "c6.2u4g.cluster",
        "storage_spec_code": "dms.physical.storage.ultra.v2",
        "vpc_id": "ead6c5ff",
        "subnet_id": "3cb6afa2",
        "security_group_id": "aa75ae22",
        "available_zones": [ZONE_A],
    });
    merge(&mut body, &otherwise);
    body
}

/// The same for RocketMQ; the printed example, with a zone of this cloud.
pub(super) fn rocketmq(otherwise: Value) -> Value {
    let mut body = json!({
        "name": "reliability-1751840557",
        "description": "",
        "engine": "reliability",
        "engine_version": "4.8.0",
        "storage_space": 600,
        "vpc_id": "3db8490c-4d6d-4d8f-8d3f-047b0de4c5cf",
        "subnet_id": "0a0f1fcf-f019-458d-b9e5-301867394d50",
        "security_group_id": "23c5977f-ff33-4b95-a73e-08d8a0bc4e6c",
        "available_zones": ["9f1c5806706d4c1fb0eb72f0a9b18c77"],
        "product_id": "c6.4u8g.cluster",
        "enterprise_project_id": "0",
        "ssl_enable": false,
        "storage_spec_code": "dms.physical.storage.ultra.v2",
        "ipv6_enable": false,
        "enable_publicip": false,
        "publicip_id": "",
        "broker_num": 1,
    });
    merge(&mut body, &otherwise);
    body
}

fn merge(body: &mut Value, otherwise: &Value) {
    for (key, value) in otherwise.as_object().unwrap() {
        body[key] = value.clone();
    }
}

pub(super) async fn seconds(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

pub(super) async fn minutes(minutes: u64) {
    seconds(60 * minutes).await;
}

/// The strings at `key` of the objects in the list at `list`.
pub(super) fn names(body: &Value, list: &str, key: &str) -> Vec<String> {
    body[list]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item[key].as_str().unwrap().to_owned())
        .collect()
}

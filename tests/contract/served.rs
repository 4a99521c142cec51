//! What the simulator serves: the client's operations, and what only other clients use.

use std::collections::BTreeSet;

use axum::body::{Body, to_bytes};
use dms_operator::cloud::{Engine, Operation};
use dms_operator::simulator::{Config, Simulator};
use http::Request;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::calls::Line;
use crate::definitions::definitions;

/// Served, but not called by our client: it reads lists and deletes in batches, which is fewer calls.
const FOR_OTHERS: [(Engine, &str); 6] = [
    (Engine::Kafka, "DeleteInstanceConsumerGroup"),
    (Engine::Kafka, "ListInstanceConsumerGroup"),
    (Engine::RocketMq, "DeleteConsumerGroup"),
    (Engine::RocketMq, "DeleteTopic"),
    (Engine::RocketMq, "ShowGroup"),
    (Engine::RocketMq, "ShowOneTopic"),
];

/// Not served, but the path is that of a served operation with the last word as a name.
const SHADOWED: [(Engine, &str, &str); 1] = [(Engine::Kafka, "ShowKafkaTopicPartitionDiskusage", "ShowOneTopic")];

/// Of this name, but of the other engine only, are those of the client.
const OF_THE_OTHER: [(Engine, &str); 1] = [(Engine::Kafka, "ShowEngineInstanceExtendProductInfo")];

#[tokio::test(start_paused = true)]
async fn exactly_the_operations_of_the_client_and_those_for_others() {
    let ours: BTreeSet<&str> = Operation::ALL.iter().map(|operation| operation.name()).collect();
    let mut published = BTreeSet::new();
    for (engine, in_path) in [(Engine::Kafka, "kafka"), (Engine::RocketMq, "rocketmq")] {
        // Where both engines have operations of one path, the instance's engine decides.
        let line = Line::new(engine);
        let id = line.instance().await.unwrap();
        for (name, definition) in definitions(engine) {
            let path = filled(&definition.path, in_path, &id);
            let (status, code) = ask(&line.simulator, &definition.method, &path).await;
            let listed = |list: &[(Engine, &str)]| list.contains(&(engine, name));
            let served = listed(&FOR_OTHERS) || ours.contains(name.as_str()) && !listed(&OF_THE_OTHER);
            let shadow = SHADOWED
                .iter()
                .find(|(of, shadowed, _)| (*of, *shadowed) == (engine, name));
            let operation = shadow.map(|(.., served)| *served).or(served.then_some(name));
            // Nobody signed these calls; what is not served is refused before the signature is looked at.
            let expected = match operation {
                Some("KeystoneCreateUserTokenByPassword") => (400, "400"),
                Some(_) => (401, "APIGW.0301"),
                None => (404, "APIGW.0101"),
            };
            assert_eq!((status, code.as_str()), expected, "{engine:?} {name} {path}");
            let heard = line.simulator.calls().pop().unwrap().operation;
            assert_eq!(heard, operation.unwrap_or("Unknown"), "{engine:?} {name} {path}");
            published.insert((name.as_str(), definition.method.as_str()));
        }
    }
    for operation in Operation::ALL {
        let method = operation.method();
        let known = published.contains(&(operation.name(), method.as_str()));
        assert!(
            known,
            "{operation:?} is not the vendor's name, or {method} not its method"
        );
    }
    let simulator = Simulator::new(Config::default());
    for path in ["/", "/v1/instances", "/v2", "/v2//instances"] {
        let (status, code) = ask(&simulator, "GET", path).await;
        assert_eq!((status, code.as_str()), (404, "APIGW.0101"), "{path}");
    }
}

/// The path with something in the place of each parameter.
fn filled(path: &str, engine: &str, instance: &str) -> String {
    let parts = path.split('/').map(|part| match part {
        "{engine}" => engine,
        "{instance_id}" => instance,
        part if part.starts_with('{') => "d3b07384-d9a0-4c9b-8f8e-1a2b3c4d5e6f",
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

async fn ask(simulator: &Simulator, method: &str, path: &str) -> (u16, String) {
    let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    let answer = simulator.router().oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    let body: Value = serde_json::from_slice(&to_bytes(answer.into_body(), usize::MAX).await.unwrap()).unwrap();
    let code = &body.get("error_code").unwrap_or(&body["error"]["code"]);
    let code = code.as_str().map_or_else(|| code.to_string(), str::to_owned);
    (status, code)
}

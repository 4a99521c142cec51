//! What the simulator serves: the client's operations, and nothing else.

use axum::body::{Body, to_bytes};
use dms_operator::cloud::Operation;
use dms_operator::simulator::{Config, Simulator};
use http::Request;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::definitions::DEFINITIONS;

#[tokio::test(start_paused = true)]
async fn exactly_the_operations_of_the_client() {
    let simulator = Simulator::new(Config {
        rate_limit: None,
        ..Config::default()
    });
    for (name, definition) in DEFINITIONS.iter() {
        let answer = ask(&simulator, &definition.method, &filled(&definition.path)).await;
        let ours = Operation::ALL.iter().any(|operation| operation.name() == name);
        // Nobody signed these calls; what is not served is refused before the signature is looked at.
        let expected = if ours { (401, "APIGW.0301") } else { (404, "APIGW.0101") };
        assert_eq!((answer.0, answer.1.as_str()), expected, "{name}");
        let heard = simulator.calls().pop().unwrap().operation;
        assert_eq!(heard, if ours { name } else { "Unknown" });
    }
    for operation in Operation::ALL {
        let definition = DEFINITIONS.get(operation.name());
        let definition = definition.unwrap_or_else(|| panic!("{operation:?} is not the vendor's name"));
        assert_eq!(operation.method().as_str(), definition.method, "{operation:?}");
    }
    for path in ["/", "/v1/instances", "/v2", "/v2//instances"] {
        let (status, code) = ask(&simulator, "GET", path).await;
        assert_eq!((status, code.as_str()), (404, "APIGW.0101"), "{path}");
    }
}

/// The path with something in the place of each parameter.
fn filled(path: &str) -> String {
    let parts = path.split('/').map(|part| match part {
        "{engine}" => "kafka",
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
    (status, body["error_code"].as_str().unwrap().to_owned())
}

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use axum::http::HeaderValue;
use serde_json::json;

use super::super::{Effect, LostAnswer, Malformed};
use super::*;

#[tokio::test(start_paused = true)]
async fn a_bad_signature_is_refused_with_the_servers_date() {
    let cloud = Cloud::new();
    let mut request = cloud.request("GET", "/v2/available-zones", None);
    request
        .headers_mut()
        .insert("host", HeaderValue::from_static("elsewhere"));
    let answer = cloud.send(request).await;
    assert_eq!(answer.refusal(), (401, "APIGW.0301".into()));
    assert_eq!(answer.headers["date"], "Sun, 22 Nov 2026 12:00:00 GMT");
    assert_eq!(
        answer.headers["x-request-id"].to_str().unwrap(),
        answer.json()["request_id"]
    );
    assert_eq!(cloud.get("/v2/available-zones").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn the_key_must_be_known_and_the_host_signed() {
    let cloud = Cloud::new();
    let known = cloud.simulator.config().access_key.as_str();
    for (access_key, signed, status) in [
        (known, vec!["host", "x-sdk-date"], 200),
        ("ANOTHERKEY", vec!["host", "x-sdk-date"], 401),
        (known, vec!["x-sdk-date"], 401),
    ] {
        let request = cloud.request_as(access_key, &signed, "GET", "/v2/available-zones", None);
        assert_eq!(cloud.send(request).await.status, status, "{access_key} {signed:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_may_be_fifteen_minutes_old_and_no_more() {
    let cloud = Cloud::new();
    let (fresh, stale) = (
        cloud.request("GET", "/v2/available-zones", None),
        cloud.request("GET", "/v2/available-zones", None),
    );
    minutes(15).await;
    assert_eq!(cloud.send(fresh).await.status, 200);
    seconds(1).await;
    assert_eq!(cloud.send(stale).await.refusal(), (401, "APIGW.0301".into()));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_served_says_so() {
    let cloud = Cloud::new();
    for (method, path) in [
        ("GET", "/v2/{p}/recycle"),
        ("PATCH", "/v2/{p}/instances"),
        ("POST", "/v2/rabbitmq/{p}/instances"),
        ("POST", "/v2/{p}/kafka/instances"),
        ("GET", "/v2/{p}/instances/"),
    ] {
        assert_eq!(
            cloud.call(method, path, None).await.refusal(),
            (404, "APIGW.0101".into()),
            "{method} {path}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn another_project_is_out_of_reach() {
    let cloud = Cloud::new();
    let answer = cloud
        .get("/v2/b52f1bd4a7c14e6f8a0d9f3e5c7b6a18/instances?engine=kafka")
        .await;
    assert_eq!(answer.refusal(), (401, "DMS.10240104".into()));
}

#[tokio::test(start_paused = true)]
async fn too_many_calls_a_second_are_throttled_in_two_ways() {
    let cloud = Cloud::with(|config| config.rate_limit = Some(3));
    for _ in 0..3 {
        assert_eq!(cloud.get("/v2/available-zones").await.status, 200);
    }
    let refused = cloud.get("/v2/available-zones").await;
    assert_eq!(refused.refusal(), (429, "APIGW.0308".into()));
    assert!(
        refused
            .text
            .contains("policy user over ratelimit,limit:3,time:1 second")
    );
    seconds(1).await;
    assert_eq!(cloud.get("/v2/available-zones").await.status, 200);

    let cloud = Cloud::with(|config| config.instance_limit = Some(1));
    let id = cloud.create("events").await;
    let path = format!("/v2/{{p}}/instances/{id}");
    assert_eq!(cloud.get(&path).await.status, 200);
    assert_eq!(cloud.get(&path).await.refusal(), (404, "DMS.10240407".into()));
}

#[tokio::test(start_paused = true)]
async fn a_bucket_fills_all_the_time_and_a_refused_call_costs_nothing() {
    let cloud = Cloud::with(|config| {
        config.rate_limit = Some(200);
        config.rate_window = Duration::from_secs(300);
    });
    for _ in 0..200 {
        assert_eq!(cloud.get("/v2/available-zones").await.status, 200);
    }
    for passed in [0, 2, 1] {
        let mut status = 200;
        for n in 0..=passed {
            let answer = cloud.get("/v2/available-zones").await;
            status = answer.status;
            assert_eq!(status == 200, n < passed, "{passed}: {}", answer.text);
            assert!(
                status == 200
                    || answer
                        .text
                        .contains("policy user over ratelimit,limit:200,time:5 minute")
            );
        }
        assert_eq!(status, 429);
        tokio::time::sleep(Duration::from_millis(if passed == 0 { 3000 } else { 1500 })).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_takes_its_time_on_the_way_and_counts_while_it_does() {
    let cloud = Cloud::with(|config| {
        config.latency = Duration::from_millis(50);
        config.speed = 60.0;
    });
    let begun = tokio::time::Instant::now();
    let three = ["events-1", "events-2", "events-3"].map(|name| cloud.create(name));
    futures::future::join_all(three).await;
    assert_eq!(begun.elapsed(), Duration::from_millis(50));
    cloud.create("events-4").await;
    assert_eq!(cloud.get("/v2/{p}/nothing").await.status, 404);
    assert_eq!(begun.elapsed(), Duration::from_millis(150));
    let load = cloud.control("GET", "load", Value::Null).await.json();
    let creates = &load["CreateInstanceByEngine"];
    assert_eq!(
        (
            &creates["calls"],
            &creates["mostAtOnce"],
            &creates["underWay"],
            &creates["names"]
        ),
        (&json!(4), &json!(3), &json!(0), &json!(4))
    );
    assert_eq!(creates["answers"], json!({"200": 4}));
    assert_eq!(load["Unknown"]["answers"], json!({"404 APIGW.0101": 1}));
}

#[tokio::test(start_paused = true)]
async fn a_body_must_be_a_json_object_and_say_so() {
    let cloud = Cloud::new();
    let path = "/v2/kafka/{p}/instances";
    assert_eq!(
        cloud.call("POST", path, None).await.refusal(),
        (400, "DMS.00400004".into())
    );
    assert_eq!(
        cloud.call("POST", path, Some(json!([]))).await.refusal(),
        (400, "DMS.00400005".into())
    );
    let mut untyped = cloud.request("POST", path, Some(order(json!({}))));
    untyped
        .headers_mut()
        .insert("content-type", HeaderValue::from_static("text/plain"));
    assert_eq!(cloud.send(untyped).await.refusal(), (400, "DMS.00400005".into()));
}

#[tokio::test(start_paused = true)]
async fn an_answer_can_be_lost_before_and_after_the_effect() {
    let cloud = Cloud::new();
    let instance = cloud.running().await;
    for (lost, exists) in [(LostAnswer::Before, false), (LostAnswer::After, true)] {
        cloud.fault(
            "CreateInstanceTopic",
            Effect {
                lost: Some(lost),
                ..Effect::default()
            },
        );
        assert!(cloud.topic(&instance, "orders").await.lost);
        let state = cloud.simulator.state_json();
        assert_eq!(!state["instances"][0]["topics"].as_array().unwrap().is_empty(), exists);
    }
    let call = cloud.simulator.calls().pop().unwrap();
    assert_eq!(
        (call.operation.as_str(), call.status, call.lost),
        ("CreateInstanceTopic", None, true)
    );
}

#[tokio::test]
async fn over_http_a_lost_answer_is_a_closed_connection() {
    let cloud = Cloud::new();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = cloud.simulator.router();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let exchange = async || {
        let (parts, _) = cloud.request("GET", "/v2/available-zones", None).into_parts();
        let headers = parts
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap()));
        let text = format!(
            "GET {} HTTP/1.1\r\n{}connection: close\r\n\r\n",
            parts.uri,
            headers.collect::<String>()
        );
        let blocking = move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(text.as_bytes()).unwrap();
            let mut answer = String::new();
            // A reset is as good as an end.
            let _ = stream.read_to_string(&mut answer);
            answer
        };
        tokio::task::spawn_blocking(blocking).await.unwrap()
    };
    cloud.fault(
        "ListAvailableZones",
        Effect {
            lost: Some(LostAnswer::After),
            ..Effect::default()
        },
    );
    assert_eq!(exchange().await, "");
    assert!(exchange().await.starts_with("HTTP/1.1 200 OK"));
}

#[tokio::test(start_paused = true)]
async fn a_call_takes_effect_although_its_client_has_hung_up() {
    let cloud = Cloud::new();
    let instance = cloud.running().await;
    cloud.fault(
        "CreateInstanceTopic",
        Effect {
            effect_delay_ms: 20_000,
            ..Effect::default()
        },
    );
    let hung_up = tokio::time::timeout(Duration::from_secs(8), cloud.topic(&instance, "orders")).await;
    assert!(hung_up.is_err());
    let topics = || {
        cloud.simulator.state_json()["instances"][0]["topics"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(topics(), 0);
    seconds(13).await;
    assert_eq!(topics(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_error_can_hide_an_effect() {
    let cloud = Cloud::new();
    let instance = cloud.running().await;
    let effect = Effect {
        status: Some(500),
        after_effect: true,
        retry_after: Some(7),
        ..Effect::default()
    };
    cloud.fault("CreateInstanceTopic", effect);
    let answer = cloud.topic(&instance, "orders").await;
    assert_eq!(answer.refusal(), (500, "DMS.00500000".into()));
    assert_eq!(answer.headers["retry-after"], "7");
    assert_eq!(
        cloud.topic(&instance, "orders").await.refusal(),
        (400, "DMS.00400062".into()),
        "it is there"
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_can_be_spoilt() {
    let cloud = Cloud::new();
    for (malformed, check) in [
        (
            Malformed::Html,
            (|text: &str| text.starts_with("<html>")) as fn(&str) -> bool,
        ),
        (Malformed::Truncated, |text| {
            text.starts_with('{') && !text.ends_with('}')
        }),
        (Malformed::Empty, str::is_empty),
    ] {
        cloud.fault(
            "ListAvailableZones",
            Effect {
                malformed: Some(malformed),
                ..Effect::default()
            },
        );
        let answer = cloud.get("/v2/available-zones").await;
        assert!(
            answer.status == 200 && check(&answer.text),
            "{malformed:?}: {}",
            answer.text
        );
    }
}

#[tokio::test(start_paused = true)]
async fn iam_shows_more_than_one_project_of_a_region() {
    let cloud = Cloud::new();
    let all = cloud.get("/v3/projects").await.json();
    assert_eq!(names(&all, "projects", "name"), ["eu-west-101_team", "eu-west-101"]);
    let one = cloud.get("/v3/projects?name=eu-west-101").await.json();
    assert_eq!(
        names(&one, "projects", "id"),
        [cloud.simulator.config().project_id.clone()]
    );
}

#[tokio::test(start_paused = true)]
async fn zones_are_typed_as_oddly_as_documented() {
    let zones = Cloud::new().get("/v2/available-zones").await.json();
    assert_eq!(zones["available_zones"][0]["id"], ZONE_A);
    assert_eq!(zones["available_zones"][0]["resource_availability"], "true");
    assert_eq!(
        zones["available_zones"][0]["remain_time"].as_i64(),
        None,
        "beyond a signed 64-bit integer"
    );
    assert_eq!(zones["available_zones"][3]["soldOut"], true);
}

use serde_json::{Value, json};

use super::*;

#[tokio::test(start_paused = true)]
async fn calls_are_recorded_when_they_arrive() {
    let cloud = Cloud::new();
    cloud.create("events").await;
    cloud.get("/v2/{p}/nothing").await;
    let calls = cloud.control("GET", "calls", Value::Null).await.json();
    assert_eq!(calls[0]["operation"], "CreateInstanceByEngine");
    assert_eq!(
        (&calls[0]["status"], &calls[0]["names"]),
        (&json!(200), &json!(["events"]))
    );
    assert_eq!(
        (&calls[1]["status"], &calls[1]["code"]),
        (&json!(404), &json!("APIGW.0101"))
    );
    let summary = cloud.control("GET", "calls?summary=true", Value::Null).await.json();
    assert_eq!(summary, json!({"CreateInstanceByEngine": 1, "Unknown": 1}));

    cloud.control("DELETE", "calls", Value::Null).await;
    let fault = json!({"operation": "CreateInstanceByEngine", "effect": {"delayMs": 5000, "lost": "after"}});
    assert_eq!(cloud.control("POST", "faults", fault).await.status, 204);
    let waiting = cloud.call(
        "POST",
        "/v2/kafka/{p}/instances",
        Some(order(json!({"name": "second"}))),
    );
    let watching = async {
        seconds(1).await;
        let calls = cloud.control("GET", "calls", Value::Null).await.json();
        assert_eq!(
            (&calls[0]["names"], &calls[0]["status"]),
            (&json!(["second"]), &Value::Null)
        );
        assert_eq!(
            names(&cloud.simulator.state_json(), "instances", "name").len(),
            2,
            "the effect comes first"
        );
    };
    assert!(tokio::join!(waiting, watching).0.lost);
}

#[tokio::test(start_paused = true)]
async fn faults_hit_what_they_match_and_are_used_up() {
    let cloud = Cloud::new();
    let instance = cloud.running().await;
    let fault = json!({"operation": "CreateInstanceTopic", "times": 2, "skip": 1,
        "match": {"name": "orders", "instance": "events"}, "effect": {"status": 429, "code": "APIGW.0308"}});
    assert_eq!(cloud.control("POST", "faults", fault).await.status, 204);
    let mut seen = Vec::new();
    for name in ["orders", "audit", "orders", "orders", "orders"] {
        seen.push(cloud.topic(&instance, name).await.status);
    }
    assert_eq!(seen, [200, 200, 429, 429, 400], "the last one is there already");
    assert_eq!(cloud.control("GET", "faults", Value::Null).await.json(), json!([]));

    cloud
        .control("POST", "faults", json!({"times": 0, "effect": {"status": 503}}))
        .await;
    assert_eq!(cloud.get("/v2/available-zones").await.status, 503);
    assert_eq!(cloud.get("/v2/available-zones").await.status, 503);
    cloud.control("DELETE", "faults", Value::Null).await;
    assert_eq!(cloud.get("/v2/available-zones").await.status, 200);
    let misspelt = cloud.control("POST", "faults", json!({"effect": {"delay": 1}})).await;
    assert!(
        misspelt.status == 400 && misspelt.text.contains("unknown field `delay`"),
        "{}",
        misspelt.text
    );
}

#[tokio::test(start_paused = true)]
async fn the_clock_moves_jobs_and_dates() {
    let cloud = Cloud::with(|config| config.speed = 60.0);
    let id = cloud.create("events").await;
    let path = format!("/v2/{{p}}/instances/{id}");
    let answer = cloud.control("POST", "clock", json!({"advanceSeconds": 14.5})).await;
    assert_eq!(answer.json()["time"], "2026-11-22T12:00:14.5Z");
    assert_eq!(cloud.status(&path).await, "CREATING");
    seconds(1).await;
    let shown = cloud.get(&path).await;
    assert_eq!(shown.json()["status"], "RUNNING", "15 minutes at sixty times the speed");
    assert_eq!(shown.headers["date"], "Sun, 22 Nov 2026 12:00:15 GMT");
}

#[tokio::test(start_paused = true)]
async fn a_state_can_be_forced_and_looked_at() {
    let cloud = Cloud::new();
    let path = cloud.running().await;
    let id = path.rsplit('/').next().unwrap();
    let forced = cloud
        .control("POST", &format!("instances/{id}"), json!({"status": "EXTENDEDFAILED"}))
        .await;
    assert_eq!(forced.status, 204);
    assert_eq!(cloud.status(&path).await, "EXTENDEDFAILED");
    let state = cloud.control("GET", "state", Value::Null).await.json();
    assert_eq!(
        (&state["instances"][0]["name"], &state["instances"][0]["storageSpace"]),
        (&json!("events"), &json!(300))
    );
    assert_eq!(
        cloud
            .control("POST", "instances/none", json!({"status": "RUNNING"}))
            .await
            .status,
        404
    );
}

#[tokio::test(start_paused = true)]
async fn an_instance_of_kafka_is_filled_at_once() {
    let cloud = Cloud::new();
    let instance = cloud.running().await;
    let names: Vec<String> = (0..120).map(|n| format!("topic-{n}")).collect();
    for names in [&names[..100], &names[50..]] {
        let fill = json!({"instance": "events", "names": names});
        assert_eq!(cloud.control("POST", "topics", fill).await.status, 204);
    }
    seconds(5).await;
    let page = cloud
        .get(&format!("{instance}/topics?limit=50&offset=100"))
        .await
        .json();
    assert_eq!(
        (&page["total"], page["topics"].as_array().unwrap().len()),
        (&json!(121), 21)
    );
    assert_eq!(
        page["topics"][19]["name"], "topic-0",
        "the newest first, the system's own last"
    );
    let fill = json!({"instance": "absent", "names": ["orders"]});
    assert_eq!(cloud.control("POST", "topics", fill).await.status, 404);
}

//! Who uses what: members that consume, and messages that they have left unread.

use serde_json::{Value, json};

use super::*;

async fn said(cloud: &Cloud, what: &str, body: Value) -> u16 {
    cloud.control("POST", what, body).await.status
}

#[tokio::test(start_paused = true)]
async fn kafkas_unread_messages_are_spread_over_the_partitions_of_their_topic() {
    let cloud = Cloud::new();
    let path = cloud.running().await;
    let topic = json!({"id": "orders", "partition": 3, "replication": 2});
    let made = cloud.call("POST", &format!("{path}/topics"), Some(topic)).await;
    assert_eq!(made.status, 200);
    let lag = |group: &str, messages: u64| {
        json!({"instance": "events", "group": group, "topic": "orders",
            "messages": messages})
    };
    assert_eq!(said(&cloud, "lag", lag("billing", 7)).await, 404, "nobody of that name");
    for (group, unread) in [("billing", 7), ("ledger", 2)] {
        let clients = json!({"instance": "events", "group": group, "members": 1});
        assert_eq!(said(&cloud, "clients", clients).await, 204);
        assert_eq!(said(&cloud, "lag", lag(group, unread)).await, 204);
    }
    seconds(5).await;
    let list = cloud.get(&format!("{path}/groups")).await.json();
    let lags: Vec<&Value> = list["groups"].as_array().unwrap().iter().map(|g| &g["lag"]).collect();
    assert_eq!(lags, [&json!(2), &json!(7)]);

    let group = cloud.get(&format!("{path}/management/groups/ledger")).await.json()["group"].clone();
    assert_eq!(
        (&group["state"], &group["assignment_strategy"]),
        (&json!("STABLE"), &json!("range"))
    );
    assert_eq!(
        group["members"][0]["assignment"],
        json!([{"topic": "orders", "partitions": [0, 1, 2]}])
    );
    assert_eq!(
        group["group_message_offsets"][2],
        json!({"partition": 2, "lag": 0, "topic": "orders", "message_current_offset": 2, "message_log_end_offset": 2})
    );
    let topic = cloud.get(&format!("{path}/management/topics/orders")).await.json();
    assert_eq!(topic["group_subscribed"], json!(["billing", "ledger"]));
    let ends: Vec<&Value> = topic["partitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| &p["leo"])
        .collect();
    assert_eq!(
        ends,
        [&json!(3), &json!(2), &json!(2)],
        "as many as the one that is furthest behind has not read"
    );
    assert_eq!(topic["partitions"][0]["replicas"].as_array().unwrap().len(), 2);
    for (what, code) in [("topics", "DMS.00400876"), ("groups", "DMS.111400864")] {
        let absent = cloud.get(&format!("{path}/management/{what}/absent")).await;
        assert_eq!(absent.refusal(), (400, code.into()));
    }
}

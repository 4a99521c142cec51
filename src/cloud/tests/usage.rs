//! Who uses what: each call's request, and what becomes of the references' examples.

use std::collections::BTreeMap;

use super::calls::request;
use super::*;
use crate::cloud::{kafka, rocketmq};

/// The line of a request with `%` and `|` in the names, and what came back.
async fn asked<T: Clone, F: Future<Output = Result<T, Error>>>(
    reply: &str,
    call: impl FnOnce(Client) -> F,
) -> (String, T) {
    let mut came = None;
    let (line, _) = request(reply, async |client| {
        let answer = call(client).await;
        came = answer.clone().ok();
        answer
    })
    .await;
    (line, came.unwrap())
}

#[tokio::test(start_paused = true)]
async fn kafkas_topic_counts_what_its_partitions_hold() {
    let reply = r#"{"topic":"test","partitions":[
        {"partition":0,"leader":2,"replicas":[],"leo":13598,"hw":13598,"lso":98,"last_update_timestamp":1571477180985},
        {"partition":1,"leader":1,"replicas":[],"leo":"13601","hw":13601,"lso":0}],
        "group_subscribed":["test-consumer-group"]}"#;
    let (line, usage) = asked(reply, async |c| c.show_topic_usage("i1", "a.b").await).await;
    assert_eq!(line, "GET /v2/p1/instances/i1/management/topics/a.b");
    assert_eq!(usage.groups, ["test-consumer-group"]);
    assert_eq!(usage.messages, Some(13500 + 13601));
    // What one partition does not tell, all do not.
    let reply = r#"{"partitions":[{"leo":5,"lso":0},{"leo":5}],"group_subscribed":[]}"#;
    let (_, usage) = asked(reply, async |c| c.show_topic_usage("i1", "t").await).await;
    assert_eq!((usage.messages, usage.groups), (None, vec![]));
    let nobody_told = Script::new([answer(200, r#"{"topic":"t"}"#)]).client();
    let error = nobody_told.show_topic_usage("i1", "t").await.unwrap_err();
    assert_eq!(error.class(), Class::Malformed, "unknown is not unused");
}

#[tokio::test(start_paused = true)]
async fn kafkas_group_adds_up_its_lag_by_topic() {
    let reply = r#"{"group":{"members":[{"host":"/172.31.1.102","assignment":[{"topic":"test","partitions":[0,1,2]}],
        "member_id":"consumer-1-6b8","client_id":"consumer-1"}],"state":"STABLE","group_id":"g","coordinator_id":2,
        "group_message_offsets":[
        {"partition":0,"lag":31396,"topic":"test","message_current_offset":935,"message_log_end_offset":32331},
        {"partition":0,"lag":0,"topic":"aaaa","message_current_offset":0,"message_log_end_offset":0},
        {"partition":1,"lag":"31279","topic":"test"},{"partition":1,"lag":-1,"topic":"bbbb"}],
        "assignment_strategy":"range"}}"#;
    let (line, usage) = asked(reply, async |c| c.show_group_usage("i1", "%RETRY%g|x").await).await;
    assert_eq!(line, "GET /v2/p1/instances/i1/management/groups/%25RETRY%25g%7Cx");
    let lag = [("test", Some(62675)), ("aaaa", Some(0)), ("bbbb", None)];
    let expected = kafka::GroupUsage {
        state: Some("STABLE".to_owned()),
        members: Some(1),
        lag: Some(BTreeMap::from(lag.map(|(topic, lag)| (topic.to_owned(), lag)))),
    };
    assert_eq!(usage, expected);
    let (_, usage) = asked(r#"{"group":{}}"#, async |c| c.show_group_usage("i1", "g").await).await;
    assert_eq!((usage.state, usage.members, usage.lag), (None, None, None));
    let flat = Script::new([answer(200, r#"{"group":null,"members":[]}"#)]).client();
    assert_eq!(
        flat.show_group_usage("i1", "g").await.unwrap_err().class(),
        Class::Malformed
    );
}

#[tokio::test(start_paused = true)]
async fn rocketmqs_group_tells_its_clients_and_its_lag_topic_by_topic() {
    let reply = r#"{"group_name":"test","online":"true","subscription_consistency":true,"total":1,"next_offset":-1,
        "previous_offset":-1,"clients":[{"client_id":"192.168.0.1@consumer1","subscriptions":[]}]}"#;
    let (line, consumers) = asked(reply, async |c| c.show_rocketmq_consumers("i1", "g|x").await).await;
    assert_eq!(
        line,
        "GET /v2/rocketmq/p1/instances/i1/groups/g%7Cx/clients?limit=1&offset=0"
    );
    let expected = rocketmq::Consumers {
        online: Some(true),
        total: Some(1),
    };
    assert_eq!(consumers, expected);

    let reply = r#"{"topics":["topic-test"],"total":1}"#;
    let (line, page) = asked(reply, async |c| c.list_rocketmq_topics_of_group("i1", "g", 0, 50).await).await;
    assert_eq!(line, "GET /v2/p1/instances/i1/groups/g/topics?limit=50&offset=0");
    assert_eq!((page.items, page.total), (vec!["topic-test".to_owned()], Some(1)));

    let reply = r#"{"lag":12,"max_offset":13,"consumer_offset":1,"brokers":[]}"#;
    let (line, lag) = asked(reply, async |c| c.show_rocketmq_lag("i1", "g", "a|b").await).await;
    assert_eq!(line, "GET /v2/p1/instances/i1/groups/g/topics?topic=a%7Cb");
    assert_eq!(lag, 12);
    let silent = Script::new([answer(200, "{}")]).client();
    let error = silent.show_rocketmq_lag("i1", "g", "t").await.unwrap_err();
    assert_eq!(error.class(), Class::Malformed, "unknown is not none");
}

#[tokio::test(start_paused = true)]
async fn rocketmqs_topic_tells_its_groups_and_counts_its_messages() {
    let reply = r#"{"groups":["CID_JODIE_1","test_consumer"]}"#;
    let (line, page) = asked(reply, async |c| {
        c.list_rocketmq_groups_of_topic("i1", "t", 50, 50).await
    })
    .await;
    assert_eq!(line, "GET /v2/p1/instances/i1/topics/t/groups?limit=50&offset=50");
    assert_eq!((page.items.len(), page.total), (2, None));

    let reply = r#"{"brokers":[{"queues":[{"id":0,"min_offset":1,"max_offset":3,"last_message_time":1662689877152},
        {"id":1,"min_offset":"0","max_offset":"5"}],"broker_name":"broker-0"}]}"#;
    let (line, count) = asked(reply, async |c| c.count_rocketmq_messages("i1", "t").await).await;
    assert_eq!(line, "GET /v2/p1/instances/i1/topics/t/status");
    assert_eq!(count, Some(7));
    for (reply, count) in [("{}", None), (r#"{"brokers":[{"queues":[{"max_offset":3}]}]}"#, None)] {
        let (_, counted) = asked(reply, async |c| c.count_rocketmq_messages("i1", "t").await).await;
        assert_eq!(counted, count);
    }
}

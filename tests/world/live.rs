//! What moves by itself: told to those who ask for it, slowly, and never at the price of rest.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::everyday::*;
use crate::support::world::World;

/// What tells of one topic or one group of Kafka.
const OF_ONE: [&str; 2] = ["ShowInstanceTopicDetail", "ShowGroups"];

fn connect(world: &World, of: Object, group: &str, clients: u32) {
    assert!(world.cloud.set_members(&instance_id(world, of), group, clients));
}

fn unread(world: &World, of: Object, group: &str, topic: &str, messages: u64) {
    assert!(world.cloud.set_lag(&instance_id(world, of), group, topic, messages));
}

/// `status.live` without its time.
fn live(world: &World, (kind, name): Object) -> Value {
    let mut live = world.object(kind, name)["status"]["live"].clone();
    live.as_object_mut().and_then(|live| live.remove("time"));
    live
}

async fn tell(world: &World, objects: &[Object], detail: &str) {
    for of in objects {
        edit(world, *of, json!({"statusDetail": detail})).await;
    }
}

#[tokio::test(start_paused = true)]
async fn kafkas_topics_and_groups_tell_once_a_minute_what_has_moved() {
    let (world, _operator) = at_rest_with(&[INSTANCE, ORDERS, AUDIT, BILLING]).await;
    connect(&world, INSTANCE, "billing", 4);
    unread(&world, INSTANCE, "billing", "orders", 1234);
    tell(&world, &[ORDERS, BILLING], "Full").await;
    sleep(2 * MINUTE).await;
    assert_eq!(
        live(&world, BILLING),
        json!({"state": "STABLE", "members": 4, "lag": 1200, "topics": [{"topic": "orders", "lag": 1200}], "topicsTotal": 1})
    );
    assert_eq!(
        live(&world, ORDERS),
        json!({"consumerGroups": ["billing"], "consumerGroupsTotal": 1, "messages": 1200})
    );
    assert_eq!(live(&world, AUDIT), Value::Null);
    let since = world.object(BILLING.0, BILLING.1)["status"]["live"]["time"].clone();

    // An hour of little movements.
    let writes = world.effects().len();
    world.cloud.forget_calls();
    for n in 0..60 {
        unread(&world, INSTANCE, "billing", "orders", 1200 + n);
        sleep(MINUTE).await;
    }
    assert_eq!(world.effects()[writes..], [] as [&str; 0]);
    for operation in OF_ONE {
        let calls = world.calls(operation);
        assert!((58..=60).contains(&calls), "{operation}: {calls} calls in an hour");
    }
    let lists = world.calls("ListInstanceTopics");
    assert!(lists <= 8, "{lists}: a topic's list is read no more often for it");

    unread(&world, INSTANCE, "billing", "orders", 5000);
    connect(&world, INSTANCE, "billing", 3);
    sleep(MINUTE + 2 * SECOND).await;
    let told = live(&world, BILLING);
    assert_eq!((&told["lag"], &told["members"]), (&json!(5000), &json!(3)));
    assert_eq!(live(&world, ORDERS)["messages"], 5000);
    assert_ne!(world.object(BILLING.0, BILLING.1)["status"]["live"]["time"], since);
    assert_eq!(world.effects().len(), writes + 2, "one write an object");

    tell(&world, &[ORDERS, BILLING], "Basic").await;
    sleep(MINUTE).await;
    assert_eq!(
        (live(&world, ORDERS), live(&world, BILLING)),
        (Value::Null, Value::Null)
    );
    world.cloud.forget_calls();
    sleep(HOUR).await;
    assert_eq!(OF_ONE.map(|operation| world.calls(operation)), [0, 0]);
    for of in [ORDERS, BILLING] {
        assert_eq!(shown(&world, of), HEALTHY);
    }
}

#[tokio::test(start_paused = true)]
async fn rocketmqs_topics_and_groups_tell_it_too() {
    let (world, _operator) = at_rest_with(&ROCKETMQ_5.all()).await;
    tell(&world, &[LETTERS, POSTMEN], "Full").await;
    sleep(2 * MINUTE).await;
    let nobody = json!({"state": "OFFLINE", "members": 0, "lag": 0, "topicsTotal": 0});
    assert_eq!(live(&world, POSTMEN), nobody);
    assert_eq!(live(&world, LETTERS), json!({"consumerGroupsTotal": 0, "messages": 0}));
    connect(&world, MAIL, "postmen", 2);
    unread(&world, MAIL, "postmen", "letters", 70);
    sleep(2 * MINUTE).await;
    assert_eq!(
        live(&world, POSTMEN),
        json!({"state": "ONLINE", "members": 2, "lag": 70, "topics": [{"topic": "letters", "lag": 70}], "topicsTotal": 1})
    );
    assert_eq!(
        live(&world, LETTERS),
        json!({"consumerGroups": ["postmen"], "consumerGroupsTotal": 1, "messages": 70})
    );
    let writes = world.effects().len();
    sleep(HOUR).await;
    assert_eq!(world.effects().len(), writes);
}

#[tokio::test(start_paused = true)]
async fn many_that_tell_it_take_turns_a_second_apart() {
    let (world, _operator) = at_rest_with(&[INSTANCE]).await;
    let mut manifests = String::new();
    for (n, kind, own) in (0..90).map(|n| match n % 3 {
        0 => (n, "ConsumerGroup", ""),
        _ => (n, "Topic", ", kafka: {partitions: 1}"),
    }) {
        writeln!(
            manifests,
            "---\napiVersion: dms.huaweicloud.com/v1alpha1\nkind: {kind}\nmetadata: {{name: t{n:02}}}\n\
             spec: {{statusDetail: Full, instanceRef: {{kind: KafkaInstance, name: events}}{own}}}"
        )
        .unwrap();
    }
    world.apply(&manifests).await;
    sleep(5 * MINUTE).await;
    for n in 0..90 {
        let of = if n % 3 == 0 { "ConsumerGroup" } else { "Topic" };
        let live = &world.object(of, &format!("t{n:02}"))["status"]["live"];
        assert!(live["members"] == 0 || live["messages"] == 0, "t{n:02}: {live}");
    }
    // Until the instance has told what it has room for.
    sleep(RESYNC).await;
    let writes = world.effects().len();
    world.cloud.forget_calls();
    sleep(10 * MINUTE).await;
    let (mut by_second, mut by_name) = (BTreeMap::new(), BTreeMap::new());
    for call in world.cloud.calls() {
        if OF_ONE.contains(&call.operation.as_str()) {
            *by_second.entry(call.time.as_second()).or_insert(0) += 1;
            *by_name.entry(call.path).or_insert(0) += 1;
        }
    }
    assert!(by_second.values().all(|calls| *calls <= 1), "{by_second:?}");
    assert_eq!(by_name.len(), 90, "each has its turn");
    assert!(by_name.values().all(|calls| (6..=7).contains(calls)), "{by_name:?}");
    // State and lag come from the list, which all groups share.
    let lists = world.calls("ListInstanceConsumerGroups");
    assert!((5..=13).contains(&lists), "{lists} pages of groups in ten minutes");
    assert!(
        world.calls("ListInstanceTopics") <= 2 * 3,
        "no topic list more than at rest"
    );
    assert_eq!(world.effects().len(), writes);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_told_now_stays_as_it_was_and_disturbs_nothing() {
    let (world, _operator) = at_rest_with(&[INSTANCE, BILLING]).await;
    tell(&world, &[BILLING], "Full").await;
    sleep(2 * MINUTE).await;
    let told = live(&world, BILLING);
    assert_eq!(told["members"], 0);
    world.cloud.add_fault(dms_operator::simulator::Fault {
        operation: "ShowGroups".into(),
        times: Some(100),
        effect: dms_operator::simulator::Effect {
            status: Some(503),
            ..Default::default()
        },
        ..Default::default()
    });
    connect(&world, INSTANCE, "billing", 1);
    world.cloud.forget_calls();
    sleep(10 * MINUTE).await;
    assert_eq!((live(&world, BILLING), shown(&world, BILLING)), (told, HEALTHY.into()));
    assert!(
        world.calls("ShowGroups") <= 40,
        "once a minute, with the client's repeats"
    );
    world.cloud.clear_faults();
    sleep(2 * MINUTE).await;
    assert_eq!(live(&world, BILLING)["members"], 1);
}

#[tokio::test(start_paused = true)]
async fn an_instance_tells_what_it_has_room_for_and_no_call_is_made_for_it() {
    let (world, _operator) = at_rest_with(&EVERYTHING).await;
    let limits = |of: Object| world.object(of.0, of.1)["status"]["limits"].clone();
    let kafka = |left: u64| json!({"maxPartitions": 750, "remainPartitions": left, "topicMaxPartitions": 200});
    assert_eq!(limits(INSTANCE), kafka(741));
    assert_eq!(
        limits(SHOP),
        json!({"maxTopics": 8000, "remainTopics": 7999, "maxGroups": 8000, "remainGroups": 7999})
    );
    edit(&world, ORDERS, json!({"kafka": {"partitions": 16}})).await;
    until_applied(&world, ORDERS).await;
    sleep(3 * RESYNC).await;
    assert_eq!(limits(INSTANCE), kafka(731));
    let writes = world.effects().len();
    sleep(3 * HOUR).await;
    assert_eq!(world.effects().len(), writes, "it moves only when topics do");
}

#[tokio::test(start_paused = true)]
async fn a_topic_for_which_there_is_no_room_is_told_how_much_there_is() {
    let (world, _operator) = at_rest_with(&[INSTANCE, ORDERS]).await;
    for name in ["one", "two", "three", "four"] {
        let manifest = format!(
            "apiVersion: dms.huaweicloud.com/v1alpha1\nkind: Topic\nmetadata: {{name: {name}}}\n\
             spec: {{instanceRef: {{kind: KafkaInstance, name: events}}, kafka: {{partitions: 200}}}}"
        );
        world.apply(&manifest).await;
        sleep(MINUTE).await;
    }
    assert_eq!(shown(&world, ("Topic", "three")), HEALTHY);
    let said = message(&world, ("Topic", "four"), "Stalled");
    assert!(
        shown(&world, ("Topic", "four")).starts_with("FFTU QuotaExceeded"),
        "{said}"
    );
    assert!(said.contains("of 750 partitions were left"), "{said}");
}

//! Who uses a topic or a consumer group: 5.2.7, 5.2.9, 5.3.6 and 5.3.7. A group consumes the topics that it has left
//! messages of; each topic holds what the group has not read that is furthest behind.

use serde_json::{Value, json};

use super::groups::{self, Group};
use super::{RocketMq, topics};
use crate::simulator::codes::ApiError;
use crate::simulator::gateway::{Context, Reply};

/// `ShowConsumerListOrDetails`, 5.2.7: the topics of a group, or how far it is in one of them.
pub(crate) fn topics_of_group(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    context.query.only(&["topic", "limit", "offset"])?;
    let (offset, limit) = context.query.page()?;
    let (name, topic) = (
        context.item().to_owned(),
        context.query.text("topic").map(str::to_owned),
    );
    let instance = context.instance()?;
    instance.readable()?;
    let (own, group) = (instance.rocketmq(), groups::existing(instance, &name)?);
    let Some(topic) = topic else {
        let page: Vec<&String> = group.lag.keys().skip(offset).take(limit).collect();
        return Ok(Reply::ok(json!({"topics": page, "total": group.lag.len()})));
    };
    let (lag, most) = (group.lag.get(&topic).copied().unwrap_or_default(), own.messages(&topic));
    let queues = own.by_queue(&topic, most).into_iter().map(|(broker, ends)| {
        let of_queue = |(id, end): (usize, u64)| {
            // All that is unread is in the first queues.
            let read = end.saturating_sub(lag);
            json!({"id": id, "lag": end - read, "broker_offset": end, "consumer_offset": read, "last_message_time": 0})
        };
        let queues: Vec<Value> = ends.into_iter().enumerate().map(of_queue).collect();
        json!({"broker_name": broker, "queues": queues})
    });
    Ok(Reply::ok(json!({
        "lag": lag,
        "max_offset": most,
        "consumer_offset": most - lag,
        "brokers": queues.collect::<Vec<_>>(),
    })))
}

/// `ShowConsumerConnections`, 5.2.9. That a group without clients is no error is not in the reference.
pub(crate) fn clients_of_group(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    context.query.only(&["limit", "offset", "is_detail"])?;
    let (page, detailed) = (context.query.page()?, context.query.flag("is_detail")?);
    let name = context.item().to_owned();
    let instance = context.instance()?;
    instance.readable()?;
    let group = groups::existing(instance, &name)?;
    let client = |n: u32| {
        let mut client = json!({
            "client_id": format!("192.168.0.{n}@consumer{n}"),
            "language": "JAVA",
            "version": "V4_8_0",
            "client_addr": format!("192.168.0.{n}:65233"),
        });
        if detailed {
            let topics = group.lag.keys();
            client["subscriptions"] = topics
                .map(|topic| json!({"topic": topic, "type": "TAG", "expression": "*"}))
                .collect();
        }
        client
    };
    let mut shown = super::page("clients", (1..=group.members).map(client).collect(), page);
    shown["group_name"] = json!(name);
    shown["online"] = json!(group.members > 0);
    shown["subscription_consistency"] = json!(true);
    Ok(Reply::ok(shown))
}

/// `ListConsumerGroupOfTopic`, 5.3.6: names, and not how many there are.
pub(crate) fn groups_of_topic(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    context.query.only(&["limit", "offset"])?;
    let (offset, limit) = context.query.page()?;
    let name = context.item().to_owned();
    let instance = context.instance()?;
    instance.readable()?;
    topics::existing(instance, &name)?;
    let groups = instance
        .rocketmq()
        .groups
        .live()
        .filter(|group| group.lag.contains_key(&name));
    let page: Vec<&String> = groups.map(|group| &group.name).skip(offset).take(limit).collect();
    Ok(Reply::ok(json!({"groups": page})))
}

/// `ShowTopicStatus`, 5.3.7: as in the example without the sums, which the table has.
pub(crate) fn messages_of_topic(context: &mut Context<'_>) -> Result<Reply, ApiError> {
    context.query.only(&[])?;
    let (name, wall) = (context.item().to_owned(), context.now.wall);
    let instance = context.instance()?;
    instance.readable()?;
    topics::existing(instance, &name)?;
    let own = instance.rocketmq();
    let brokers = own
        .by_queue(&name, own.messages(&name))
        .into_iter()
        .map(|(broker, ends)| {
            let of_queue = |(id, end): (usize, u64)| {
                let time = if end == 0 { 0 } else { wall.as_millisecond() };
                json!({"id": id, "min_offset": 0, "max_offset": end, "last_message_time": time})
            };
            let queues: Vec<Value> = ends.into_iter().enumerate().map(of_queue).collect();
            json!({"queues": queues, "broker_name": broker})
        });
    Ok(Reply::ok(json!({"brokers": brokers.collect::<Vec<_>>()})))
}

impl RocketMq {
    fn messages(&self, topic: &str) -> u64 {
        let unread = |group: &'_ Group| group.lag.get(topic).copied();
        self.groups.live().filter_map(unread).max().unwrap_or_default()
    }

    /// So many messages of a topic over the queues of its brokers: all of them in the first.
    fn by_queue(&self, topic: &str, messages: u64) -> Vec<(String, Vec<u64>)> {
        let mut left = messages;
        let brokers = self.topics.get(topic).into_iter().flat_map(|topic| &topic.queues);
        brokers
            .map(|on| {
                (
                    on.broker.clone(),
                    (0..on.read).map(|_| std::mem::take(&mut left)).collect(),
                )
            })
            .collect()
    }
}

//! Whether something that is to be deleted is in use, where its `management.deletionGuard` asks.

use std::time::Duration;

use tokio::time::sleep;

use super::consumer_group::{KafkaGroups, RocketMqGroups};
use super::topic::{KafkaTopics, RocketMqTopics};
use crate::cloud::{Class, Client, Error, Operation, Priority, Sent};
use crate::operator::hub::Hub;
use crate::operator::pace::Turn;
use crate::operator::reading::Lister;
use crate::plan::child::Guard;
use crate::plan::live::rounded;

/// How it is found out whether a thing of a list is in use.
pub trait Used: Lister {
    /// Why it is in use, and what helps. What cannot be read is an error: unknown is not unused.
    fn in_use(hub: &Hub, name: &str) -> impl Future<Output = Result<Option<String>, Error>> + Send;
}

/// How long a round waits for its turn. Who has to wait longer comes again: rounds are finished before the operator ends.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether it may be deleted. Each look has its turn at the instance's pace.
pub async fn guard<L: Used>(hub: &Hub, name: &str) -> Result<Guard, Error> {
    let who = format!("{} {name}", L::OPERATION.name());
    loop {
        match hub.pace.turn_first(&who) {
            Turn::Now => break,
            Turn::After(left) | Turn::Rests(left) if left > PATIENCE => return Ok(Guard::Unknown(left)),
            Turn::After(left) | Turn::Rests(left) => sleep(left).await,
        }
    }
    Ok(L::in_use(hub, name).await?.map_or(Guard::Open, Guard::Closed))
}

impl Used for KafkaTopics {
    async fn in_use(hub: &Hub, name: &str) -> Result<Option<String>, Error> {
        let (client, id) = at_hand(hub);
        let Some(usage) = there(client.show_topic_usage(id, name).await)? else {
            return Ok(None);
        };
        for group in usage.groups {
            hub.pace.more();
            let Some(usage) = there(client.show_group_usage(id, &group).await)? else {
                continue;
            };
            let lag = usage.lag.ok_or_else(|| untold(Operation::ShowGroups, "lag"))?;
            // One that has not begun to consume a topic has left nothing of it.
            let lag = lag.get(name).copied().unwrap_or(Some(0));
            let lag = lag.ok_or_else(|| untold(Operation::ShowGroups, "lag"))?;
            if lag > 0 {
                return Ok(Some(unread(lag, &group)));
            }
        }
        Ok(None)
    }
}

impl Used for KafkaGroups {
    async fn in_use(hub: &Hub, name: &str) -> Result<Option<String>, Error> {
        let (client, id) = at_hand(hub);
        let Some(usage) = there(client.show_group_usage(id, name).await)? else {
            return Ok(None);
        };
        let members = usage.members.ok_or_else(|| untold(Operation::ShowGroups, "members"))?;
        Ok((members > 0).then(|| online(members)))
    }
}

impl Used for RocketMqTopics {
    async fn in_use(hub: &Hub, name: &str) -> Result<Option<String>, Error> {
        let (client, id) = at_hand(hub);
        let mut offset = 0;
        loop {
            let page = client.list_rocketmq_groups_of_topic(id, name, offset, Self::PAGE).await;
            let Some(page) = there(page)? else {
                return Ok(None);
            };
            let count = page.items.len() as u32;
            for group in page.items {
                hub.pace.more();
                if let Some(members) = members(&client, id, &group).await? {
                    let stop = online(members);
                    return Ok(Some(format!("of consumer group {group} {stop}")));
                }
                hub.pace.more();
                let lag = there(client.show_rocketmq_lag(id, &group, name).await)?;
                if let Some(lag) = lag.filter(|lag| *lag > 0) {
                    return Ok(Some(unread(lag, &group)));
                }
            }
            if count < Self::PAGE {
                return Ok(None);
            }
            hub.pace.more();
            offset += count;
        }
    }
}

impl Used for RocketMqGroups {
    async fn in_use(hub: &Hub, name: &str) -> Result<Option<String>, Error> {
        let (client, id) = at_hand(hub);
        Ok(members(&client, id, name).await?.map(online))
    }
}

/// How many clients of a RocketMQ group are connected, if any are.
async fn members(client: &Client, id: &str, group: &str) -> Result<Option<u64>, Error> {
    let Some(consumers) = there(client.show_rocketmq_consumers(id, group).await)? else {
        return Ok(None);
    };
    match (consumers.online, consumers.total) {
        (Some(true), total) => Ok(Some(total.unwrap_or(1).max(1))),
        (_, Some(total)) => Ok(Some(total).filter(|total| *total > 0)),
        (Some(false), None) => Ok(None),
        (None, None) => Err(untold(Operation::ShowConsumerConnections, "clients")),
    }
}

fn at_hand(hub: &Hub) -> (Client, &str) {
    (hub.client(Priority::Delete), &hub.instance_id)
}

/// What is not there is not in use.
fn there<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Err(error) if error.class() == Class::NotFound && !error.is_instance_gone() => Ok(None),
        result => result.map(Some),
    }
}

fn untold(operation: Operation, what: &str) -> Error {
    let message = format!("the answer does not tell the {what}");
    Error::new(operation, Class::Malformed, Sent::Refused, message)
}

fn online(members: u64) -> String {
    match members {
        1 => "1 client is online: stop it".into(),
        members => format!("{members} clients are online: stop them"),
    }
}

fn unread(lag: u64, group: &str) -> String {
    match rounded(lag) {
        1 => format!("1 message waits for consumer group {group}: let it be consumed"),
        lag => format!("{lag} messages wait for consumer group {group}: let them be consumed"),
    }
}

//! What moves by itself, for the objects that ask for it: once a minute, at the pace of their instance, and written down only
//! when it has moved.

use std::time::Duration;

use tokio::time::Instant;
use tracing::warn;

use super::consumer_group::{ConsumerGroups, KafkaGroups};
use super::topic::Topics;
use crate::api::{ConsumerGroup, ConsumerGroupLive, StatusDetail, Topic, TopicLag, TopicLive};
use crate::cloud::{Engine, Error, Priority};
use crate::operator::hub::Hub;
use crate::operator::kind::{Look, Reference};
use crate::operator::pace::{EVERY, Turn};
use crate::operator::round::Round;
use crate::operator::snapshot::Freshness;
use crate::plan::live::{self, TOPICS};
use crate::plan::{Next, consumer_group, topic};

/// A page is all that is read of a list of names.
const PAGE: u32 = 50;

/// A look at a topic, with what moves in it.
pub async fn topic(round: &Round<'_, Topic>, mut look: Look<Topics>) -> Look<Topics> {
    let (status, hub) = (&mut look.plan.status, &look.reach.hub);
    if round.cr.spec.status_detail == StatusDetail::Basic || status.observed.is_none() {
        status.live = None;
    } else if look.plan.next == Next::Rest {
        let name = topic::name(round.cr);
        let turn = hub.pace.turn(&format!("topic {name}"));
        if turn == Turn::Now
            && let Some(seen) = read(round, topic_of(hub, &name).await)
        {
            status.live = Some(live::topic(status.live.as_ref(), seen, look.now));
        }
        look.plan.next = next(turn);
    }
    look
}

/// A look at a consumer group, with what moves in it. State and lag of all groups of a Kafka instance are in their list.
pub async fn group(round: &Round<'_, ConsumerGroup>, mut look: Look<ConsumerGroups>) -> Look<ConsumerGroups> {
    let (status, hub) = (&mut look.plan.status, &look.reach.hub);
    if round.cr.spec.status_detail == StatusDetail::Basic || status.observed.is_none() {
        status.live = None;
    } else if look.plan.next == Next::Rest {
        let name = consumer_group::name(round.cr);
        let turn = hub.pace.turn(&format!("group {name}"));
        let before = status.live.as_ref();
        let seen = match (turn, hub.engine) {
            (Turn::Now, Engine::Kafka) => read(round, kafka_group(hub, &name).await),
            (Turn::Now, Engine::RocketMq) => read(round, rocketmq_group(hub, &name).await),
            (Turn::After(_), Engine::Kafka) => read(round, listed(hub, &name, before).await).flatten(),
            _ => None,
        };
        if let Some(seen) = seen {
            status.live = Some(live::group(before, seen, look.now));
        }
        look.plan.next = next(turn);
    }
    look
}

fn next(turn: Turn) -> Next {
    Next::Within(match turn {
        Turn::Now => EVERY,
        Turn::After(left) | Turn::Rests(left) => left.min(EVERY),
    })
}

/// What cannot be read now stays as it was told before.
fn read<Cr: crate::api::Managed, T>(round: &Round<'_, Cr>, result: Result<T, Error>) -> Option<T> {
    result
        .inspect_err(|error| {
            round.cx.metrics.fault(error.class());
            warn!(object = %Reference::to(round.cr), %error, "cannot tell what moves");
        })
        .ok()
}

async fn topic_of(hub: &Hub, name: &str) -> Result<TopicLive, Error> {
    let (client, id) = (hub.client(Priority::Resync), hub.instance_id.as_str());
    let (groups, total, messages) = match hub.engine {
        Engine::Kafka => {
            let usage = client.show_topic_usage(id, name).await?;
            let total = usage.groups.len();
            (usage.groups, Some(total), usage.messages)
        }
        Engine::RocketMq => {
            let groups = client.list_rocketmq_groups_of_topic(id, name, 0, PAGE).await?.items;
            hub.pace.more();
            let messages = client.count_rocketmq_messages(id, name).await?;
            // There may be more on the next page.
            let total = Some(groups.len()).filter(|total| *total < PAGE as usize);
            (groups, total, messages)
        }
    };
    Ok(TopicLive {
        consumer_groups: groups.into_iter().collect(),
        consumer_groups_total: total.map(|total| total as u64),
        messages,
        ..Default::default()
    })
}

async fn kafka_group(hub: &Hub, name: &str) -> Result<ConsumerGroupLive, Error> {
    let client = hub.client(Priority::Resync);
    let usage = client.show_group_usage(&hub.instance_id, name).await?;
    let topics = usage.lag.as_ref();
    Ok(ConsumerGroupLive {
        state: usage.state,
        members: usage.members,
        lag: topics.and_then(|topics| topics.values().copied().sum()),
        topics_total: topics.map(|topics| topics.len() as u64),
        topics: usage
            .lag
            .into_iter()
            .flatten()
            .map(|(topic, lag)| TopicLag { topic, lag })
            .collect(),
        ..Default::default()
    })
}

/// What the list tells of a group, beside what is known of it.
async fn listed(hub: &Hub, name: &str, before: Option<&ConsumerGroupLive>) -> Result<Option<ConsumerGroupLive>, Error> {
    let now = Instant::now();
    let fresh = Freshness {
        after: now.checked_sub(Duration::from_secs(3600)).unwrap_or(now),
        age: EVERY.mul_f64(0.8),
        priority: Priority::Resync,
    };
    let lister = KafkaGroups(hub.source());
    let group = hub
        .list::<KafkaGroups>()
        .find(&lister, &hub.traffic, name, fresh)
        .await?;
    Ok(group.thing.map(|group| ConsumerGroupLive {
        state: group.state,
        lag: group.lag,
        ..before.cloned().unwrap_or_default()
    }))
}

async fn rocketmq_group(hub: &Hub, name: &str) -> Result<ConsumerGroupLive, Error> {
    let (client, id) = (hub.client(Priority::Resync), hub.instance_id.as_str());
    let consumers = client.show_rocketmq_consumers(id, name).await?;
    hub.pace.more();
    let page = client.list_rocketmq_topics_of_group(id, name, 0, PAGE).await?;
    let total = page.total.unwrap_or(page.items.len() as u64);
    let mut topics = vec![];
    for topic in page.items.into_iter().take(TOPICS) {
        hub.pace.more();
        let lag = Some(client.show_rocketmq_lag(id, name, &topic).await?);
        topics.push(TopicLag { topic, lag });
    }
    let all = topics.len() as u64 == total;
    let online = consumers.online.or(consumers.total.map(|total| total > 0));
    Ok(ConsumerGroupLive {
        state: online.map(|online| if online { "ONLINE" } else { "OFFLINE" }.to_owned()),
        members: consumers.total,
        lag: topics.iter().filter(|_| all).map(|topic| topic.lag).sum(),
        topics_total: Some(total),
        topics,
        ..Default::default()
    })
}

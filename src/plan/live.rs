//! What moves by itself, as `status.live` tells it: rounded, so that little movements write nothing.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::api::{ConsumerGroupLive, TopicLag, TopicLive};

/// How many topics of a consumer group are told.
pub const TOPICS: usize = 10;
/// How many consumer groups of a topic are told.
pub const GROUPS: usize = 20;

/// What to tell of a topic: what was `seen`, where it differs from what was told `before`.
pub fn topic(before: Option<&TopicLive>, mut seen: TopicLive, now: Timestamp) -> TopicLive {
    seen.messages = steady(before.and_then(|b| b.messages), seen.messages);
    seen.consumer_groups = seen.consumer_groups.into_iter().take(GROUPS).collect();
    seen.time = before.map(|b| b.time.clone()).unwrap_or_default();
    if before != Some(&seen) {
        seen.time = now.to_string();
    }
    seen
}

/// What to tell of a consumer group: what was `seen`, where it differs from what was told `before`.
pub fn group(before: Option<&ConsumerGroupLive>, mut seen: ConsumerGroupLive, now: Timestamp) -> ConsumerGroupLive {
    let known: BTreeMap<&str, Option<u64>> = before
        .into_iter()
        .flat_map(|b| &b.topics)
        .map(|t| (t.topic.as_str(), t.lag))
        .collect();
    seen.members = steady(before.and_then(|b| b.members), seen.members);
    seen.lag = steady(before.and_then(|b| b.lag), seen.lag);
    seen.topics
        .sort_by(|one, other| other.lag.cmp(&one.lag).then_with(|| one.topic.cmp(&other.topic)));
    seen.topics.truncate(TOPICS);
    seen.topics.sort_by(|one, other| one.topic.cmp(&other.topic));
    for TopicLag { topic, lag } in &mut seen.topics {
        *lag = steady(known.get(topic.as_str()).copied().flatten(), *lag);
    }
    seen.time = before.map(|b| b.time.clone()).unwrap_or_default();
    if before != Some(&seen) {
        seen.time = now.to_string();
    }
    seen
}

/// A number to two digits.
pub fn rounded(number: u64) -> u64 {
    let digits = number.checked_ilog10().map_or(1, |log| log + 1);
    let unit = 10u64.pow(digits.saturating_sub(2));
    (number / unit + u64::from(number % unit * 2 >= unit && unit > 1)).saturating_mul(unit)
}

/// What to tell of a number: what was told before, unless it is off by more than a tenth of that.
fn steady(before: Option<u64>, now: Option<u64>) -> Option<u64> {
    let now = now?;
    let told = before.filter(|before| *before >= 100 && before.abs_diff(now) <= before / 10);
    Some(told.unwrap_or_else(|| rounded(now)))
}

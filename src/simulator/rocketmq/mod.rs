//! What is RocketMQ's own.

pub(crate) mod groups;
pub(crate) mod instances;
pub(crate) mod products;
pub(crate) mod topics;
pub(crate) mod usage;
pub(crate) mod view;

use std::time::Duration;

use serde_json::{Value, json};

use super::catalogue::{Flavour, Storage};
use super::codes::{self, ApiError};
use super::entries::Entries;
use super::fields::{Fields, Query};
use super::gateway::Context;
use super::jobs::{self, NewTask};
use super::state::Instance;
use super::{Batches, Config};
use groups::Group;
use topics::Topic;

/// What the service needs for a change of topics or groups.
const CHANGE: Duration = Duration::from_secs(5);

/// The version that 5.1.2 lists.
pub(crate) const FOUR: &str = "4.8.0";
/// The version that 5.1.2 does not list, although 5.1.3 shows one and half of the tables have fields for it. It can be
/// created here, as it can outside.
pub(crate) const FIVE: &str = "5.x";

/// What only a RocketMQ instance has.
pub(crate) struct RocketMq {
    pub(crate) enable_acl: bool,
    pub(crate) topics: Entries<Topic>,
    pub(crate) groups: Entries<Group>,
}

/// What a job in a RocketMQ instance does when it ends.
pub(crate) enum Change {
    UpdateTopic(topics::Edit),
    DeleteTopics(Batch<String>),
    UpdateGroups(Batch<groups::Edit>),
    DeleteGroups(Batch<String>),
}

/// What a job does to several things.
pub(crate) struct Batch<T> {
    items: Vec<T>,
    /// Items were left out that cannot be done, so that it is no success.
    lacks: bool,
}

impl Change {
    /// False if it cannot be done, or not all of it.
    pub(crate) fn apply(&self, own: &mut RocketMq, now: Duration, config: &Config) -> bool {
        match self {
            Self::UpdateTopic(edit) => edit.apply(own),
            Self::DeleteTopics(names) => {
                for name in &names.items {
                    own.topics.remove(name, now);
                }
                !names.lacks
            }
            Self::UpdateGroups(edits) => {
                let done = edits.items.iter().filter(|edit| edit.apply(own)).count();
                done == edits.items.len() && !edits.lacks
            }
            Self::DeleteGroups(names) => groups::remove(own, &names.items, now, config) && !names.lacks,
        }
    }
}

impl<T> Batch<T> {
    fn one(item: T) -> Self {
        Self {
            items: vec![item],
            lacks: false,
        }
    }
}

/// The names of a batch that a job is to delete. Where batches are partial, an item that a fault names is left out.
fn deletable(context: &Context<'_>, names: &[&str]) -> Batch<String> {
    let fails = |name: &str| context.config.batches == Batches::Partial && context.effect.fails(name);
    let items: Vec<String> = names
        .iter()
        .filter(|name| !fails(name))
        .map(|name| (*name).to_owned())
        .collect();
    let lacks = items.len() < names.len();
    Batch { items, lacks }
}

/// Begins the job `id`. The reference prints the name of no such task; these are made up.
fn submit(
    context: &mut Context<'_>,
    id: &str,
    name: &'static str,
    params: Value,
    change: Change,
) -> Result<(), ApiError> {
    let (now, lasts) = (context.now, context.takes(CHANGE));
    let items_fail = context.effect.items_fail && context.config.batches != Batches::Partial;
    let fails = context.effect.job_fails || items_fail;
    let task = NewTask {
        id: id.to_owned(),
        name,
        params,
    };
    let change = jobs::Change::RocketMq(change);
    context.instance()?.begin(now, lasts, fails, Some(task), change);
    Ok(())
}

/// The `name` of a topic or a group (5.2.2, 5.3.1; the bar among the characters is lost in print).
fn legal_name<'a>(fields: Fields<'a>) -> Result<&'a str, ApiError> {
    let name = fields.text("name")?.unwrap_or_default();
    let legal = name.chars().all(|c| c.is_ascii_alphanumeric() || "%|-_".contains(c));
    if legal && (3..=64).contains(&name.len()) {
        Ok(name)
    } else {
        Err(codes::PARAMETER.about(format_args!("name: {name}")))
    }
}

/// The brokers that a topic or a group is to be on, which are said on 4.8.0 only. None is as good as nothing said.
fn brokers(fields: Fields<'_>, instance: &Instance) -> Result<Option<Vec<String>>, ApiError> {
    let Some(brokers) = fields.texts("brokers")?.filter(|brokers| !brokers.is_empty()) else {
        return Ok(None);
    };
    if instance.engine_version == FIVE {
        return Err(codes::PARAMETER.about("brokers: on RocketMQ 4.8.0 only."));
    }
    let distinct: std::collections::BTreeSet<_> = brokers.iter().collect();
    let known = |broker: &&str| instances::broker_names(instance).any(|name| name == *broker);
    if distinct.len() != brokers.len() || !brokers.iter().all(known) {
        return Err(codes::PARAMETER.about(format_args!("brokers: {}", brokers.join(", "))));
    }
    Ok(Some(brokers.into_iter().map(str::to_owned).collect()))
}

/// A page of `items` under `key`, with how much there is and where the pages beside it are.
pub(crate) fn page(key: &str, items: Vec<Value>, (offset, limit): (usize, usize)) -> Value {
    let total = items.len();
    let page: Vec<Value> = items.into_iter().skip(offset).take(limit).collect();
    json!({
        "total": total,
        "next_offset": after(offset, limit, total),
        "previous_offset": before(offset, limit),
        key: page,
    })
}

/// `offset` and `limit` of the lists whose answers have pages while the reference prints no range, or not even the
/// parameters, which the vendor's SDK has: everything, if nothing is said.
pub(crate) fn free_page(query: &Query) -> Result<(usize, usize), ApiError> {
    let limit = query.number("limit")?.unwrap_or(usize::MAX);
    if limit == 0 {
        return Err(codes::PARAMETER.about("limit"));
    }
    Ok((query.number("offset")?.unwrap_or(0), limit))
}

/// The offset of the page after one; -1 if there is none.
fn after(offset: usize, limit: usize, total: usize) -> i64 {
    let next = Some(offset.saturating_add(limit)).filter(|next| *next < total);
    next.and_then(|next| i64::try_from(next).ok()).unwrap_or(-1)
}

/// The offset of the page before one; -1 if there is none.
fn before(offset: usize, limit: usize) -> i64 {
    let previous = Some(offset.saturating_sub(limit)).filter(|_| offset > 0);
    previous.and_then(|previous| i64::try_from(previous).ok()).unwrap_or(-1)
}

/// The flavours of 4.8.0 in rising order (5.1.2), with the limits of 5.10.1.
pub(crate) const FLAVOURS: [Flavour; 5] = [
    flavour("c6.4u8g.cluster.small", 2000, 2, 30_000),
    flavour("c6.4u8g.cluster", 4000, 10, 60_000),
    flavour("c6.8u16g.cluster", 8000, 10, 90_000),
    flavour("c6.12u24g.cluster", 12_000, 10, 90_000),
    flavour("c6.16u32g.cluster", 16_000, 10, 90_000),
];

/// The one flavour of 5.x that the reference shows (5.1.3); its limits are not in the reference.
pub(crate) const FLAVOURS_OF_FIVE: [Flavour; 1] = [Flavour {
    id: "rocketmq.b1.large.1",
    brokers: (1, 1),
    per_broker: 50,
    storage: Storage::OfBroker(200, 60_000),
}];

const fn flavour(id: &'static str, topics: i64, most_brokers: i64, most_storage: i64) -> Flavour {
    Flavour {
        id,
        brokers: (1, most_brokers),
        per_broker: topics,
        storage: Storage::OfBroker(300, most_storage),
    }
}

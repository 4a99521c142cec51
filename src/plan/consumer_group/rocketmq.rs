//! Consumer groups of a RocketMQ instance. Version 4.8.0 has their brokers to say, 5.x whether they consume in order
//! (RocketMQ API reference 5.2.2).

use std::collections::BTreeSet;

use super::{Step, name};
use crate::api::consumer_group::{ObservedConsumerGroup, RocketMqGroup};
use crate::api::{ConsumerGroup, ConsumerGroupStatus, Correction};
use crate::cloud::rocketmq::{self, CreateGroup, UpdateGroup, UpdateGroupBrokers};
use crate::plan::child::{self, Calls, Found, Host};
use crate::plan::rocketmq_instance::{is_4, no_such_broker};
use crate::plan::upkeep::Comparison;
use crate::plan::{Differences, Facts, Plan};

/// What a group is made with where the spec says nothing, as the API reference gives no defaults.
const ENABLED: bool = true;
const BROADCAST: bool = false;
const RETRIES: u32 = 16;
const ORDERLY: bool = false;

/// What a look shows.
pub type Seen = child::Seen<rocketmq::Group>;

/// Decides.
pub fn plan(group: &ConsumerGroup, facts: Facts<'_>, seen: Seen) -> Plan<ConsumerGroupStatus, Step> {
    let mut status = group.status.clone().unwrap_or_default();
    let unset = RocketMqGroup::default();
    let wanted = group.spec.rocketmq.as_ref().unwrap_or(&unset);
    let description = group.spec.description.as_ref();
    let name = name(group);
    status.observed = match &seen.found {
        Found::There(found) => Some(observe(found)),
        Found::Absent | Found::InstanceGone => None,
    };
    let host = seen.host.clone();
    let calls = Calls {
        create: create(&name, wanted, description, &host),
        delete: Step::Delete(name.clone()),
        blocked: None,
        // The list does not tell whether it has any.
        advice: "; if consumers are connected, stop them",
    };
    let child = seen.child(facts, format!("consumer group {name}"), name.clone());
    child.plan(status, calls, |found| compare(&name, wanted, description, found, &host))
}

/// What the settings of a spec cannot be on an instance of this version and with these brokers.
fn unfit(wanted: &RocketMqGroup, host: &Host) -> Option<String> {
    if is_4(host.engine_version.as_deref()) {
        if wanted.consume_orderly.is_some() {
            let why =
                "spec.rocketmq.consumeOrderly is for instances of version 5.x, and this one is 4.8.0: leave it out";
            return Some(why.into());
        }
        return no_such_broker("spec.rocketmq.brokers", &wanted.brokers, host);
    }
    let version = host.engine_version.as_deref().unwrap_or("5.x");
    (!wanted.brokers.is_empty()).then(|| {
        format!("spec.rocketmq.brokers is for instances of version 4.8.0, and this one is {version}: leave it out")
    })
}

/// What to send, or what is wrong with the spec.
fn create(name: &str, wanted: &RocketMqGroup, description: Option<&String>, host: &Host) -> Result<Step, String> {
    if let Some(why) = unfit(wanted, host) {
        return Err(why);
    }
    let is_4 = is_4(host.engine_version.as_deref());
    if is_4 && wanted.brokers.is_empty() {
        let there = host.brokers.iter().cloned().collect::<Vec<_>>().join(", ");
        return Err(format!(
            "spec.rocketmq.brokers is needed to create it on an instance of version 4.8.0; its brokers are {there}"
        ));
    }
    Ok(Step::CreateRocketMq(CreateGroup {
        name: name.to_owned(),
        description: description.cloned(),
        enabled: Some(wanted.enabled.unwrap_or(ENABLED)),
        broadcast: Some(wanted.broadcast.unwrap_or(BROADCAST)),
        retry_max_time: Some(wanted.max_retries.unwrap_or(RETRIES)),
        consume_orderly: (!is_4).then(|| wanted.consume_orderly.unwrap_or(ORDERLY)),
        brokers: wanted.brokers.iter().cloned().collect(),
    }))
}

fn compare(
    name: &str,
    wanted: &RocketMqGroup,
    description: Option<&String>,
    found: &rocketmq::Group,
    host: &Host,
) -> Comparison<Step> {
    let mut differences = Differences::default();
    let in_place = Correction::InPlace;
    let flags = [
        ("spec.rocketmq.enabled", wanted.enabled, found.enabled),
        ("spec.rocketmq.broadcast", wanted.broadcast, found.broadcast),
        (
            "spec.rocketmq.consumeOrderly",
            wanted.consume_orderly,
            found.consume_orderly,
        ),
    ];
    for (field, wanted, found) in flags {
        differences.compare(field, wanted.as_ref(), found.as_ref(), in_place);
    }
    let retries = (wanted.max_retries.as_ref(), found.retry_max_time.as_ref());
    differences.compare("spec.rocketmq.maxRetries", retries.0, retries.1, in_place);
    // A description that was never set is left out.
    let there = found.description.clone().unwrap_or_default();
    differences.compare("spec.description", description, Some(&there), in_place);

    // The service wants all of these each time: what the spec leaves out goes back as it was read.
    let (enabled, broadcast, retry_max_time) = (
        wanted.enabled.or(found.enabled).unwrap_or(ENABLED),
        wanted.broadcast.or(found.broadcast).unwrap_or(BROADCAST),
        wanted.max_retries.or(found.retry_max_time).unwrap_or(RETRIES),
    );
    let mut steps = vec![];
    if !differences.is_empty() {
        let orderly = wanted.consume_orderly.or(found.consume_orderly).unwrap_or(ORDERLY);
        steps.push(Step::UpdateRocketMq(UpdateGroup {
            name: name.to_owned(),
            enabled: Some(enabled),
            broadcast: Some(broadcast),
            retry_max_time: Some(retry_max_time),
            consume_orderly: (!is_4(host.engine_version.as_deref())).then_some(orderly),
            description: description.or(found.description.as_ref()).cloned(),
        }));
    }
    if let (false, Some(there)) = (wanted.brokers.is_empty(), &found.brokers) {
        let there: BTreeSet<String> = there.iter().cloned().collect();
        if differences.compare_sets("spec.rocketmq.brokers", &wanted.brokers, &there, in_place) {
            steps.push(Step::MoveRocketMq(UpdateGroupBrokers {
                name: name.to_owned(),
                enabled,
                broadcast,
                retry_max_time,
                brokers: wanted.brokers.iter().cloned().collect(),
            }));
        }
    }
    let refused = unfit(wanted, host);
    Comparison {
        differences,
        // What the service would refuse is not sent again and again.
        steps: if refused.is_some() { vec![] } else { steps },
        refused,
        summary: summary(found),
    }
}

fn observe(found: &rocketmq::Group) -> ObservedConsumerGroup {
    ObservedConsumerGroup {
        description: found.description.clone().filter(|d| !d.is_empty()),
        enabled: found.enabled,
        broadcast: found.broadcast,
        max_retries: found.retry_max_time,
        consume_orderly: found.consume_orderly,
        brokers: found.brokers.iter().flatten().cloned().collect(),
        create_time: found.created_at.map(|t| t.to_string()),
    }
}

fn summary(found: &rocketmq::Group) -> String {
    let word = |said: Option<bool>, yes: &str, no: &str| said.map(|said| if said { yes } else { no }.to_owned());
    let parts = [
        word(found.enabled, "enabled", "disabled"),
        word(found.broadcast, "broadcasting", "clustering"),
        found.retry_max_time.map(|n| format!("{n} retries")),
        word(found.consume_orderly, "in order", "in any order"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

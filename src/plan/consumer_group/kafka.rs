//! Consumer groups of a Kafka instance: a name and a description. Clients make them too, by connecting.

use super::{Step, name};
use crate::api::consumer_group::ObservedConsumerGroup;
use crate::api::{ConsumerGroup, ConsumerGroupStatus, Correction};
use crate::cloud::kafka::{self, CreateGroup};
use crate::plan::child::{self, Calls, Found};
use crate::plan::upkeep::Comparison;
use crate::plan::{Differences, Facts, Plan};

/// What a look shows.
pub type Seen = child::Seen<kafka::Group>;

/// Decides.
pub fn plan(group: &ConsumerGroup, facts: Facts<'_>, mut seen: Seen) -> Plan<ConsumerGroupStatus, Step> {
    let mut status = group.status.clone().unwrap_or_default();
    let name = name(group);
    // The list goes on to show a group that Kafka has dropped.
    if matches!(&seen.found, Found::There(found) if is(found, "DEAD")) {
        seen.found = Found::Absent;
    }
    let mut blocked = None;
    status.observed = match &seen.found {
        Found::There(found) => {
            blocked = consumed(found);
            Some(ObservedConsumerGroup {
                description: found.description.clone().filter(|d| !d.is_empty()),
                create_time: found.created_at.map(|t| t.to_string()),
                ..Default::default()
            })
        }
        Found::Absent | Found::InstanceGone => None,
    };
    let wanted = group.spec.description.as_ref();
    let calls = Calls {
        create: Ok(Step::CreateKafka(CreateGroup {
            name: name.clone(),
            description: wanted.cloned(),
        })),
        delete: Step::Delete(name.clone()),
        blocked,
        advice: "",
    };
    let child = seen.child(facts, format!("consumer group {name}"), name.clone());
    child.plan(status, calls, |found| {
        let mut differences = Differences::default();
        // One that was never set reads as null.
        let there = found.description.clone().unwrap_or_default();
        let differs = differences.compare("spec.description", wanted, Some(&there), Correction::InPlace);
        let described = wanted
            .filter(|_| differs)
            .map(|text| Step::DescribeKafka(name.clone(), text.clone()));
        Comparison {
            differences,
            steps: described.into_iter().collect(),
            refused: None,
            // Its members and its lag move by themselves, and are not told here.
            summary: format!("consumer group {name} is there"),
        }
    })
}

/// Why Kafka would not delete the group now (not in the reference: Kafka deletes no group that has members).
fn consumed(found: &kafka::Group) -> Option<String> {
    let state = found.state.as_deref().filter(|state| !state.is_empty())?;
    let idle = is(found, "EMPTY") || is(found, "DEAD");
    (!idle).then(|| format!("has consumers ({state}), and Kafka deletes no such group: stop them"))
}

/// The reference spells states in two ways.
fn is(found: &kafka::Group, state: &str) -> bool {
    found
        .state
        .as_deref()
        .is_some_and(|found| found.eq_ignore_ascii_case(state))
}

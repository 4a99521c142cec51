//! What people and tools see of each situation, and where a plan that is carried out again and again leads.

mod any_answer;
mod child_deletion;
mod child_world;
mod conditions;
mod faults;
mod grants;
mod group_properties;
mod groups;
mod instance_deletion;
mod instance_properties;
mod instance_states;
mod instance_world;
mod instances;
mod live;
mod policies;
mod providers;
mod quota_properties;
mod quotas;
mod rocketmq_groups;
mod rocketmq_instance_fields;
mod rocketmq_instances;
mod rocketmq_topic_changes;
mod rocketmq_topic_properties;
mod rocketmq_topic_queues;
mod rocketmq_topics;
mod tags_and_fields;
mod topic_fields;
mod topic_properties;
mod topics;

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::Resource as _;
use kube::core::object::HasStatus as _;

use super::child::{Found, Guard, Seen};
use super::*;
use crate::api::{LivesInInstance, Location, Managed};

const WINDOW: Duration = Duration::from_secs(600);

/// The moment so many seconds after the tests' beginning.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn written(seconds: i64) -> String {
    at(seconds).to_string()
}

fn location() -> Location {
    Location {
        name: "default".into(),
        namespace: "shop".into(),
        endpoint: "https://dms.example".into(),
        region: "eu-west-101".into(),
        project_id: "p1".into(),
    }
}

fn facts(core: &CoreStatus, generation: Option<i64>) -> Facts<'_> {
    Facts {
        core,
        generation: generation.unwrap_or(1),
        deleting: false,
        policy: Policy::Manage,
        adoption: Adoption::IfExists,
        updates: Updates::Apply,
        requested: None,
        recreate: None,
        owner: None,
        job: None,
        deleted: None,
        acted: None,
        nonce: "n1",
        now: at(0),
    }
}

/// The decision on a thing of one kind.
type Judge<Cr, Item, Step> = fn(&Cr, Facts<'_>, Seen<Item>) -> Plan<<Cr as Managed>::State, Step>;

/// One look at what lives in an instance; what is decided is written down.
fn look_at<Cr: LivesInInstance, Item, Step>(
    decide: Judge<Cr, Item, Step>,
    object: &mut Cr,
    found: Found<Item>,
    tweak: impl FnOnce(&mut Facts<'_>, &mut Seen<Item>),
) -> Plan<Cr::State, Step> {
    let core = object.core().cloned().unwrap_or_default();
    let mut facts = facts(&core, object.meta().generation);
    let management = object.management();
    (facts.policy, facts.adoption, facts.updates) = (management.policy, management.adoption, management.updates);
    let mut seen = Seen {
        location: location(),
        instance_id: "i1".into(),
        held: None,
        host: Default::default(),
        found,
        guard: Guard::Open,
    };
    tweak(&mut facts, &mut seen);
    let plan = decide(object, facts, seen);
    *object.status_mut() = Some(plan.status.clone());
    plan
}

/// Somebody edits the spec.
fn edit<Cr: LivesInInstance>(object: &mut Cr, change: impl FnOnce(&mut Cr)) {
    change(object);
    let generation = &mut object.meta_mut().generation;
    *generation = generation.map(|g| g + 1);
}

/// The verdict of kstatus, in its order.
fn kstatus(deleting: bool, generation: i64, observed: Option<i64>, conditions: &[Condition]) -> &'static str {
    let is = |kind: &str, status: &str| conditions.iter().any(|c| c.type_ == kind && c.status == status);
    if deleting {
        return "Terminating";
    }
    if observed.is_some_and(|observed| observed != generation) {
        return "InProgress";
    }
    let first = conditions
        .iter()
        .find(|c| c.status == "True" && (c.type_ == "Reconciling" || c.type_ == "Stalled"));
    match first.map(|c| c.type_.as_str()) {
        Some("Reconciling") => "InProgress",
        Some(_) => "Failed",
        None if is("Ready", "False") || is("Ready", "Unknown") => "InProgress",
        None => "Current",
    }
}

/// The variant and reason of a situation: `Waiting/Throttled`.
fn name_of(situation: &Situation) -> String {
    let what = |name: &str, reason: &Reason| format!("{name}/{reason}");
    match situation {
        Situation::Pending => "Pending".into(),
        Situation::Waiting { reason, .. } => what("Waiting", reason),
        Situation::Creating { again: false, .. } => "Creating".into(),
        Situation::Creating { again: true, .. } => "Creating again".into(),
        Situation::Updating { reason, .. } => what("Updating", reason),
        Situation::Healthy { .. } => "Healthy".into(),
        Situation::Unread { reason, .. } => what("Unread", reason),
        Situation::Correcting { .. } => "Correcting".into(),
        Situation::Differing { .. } => "Differing".into(),
        Situation::Stopped { reason, edit: true, .. } => what("Edit stopped", reason),
        Situation::Stopped { reason, .. } => what("Stopped", reason),
        Situation::Denied { .. } => "Denied".into(),
        Situation::Paused => "Paused".into(),
        Situation::Deleting { .. } => "Deleting".into(),
        Situation::DeletionStopped { reason, .. } => what("Deletion stopped", reason),
    }
}

/// A plan without steps, told in one line: `Waiting/InstanceBusy, Poll: the message`.
#[track_caller]
fn idle<Status: std::fmt::Debug, Step: std::fmt::Debug>(plan: &Plan<Status, Step>) -> String {
    assert!(plan.steps.is_empty(), "acts: {plan:?}");
    told(plan)
}

fn told<Status, Step>(plan: &Plan<Status, Step>) -> String {
    let next = match plan.next {
        Next::Stop(pause) => format!("Stop {} min", pause.as_secs() / 60),
        next => format!("{next:?}"),
    };
    format!("{}, {next}: {}", name_of(&plan.situation), plan.situation.message())
}

/// Fails with both texts unless `text` has `part`.
#[track_caller]
fn says(text: &str, part: &str) {
    assert!(text.contains(part), "{text:?} does not say {part:?}");
}

#[test]
fn what_stays_in_the_cloud_is_what_the_spec_says_else_what_we_did_not_make() {
    let of = |origin| CoreStatus {
        origin,
        ..Default::default()
    };
    let (created, adopted) = (of(Some(Origin::Created)), of(Some(Origin::Adopted)));
    for (deletion, core, stays) in [
        (None, Some(&created), false),
        (None, Some(&adopted), true),
        (None, Some(&of(None)), false),
        (None, None, false),
        (Some(Deletion::Delete), Some(&adopted), false),
        (Some(Deletion::Orphan), Some(&created), true),
        (Some(Deletion::Orphan), None, true),
    ] {
        assert_eq!(orphans(deletion, core), stays, "{deletion:?} {core:?}");
    }
}

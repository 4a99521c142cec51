//! What follows from comparing a thing with the spec, whatever the thing is.

use super::{Differences, Facts, Next, Plan, Reason, STOP, Situation};

/// The way out for an object whose thing belongs to another object.
pub const NOT_OURS: &str = "delete this object, which leaves the cloud as it is, or let it name something else";

/// How a found thing compares with the spec.
#[derive(Clone, Debug)]
pub struct Comparison<Step> {
    /// The fields that differ.
    pub differences: Differences,
    /// What mends them.
    pub steps: Vec<Step>,
    /// A wish that cannot be met from here, and the way out of it.
    pub refused: Option<String>,
    /// One line about the thing, for `Ready`.
    pub summary: String,
}

/// Why a difference that nothing mends stops the object. A thing that was never managed is not touched at all; an edit
/// is first applied as far as it goes; what changed by itself later is only told.
pub fn refusal(
    facts: &Facts<'_>,
    title: &str,
    differences: &Differences,
    refused: Option<String>,
    applied: bool,
) -> Option<String> {
    let told = !facts.is_edit() || (facts.was_managed() && !applied);
    if told {
        return None;
    }
    refused.or_else(|| {
        let drift = differences.impossible()?;
        Some(format!(
            "{} of {title} is {} in the cloud and cannot become {}; set the field to what is there, or delete and make it anew at the price of its data",
            drift.field, drift.found, drift.wanted
        ))
    })
}

/// What is said of a difference that no step mends.
pub const BEYOND_US: &str = "cannot be corrected here";

/// Nothing is left to do: either all is well, or what differs stays, and `why`.
pub fn at_rest(summary: String, differences: &Differences, why: &'static str) -> Situation {
    if differences.is_empty() {
        return Situation::Healthy { message: summary };
    }
    let drift = differences.drift();
    let shown = drift
        .iter()
        .take(4)
        .map(|d| format!("{} is {} in the cloud, not {}", d.field, d.found, d.wanted));
    let message = format!("{summary}; {why}: {}", shown.collect::<Vec<_>>().join("; "));
    Situation::Differing { message, why }
}

/// What is being done about the differences.
pub fn mending(edit: bool, differences: &Differences) -> String {
    let fields = differences.fields();
    if edit {
        format!("changes {fields}")
    } else {
        format!("puts back {fields}")
    }
}

/// Something is done about the differences, or is under way: for an edit, or because somebody else changed them.
pub fn working<State, Step>(
    status: State,
    edit: bool,
    message: String,
    steps: Vec<Step>,
    next: Next,
) -> Plan<State, Step> {
    let situation = if edit {
        Situation::Updating {
            reason: Reason::Updating,
            message,
        }
    } else {
        Situation::Correcting { message }
    };
    Plan {
        status,
        situation,
        steps,
        next,
    }
}

/// Only a person helps; `edit` if the thing serves and an edit could not be applied.
pub fn stop<State, Step>(status: State, reason: Reason, message: String, edit: bool) -> Plan<State, Step> {
    Plan {
        status,
        situation: Situation::Stopped { reason, message, edit },
        steps: vec![],
        next: Next::Stop(STOP),
    }
}

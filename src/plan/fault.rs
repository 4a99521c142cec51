//! What a round that could not be finished means for its object.

use std::time::Duration;

use jiff::Timestamp;

use super::{BLOCKED, Next, Reason, STOP, Situation};
use crate::api::CoreStatus;
use crate::cloud::{Class, Error, Fault, Sent};

/// Why a round ended early.
#[derive(Clone, Debug, PartialEq)]
pub enum Halt {
    /// Something it names is missing or does not serve yet; its changes are watched.
    Waiting(String),
    /// The same, of what is not watched.
    Polling(String),
    /// What it lives in is missing, going, or of no use: so is it, whatever was known of it.
    Unhoused(String),
    /// Others are before it; it is woken, or comes again after this long. Nothing is told.
    Later(Duration),
    /// Only a person helps.
    Stop(Reason, String),
    /// A call failed.
    Cloud(Error),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Cloud(error)
    }
}

/// When a failed round is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// As a plan says.
    At(Next),
    /// After a pause that grows with each failure in a row, and is at least this long.
    Backoff(Duration),
}

/// The object as it stood when the round ended early.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// What is written down.
    pub core: &'a CoreStatus,
    /// `metadata.generation`.
    pub generation: i64,
    /// The object is being deleted.
    pub deleting: bool,
    /// A step failed, rather than a look.
    pub acting: bool,
    /// The last good look was less than three intervals ago.
    pub recent: bool,
}

/// What to tell, if anything changes, and when to try again. A healthy object stays as it is for three intervals.
pub fn interrupted(standing: Standing<'_>, halt: &Halt) -> (Option<Situation>, Again) {
    let (reason, message, fault) = match halt {
        Halt::Later(pause) => return (None, Again::At(Next::Stop(*pause))),
        Halt::Waiting(message) | Halt::Polling(message) | Halt::Unhoused(message) => {
            (Reason::WaitingForReference, message.clone(), Fault::Wait)
        }
        Halt::Stop(reason, message) => (*reason, message.clone(), Fault::Stop),
        Halt::Cloud(error) => (reason_of(error), message_of(error, standing.deleting), error.fault()),
    };
    let pause = match halt {
        Halt::Cloud(error) => error.retry_after().unwrap_or(Duration::ZERO),
        _ => Duration::ZERO,
    };
    let Standing {
        core,
        generation,
        deleting,
        acting,
        recent,
    } = standing;
    let served = core.served_since.is_some();
    let applied = core.applied_generation == Some(generation) && is_ready(core);
    let stops = fault == Fault::Stop;
    let again = match fault {
        Fault::Wait if acting => Again::At(Next::Moved),
        Fault::Wait if matches!(halt, Halt::Waiting(_) | Halt::Unhoused(_)) => Again::At(Next::Woken),
        Fault::Wait => Again::At(Next::Poll),
        Fault::Stop => Again::At(Next::Stop(if deleting { BLOCKED } else { STOP })),
        Fault::Retry | Fault::Gone | Fault::Exists => Again::Backoff(pause),
    };
    let situation = if deleting && stops {
        Situation::DeletionStopped { reason, message }
    } else if deleting {
        Situation::Deleting {
            message: format!("waits: {message}"),
        }
    } else if stops && reason == Reason::AccessDenied && applied && !acting {
        Situation::Denied { message }
    } else if stops {
        Situation::Stopped {
            reason,
            message,
            edit: served && (acting || core.applied_generation != Some(generation)),
        }
    } else if applied && acting {
        Situation::Correcting { message }
    } else if matches!(halt, Halt::Unhoused(_)) {
        Situation::Waiting { reason, message }
    } else if applied && recent {
        return (None, again);
    } else if applied {
        Situation::Unread { reason, message }
    } else if served {
        Situation::Updating { reason, message }
    } else if core.create_intent.is_some() && acting {
        Situation::Creating { message, again: false }
    } else {
        Situation::Waiting { reason, message }
    };
    (Some(situation), again)
}

/// Notes what a failed create means. Refused, or never sent: there is nothing to search for, and the name is free again.
/// Otherwise the intent stays, because the thing may have been made: by this call; by one that a gateway delivered twice,
/// if an instance "is there already"; or, for what lives in an instance, by one that we sent before (of an instance's first
/// create, the search has proven that it left no trace).
pub fn create_failed(core: &mut CoreStatus, error: &Error, now: Timestamp) {
    let Some(intent) = &mut core.create_intent else { return };
    let may_be_ours = match intent.nonce {
        Some(_) => error.class() == Class::AlreadyExists,
        None => intent.attempts.is_some_and(|attempts| attempts > 1),
    };
    if error.sent() == Sent::Unknown || may_be_ours {
        intent.searched_since.get_or_insert_with(|| now.to_string());
    } else {
        core.create_intent = None;
        core.external_name = None;
    }
}

fn is_ready(core: &CoreStatus) -> bool {
    core.conditions
        .iter()
        .any(|c| c.type_ == "Ready" && c.status != "False")
}

fn reason_of(error: &Error) -> Reason {
    match error.class() {
        Class::Busy => Reason::InstanceBusy,
        Class::Throttled => Reason::Throttled,
        Class::Unavailable | Class::Malformed | Class::NotFound | Class::AlreadyExists => Reason::Retrying,
        Class::Reauthenticate | Class::Denied => Reason::AccessDenied,
        Class::Invalid => Reason::InvalidSpec,
        Class::Quota => Reason::QuotaExceeded,
        Class::Payment => Reason::PaymentRequired,
    }
}

/// With the request id and the way out only where a person must act: the id differs at every attempt, and rest must not write.
fn message_of(error: &Error, deleting: bool) -> String {
    let way_out = match error.class() {
        Class::Denied | Class::Reauthenticate => {
            "check the credentials in the Secret of its ProviderConfig, and what their user may do"
        }
        Class::Quota => "have the quota raised, or wait for room: it is tried again by itself",
        Class::Payment => "settle the account of the project",
        Class::Invalid if deleting => "delete it in the console, or annotate reconcile-requested-at",
        Class::Invalid => "edit the spec",
        // It was another's call that was refused, and this one was not sent.
        Class::Busy if error.sent() == Sent::Never => return error.said(),
        Class::Busy
        | Class::Throttled
        | Class::Unavailable
        | Class::Malformed
        | Class::NotFound
        | Class::AlreadyExists => return error.without_request_id(),
    };
    format!("{error}; {way_out}")
}

//! From a situation to the four conditions: the one table that decides what people and tools see.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use super::Reason;
use crate::api::Drift;

/// Where an object stands. Each variant is a row of the table in [`Situation::verdict`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Situation {
    /// Accepted; nothing was looked at yet.
    Pending,
    /// Not applied yet, and waits for something that ends by itself.
    Waiting { reason: Reason, message: String },
    /// Is being made; `again` if it was there before and is known to be gone.
    Creating { message: String, again: bool },
    /// An edit is being applied, or waits for something that ends by itself.
    Updating { reason: Reason, message: String },
    /// Exists, serves, equals the spec.
    Healthy { message: String },
    /// Was healthy at the last look, which is long ago.
    Unread { reason: Reason, message: String },
    /// Serves, differs, and is being put back.
    Correcting { message: String },
    /// Serves, differs, and nothing is done about it: `why`.
    Differing { message: String, why: &'static str },
    /// Only a person helps; `edit` if it serves and an edit could not be applied.
    Stopped {
        reason: Reason,
        message: String,
        edit: bool,
    },
    /// Was applied, but the credentials are refused now, so nobody can tell.
    Denied { message: String },
    /// Held by an annotation.
    Paused,
    /// Is being deleted.
    Deleting { message: String },
    /// Should be deleted, but only a person helps.
    DeletionStopped { reason: Reason, message: String },
}

/// One condition's status and reason.
type Cell = (&'static str, Reason);

/// The four conditions of a situation, before messages and times.
#[derive(Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Exists, serves, this generation applied. `None`: as it was.
    pub ready: Option<Cell>,
    /// We work, or wait for what ends by itself.
    pub reconciling: Cell,
    /// Only a person helps.
    pub stalled: Cell,
    /// At the last look the cloud equalled the spec.
    pub synced: Cell,
}

const TRUE: &str = "True";
const FALSE: &str = "False";
const UNKNOWN: &str = "Unknown";

impl Situation {
    /// The row of the table.
    pub fn verdict(&self) -> Verdict {
        use Reason::*;
        let row = |ready: Cell, reconciling: &'static str, stalled: &'static str, headline, synced: Cell| Verdict {
            ready: Some(ready),
            reconciling: (reconciling, headline),
            stalled: (stalled, headline),
            synced,
        };
        match self {
            Self::Pending => row((UNKNOWN, Pending), TRUE, FALSE, Pending, (UNKNOWN, Pending)),
            Self::Waiting { reason, .. } => row((FALSE, *reason), TRUE, FALSE, *reason, (UNKNOWN, *reason)),
            Self::Creating { again: false, .. } => row((FALSE, Creating), TRUE, FALSE, Creating, (UNKNOWN, Creating)),
            Self::Creating { again: true, .. } => row((FALSE, Creating), TRUE, FALSE, Creating, (FALSE, DriftFound)),
            Self::Updating { reason, .. } => row((FALSE, *reason), TRUE, FALSE, *reason, (FALSE, DriftFound)),
            Self::Healthy { .. } => row((TRUE, Available), FALSE, FALSE, Available, (TRUE, InSync)),
            Self::Unread { reason, .. } => row((TRUE, Available), FALSE, FALSE, Available, (UNKNOWN, *reason)),
            Self::Correcting { .. } => Verdict {
                ready: Some((TRUE, Available)),
                reconciling: (TRUE, CorrectingDrift),
                stalled: (FALSE, Available),
                synced: (FALSE, DriftFound),
            },
            Self::Differing { .. } => row((TRUE, Available), FALSE, FALSE, Available, (FALSE, DriftFound)),
            Self::Stopped {
                reason, edit: false, ..
            } => row((FALSE, *reason), FALSE, TRUE, *reason, (UNKNOWN, *reason)),
            Self::Stopped { reason, edit: true, .. } => {
                row((FALSE, *reason), FALSE, TRUE, *reason, (FALSE, DriftFound))
            }
            Self::Denied { .. } => row(
                (UNKNOWN, AccessDenied),
                FALSE,
                TRUE,
                AccessDenied,
                (UNKNOWN, AccessDenied),
            ),
            Self::Paused => Verdict {
                ready: None,
                reconciling: (FALSE, Paused),
                stalled: (FALSE, Paused),
                synced: (UNKNOWN, Paused),
            },
            Self::Deleting { .. } => row((FALSE, Deleting), TRUE, FALSE, Deleting, (UNKNOWN, Deleting)),
            Self::DeletionStopped { reason, .. } => row((FALSE, *reason), FALSE, TRUE, *reason, (UNKNOWN, *reason)),
        }
    }

    /// The text for whoever reads `kubectl describe`.
    pub fn message(&self) -> &str {
        match self {
            Self::Pending => "waits for the first look",
            Self::Paused => "held by the annotation dms.huaweicloud.com/paused",
            Self::Waiting { message, .. }
            | Self::Creating { message, .. }
            | Self::Updating { message, .. }
            | Self::Healthy { message }
            | Self::Unread { message, .. }
            | Self::Correcting { message }
            | Self::Differing { message, .. }
            | Self::Stopped { message, .. }
            | Self::Denied { message }
            | Self::Deleting { message }
            | Self::DeletionStopped { message, .. } => message,
        }
    }

    /// What the user asked for is being done.
    pub fn is_asked_for(&self) -> bool {
        matches!(
            self,
            Self::Creating { again: false, .. } | Self::Updating { .. } | Self::Deleting { .. }
        )
    }

    /// True where only a person helps.
    pub fn is_stopped(&self) -> bool {
        self.verdict().stalled.0 == TRUE
    }

    /// The reason and text of an Event for this situation.
    pub fn headline(&self) -> Reason {
        let verdict = self.verdict();
        match self {
            Self::Correcting { .. } => Reason::CorrectingDrift,
            Self::Differing { .. } => Reason::DriftFound,
            _ => verdict.ready.unwrap_or(verdict.reconciling).1,
        }
    }

    /// The conditions to write. A condition whose status does not change keeps its transition time.
    pub fn conditions(
        &self,
        drift: &[Drift],
        generation: i64,
        previous: &[Condition],
        now: Timestamp,
    ) -> Vec<Condition> {
        let verdict = self.verdict();
        let message = self.message();
        let before = |kind: &str| previous.iter().find(|c| c.type_ == kind);
        let condition = |kind: &str, (status, reason): Cell, message: &str| {
            let since = before(kind)
                .filter(|c| c.status == status)
                .map_or(Time(now), |c| c.last_transition_time.clone());
            Condition {
                type_: kind.into(),
                status: status.into(),
                reason: reason.as_str().into(),
                message: cut(message, 32 * 1024),
                observed_generation: Some(generation),
                last_transition_time: since,
            }
        };
        let said_if = |status: &str| if status == TRUE { message } else { "" };
        let ready = match verdict.ready {
            Some(cell) => condition("Ready", cell, message),
            None => before("Ready")
                .cloned()
                .unwrap_or_else(|| condition("Ready", (UNKNOWN, Reason::Paused), message)),
        };
        vec![
            ready,
            condition("Reconciling", verdict.reconciling, said_if(verdict.reconciling.0)),
            condition("Stalled", verdict.stalled, said_if(verdict.stalled.0)),
            condition("Synced", verdict.synced, &self.synced_message(verdict.synced, drift)),
        ]
    }

    fn synced_message(&self, (status, reason): Cell, drift: &[Drift]) -> String {
        match (status, drift) {
            (TRUE, _) => String::new(),
            (_, [first, rest @ ..]) if reason == Reason::DriftFound => {
                let count = rest.len() + 1;
                let verb = if count == 1 { "field differs" } else { "fields differ" };
                let told = format!(
                    "{count} {verb}, first: {} wanted {} found {}",
                    first.field, first.wanted, first.found
                );
                match self {
                    Self::Differing { why, .. } => format!("{told}; {why}"),
                    _ => told,
                }
            }
            _ => self.message().to_owned(),
        }
    }
}

/// `text`, or its beginning with an ellipsis where it is longer than `max` bytes.
pub fn cut(text: &str, max: usize) -> String {
    const ELLIPSIS: &str = "…";
    if text.len() <= max {
        return text.to_owned();
    }
    let mut end = max - ELLIPSIS.len();
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{ELLIPSIS}", &text[..end])
}

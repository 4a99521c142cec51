//! The closed list of reasons that conditions and events carry.

/// Why a condition is as it is. Part of the public contract: tools may match on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Accepted; the first look is not yet done.
    Pending,
    /// Something it names is missing or does not serve yet.
    WaitingForReference,
    /// The create call, or the job behind it, is under way.
    Creating,
    /// An edit is being applied.
    Updating,
    /// The delete call, or the job behind it, is under way.
    Deleting,
    /// Nobody edited; the cloud is being put back.
    CorrectingDrift,
    /// The instance runs another change.
    InstanceBusy,
    /// A restart waits for its window or for an approval.
    DisruptionPending,
    /// Flow control.
    Throttled,
    /// A server error, the network, or an unreadable answer.
    Retrying,
    /// It exists, serves, and this generation is applied.
    Available,
    /// `Synced` only: nothing differs.
    InSync,
    /// `Synced` only: the differences are in `status.drift`.
    DriftFound,
    /// An annotation holds it.
    Paused,
    /// Refused by a check or by the service: edit the named field.
    InvalidSpec,
    /// Money: a confirmation is missing.
    ConfirmationRequired,
    /// Another object owns it.
    Conflict,
    /// It is in the cloud, not ours, and adoption is Never.
    AlreadyExists,
    /// It is not there, or an instance that served is gone.
    NotFound,
    /// The target does not admit this namespace.
    NotAllowed,
    /// Credentials refused, or lacking a right.
    AccessDenied,
    /// A quota is used up, or the resource is sold out.
    QuotaExceeded,
    /// Frozen, no balance, or an unpaid order.
    PaymentRequired,
    /// The service's own work failed.
    CloudFailed,
    /// A guard holds the deletion.
    DeletionBlocked,
}

impl Reason {
    /// As written in conditions and events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::WaitingForReference => "WaitingForReference",
            Self::Creating => "Creating",
            Self::Updating => "Updating",
            Self::Deleting => "Deleting",
            Self::CorrectingDrift => "CorrectingDrift",
            Self::InstanceBusy => "InstanceBusy",
            Self::DisruptionPending => "DisruptionPending",
            Self::Throttled => "Throttled",
            Self::Retrying => "Retrying",
            Self::Available => "Available",
            Self::InSync => "InSync",
            Self::DriftFound => "DriftFound",
            Self::Paused => "Paused",
            Self::InvalidSpec => "InvalidSpec",
            Self::ConfirmationRequired => "ConfirmationRequired",
            Self::Conflict => "Conflict",
            Self::AlreadyExists => "AlreadyExists",
            Self::NotFound => "NotFound",
            Self::NotAllowed => "NotAllowed",
            Self::AccessDenied => "AccessDenied",
            Self::QuotaExceeded => "QuotaExceeded",
            Self::PaymentRequired => "PaymentRequired",
            Self::CloudFailed => "CloudFailed",
            Self::DeletionBlocked => "DeletionBlocked",
        }
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

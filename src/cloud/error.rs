//! What went wrong, and what follows from it.

use std::fmt;
use std::time::Duration;

use super::Operation;

/// What to do about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is wrong: the instance is busy; come again.
    Wait,
    /// It may pass: repeat with growing pauses.
    Retry,
    /// Only a person helps.
    Stop,
    /// The thing is not there.
    Gone,
    /// The thing is there already.
    Exists,
}

/// What kind of failure it is; finer than [`Fault`], which follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// The instance's state, or a job that runs on it, does not allow the call now.
    Busy,
    /// Flow control.
    Throttled,
    /// The service failed or did not answer.
    Unavailable,
    /// Signature or token refused, although the clock was corrected.
    Reauthenticate,
    /// The request is wrong and will stay wrong.
    Invalid,
    /// The credentials lack a right.
    Denied,
    /// A quota, a stock or a limit is used up.
    Quota,
    /// No balance, an unpaid order, a frozen account.
    Payment,
    /// What the call names is not there.
    NotFound,
    /// What the call should make is there already.
    AlreadyExists,
    /// An answer that cannot be read: HTML, half a JSON, nothing where something is due.
    Malformed,
}

/// Whether a failed request may have had an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It never left this machine.
    Never,
    /// The service or its gateway refused it: nothing was done.
    Refused,
    /// It may have been carried out: no answer, a 5xx, or one that cannot be read.
    Unknown,
}

/// A failed call. As text it is one line for a person, without secrets, of at most about 700 bytes:
/// `failed to create the instance: Invalid disk space. (DMS.00400500, request 44f0...)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub(super) operation: Operation,
    pub(super) class: Class,
    pub(super) sent: Sent,
    pub(super) status: Option<u16>,
    pub(super) code: Option<String>,
    pub(super) message: String,
    pub(super) request_id: Option<String>,
    pub(super) retry_after: Option<Duration>,
}

impl Error {
    /// A failure without an answer from the service.
    pub fn new(operation: Operation, class: Class, sent: Sent, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            operation,
            class,
            sent,
            status: None,
            code: None,
            message,
            request_id: None,
            retry_after: None,
        }
    }

    /// What to do about it.
    pub fn fault(&self) -> Fault {
        self.class.fault()
    }

    /// What kind of failure it is.
    pub fn class(&self) -> Class {
        self.class
    }

    /// The same, with something that the service did not say.
    pub fn adding(mut self, more: &str) -> Self {
        self.message = format!("{}; {more}", self.message);
        self
    }

    /// The call that failed.
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// Whether the request may have had an effect all the same.
    pub fn sent(&self) -> Sent {
        self.sent
    }

    /// The HTTP status, if there was an answer.
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// The service's code, such as `DMS.00400026`.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// What the vendor's support asks for.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// As text, but the same at each repetition.
    pub fn without_request_id(&self) -> String {
        Self {
            request_id: None,
            ..self.clone()
        }
        .to_string()
    }

    /// What the service said, without the call that it said it to: it may hold for other calls too.
    pub fn said(&self) -> String {
        match self.code() {
            Some(code) => format!("{} ({code})", self.message),
            None => self.message.clone(),
        }
    }

    /// How long the service wants to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Whether it is the instance that is not there, rather than something in it (Kafka API reference 8.2, RocketMQ API reference 9.2).
    pub fn is_instance_gone(&self) -> bool {
        self.code() == Some("DMS.00404022")
    }
}

impl Class {
    /// What to do about a failure of this kind.
    pub fn fault(self) -> Fault {
        match self {
            Self::Busy => Fault::Wait,
            Self::Throttled | Self::Unavailable | Self::Malformed => Fault::Retry,
            Self::Reauthenticate | Self::Invalid | Self::Denied | Self::Quota | Self::Payment => Fault::Stop,
            Self::NotFound => Fault::Gone,
            Self::AlreadyExists => Fault::Exists,
        }
    }

    /// For metrics: `busy`, `throttled`, ...
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Throttled => "throttled",
            Self::Unavailable => "unavailable",
            Self::Reauthenticate => "reauthenticate",
            Self::Invalid => "invalid",
            Self::Denied => "denied",
            Self::Quota => "quota",
            Self::Payment => "payment",
            Self::NotFound => "not_found",
            Self::AlreadyExists => "already_exists",
            Self::Malformed => "malformed",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed to {}: {}", self.operation.phrase(), self.message)?;
        let status = self
            .status
            .filter(|status| *status >= 300)
            .map(|status| format!("HTTP {status}"));
        let request = self.request_id.as_ref().map(|id| format!("request {id}"));
        let details: Vec<String> = self.code.clone().or(status).into_iter().chain(request).collect();
        if details.is_empty() {
            Ok(())
        } else {
            write!(f, " ({})", details.join(", "))
        }
    }
}

impl std::error::Error for Error {}

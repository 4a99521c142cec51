//! What an error code means. One table, by code before status, because the service's statuses lie: flow control and
//! "already there" come as 404, "not there" and "busy" as 400 (API reference 8.2 of both engines: 210 codes).

use super::{Class, Operation};

/// The class of a failed answer.
pub(super) fn classify(operation: Operation, code: Option<&str>, status: u16) -> Class {
    code.and_then(|code| by_code(operation, code))
        .unwrap_or_else(|| by_status(operation, status))
}

/// The class of a failure without a code that we know. A 404 of no known code proves nothing about the thing.
pub(super) fn by_status(operation: Operation, status: u16) -> Class {
    match status {
        401 => Class::Reauthenticate,
        402 => Class::Payment,
        403 => Class::Denied,
        409 if operation.is_create() => Class::AlreadyExists,
        409 => Class::Busy,
        429 => Class::Throttled,
        408 | 500..=599 => Class::Unavailable,
        _ => Class::Invalid,
    }
}

/// Where the meaning depends on the call, that; otherwise what the code always means.
fn by_code(operation: Operation, code: &str) -> Option<Class> {
    let special = BY_CALL
        .iter()
        .find(|(call, name, _)| *call == operation && *name == code);
    let general = || {
        BY_CODE
            .iter()
            .chain(OUTSIDE)
            .find(|(_, codes)| codes.contains(&code))
    };
    special
        .map(|(.., class)| *class)
        .or_else(|| general().map(|(class, _)| *class))
}

type Row = (Class, &'static [&'static str]);

#[rustfmt::skip]
const BY_CALL: &[(Operation, &str, Class)] = &[];
const BY_CODE: &[Row] = &[];
const OUTSIDE: &[Row] = &[];

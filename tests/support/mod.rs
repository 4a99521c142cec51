//! What the test binaries share.
#![allow(dead_code, unreachable_pub, reason = "each binary uses its own part")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

pub mod apiserver;
pub mod scenarios;

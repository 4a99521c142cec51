//! The operator in a world of its own: API server and cloud in memory, on a clock that jumps.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../support/mod.rs"]
mod support;

mod apiserver;
mod crashes;
mod drift;
mod edits;
mod endings;
mod estate;
mod everyday;
mod faults;
mod foreign;
mod leaders;
mod life;
mod lost;
mod namespaces;
mod ownership;
mod refusals;
mod rest;
mod restored;
mod stale;

//! The operator in a world of its own: API server and cloud in memory, on a clock that jumps.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../support/mod.rs"]
mod support;

mod alterations;
mod apiserver;
mod crashes;
mod differences;
mod drift;
mod edits;
mod endings;
mod estate;
mod everyday;
mod examples;
mod faults;
mod foreign;
mod groups;
mod guards;
mod jobs;
mod leaders;
mod life;
mod live;
mod lost;
mod mistakes;
mod namespaces;
mod ownership;
mod passwords;
mod policies;
mod refusals;
mod rest;
mod restored;
mod rivals;
mod scale;
mod stale;
mod tenants;
mod versions;

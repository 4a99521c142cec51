//! The operator in a world of its own: API server and cloud in memory, on a clock that jumps.

#[path = "../support/mod.rs"]
mod support;

mod apiserver;

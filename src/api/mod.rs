//! The custom resources: types, defaults, rules. No I/O.

pub mod common;

pub use common::*;

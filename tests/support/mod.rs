//! What the test binaries share.
#![allow(dead_code, unreachable_pub, reason = "each binary uses its own part")]

pub mod admission;
pub mod apiserver;
pub mod gadgets;
pub mod scenarios;
pub mod view;
pub mod wire;
pub mod world;

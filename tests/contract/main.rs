//! Client and simulator against the vendor's published API definitions, and the rooms of the house against each other.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod calls;
mod codes;
mod conformity;
mod definitions;
mod house;
mod served;

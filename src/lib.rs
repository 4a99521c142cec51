//! A Kubernetes operator for Huawei Cloud DMS. `docs/architecture.md` shows the house.

pub mod api;
pub mod clock;
pub mod cloud;
pub mod operator;
pub mod plan;
pub mod simulator;

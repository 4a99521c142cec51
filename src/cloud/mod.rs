//! The cloud's API: signing, sending, limits, what its answers and errors mean, one typed function an operation.
//!
//! Nothing here knows Kubernetes. "API reference" with a section number is the vendor's *Distributed Message Service
//! for Kafka API Reference*, issue 14; "not in the reference" marks what was learnt elsewhere.

mod answer;
mod client;
mod codes;
mod credentials;
mod decode;
mod endpoint;
mod error;
mod iam;
pub mod kafka;
mod limiter;
mod operation;
pub mod sign;
mod transport;

pub use client::{CallRecord, Client, Config, Observer, Timeouts};
pub use credentials::Credentials;
pub use endpoint::{Endpoint, Endpoints, InvalidEndpoint};
pub use error::{Class, Error, Fault, Sent};
pub use iam::Project;
pub use limiter::Limiter;
pub use operation::Operation;
pub use transport::{Broken, HttpTransport, Transport};

#[cfg(test)]
mod tests;

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// What this page holds, in the service's order, which is not documented.
    pub items: Vec<T>,
    /// How many there are over all pages, if the service said so.
    pub total: Option<u64>,
}

//! DMS for RocketMQ: one function an operation, with its wire types beside it. A bare section number is of the
//! *Distributed Message Service for RocketMQ API Reference*, issue 07.
//!
//! Everything that the service tells is optional, because it leaves out what it likes; only what identifies a thing is
//! required. Changes of topics and groups go on in the background after they were accepted: the reference promises a
//! job's id with a 204, which cannot have a body, so that only reading back tells when they are done.

mod groups;
mod instances;
mod topics;
mod usage;

pub use groups::{CreateGroup, Group, UpdateGroup, UpdateGroupBrokers};
pub use instances::{CreateInstance, ExtendProduct, Instance, UpdateInstance};
pub use topics::{BrokerQueues, CreateQueues, CreateTopic, Topic, UpdateTopic};
pub use usage::Consumers;

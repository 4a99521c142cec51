//! DMS for Kafka: one function an operation, with its wire types beside it.
//!
//! Everything that the service tells is optional, because it leaves out what it likes; only what identifies a thing is
//! required.

mod instances;
mod quotas;
mod tags;
mod tasks;
mod topics;
mod zones;

pub use instances::{
    CreateInstance, CrossVpcAddress, Instance, InstanceQuery, InstanceStatus, PortProtocols, UpdateInstance,
};
pub use quotas::{Quota, QuotaIdentity};
pub use tags::{Tag, TagAction};
pub use tasks::{Task, TaskStatus};
pub use topics::{CreateTopic, ItemFailure, ItemResult, Topic, TopicConfig, TopicConfigValue, TopicPage, UpdateTopic};
pub use zones::Zone;

use serde::Deserialize;

use super::decode;

/// The answer of what runs on as a job; some regions leave the id out.
#[derive(Default, Deserialize)]
struct Job {
    #[serde(default, deserialize_with = "decode::text")]
    job_id: Option<String>,
}

/// A closed list of words that the service may add to at any time: those we know, and `Other`.
macro_rules! vocabulary {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$doc])* $variant,)*
            /// A word that is not known.
            Other(String),
        }

        impl $name {
            /// In the service's own word.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Other(word) => word,
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::convert::Infallible;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                Ok(match word.to_ascii_uppercase().as_str() {
                    $($word => Self::$variant,)*
                    _ => Self::Other(word.to_owned()),
                })
            }
        }
    };
}
use vocabulary;

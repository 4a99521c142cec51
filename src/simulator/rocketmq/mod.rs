//! What is RocketMQ's own.

pub(crate) mod instances;
pub(crate) mod products;
pub(crate) mod view;

use std::time::Duration;

use super::Config;
use super::catalogue::{Flavour, Storage};

/// The version that 5.1.2 lists.
pub(crate) const FOUR: &str = "4.8.0";
/// The version that 5.1.2 does not list, although 5.1.3 shows one and half of the tables have fields for it. It can be
/// created here, as it can outside.
pub(crate) const FIVE: &str = "5.x";

/// What only a RocketMQ instance has.
pub(crate) struct RocketMq {
    pub(crate) enable_acl: bool,
}

/// What a job in a RocketMQ instance does when it ends.
pub(crate) enum Change {}

impl Change {
    /// False if it cannot be done.
    pub(crate) fn apply(&self, _rocketmq: &mut RocketMq, _now: Duration, _config: &Config) -> bool {
        match *self {}
    }
}

/// The flavours of 4.8.0 in rising order (5.1.2), with the limits of 5.10.1.
pub(crate) const FLAVOURS: [Flavour; 5] = [
    flavour("c6.4u8g.cluster.small", 2000, 2, 30_000),
    flavour("c6.4u8g.cluster", 4000, 10, 60_000),
    flavour("c6.8u16g.cluster", 8000, 10, 90_000),
    flavour("c6.12u24g.cluster", 12_000, 10, 90_000),
    flavour("c6.16u32g.cluster", 16_000, 10, 90_000),
];

/// The one flavour of 5.x that the reference shows (5.1.3); its limits are not in the reference.
pub(crate) const FLAVOURS_OF_FIVE: [Flavour; 1] = [Flavour {
    id: "rocketmq.b1.large.1",
    brokers: (1, 1),
    per_broker: 50,
    storage: Storage::OfBroker(200, 60_000),
}];

const fn flavour(id: &'static str, topics: i64, most_brokers: i64, most_storage: i64) -> Flavour {
    Flavour {
        id,
        brokers: (1, most_brokers),
        per_broker: topics,
        storage: Storage::OfBroker(300, most_storage),
    }
}

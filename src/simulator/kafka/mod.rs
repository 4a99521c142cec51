//! What is Kafka's own.

pub(crate) mod groups;
pub(crate) mod instances;
pub(crate) mod quotas;
pub(crate) mod topics;
pub(crate) mod view;

use super::catalogue::{Flavour, Storage};
use super::entries::Entries;
use groups::Group;
use quotas::Quota;
use topics::Topic;

/// What only a Kafka instance has.
pub(crate) struct Kafka {
    pub(crate) retention_policy: String,
    pub(crate) topics: Entries<Topic>,
    pub(crate) quotas: Vec<Quota>,
    pub(crate) groups: Entries<Group>,
}

/// What a job in a Kafka instance does when it ends.
pub(crate) enum Change {
    Retention(String),
    CreateQuota(Quota),
    UpdateQuota(Quota),
    DeleteQuota(Quota),
}

impl Change {
    /// False if it cannot be done.
    pub(crate) fn apply(&self, kafka: &mut Kafka) -> bool {
        match self {
            Self::Retention(policy) => {
                kafka.retention_policy.clone_from(policy);
                true
            }
            Self::CreateQuota(quota) => Quota::create(&mut kafka.quotas, quota),
            Self::UpdateQuota(quota) => Quota::update(&mut kafka.quotas, quota),
            Self::DeleteQuota(quota) => Quota::delete(&mut kafka.quotas, quota),
        }
    }
}

/// The flavours in rising order (5.1.1), with partitions a broker. 5.1.1 prints no range of brokers, the products of
/// 5.12.3 have 3 to 30; for the storage of an instance the two disagree, and the call's own table wins.
pub(crate) const FLAVOURS: [Flavour; 5] = [
    flavour("c6.2u4g.cluster", 250, 300_000),
    flavour("c6.4u8g.cluster", 500, 600_000),
    flavour("c6.8u16g.cluster", 1000, 1_500_000),
    flavour("c6.12u24g.cluster", 1500, 1_500_000),
    flavour("c6.16u32g.cluster", 2000, 1_500_000),
];

const fn flavour(id: &'static str, partitions: i64, storage: i64) -> Flavour {
    Flavour {
        id,
        brokers: (3, 30),
        per_broker: partitions,
        storage: Storage::OfInstance(300, storage),
    }
}

//! The storage of an instance: the same for each broker, in whole GB, and only ever more.

use crate::api::{Correction, InstanceSpec, ObservedInstance};
use crate::plan::Differences;

/// The least that each broker grows by, in GB (Kafka API reference 5.4.1, RocketMQ API reference 5.10.2).
const STEP: u32 = 100;

/// The storage only grows, and growth that the cloud made by itself is no drift. `Err` says which total can be reached;
/// `most` is what a broker can have, where it is known.
pub(super) fn compare_storage(
    spec: &InstanceSpec,
    found: &ObservedInstance,
    most: Option<u32>,
    differences: &mut Differences,
) -> Option<Result<u32, String>> {
    let (wanted, total) = (spec.storage_space?, found.storage_space?);
    if wanted <= total {
        return None;
    }
    let cannot = |why: String| {
        Some(Err(format!(
            "spec.storageSpace cannot grow from {total} to {wanted} GB: {why}"
        )))
    };
    let Some(brokers) = found.broker_num.or(spec.broker_num).filter(|n| *n > 0) else {
        differences.note("spec.storageSpace", wanted, total, Correction::Impossible);
        return cannot("how many brokers it has is not known, for they could not be listed".into());
    };
    let least = total.saturating_add(STEP.saturating_mul(brokers));
    let reachable = next_total(brokers, least, wanted);
    let ceiling = most.map(|most| most.saturating_mul(brokers));
    if let Some(ceiling) = ceiling.filter(|ceiling| reachable > *ceiling) {
        differences.note("spec.storageSpace", wanted, total, Correction::Impossible);
        let flavour = found.product_id.as_deref().unwrap_or("the flavour");
        return cannot(format!(
            "{flavour} with {brokers} brokers takes at most {ceiling} GB, in steps of at least {STEP} GB a broker"
        ));
    }
    if reachable != wanted {
        differences.note("spec.storageSpace", wanted, total, Correction::Impossible);
        return cannot(format!(
            "each of {brokers} brokers grows by whole GB and at least {STEP}; the next total that can be reached is {reachable}"
        ));
    }
    differences.note("spec.storageSpace", wanted, total, Correction::Job);
    Some(Ok(wanted))
}

/// The smallest total of at least `least` and `wanted` that the brokers can share in whole GB.
pub(super) fn next_total(brokers: u32, least: u32, wanted: u32) -> u32 {
    let brokers = brokers.max(1);
    wanted.max(least).div_ceil(brokers).saturating_mul(brokers)
}

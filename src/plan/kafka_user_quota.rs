//! Decisions for `KafkaUserQuota`.

use super::child::{self, Calls, Found};
use super::upkeep::Comparison;
use super::{Differences, Facts, Plan};
use crate::api::kafka_user_quota::ObservedQuota;
use crate::api::{ByteRate, Correction, KafkaUserQuota, KafkaUserQuotaStatus};
use crate::cloud::kafka::{Quota, QuotaIdentity};

/// One call; each is a background job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// 5.2.15.
    Create(Quota),
    /// 5.2.16, always with all rates that are wanted.
    Update(Quota),
    /// 5.2.13; to be made anew without a rate, since what the update does with a missing one is not documented.
    Replace(QuotaIdentity),
    /// 5.2.13.
    Delete(QuotaIdentity),
}

/// What a look shows.
pub type Seen = child::Seen<Quota>;

/// Whom the quota is for.
pub fn identity(quota: &KafkaUserQuota) -> QuotaIdentity {
    let spec = &quota.spec;
    QuotaIdentity {
        user: spec.user.clone().unwrap_or_default(),
        client: spec.client.clone().unwrap_or_default(),
        user_default: spec.user_default.unwrap_or_default(),
        client_default: spec.client_default.unwrap_or_default(),
    }
}

/// The identity as one name: `user=orders-app,client=importer`.
pub fn name(identity: &QuotaIdentity) -> String {
    let part = |what: &str, name: &str, default: bool| match (name, default) {
        (_, true) => Some(format!("{what}=<default>")),
        ("", false) => None,
        (name, false) => Some(format!("{what}={name}")),
    };
    let parts = [
        part("user", &identity.user, identity.user_default),
        part("client", &identity.client, identity.client_default),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(",")
}

/// Decides.
pub fn plan(quota: &KafkaUserQuota, facts: Facts<'_>, seen: Seen) -> Plan<KafkaUserQuotaStatus, Step> {
    let mut status = quota.status.clone().unwrap_or_default();
    let identity = identity(quota);
    let name = name(&identity);
    status.observed = match &seen.found {
        Found::There(found) => Some(observe(found)),
        Found::Absent | Found::InstanceGone => None,
    };
    let observes = facts.observes();
    let wanted = wanted(quota, &identity, observes);
    let create = match &wanted {
        Ok(wanted) => Ok(Step::Create(wanted.clone())),
        Err(missing) => Err(format!("{missing} is needed to create it")),
    };
    let child = seen.child(facts, format!("quota {name}"), name);
    let calls = Calls {
        create,
        delete: Step::Delete(identity),
        blocked: None,
        advice: "",
    };
    child.plan(status, calls, |found| match &wanted {
        Ok(wanted) => compare(wanted, found, observes),
        Err(missing) => Comparison {
            differences: Differences::default(),
            steps: vec![],
            refused: Some(format!("{missing} is needed")),
            summary: summary(found),
        },
    })
}

fn wanted(quota: &KafkaUserQuota, identity: &QuotaIdentity, observes: bool) -> Result<Quota, String> {
    let rate = |field: &str, rate: &Option<ByteRate>| match rate {
        None => Ok(None),
        Some(rate) => rate
            .bytes()
            .map(Some)
            .ok_or_else(|| format!("a rate of 1 to {} bytes a second in spec.{field}", i64::MAX)),
    };
    let producer_byte_rate = rate("producerByteRate", &quota.spec.producer_byte_rate)?;
    let consumer_byte_rate = rate("consumerByteRate", &quota.spec.consumer_byte_rate)?;
    if producer_byte_rate.is_none() && consumer_byte_rate.is_none() && !observes {
        return Err("spec.producerByteRate or spec.consumerByteRate".into());
    }
    Ok(Quota {
        identity: identity.clone(),
        producer_byte_rate,
        consumer_byte_rate,
    })
}

/// Unlike elsewhere, a rate that is left out is enforced as not set: a quota that half applies is a trap. Who only looks
/// enforces nothing.
fn compare(wanted: &Quota, found: &Quota, observes: bool) -> Comparison<Step> {
    let mut differences = Differences::default();
    let mut drops = false;
    let rates = [
        (
            "spec.producerByteRate",
            wanted.producer_byte_rate,
            found.producer_byte_rate,
        ),
        (
            "spec.consumerByteRate",
            wanted.consumer_byte_rate,
            found.consumer_byte_rate,
        ),
    ];
    for (field, wanted, found) in rates {
        // A rate of 0 is how some answers say that none is set.
        let found = found.filter(|rate| *rate > 0);
        if wanted != found && (wanted.is_some() || !observes) {
            let text = |rate: Option<u64>| rate.map_or_else(|| "none".to_owned(), |r| r.to_string());
            differences.note(field, text(wanted), text(found), Correction::Job);
            drops |= wanted.is_none();
        }
    }
    let steps = match (differences.is_empty(), drops) {
        (true, _) => vec![],
        (false, true) => vec![Step::Replace(wanted.identity.clone()), Step::Create(wanted.clone())],
        (false, false) => vec![Step::Update(wanted.clone())],
    };
    Comparison {
        differences,
        steps,
        refused: None,
        summary: summary(found),
    }
}

fn observe(found: &Quota) -> ObservedQuota {
    let who = |name: &str, default: bool| match (name, default) {
        (_, true) => Some("<default>".to_owned()),
        ("", false) => None,
        (name, false) => Some(name.to_owned()),
    };
    ObservedQuota {
        user: who(&found.identity.user, found.identity.user_default),
        client: who(&found.identity.client, found.identity.client_default),
        producer_byte_rate: found.producer_byte_rate.filter(|rate| *rate > 0),
        consumer_byte_rate: found.consumer_byte_rate.filter(|rate| *rate > 0),
    }
}

fn summary(found: &Quota) -> String {
    let part = |what: &str, rate: Option<u64>| {
        rate.filter(|rate| *rate > 0)
            .map(|rate| format!("{what} {}", human(rate)))
    };
    let parts = [
        part("produce", found.producer_byte_rate),
        part("consume", found.consumer_byte_rate),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn human(rate: u64) -> String {
    for (unit, size) in [("GiB/s", 1u64 << 30), ("MiB/s", 1 << 20), ("KiB/s", 1 << 10)] {
        if rate >= size && rate.is_multiple_of(size) {
            return format!("{} {unit}", rate / size);
        }
    }
    format!("{rate} B/s")
}

//! The settings that both engines share, compared field by field.

use std::collections::BTreeMap;

use crate::api::{Correction, InstanceSpec, ObservedInstance};
use crate::plan::Differences;

/// What one call of either engine can change; `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Name in the cloud.
    pub name: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// Security group.
    pub security_group_id: Option<String>,
}

/// Notes a text that differs and can be changed; the wanted one, if it does.
pub(crate) fn changed(
    differences: &mut Differences,
    field: &str,
    wanted: Option<&String>,
    found: Option<&String>,
) -> Option<String> {
    let differs = differences.compare(field, wanted, found, Correction::InPlace);
    differs.then(|| wanted.cloned()).flatten()
}

pub(super) fn compare_settings(
    spec: &InstanceSpec,
    name: Option<String>,
    found: &ObservedInstance,
    differences: &mut Differences,
) -> Changes {
    let (wanted, there) = (spec.description.as_ref(), found.description.as_ref());
    let (group, found_group) = (spec.security_group_id.as_ref(), found.security_group_id.as_ref());
    Changes {
        name: changed(differences, "spec.name", name.as_ref(), found.name.as_ref()),
        description: changed(differences, "spec.description", wanted, there),
        security_group_id: changed(differences, "spec.securityGroupId", group, found_group),
    }
}

/// What has no call that changes it. Absent in an answer means unknown.
pub(super) fn compare_frozen(
    spec: &InstanceSpec,
    found: &ObservedInstance,
    zones: &BTreeMap<String, String>,
    differences: &mut Differences,
) {
    let impossible = Correction::Impossible;
    let texts = [
        ("spec.engineVersion", &spec.engine_version, &found.engine_version),
        ("spec.productId", &spec.product_id, &found.product_id),
        ("spec.vpcId", &spec.vpc_id, &found.vpc_id),
        ("spec.subnetId", &spec.subnet_id, &found.subnet_id),
    ];
    for (field, wanted, found) in texts {
        differences.compare(field, wanted.as_ref(), found.as_ref(), impossible);
    }
    let (wanted, there) = (spec.ipv6_enable.as_ref(), found.ipv6_enable.as_ref());
    differences.compare("spec.ipv6Enable", wanted, there, impossible);
    if let (Some(wanted), Some(found)) = (spec.broker_num, found.broker_num)
        && wanted > found
    {
        differences.note("spec.brokerNum", wanted, found, impossible);
    }
    if let (Some(wanted), Some(found)) = (&spec.storage_spec_code, &found.storage_spec_code) {
        // Some answers leave out the generation.
        let bare = |code: &str| code.trim_end_matches(".v2").to_owned();
        if bare(wanted) != bare(found) {
            differences.note("spec.storageSpecCode", wanted, found, impossible);
        }
    }
    if !spec.available_zones.is_empty() && !found.available_zones.is_empty() {
        let wanted = spec.available_zones.iter();
        let wanted = wanted.map(|zone| zones.get(zone).unwrap_or(zone).clone()).collect();
        differences.compare_sets("spec.availableZones", &wanted, &found.available_zones, impossible);
    }
}

//! Decisions for `KafkaInstance`.

mod observe;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use observe::{brokers, description, endpoints, normal, observe, summary, window};

use super::instance::{Calls, Found, Instance};
use super::upkeep::Comparison;
use super::{Differences, Facts, Plan};
use crate::api::kafka_instance::ObservedMaintenanceWindow;
use crate::api::{Correction, KafkaInstance, KafkaInstanceSpec, KafkaInstanceStatus, Location, Origin};
use crate::cloud::kafka::{self, CreateInstance, UpdateInstance};
use crate::cloud::{InstanceStatus, Tag, TagAction};

/// The tag that carries a create's nonce until the instance runs.
pub const NONCE_TAG: &str = "dms-operator.create";
/// Name of the operation that grows the storage.
pub const EXTEND_STORAGE: &str = "ExtendStorage";
/// The least that each broker starts with and grows by, in GB (API reference 5.4.1).
const BROKER_STEP: u32 = 100;

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// 5.1.1.
    Create(Box<CreateInstance>),
    /// 5.1.5, with nothing but what changes.
    Update(UpdateInstance),
    /// 5.10.1.
    Tags(TagAction, Vec<Tag>),
    /// 5.4.1: the new total in GB.
    ExtendStorage(u32),
    /// 5.1.4.
    Delete(String),
}

/// What a look shows.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Where the instance lives or shall live.
    pub location: Location,
    /// The enterprise project of an instance that names none.
    pub enterprise_project_id: Option<String>,
    /// Ids of the zones by their codes; empty where nothing has to be translated.
    pub zones: Arc<BTreeMap<String, String>>,
    /// The instance.
    pub found: Found<View>,
    /// How long complete searches must have found nothing.
    pub search_window: Duration,
}

/// An instance and its tags.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// As 5.1.3 shows it.
    pub instance: kafka::Instance,
    /// As 5.10.2 shows them; `None` if they could not be read.
    pub tags: Option<Vec<Tag>>,
}

/// The instance's name in the cloud.
pub fn name(object: &KafkaInstance) -> String {
    object
        .spec
        .name
        .clone()
        .or_else(|| object.metadata.name.clone())
        .unwrap_or_default()
}

/// Decides.
pub fn plan(object: &KafkaInstance, facts: Facts<'_>, seen: Seen) -> Plan<KafkaInstanceStatus, Step> {
    let mut status = object.status.clone().unwrap_or_default();
    let managed_before = status.managed_tags.clone();
    let mut seen = seen;
    match &mut seen.found {
        Found::There(view) => {
            view.instance.description = description(&view.instance, status.observed.as_ref());
            status.state = view.instance.status.as_ref().map(|s| s.as_str().to_owned());
            status.observed = Some(observe(&view.instance));
            status.endpoints = endpoints(&view.instance);
        }
        Found::Missing(1) => {}
        Found::Missing(_) => {
            status.state = None;
            status.endpoints = vec![];
        }
        Found::Searched(_) => {
            status = KafkaInstanceStatus {
                core: status.core,
                managed_tags: status.managed_tags,
                ..Default::default()
            }
        }
    }
    let spec = &object.spec;
    let nonce = facts
        .core
        .create_intent
        .as_ref()
        .and_then(|i| i.nonce.as_deref())
        .unwrap_or(facts.nonce);
    let calls = Calls {
        create: create(object, &seen, nonce).map(|create| Step::Create(Box::new(create))),
        delete: Step::Delete(facts.core.instance_id.clone().unwrap_or_default()),
    };
    let names = spec.name.is_some() || facts.core.origin == Some(Origin::Created);
    let zones = seen.zones;
    let instance = Instance {
        title: format!("Kafka instance {}", name(object)),
        facts,
        location: seen.location,
        named_id: spec.instance_id.as_deref(),
        found: seen.found,
        search_window: seen.search_window,
    };
    let ours = || spec.tags.keys().cloned();
    let mut managed = None;
    let mut plan = instance.plan(
        status,
        |view| view.instance.status.as_ref().map_or("", InstanceStatus::as_str),
        calls,
        |view| {
            let mut released = vec![];
            let name = names.then(|| name(object));
            let comparison = compare(spec, name, view, &zones, &managed_before, &mut released);
            // A removed tag stays on record until it was seen to be gone.
            managed = view.tags.is_some().then(|| ours().chain(released).collect());
            comparison
        },
    );
    if let Some(managed) = managed {
        plan.status.managed_tags = managed;
    }
    if let Some(Step::Create(create)) = plan.steps.first() {
        plan.status.managed_tags = ours().collect();
        if let Some(intent) = &mut plan.status.core.create_intent {
            intent.name = Some(create.name.clone());
        }
    }
    plan
}

/// What to send, or what is wrong with the spec.
fn create(object: &KafkaInstance, seen: &Seen, nonce: &str) -> Result<CreateInstance, String> {
    let spec = &object.spec;
    fn need<T: Clone>(field: &str, value: &Option<T>) -> Result<T, String> {
        value
            .clone()
            .ok_or_else(|| format!("spec.{field} is needed to create an instance"))
    }
    let broker_num = need("brokerNum", &spec.broker_num)?;
    let storage_space = need("storageSpace", &spec.storage_space)?;
    let reachable = next_total(broker_num, BROKER_STEP.saturating_mul(broker_num), storage_space);
    if storage_space != reachable {
        return Err(format!(
            "spec.storageSpace {storage_space} cannot be shared by {broker_num} brokers in whole GB of at least {BROKER_STEP} each; the next total that can is {reachable}"
        ));
    }
    if spec.available_zones.is_empty() {
        return Err("spec.availableZones is needed to create an instance".into());
    }
    let ids: BTreeSet<_> = seen.zones.values().collect();
    let zone = |zone: &String| match seen.zones.get(zone) {
        Some(id) => Ok(id.clone()),
        None if ids.contains(zone) => Ok(zone.clone()),
        None => {
            let known = seen.zones.keys().cloned().collect::<Vec<_>>().join(", ");
            Err(format!(
                "spec.availableZones: there is no zone {zone} in {}; there are {known}",
                seen.location.region
            ))
        }
    };
    let window = spec.maintenance_window.as_ref();
    let mut tags: Vec<_> = spec
        .tags
        .iter()
        .map(|(key, value)| Tag {
            key: key.clone(),
            value: value.clone(),
        })
        .collect();
    tags.push(Tag {
        key: NONCE_TAG.into(),
        value: nonce.into(),
    });
    Ok(CreateInstance {
        name: name(object),
        description: spec.description.clone(),
        engine_version: need("engineVersion", &spec.engine_version)?,
        broker_num,
        storage_space: storage_space.into(),
        storage_spec_code: need("storageSpecCode", &spec.storage_spec_code)?,
        product_id: need("productId", &spec.product_id)?,
        vpc_id: need("vpcId", &spec.vpc_id)?,
        subnet_id: need("subnetId", &spec.subnet_id)?,
        security_group_id: need("securityGroupId", &spec.security_group_id)?,
        available_zones: spec.available_zones.iter().map(zone).collect::<Result<_, _>>()?,
        maintain_begin: window.map(|w| w.begin.chars().take(5).collect()),
        maintain_end: window.map(|w| w.end.chars().take(5).collect()),
        retention_policy: spec.retention_policy.map(|p| p.as_str().to_owned()),
        ipv6_enable: spec.ipv6_enable,
        enterprise_project_id: spec
            .enterprise_project_id
            .clone()
            .or_else(|| seen.enterprise_project_id.clone()),
        tags,
    })
}

fn compare(
    spec: &KafkaInstanceSpec,
    name: Option<String>,
    view: &View,
    zones: &BTreeMap<String, String>,
    managed_before: &BTreeSet<String>,
    released: &mut Vec<String>,
) -> Comparison<Step> {
    let found = &view.instance;
    let mut differences = Differences::default();
    let mut steps = vec![];
    let update = compare_settings(spec, name, found, &mut differences);
    if update != UpdateInstance::default() {
        steps.push(Step::Update(update));
    }
    if let Some(tags) = &view.tags {
        steps.extend(compare_tags(spec, tags, managed_before, &mut differences, released));
    }
    let mut refused = None;
    match compare_storage(spec, found, &mut differences) {
        Some(Ok(total)) => steps.push(Step::ExtendStorage(total)),
        Some(Err(why)) => refused = Some(why),
        None => {}
    }
    compare_frozen(spec, found, zones, &mut differences);
    Comparison {
        differences,
        steps,
        refused,
        summary: summary(found),
    }
}

fn compare_settings(
    spec: &KafkaInstanceSpec,
    name: Option<String>,
    found: &kafka::Instance,
    differences: &mut Differences,
) -> UpdateInstance {
    let mut update = UpdateInstance::default();
    let mut text = |field: &str, wanted: Option<&String>, found: Option<&String>| {
        differences
            .compare(field, wanted, found, Correction::InPlace)
            .then(|| wanted.cloned())
            .flatten()
    };
    update.name = text("spec.name", name.as_ref(), found.name.as_ref());
    update.description = text(
        "spec.description",
        spec.description.as_ref(),
        found.description.as_ref(),
    );
    update.security_group_id = text(
        "spec.securityGroupId",
        spec.security_group_id.as_ref(),
        found.security_group_id.as_ref(),
    );
    update.enterprise_project_id = text(
        "spec.enterpriseProjectId",
        spec.enterprise_project_id.as_ref(),
        found.enterprise_project_id.as_ref(),
    );
    let policy = spec.retention_policy.map(|p| p.as_str().to_owned());
    update.retention_policy = text("spec.retentionPolicy", policy.as_ref(), found.retention_policy.as_ref());
    if let (Some(wanted), Some(found)) = (&spec.maintenance_window, window(found)) {
        let wanted = normal(wanted);
        let show = |w: &ObservedMaintenanceWindow| format!("{}-{}", w.begin, w.end);
        if wanted != found {
            differences.note(
                "spec.maintenanceWindow",
                show(&wanted),
                show(&found),
                Correction::InPlace,
            );
            update.maintain_begin = Some(wanted.begin);
            update.maintain_end = Some(wanted.end);
        }
    }
    update
}

/// Key by key, and never all at once: the tags of others stay, and so does each of ours until its turn.
fn compare_tags(
    spec: &KafkaInstanceSpec,
    found: &[Tag],
    managed_before: &BTreeSet<String>,
    differences: &mut Differences,
    released: &mut Vec<String>,
) -> Vec<Step> {
    let found: BTreeMap<_, _> = found.iter().map(|tag| (tag.key.as_str(), tag.value.as_str())).collect();
    let (mut gone, mut new) = (vec![], vec![]);
    let tag = |key: &str, value: &str| Tag {
        key: key.into(),
        value: value.into(),
    };
    for (key, wanted) in &spec.tags {
        let value = found.get(key.as_str()).copied();
        if value != Some(wanted.as_str()) {
            differences.note(
                &format!("spec.tags[{key}]"),
                wanted,
                value.unwrap_or("none"),
                Correction::InPlace,
            );
            gone.extend(value.map(|value| tag(key, value)));
            new.push(tag(key, wanted));
        }
    }
    for key in managed_before.iter().filter(|key| !spec.tags.contains_key(*key)) {
        if let Some(value) = found.get(key.as_str()) {
            differences.note(&format!("spec.tags[{key}]"), "none", value, Correction::InPlace);
            gone.push(tag(key, value));
            released.push(key.clone());
        }
    }
    if let Some(nonce) = found.get(NONCE_TAG) {
        differences.note("the tag of its creation", "none", nonce, Correction::InPlace);
        gone.push(tag(NONCE_TAG, nonce));
    }
    let steps = [(TagAction::Delete, gone), (TagAction::Create, new)];
    steps
        .into_iter()
        .filter(|(_, tags)| !tags.is_empty())
        .map(|(action, tags)| Step::Tags(action, tags))
        .collect()
}

/// The storage only grows, and growth that the cloud made by itself is no drift. `Err` says which total can be reached.
fn compare_storage(
    spec: &KafkaInstanceSpec,
    found: &kafka::Instance,
    differences: &mut Differences,
) -> Option<Result<u32, String>> {
    let wanted = spec.storage_space?;
    let total = u32::try_from(found.total_storage_space?).ok()?;
    let brokers = brokers(found).or(spec.broker_num).filter(|n| *n > 0)?;
    if wanted <= total {
        return None;
    }
    let least = total.saturating_add(BROKER_STEP.saturating_mul(brokers));
    let reachable = next_total(brokers, least, wanted);
    if reachable == wanted {
        differences.note("spec.storageSpace", wanted, total, Correction::Job);
        return Some(Ok(wanted));
    }
    differences.note("spec.storageSpace", wanted, total, Correction::Impossible);
    Some(Err(format!(
        "spec.storageSpace cannot grow from {total} to {wanted} GB: each of {brokers} brokers grows by whole GB and at least {BROKER_STEP}; the next total that can be reached is {reachable}"
    )))
}

/// What has no call that changes it. Absent in an answer means unknown.
fn compare_frozen(
    spec: &KafkaInstanceSpec,
    found: &kafka::Instance,
    zones: &BTreeMap<String, String>,
    differences: &mut Differences,
) {
    let impossible = Correction::Impossible;
    differences.compare(
        "spec.engineVersion",
        spec.engine_version.as_ref(),
        found.engine_version.as_ref(),
        impossible,
    );
    differences.compare(
        "spec.productId",
        spec.product_id.as_ref(),
        found.product_id.as_ref(),
        impossible,
    );
    differences.compare("spec.vpcId", spec.vpc_id.as_ref(), found.vpc_id.as_ref(), impossible);
    differences.compare(
        "spec.subnetId",
        spec.subnet_id.as_ref(),
        found.subnet_id.as_ref(),
        impossible,
    );
    differences.compare(
        "spec.ipv6Enable",
        spec.ipv6_enable.as_ref(),
        found.ipv6_enable.as_ref(),
        impossible,
    );
    if let (Some(wanted), Some(found)) = (spec.broker_num, brokers(found))
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
    let found_zones = found.available_zones.as_ref().filter(|zones| !zones.is_empty());
    if let (false, Some(found)) = (spec.available_zones.is_empty(), found_zones) {
        let wanted = spec
            .available_zones
            .iter()
            .map(|zone| zones.get(zone).unwrap_or(zone).clone())
            .collect();
        differences.compare_sets(
            "spec.availableZones",
            &wanted,
            &found.iter().cloned().collect(),
            impossible,
        );
    }
}

/// The smallest total of at least `least` and `wanted` that the brokers can share in whole GB.
fn next_total(brokers: u32, least: u32, wanted: u32) -> u32 {
    let brokers = brokers.max(1);
    wanted.max(least).div_ceil(brokers).saturating_mul(brokers)
}

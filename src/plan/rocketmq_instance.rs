//! Decisions for `RocketMQInstance`.

use std::collections::BTreeSet;

use super::child::Host;
use super::instance::{self, Changes, InstanceEngine};
use super::{Differences, Facts, Plan};
use crate::api::rocketmq_instance::{Endpoint, ObservedRocketMqInstance};
use crate::api::{
    Correction, InstanceSpec, ObservedInstance, ObservedMaintenanceWindow, RocketMQInstance, RocketMQInstanceStatus,
};
use crate::cloud::rocketmq::{self, CreateInstance, UpdateInstance};
use crate::cloud::{InstanceStatus, Limits, Order, Tag};

/// What precedes a create's nonce at the end of the description: a create takes no tags (RocketMQ API reference 5.1.2).
const MARK: &str = "dms-operator.create:";
/// The most that a description can have, in characters (RocketMQ API reference 5.1.2).
const DESCRIPTION: usize = 1024;
/// The version that has brokers of their own to say; 5.x has not (RocketMQ API reference 5.1.3, 5.3.1).
const VERSION_4: &str = "4.8.0";

/// One call.
pub type Step = instance::StepOf<RocketMq>;
/// What a look shows.
pub type Seen = instance::Seen<View>;

/// RocketMQ, as an engine of instances.
#[derive(Debug)]
pub struct RocketMq;

/// An instance, and what was read beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// As 5.1.3 shows it.
    pub instance: rocketmq::Instance,
    /// As 5.8.2 shows them; `None` if they could not be read.
    pub tags: Option<Vec<Tag>>,
    /// Names of its brokers (5.1.7); `None` if they could not be read.
    pub brokers: Option<BTreeSet<String>>,
    /// The most that each broker of its flavour can have, in GB (5.10.1); `None` where nobody asked.
    pub most_disk: Option<u32>,
    /// What the list of its topics said last of topics (5.3.2); `None` where nobody has read it.
    pub topic_limits: Option<Limits>,
    /// What the list of its consumer groups said last of groups (5.2.1); `None` where nobody has read it.
    pub group_limits: Option<Limits>,
}

/// Decides.
pub fn plan(object: &RocketMQInstance, facts: Facts<'_>, seen: Seen) -> Plan<RocketMQInstanceStatus, Step> {
    instance::plan::<RocketMq>(object, facts, seen)
}

/// Whether a description ends in the mark of the create with this nonce.
pub fn is_marked(description: &str, nonce: &str) -> bool {
    description.strip_suffix(nonce).is_some_and(|text| text.ends_with(MARK))
}

/// A description with the mark at its end; what has no room left is put right once the instance runs.
fn marked(description: &str, nonce: &str) -> String {
    let room = DESCRIPTION.saturating_sub(MARK.len() + nonce.len() + 1);
    let text: String = description.chars().take(room).collect();
    let blank = if text.is_empty() { "" } else { " " };
    format!("{text}{blank}{MARK}{nonce}")
}

/// A description without the mark of a create, and whether it had one.
fn unmarked(description: &str) -> (&str, bool) {
    let mark = description.rfind(MARK).filter(|at| {
        let nonce = &description[at + MARK.len()..];
        !nonce.is_empty() && nonce.bytes().all(|b| b.is_ascii_alphanumeric())
    });
    match mark {
        Some(at) => (description[..at].trim_end(), true),
        None => (description, false),
    }
}

impl InstanceEngine for RocketMq {
    type Cr = RocketMQInstance;
    type View = View;
    type Create = CreateInstance;
    type Update = UpdateInstance;

    const TITLE: &'static str = "RocketMQ instance";

    fn spec(cr: &RocketMQInstance) -> &InstanceSpec {
        &cr.spec.instance
    }

    fn managed_tags(status: &mut RocketMQInstanceStatus) -> &mut BTreeSet<String> {
        &mut status.managed_tags
    }

    fn state(view: &View) -> Option<&InstanceStatus> {
        view.instance.status.as_ref()
    }

    fn tags(view: &View) -> Option<&[Tag]> {
        view.tags.as_deref()
    }

    fn observe(view: &View, before: &RocketMQInstanceStatus) -> ObservedInstance {
        let found = &view.instance;
        let before = before.observed.as_ref().map(|o| &o.instance);
        // An empty description may be left out: one that was shown before is known to be empty.
        let shown_before = before.is_some_and(|before| before.description.is_some());
        let description = found.description.as_deref().or(shown_before.then_some(""));
        let window = found.maintain_begin.clone().zip(found.maintain_end.clone());
        // Only 4.8.0 tells the number (5.1.3), and the list of brokers can only be read while it serves.
        let listed = view
            .brokers
            .as_ref()
            .and_then(|brokers| u32::try_from(brokers.len()).ok());
        let known = || before.and_then(|before| before.broker_num);
        ObservedInstance {
            name: found.name.clone(),
            description: description.map(|text| unmarked(text).0.to_owned()),
            engine_version: found.engine_version.clone(),
            product_id: found.product_id.clone(),
            broker_num: found.broker_num.or(listed.filter(|n| *n > 0)).or_else(known),
            storage_space: found.total_storage_space.and_then(|total| u32::try_from(total).ok()),
            storage_spec_code: found.storage_spec_code.clone(),
            available_zones: found.available_zones.iter().flatten().cloned().collect(),
            vpc_id: found.vpc_id.clone(),
            subnet_id: found.subnet_id.clone(),
            security_group_id: found.security_group_id.clone(),
            ipv6_enable: found.ipv6_enable,
            maintenance_window: window.map(|(begin, end)| ObservedMaintenanceWindow { begin, end }),
            enterprise_project_id: found.enterprise_project_id.clone(),
            extend_times: found.extend_times,
            create_time: found.created_at.map(|t| t.to_string()),
        }
    }

    fn show(status: &mut RocketMQInstanceStatus, view: &View, observed: ObservedInstance) {
        status.state = view.instance.status.as_ref().map(|s| s.as_str().to_owned());
        let known = status.observed.take().map(|o| o.brokers).unwrap_or_default();
        status.observed = Some(ObservedRocketMqInstance {
            brokers: view.brokers.clone().unwrap_or(known),
            instance: observed,
            enable_acl: view.instance.enable_acl,
        });
        status.endpoints = endpoints(&view.instance);
        if view.topic_limits.or(view.group_limits).is_some() {
            let mut limits = status.limits.unwrap_or_default();
            if let Some(topics) = view.topic_limits {
                (limits.max_topics, limits.remain_topics) = (topics.most, topics.left);
            }
            if let Some(groups) = view.group_limits {
                (limits.max_groups, limits.remain_groups) = (groups.most, groups.left);
            }
            status.limits = Some(limits);
        }
    }

    fn hide(status: &mut RocketMQInstanceStatus) {
        status.state = None;
        status.endpoints = vec![];
        status.limits = None;
    }

    /// By 5.10.1; that of 5.x is not in the reference.
    fn least_disk(spec: &InstanceSpec) -> u32 {
        if is_4(spec.engine_version.as_deref()) { 300 } else { 200 }
    }

    fn needs_brokers(spec: &InstanceSpec) -> bool {
        is_4(spec.engine_version.as_deref())
    }

    fn most_disk(view: &View) -> Option<u32> {
        view.most_disk
    }

    fn create(cr: &RocketMQInstance, mut order: Order, nonce: &str) -> CreateInstance {
        order.description = Some(marked(order.description.as_deref().unwrap_or_default(), nonce));
        CreateInstance {
            order,
            enable_acl: cr.spec.enable_acl,
        }
    }

    fn compare(
        cr: &RocketMQInstance,
        view: &View,
        observed: &ObservedInstance,
        changes: Changes,
        differences: &mut Differences,
    ) -> UpdateInstance {
        let spec = &cr.spec;
        let mut description = changes.description;
        let raw = view.instance.description.as_deref().unwrap_or_default();
        if let (text, true) = unmarked(raw) {
            differences.note(
                "the mark of its creation",
                "none",
                &raw[text.len()..],
                Correction::InPlace,
            );
            description = Some(spec.instance.description.clone().unwrap_or_else(|| text.to_owned()));
        }
        let project = spec.instance.enterprise_project_id.as_ref();
        let found_project = observed.enterprise_project_id.as_ref();
        differences.compare(
            "spec.enterpriseProjectId",
            project,
            found_project,
            Correction::Impossible,
        );
        let acl = (spec.enable_acl.as_ref(), view.instance.enable_acl.as_ref());
        let differs = differences.compare("spec.enableAcl", acl.0, acl.1, Correction::InPlace);
        UpdateInstance {
            name: changes.name,
            description,
            security_group_id: changes.security_group_id,
            enable_acl: spec.enable_acl.filter(|_| differs),
        }
    }
}

/// Whether an instance of this version is one of 4.8.0.
pub fn is_4(version: Option<&str>) -> bool {
    version == Some(VERSION_4)
}

fn endpoints(found: &rocketmq::Instance) -> Vec<Endpoint> {
    let filled = |address: &Option<String>| address.clone().filter(|address| !address.is_empty());
    let sides = [
        ("Private", &found.namesrv_address, &found.grpc_address),
        ("Public", &found.public_namesrv_address, &found.public_grpc_address),
    ];
    sides
        .into_iter()
        .map(|(name, servers, grpc)| Endpoint {
            name: name.into(),
            name_servers: filled(servers),
            grpc: filled(grpc),
        })
        .filter(|endpoint| endpoint.name_servers.is_some() || endpoint.grpc.is_some())
        .collect()
}

/// Says of which broker an instance knows nothing, if its brokers are known.
pub fn no_such_broker<'a>(field: &str, wanted: impl IntoIterator<Item = &'a String>, host: &Host) -> Option<String> {
    let mut wanted = wanted.into_iter().filter(|_| !host.brokers.is_empty());
    let missing = wanted.find(|broker| !host.brokers.contains(*broker))?;
    let there = host.brokers.iter().cloned().collect::<Vec<_>>().join(", ");
    Some(format!(
        "{field}: the instance has no broker {missing}; its brokers are {there}"
    ))
}

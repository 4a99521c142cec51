//! Decisions for `KafkaInstance`.

mod observe;

use std::collections::BTreeSet;

use observe::{endpoints, normal, observe};

use super::instance::{self, Changes, InstanceEngine, changed};
use super::{Differences, Facts, Plan};
use crate::api::kafka_instance::{KafkaLimits, ObservedKafkaInstance};
use crate::api::{
    Correction, InstanceSpec, KafkaInstance, KafkaInstanceStatus, ObservedInstance, ObservedMaintenanceWindow,
};
use crate::cloud::kafka::{self, CreateInstance, UpdateInstance};
use crate::cloud::{InstanceStatus, Limits, Order, Tag};

/// The tag that carries a create's nonce until the instance runs.
pub const NONCE_TAG: &str = "dms-operator.create";
/// The least that each broker starts with, in GB (Kafka API reference 5.4.1).
const LEAST: u32 = 100;

/// One call.
pub type Step = instance::StepOf<Kafka>;
/// What a look shows.
pub type Seen = instance::Seen<View>;

/// Kafka, as an engine of instances.
#[derive(Debug)]
pub struct Kafka;

/// An instance and its tags.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// As 5.1.3 shows it.
    pub instance: kafka::Instance,
    /// As 5.10.2 shows them; `None` if they could not be read.
    pub tags: Option<Vec<Tag>>,
    /// What the list of its topics said last of partitions (5.5.3); `None` where nobody has read it.
    pub limits: Option<Limits>,
}

/// Decides.
pub fn plan(object: &KafkaInstance, facts: Facts<'_>, seen: Seen) -> Plan<KafkaInstanceStatus, Step> {
    instance::plan::<Kafka>(object, facts, seen)
}

impl InstanceEngine for Kafka {
    type Cr = KafkaInstance;
    type View = View;
    type Create = CreateInstance;
    type Update = UpdateInstance;

    const TITLE: &'static str = "Kafka instance";
    const NONCE_TAG: Option<&'static str> = Some(NONCE_TAG);

    fn spec(cr: &KafkaInstance) -> &InstanceSpec {
        &cr.spec.instance
    }

    fn managed_tags(status: &mut KafkaInstanceStatus) -> &mut BTreeSet<String> {
        &mut status.managed_tags
    }

    fn state(view: &View) -> Option<&InstanceStatus> {
        view.instance.status.as_ref()
    }

    fn tags(view: &View) -> Option<&[Tag]> {
        view.tags.as_deref()
    }

    fn observe(view: &View, before: &KafkaInstanceStatus) -> ObservedInstance {
        observe(&view.instance, before.observed.as_ref().map(|o| &o.instance))
    }

    fn show(status: &mut KafkaInstanceStatus, view: &View, observed: ObservedInstance) {
        status.state = view.instance.status.as_ref().map(|s| s.as_str().to_owned());
        status.observed = Some(ObservedKafkaInstance {
            instance: observed,
            retention_policy: view.instance.retention_policy.clone(),
        });
        status.endpoints = endpoints(&view.instance);
        if let Some(limits) = view.limits {
            status.limits = Some(KafkaLimits {
                max_partitions: limits.most,
                remain_partitions: limits.left,
                topic_max_partitions: limits.of_one,
            });
        }
    }

    fn hide(status: &mut KafkaInstanceStatus) {
        status.state = None;
        status.endpoints = vec![];
        status.limits = None;
    }

    fn least_disk(_: &InstanceSpec) -> u32 {
        LEAST
    }

    fn needs_brokers(_: &InstanceSpec) -> bool {
        true
    }

    fn most_disk(_: &View) -> Option<u32> {
        None
    }

    fn create(cr: &KafkaInstance, order: Order, nonce: &str) -> CreateInstance {
        let spec = &cr.spec;
        let window = spec.maintenance_window.as_ref();
        let tag = |(key, value): (&str, &str)| Tag {
            key: key.into(),
            value: value.into(),
        };
        let own = spec
            .instance
            .tags
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()));
        CreateInstance {
            order,
            maintain_begin: window.map(|w| w.begin.chars().take(5).collect()),
            maintain_end: window.map(|w| w.end.chars().take(5).collect()),
            retention_policy: spec.retention_policy.map(|p| p.as_str().to_owned()),
            tags: own.chain([(NONCE_TAG, nonce)]).map(tag).collect(),
        }
    }

    fn compare(
        cr: &KafkaInstance,
        view: &View,
        observed: &ObservedInstance,
        changes: Changes,
        differences: &mut Differences,
    ) -> UpdateInstance {
        let Changes {
            name,
            description,
            security_group_id,
        } = changes;
        let spec = &cr.spec;
        let project = (
            spec.instance.enterprise_project_id.as_ref(),
            observed.enterprise_project_id.as_ref(),
        );
        let policy = spec.retention_policy.map(|p| p.as_str().to_owned());
        let found_policy = view.instance.retention_policy.as_ref();
        let mut update = UpdateInstance {
            name,
            description,
            security_group_id,
            enterprise_project_id: changed(differences, "spec.enterpriseProjectId", project.0, project.1),
            retention_policy: changed(differences, "spec.retentionPolicy", policy.as_ref(), found_policy),
            ..Default::default()
        };
        if let (Some(wanted), Some(found)) = (&spec.maintenance_window, &observed.maintenance_window) {
            let wanted = normal(&wanted.begin, &wanted.end);
            let show = |w: &ObservedMaintenanceWindow| format!("{}-{}", w.begin, w.end);
            if wanted != *found {
                differences.note(
                    "spec.maintenanceWindow",
                    show(&wanted),
                    show(found),
                    Correction::InPlace,
                );
                update.maintain_begin = Some(wanted.begin);
                update.maintain_end = Some(wanted.end);
            }
        }
        update
    }
}

//! Carried out again and again, the plan of an instance ends, whatever goes wrong on the way, and never buys two.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::json;

use super::instance_world::{Model, World, troubles};
use super::kafka_instance::{Kafka, NONCE_TAG};
use super::rocketmq_instance::{RocketMq, is_marked};
use crate::api::{InstanceSpec, KafkaInstance, RocketMQInstance, StringMap};
use crate::cloud::{InstanceStatus, Tag, kafka, rocketmq};

/// The accessors that the engines' types have in common.
macro_rules! accessors {
    () => {
        fn id(view: &Self::View) -> String {
            view.instance.id.clone()
        }

        fn state_mut(view: &mut Self::View) -> &mut Option<InstanceStatus> {
            &mut view.instance.status
        }

        fn tags_mut(view: &mut Self::View) -> &mut Option<Vec<Tag>> {
            &mut view.tags
        }

        fn total_mut(view: &mut Self::View) -> &mut Option<u64> {
            &mut view.instance.total_storage_space
        }
    };
}

impl Model for Kafka {
    const GROWTH: u64 = 300;
    const UNREACHABLE: u32 = 700;

    accessors!();

    fn made(create: &kafka::CreateInstance) -> Self::View {
        let more = json!({
            "name": create.order.name, "description": create.order.description.clone().unwrap_or_default(),
            "total_storage_space": create.order.storage_space,
        });
        let mut view = super::instances::shown("CREATING", more);
        view.tags = Some(create.tags.clone());
        view
    }

    fn is_marked(view: &Self::View, nonce: &str, tags_read: bool) -> Option<bool> {
        let mut tags = view.tags.iter().flatten();
        tags_read.then(|| tags.any(|t| t.key == NONCE_TAG && t.value == nonce))
    }

    fn has_mark(view: &Self::View) -> bool {
        view.tags.iter().flatten().any(|tag| tag.key == NONCE_TAG)
    }

    fn update(view: &mut Self::View, update: kafka::UpdateInstance) {
        let instance = &mut view.instance;
        instance.name = update.name.or(instance.name.take());
        instance.description = update.description.or(instance.description.take());
        instance.maintain_begin = update.maintain_begin.or(instance.maintain_begin.take());
        instance.maintain_end = update.maintain_end.or(instance.maintain_end.take());
        instance.retention_policy = update.retention_policy.or(instance.retention_policy.take());
        instance.security_group_id = update.security_group_id.or(instance.security_group_id.take());
    }

    fn drift(view: &mut Self::View) {
        view.instance.description = Some("drift".into());
    }

    fn readable(view: &Self::View, tags_read: bool) -> Self::View {
        let tags = view.tags.clone().filter(|_| tags_read);
        Self::View { tags, ..view.clone() }
    }

    fn unmet(cr: &KafkaInstance, view: &Self::View) -> Option<String> {
        common_unmet(
            &cr.spec.instance,
            &view.instance.description,
            view.instance.total_storage_space,
        )
    }
}

impl Model for RocketMq {
    const GROWTH: u64 = 300;
    const UNREACHABLE: u32 = 1000;

    accessors!();

    fn made(create: &rocketmq::CreateInstance) -> Self::View {
        let more = json!({
            "name": create.order.name, "description": create.order.description, "total_storage_space": create.order.storage_space,
            "enable_acl": create.enable_acl.unwrap_or_default(),
        });
        super::rocketmq_instances::shown("CREATING", more)
    }

    /// The mark is in the description, which a creation may not show yet.
    fn is_marked(view: &Self::View, nonce: &str, read: bool) -> Option<bool> {
        let description = view.instance.description.as_deref().unwrap_or_default();
        read.then(|| is_marked(description, nonce))
    }

    fn has_mark(view: &Self::View) -> bool {
        let description = view.instance.description.as_deref().unwrap_or_default();
        description.contains("dms-operator.create")
    }

    fn update(view: &mut Self::View, update: rocketmq::UpdateInstance) {
        let instance = &mut view.instance;
        instance.name = update.name.or(instance.name.take());
        instance.description = update.description.or(instance.description.take());
        instance.security_group_id = update.security_group_id.or(instance.security_group_id.take());
        instance.enable_acl = update.enable_acl.or(instance.enable_acl);
    }

    /// Who takes the mark off before it was found makes the create one that nobody knows: the people here leave it.
    fn drift(view: &mut Self::View) {
        if !Self::has_mark(view) {
            view.instance.description = Some("drift".into());
        }
        view.instance.enable_acl = view.instance.enable_acl.map(|acl| !acl);
    }

    /// An empty description is left out, and neither tags nor brokers can be read before it serves.
    fn readable(view: &Self::View, tags_read: bool) -> Self::View {
        let mut view = view.clone();
        view.instance.description = view.instance.description.filter(|text| !text.is_empty());
        let serves = matches!(
            view.instance.status,
            Some(InstanceStatus::Running | InstanceStatus::ExtendedFailed)
        );
        if !tags_read || !serves {
            (view.tags, view.brokers) = (None, None);
        }
        view
    }

    fn unmet(cr: &RocketMQInstance, view: &Self::View) -> Option<String> {
        let acl = cr.spec.enable_acl;
        if acl.is_some() && acl != view.instance.enable_acl {
            return Some("enableAcl".into());
        }
        common_unmet(
            &cr.spec.instance,
            &view.instance.description,
            view.instance.total_storage_space,
        )
    }
}

fn common_unmet(spec: &InstanceSpec, description: &Option<String>, total: Option<u64>) -> Option<String> {
    let there = description.as_deref().unwrap_or_default();
    if spec.description.as_deref().is_some_and(|text| text != there) {
        return Some("description".into());
    }
    (spec.storage_space.map(u64::from) > total).then(|| "storageSpace".into())
}

#[derive(Clone, Debug)]
pub(super) struct Wish {
    name: Option<String>,
    description: Option<String>,
    storage: u32,
    tags: StringMap,
    early: bool,
}

pub(super) fn wish() -> impl Strategy<Value = Wish> {
    wish_of(vec![300, 600, 900, 1200, Kafka::UNREACHABLE])
}

fn wish_of(totals: Vec<u32>) -> impl Strategy<Value = Wish> {
    let storage = prop::sample::select(totals);
    let description = option::of(prop::sample::select(vec![String::new(), "d".into()]));
    (
        option::of("name[12]"),
        description,
        storage,
        btree_map("[abc]", "[xy]", 0..4),
        any::<bool>(),
    )
        .prop_map(|(name, description, storage, tags, early)| Wish {
            name,
            description,
            storage,
            tags,
            early,
        })
}

impl Wish {
    pub(super) fn of(self, object: &mut KafkaInstance, generation: i64) {
        let window = crate::api::kafka_instance::MaintenanceWindow {
            begin: "22:00".into(),
            end: "02:00".into(),
        };
        object.spec.maintenance_window = self.early.then_some(window);
        object.metadata.generation = Some(generation);
        self.common(&mut object.spec.instance);
    }

    fn common(self, spec: &mut InstanceSpec) {
        (spec.name, spec.description, spec.storage_space) = (self.name, self.description, Some(self.storage));
        spec.tags = self.tags;
    }
}

proptest! {
    #[test]
    fn an_instance_comes_to_rest_after_any_edits_and_troubles_and_only_one_is_bought(
        edits in vec((wish(), troubles()), 1..4),
        leaves_early: bool,
    ) {
        let edits = (1..).zip(edits).map(|(generation, (wish, troubles))| {
            (move |object: &mut KafkaInstance| wish.of(object, generation), troubles)
        });
        World::<Kafka>::new(super::instances::object(json!({}))).live(edits.collect(), leaves_early);
    }

    #[test]
    fn a_rocketmq_instance_comes_to_rest_after_any_edits_and_troubles_and_only_one_is_bought(
        edits in vec((wish_of(vec![900, 1200, 1500, RocketMq::UNREACHABLE]), option::of(any::<bool>()), troubles()), 1..4),
        leaves_early: bool,
    ) {
        let edits = edits.into_iter().map(|(wish, acl, troubles)| {
            let change = move |object: &mut RocketMQInstance| {
                wish.common(&mut object.spec.instance);
                object.spec.enable_acl = acl;
            };
            (change, troubles)
        });
        World::<RocketMq>::new(super::rocketmq_instances::object(json!({}))).live(edits.collect(), leaves_early);
    }
}

//! The instance that something lives in: how it is named, by its object or by its id.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::common::{ChildManagement, LocalRef, Managed};
use super::rules::{id_alone, object_or_id};

/// Kinds of instance that something can live in.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum InstanceKind {
    /// A Kafka instance.
    #[default]
    KafkaInstance,
    /// A RocketMQ instance.
    RocketMQInstance,
}

impl InstanceKind {
    /// The kind's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::KafkaInstance => "KafkaInstance",
            Self::RocketMQInstance => "RocketMQInstance",
        }
    }
}

/// Names the instance that something lives in, by its object or by its id.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, Default, PartialEq, Eq)]
#[x_kube(validation = object_or_id(), validation = id_alone())]
#[serde(rename_all = "camelCase")]
pub struct InstanceRef {
    /// Kind of the instance. Cannot change once the thing exists.
    pub kind: InstanceKind,
    /// Which one.
    #[serde(flatten)]
    pub instance: InstanceName,
}

/// Which instance of a kind.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct InstanceName {
    /// Name of the instance's object. Exactly one of name and instanceId is needed. Once the thing exists, it can give way to
    /// the id of the same instance, but not become another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub name: Option<String>,
    /// Namespace of the instance's object; that instance's spec.allowedNamespaces must admit this object. Only with name.
    /// Default: this object's own namespace. Cannot change once the thing exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub namespace: Option<String>,
    /// Id of an instance that no object manages; it is reached with spec.providerConfigRef. Exactly one of name and instanceId
    /// is needed. Once the thing exists, it can give way to the name of the object that manages the same instance, but not
    /// become another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z0-9-]+$"))]
    pub instance_id: Option<String>,
}

/// A kind of what lives in an instance.
pub trait LivesInInstance: Managed {
    /// `spec.instanceRef`.
    fn instance(&self) -> (InstanceKind, &InstanceName);

    /// `spec.providerConfigRef`: what reaches an instance that is named by its id.
    fn provider_config_ref(&self) -> Option<&LocalRef>;

    /// `spec.management`.
    fn management(&self) -> &ChildManagement;
}

/// Makes a kind one that lives in an instance.
macro_rules! lives_in_instance {
    ($kind:ty) => {
        impl $crate::api::LivesInInstance for $kind {
            fn instance(&self) -> ($crate::api::InstanceKind, &$crate::api::InstanceName) {
                let reference = &self.spec.instance_ref;
                (reference.kind.into(), &reference.instance)
            }

            fn provider_config_ref(&self) -> Option<&$crate::api::LocalRef> {
                self.spec.provider_config_ref.as_ref()
            }

            fn management(&self) -> &$crate::api::ChildManagement {
                &self.spec.management
            }
        }
    };
}
pub(super) use lives_in_instance;

//! Shapes that every kind shares: references, management, conditions, and the status skeleton.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::core::NamespaceResourceScope;
use kube::core::object::HasStatus;
use kube::{CustomResourceExt, KubeSchema, Resource};
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The API group of every kind.
pub const GROUP: &str = "dms.huaweicloud.com";
/// The finalizer on every object that may stand for something in the cloud.
pub const FINALIZER: &str = "dms.huaweicloud.com/cloud-resource";
/// Field manager of status writes.
pub const STATUS_MANAGER: &str = "dms-operator";
/// Field manager of finalizer writes.
pub const META_MANAGER: &str = "dms-operator-meta";

/// Annotation: look now, also at a stop; its value is echoed in `status.lastHandledReconcileAt`.
pub const RECONCILE_REQUESTED_AT: &str = "dms.huaweicloud.com/reconcile-requested-at";
/// Annotation: lets a deleted object go without a call. Its value must be `status.instanceId`, or as long as that is not known,
/// the nonce of `status.createIntent`; of a ProviderConfig, its name.
pub const ABANDON: &str = "dms.huaweicloud.com/abandon";
/// Annotation: lets a lost instance be created anew; its value must be the lost instance's id.
pub const RECREATE: &str = "dms.huaweicloud.com/recreate";
/// Annotation: `"true"` holds the object: no reads, no writes; a deletion waits too.
pub const PAUSED: &str = "dms.huaweicloud.com/paused";

/// Names an object in the same namespace.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct LocalRef {
    /// Name of the object, in this object's own namespace.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// What to do with something that is already in the cloud when the object first looks.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = undescribed)]
pub enum Adoption {
    /// Stop with reason AlreadyExists.
    Never,
    /// Take it over as it is, then bring it to what the spec says.
    IfExists,
}

/// What happens in the cloud when the object is deleted.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = undescribed)]
pub enum Deletion {
    /// It is deleted in the cloud too.
    Delete,
    /// It stays in the cloud; only the object goes.
    Orphan,
}

/// Whether the operator acts on a thing.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[schemars(transform = undescribed)]
pub enum Policy {
    /// It makes, changes and deletes it.
    #[default]
    Manage,
    /// It reads.
    Observe,
}

/// What to do about differences between the spec and what exists.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[schemars(transform = undescribed)]
pub enum Updates {
    /// Change what exists.
    #[default]
    Apply,
    /// Tell.
    Report,
}

/// What may hold a deletion.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[schemars(transform = undescribed)]
pub enum DeletionGuard {
    /// Nothing.
    #[default]
    None,
    /// That it is in use.
    InUse,
}

/// How the operator treats a thing that lives in an instance.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ChildManagement {
    /// Manage: make it, keep it as the spec says, delete it. Observe: only read it. Then every field but those that say
    /// which it is may be left out, those that are set are compared, a difference is told, and nothing is ever made, changed
    /// or deleted; several objects may observe one thing. Default: Manage; may change at any time.
    #[serde(default)]
    pub policy: Policy,
    /// What to do when it is already in the cloud. IfExists: take it over, then bring it to what the spec says. Never:
    /// stop with reason AlreadyExists. Default: IfExists; may change at any time.
    #[serde(default = "if_exists")]
    pub adoption: Adoption,
    /// What to do about differences. Apply: change what exists. Report: only tell them, whoever made them, also by an edit
    /// of this object; it is still made where it does not exist, and deleted with this object. Default: Apply; may change at
    /// any time.
    #[serde(default)]
    pub updates: Updates,
    /// What happens in the cloud when this object is deleted. Delete: it is deleted there too. Orphan: it stays.
    /// Default: Delete if the operator made it, Orphan if it was adopted; always Orphan where policy is Observe. May change
    /// at any time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion: Option<Deletion>,
    /// What holds the deletion of this object, as long as that would delete something in the cloud. InUse: a consumer group
    /// that has clients online; a topic that has messages which some consumer group has yet to consume, in a
    /// RocketMQInstance also one that has consumers online. It is looked at when the object is deleted, and again every 5
    /// minutes until it is used no more; a deletion of the namespace waits for that too. None: nothing. Default: None; may
    /// change at any time, also while the deletion is held. Not for a KafkaUserQuota.
    #[serde(default)]
    pub deletion_guard: DeletionGuard,
    /// True: this object is not deleted. The API server refuses it, and where that was not asked, the operator holds the
    /// object until this is false. Default: false; may change at any time, also while the deletion is held.
    #[serde(default)]
    pub deletion_protection: bool,
}

impl ChildManagement {
    /// It is only read.
    pub fn observes(&self) -> bool {
        self.policy == Policy::Observe
    }
}

impl Default for ChildManagement {
    fn default() -> Self {
        Self {
            policy: Policy::Manage,
            adoption: if_exists(),
            updates: Updates::Apply,
            deletion: None,
            deletion_protection: false,
            deletion_guard: DeletionGuard::None,
        }
    }
}

fn if_exists() -> Adoption {
    Adoption::IfExists
}

/// Where an optional field has an enum for its type, the type's description would hide the field's own.
pub(super) fn undescribed(schema: &mut Schema) {
    schema.remove("description");
}

/// Where an object's cloud resource came from.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// We made it.
    Created,
    /// It was there before us.
    Adopted,
}

/// Written to status before a create call is sent, so that a crash cannot make a thing twice.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct CreateIntent {
    /// When the create was about to be sent (RFC 3339).
    #[schemars(length(max = 64))]
    pub time: String,
    /// Name of the instance in the create call: the search goes by it, whatever the spec says meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub name: Option<String>,
    /// Travels in the create call of an instance; only this tells ours from another of the same name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub nonce: Option<String>,
    /// How often the create was sent; left out: once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub attempts: Option<u32>,
    /// Since when complete searches have found nothing (RFC 3339); set only while a lost answer is being cleared up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub searched_since: Option<String>,
}

/// Where in the cloud the object lives, fixed at first contact.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Location {
    /// The ProviderConfig that was resolved, in `namespace`.
    #[schemars(length(max = 253))]
    pub name: String,
    /// Namespace of that ProviderConfig.
    #[schemars(length(max = 63))]
    pub namespace: String,
    /// DMS endpoint.
    #[schemars(length(max = 512))]
    pub endpoint: String,
    /// Region.
    #[schemars(length(max = 64))]
    pub region: String,
    /// Project id.
    #[schemars(length(max = 64))]
    pub project_id: String,
}

impl Location {
    /// The same place in the cloud, whatever ProviderConfig led there.
    pub fn same_place(&self, other: &Self) -> bool {
        (&self.endpoint, &self.region, &self.project_id) == (&other.endpoint, &other.region, &other.project_id)
    }
}

/// A call under way, or the last one that failed.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    /// CreateInstance, ExtendStorage, DeleteInstance, CreateQuota, ...
    #[schemars(length(max = 64))]
    pub name: String,
    /// The service's background job, where it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub job_id: Option<String>,
    /// When the call was accepted (RFC 3339).
    #[schemars(length(max = 64))]
    pub start_time: String,
    /// How often it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub attempts: Option<u32>,
    /// What the service said when it failed; set only then. The operation is not repeated until the spec is edited or
    /// the annotation `reconcile-requested-at` asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub failure: Option<String>,
    /// The job does the same for other objects too, which were sent in the same call. If it fails, each is sent alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shared: bool,
}

/// How a difference can be mended.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Correction {
    /// By a call that takes effect at once.
    InPlace,
    /// By a background job of the service.
    Job,
    /// Only by reassigning replicas, which this object does not do.
    Reassignment,
    /// Not at all: immutable, or it can only grow.
    Impossible,
}

/// One field in which the cloud differs from the spec.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Drift {
    /// Path of the field.
    #[schemars(length(max = 512))]
    pub field: String,
    /// What the spec says (cut at 256 bytes).
    #[schemars(length(max = 256))]
    pub wanted: String,
    /// What the cloud has (cut at 256 bytes).
    #[schemars(length(max = 256))]
    pub found: String,
    /// How it can be mended.
    pub correction: Correction,
}

/// The part of status that all kinds share.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct CoreStatus {
    /// The generation that the operator last looked at; -1 until it has come by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The newest generation that was applied and read back; where nothing is to be changed, that was compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied_generation: Option<i64>,
    /// Ready, Reconciling, Stalled, Synced.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    #[schemars(length(max = 8))]
    pub conditions: Vec<Condition>,
    /// The DMS instance: its own id, or the id of the instance that it lives in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub instance_id: Option<String>,
    /// The name in the cloud of a thing that lives in an instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 600))]
    pub external_name: Option<String>,
    /// Only while a create may be under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create_intent: Option<CreateIntent>,
    /// Created or Adopted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// Since when it has been known to serve (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub served_since: Option<String>,
    /// Where it lives, fixed at first contact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Location>,
    /// The call under way, or the last one if it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    /// The fields in which the cloud differs from the spec (the first 32).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["field".into()]))]
    #[schemars(length(max = 32))]
    pub drift: Vec<Drift>,
    /// Echo of the annotation `reconcile-requested-at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub last_handled_reconcile_at: Option<String>,
}

impl CoreStatus {
    /// Forgets what it stood for: the object begins anew, as if it had just been applied.
    pub fn forget(&mut self) {
        let Self {
            observed_generation,
            conditions,
            last_handled_reconcile_at,
            ..
        } = std::mem::take(self);
        *self = Self {
            observed_generation,
            conditions,
            last_handled_reconcile_at,
            ..Self::default()
        };
    }

    /// Something may be in the cloud that stands for this object.
    pub fn stands_for_something(&self) -> bool {
        self.external_name.is_some() || self.create_intent.is_some() || self.origin.is_some()
    }
}

/// A kind that the engine can serve: a namespaced custom resource whose status begins with [`CoreStatus`].
pub trait Managed:
    Resource<Scope = NamespaceResourceScope, DynamicType = ()>
    + HasStatus<Status = <Self as Managed>::State>
    + CustomResourceExt
    + Clone
    + std::fmt::Debug
    + Serialize
    + DeserializeOwned
    + Send
    + Sync
    + 'static
{
    /// The status type.
    type State: AsRef<CoreStatus> + AsMut<CoreStatus> + Default + Clone + PartialEq + Serialize + Send + Sync;

    /// The shared part of the status, if there is a status.
    fn core(&self) -> Option<&CoreStatus> {
        self.status().map(AsRef::as_ref)
    }
}

/// Strings by name; for tags and configs.
pub type StringMap = BTreeMap<String, String>;

/// Makes a kind one that the engine can serve: its status begins with a `core`.
macro_rules! managed {
    ($kind:ty, $status:ty) => {
        impl $crate::api::Managed for $kind {
            type State = $status;
        }

        impl AsRef<$crate::api::CoreStatus> for $status {
            fn as_ref(&self) -> &$crate::api::CoreStatus {
                &self.core
            }
        }

        impl AsMut<$crate::api::CoreStatus> for $status {
            fn as_mut(&mut self) -> &mut $crate::api::CoreStatus {
                &mut self.core
            }
        }
    };
}
pub(super) use managed;

//! `KafkaUserQuota`: how fast a user, a client, or both may produce and consume.

use std::borrow::Cow;

use kube::core::{Message, Reason, Rule};
use kube::{CustomResource, KubeSchema};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::common::{ChildManagement, CoreStatus, LocalRef, managed};
use super::home::{InstanceKind, InstanceName, lives_in_instance};
use super::rules::{CHILD, id_alone, immutable, instance_ref_frozen, object_or_id, provider_with_id};

/// How fast a user, a client, or both may produce and consume, in bytes a second on each broker.
///
/// The identity of a quota is its user and client part; at least one is needed. A rate that is left out is enforced as not
/// set; where the quota is observed, it is not compared.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "dms.huaweicloud.com",
    version = "v1alpha1",
    kind = "KafkaUserQuota",
    namespaced,
    doc = "How fast a user, a client, or both may produce to and consume from a Kafka instance.",
    status = "KafkaUserQuotaStatus",
    derive = "PartialEq",
    shortname = "dmsquota",
    category = "dms",
    selectable = ".spec.instanceRef.name",
    selectable = ".status.instanceId",
    selectable = ".status.externalName",
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].reason"#
    ),
    printcolumn(
        name = "Instance",
        type_ = "string",
        json_path = ".spec.instanceRef.name"
    ),
    printcolumn(name = "User", type_ = "string", json_path = ".status.observed.user"),
    printcolumn(
        name = "Client",
        type_ = "string",
        json_path = ".status.observed.client"
    ),
    printcolumn(
        name = "Produce",
        type_ = "integer",
        json_path = ".status.observed.producerByteRate"
    ),
    printcolumn(
        name = "Consume",
        type_ = "integer",
        json_path = ".status.observed.consumerByteRate"
    ),
    printcolumn(
        name = "Synced",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Synced")].status"#,
        priority = "1"
    ),
    printcolumn(
        name = "Instance-Id",
        type_ = "string",
        json_path = ".status.instanceId",
        priority = "1"
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    ),
    validation = instance_ref_frozen(),
    validation = identity_frozen("user", "userDefault"),
    validation = identity_frozen("client", "clientDefault")
)]
#[x_kube(
    validation = Rule::new("!(has(self.user) && has(self.userDefault) && self.userDefault)")
        .message("at most one of user and userDefault")
        .field_path(".user")
)]
#[x_kube(
    validation = Rule::new("!(has(self.client) && has(self.clientDefault) && self.clientDefault)")
        .message("at most one of client and clientDefault")
        .field_path(".client")
)]
#[x_kube(
    validation = Rule::new(
        "has(self.user) || has(self.client) || (has(self.userDefault) && self.userDefault) || \
         (has(self.clientDefault) && self.clientDefault)"
    )
    .message("at least one of user, userDefault, client, clientDefault")
    .reason(Reason::FieldValueRequired)
)]
#[x_kube(
    validation = Rule::new(
        "self.management.policy == 'Observe' || has(self.producerByteRate) || has(self.consumerByteRate)"
    )
        .message("at least one of producerByteRate and consumerByteRate")
        .reason(Reason::FieldValueRequired)
)]
#[x_kube(validation = provider_with_id())]
#[x_kube(
    validation = Rule::new("!has(self.management.deletionGuard) || self.management.deletionGuard == 'None'")
        .message("management.deletionGuard is not for quotas: no call tells whether one is in use")
        .reason(Reason::FieldValueForbidden)
        .field_path(".management.deletionGuard")
)]
#[serde(rename_all = "camelCase")]
pub struct KafkaUserQuotaSpec {
    /// The Kafka instance that the quota is for. Cannot become another.
    pub instance_ref: KafkaInstanceRef,
    /// User that the quota is for, 1 to 64 characters. At most one of user and userDefault. Cannot change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub user: Option<String>,
    /// True: for every user that has no quota of its own. Cannot change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_default: Option<bool>,
    /// Client id that the quota is for, 1 to 255 characters. At most one of client and clientDefault. Cannot change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub client: Option<String>,
    /// True: for every client that has no quota of its own. Cannot change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_default: Option<bool>,
    /// Bytes a second to produce: a whole number from 1, or one with Ki, Mi, Gi, k, M or G. Left out: no limit. Can change;
    /// takes a job of the service. At least one of the two rates is needed, unless the quota is observed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub producer_byte_rate: Option<ByteRate>,
    /// Bytes a second to consume: a whole number from 1, or one with Ki, Mi, Gi, k, M or G. Left out: no limit. Can change;
    /// takes a job of the service. At least one of the two rates is needed, unless the quota is observed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumer_byte_rate: Option<ByteRate>,
    /// The ProviderConfig that reaches an instance named by instanceRef.instanceId, in this object's own namespace; only with
    /// that. Default: the one named `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_config_ref: Option<LocalRef>,
    /// How the operator treats the quota.
    #[serde(default)]
    pub management: ChildManagement,
}

/// One part of the identity keeps its value once the quota exists.
fn identity_frozen(name: &str, default: &str) -> Rule {
    Rule::new(format!(
        "(has(self.spec.{name}) == has(oldSelf.spec.{name}) && \
         (!has(self.spec.{name}) || self.spec.{name} == oldSelf.spec.{name}) && \
         (has(self.spec.{default}) && self.spec.{default}) == (has(oldSelf.spec.{default}) && oldSelf.spec.{default})) || \
         !({CHILD})"
    ))
    .message(Message::Message(immutable(&format!("{name} or {default}"))))
    .reason(Reason::FieldValueForbidden)
    .field_path(format!(".spec.{name}"))
}

/// Names a Kafka instance, by its object or by its id.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, Default, PartialEq, Eq)]
#[x_kube(validation = object_or_id(), validation = id_alone())]
#[serde(rename_all = "camelCase")]
pub struct KafkaInstanceRef {
    /// Kind of the instance; has one value.
    #[serde(default)]
    pub kind: KafkaInstanceKind,
    /// Which one.
    #[serde(flatten)]
    pub instance: InstanceName,
}

/// The one kind of instance that has quotas.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KafkaInstanceKind {
    /// A Kafka instance.
    #[default]
    KafkaInstance,
}

impl From<KafkaInstanceKind> for InstanceKind {
    fn from(KafkaInstanceKind::KafkaInstance: KafkaInstanceKind) -> Self {
        Self::KafkaInstance
    }
}

/// A number of bytes a second: `10485760`, `"10485760"`, `10Mi`.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(untagged)]
pub enum ByteRate {
    /// Plain bytes.
    Number(i64),
    /// Digits, with or without a unit.
    Text(String),
}

impl ByteRate {
    /// Plain bytes; `None` when it is not a positive number that fits the service's 64 bit integer.
    pub fn bytes(&self) -> Option<u64> {
        let bytes = match self {
            Self::Number(number) => *number,
            Self::Text(text) => {
                let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
                let unit: i64 = match &text[digits.len()..] {
                    "" => 1,
                    "k" => 1000,
                    "M" => 1000 * 1000,
                    "G" => 1000 * 1000 * 1000,
                    "Ki" => 1024,
                    "Mi" => 1024 * 1024,
                    "Gi" => 1024 * 1024 * 1024,
                    _ => return None,
                };
                digits.parse::<i64>().ok()?.checked_mul(unit)?
            }
        };
        u64::try_from(bytes).ok().filter(|bytes| *bytes > 0)
    }
}

impl JsonSchema for ByteRate {
    fn schema_name() -> Cow<'static, str> {
        "ByteRate".into()
    }

    fn inline_schema() -> bool {
        true
    }

    // `minimum` judges numbers and `pattern` strings, so that no rule has to look at a value of two types.
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "x-kubernetes-int-or-string": true,
            "minimum": 1,
            "maxLength": 17,
            "pattern": "^[1-9][0-9]{0,14}(Ki|Mi|Gi|k|M|G)?$",
        })
    }
}

/// What the operator last saw.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct KafkaUserQuotaStatus {
    /// The part that all kinds share.
    #[serde(flatten)]
    pub core: CoreStatus,
    /// The quota as it is in the cloud.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<ObservedQuota>,
}

/// The quota as it is in the cloud.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ObservedQuota {
    /// User; `<default>` for every user that has no quota of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub user: Option<String>,
    /// Client id; `<default>` for every client that has no quota of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub client: Option<String>,
    /// Bytes a second to produce.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub producer_byte_rate: Option<u64>,
    /// Bytes a second to consume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumer_byte_rate: Option<u64>,
}

managed!(KafkaUserQuota, KafkaUserQuotaStatus);
lives_in_instance!(KafkaUserQuota);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_read_as_plain_bytes() {
        let bytes = |json: &str| serde_json::from_str::<ByteRate>(json).unwrap().bytes();
        assert_eq!(bytes("10485760"), Some(10485760));
        assert_eq!(bytes(r#""10485760""#), Some(10485760));
        assert_eq!(bytes(r#""10Mi""#), Some(10485760));
        assert_eq!(bytes(r#""3k""#), Some(3000));
        assert_eq!(bytes(r#""2G""#), Some(2_000_000_000));
        for refused in [
            "0",
            "-1",
            r#""""#,
            r#""0Mi""#,
            r#""10MB""#,
            r#""Mi""#,
            r#""1.5M""#,
            r#""999999999999999Gi""#,
        ] {
            assert_eq!(bytes(refused), None, "{refused}");
        }
    }
}

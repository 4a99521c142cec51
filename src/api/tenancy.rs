//! What an instance lets other namespaces keep in it.

use std::collections::BTreeSet;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::common::StringMap;

/// Admits objects of other namespaces to an instance.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, Default, PartialEq, Eq)]
#[x_kube(
    validation = Rule::new("(has(self.namespaces) && self.namespaces.size() > 0) != has(self.selector)")
        .message("exactly one of namespaces and selector ({} selects every namespace)")
)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// The grant's own name; refusals show it.
    #[schemars(length(min = 1, max = 63))]
    pub name: String,
    /// Names of the namespaces that are admitted. Exactly one of namespaces and selector is needed.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    #[schemars(length(max = 64), inner(length(min = 1, max = 63)))]
    pub namespaces: BTreeSet<String>,
    /// Labels of the namespaces that are admitted; `{}` admits every namespace. Exactly one of namespaces and selector is
    /// needed. Whoever may label a namespace may admit it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<Selector>,
    /// Kinds that are admitted. Default: Topic and ConsumerGroup.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    #[schemars(length(max = 8))]
    pub kinds: BTreeSet<TenantKind>,
    /// What the names of topics and groups must begin with, in the cloud; one of these. Quotas have no name. Default: any name.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    #[schemars(length(max = 32), inner(length(min = 1, max = 200)))]
    pub name_prefixes: BTreeSet<String>,
    /// The most partitions that all Kafka topics of this grant may have together. It is asked when a topic is made or grown:
    /// what is there already stays. Default: what the instance allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000000))]
    pub max_partitions: Option<u32>,
}

/// Kinds that can live in an instance of another namespace.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TenantKind {
    /// Topics.
    Topic,
    /// Consumer groups.
    ConsumerGroup,
    /// Quotas of one user or client; default quotas are never admitted.
    KafkaUserQuota,
}

impl TenantKind {
    /// The kind's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Topic => "Topic",
            Self::ConsumerGroup => "ConsumerGroup",
            Self::KafkaUserQuota => "KafkaUserQuota",
        }
    }
}

/// Selects by labels; all that is said must hold.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Selector {
    /// Labels with these values.
    #[serde(default, skip_serializing_if = "StringMap::is_empty")]
    #[x_kube(merge_strategy = MapMerge::Granular)]
    #[schemars(extend("maxProperties" = 32, "additionalProperties" = {"type": "string", "maxLength": 63}))]
    pub match_labels: StringMap,
    /// What holds of labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    #[schemars(length(max = 16))]
    pub match_expressions: Vec<Requirement>,
}

/// What holds of one label.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, PartialEq, Eq)]
#[x_kube(
    validation = Rule::new(
        "(has(self.values) && self.values.size() > 0) == (self.operator == 'In' || self.operator == 'NotIn')"
    )
    .message("values are needed with In and NotIn, and only there")
)]
#[serde(rename_all = "camelCase")]
pub struct Requirement {
    /// The label.
    #[schemars(length(min = 1, max = 316))]
    pub key: String,
    /// In: it has one of the values. NotIn: it has none of them, or is not there. Exists, DoesNotExist: it is there, or not.
    pub operator: Operator,
    /// The values; with In and NotIn.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    #[schemars(length(max = 64), inner(length(max = 63)))]
    pub values: BTreeSet<String>,
}

/// How a label is compared.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = super::common::undescribed)]
pub enum Operator {
    /// It has one of the values.
    In,
    /// It has none of the values, or is not there.
    NotIn,
    /// It is there.
    Exists,
    /// It is not there.
    DoesNotExist,
}

//! `ProviderConfig`: where in the cloud, and as whom.

use std::time::Duration;

use kube::core::{Reason, Rule};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::common::{CoreStatus, LocalRef, managed};

/// Region, project, credentials and endpoints for the objects of a namespace. The one named `default` serves every
/// object that names none.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "dms.huaweicloud.com",
    version = "v1alpha1",
    kind = "ProviderConfig",
    namespaced,
    doc = "Where in the cloud the objects of a namespace live, and whose credentials are used for them.",
    status = "ProviderConfigStatus",
    derive = "PartialEq",
    shortname = "dmsprovider",
    category = "dms",
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
    printcolumn(name = "Region", type_ = "string", json_path = ".spec.region"),
    printcolumn(name = "Project", type_ = "string", json_path = ".status.projectId"),
    printcolumn(name = "Auth", type_ = "string", json_path = ".spec.credentials.type"),
    printcolumn(
        name = "DMS-Endpoint",
        type_ = "string",
        json_path = ".status.endpoint",
        priority = "1"
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    ),
    validation = located("region", "self.spec.region == oldSelf.spec.region"),
    validation = located("projectId", "!has(self.spec.projectId) || self.spec.projectId == oldSelf.status.projectId"),
    validation = located(
        "projectName",
        "!has(self.spec.projectName) || \
         (has(oldSelf.spec.projectName) && self.spec.projectName == oldSelf.spec.projectName)"
    ),
    validation = located(
        "projectId",
        "has(self.spec.projectId) || has(self.spec.projectName) || \
         !(has(oldSelf.spec.projectId) || has(oldSelf.spec.projectName))"
    )
)]
#[x_kube(
    validation = Rule::new("!(has(self.projectId) && has(self.projectName))")
        .message("at most one of projectId and projectName")
        .field_path(".projectName")
)]
#[serde(rename_all = "camelCase")]
pub struct ProviderConfigSpec {
    /// Region, as in `eu-west-101`. Cannot change once the project has been found.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
    pub region: String,
    /// Id of the project. At most one of projectId and projectName; neither: the project that is named like the region.
    /// Cannot change once the project has been found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z0-9_-]+$"))]
    pub project_id: Option<String>,
    /// Name of the project, as in `eu-west-101_team-a`; its id is looked up. Cannot change once the project has been found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub project_name: Option<String>,
    /// Enterprise project of new instances that name none. `"0"` is the default enterprise project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub enterprise_project_id: Option<String>,
    /// How the operator proves who it is.
    pub credentials: Credentials,
    /// Addresses of the services. Default: the vendor's for the region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoints: Option<Endpoints>,
    /// How often each object is compared with the cloud: whole minutes or hours, `1m` to `24h`. Default: the operator's
    /// flag (10m).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 8),
        regex(pattern = r"^(([1-9][0-9]{0,2}|1[0-3][0-9]{2}|14[0-3][0-9]|1440)m|([1-9]|1[0-9]|2[0-4])h)$")
    )]
    pub resync_interval: Option<String>,
    /// How often the cloud may be called with these credentials, over all objects. Default: 20 calls a second. Whatever it
    /// is, a 429 slows the operator down, and a limit that the gateway names is kept. Where several ProviderConfigs use the
    /// same credentials, the least holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
}

/// So many calls in so long: `{requests: 200, period: 5m}`.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct RateLimit {
    /// Calls in `period`, 1 to 100000.
    #[schemars(range(min = 1, max = 100_000))]
    pub requests: u32,
    /// Whole seconds, minutes or hours: `1s`, `5m`, `1h`.
    #[schemars(length(max = 6), regex(pattern = r"^[1-9][0-9]{0,4}[smh]$"))]
    pub period: String,
    /// Calls at once after a pause, 1 to 1000. Default: 10, or `requests` if that is less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub burst: Option<u32>,
}

impl RateLimit {
    /// [`Self::period`] as a duration; `None` when it is not readable.
    pub fn period(&self) -> Option<Duration> {
        duration(&self.period)
    }
}

/// `5m` as a duration.
fn duration(text: &str) -> Option<Duration> {
    let unit = match text.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        _ => return None,
    };
    let number: u32 = text[..text.len() - 1].parse().ok()?;
    Some(Duration::from_secs(u64::from(number) * unit))
}

impl ProviderConfigSpec {
    /// [`Self::resync_interval`] as a duration; `None` when it is not set or not readable.
    pub fn resync(&self) -> Option<Duration> {
        duration(self.resync_interval.as_deref()?)
    }
}

/// What must hold once the project has been found: everything that uses this object lives there.
fn located(field: &str, holds: &str) -> Rule {
    Rule::new(format!(
        "!(has(oldSelf.status) && has(oldSelf.status.projectId)) || {holds}"
    ))
    .message("region and project cannot change once the project has been found; projectId may be set to what was found")
    .reason(Reason::FieldValueForbidden)
    .field_path(format!(".spec.{field}"))
}

/// Who the operator is to the cloud.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Credentials {
    /// AccessKey: every request is signed with an access key. Password: an IAM user's name and password buy a token, which
    /// holds for a day and is renewed in time.
    #[serde(rename = "type")]
    pub kind: CredentialsType,
    /// Secret in this namespace. AccessKey reads its keys accessKey, secretKey and, for temporary keys, securityToken.
    /// Password reads username, password and domainName (the account's name). Re-read every minute.
    pub secret_ref: LocalRef,
}

/// Ways to authenticate.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CredentialsType {
    /// Requests are signed with an access key and its secret key.
    AccessKey,
    /// Requests carry a token that an IAM user's name and password buy.
    Password,
}

/// Addresses of the services.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Endpoints {
    /// Address of DMS. Default: `https://dms.<region>.myhuaweicloud.com` (`.eu` in European regions). The operator's
    /// flags must allow its host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 512),
        regex(pattern = r"^https://|^http://(localhost|127\.0\.0\.1|\[::1\])[:/]")
    )]
    pub dms: Option<String>,
    /// Address of IAM, which finds the project. Default: `https://iam.<region>.myhuaweicloud.com` (`.eu` in European
    /// regions). The operator's flags must allow its host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 512),
        regex(pattern = r"^https://|^http://(localhost|127\.0\.0\.1|\[::1\])[:/]")
    )]
    pub iam: Option<String>,
}

/// What the operator last saw.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ProviderConfigStatus {
    /// The part that all kinds share.
    #[serde(flatten)]
    pub core: CoreStatus,
    /// Id of the project that was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub project_id: Option<String>,
    /// Address of DMS that is in use: the spec's, or the vendor's for the region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub endpoint: Option<String>,
    /// Whose credentials are in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// How often the cloud is called at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<EffectiveRate>,
    /// The Secret that carries our finalizer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub held_secret: Option<String>,
}

/// How often the cloud is called at most.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct EffectiveRate {
    /// Calls a second, as in `20/s`.
    #[schemars(length(max = 16))]
    pub effective: String,
    /// Why it is less than what is allowed: flow control, with the limit that the gateway named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub throttled_by: Option<String>,
}

/// Whose credentials are in use.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// Way of authentication.
    #[serde(rename = "type")]
    pub kind: CredentialsType,
    /// The access key, shortened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub access_key: Option<String>,
    /// The IAM user's name, shortened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub user_name: Option<String>,
}

managed!(ProviderConfig, ProviderConfigStatus);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_minutes_or_hours() {
        let resync = |text: Option<&str>| {
            let mut spec: ProviderConfigSpec = serde_json::from_value(serde_json::json!({
                "region": "eu-west-101", "credentials": {"type": "AccessKey", "secretRef": {"name": "huawei"}}
            }))
            .unwrap();
            spec.resync_interval = text.map(String::from);
            spec.resync()
        };
        assert_eq!(resync(Some("5m")), Some(Duration::from_secs(300)));
        assert_eq!(resync(Some("24h")), Some(Duration::from_secs(86_400)));
        for none in [None, Some(""), Some("5"), Some("m"), Some("5d"), Some("-5m")] {
            assert_eq!(resync(none), None, "{none:?}");
        }
    }
}

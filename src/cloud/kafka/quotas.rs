//! Quotas of users and clients: API reference 5.2.13 to 5.2.16.

use serde::{Deserialize, Serialize};

use crate::cloud::client::Call;
use crate::cloud::{Client, Error, Operation, Page, decode};

impl Client {
    /// One page of quotas (5.2.14).
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn list_quotas(&self, instance: &str, offset: u32, limit: u32) -> Result<Page<Quota>, Error> {
        let call = self
            .quota(Operation::ShowKafkaUserClientQuota, instance)
            .filter("offset", Some(offset))
            .filter("limit", Some(limit));
        let answer = self.send(call).await?;
        let body: List = answer.json()?;
        answer.page(body.quotas, body.count)
    }

    /// Creates a quota and gives the id of the job that does it (5.2.15).
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn create_quota(&self, instance: &str, quota: &Quota) -> Result<Option<String>, Error> {
        self.change_quota(
            self.quota(Operation::CreateKafkaUserClientQuotaTask, instance)
                .json(quota),
        )
        .await
    }

    /// Sets both rates of a quota and gives the id of the job that does it (5.2.16). Whether a rate that is not given
    /// stays is not documented.
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn update_quota(&self, instance: &str, quota: &Quota) -> Result<Option<String>, Error> {
        self.change_quota(
            self.quota(Operation::UpdateKafkaUserClientQuotaTask, instance)
                .json(quota),
        )
        .await
    }

    /// Deletes a quota and gives the id of the job that does it (5.2.13).
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn delete_quota(&self, instance: &str, quota: &QuotaIdentity) -> Result<Option<String>, Error> {
        self.change_quota(
            self.quota(Operation::DeleteKafkaUserClientQuotaTask, instance)
                .json(quota),
        )
        .await
    }

    async fn change_quota(&self, call: Call) -> Result<Option<String>, Error> {
        self.send(call).await?.job_id()
    }

    fn quota(&self, operation: Operation, instance: &str) -> Call {
        Call::dms(
            operation,
            &[
                "v2",
                "kafka",
                self.project_id(),
                "instances",
                instance,
                "kafka-user-client-quota",
            ],
        )
    }
}

/// Whom a quota is for: the four together are its identity. The service says absent, null and empty for the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "WireIdentity", rename_all = "kebab-case")]
pub struct QuotaIdentity {
    /// One user; empty for none.
    pub user: String,
    /// One client id; empty for none.
    pub client: String,
    /// Every user that has no quota of its own.
    pub user_default: bool,
    /// Every client that has no quota of its own.
    pub client_default: bool,
}

/// A quota. A rate that is `None` is not limited, or not told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Quota {
    /// Whom it is for.
    #[serde(flatten)]
    pub identity: QuotaIdentity,
    /// Bytes a second that may be written, to each broker.
    #[serde(
        default,
        deserialize_with = "decode::number",
        skip_serializing_if = "Option::is_none"
    )]
    pub producer_byte_rate: Option<u64>,
    /// Bytes a second that may be read, from each broker.
    #[serde(
        default,
        deserialize_with = "decode::number",
        skip_serializing_if = "Option::is_none"
    )]
    pub consumer_byte_rate: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct WireIdentity {
    #[serde(default, deserialize_with = "decode::text")]
    user: Option<String>,
    #[serde(default, deserialize_with = "decode::text")]
    client: Option<String>,
    #[serde(default, deserialize_with = "decode::flag")]
    user_default: Option<bool>,
    #[serde(default, deserialize_with = "decode::flag")]
    client_default: Option<bool>,
}

impl From<WireIdentity> for QuotaIdentity {
    fn from(wire: WireIdentity) -> Self {
        Self {
            user: wire.user.unwrap_or_default(),
            client: wire.client.unwrap_or_default(),
            user_default: wire.user_default.unwrap_or_default(),
            client_default: wire.client_default.unwrap_or_default(),
        }
    }
}

#[derive(Deserialize)]
struct List {
    quotas: Option<Vec<Quota>>,
    #[serde(default, deserialize_with = "decode::number")]
    count: Option<u64>,
}

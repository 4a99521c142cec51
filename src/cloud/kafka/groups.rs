//! Consumer groups: API reference 5.6.2 to 5.6.4, and 5.6.10.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ItemFailure;
use crate::cloud::client::Call;
use crate::cloud::{Client, Error, Operation, Page, decode};

impl Client {
    /// One page of consumer groups (5.6.2), `limit` 1 to 50. Those too that a client made by connecting.
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn list_groups(&self, instance: &str, offset: u32, limit: u32) -> Result<Page<Group>, Error> {
        let path = ["v2", self.project_id(), "instances", instance, "groups"];
        let call = Call::dms(Operation::ListInstanceConsumerGroups, &path)
            .filter("offset", Some(offset))
            .filter("limit", Some(limit));
        let answer = self.send(call).await?;
        let body: List = answer.json()?;
        answer.page(body.groups, body.total)
    }

    /// Creates a consumer group (5.6.4). The answer is the bare word `success`, which says nothing that its status
    /// does not.
    ///
    /// # Errors
    /// [`crate::cloud::Class::AlreadyExists`] for a name that is taken, and any of the sender's.
    pub async fn create_group(&self, instance: &str, group: &CreateGroup) -> Result<(), Error> {
        let path = ["v2", self.project_id(), "kafka", "instances", instance, "group"];
        self.send(Call::dms(Operation::CreateKafkaConsumerGroup, &path).json(group))
            .await?;
        Ok(())
    }

    /// Sets the description of a consumer group (5.6.10); empty clears it.
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn update_group(&self, instance: &str, name: &str, description: &str) -> Result<(), Error> {
        let path = ["v2", "kafka", self.project_id(), "instances", instance, "groups", name];
        // Whether another name would rename the group is not documented, nor what a missing one does.
        let body = CreateGroup {
            name: name.to_owned(),
            description: Some(description.to_owned()),
        };
        self.send(Call::dms(Operation::UpdateInstanceConsumerGroup, &path).json(&body))
            .await?;
        Ok(())
    }

    /// Deletes consumer groups and gives those that the service says it did not delete, such as groups with members
    /// (5.6.3: a 200 all the same).
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn delete_groups(&self, instance: &str, names: &[&str]) -> Result<Vec<ItemFailure>, Error> {
        let path = ["v2", self.project_id(), "instances", instance, "groups", "batch-delete"];
        let body = DeleteGroups { group_ids: names };
        let answer = self
            .send(Call::dms(Operation::BatchDeleteGroup, &path).json(&body))
            .await?;
        let outcome: Outcome = answer.json()?;
        let failed = answer.page(outcome.failed_groups, outcome.total)?.items;
        Ok(failed
            .into_iter()
            .map(|group| ItemFailure::new(group.group_id, None, group.error_message))
            .collect())
    }
}

/// What a consumer group is created from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CreateGroup {
    /// Its identity in the instance; the reference has no rule for it.
    #[serde(rename = "group_name")]
    pub name: String,
    /// Free text; the reference gives no length.
    #[serde(rename = "group_desc", skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A consumer group as the service tells it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Group {
    /// Its identity in the instance.
    #[serde(rename = "group_id", deserialize_with = "decode::required")]
    pub name: String,
    /// Free text; null if it was never set.
    #[serde(rename = "group_desc", default, deserialize_with = "decode::text")]
    pub description: Option<String>,
    /// `DEAD`, `EMPTY`, `PREPARING_REBALANCE`, `COMPLETING_REBALANCE`, `STABLE`; the table writes them otherwise than
    /// the example.
    #[serde(default, deserialize_with = "decode::text")]
    pub state: Option<String>,
    /// Messages that wait to be consumed.
    #[serde(default, deserialize_with = "decode::number")]
    pub lag: Option<u64>,
    /// When it was made.
    #[serde(rename = "createdAt", default, deserialize_with = "decode::time")]
    pub created_at: Option<Timestamp>,
}

#[derive(Serialize)]
struct DeleteGroups<'a> {
    group_ids: &'a [&'a str],
}

#[derive(Deserialize)]
struct List {
    groups: Option<Vec<Group>>,
    #[serde(default, deserialize_with = "decode::number")]
    total: Option<u64>,
}

#[derive(Deserialize)]
struct Outcome {
    failed_groups: Option<Vec<Failed>>,
    #[serde(default, deserialize_with = "decode::number")]
    total: Option<u64>,
}

#[derive(Deserialize)]
struct Failed {
    #[serde(deserialize_with = "decode::required")]
    group_id: String,
    #[serde(default, deserialize_with = "decode::text")]
    error_message: Option<String>,
}

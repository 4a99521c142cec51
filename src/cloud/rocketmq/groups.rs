//! Consumer groups: API reference 5.2.1 to 5.2.3, and 5.2.6.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cloud::client::Call;
use crate::cloud::{Client, Error, Limits, Operation, Page, decode};

impl Client {
    /// One page of consumer groups (5.2.1), the only call that tells `consume_orderly`, and how many the instance has room
    /// for.
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn list_rocketmq_groups(&self, instance: &str, offset: u32, limit: u32) -> Result<Page<Group>, Error> {
        let call = self
            .rocketmq_groups(Operation::ListInstanceConsumerGroups, instance)
            .filter("offset", Some(offset))
            .filter("limit", Some(limit));
        let answer = self.send(call).await?;
        let body: List = answer.json()?;
        let limits = Limits {
            most: body.max,
            left: body.remaining,
            of_one: None,
        };
        let page = answer.page(body.groups, body.total)?;
        Ok(Page { limits, ..page })
    }

    /// Creates a consumer group (5.2.2).
    ///
    /// # Errors
    /// [`crate::cloud::Class::AlreadyExists`] for a name that is taken, and any of the sender's.
    pub async fn create_rocketmq_group(&self, instance: &str, group: &CreateGroup) -> Result<(), Error> {
        let call = self.rocketmq_groups(Operation::CreateConsumerGroupOrBatchDeleteConsumerGroup, instance);
        self.send(call.json(group)).await?;
        Ok(())
    }

    /// Asks for changes of all of groups but their brokers, and gives the id of the job that carries them out (5.2.3).
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn update_rocketmq_groups(
        &self,
        instance: &str,
        groups: &[UpdateGroup],
    ) -> Result<Option<String>, Error> {
        let call = self.rocketmq_groups(Operation::BatchUpdateConsumerGroup, instance);
        self.send(call.json(&UpdateGroups { groups })).await?.job_id()
    }

    /// Asks for a change of a group's brokers, which is then carried out in the background (5.2.6). Gives the job's id
    /// only if the service tells it, for which its 204 has no room.
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn update_rocketmq_group(
        &self,
        instance: &str,
        name: &str,
        change: &UpdateGroupBrokers,
    ) -> Result<Option<String>, Error> {
        let path = ["v2", self.project_id(), "instances", instance, "groups", name];
        self.send(Call::dms(Operation::UpdateConsumerGroup, &path).json(change))
            .await?
            .job_id()
    }

    /// Asks for the deletion of groups and gives the id of the job that carries it out (5.2.2 with `action=delete`).
    /// What becomes of a group with members is not documented.
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn delete_rocketmq_groups(&self, instance: &str, names: &[&str]) -> Result<Option<String>, Error> {
        let call = self
            .rocketmq_groups(Operation::BatchDeleteConsumerGroup, instance)
            .filter("action", Some("delete"));
        self.send(call.json(&DeleteGroups { groups: names })).await?.job_id()
    }

    fn rocketmq_groups(&self, operation: Operation, instance: &str) -> Call {
        Call::dms(operation, &["v2", self.project_id(), "instances", instance, "groups"])
    }
}

/// What a consumer group is created from; what is `None` or empty is left to the service, whose defaults are not
/// documented.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CreateGroup {
    /// 3 to 64 letters, digits, `%`, `|`, `_`, `-`.
    pub name: String,
    /// Up to 200 characters.
    #[serde(rename = "group_desc", skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether it may consume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Whether each consumer gets every message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broadcast: Option<bool>,
    /// How often a message is tried again, 1 to 16.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_max_time: Option<u32>,
    /// Whether messages are consumed in order; 5.x must be told, 4.8.0 has it not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consume_orderly: Option<bool>,
    /// The brokers that it lives on; 4.8.0 must be told, 5.x has it not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub brokers: Vec<String>,
}

/// What a group shall be, but for its brokers. Whether what is `None` stays is not documented.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UpdateGroup {
    /// Which one.
    pub name: String,
    /// Whether it may consume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Whether each consumer gets every message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broadcast: Option<bool>,
    /// How often a message is tried again, 1 to 16.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_max_time: Option<u32>,
    /// Whether messages are consumed in order; 5.x must be told, 4.8.0 has it not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consume_orderly: Option<bool>,
    /// Up to 200 characters.
    #[serde(rename = "group_desc", skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// What a group shall be where its brokers change; the service wants the rest too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UpdateGroupBrokers {
    /// Which one; it cannot be changed.
    pub name: String,
    /// Whether it may consume.
    pub enabled: bool,
    /// Whether each consumer gets every message.
    pub broadcast: bool,
    /// How often a message is tried again, 1 to 16.
    pub retry_max_time: u32,
    /// The brokers that it lives on.
    pub brokers: Vec<String>,
}

/// A consumer group as the service tells it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Group {
    /// Its identity in the instance.
    #[serde(deserialize_with = "decode::required")]
    pub name: String,
    /// Free text; missing if it was never set.
    #[serde(rename = "group_desc", default, deserialize_with = "decode::text")]
    pub description: Option<String>,
    /// Whether it may consume.
    #[serde(default, deserialize_with = "decode::flag")]
    pub enabled: Option<bool>,
    /// Whether each consumer gets every message.
    #[serde(default, deserialize_with = "decode::flag")]
    pub broadcast: Option<bool>,
    /// How often a message is tried again.
    #[serde(default, deserialize_with = "decode::number")]
    pub retry_max_time: Option<u32>,
    /// Whether messages are consumed in order.
    #[serde(default, deserialize_with = "decode::flag")]
    pub consume_orderly: Option<bool>,
    /// The brokers that it lives on, in any order.
    #[serde(default, deserialize_with = "decode::embedded")]
    pub brokers: Option<Vec<String>>,
    /// When it was made.
    #[serde(rename = "createdAt", default, deserialize_with = "decode::time")]
    pub created_at: Option<Timestamp>,
}

#[derive(Serialize)]
struct UpdateGroups<'a> {
    groups: &'a [UpdateGroup],
}

#[derive(Serialize)]
struct DeleteGroups<'a> {
    groups: &'a [&'a str],
}

#[derive(Deserialize)]
struct List {
    groups: Option<Vec<Group>>,
    #[serde(default, deserialize_with = "decode::number")]
    total: Option<u64>,
    #[serde(default, deserialize_with = "decode::number")]
    max: Option<u64>,
    #[serde(default, deserialize_with = "decode::number")]
    remaining: Option<u64>,
}

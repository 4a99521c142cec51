//! Instances: API reference 5.1.1 to 5.1.5, and 5.4.1.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Job, Tag, vocabulary};
use crate::cloud::client::Call;
use crate::cloud::{Client, Error, Operation, Page, decode};

impl Client {
    /// Orders a new instance and gives its id; it is then `CREATING` for minutes (5.1.1). Never repeated by itself:
    /// unless [`Error::sent`] says otherwise, a failure may have made an instance that costs money.
    ///
    /// # Errors
    /// [`super::super::Class::AlreadyExists`] for a name that is taken, and any of the sender's.
    pub async fn create_instance(&self, instance: &CreateInstance) -> Result<String, Error> {
        let path = ["v2", "kafka", self.project_id(), "instances"];
        let call = Call::dms(Operation::CreateInstanceByEngine, &path);
        let answer: Created = self
            .send(call.json(&Order {
                engine: "kafka",
                instance,
            }))
            .await?
            .json()?;
        Ok(answer.instance_id)
    }

    /// One page of the project's Kafka instances (5.1.2). New ones may be missing for a while.
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn list_instances(&self, query: &InstanceQuery) -> Result<Page<Instance>, Error> {
        let call = Call::dms(Operation::ListInstances, &["v2", self.project_id(), "instances"])
            .filter("engine", Some("kafka"))
            .filter("name", query.name.as_ref())
            .filter("exact_match_name", query.name.is_some().then_some(query.exact))
            .filter("include_failure", query.include_failure.then_some(true))
            .filter("offset", Some(query.offset))
            .filter("limit", Some(query.limit));
        let answer = match self.send(call).await {
            // An offset at the end of the list (not in the reference).
            Err(error) if error.code() == Some("DMS.40050010") && query.offset > 0 => {
                return Ok(Page {
                    items: Vec::new(),
                    total: None,
                });
            }
            answer => answer?,
        };
        let body: List = answer.json()?;
        answer.page(body.instances, body.instance_num)
    }

    /// One instance (5.1.3). It is gone only when the error says [`Error::is_instance_gone`].
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn show_instance(&self, id: &str) -> Result<Instance, Error> {
        self.send(Call::dms(
            Operation::ShowInstance,
            &["v2", self.project_id(), "instances", id],
        ))
        .await?
        .json()
    }

    /// Asks for the deletion of an instance, which takes minutes and may still fail (5.1.4).
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn delete_instance(&self, id: &str) -> Result<(), Error> {
        self.send(Call::dms(
            Operation::DeleteInstance,
            &["v2", self.project_id(), "instances", id],
        ))
        .await?;
        Ok(())
    }

    /// Changes what is given, and nothing else (5.1.5). A new retention policy goes on as a background task.
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn update_instance(&self, id: &str, change: &UpdateInstance) -> Result<(), Error> {
        let call = Call::dms(Operation::UpdateInstance, &["v2", self.project_id(), "instances", id]);
        self.send(call.json(change)).await?;
        Ok(())
    }

    /// Grows the storage to `total_gb` over all brokers; at least 100 GB more for each of them (5.4.1). Gives the id
    /// of the job.
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn extend_storage(&self, id: &str, total_gb: u64) -> Result<Option<String>, Error> {
        let path = ["v2", "kafka", self.project_id(), "instances", id, "extend"];
        let body = ExtendStorage {
            oper_type: "storage",
            new_storage_space: total_gb,
        };
        let answer = self
            .send(Call::dms(Operation::ResizeEngineInstance, &path).json(&body))
            .await?;
        Ok(answer.json_if_any::<Job>()?.and_then(|job| job.job_id))
    }
}

/// What an instance is created from; what is `None` is left to the service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CreateInstance {
    /// 4 to 64 letters, digits, `_`, `-`; not necessarily unique.
    pub name: String,
    /// Up to 1024 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Such as `2.7`.
    pub engine_version: String,
    /// How many brokers.
    pub broker_num: u32,
    /// GB over all brokers.
    pub storage_space: u64,
    /// The kind of disk.
    pub storage_spec_code: String,
    /// The flavour.
    pub product_id: String,
    /// The network.
    pub vpc_id: String,
    /// A subnet of it.
    pub subnet_id: String,
    /// A security group.
    pub security_group_id: String,
    /// Ids of zones, one or at least three.
    pub available_zones: Vec<String>,
    /// `HH:mm`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maintain_begin: Option<String>,
    /// `HH:mm`, four hours later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maintain_end: Option<String>,
    /// `produce_reject` or `time_base`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_policy: Option<String>,
    /// Whether brokers get IPv6 addresses too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6_enable: Option<bool>,
    /// The enterprise project, `0` for the default one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enterprise_project_id: Option<String>,
    /// Tags from the first moment on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
}

/// What to change; `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UpdateInstance {
    /// 4 to 64 letters, digits, `_`, `-`, a letter first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Up to 1024 characters; empty clears it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `HH:mm:ss`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maintain_begin: Option<String>,
    /// `HH:mm:ss`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maintain_end: Option<String>,
    /// A security group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_group_id: Option<String>,
    /// `produce_reject` or `time_base`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_policy: Option<String>,
    /// The enterprise project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enterprise_project_id: Option<String>,
}

/// Which instances, and which page of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceQuery {
    /// All or part of a name.
    pub name: Option<String>,
    /// Only instances of exactly that name.
    pub exact: bool,
    /// Those too whose creation failed.
    pub include_failure: bool,
    /// How many to skip.
    pub offset: u32,
    /// 1 to 50.
    pub limit: u32,
}

impl Default for InstanceQuery {
    fn default() -> Self {
        Self {
            name: None,
            exact: true,
            include_failure: true,
            offset: 0,
            limit: 50,
        }
    }
}

/// An instance as the service tells it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Instance {
    /// Its identity.
    #[serde(rename = "instance_id", deserialize_with = "decode::required")]
    pub id: String,
    /// Its name, which can change and need not be unique.
    #[serde(default, deserialize_with = "decode::text")]
    pub name: Option<String>,
    /// What it is doing.
    #[serde(default, deserialize_with = "decode::word")]
    pub status: Option<InstanceStatus>,
    /// Free text; not told by every answer.
    #[serde(default, deserialize_with = "decode::text")]
    pub description: Option<String>,
    /// Such as `2.7`.
    #[serde(default, deserialize_with = "decode::text")]
    pub engine_version: Option<String>,
    /// The flavour.
    #[serde(default, deserialize_with = "decode::text")]
    pub product_id: Option<String>,
    /// How many brokers; not told by every answer.
    #[serde(default, deserialize_with = "decode::number")]
    pub broker_num: Option<u32>,
    /// How many nodes, which are brokers; not told by every answer.
    #[serde(default, deserialize_with = "decode::number")]
    pub node_num: Option<u32>,
    /// What messages can use, in GB; less than what was ordered.
    #[serde(default, deserialize_with = "decode::number")]
    pub storage_space: Option<u64>,
    /// What was ordered, in GB over all brokers: the one to compare with what is wanted.
    #[serde(default, deserialize_with = "decode::number")]
    pub total_storage_space: Option<u64>,
    /// The kind of disk.
    #[serde(default, deserialize_with = "decode::text")]
    pub storage_spec_code: Option<String>,
    /// How often the disks were grown; 20 times is all.
    #[serde(default, deserialize_with = "decode::number")]
    pub extend_times: Option<u32>,
    /// The network.
    #[serde(default, deserialize_with = "decode::text")]
    pub vpc_id: Option<String>,
    /// The subnet.
    #[serde(default, deserialize_with = "decode::text")]
    pub subnet_id: Option<String>,
    /// The security group.
    #[serde(default, deserialize_with = "decode::text")]
    pub security_group_id: Option<String>,
    /// Ids of zones, in any order.
    #[serde(default, deserialize_with = "decode::embedded")]
    pub available_zones: Option<Vec<String>>,
    /// `HH:mm:ss`.
    #[serde(default, deserialize_with = "decode::text")]
    pub maintain_begin: Option<String>,
    /// `HH:mm:ss`.
    #[serde(default, deserialize_with = "decode::text")]
    pub maintain_end: Option<String>,
    /// `produce_reject` or `time_base`.
    #[serde(default, deserialize_with = "decode::text")]
    pub retention_policy: Option<String>,
    /// Whether brokers have IPv6 addresses too.
    #[serde(default, deserialize_with = "decode::flag")]
    pub ipv6_enable: Option<bool>,
    /// The enterprise project.
    #[serde(default, deserialize_with = "decode::text")]
    pub enterprise_project_id: Option<String>,
    /// Tags; not told by every answer, 5.10.2 always does.
    #[serde(default, deserialize_with = "decode::embedded")]
    pub tags: Option<Vec<Tag>>,
    /// When it was ordered.
    #[serde(default, deserialize_with = "decode::time")]
    pub created_at: Option<Timestamp>,
    /// 1 pay-per-use, 0 yearly or monthly.
    #[serde(default, deserialize_with = "decode::number")]
    pub charging_mode: Option<u8>,
    /// Addresses without ports.
    #[serde(default, deserialize_with = "decode::text")]
    pub connect_address: Option<String>,
    /// The port that goes with them.
    #[serde(default, deserialize_with = "decode::number")]
    pub port: Option<u16>,
    /// Which access modes are on, and their addresses.
    #[serde(default, deserialize_with = "decode::embedded")]
    pub port_protocols: Option<PortProtocols>,
    /// By listener address: where clients of other networks find it.
    #[serde(default, deserialize_with = "decode::embedded")]
    pub cross_vpc_info: Option<BTreeMap<String, CrossVpcAddress>>,
}

vocabulary! {
    /// What an instance is doing (API reference 8.3).
    InstanceStatus {
        /// Being made.
        Creating = "CREATING",
        /// Serves; the only state in which changes may begin.
        Running = "RUNNING",
        /// Does not work properly.
        Error = "ERROR",
        /// Restarting.
        Restarting = "RESTARTING",
        /// Between frozen and running.
        Starting = "STARTING",
        /// Its specification is being changed.
        Extending = "EXTENDING",
        /// Changing its specification failed.
        ExtendedFailed = "EXTENDEDFAILED",
        /// No balance.
        Frozen = "FROZEN",
        /// Between running and frozen.
        Freezing = "FREEZING",
        /// Being upgraded.
        Upgrading = "UPGRADING",
        /// An upgrade is being undone.
        RollingBack = "ROLLINGBACK",
        /// Being deleted (not in the reference).
        Deleting = "DELETING",
        /// In the recycle bin (not in the reference).
        Recycle = "RECYCLE",
    }
}

/// Access modes; an address list has `host:port` with commas between.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct PortProtocols {
    /// Port 9092.
    #[serde(default, deserialize_with = "decode::flag")]
    pub private_plain_enable: Option<bool>,
    /// Its brokers.
    #[serde(default, deserialize_with = "decode::text")]
    pub private_plain_address: Option<String>,
    /// Port 9093 with TLS.
    #[serde(default, deserialize_with = "decode::flag")]
    pub private_sasl_ssl_enable: Option<bool>,
    /// Its brokers.
    #[serde(default, deserialize_with = "decode::text")]
    pub private_sasl_ssl_address: Option<String>,
    /// Port 9093 without TLS.
    #[serde(default, deserialize_with = "decode::flag")]
    pub private_sasl_plaintext_enable: Option<bool>,
    /// Its brokers.
    #[serde(default, deserialize_with = "decode::text")]
    pub private_sasl_plaintext_address: Option<String>,
    /// Port 9094.
    #[serde(default, deserialize_with = "decode::flag")]
    pub public_plain_enable: Option<bool>,
    /// Its brokers.
    #[serde(default, deserialize_with = "decode::text")]
    pub public_plain_address: Option<String>,
    /// Port 9095 with TLS.
    #[serde(default, deserialize_with = "decode::flag")]
    pub public_sasl_ssl_enable: Option<bool>,
    /// Its brokers.
    #[serde(default, deserialize_with = "decode::text")]
    pub public_sasl_ssl_address: Option<String>,
    /// Port 9095 without TLS.
    #[serde(default, deserialize_with = "decode::flag")]
    pub public_sasl_plaintext_enable: Option<bool>,
    /// Its brokers.
    #[serde(default, deserialize_with = "decode::text")]
    pub public_sasl_plaintext_address: Option<String>,
}

/// How one broker is found from another network.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CrossVpcAddress {
    /// An address or a domain name.
    #[serde(default, deserialize_with = "decode::text")]
    pub advertised_ip: Option<String>,
    /// The port there.
    #[serde(default, deserialize_with = "decode::number")]
    pub port: Option<u16>,
}

#[derive(Serialize)]
struct Order<'a> {
    engine: &'static str,
    #[serde(flatten)]
    instance: &'a CreateInstance,
}

#[derive(Deserialize)]
struct Created {
    #[serde(deserialize_with = "decode::required")]
    instance_id: String,
}

#[derive(Serialize)]
struct ExtendStorage {
    oper_type: &'static str,
    new_storage_space: u64,
}

#[derive(Deserialize)]
struct List {
    instances: Option<Vec<Instance>>,
    #[serde(default, deserialize_with = "decode::number")]
    instance_num: Option<u64>,
}

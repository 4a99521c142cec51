//! What instances of both engines share: Kafka API reference 5.1.1 to 5.1.5 and 5.4.1, RocketMQ API reference 5.1.1 to
//! 5.1.5 and 5.10.2. What an instance is made of and what is told of it is the engine's own.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::client::Call;
use super::vocabulary::vocabulary;
use super::{Class, Client, Error, Limits, Operation, Page, Sent, decode};

/// What a message service is built on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Engine {
    /// DMS for Kafka.
    Kafka,
    /// DMS for RocketMQ.
    RocketMq,
}

impl Engine {
    /// In the paths of what is an engine's own: tags, resizing.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Kafka => "kafka",
            Self::RocketMq => "rocketmq",
        }
    }

    /// Both names occur in answers.
    fn is_called(self, name: &str) -> bool {
        name.eq_ignore_ascii_case(self.path()) || name.eq_ignore_ascii_case(self.product())
    }

    /// As the message engine of an instance: when ordering one, when listing them.
    fn product(self) -> &'static str {
        match self {
            Self::Kafka => "kafka",
            Self::RocketMq => "reliability",
        }
    }
}

/// An engine's model of an instance as the service tells it.
pub trait InstanceModel: DeserializeOwned {
    /// Whose.
    const ENGINE: Engine;
}

/// What an instance of an engine is created from.
pub trait NewInstance: Serialize {
    /// Of which.
    const ENGINE: Engine;
}

impl Client {
    /// Orders a new instance and gives its id; it is then `CREATING` for minutes (Kafka API reference 5.1.1, RocketMQ
    /// API reference 5.1.2). Never repeated by itself: unless [`Error::sent`] says otherwise, a failure may have made
    /// an instance that costs money.
    ///
    /// # Errors
    /// [`super::Class::AlreadyExists`] for a name that is taken, and any of the sender's.
    pub async fn create_instance<N: NewInstance>(&self, instance: &N) -> Result<String, Error> {
        let engine = N::ENGINE.product();
        let path = ["v2", engine, self.project_id(), "instances"];
        let call = Call::dms(Operation::CreateInstanceByEngine, &path);
        let answer: Created = self.send(call.json(&NewOf { engine, instance })).await?.json()?;
        Ok(answer.instance_id)
    }

    /// One page of the project's instances of one engine (Kafka API reference 5.1.2, RocketMQ API reference 5.1.1).
    /// New ones may be missing for a while.
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn list_instances<T: InstanceModel>(&self, query: &InstanceQuery) -> Result<Page<T>, Error> {
        let call = Call::dms(Operation::ListInstances, &["v2", self.project_id(), "instances"])
            .filter("engine", Some(T::ENGINE.product()))
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
                    limits: Limits::default(),
                });
            }
            answer => answer?,
        };
        let body: List<T> = answer.json()?;
        answer.page(body.instances, body.instance_num)
    }

    /// One instance (5.1.3 of both API references). It is gone only when the error says [`Error::is_instance_gone`].
    ///
    /// # Errors
    /// [`Class::Invalid`] for an instance of another engine, and any of the sender's.
    pub async fn show_instance<T: InstanceModel>(&self, id: &str) -> Result<T, Error> {
        let answer = self.send(self.instance(Operation::ShowInstance, id)).await?;
        let doing: Doing = answer.json()?;
        match doing.engine.as_deref() {
            Some(engine) if !T::ENGINE.is_called(engine) => {
                let ours = T::ENGINE.product();
                let message = format!("{id} is an instance of the engine {engine}, not of {ours}");
                Err(Error::new(
                    Operation::ShowInstance,
                    Class::Invalid,
                    Sent::Refused,
                    message,
                ))
            }
            _ => answer.json(),
        }
    }

    /// What an instance of whatever engine is doing (5.1.3 of both API references); `None` if the service does not say.
    /// It is gone only when the error says [`Error::is_instance_gone`].
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn instance_status(&self, id: &str) -> Result<Option<InstanceStatus>, Error> {
        let answer = self.send(self.instance(Operation::ShowInstance, id)).await?;
        Ok(answer.json::<Doing>()?.status)
    }

    /// Asks for the deletion of an instance, which takes minutes and may still fail (5.1.4 of both API references).
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn delete_instance(&self, id: &str) -> Result<(), Error> {
        self.send(self.instance(Operation::DeleteInstance, id)).await?;
        Ok(())
    }

    /// Changes what is given, and nothing else (5.1.5 of both API references). `change` is the engine's
    /// `UpdateInstance`. A new retention policy of Kafka goes on as a background task.
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn update_instance(&self, id: &str, change: &impl Serialize) -> Result<(), Error> {
        let call = self.instance(Operation::UpdateInstance, id);
        self.send(call.json(change)).await?;
        Ok(())
    }

    /// Grows the storage to `total_gb` over all brokers; at least 100 GB more for each of them (Kafka API reference
    /// 5.4.1, RocketMQ API reference 5.10.2). Gives the id of the job.
    ///
    /// # Errors
    /// Any of the sender's.
    pub async fn extend_storage(&self, engine: Engine, id: &str, total_gb: u64) -> Result<Option<String>, Error> {
        let operation = match engine {
            Engine::Kafka => Operation::ResizeEngineInstance,
            Engine::RocketMq => Operation::ResizeInstance,
        };
        let path = ["v2", engine.path(), self.project_id(), "instances", id, "extend"];
        let body = ExtendStorage {
            oper_type: "storage",
            new_storage_space: total_gb,
        };
        self.send(Call::dms(operation, &path).json(&body)).await?.job_id()
    }

    fn instance(&self, operation: Operation, id: &str) -> Call {
        Call::dms(operation, &["v2", self.project_id(), "instances", id])
    }
}

/// What an instance of either engine is created with; what is `None` is left to the service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Order {
    /// 4 to 64 letters, digits, `_`, `-`; not necessarily unique. Changing it is stricter: a letter first, and of RocketMQ no
    /// `_`.
    pub name: String,
    /// Up to 1024 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Such as `2.7` of Kafka. Of RocketMQ `4.8.0` is all that the reference lists; `5.x` is told of instances.
    pub engine_version: String,
    /// How many brokers; the references want it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broker_num: Option<u32>,
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
    /// Whether brokers get IPv6 addresses too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6_enable: Option<bool>,
    /// The enterprise project, `0` for the default one.
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

vocabulary! {
    /// What an instance is doing (Kafka API reference 8.3, RocketMQ API reference 9.3).
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
        /// An upgrade of Kafka is being undone.
        RollingBack = "ROLLINGBACK",
        /// An upgrade of RocketMQ is being undone.
        Rollback = "ROLLBACK",
        /// Being deleted (not in Kafka's reference).
        Deleting = "DELETING",
        /// In the recycle bin (not in the reference).
        Recycle = "RECYCLE",
    }
}

#[derive(Serialize)]
struct NewOf<'a, N> {
    engine: &'static str,
    #[serde(flatten)]
    instance: &'a N,
}

#[derive(Deserialize)]
struct Created {
    #[serde(deserialize_with = "decode::required")]
    instance_id: String,
}

#[derive(Deserialize)]
struct Doing {
    #[serde(default, deserialize_with = "decode::text")]
    engine: Option<String>,
    #[serde(default, deserialize_with = "decode::word")]
    status: Option<InstanceStatus>,
}

#[derive(Serialize)]
struct ExtendStorage {
    oper_type: &'static str,
    new_storage_space: u64,
}

#[derive(Deserialize)]
struct List<T> {
    instances: Option<Vec<T>>,
    #[serde(default, deserialize_with = "decode::number")]
    instance_num: Option<u64>,
}

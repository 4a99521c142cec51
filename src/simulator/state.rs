//! What exists, and how it changes with time.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::calls::Log;
use super::catalogue::Flavour;
use super::codes::{self, ApiError};
use super::faults::Fault;
use super::jobs::{Job, Task};
use super::limits::Buckets;
use super::tags::Tags;
use super::tokens::Token;
use super::{Config, Now, kafka, rocketmq};
use kafka::Kafka;
use rocketmq::RocketMq;

/// Everything that changes.
pub(crate) struct State {
    pub(crate) instances: BTreeMap<String, Instance>,
    pub(crate) calls: Log,
    pub(crate) faults: Vec<Fault>,
    /// By what is sent in `X-Auth-Token`.
    pub(crate) tokens: BTreeMap<String, Token>,
    pub(crate) advanced: Duration,
    pub(crate) limits: Buckets,
    random: u64,
}

/// The state of an instance (Kafka API reference 8.3, where `DELETING` and `RECYCLE` are not printed; RocketMQ 9.3).
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    Creating,
    Running,
    Error,
    Restarting,
    Starting,
    Extending,
    ExtendedFailed,
    Frozen,
    Freezing,
    Upgrading,
    /// Kafka's word.
    Rollingback,
    /// RocketMQ's word.
    Rollback,
    Deleting,
    Recycle,
}

/// What an instance runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Engine {
    Kafka,
    RocketMq,
}

/// What only instances of one engine have.
pub(crate) enum Own {
    Kafka(Kafka),
    RocketMq(RocketMq),
}

/// An instance of either engine.
pub(crate) struct Instance {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) status: Status,
    pub(crate) engine_version: String,
    pub(crate) product_id: String,
    pub(crate) broker_num: i64,
    /// Total, GB.
    pub(crate) storage: i64,
    pub(crate) storage_spec_code: String,
    pub(crate) zones: Vec<String>,
    pub(crate) vpc_id: String,
    pub(crate) subnet_id: String,
    pub(crate) security_group_id: String,
    pub(crate) enterprise_project_id: String,
    pub(crate) ipv6: bool,
    /// `HH:mm:ss`, begin and end.
    pub(crate) window: (String, String),
    pub(crate) extend_times: u32,
    pub(crate) created: Duration,
    /// When it was asked for.
    pub(crate) created_at: Timestamp,
    /// When it ran first.
    pub(crate) completed_at: Option<Timestamp>,
    pub(crate) creation_failed: bool,
    pub(crate) gone: Option<Duration>,
    pub(crate) job: Option<Job>,
    pub(crate) tasks: Vec<Task>,
    pub(crate) tags: Tags,
    pub(crate) own: Own,
}

impl State {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            instances: BTreeMap::new(),
            calls: Log::default(),
            faults: Vec::new(),
            tokens: BTreeMap::new(),
            advanced: Duration::ZERO,
            limits: Buckets::default(),
            random: seed,
        }
    }

    /// Lets happen what should have happened by now.
    pub(crate) fn advance(&mut self, now: Now, config: &Config) {
        for instance in self.instances.values_mut() {
            if let Some(job) = instance.job.take_if(|job| job.ends <= now.at) {
                instance.finish(job, now, config);
            }
            instance.own.forget(now.at, config);
        }
        let lag = config.list_lag.div_f64(config.speed);
        self.instances
            .retain(|_, instance| instance.gone.is_none_or(|gone| gone + lag > now.at));
    }

    pub(crate) fn force(&mut self, id: &str, status: Status, now: Now) -> bool {
        let Some(instance) = self.instances.get_mut(id).filter(|instance| instance.gone.is_none()) else {
            return false;
        };
        instance.status = status;
        instance.creation_failed &= status == Status::Error;
        if let Some(job) = instance.job.take() {
            instance.close_task(&job, now.wall, false);
        }
        true
    }

    /// Connects clients to a group of an instance that runs, named by id or name; false if there is no such thing.
    pub(crate) fn connect(&mut self, instance: &str, group: &str, members: u32, now: Now) -> bool {
        let random = self.random();
        let Some(instance) = self.running(instance) else {
            return false;
        };
        match &mut instance.own {
            Own::Kafka(own) => {
                kafka::groups::connect(own, group, members, random, instance.broker_num, now);
                true
            }
            Own::RocketMq(own) => rocketmq::groups::connect(own, group, members),
        }
    }

    /// Lets a group of an instance that runs leave messages of a topic unread; false if there is no such thing.
    pub(crate) fn leave_unread(&mut self, instance: &str, group: &str, topic: &str, messages: u64) -> bool {
        self.running(instance).is_some_and(|instance| match &mut instance.own {
            Own::Kafka(own) => kafka::groups::leave_unread(own, group, topic, messages),
            Own::RocketMq(own) => rocketmq::groups::leave_unread(own, group, topic, messages),
        })
    }

    /// Makes topics in an instance of Kafka that runs, named by id or name; false if there is no such instance.
    pub(crate) fn fill(&mut self, instance: &str, names: Vec<String>, now: Now) -> bool {
        let Some(instance) = self.running(instance) else {
            return false;
        };
        let Own::Kafka(own) = &mut instance.own else {
            return false;
        };
        for name in names {
            kafka::topics::fill(own, name, instance.created_at, now);
        }
        true
    }

    fn running(&mut self, instance: &str) -> Option<&mut Instance> {
        let mut running = self
            .instances
            .values_mut()
            .filter(|candidate| candidate.gone.is_none() && candidate.status == Status::Running);
        running.find(|candidate| candidate.id == instance || candidate.name == instance)
    }

    /// The next arbitrary number (splitmix64).
    pub(crate) fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn hex(&mut self, digits: usize) -> String {
        let mut text = String::new();
        while text.len() < digits {
            text.push_str(&format!("{:016x}", self.random()));
        }
        text.truncate(digits);
        text
    }

    pub(crate) fn uuid(&mut self) -> String {
        let bits = u128::from(self.random()) << 64 | u128::from(self.random());
        uuid::Builder::from_random_bytes(bits.to_be_bytes())
            .into_uuid()
            .to_string()
    }
}

impl Engine {
    /// The engine that paths, bodies and queries speak of; RocketMQ has two names, and the reference uses now one and
    /// now the other.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "kafka" => Some(Self::Kafka),
            "reliability" | "rocketmq" => Some(Self::RocketMq),
            _ => None,
        }
    }

    /// Its name in an instance.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Kafka => "kafka",
            Self::RocketMq => "reliability",
        }
    }
}

impl Own {
    pub(crate) fn engine(&self) -> Engine {
        match self {
            Self::Kafka(_) => Engine::Kafka,
            Self::RocketMq(_) => Engine::RocketMq,
        }
    }

    /// Forgets what no list shows any more.
    fn forget(&mut self, now: Duration, config: &Config) {
        let lag = config.topic_lag.div_f64(config.speed);
        match self {
            Self::Kafka(kafka) => {
                kafka.topics.forget(now, lag);
                if !config.dead_groups {
                    kafka.groups.forget(now, lag);
                }
            }
            Self::RocketMq(rocketmq) => {
                rocketmq.topics.forget(now, lag);
                rocketmq.groups.forget(now, lag);
            }
        }
    }
}

impl Instance {
    pub(crate) fn engine(&self) -> Engine {
        self.own.engine()
    }

    /// What is Kafka's own; only for operations that are routed as Kafka's.
    pub(crate) fn kafka(&self) -> &Kafka {
        match &self.own {
            Own::Kafka(kafka) => kafka,
            Own::RocketMq(_) => unreachable!("the call's instance is of its route's engine"),
        }
    }

    pub(crate) fn kafka_mut(&mut self) -> &mut Kafka {
        match &mut self.own {
            Own::Kafka(kafka) => kafka,
            Own::RocketMq(_) => unreachable!("the call's instance is of its route's engine"),
        }
    }

    /// What is RocketMQ's own; only for operations that are routed as RocketMQ's.
    pub(crate) fn rocketmq(&self) -> &RocketMq {
        match &self.own {
            Own::RocketMq(rocketmq) => rocketmq,
            Own::Kafka(_) => unreachable!("the call's instance is of its route's engine"),
        }
    }

    pub(crate) fn rocketmq_mut(&mut self) -> &mut RocketMq {
        match &mut self.own {
            Own::RocketMq(rocketmq) => rocketmq,
            Own::Kafka(_) => unreachable!("the call's instance is of its route's engine"),
        }
    }

    pub(crate) fn flavour(&self) -> &'static Flavour {
        Flavour::find(self.engine(), &self.engine_version, &self.product_id).expect("only known flavours are sold")
    }

    /// The most that its brokers hold: partitions on Kafka; on RocketMQ topics, and as many consumer groups.
    pub(crate) fn capacity(&self) -> i64 {
        self.flavour().per_broker * self.broker_num
    }

    /// Whether a change may begin. The reference has two codes and does not say which comes when: here the state
    /// decides first, and a task in a running instance is `DMS.00400017`.
    pub(crate) fn idle(&self) -> Result<(), ApiError> {
        match (self.status, &self.job) {
            (Status::Running, None) => Ok(()),
            (Status::Running, Some(_)) => Err(codes::TASK_RUNNING.error()),
            _ => Err(codes::STATUS.error()),
        }
    }

    /// Whether its inside can be read: not before it has come up.
    pub(crate) fn readable(&self) -> Result<(), ApiError> {
        if self.status == Status::Creating || self.creation_failed {
            Err(codes::STATUS.error())
        } else {
            Ok(())
        }
    }
}

//! From method and path to an operation.
//!
//! The paths put the engine before the project, after it, or nowhere; literals decide, as the references print them. Both
//! engines have operations under one method and path: there the engine of the instance decides.

use axum::http::Method;
use percent_encoding::percent_decode_str;

use super::codes::ApiError;
use super::gateway::{Context, Reply};
use super::state::Engine::{self, Kafka, RocketMq};
use super::{catalogue, extend, instances, kafka, rocketmq, tags, tasks, tokens};

type Handler = fn(&mut Context<'_>) -> Result<Reply, ApiError>;

/// Where a call leads.
pub(crate) struct Route {
    /// The operation's name in the vendor's SDK.
    pub(crate) operation: &'static str,
    pub(crate) handler: Handler,
    /// Whether it needs no authentication.
    pub(crate) open: bool,
    /// Whose instances it is about; of either engine's if absent.
    pub(crate) engine: Option<Engine>,
    pub(crate) project: Option<String>,
    pub(crate) instance: Option<String>,
    /// What follows the instance in the path, if it is a parameter.
    pub(crate) item: Option<String>,
}

/// The route of a call, if it is served; `engine_of` knows the instances.
pub(crate) fn route(method: &Method, path: &str, engine_of: impl FnOnce(&str) -> Option<Engine>) -> Option<Route> {
    // Split first: what is encoded in a name, once, does not end it.
    let segments: Vec<String> = path
        .strip_prefix('/')?
        .split('/')
        .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
        .collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    if segments.iter().any(|segment| segment.is_empty()) {
        return None;
    }
    match (method.as_str(), segments.as_slice()) {
        ("POST", ["v3", "auth", "tokens"]) => {
            let mut route = both("KeystoneCreateUserTokenByPassword", tokens::create);
            route.open = true;
            Some(route)
        }
        ("GET", ["v3", "projects"]) => Some(both("KeystoneListProjects", catalogue::projects)),
        ("GET", ["v2", "available-zones"]) => Some(both("ListAvailableZones", catalogue::zones)),
        ("GET", ["v2", project, "instances"]) => Some(both("ListInstances", instances::list).at(project, None)),
        (verb, ["v2", project, "instances", instance, rest @ ..]) => {
            // Of an instance that is not there, either engine's operation says so.
            let engine = engine_of(instance).unwrap_or(Kafka);
            Some(in_instance(verb, rest, engine)?.at(project, Some(instance)))
        }
        ("POST", ["v2", project, "kafka", "instances", instance, "group"]) => {
            let create = own(Kafka, "CreateKafkaConsumerGroup", kafka::groups::create);
            Some(create.at(project, Some(instance)))
        }
        ("POST", ["v2", engine, project, "instances"]) => {
            let create = match Engine::named(engine)? {
                Kafka => kafka::instances::create,
                RocketMq => rocketmq::instances::create,
            };
            Some(both("CreateInstanceByEngine", create).at(project, None))
        }
        (verb, ["v2", engine, project, "instances", instance, rest @ ..]) => {
            Some(of_engine(verb, rest, Engine::named(engine)?)?.at(project, Some(instance)))
        }
        (verb, ["v2", project, engine, instance, "tags", rest @ ..]) => {
            Some(of_tags(verb, rest, engine)?.at(project, Some(instance)))
        }
        _ => None,
    }
}

/// Below `/v2/{project_id}/instances/{instance_id}`.
fn in_instance(verb: &str, rest: &[&str], engine: Engine) -> Option<Route> {
    Some(match (verb, rest, engine) {
        ("GET", [], _) => both("ShowInstance", instances::show),
        ("PUT", [], Kafka) => own(Kafka, "UpdateInstance", kafka::instances::update),
        ("PUT", [], RocketMq) => own(RocketMq, "UpdateInstance", rocketmq::instances::update),
        ("DELETE", [], _) => both("DeleteInstance", instances::delete),
        ("GET", ["tasks"], _) => both("ListBackgroundTasks", tasks::list),
        ("GET", ["tasks", task], _) => both("ShowBackgroundTask", tasks::show).about(task),
        ("GET", ["brokers"], _) => own(RocketMq, "ListBrokers", rocketmq::instances::brokers),

        ("POST", ["topics"], Kafka) => own(Kafka, "CreateInstanceTopic", kafka::topics::create),
        ("GET", ["topics"], Kafka) => own(Kafka, "ListInstanceTopics", kafka::topics::list),
        ("PUT", ["topics"], _) => own(Kafka, "UpdateInstanceTopic", kafka::topics::update),
        ("POST", ["topics", "delete"], _) => own(Kafka, "BatchDeleteInstanceTopic", kafka::topics::delete),

        ("GET", ["management", "topics", topic], _) => {
            own(Kafka, "ShowInstanceTopicDetail", kafka::topics::show_usage).about(topic)
        }

        ("GET", ["management", "groups", group], _) => own(Kafka, "ShowGroups", kafka::groups::show_usage).about(group),
        ("GET", ["groups"], Kafka) => own(Kafka, "ListInstanceConsumerGroups", kafka::groups::list),
        ("POST", ["groups", "batch-delete"], _) => own(Kafka, "BatchDeleteGroup", kafka::groups::delete_batch),

        ("POST", ["topics"], RocketMq) => own(
            RocketMq,
            "CreateTopicOrBatchDeleteTopic",
            rocketmq::topics::create_or_delete,
        ),
        ("GET", ["topics"], RocketMq) => own(RocketMq, "ListRocketInstanceTopics", rocketmq::topics::list),
        ("GET", ["topics", topic], _) => own(RocketMq, "ShowOneTopic", rocketmq::topics::show).about(topic),
        ("PUT", ["topics", topic], _) => own(RocketMq, "UpdateTopic", rocketmq::topics::update).about(topic),
        ("DELETE", ["topics", topic], _) => own(RocketMq, "DeleteTopic", rocketmq::topics::delete).about(topic),

        ("GET", ["topics", topic, "groups"], _) => {
            own(RocketMq, "ListConsumerGroupOfTopic", rocketmq::usage::groups_of_topic).about(topic)
        }
        ("GET", ["topics", topic, "status"], _) => {
            own(RocketMq, "ShowTopicStatus", rocketmq::usage::messages_of_topic).about(topic)
        }

        ("GET", ["groups", group, "topics"], _) => {
            own(RocketMq, "ShowConsumerListOrDetails", rocketmq::usage::topics_of_group).about(group)
        }
        ("POST", ["groups"], _) => own(
            RocketMq,
            "CreateConsumerGroupOrBatchDeleteConsumerGroup",
            rocketmq::groups::create_or_delete,
        ),
        ("GET", ["groups"], RocketMq) => own(RocketMq, "ListInstanceConsumerGroups", rocketmq::groups::list),
        ("PUT", ["groups"], _) => own(RocketMq, "BatchUpdateConsumerGroup", rocketmq::groups::update_batch),
        ("GET", ["groups", group], _) => own(RocketMq, "ShowGroup", rocketmq::groups::show).about(group),
        ("PUT", ["groups", group], _) => own(RocketMq, "UpdateConsumerGroup", rocketmq::groups::update).about(group),
        ("DELETE", ["groups", group], _) => own(RocketMq, "DeleteConsumerGroup", rocketmq::groups::delete).about(group),
        _ => return None,
    })
}

/// Below `/v2/{engine}/{project_id}/instances/{instance_id}`.
fn of_engine(verb: &str, rest: &[&str], engine: Engine) -> Option<Route> {
    Some(match (engine, verb, rest) {
        (Kafka, "POST", ["extend"]) => own(Kafka, "ResizeEngineInstance", extend::extend),
        (Kafka, "POST", [QUOTA]) => own(Kafka, "CreateKafkaUserClientQuotaTask", kafka::quotas::create),
        (Kafka, "GET", [QUOTA]) => own(Kafka, "ShowKafkaUserClientQuota", kafka::quotas::list),
        (Kafka, "PUT", [QUOTA]) => own(Kafka, "UpdateKafkaUserClientQuotaTask", kafka::quotas::update),
        (Kafka, "DELETE", [QUOTA]) => own(Kafka, "DeleteKafkaUserClientQuotaTask", kafka::quotas::delete),
        (Kafka, "GET", ["groups", group]) => own(Kafka, "ListInstanceConsumerGroup", kafka::groups::show).about(group),
        (Kafka, "PUT", ["groups", group]) => {
            own(Kafka, "UpdateInstanceConsumerGroup", kafka::groups::update).about(group)
        }
        (Kafka, "DELETE", ["groups", group]) => {
            own(Kafka, "DeleteInstanceConsumerGroup", kafka::groups::delete).about(group)
        }
        (RocketMq, "GET", ["groups", group, "clients"]) => {
            own(RocketMq, "ShowConsumerConnections", rocketmq::usage::clients_of_group).about(group)
        }
        (RocketMq, "POST", ["extend"]) => own(RocketMq, "ResizeInstance", extend::extend),
        (RocketMq, "GET", ["extend"]) => own(
            RocketMq,
            "ShowEngineInstanceExtendProductInfo",
            rocketmq::products::list,
        ),
        _ => return None,
    })
}

const QUOTA: &str = "kafka-user-client-quota";

/// Below `/v2/{project_id}/{engine}/{instance_id}/tags`, where RocketMQ has one name only.
fn of_tags(verb: &str, rest: &[&str], engine: &str) -> Option<Route> {
    Some(match (engine, verb, rest) {
        ("kafka", "POST", ["action"]) => own(Kafka, "BatchCreateOrDeleteKafkaTag", tags::act),
        ("kafka", "GET", []) => own(Kafka, "ShowKafkaTags", tags::list),
        ("rocketmq", "POST", ["action"]) => own(RocketMq, "BatchCreateOrDeleteRocketmqTag", tags::act),
        ("rocketmq", "GET", []) => own(RocketMq, "ShowRocketmqTags", tags::list),
        _ => return None,
    })
}

/// An operation that both engines have, or neither.
fn both(operation: &'static str, handler: Handler) -> Route {
    Route {
        operation,
        handler,
        open: false,
        engine: None,
        project: None,
        instance: None,
        item: None,
    }
}

/// An operation of one engine.
fn own(engine: Engine, operation: &'static str, handler: Handler) -> Route {
    Route {
        engine: Some(engine),
        ..both(operation, handler)
    }
}

impl Route {
    fn at(mut self, project: &str, instance: Option<&str>) -> Self {
        self.project = Some(project.to_owned());
        self.instance = instance.map(str::to_owned);
        self
    }

    fn about(mut self, item: &str) -> Self {
        self.item = Some(item.to_owned());
        self
    }
}

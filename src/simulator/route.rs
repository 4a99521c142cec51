//! From method and path to an operation.
//!
//! The paths put the engine before the project, after it, or nowhere; literals decide, as section 5 prints them.

use axum::http::Method;
use percent_encoding::percent_decode_str;

use super::codes::ApiError;
use super::gateway::{Context, Reply};
use super::{catalogue, extend, instances, quotas, tags, tasks, topics};

type Handler = fn(&mut Context<'_>) -> Result<Reply, ApiError>;

/// Where a call leads.
pub(crate) struct Route {
    /// The operation's name in the vendor's SDK.
    pub(crate) operation: &'static str,
    pub(crate) handler: Handler,
    pub(crate) project: Option<String>,
    pub(crate) instance: Option<String>,
    /// What follows the instance in the path, if it is a parameter.
    pub(crate) item: Option<String>,
}

/// The route of a call, if it is served.
pub(crate) fn route(method: &Method, path: &str) -> Option<Route> {
    let segments: Vec<String> = path
        .strip_prefix('/')?
        .split('/')
        .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
        .collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    if segments.iter().any(|segment| segment.is_empty()) {
        return None;
    }
    let (operation, handler, project, instance, item): (_, Handler, _, _, Option<&str>) =
        match (method.as_str(), segments.as_slice()) {
            ("GET", ["v3", "projects"]) => ("KeystoneListProjects", catalogue::projects, None, None, None),
            ("GET", ["v2", "available-zones"]) => ("ListAvailableZones", catalogue::zones, None, None, None),
            ("POST", ["v2", "kafka", p, "instances"]) => {
                ("CreateInstanceByEngine", instances::create, Some(p), None, None)
            }
            ("GET", ["v2", p, "instances"]) => ("ListInstances", instances::list, Some(p), None, None),
            ("GET", ["v2", p, "instances", i]) => ("ShowInstance", instances::show, Some(p), Some(i), None),
            ("PUT", ["v2", p, "instances", i]) => ("UpdateInstance", instances::update, Some(p), Some(i), None),
            ("DELETE", ["v2", p, "instances", i]) => ("DeleteInstance", instances::delete, Some(p), Some(i), None),
            ("POST", ["v2", p, "instances", i, "topics"]) => {
                ("CreateInstanceTopic", topics::create, Some(p), Some(i), None)
            }
            ("GET", ["v2", p, "instances", i, "topics"]) => {
                ("ListInstanceTopics", topics::list, Some(p), Some(i), None)
            }
            ("PUT", ["v2", p, "instances", i, "topics"]) => {
                ("UpdateInstanceTopic", topics::update, Some(p), Some(i), None)
            }
            ("POST", ["v2", p, "instances", i, "topics", "delete"]) => {
                ("BatchDeleteInstanceTopic", topics::delete, Some(p), Some(i), None)
            }
            ("POST", ["v2", "kafka", p, "instances", i, "extend"]) => {
                ("ResizeEngineInstance", extend::extend, Some(p), Some(i), None)
            }
            (verb, ["v2", "kafka", p, "instances", i, "kafka-user-client-quota"]) => {
                let (operation, handler): (_, Handler) = match verb {
                    "POST" => ("CreateKafkaUserClientQuotaTask", quotas::create),
                    "GET" => ("ShowKafkaUserClientQuota", quotas::list),
                    "PUT" => ("UpdateKafkaUserClientQuotaTask", quotas::update),
                    "DELETE" => ("DeleteKafkaUserClientQuotaTask", quotas::delete),
                    _ => return None,
                };
                (operation, handler, Some(p), Some(i), None)
            }
            ("GET", ["v2", p, "instances", i, "tasks"]) => ("ListBackgroundTasks", tasks::list, Some(p), Some(i), None),
            ("GET", ["v2", p, "instances", i, "tasks", t]) => {
                ("ShowBackgroundTask", tasks::show, Some(p), Some(i), Some(t))
            }
            ("POST", ["v2", p, "kafka", i, "tags", "action"]) => {
                ("BatchCreateOrDeleteKafkaTag", tags::act, Some(p), Some(i), None)
            }
            ("GET", ["v2", p, "kafka", i, "tags"]) => ("ShowKafkaTags", tags::list, Some(p), Some(i), None),
            _ => return None,
        };
    let owned = |text: Option<&&str>| text.map(|text| (*text).to_owned());
    Some(Route {
        operation,
        handler,
        project: owned(project),
        instance: owned(instance),
        item: item.map(str::to_owned),
    })
}

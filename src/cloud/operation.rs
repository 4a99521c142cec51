//! Every operation that the client has, under the vendor's name.

use http::Method;

/// An operation of the API; names are those of the vendor's SDK.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// API reference 5.1.1.
    CreateInstanceByEngine,
    /// API reference 5.1.2.
    ListInstances,
    /// API reference 5.1.3.
    ShowInstance,
    /// API reference 5.1.4.
    DeleteInstance,
    /// API reference 5.1.5.
    UpdateInstance,
    /// API reference 5.2.13.
    DeleteKafkaUserClientQuotaTask,
    /// API reference 5.2.14.
    ShowKafkaUserClientQuota,
    /// API reference 5.2.15.
    CreateKafkaUserClientQuotaTask,
    /// API reference 5.2.16.
    UpdateKafkaUserClientQuotaTask,
    /// API reference 5.4.1.
    ResizeEngineInstance,
    /// API reference 5.5.2.
    CreateInstanceTopic,
    /// API reference 5.5.3.
    ListInstanceTopics,
    /// API reference 5.5.4.
    UpdateInstanceTopic,
    /// API reference 5.5.5.
    BatchDeleteInstanceTopic,
    /// API reference 5.9.1.
    ListBackgroundTasks,
    /// API reference 5.9.2.
    ShowBackgroundTask,
    /// API reference 5.10.1.
    BatchCreateOrDeleteKafkaTag,
    /// API reference 5.10.2.
    ShowKafkaTags,
    /// API reference 5.12.2.
    ListAvailableZones,
    /// API reference 8.4.
    KeystoneListProjects,
}

impl Operation {
    /// The vendor's name, for metrics and logs.
    pub fn name(self) -> &'static str {
        self.facts().0
    }

    /// What it does, to follow "failed to".
    pub fn phrase(self) -> &'static str {
        self.facts().2
    }

    /// The HTTP method.
    pub fn method(self) -> Method {
        self.facts().1
    }

    /// Whether it changes nothing, so that it may be repeated at will.
    pub fn is_read(self) -> bool {
        self.method() == Method::GET
    }

    /// Whether it makes a new thing: twice would be one too many.
    pub fn is_create(self) -> bool {
        matches!(
            self,
            Self::CreateInstanceByEngine | Self::CreateInstanceTopic | Self::CreateKafkaUserClientQuotaTask
        )
    }

    fn facts(self) -> (&'static str, Method, &'static str) {
        match self {
            Self::CreateInstanceByEngine => ("CreateInstanceByEngine", Method::POST, "create the instance"),
            Self::ListInstances => ("ListInstances", Method::GET, "list the instances"),
            Self::ShowInstance => ("ShowInstance", Method::GET, "read the instance"),
            Self::DeleteInstance => ("DeleteInstance", Method::DELETE, "delete the instance"),
            Self::UpdateInstance => ("UpdateInstance", Method::PUT, "change the instance"),
            Self::DeleteKafkaUserClientQuotaTask => {
                ("DeleteKafkaUserClientQuotaTask", Method::DELETE, "delete the quota")
            }
            Self::ShowKafkaUserClientQuota => ("ShowKafkaUserClientQuota", Method::GET, "list the quotas"),
            Self::CreateKafkaUserClientQuotaTask => {
                ("CreateKafkaUserClientQuotaTask", Method::POST, "create the quota")
            }
            Self::UpdateKafkaUserClientQuotaTask => ("UpdateKafkaUserClientQuotaTask", Method::PUT, "change the quota"),
            Self::ResizeEngineInstance => ("ResizeEngineInstance", Method::POST, "resize the instance"),
            Self::CreateInstanceTopic => ("CreateInstanceTopic", Method::POST, "create the topic"),
            Self::ListInstanceTopics => ("ListInstanceTopics", Method::GET, "list the topics"),
            Self::UpdateInstanceTopic => ("UpdateInstanceTopic", Method::PUT, "change the topic"),
            Self::BatchDeleteInstanceTopic => ("BatchDeleteInstanceTopic", Method::POST, "delete the topic"),
            Self::ListBackgroundTasks => ("ListBackgroundTasks", Method::GET, "list the background tasks"),
            Self::ShowBackgroundTask => ("ShowBackgroundTask", Method::GET, "read the background task"),
            Self::BatchCreateOrDeleteKafkaTag => ("BatchCreateOrDeleteKafkaTag", Method::POST, "change the tags"),
            Self::ShowKafkaTags => ("ShowKafkaTags", Method::GET, "read the tags"),
            Self::ListAvailableZones => ("ListAvailableZones", Method::GET, "list the availability zones"),
            Self::KeystoneListProjects => ("KeystoneListProjects", Method::GET, "look up the project"),
        }
    }
}

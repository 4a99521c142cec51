//! Every operation that the client has, under the vendor's name.

use http::Method;

macro_rules! operations {
    ($($section:literal $name:ident: $method:ident, $phrase:literal;)*) => {
        /// An operation of the API; names are those of the vendor's SDK.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Operation {
            $(#[doc = concat!("API reference ", $section, ".")] $name,)*
        }

        impl Operation {
            /// All of them, in the reference's order.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            fn facts(self) -> (&'static str, Method, &'static str) {
                match self {
                    $(Self::$name => (stringify!($name), Method::$method, $phrase),)*
                }
            }
        }
    };
}

operations! {
    "5.1.1" CreateInstanceByEngine: POST, "create the instance";
    "5.1.2" ListInstances: GET, "list the instances";
    "5.1.3" ShowInstance: GET, "read the instance";
    "5.1.4" DeleteInstance: DELETE, "delete the instance";
    "5.1.5" UpdateInstance: PUT, "change the instance";
    "5.2.13" DeleteKafkaUserClientQuotaTask: DELETE, "delete the quota";
    "5.2.14" ShowKafkaUserClientQuota: GET, "list the quotas";
    "5.2.15" CreateKafkaUserClientQuotaTask: POST, "create the quota";
    "5.2.16" UpdateKafkaUserClientQuotaTask: PUT, "change the quota";
    "5.4.1" ResizeEngineInstance: POST, "resize the instance";
    "5.5.2" CreateInstanceTopic: POST, "create the topic";
    "5.5.3" ListInstanceTopics: GET, "list the topics";
    "5.5.4" UpdateInstanceTopic: PUT, "change the topic";
    "5.5.5" BatchDeleteInstanceTopic: POST, "delete the topic";
    "5.9.1" ListBackgroundTasks: GET, "list the background tasks";
    "5.9.2" ShowBackgroundTask: GET, "read the background task";
    "5.10.1" BatchCreateOrDeleteKafkaTag: POST, "change the tags";
    "5.10.2" ShowKafkaTags: GET, "read the tags";
    "5.12.2" ListAvailableZones: GET, "list the availability zones";
    "8.4" KeystoneListProjects: GET, "look up the project";
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
}

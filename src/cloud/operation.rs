//! Every operation that the client has, under the vendor's name.

use http::Method;

macro_rules! operations {
    ($($section:literal $name:ident $(is $vendor:ident)?: $method:ident, $phrase:literal;)*) => {
        /// An operation of the API; names are those of the vendor's SDK, but where one name does two things.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Operation {
            $(#[doc = concat!("API reference: ", $section, ".")] $name,)*
        }

        impl Operation {
            /// All of them, those of Kafka and of both engines first, in the references' order.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            fn facts(self) -> (&'static str, Method, &'static str) {
                match self {
                    $(Self::$name => (vendor!($name $($vendor)?), Method::$method, $phrase),)*
                }
            }
        }
    };
}

macro_rules! vendor {
    ($name:ident) => {
        stringify!($name)
    };
    ($name:ident $vendor:ident) => {
        stringify!($vendor)
    };
}

// RocketMQ's creation and deletion of topics and groups share a path, a method and a name, but not what may be done
// after a lost answer, nor how long they may take: each is an operation of its own here.
operations! {
    "Kafka 5.1.1, RocketMQ 5.1.2" CreateInstanceByEngine: POST, "create the instance";
    "Kafka 5.1.2, RocketMQ 5.1.1" ListInstances: GET, "list the instances";
    "5.1.3 of both" ShowInstance: GET, "read the instance";
    "5.1.4 of both" DeleteInstance: DELETE, "delete the instance";
    "5.1.5 of both" UpdateInstance: PUT, "change the instance";
    "Kafka 5.2.13" DeleteKafkaUserClientQuotaTask: DELETE, "delete the quota";
    "Kafka 5.2.14" ShowKafkaUserClientQuota: GET, "list the quotas";
    "Kafka 5.2.15" CreateKafkaUserClientQuotaTask: POST, "create the quota";
    "Kafka 5.2.16" UpdateKafkaUserClientQuotaTask: PUT, "change the quota";
    "Kafka 5.4.1" ResizeEngineInstance: POST, "resize the instance";
    "Kafka 5.5.2" CreateInstanceTopic: POST, "create the topic";
    "Kafka 5.5.3" ListInstanceTopics: GET, "list the topics";
    "Kafka 5.5.4" UpdateInstanceTopic: PUT, "change the topic";
    "Kafka 5.5.5" BatchDeleteInstanceTopic: POST, "delete the topic";
    "Kafka 5.5.8" ShowInstanceTopicDetail: GET, "read who uses the topic";
    "Kafka 5.6.1" ShowGroups: GET, "read who uses the consumer group";
    "Kafka 5.6.2, RocketMQ 5.2.1" ListInstanceConsumerGroups: GET, "list the consumer groups";
    "Kafka 5.6.3" BatchDeleteGroup: POST, "delete the consumer group";
    "Kafka 5.6.4" CreateKafkaConsumerGroup: POST, "create the consumer group";
    "Kafka 5.6.10" UpdateInstanceConsumerGroup: PUT, "change the consumer group";
    "Kafka 5.9.1, RocketMQ 5.12.3" ListBackgroundTasks: GET, "list the background tasks";
    "Kafka 5.9.2, RocketMQ 5.12.1" ShowBackgroundTask: GET, "read the background task";
    "Kafka 5.10.1" BatchCreateOrDeleteKafkaTag: POST, "change the tags";
    "Kafka 5.10.2" ShowKafkaTags: GET, "read the tags";
    "Kafka 5.12.2, RocketMQ 5.13.1" ListAvailableZones: GET, "list the availability zones";
    "RocketMQ 5.1.7" ListBrokers: GET, "list the brokers";
    "RocketMQ 5.2.2" CreateConsumerGroupOrBatchDeleteConsumerGroup: POST, "create the consumer group";
    "RocketMQ 5.2.2 with `action=delete`" BatchDeleteConsumerGroup is CreateConsumerGroupOrBatchDeleteConsumerGroup:
        POST, "delete the consumer group";
    "RocketMQ 5.2.3" BatchUpdateConsumerGroup: PUT, "change the consumer group";
    "RocketMQ 5.2.6" UpdateConsumerGroup: PUT, "change the consumer group";
    "RocketMQ 5.2.7" ShowConsumerListOrDetails: GET, "read what the consumer group has not consumed";
    "RocketMQ 5.2.9" ShowConsumerConnections: GET, "read who uses the consumer group";
    "RocketMQ 5.3.1" CreateTopicOrBatchDeleteTopic: POST, "create the topic";
    "RocketMQ 5.3.1 with `action=delete`" BatchDeleteTopic is CreateTopicOrBatchDeleteTopic: POST, "delete the topic";
    "RocketMQ 5.3.2" ListRocketInstanceTopics: GET, "list the topics";
    "RocketMQ 5.3.5" UpdateTopic: PUT, "change the topic";
    "RocketMQ 5.3.6" ListConsumerGroupOfTopic: GET, "read who uses the topic";
    "RocketMQ 5.3.7" ShowTopicStatus: GET, "count the topic's messages";
    "RocketMQ 5.8.1" BatchCreateOrDeleteRocketmqTag: POST, "change the tags";
    "RocketMQ 5.8.2" ShowRocketmqTags: GET, "read the tags";
    "RocketMQ 5.10.1" ShowEngineInstanceExtendProductInfo: GET, "read what the instance can grow to";
    "RocketMQ 5.10.2" ResizeInstance: POST, "resize the instance";
    "3.2 of both" KeystoneCreateUserTokenByPassword: POST, "obtain a token";
    "Kafka 8.4, RocketMQ 9.4" KeystoneListProjects: GET, "look up the project";
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

    /// Whether it changes nothing, so that it may be repeated at will; one token more is nothing.
    pub fn is_read(self) -> bool {
        self.method() == Method::GET || self == Self::KeystoneCreateUserTokenByPassword
    }

    /// Whether it makes a new thing: twice would be one too many.
    pub fn is_create(self) -> bool {
        matches!(
            self,
            Self::CreateInstanceByEngine
                | Self::CreateInstanceTopic
                | Self::CreateKafkaUserClientQuotaTask
                | Self::CreateKafkaConsumerGroup
                | Self::CreateConsumerGroupOrBatchDeleteConsumerGroup
                | Self::CreateTopicOrBatchDeleteTopic
        )
    }
}

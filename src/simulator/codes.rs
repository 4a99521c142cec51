//! What the service and its gateway refuse with: codes, statuses and texts of the error tables
//! (Kafka 8.2, RocketMQ 9.2).
//!
//! The `APIGW` codes, `DMS.40050010` and `DMS.111400864` are not in the references; their texts are what the gateway and
//! the service are known to say.

use axum::http::StatusCode;

/// A documented error code.
#[derive(Debug)]
pub(crate) struct Code {
    code: &'static str,
    status: u16,
    message: &'static str,
}

/// A refusal, as the caller will read it.
#[derive(Debug)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) code: String,
    pub(crate) message: String,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
        }
    }
}

impl Code {
    const fn new(code: &'static str, status: u16, message: &'static str) -> Self {
        Self { code, status, message }
    }

    /// The refusal with the documented text.
    pub(crate) fn error(&self) -> ApiError {
        let status = StatusCode::from_u16(self.status).expect("the table holds valid statuses");
        ApiError::new(status, self.code, self.message)
    }

    /// The refusal with the documented text and what it is about.
    pub(crate) fn about(&self, detail: impl std::fmt::Display) -> ApiError {
        let mut error = self.error();
        error.message = format!("{} {detail}", self.message);
        error
    }
}

macro_rules! codes {
    ($($name:ident = $code:literal, $status:literal, $message:literal;)*) => {
        $(pub(crate) const $name: Code = Code::new($code, $status, $message);)*
    };
}

codes! {
    NOT_SERVED = "APIGW.0101", 404, "The API does not exist or has not been published in the environment";
    TOO_LARGE = "APIGW.0201", 413, "Request entity too large";
    SIGNATURE = "APIGW.0301", 401, "Incorrect IAM authentication information:";
    THROTTLED = "APIGW.0308", 429, "The throttling threshold has been reached:";

    EMPTY_BODY = "DMS.00400004", 400, "The request body is empty.";
    NOT_JSON = "DMS.00400005", 400, "The message body is not in JSON format or contains invalid characters.";
    TYPE = "DMS.00400007", 400, "Unsupported type.";
    VERSION = "DMS.00400008", 400, "Unsupported version.";
    PRODUCT = "DMS.00400009", 400, "Invalid product_id.";
    NAME = "DMS.00400010", 400, "Invalid instance name. The name must be 4 to 64 characters long. Only letters, digits, underscores (_), and hyphens (-) are allowed.";
    DESCRIPTION = "DMS.00400011", 400, "The instance description can contain a maximum of 1024 characters.";
    NO_VPC = "DMS.00400013", 400, "vpc_id in the request is empty.";
    NO_SECURITY_GROUP = "DMS.00400014", 400, "security_group_id in the request is empty.";
    NO_SUBNET = "DMS.00400016", 400, "subnet_id in the request is empty.";
    TASK_RUNNING = "DMS.00400017", 400, "This DMS instance job task is still running.";
    STATUS = "DMS.00400026", 400, "This operation is not allowed due to the instance status.";
    INSTANCE_ID = "DMS.00400030", 400, "Invalid DMS instance id. The id must be a uuid.";
    NO_ZONE = "DMS.00400042", 400, "The AZ does not exist.";
    NO_IPV6 = "DMS.00400049", 400, "The availability zone does not support ipv6.";
    SOLD_OUT = "DMS.00400055", 400, "Resource sold out.";
    NAME_EXISTS = "DMS.00400060", 400, "This instance name already exists.";
    PARAMETER = "DMS.00400062", 400, "Invalid request parameter.";
    CONFIG_NAME = "DMS.00400063", 400, "Invalid configuration parameter";
    CONFIG_VALUE = "DMS.00400066", 400, "Invalid configuration parameter";
    ZONES = "DMS.00400067", 400, "The available_zones parameter in the request must be an array that contains only one AZ ID.";
    TASK_ID = "DMS.00400070", 400, "Invalid task ID format.";
    DUPLICATE_NAME = "DMS.00400081", 400, "Duplicate instance name.";
    FIELD = "DMS.00400085", 400, "The message body contains invalid characters or is not in JSON format. The error key is";
    CANNOT_DELETE = "DMS.00400099", 400, "The following instances in the Creating, Starting, Stopping, or Restarting state cannot be deleted.";
    TOPIC_NAME = "DMS.00400101", 400, "The name of a Kafka topic must be 4 to 64 characters long and start with a letter. Only letters, digits, underscores (_), and hyphens (-) are allowed.";
    PARTITIONS = "DMS.00400102", 400, "The number of partitions created for a Kafka topic must be within the range of 1-200.";
    REPLICAS = "DMS.00400103", 400, "The number of replicas created for a Kafka topic must be within the range of 1-20.";
    RETENTION = "DMS.00400105", 400, "The message retention period of a Kafka topic must be within the range of 1-168.";
    WINDOW = "DMS.00400106", 400, "Invalid maintenance time window.";
    EXPANSIONS = "DMS.00400124", 400, "The maximum number of disk expansion times has been reached.";
    STORAGE_SPEC = "DMS.00400125", 400, "Invalid SPEC_CODE.";
    DISK = "DMS.00400500", 400, "Invalid disk space.";
    REPLICAS_BROKERS = "DMS.00400861", 400, "Replication factor larger than available brokers.";
    NO_TOPIC = "DMS.00400876", 400, "The topic does not exist.";
    PARTITION_QUOTA = "DMS.111400860", 400, "Instance partition is not enough.Total partition is over the partition limitation.";
    QUOTA = "DMS.00400039", 400, "The quota limit has been reached.";
    TOPIC_EXISTS = "DMS.40050005", 400, "Requested topic already exists.";
    NO_ROCKETMQ_GROUP = "DMS.10240405", 404, "The consumption group ID is incorrect or not found.";
    ROCKETMQ_GROUP_EXISTS = "DMS.40050015", 400, "Consumer group exits.";
    GROUP_QUOTA = "DMS.10240019", 400, "The number of consumer groups exceeds the upper limit.";
    NO_KAFKA_GROUP = "DMS.111400864", 400, "The consumer group does not exist.";
    GROUP_ID = "DMS.10240016", 400, "The group ID format is invalid.";
    GROUP_EXISTS = "DMS.10240018", 400, "The consumer group already exists.";
    TAG_KEY_LENGTH = "DMS.10240035", 400, "The tag key is empty or too long.";
    TAG_KEY = "DMS.10240036", 400, "The tag key contains invalid characters.";
    TAG_VALUE_LENGTH = "DMS.10240038", 400, "The tag value is too long.";
    TAG_VALUE = "DMS.10240039", 400, "The tag value contains invalid characters.";
    TAG_ACTION = "DMS.10240040", 400, "You can only create or delete tags.";
    TAG_COUNT = "DMS.10240044", 400, "A maximum of 10 tags can be created.";
    TAG_EXISTS = "DMS.10240045", 400, "The tag key has been used.";
    OFFSET = "DMS.40050010", 400, "The offset is not less than the total.";
    TOKEN = "DMS.10240101", 401, "Invalid token.";
    TOKEN_EXPIRED = "DMS.10240102", 401, "Expired token.";
    PROJECT = "DMS.10240104", 401, "The project ID and token do not match.";
    NO_INSTANCE = "DMS.00404022", 404, "This instance does not exist.";
    FLOW_CONTROL = "DMS.10240407", 404, "The request is too frequent. Flow control is being performed. Please try again later.";
    NO_TAG = "DMS.10240426", 404, "No tag containing this key exists.";
}

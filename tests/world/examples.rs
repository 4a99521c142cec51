//! What the examples ask for, estate by estate: an instance and what lives in it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::world::World;

pub const SECOND: Duration = Duration::from_secs(1);
pub const MINUTE: Duration = Duration::from_secs(60);
pub const HOUR: Duration = Duration::from_secs(3600);

/// Kind and name of an object in the namespace `default`.
pub type Object = (&'static str, &'static str);

pub const PROVIDER: Object = ("ProviderConfig", "default");

pub const INSTANCE: Object = ("KafkaInstance", "events");
pub const ORDERS: Object = ("Topic", "orders");
pub const AUDIT: Object = ("Topic", "audit");
pub const BILLING: Object = ("ConsumerGroup", "billing");
pub const QUOTA: Object = ("KafkaUserQuota", "importer");
/// What lives in the Kafka instance.
pub const CHILDREN: [Object; 4] = [ORDERS, AUDIT, BILLING, QUOTA];
/// The Kafka instance, and what lives in it.
pub const ALL: [Object; 5] = [INSTANCE, ORDERS, AUDIT, BILLING, QUOTA];

pub const SHOP: Object = ("RocketMQInstance", "shop");
pub const PAYMENTS: Object = ("Topic", "payments");
pub const LEDGER: Object = ("ConsumerGroup", "ledger");

pub const MAIL: Object = ("RocketMQInstance", "mail");
pub const LETTERS: Object = ("Topic", "letters");
pub const POSTMEN: Object = ("ConsumerGroup", "postmen");

/// The create of an instance, of either engine.
pub const CREATE_INSTANCE: &str = "CreateInstanceByEngine";
/// The creates of what lives in a Kafka instance.
pub const CREATE_TOPIC: &str = "CreateInstanceTopic";
pub const CREATE_GROUP: &str = "CreateKafkaConsumerGroup";
pub const CREATE_QUOTA: &str = "CreateKafkaUserClientQuotaTask";

/// An instance of the examples and what lives in it.
#[derive(Clone, Copy)]
pub struct Estate {
    pub instance: Object,
    pub children: &'static [Object],
    /// The operations that make children. RocketMQ's delete them too, by another query.
    pub creates: &'static [&'static str],
    /// The operations that delete them.
    pub deletes: &'static [&'static str],
    /// The operation that shows whose create made an instance.
    pub shows_mark: &'static str,
    /// The path of the creation, and what only this engine is told there.
    order: (&'static str, fn() -> Value),
}

pub const KAFKA: Estate = Estate {
    instance: INSTANCE,
    children: &CHILDREN,
    creates: &[CREATE_TOPIC, CREATE_GROUP, CREATE_QUOTA],
    deletes: &[
        "BatchDeleteInstanceTopic",
        "BatchDeleteGroup",
        "DeleteKafkaUserClientQuotaTask",
    ],
    shows_mark: "ShowKafkaTags",
    order: (
        "/v2/kafka/{p}/instances",
        || json!({"engine": "kafka", "engine_version": "2.7", "product_id": "c6.2u4g.cluster", "broker_num": 3}),
    ),
};

const OF_ROCKETMQ: [&str; 2] = [
    "CreateTopicOrBatchDeleteTopic",
    "CreateConsumerGroupOrBatchDeleteConsumerGroup",
];

/// Of version 4.8.0.
pub const ROCKETMQ: Estate = Estate {
    instance: SHOP,
    children: &[PAYMENTS, LEDGER],
    creates: &OF_ROCKETMQ,
    deletes: &OF_ROCKETMQ,
    shows_mark: "ShowInstance",
    order: (
        "/v2/reliability/{p}/instances",
        || json!({"engine": "reliability", "engine_version": "4.8.0", "product_id": "c6.4u8g.cluster", "broker_num": 2}),
    ),
};

/// Of version 5.x.
pub const ROCKETMQ_5: Estate = Estate {
    instance: MAIL,
    children: &[LETTERS, POSTMEN],
    order: (
        "/v2/reliability/{p}/instances",
        || json!({"engine": "reliability", "engine_version": "5.x", "product_id": "rocketmq.b1.large.1", "broker_num": 1}),
    ),
    ..ROCKETMQ
};

/// One estate of each engine.
pub const ENGINES: [Estate; 2] = [KAFKA, ROCKETMQ];
/// All of them.
pub const ESTATES: [Estate; 3] = [KAFKA, ROCKETMQ, ROCKETMQ_5];

impl Estate {
    /// The instance, and what lives in it.
    pub fn all(&self) -> Vec<Object> {
        [&[self.instance], self.children].concat()
    }

    /// The kind's name as it is in paths of the API server.
    pub fn resource(&self) -> String {
        format!("{}s", self.instance.0.to_lowercase())
    }

    /// Applies the instance.
    pub async fn apply_instance(&self, world: &World) {
        apply(world, &[self.instance]).await;
    }

    /// Applies what lives in it.
    pub async fn apply_children(&self, world: &World) {
        apply(world, self.children).await;
    }

    /// An instance of the same name that somebody else makes, described so; its id.
    pub async fn foreign(&self, world: &World, description: &str) -> String {
        let (path, own) = self.order;
        let mut body = own();
        let like = json!({
            "name": self.instance.1, "description": description, "storage_space": 600,
            "storage_spec_code": "dms.physical.storage.ultra.v2", "vpc_id": "v", "subnet_id": "s",
            "security_group_id": "g", "available_zones": ["d539378ec1314c85b76fefa3f7071458"],
        });
        body.as_object_mut().unwrap().extend(like.as_object().unwrap().clone());
        let (status, answer) = world.call("POST", path, &[], body).await;
        assert_eq!(status, 200, "{answer}");
        text(&answer["instance_id"])
    }
}

/// The example of an object.
pub fn example((kind, name): Object) -> &'static str {
    let documents = [
        include_str!("../../examples/kafka/instance.yaml"),
        include_str!("../../examples/kafka/topics.yaml"),
        include_str!("../../examples/kafka/groups.yaml"),
        include_str!("../../examples/kafka/quota.yaml"),
        include_str!("../../examples/rocketmq/instance.yaml"),
        include_str!("../../examples/rocketmq/topics.yaml"),
        include_str!("../../examples/rocketmq/groups.yaml"),
    ];
    let head = format!("kind: {kind}\nmetadata:\n  name: {name}\n");
    let mut all = documents.into_iter().flat_map(|manifest| manifest.split("---\n"));
    all.find(|document| document.contains(&head))
        .expect("there is an example of it")
}

/// Applies the examples of these objects.
pub async fn apply(world: &World, objects: &[Object]) {
    for object in objects {
        world.apply(example(*object)).await;
    }
}

/// The message of a condition.
pub fn message(world: &World, (kind, name): Object, condition: &str) -> String {
    let object = world.object(kind, name);
    let conditions = object["status"]["conditions"].as_array();
    let found = conditions
        .into_iter()
        .flatten()
        .find(|found| found["type"] == condition);
    found.map_or_else(String::new, |found| text(&found["message"]))
}

/// The instance in the cloud that an object of the namespace `default` stands for; null if it is not there.
pub fn instance_of(world: &World, (kind, name): Object) -> Value {
    let id = &world.object(kind, name)["status"]["instanceId"];
    let mut all = world.instances().into_iter();
    all.find(|instance| instance["id"] == *id).unwrap_or_default()
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

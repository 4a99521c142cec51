//! RocketMQ's.

use dms_operator::cloud::rocketmq::{
    BrokerQueues, CreateGroup, CreateInstance, CreateQueues, CreateTopic, Instance, UpdateGroup, UpdateGroupBrokers,
    UpdateInstance, UpdateTopic,
};
use dms_operator::cloud::{Client, Engine, Error, InstanceQuery, Order, TagAction};
use dms_operator::simulator::Simulator;

use super::{Results, tag};

/// With every field that a creation can have.
pub fn order() -> CreateInstance {
    CreateInstance {
        order: Order {
            name: "orders".into(),
            description: Some("all of them".into()),
            engine_version: "4.8.0".into(),
            broker_num: Some(2),
            storage_space: 600,
            storage_spec_code: "dms.physical.storage.ultra.v2".into(),
            product_id: "c6.4u8g.cluster".into(),
            vpc_id: "vpc".into(),
            subnet_id: "subnet".into(),
            security_group_id: "group".into(),
            available_zones: vec!["d539378ec1314c85b76fefa3f7071458".into()],
            ipv6_enable: Some(true),
            enterprise_project_id: Some("0".into()),
        },
        enable_acl: Some(true),
    }
}

/// Each operation at least once, with every field that it can have, on an instance of 4.8.0 that runs.
pub async fn with_everything(client: &Client, cloud: &Simulator, id: &str) -> Vec<Result<(), Error>> {
    let mut results = Results::default();
    let query = InstanceQuery {
        name: Some("orders".into()),
        ..InstanceQuery::default()
    };
    results.add(client.list_instances::<Instance>(&query).await).await;
    results.add(client.show_instance::<Instance>(id).await).await;
    let change = UpdateInstance {
        name: Some("orders-2".into()),
        description: Some("still all of them".into()),
        security_group_id: Some("group-2".into()),
        enable_acl: Some(false),
    };
    results.add(client.update_instance(id, &change).await).await;
    results.add(client.list_brokers(id).await).await;
    topics(client, id, &mut results).await;
    groups(client, cloud, id, &mut results).await;
    let tags = [tag("team", "shop")];
    for action in [TagAction::Create, TagAction::Delete] {
        let changed = client.change_tags(Engine::RocketMq, id, action, &tags).await;
        results.add(changed).await;
        results.add(client.list_tags(Engine::RocketMq, id).await).await;
    }
    results.add(client.extend_products(id).await).await;
    let job = client.extend_storage(Engine::RocketMq, id, 1000).await;
    let task = job.as_ref().ok().cloned().flatten().unwrap_or_else(|| "0".repeat(32));
    results.add(job).await;
    results.add(client.list_tasks(id, 1, 100).await).await;
    results.add(client.show_task(id, &task).await).await;
    results.add(client.list_available_zones().await).await;
    results.add(client.find_projects(None).await).await;
    results.add(client.list_instances::<Instance>(&query).await).await;
    results.add(client.delete_instance(id).await).await;
    results.0
}

async fn topics(client: &Client, id: &str, results: &mut Results) {
    let awkward = "%RETRY%g|x";
    let topic = CreateTopic {
        name: awkward.into(),
        brokers: vec!["broker-0".into()],
        queue_num: Some(3),
        permission: Some("all".into()),
        ..CreateTopic::default()
    };
    results.add(client.create_rocketmq_topic(id, &topic).await).await;
    let on = |broker: &str| CreateQueues {
        broker: broker.into(),
        queue_num: 2,
    };
    let topic = CreateTopic {
        name: "orders".into(),
        queues: vec![on("broker-0"), on("broker-1")],
        permission: Some("pub".into()),
        ..CreateTopic::default()
    };
    results.add(client.create_rocketmq_topic(id, &topic).await).await;
    results.add(client.list_rocketmq_topics(id, 0, 50).await).await;
    let change = UpdateTopic {
        read_queue_num: Some(4),
        write_queue_num: Some(5),
        permission: Some("sub".into()),
        description: Some("of the shop".into()),
        queues: Vec::new(),
    };
    results
        .add(client.update_rocketmq_topic(id, awkward, &change).await)
        .await;
    let change = UpdateTopic {
        queues: vec![BrokerQueues {
            broker: "broker-1".into(),
            read_queue_num: Some(4),
            write_queue_num: Some(4),
        }],
        ..UpdateTopic::default()
    };
    results
        .add(client.update_rocketmq_topic(id, "orders", &change).await)
        .await;
    results
        .add(client.delete_rocketmq_topics(id, &["orders", awkward]).await)
        .await;
}

async fn groups(client: &Client, cloud: &Simulator, id: &str, results: &mut Results) {
    let awkward = "%RETRY%g|x";
    let group = CreateGroup {
        name: awkward.into(),
        description: Some("of the shop".into()),
        enabled: Some(true),
        broadcast: Some(false),
        retry_max_time: Some(16),
        consume_orderly: None,
        brokers: vec!["broker-0".into()],
    };
    results.add(client.create_rocketmq_group(id, &group).await).await;
    results.add(client.list_rocketmq_groups(id, 0, 50).await).await;
    usage(client, cloud, id, awkward, results).await;
    let change = UpdateGroup {
        name: awkward.into(),
        enabled: Some(false),
        broadcast: Some(true),
        retry_max_time: Some(1),
        consume_orderly: None,
        description: Some(String::new()),
    };
    results.add(client.update_rocketmq_groups(id, &[change]).await).await;
    let change = UpdateGroupBrokers {
        name: awkward.into(),
        enabled: true,
        broadcast: false,
        retry_max_time: 8,
        brokers: vec!["broker-0".into(), "broker-1".into()],
    };
    results
        .add(client.update_rocketmq_group(id, awkward, &change).await)
        .await;
    results.add(client.delete_rocketmq_groups(id, &[awkward]).await).await;
}

async fn usage(client: &Client, cloud: &Simulator, id: &str, group: &str, results: &mut Results) {
    let topic = CreateTopic {
        name: "consumed|".into(),
        brokers: vec!["broker-0".into()],
        queue_num: Some(2),
        permission: Some("all".into()),
        ..CreateTopic::default()
    };
    results.add(client.create_rocketmq_topic(id, &topic).await).await;
    for members in [2, 0] {
        cloud.set_members(id, group, members);
        results.add(client.show_rocketmq_consumers(id, group).await).await;
    }
    cloud.set_lag(id, group, &topic.name, 7);
    let topics = client.list_rocketmq_topics_of_group(id, group, 0, 50).await;
    results.add(topics).await;
    results
        .add(client.show_rocketmq_lag(id, group, &topic.name).await)
        .await;
    let groups = client.list_rocketmq_groups_of_topic(id, &topic.name, 0, 50).await;
    results.add(groups).await;
    results.add(client.count_rocketmq_messages(id, &topic.name).await).await;
}

/// What differs on 5.x, with as little as the types allow; it begins with the creation of another instance.
pub async fn with_little(client: &Client) -> Vec<Result<(), Error>> {
    let mut results = Results::default();
    let order = CreateInstance {
        order: Order {
            name: "little".into(),
            engine_version: "5.x".into(),
            broker_num: Some(1),
            storage_space: 200,
            storage_spec_code: "dms.physical.storage.high.v2".into(),
            product_id: "rocketmq.b1.large.1".into(),
            vpc_id: "vpc".into(),
            subnet_id: "subnet".into(),
            security_group_id: "group".into(),
            available_zones: vec!["d539378ec1314c85b76fefa3f7071458".into()],
            ..Order::default()
        },
        ..Default::default()
    };
    let created = client.create_instance(&order).await;
    let id = created.clone().unwrap_or_default();
    // Some fields are missing, or not settled, until it runs.
    results.0.push(client.show_instance::<Instance>(&id).await.map(drop));
    results.add(created).await;
    results.add(client.show_instance::<Instance>(&id).await).await;
    let query = InstanceQuery {
        exact: false,
        include_failure: false,
        limit: 1,
        ..InstanceQuery::default()
    };
    results.add(client.list_instances::<Instance>(&query).await).await;
    let change = UpdateInstance {
        enable_acl: Some(true),
        ..UpdateInstance::default()
    };
    results.add(client.update_instance(&id, &change).await).await;
    let topic = CreateTopic {
        name: "abc".into(),
        message_type: Some("FIFO".into()),
        ..CreateTopic::default()
    };
    results.add(client.create_rocketmq_topic(&id, &topic).await).await;
    results.add(client.list_rocketmq_topics(&id, 0, 1).await).await;
    let group = CreateGroup {
        name: "abc".into(),
        consume_orderly: Some(true),
        ..CreateGroup::default()
    };
    results.add(client.create_rocketmq_group(&id, &group).await).await;
    results.add(client.list_rocketmq_groups(&id, 0, 1).await).await;
    let change = UpdateGroup {
        name: "abc".into(),
        consume_orderly: Some(false),
        ..UpdateGroup::default()
    };
    results.add(client.update_rocketmq_groups(&id, &[change]).await).await;
    results.add(client.list_tags(Engine::RocketMq, &id).await).await;
    results.add(client.extend_products(&id).await).await;
    results.0
}

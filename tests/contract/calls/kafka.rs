//! Kafka's.

use dms_operator::cloud::kafka::{
    CreateGroup, CreateInstance, CreateTopic, Instance, Quota, QuotaIdentity, TopicConfig, UpdateInstance, UpdateTopic,
};
use dms_operator::cloud::{Client, Engine, Error, InstanceQuery, Order, TagAction};
use dms_operator::simulator::Simulator;

use super::{Results, tag};

/// With every field that a creation can have.
pub fn order() -> CreateInstance {
    let zones = [
        "d539378ec1314c85b76fefa3f7071458",
        "9f1c5806706d4c1fb0eb72f0a9b18c77",
        "38b0f7a602344246bcb0da47b5d548e7",
    ];
    CreateInstance {
        order: Order {
            name: "events".into(),
            description: Some("all of them".into()),
            engine_version: "2.7".into(),
            broker_num: Some(3),
            storage_space: 600,
            storage_spec_code: "dms.physical.storage.ultra.v2".into(),
            product_id: "c6.2u4g.cluster".into(),
            vpc_id: "vpc".into(),
            subnet_id: "subnet".into(),
            security_group_id: "group".into(),
            available_zones: zones.map(str::to_owned).into(),
            ipv6_enable: Some(true),
            enterprise_project_id: Some("0".into()),
        },
        maintain_begin: Some("22:00".into()),
        maintain_end: Some("02:00".into()),
        retention_policy: Some("time_base".into()),
        tags: vec![tag("env", "prod")],
    }
}

/// Each operation at least once, with every field that it can have, on an instance that runs.
pub async fn with_everything(client: &Client, cloud: &Simulator, id: &str) -> Vec<Result<(), Error>> {
    let mut results = Results::default();
    let query = InstanceQuery {
        name: Some("events".into()),
        exact: true,
        include_failure: true,
        offset: 0,
        limit: 50,
    };
    results.add(client.list_instances::<Instance>(&query).await).await;
    results.add(client.show_instance::<Instance>(id).await).await;
    let change = UpdateInstance {
        name: Some("events-2".into()),
        description: Some("still all of them".into()),
        maintain_begin: Some("18:00:00".into()),
        maintain_end: Some("22:00:00".into()),
        security_group_id: Some("group-2".into()),
        retention_policy: Some("produce_reject".into()),
        enterprise_project_id: Some("1".into()),
    };
    results.add(client.update_instance(id, &change).await).await;
    let topic = CreateTopic {
        name: "orders".into(),
        partitions: Some(3),
        replication: Some(3),
        retention_hours: Some(72),
        sync_replication: Some(true),
        sync_message_flush: Some(true),
        configs: vec![config("max.message.bytes", "1048576")],
        description: Some("of the shop".into()),
    };
    results.add(client.create_topic(id, &topic).await).await;
    results.add(client.list_topics(id, 0, 50).await).await;
    let change = UpdateTopic {
        name: "orders".into(),
        partitions: Some(6),
        new_partition_brokers: vec![0, 1, 2],
        retention_hours: Some(24),
        sync_replication: Some(false),
        sync_message_flush: Some(false),
        configs: vec![config("message.timestamp.type", "CreateTime")],
        description: Some(String::new()),
    };
    let absent = UpdateTopic {
        name: "absent".into(),
        partitions: Some(6),
        ..UpdateTopic::default()
    };
    results.add(client.update_topics(id, &[change, absent]).await).await;
    let mut group = CreateGroup {
        name: "billing".into(),
        description: Some("of the shop".into()),
    };
    results.add(client.create_group(id, &group).await).await;
    for members in [2, 0] {
        cloud.set_members(id, "billing", members);
        cloud.set_lag(id, "billing", "orders", 7);
        results.add(client.show_topic_usage(id, "orders").await).await;
        results.add(client.show_group_usage(id, "billing").await).await;
    }
    results.add(client.delete_topics(id, &["orders", "absent"]).await).await;
    results.add(client.list_groups(id, 0, 50).await).await;
    results.add(client.update_group(id, "billing", "").await).await;
    group = CreateGroup {
        name: "%RETRY%g|x".into(),
        description: None,
    };
    results.add(client.create_group(id, &group).await).await;
    results.add(client.update_group(id, "%RETRY%g|x", "new").await).await;
    results
        .add(client.delete_groups(id, &["billing", "absent"]).await)
        .await;
    let identity = QuotaIdentity {
        user: "alice".into(),
        client: "billing".into(),
        user_default: false,
        client_default: false,
    };
    let mut quota = Quota {
        identity: identity.clone(),
        producer_byte_rate: Some(1 << 20),
        consumer_byte_rate: Some(1 << 21),
    };
    results.add(client.create_quota(id, &quota).await).await;
    results.add(client.list_quotas(id, 0, 50).await).await;
    quota.producer_byte_rate = Some(1 << 22);
    results.add(client.update_quota(id, &quota).await).await;
    results.add(client.delete_quota(id, &identity).await).await;
    results
        .add(
            client
                .change_tags(Engine::Kafka, id, TagAction::Create, &[tag("team", "shop")])
                .await,
        )
        .await;
    results.add(client.list_tags(Engine::Kafka, id).await).await;
    results
        .add(
            client
                .change_tags(Engine::Kafka, id, TagAction::Delete, &[tag("team", "shop")])
                .await,
        )
        .await;
    let job = client.extend_storage(Engine::Kafka, id, 900).await;
    let task = job.as_ref().ok().cloned().flatten().unwrap_or_else(|| "0".repeat(32));
    results.add(job).await;
    results.add(client.list_tasks(id, 1, 100).await).await;
    results.add(client.show_task(id, &task).await).await;
    results.add(client.list_available_zones().await).await;
    results.add(client.find_projects(Some("eu-west-101")).await).await;
    results.add(client.show_instance::<Instance>(id).await).await;
    results.add(client.list_instances::<Instance>(&query).await).await;
    results.add(client.delete_instance(id).await).await;
    results.0
}

/// The same with as little as the types allow, where that is less; it begins with the creation of another instance.
pub async fn with_little(client: &Client) -> Vec<Result<(), Error>> {
    let mut results = Results::default();
    let order = CreateInstance {
        order: Order {
            name: "little".into(),
            engine_version: "2.7".into(),
            broker_num: Some(3),
            storage_space: 300,
            storage_spec_code: "dms.physical.storage.high.v2".into(),
            product_id: "c6.2u4g.cluster".into(),
            vpc_id: "vpc".into(),
            subnet_id: "subnet".into(),
            security_group_id: "group".into(),
            available_zones: vec!["d539378ec1314c85b76fefa3f7071458".into()],
            ..Order::default()
        },
        ..Default::default()
    };
    let created = client.create_instance(&order).await;
    let id = created
        .clone()
        .unwrap_or_else(|_| "d3b07384-d9a0-4c9b-8f8e-1a2b3c4d5e6f".into());
    // Some fields are missing, or not settled, until it runs.
    results.0.push(client.show_instance::<Instance>(&id).await.map(drop));
    results.add(created).await;
    let query = InstanceQuery {
        name: None,
        exact: false,
        include_failure: false,
        offset: 0,
        limit: 1,
    };
    results.add(client.list_instances::<Instance>(&query).await).await;
    let change = UpdateInstance {
        description: Some(String::new()),
        ..UpdateInstance::default()
    };
    results.add(client.update_instance(&id, &change).await).await;
    let topic = CreateTopic {
        name: "abc".into(),
        ..CreateTopic::default()
    };
    results.add(client.create_topic(&id, &topic).await).await;
    let change = UpdateTopic {
        name: "abc".into(),
        retention_hours: Some(1),
        ..UpdateTopic::default()
    };
    results.add(client.update_topics(&id, &[change]).await).await;
    results.add(client.delete_topics(&id, &["abc"]).await).await;
    let quota = Quota {
        identity: QuotaIdentity {
            client_default: true,
            ..QuotaIdentity::default()
        },
        producer_byte_rate: None,
        consumer_byte_rate: Some(1),
    };
    results.add(client.create_quota(&id, &quota).await).await;
    results.add(client.update_quota(&id, &quota).await).await;
    results.add(client.list_quotas(&id, 0, 1).await).await;
    results.add(client.list_tags(Engine::Kafka, &id).await).await;
    results.add(client.list_tasks(&id, 1, 1).await).await;
    results.add(client.find_projects(None).await).await;
    results.0
}

fn config(name: &str, value: &str) -> TopicConfig {
    TopicConfig {
        name: name.into(),
        value: value.into(),
    }
}

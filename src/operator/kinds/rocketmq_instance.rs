//! `RocketMQInstance`: its tags and brokers are read with it, and the end of its description marks what our create made.

use super::consumer_group::RocketMqGroups;
use super::instances::{Instances, Reached};
use super::topic::RocketMqTopics;
use crate::api::{InstanceSpec, RocketMQInstanceStatus};
use crate::cloud::{Client, Engine, Error, InstanceStatus, rocketmq};
use crate::operator::hub::Hub;
use crate::plan::child::Host;
use crate::plan::instance::Phase;
use crate::plan::rocketmq_instance::{RocketMq, View, is_marked};

/// The kind.
pub type RocketMQInstances = Instances<RocketMq>;

impl Reached for RocketMq {
    type Listed = rocketmq::Instance;

    const ENGINE: Engine = Engine::RocketMq;

    fn identity(listed: rocketmq::Instance) -> (String, Option<String>) {
        (listed.id, listed.name)
    }

    async fn read(client: &Client, id: &str, spec: &InstanceSpec) -> Result<View, Error> {
        let instance: rocketmq::Instance = client.show_instance(id).await?;
        let mut view = View {
            instance,
            tags: None,
            brokers: None,
            most_disk: None,
            topic_limits: None,
            group_limits: None,
        };
        let state = view.instance.status.as_ref().map_or("", InstanceStatus::as_str);
        if Phase::of(state).serves() {
            // What cannot be read now is unknown.
            view.tags = client.list_tags(Self::ENGINE, id).await.ok();
            view.brokers = client
                .list_brokers(id)
                .await
                .ok()
                .map(|names| names.into_iter().collect());
            let (wanted, total) = (spec.storage_space.map(u64::from), view.instance.total_storage_space);
            if wanted > total && total.is_some() {
                view.most_disk = most_disk(client, id, &view.instance).await;
            }
        }
        Ok(view)
    }

    fn limits(view: &mut View, hub: &Hub) {
        view.topic_limits = hub.list::<RocketMqTopics>().limits();
        view.group_limits = hub.list::<RocketMqGroups>().limits();
    }

    async fn is_marked(client: &Client, id: &str, nonce: &str) -> Option<bool> {
        let instance: rocketmq::Instance = client.show_instance(id).await.ok()?;
        match (instance.description.as_deref().unwrap_or_default(), instance.status) {
            // What a creation has not settled yet may be left out, or empty: that of ours never stays so.
            ("", None | Some(InstanceStatus::Creating)) => None,
            (description, _) => Some(is_marked(description, nonce)),
        }
    }

    fn zones(view: &View) -> &[String] {
        view.instance.available_zones.as_deref().unwrap_or_default()
    }

    fn host(status: &RocketMQInstanceStatus) -> (Host, Option<String>) {
        let observed = status.observed.as_ref();
        let host = Host {
            engine_version: observed.and_then(|o| o.instance.engine_version.clone()),
            brokers: observed.map(|o| o.brokers.clone()).unwrap_or_default(),
        };
        (host, status.state.clone())
    }
}

/// The most that each broker of an instance's flavour can have, in GB.
async fn most_disk(client: &Client, id: &str, instance: &rocketmq::Instance) -> Option<u32> {
    let products = client.extend_products(id).await.ok()?;
    let flavour = instance.product_id.as_deref()?;
    let ours = products.into_iter().find(|product| product.product_id == flavour)?;
    ours.max_storage_per_node.and_then(|gb| u32::try_from(gb).ok())
}

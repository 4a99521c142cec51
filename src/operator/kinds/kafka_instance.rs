//! `KafkaInstance`: its tags are read with it, and one of them marks what our create made.

use super::instances::{Instances, Reached};
use super::topic::KafkaTopics;
use crate::api::{InstanceSpec, KafkaInstanceStatus};
use crate::cloud::{Client, Engine, Error, InstanceStatus, kafka};
use crate::operator::hub::Hub;
use crate::plan::child::Host;
use crate::plan::instance::Phase;
use crate::plan::kafka_instance::{Kafka, NONCE_TAG, View};

/// The kind.
pub type KafkaInstances = Instances<Kafka>;

impl Reached for Kafka {
    type Listed = kafka::Instance;

    const ENGINE: Engine = Engine::Kafka;

    fn identity(listed: kafka::Instance) -> (String, Option<String>) {
        (listed.id, listed.name)
    }

    async fn read(client: &Client, id: &str, _: &InstanceSpec) -> Result<View, Error> {
        let instance: kafka::Instance = client.show_instance(id).await?;
        // Tags are compared only where they can be changed, and those that cannot be read now are unknown.
        let state = instance.status.as_ref().map_or("", InstanceStatus::as_str);
        let tags = if Phase::of(state).serves() {
            client.list_tags(Self::ENGINE, id).await.ok()
        } else {
            None
        };
        let limits = None;
        Ok(View { instance, tags, limits })
    }

    fn limits(view: &mut View, hub: &Hub) {
        view.limits = hub.list::<KafkaTopics>().limits();
    }

    async fn is_marked(client: &Client, id: &str, nonce: &str) -> Option<bool> {
        let tags = client.list_tags(Self::ENGINE, id).await.ok()?;
        Some(tags.iter().any(|tag| tag.key == NONCE_TAG && tag.value == nonce))
    }

    fn zones(view: &View) -> &[String] {
        view.instance.available_zones.as_deref().unwrap_or_default()
    }

    fn host(status: &KafkaInstanceStatus) -> (Host, Option<String>) {
        let observed = status.observed.as_ref();
        let host = Host {
            engine_version: observed.and_then(|o| o.instance.engine_version.clone()),
            ..Host::default()
        };
        (host, status.state.clone())
    }
}

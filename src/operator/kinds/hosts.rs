//! Instances as what lives in them finds them: by the object that manages one, or, where none does, by the service itself.

use std::sync::Arc;

use tokio::time::Instant;

use crate::cloud::{Engine, Error, InstanceStatus, Operation, Page, kafka, rocketmq};
use crate::operator::hub::Hub;
use crate::operator::snapshot::Lister;
use crate::plan::child::Host;
use crate::plan::instance::Phase;

/// An instance as the service shows it.
#[derive(Clone, Debug)]
pub struct Shown {
    id: String,
    /// The service's word for its state; `None` if there is no such instance, by the service's own code at two looks.
    pub state: Option<String>,
    /// What it is.
    pub host: Host,
}

/// Reads an instance that no object manages, once for all that lives in it. It is as old as `rest` allows; what cannot be used
/// is read again after `poll`, since it may pass.
pub async fn shown(hub: &Arc<Hub>, rest: Instant, poll: Instant) -> Result<Shown, Error> {
    let (list, lister) = (hub.list::<Itself>(), Itself(hub.clone()));
    let of = |shown: Option<Shown>| shown.unwrap_or_else(|| Shown::gone(&hub.instance_id));
    let shown = of(list.find(&lister, &hub.instance_id, rest).await?);
    if shown.state.as_deref().is_some_and(|state| Phase::of(state).serves()) {
        return Ok(shown);
    }
    Ok(of(list.find(&lister, &hub.instance_id, poll.max(rest)).await?))
}

impl Shown {
    fn gone(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            state: None,
            host: Host::default(),
        }
    }
}

/// An instance as a list of one: shared like the lists of what is in it.
struct Itself(Arc<Hub>);

impl Lister for Itself {
    type Item = Shown;

    const OPERATION: Operation = Operation::ShowInstance;

    async fn page(&self, _: u32) -> Result<Page<Shown>, Error> {
        let (client, id) = (&self.0.client, &self.0.instance_id);
        let shown = match read(&self.0).await {
            Err(error) if error.is_instance_gone() => match client.instance_status(id).await {
                Err(second) if second.is_instance_gone() => Shown::gone(id),
                _ => return Err(error),
            },
            shown => shown?,
        };
        Ok(Page {
            items: vec![shown],
            total: Some(1),
        })
    }

    fn name(shown: &Shown) -> String {
        shown.id.clone()
    }
}

async fn read(hub: &Hub) -> Result<Shown, Error> {
    let (client, id) = (&hub.client, &hub.instance_id);
    let (status, host) = match hub.engine {
        Engine::Kafka => {
            let instance: kafka::Instance = client.show_instance(id).await?;
            let host = Host {
                engine_version: instance.engine_version,
                ..Host::default()
            };
            (instance.status, host)
        }
        Engine::RocketMq => {
            let instance: rocketmq::Instance = client.show_instance(id).await?;
            let serves = |status: &InstanceStatus| Phase::of(status.as_str()).serves();
            let brokers = match &instance.status {
                // What cannot be read now is unknown.
                Some(status) if serves(status) => client.list_brokers(id).await.unwrap_or_default(),
                _ => vec![],
            };
            let host = Host {
                engine_version: instance.engine_version,
                brokers: brokers.into_iter().collect(),
            };
            (instance.status, host)
        }
    };
    Ok(Shown {
        id: id.clone(),
        // A state that is not told is one that this version does not know.
        state: Some(status.map_or_else(String::new, |status| status.as_str().to_owned())),
        host,
    })
}

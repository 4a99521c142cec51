//! Instances as what lives in them finds them: by the object that manages one, or, where none does, by the service itself.

use std::borrow::Cow;
use std::time::Duration;

use crate::cloud::{Client, Engine, Error, InstanceStatus, Limits, Operation, Page, Priority, kafka, rocketmq};
use crate::operator::hub::Hub;
use crate::operator::reading::Lister;
use crate::operator::snapshot::{Freshness, Source};
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

/// Reads an instance that no object manages, once for all that lives in it. It may be as old as `fresh` says; what cannot be
/// used is read again after `poll`, since it may pass.
pub async fn shown(hub: &Hub, fresh: Freshness, poll: Duration) -> Result<Shown, Error> {
    let lister = Itself {
        source: hub.source(),
        engine: hub.engine,
    };
    let read = async |fresh| {
        let list = hub.list::<Itself>();
        let seen = list.find(&lister, &hub.traffic, &hub.instance_id, fresh).await?;
        Ok(seen.thing.unwrap_or_else(|| Shown::gone(&hub.instance_id)))
    };
    let shown = read(fresh).await?;
    if shown.state.as_deref().is_some_and(|state| Phase::of(state).serves()) {
        return Ok(shown);
    }
    let age = fresh.age.min(poll);
    read(Freshness { age, ..fresh }).await
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
#[derive(Clone)]
struct Itself {
    source: Source,
    engine: Engine,
}

impl Lister for Itself {
    type Item = Shown;

    const OPERATION: Operation = Operation::ShowInstance;

    async fn page(&self, _: u32, priority: Priority) -> Result<Page<Shown>, Error> {
        let (client, id) = (self.source.client.at(priority), &self.source.instance_id);
        let shown = match read(&client, id, self.engine).await {
            Err(error) if error.is_instance_gone() => match client.instance_status(id).await {
                Err(second) if second.is_instance_gone() => Shown::gone(id),
                _ => return Err(error),
            },
            shown => shown?,
        };
        Ok(Page {
            items: vec![shown],
            total: Some(1),
            limits: Limits::default(),
        })
    }

    fn name(shown: &Shown) -> Cow<'_, str> {
        Cow::Borrowed(&shown.id)
    }
}

async fn read(client: &Client, id: &str, engine: Engine) -> Result<Shown, Error> {
    let (status, host) = match engine {
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
        id: id.to_owned(),
        // A state that is not told is one that this version does not know.
        state: Some(status.map_or_else(String::new, |status| status.as_str().to_owned())),
        host,
    })
}

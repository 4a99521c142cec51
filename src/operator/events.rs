//! Events: what changed, for `kubectl describe` and whoever listens.

use kube::Client;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use tokio::time::timeout;
use tracing::debug;

use super::engine::KUBE_TIMEOUT;
use crate::api::Managed;
use crate::plan::{Reason, Situation, cut};

/// The longest note that the API server takes.
const MAX_NOTE: usize = 1024;

/// Publishes Events; a failure to do so is no reason to fail anything else.
#[derive(Clone)]
pub struct Events {
    recorder: Recorder,
}

impl Events {
    /// In the name of this replica.
    pub fn new(client: Client, instance: Option<String>) -> Self {
        Self {
            recorder: Recorder::new(
                client,
                Reporter {
                    controller: "dms-operator".into(),
                    instance,
                },
            ),
        }
    }

    /// The object's situation changed.
    pub async fn publish<Cr: Managed>(&self, cr: &Cr, situation: &Situation) {
        let type_ = if situation.is_stopped() {
            EventType::Warning
        } else {
            EventType::Normal
        };
        self.send(cr, type_, situation.headline(), "Reconcile", situation.message())
            .await;
    }

    /// The object goes; the note says what becomes of the thing.
    pub async fn released<Cr: Managed>(&self, cr: &Cr, why: &str) {
        self.send(cr, EventType::Normal, Reason::Deleting, "Release", why).await;
    }

    async fn send<Cr: Managed>(&self, cr: &Cr, type_: EventType, reason: Reason, action: &str, note: &str) {
        let event = Event {
            type_,
            reason: reason.to_string(),
            note: Some(cut(note, MAX_NOTE)),
            action: action.into(),
            secondary: None,
        };
        match timeout(KUBE_TIMEOUT, self.recorder.publish(&event, &cr.object_ref(&()))).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => debug!(%error, "failed to publish an Event"),
            Err(_) => debug!("failed to publish an Event: no answer from the API server"),
        }
    }
}

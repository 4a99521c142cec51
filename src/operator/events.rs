//! Events: what changed, for `kubectl describe` and whoever listens.
//!
//! Each change is an Event of its own. kube's recorder folds those of one reason into a series under the first one's note,
//! so that `describe` would go on to show "6 partitions" after an edit to 9.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use futures::stream::poll_fn;
use futures::{FutureExt as _, StreamExt as _};
use jiff::Timestamp;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::writes::{Gate, KUBE_TIMEOUT};
use crate::api::Managed;
use crate::plan::{Reason, Situation, cut};

/// The longest note that the API server takes.
const MAX_NOTE: usize = 1024;
/// The longest beginning of an Event's name that leaves room for what makes it unique.
const MAX_PREFIX: usize = 200;
/// How many may wait to be sent; each takes about a kilobyte.
const MOST: usize = 16_384;
/// How many are sent at once.
const AT_ONCE: usize = 4;

/// Publishes Events; a failure to do so is no reason to fail anything else, and nobody waits for it.
pub struct Events {
    queue: Sender<Event>,
    instance: String,
    last: AtomicI64,
}

impl Events {
    /// In the name of this replica, by the queue that is to be [`deliver`]ed.
    pub fn new(instance: Option<String>) -> (Self, Receiver<Event>) {
        let (queue, events) = channel(MOST);
        let instance = instance.unwrap_or_else(|| "dms-operator".into());
        let last = AtomicI64::default();
        (Self { queue, instance, last }, events)
    }

    /// The object's situation changed.
    pub fn publish<Cr: Managed>(&self, cr: &Cr, situation: &Situation, now: Timestamp) {
        let type_ = if situation.is_stopped() { "Warning" } else { "Normal" };
        let event = self.event(cr, type_, situation.headline(), "Reconcile", situation.message(), now);
        self.send(event);
    }

    /// The object goes; the note says what becomes of the thing.
    pub fn released<Cr: Managed>(&self, cr: &Cr, why: &str, now: Timestamp) {
        self.send(self.event(cr, "Normal", Reason::Deleting, "Release", why, now));
    }

    fn event<Cr: Managed>(
        &self,
        cr: &Cr,
        type_: &str,
        reason: Reason,
        action: &str,
        note: &str,
        now: Timestamp,
    ) -> Event {
        let meta = cr.meta();
        let prefix: String = meta
            .name
            .iter()
            .flat_map(|name| name.chars())
            .take(MAX_PREFIX)
            .collect();
        Event {
            metadata: ObjectMeta {
                name: Some(format!("{prefix}.{:016x}", self.moment(now))),
                namespace: meta.namespace.clone(),
                ..Default::default()
            },
            type_: Some(type_.into()),
            reason: Some(reason.to_string()),
            action: Some(action.into()),
            note: Some(cut(note, MAX_NOTE)),
            event_time: Some(MicroTime(now)),
            regarding: Some(cr.object_ref(&())),
            reporting_controller: Some("dms-operator".into()),
            reporting_instance: Some(cut(&self.instance, 128)),
            ..Default::default()
        }
    }

    /// Nanoseconds since the epoch, each time more than before: kubectl shows Events in the order of their names, as those
    /// of this API version have no other time that it sorts by.
    fn moment(&self, now: Timestamp) -> i64 {
        let now = i64::try_from(now.as_nanosecond()).unwrap_or_default();
        let next = |last: i64| Some(now.max(last + 1));
        let last = self.last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        last.map_or(now, |last| now.max(last + 1))
    }

    fn send(&self, event: Event) {
        // An operator that ended tells nothing more, and one that is far behind not all.
        if self.queue.try_send(event).is_err() {
            debug!("an Event is not sent");
        }
    }
}

/// Sends what is published until `ended`, and then what is left of it. Whatever else is written goes first.
pub async fn deliver(client: Client, gate: Arc<Gate>, mut queue: Receiver<Event>, ended: CancellationToken) {
    let mut close = pin!(ended.cancelled().fuse());
    let published = poll_fn(|cx| {
        if close.as_mut().poll(cx).is_ready() {
            queue.close();
        }
        queue.poll_recv(cx)
    });
    let send = |event: Event| {
        let api: Api<Event> = Api::namespaced(client.clone(), event.metadata.namespace.as_deref().unwrap_or_default());
        let gate = &gate;
        async move {
            gate.lull().await;
            match timeout(KUBE_TIMEOUT, api.create(&PostParams::default(), &event)).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => debug!(%error, "failed to publish an Event"),
                Err(_) => debug!("failed to publish an Event in time"),
            }
        }
    };
    published.for_each_concurrent(AT_ONCE, send).await;
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    use http::{Request, Response};
    use kube::client::Body;
    use serde_json::json;
    use tokio::time::{Instant, sleep};

    use super::*;
    use crate::api::Topic;

    #[tokio::test(start_paused = true)]
    async fn what_was_published_is_sent_before_the_end_a_few_at_a_time() {
        let sent = Arc::new(AtomicUsize::new(0));
        let counter = sent.clone();
        let serve = tower::service_fn(move |_: Request<Body>| {
            let counter = counter.clone();
            async move {
                sleep(Duration::from_secs(1)).await;
                counter.fetch_add(1, Ordering::Relaxed);
                let event = serde_json::to_vec(&Event::default()).expect("plain data");
                Ok::<_, std::convert::Infallible>(Response::new(Body::from(event)))
            }
        });
        let (events, queue) = Events::new(None);
        let spec = json!({"instanceRef": {"kind": "KafkaInstance", "name": "main"}});
        let topic = Topic::new("payments", serde_json::from_value(spec).expect("a spec"));
        for _ in 0..10 {
            events.released(&topic, "gone", Timestamp::UNIX_EPOCH);
        }
        let ended = CancellationToken::new();
        ended.cancel();
        let begun = Instant::now();
        deliver(Client::new(serve, "default"), Arc::default(), queue, ended).await;
        assert_eq!(sent.load(Ordering::Relaxed), 10);
        assert_eq!(begun.elapsed(), Duration::from_secs(3), "four at once");
    }
}

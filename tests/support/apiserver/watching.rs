//! A watch: the changes of a resource as a stream of lines.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use http_body::Frame;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Shared;
use super::adversity::Lifeline;
use super::read::{self, Selector};
use super::store::Change;
use super::wire::{Call, Failure, shown};

const BOOKMARK_EVERY: Duration = Duration::from_secs(60);
const LONGEST: u64 = 30 * 60;

/// One watch under way.
pub struct Watch {
    shared: Arc<Shared>,
    lifeline: Lifeline,
    call: Call,
    selector: Selector,
    position: u64,
    epoch: u64,
    ends: Instant,
    bookmark: Option<Instant>,
    lines: VecDeque<Value>,
    over: bool,
}

impl Watch {
    /// Begins at the version that the query names, or with all objects that the cache has.
    pub fn begin(shared: Arc<Shared>, lifeline: Lifeline, call: Call) -> Result<Self, Failure> {
        let state = shared.lock();
        let resource = read::resource(&state.store, &call)?;
        let selector = Selector::of(&call, &resource.definition)?;
        let seen = resource.seen(state.store.version());
        let from = call.number("resourceVersion").unwrap_or_default();
        let initial = call.flag("sendInitialEvents") || from == 0;
        let mut lines = VecDeque::new();
        if initial {
            let objects = resource.at(seen)?;
            let matching = objects.values().filter(|object| selector.matches(object));
            lines.extend(matching.map(|object| event("ADDED", &shown(object, call.metadata_only))));
        }
        if call.flag("sendInitialEvents") {
            let done = json!({"k8s.io/initial-events-end": "true"});
            let mut line = bookmark(&resource.definition, seen);
            line["object"]["metadata"]["annotations"] = done;
            lines.push_back(line);
        }
        let lasts = Duration::from_secs(call.number("timeoutSeconds").unwrap_or(LONGEST));
        let epoch = state.epoch;
        drop(state);
        Ok(Self {
            shared,
            lifeline,
            selector,
            position: if initial { seen } else { from },
            epoch,
            ends: Instant::now() + lasts,
            bookmark: call
                .flag("allowWatchBookmarks")
                .then(|| Instant::now() + BOOKMARK_EVERY),
            lines,
            over: false,
            call,
        })
    }

    /// The body of the answer.
    pub fn frames(self) -> impl Stream<Item = io::Result<Frame<Bytes>>> + Send {
        stream::unfold(self, |mut watch| async move { Some((watch.next().await?, watch)) })
            .map(|line| line.map(|line| Frame::data(Bytes::from(format!("{line}\n")))))
    }

    async fn next(&mut self) -> Option<io::Result<Value>> {
        let mut changed = self.shared.changed.subscribe();
        loop {
            self.lifeline.passage().await;
            if let Some(line) = self.lines.pop_front() {
                return Some(Ok(line));
            }
            if self.over {
                return None;
            }
            changed.borrow_and_update();
            let Some(wake) = self.look() else {
                self.over = true;
                return Some(Err(io::ErrorKind::ConnectionReset.into()));
            };
            if self.lines.is_empty() && !self.over {
                tokio::select! {
                    _ = changed.changed() => {}
                    () = tokio::time::sleep_until(wake) => {}
                }
            }
        }
    }

    /// Gathers what can be seen by now; when to look again, or `None` if the connection was dropped.
    fn look(&mut self) -> Option<Instant> {
        let shared = self.shared.clone();
        let state = shared.lock();
        if state.epoch != self.epoch {
            return None;
        }
        let resource = state
            .store
            .resource(&self.call.resource)
            .expect("looked up at the beginning");
        if self.position < resource.forgotten {
            self.lines.push_back(event("ERROR", &Failure::expired().status()));
            self.over = true;
            return Some(self.ends);
        }
        let mut wake = self.ends;
        let from = resource
            .history
            .partition_point(|change| change.version <= self.position);
        for change in resource.history.range(from..) {
            if !resource.is_visible(change) {
                if resource.frozen.is_none() {
                    wake = wake.min(change.at + resource.lag);
                }
                break;
            }
            self.position = change.version;
            self.lines.extend(self.line(change));
        }
        let now = Instant::now();
        self.over = now >= self.ends;
        if let Some(due) = self.bookmark.filter(|due| *due <= now || self.over) {
            self.lines
                .push_back(bookmark(&resource.definition, resource.seen(state.store.version())));
            self.bookmark = Some(due + BOOKMARK_EVERY);
        }
        Some(self.bookmark.map_or(wake, |due| wake.min(due)))
    }

    fn line(&self, change: &Change) -> Option<Value> {
        let before = change
            .before
            .as_ref()
            .is_some_and(|object| self.selector.matches(object));
        let after = !change.gone && self.selector.matches(&change.after);
        let kind = match (before, after) {
            (false, true) => "ADDED",
            (true, true) => "MODIFIED",
            (true, false) => "DELETED",
            (false, false) => return None,
        };
        Some(event(kind, &shown(&change.after, self.call.metadata_only)))
    }
}

fn event(kind: &str, object: &Value) -> Value {
    json!({"type": kind, "object": object})
}

fn bookmark(definition: &super::builtin::Definition, version: u64) -> Value {
    let meta = json!({"resourceVersion": version.to_string(), "creationTimestamp": null});
    let object = json!({"apiVersion": definition.api_version(), "kind": definition.kind, "metadata": meta});
    event("BOOKMARK", &object)
}

//! The objects and their history.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::builtin::Definition;
use super::wire::Failure;

/// Events that a resource remembers; who asks for older ones must list again.
const HISTORY: usize = 20_000;

/// (namespace, name).
pub type Key = (String, String);

/// Everything that the server holds.
#[derive(Default)]
pub struct Store {
    version: u64,
    uids: u64,
    resources: BTreeMap<String, Resource>,
}

/// One resource: its definition, its objects, what happened to them, and how slow its watches are.
pub struct Resource {
    /// What it is.
    pub definition: Arc<Definition>,
    /// The objects by namespace and name.
    pub objects: BTreeMap<Key, Value>,
    /// Changes, oldest first.
    pub history: VecDeque<Change>,
    /// Changes up to this version are forgotten.
    pub forgotten: u64,
    /// How long a change takes to be seen by watches and cached lists.
    pub lag: Duration,
    /// Watches see nothing newer than this version.
    pub frozen: Option<u64>,
}

/// One change of one object.
pub struct Change {
    /// The version that it made.
    pub version: u64,
    /// When.
    pub at: Instant,
    /// Before; `None` when it was created.
    pub before: Option<Value>,
    /// After, for a deletion its last state.
    pub after: Value,
    /// The object is gone.
    pub gone: bool,
}

impl Store {
    /// Adds a resource.
    pub fn define(&mut self, definition: Definition) {
        let resource = Resource {
            definition: Arc::new(definition),
            objects: BTreeMap::new(),
            history: VecDeque::new(),
            forgotten: 0,
            lag: Duration::ZERO,
            frozen: None,
        };
        self.resources.insert(resource.definition.plural.clone(), resource);
    }

    /// The current version.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// A resource by its plural name.
    pub fn resource(&self, plural: &str) -> Option<&Resource> {
        self.resources.get(plural)
    }

    /// The same, to be changed.
    pub fn resource_mut(&mut self, plural: &str) -> Option<&mut Resource> {
        self.resources.get_mut(plural)
    }

    /// All resources.
    pub fn resources(&self) -> impl Iterator<Item = &Resource> {
        self.resources.values()
    }

    /// A uid that was never given before.
    pub fn next_uid(&mut self) -> String {
        self.uids += 1;
        format!(
            "{:08x}-0000-4000-8000-{:012x}",
            self.uids.wrapping_mul(0x9e37_79b9) & 0xffff_ffff,
            self.uids
        )
    }

    /// Stores `object`, or removes it for good; returns it with its new version.
    pub fn commit(&mut self, plural: &str, key: &Key, mut object: Value, gone: bool) -> Value {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let resource = self
            .resources
            .get_mut(plural)
            .expect("the resource was looked up before");
        let before = if gone {
            resource.objects.remove(key)
        } else {
            resource.objects.insert(key.clone(), object.clone())
        };
        let change = Change {
            version: self.version,
            at: Instant::now(),
            before,
            after: object.clone(),
            gone,
        };
        resource.history.push_back(change);
        if resource.history.len() > HISTORY {
            resource.forgotten = resource.history.pop_front().map_or(0, |change| change.version);
        }
        object
    }

    /// Forgets all changes so far: watches that want to go on from an older version must list again.
    pub fn forget_history(&mut self) {
        self.version += 1;
        let version = self.version;
        for resource in self.resources.values_mut() {
            resource.history.clear();
            resource.forgotten = version;
        }
    }
}

impl Resource {
    /// The version up to which watches and cached lists know of changes.
    pub fn seen(&self, current: u64) -> u64 {
        let hidden = self
            .history
            .iter()
            .rev()
            .take_while(|change| !self.is_visible(change))
            .last();
        hidden.map_or(current, |change| change.version - 1)
    }

    /// Whether watches may show a change by now.
    pub fn is_visible(&self, change: &Change) -> bool {
        self.frozen.is_none_or(|last| change.version <= last) && change.at + self.lag <= Instant::now()
    }

    /// The objects as they were at `version`.
    pub fn at(&self, version: u64) -> Result<BTreeMap<Key, Value>, Failure> {
        if version < self.forgotten && version != 0 {
            return Err(Failure::expired());
        }
        let mut objects = self.objects.clone();
        for change in self.history.iter().rev().take_while(|change| change.version > version) {
            match &change.before {
                Some(before) => objects.insert(key_of(before), before.clone()),
                None => objects.remove(&key_of(&change.after)),
            };
        }
        Ok(objects)
    }
}

/// Namespace and name of an object.
pub fn key_of(object: &Value) -> Key {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_string();
    (text("namespace"), text("name"))
}

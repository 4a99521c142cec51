//! The namespaces' labels: by these an instance may admit what lives in others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use k8s_openapi::api::core::v1::Namespace;
use kube::ResourceExt as _;
use kube::core::PartialObjectMeta;
use kube::runtime::watcher::Event;

use crate::plan::grant::Labels;

/// All namespaces, with nothing but their labels.
#[derive(Default)]
pub struct Namespaces(Mutex<Known>);

#[derive(Default)]
struct Known {
    labels: BTreeMap<String, Arc<Labels>>,
    /// What the list names that is being read.
    listed: BTreeSet<String>,
    filled: bool,
}

/// What an event brought.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Followed {
    /// The first complete list was read.
    pub filled: bool,
    /// The namespaces whose labels changed since.
    pub changed: Vec<String>,
}

impl Namespaces {
    /// The labels of a namespace; none if there is no such namespace.
    pub fn labels(&self, name: &str) -> Arc<Labels> {
        self.known().labels.get(name).cloned().unwrap_or_default()
    }

    /// Follows what the watch brings.
    pub fn follow(&self, event: Event<PartialObjectMeta<Namespace>>) -> Followed {
        let mut known = self.known();
        let mut followed = Followed::default();
        match event {
            Event::Init => known.listed.clear(),
            Event::InitApply(namespace) => {
                known.listed.insert(namespace.name_any());
                followed.changed.extend(known.put(&namespace));
            }
            Event::Apply(namespace) => followed.changed.extend(known.put(&namespace)),
            Event::Delete(namespace) => {
                known.labels.remove(&namespace.name_any());
            }
            Event::InitDone => {
                let listed = std::mem::take(&mut known.listed);
                known.labels.retain(|name, _| listed.contains(name));
                followed.filled = !std::mem::replace(&mut known.filled, true);
            }
        }
        followed
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.lock().expect("no holder panics")
    }
}

impl Known {
    /// The namespace's name, if its labels are others now and somebody may have gone by the old ones.
    fn put(&mut self, namespace: &PartialObjectMeta<Namespace>) -> Option<String> {
        let (name, labels) = (namespace.name_any(), namespace.labels());
        if self.labels.get(&name).is_some_and(|known| **known == *labels) {
            return None;
        }
        self.labels.insert(name.clone(), Arc::new(labels.clone()));
        self.filled.then_some(name)
    }
}

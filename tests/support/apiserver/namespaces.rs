//! What the namespace controller does: a deleted namespace is emptied, and ends when it is empty.

use std::sync::Arc;

use bytes::Bytes;

use super::Shared;
use super::rules::is_deleting;
use super::store::{Key, Store};
use super::wire::Call;
use super::write;

/// Deletes everything in a namespace, one resource after the other.
pub async fn sweep(shared: Arc<Shared>, namespace: String) {
    let (mut resources, pause) = {
        let state = shared.lock();
        let all: Vec<(String, String)> = state
            .store
            .resources()
            .map(|resource| &resource.definition)
            .filter(|definition| definition.namespaced)
            .map(|definition| (definition.group.clone(), definition.plural.clone()))
            .collect();
        let rank = |plural: &str| {
            state
                .sweep_first
                .iter()
                .position(|first| first == plural)
                .unwrap_or(usize::MAX)
        };
        let mut ranked: Vec<_> = all
            .into_iter()
            .map(|(group, plural)| (rank(&plural), group, plural))
            .collect();
        ranked.sort();
        (ranked, state.sweep_pause)
    };
    for (_, group, resource) in resources.drain(..) {
        let call = Call {
            user: "namespace-controller".into(),
            verb: "deletecollection",
            group,
            resource,
            namespace: namespace.clone(),
            name: String::new(),
            subresource: String::new(),
            query: Default::default(),
            content_type: String::new(),
            metadata_only: false,
            body: Bytes::new(),
        };
        {
            let mut state = shared.lock();
            write::delete_collection(&mut state.store, &call, &shared.now()).expect("the resource is there");
            end_empty(&mut state.store);
        }
        shared.changed.send_replace(());
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
    }
}

/// Removes deleted namespaces in which nothing is left.
pub fn end_empty(store: &mut Store) {
    let namespaces = store.resource("namespaces").expect("built in");
    let deleted = namespaces.objects.iter().filter(|(_, object)| is_deleting(object));
    let empty: Vec<(Key, _)> = deleted
        .filter(|(key, _)| {
            !store
                .resources()
                .any(|resource| resource.objects.keys().any(|(namespace, _)| *namespace == key.1))
        })
        .map(|(key, object)| (key.clone(), object.clone()))
        .collect();
    for (key, object) in empty {
        store.commit("namespaces", &key, object, true);
    }
}

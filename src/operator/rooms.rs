//! The rooms of all kinds, by their objects' references.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kube::ResourceExt as _;
use tokio::time::sleep;

use super::kind::{Home, Reference};
use super::room::{Room, claimed};
use crate::api::Managed;

/// How many objects are woken at once when an operator begins.
const AT_ONCE: usize = 100;
/// The pause before the next are.
const BREATH: Duration = Duration::from_millis(10);

/// A room whose kind does not matter.
trait AnyRoom: Send + Sync {
    fn every(&self) -> Vec<Reference>;
    fn users_of(&self, reference: &Reference) -> Vec<Reference>;
    fn wake_users_of(&self, reference: &Reference);
    fn wake(&self, reference: &Reference);
    fn wake_leaving(&self, reference: &Reference);
    fn home(&self, reference: &Reference) -> Option<Home>;
    fn exists(&self, reference: &Reference) -> bool;
    fn homes_of(&self, id: &str) -> Vec<(Reference, Home)>;
    fn wake_instance(&self, id: &str);
    fn wake_tenants(&self, namespace: &str);
    fn wake_refused(&self, reference: &Reference);
}

impl<Cr: Managed> AnyRoom for Room<Cr> {
    fn every(&self) -> Vec<Reference> {
        self.all().iter().map(|cr| Reference::to(&**cr)).collect()
    }

    fn users_of(&self, reference: &Reference) -> Vec<Reference> {
        self.users(reference).iter().map(|cr| Reference::to(&**cr)).collect()
    }

    fn wake_users_of(&self, reference: &Reference) {
        self.users(reference).iter().for_each(|user| self.wake_one(user));
    }

    fn wake(&self, reference: &Reference) {
        if let Some(cr) = self.named(reference) {
            self.wake_one(&cr);
        }
    }

    fn wake_leaving(&self, reference: &Reference) {
        if let Some(cr) = self
            .named(reference)
            .filter(|cr| cr.meta().deletion_timestamp.is_some())
        {
            self.wake_one(&cr);
        }
    }

    fn home(&self, reference: &Reference) -> Option<Home> {
        (self.home)(&*self.named(reference)?)
    }

    fn exists(&self, reference: &Reference) -> bool {
        self.named(reference).is_some_and(|cr| !self.is_let_go(&cr))
    }

    fn homes_of(&self, id: &str) -> Vec<(Reference, Home)> {
        let found = self.found(claimed(id)).into_iter();
        found
            .filter_map(|cr| Some((Reference::to(&*cr), (self.home)(&cr)?)))
            .filter(|(_, home)| home.core.instance_id.as_deref() == Some(id))
            .collect()
    }

    fn wake_instance(&self, id: &str) {
        self.homes_of(id).iter().for_each(|(reference, _)| self.wake(reference));
    }

    fn wake_refused(&self, reference: &Reference) {
        self.refused(reference).iter().for_each(|cr| self.wake_one(cr));
    }

    fn wake_tenants(&self, namespace: &str) {
        let mut tenants = self.all();
        tenants.retain(|cr| {
            let own = cr.namespace().as_deref() == Some(namespace);
            own && (self.references)(cr).iter().any(|needed| needed.namespace != namespace)
        });
        tenants.iter().for_each(|cr| self.wake_one(cr));
    }
}

/// All rooms.
#[derive(Default)]
pub struct Rooms {
    by_type: BTreeMap<TypeId, Arc<dyn Any + Send + Sync>>,
    all: Vec<Arc<dyn AnyRoom>>,
}

impl Rooms {
    /// Adds a kind's room.
    pub fn add<Cr: Managed>(&mut self, room: Arc<Room<Cr>>) {
        self.by_type.insert(TypeId::of::<Cr>(), room.clone());
        self.all.push(room);
    }

    /// The room of a kind.
    pub fn of<Cr: Managed>(&self) -> &Room<Cr> {
        let room = self
            .by_type
            .get(&TypeId::of::<Cr>())
            .expect("every kind is registered before controllers run");
        room.downcast_ref().expect("filed under its own type")
    }

    /// The objects that need this one.
    pub fn users_of(&self, reference: &Reference) -> Vec<Reference> {
        self.all.iter().flat_map(|room| room.users_of(reference)).collect()
    }

    /// Lets the objects that need this one look again.
    pub fn wake_users_of(&self, reference: &Reference) {
        self.all.iter().for_each(|room| room.wake_users_of(reference));
    }

    /// Lets all objects look, kind by kind, some at a time: ten thousand rounds at once would take a hundred megabytes.
    pub async fn wake_all(&self) {
        for room in &self.all {
            for some in room.every().chunks(AT_ONCE) {
                some.iter().for_each(|object| room.wake(object));
                sleep(BREATH).await;
            }
        }
    }

    /// Lets this object look again.
    pub fn wake(&self, reference: &Reference) {
        self.all.iter().for_each(|room| room.wake(reference));
    }

    /// Lets this object look again, if it waits to be deleted until nothing needs it.
    pub fn wake_leaving(&self, reference: &Reference) {
        self.all.iter().for_each(|room| room.wake_leaving(reference));
    }

    /// What an instance's object shows, if it exists.
    pub fn home(&self, reference: &Reference) -> Option<Home> {
        self.all.iter().find_map(|room| room.home(reference))
    }

    /// Whether an object exists, and was not let go.
    pub fn exists(&self, reference: &Reference) -> bool {
        self.all.iter().any(|room| room.exists(reference))
    }

    /// The objects that stand for an instance, and what they show.
    pub fn homes_of(&self, id: &str) -> Vec<(Reference, Home)> {
        self.all.iter().flat_map(|room| room.homes_of(id)).collect()
    }

    /// Lets the objects look again that this one does not admit: others that it does have made room.
    pub fn wake_refused(&self, reference: &Reference) {
        self.all.iter().for_each(|room| room.wake_refused(reference));
    }

    /// Lets the objects of a namespace look again that need one of another.
    pub fn wake_tenants(&self, namespace: &str) {
        self.all.iter().for_each(|room| room.wake_tenants(namespace));
    }

    /// Lets the objects look again that stand for an instance.
    pub fn wake_instance(&self, id: &str) {
        self.all.iter().for_each(|room| room.wake_instance(id));
    }
}

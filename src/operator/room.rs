//! One kind's objects as the operator knows them: the watched store, and what it remembers of each object.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kube::ResourceExt;
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::watcher;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use super::engine::SOON;
use super::index::{Index, Key, Word};
use super::kind::{Home, Kind, Reference};
use crate::api::{FINALIZER, Managed, Origin};
use crate::plan::Reason;

/// The objects of one kind.
pub struct Room<Cr: Managed> {
    store: Store<Cr>,
    wake: mpsc::UnboundedSender<ObjectRef<Cr>>,
    notes: Mutex<BTreeMap<Key, Note<Cr>>>,
    index: Mutex<Index>,
    /// Told when the object of a round that waits changes.
    watched: Mutex<BTreeMap<Key, Arc<Notify>>>,
    pub(super) references: fn(&Cr) -> Vec<Reference>,
    claims: fn(&Cr) -> Vec<String>,
    pub(super) home: fn(&Cr) -> Option<Home>,
}

/// What is remembered of an object between rounds, in memory only: losing it costs calls, never safety.
pub struct Note<Cr> {
    uid: String,
    /// What we wrote last; used until the cache has caught up.
    written: Option<Arc<Cr>>,
    /// The object as the last round left it: generation, deletion, annotations.
    handled: Option<Handled>,
    /// Not before this moment, unless something changed.
    not_before: Option<Instant>,
    /// Something it refers to changed.
    woken: bool,
    /// Our finalizer was taken off; only the cache does not show it yet.
    let_go: bool,
    /// Failures in a row.
    pub failures: u32,
    /// How often each step was carried out since the object was last at rest.
    steps: BTreeMap<String, u32>,
    /// When the service last refused a step, and of which generation: the list that it was decided by may have been outdated.
    pub refused: Option<(Option<i64>, Instant)>,
    /// The partitions that a grant admitted it with.
    pub granted: Option<u32>,
    /// When its deletion was last accepted.
    pub deleted: Option<Instant>,
    /// The last step that we carried out for it: reads must have begun later.
    pub acted: Option<Instant>,
    /// The last round that could look and decide.
    pub looked: Option<Instant>,
    /// When the list was begun that it decided by.
    pub seen: Option<Instant>,
    /// How many looks in a row the service did not know the instance.
    pub missing: u32,
    /// How many complete searches in a row found nothing of ours.
    pub empty_searches: u32,
    /// The first of these.
    pub empty_since: Option<Instant>,
}

/// A round that waits, and wants to know if its object changes; there is one round an object at a time.
struct Watch<'a, Cr: Managed> {
    room: &'a Room<Cr>,
    key: Key,
    told: Arc<Notify>,
}

impl<'a, Cr: Managed> Watch<'a, Cr> {
    fn new(room: &'a Room<Cr>, cr: &Cr) -> Self {
        let (key, told) = (key(cr), Arc::new(Notify::new()));
        let mut watched = room.watched.lock().expect("no holder panics");
        watched.insert(key.clone(), told.clone());
        drop(watched);
        Self { room, key, told }
    }
}

impl<Cr: Managed> Drop for Watch<'_, Cr> {
    fn drop(&mut self) {
        self.room.watched.lock().expect("no holder panics").remove(&self.key);
    }
}

/// What makes a round worth while before its time.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Handled {
    generation: Option<i64>,
    deleting: bool,
    annotations: Vec<Option<String>>,
}

impl Handled {
    fn of<Cr: Managed>(cr: &Cr) -> Self {
        use crate::api::{ABANDON, PAUSED, RECONCILE_REQUESTED_AT, RECREATE};
        let annotations = [ABANDON, PAUSED, RECONCILE_REQUESTED_AT, RECREATE];
        Self {
            generation: cr.meta().generation,
            deleting: cr.meta().deletion_timestamp.is_some(),
            annotations: annotations.iter().map(|a| cr.annotations().get(*a).cloned()).collect(),
        }
    }
}

impl<Cr: Managed> Room<Cr> {
    /// A room over a store; `wake` triggers the controller.
    pub fn new<K: Kind<Cr = Cr>>(store: Store<Cr>, wake: mpsc::UnboundedSender<ObjectRef<Cr>>) -> Self {
        Self {
            store,
            wake,
            notes: Mutex::default(),
            index: Mutex::default(),
            watched: Mutex::default(),
            references: K::references,
            claims: K::claims,
            home: K::home,
        }
    }

    /// All objects but those that were let go, which the cache may show for a while yet.
    pub fn all(&self) -> Vec<Arc<Cr>> {
        let objects = self.store.state().into_iter().map(|cr| self.freshest(cr));
        objects.filter(|cr| !self.is_let_go(cr)).collect()
    }

    /// The object of this name, as new as we know it.
    pub fn get(&self, namespace: &str, name: &str) -> Option<Arc<Cr>> {
        let cached = self.store.get(&ObjectRef::new(name).within(namespace))?;
        Some(self.freshest(cached))
    }

    pub(super) fn named(&self, reference: &Reference) -> Option<Arc<Cr>> {
        let ours = *Cr::kind(&()) == reference.kind;
        ours.then(|| self.get(&reference.namespace, &reference.name))?
    }

    /// The cached object, or what we wrote to it last if the cache does not show that yet.
    pub fn freshest(&self, cached: Arc<Cr>) -> Arc<Cr> {
        let mut notes = self.notes();
        let Some(note) = notes.get_mut(&key(&*cached)) else {
            return cached;
        };
        if note.uid != cached.uid().unwrap_or_default() {
            return cached;
        }
        match &note.written {
            Some(written) if version(&**written) > version(&*cached) => written.clone(),
            _ => {
                note.written = None;
                cached
            }
        }
    }

    /// Remembers what was written.
    pub fn wrote(&self, cr: Arc<Cr>) {
        self.put(&cr);
        self.note(&*cr.clone(), |note| note.written = Some(cr));
    }

    /// Follows what the watch brings.
    pub fn follow(&self, event: &watcher::Event<Cr>) {
        match event {
            watcher::Event::Apply(cr) | watcher::Event::InitApply(cr) => {
                self.put(cr);
                self.caught_up(cr);
                self.tell(cr);
            }
            watcher::Event::Delete(cr) => {
                self.index().remove(&key(cr));
                self.tell(cr);
            }
            watcher::Event::Init => {}
            watcher::Event::InitDone => {
                let is_there = |key: &Key| self.store.get(&ObjectRef::new(&key.1).within(&key.0)).is_some();
                self.index().retain(is_there);
            }
        }
    }

    /// Returns once what is wished of this object is no longer what it says, for a round that waits.
    pub async fn changed(&self, cr: &Cr) {
        let (watch, handled) = (Watch::new(self, cr), Handled::of(cr));
        let is_same = || {
            let now = self.store.get(&ObjectRef::from_obj(cr));
            // The cache may not show yet what we wrote.
            now.is_none_or(|now| version(&*now) <= version(cr) || Handled::of(&*now) == handled)
        };
        while is_same() {
            watch.told.notified().await;
        }
    }

    /// The cache shows what we wrote; it need not be kept twice.
    fn caught_up(&self, cr: &Cr) {
        if let Some(note) = self.notes().get_mut(&key(cr)) {
            note.written.take_if(|written| version(&**written) <= version(cr));
        }
    }

    fn tell(&self, cr: &Cr) {
        if let Some(told) = self.watched.lock().expect("no holder panics").get(&key(cr)) {
            told.notify_one();
        }
    }

    fn put(&self, cr: &Cr) {
        let claims = (self.claims)(cr).into_iter().map(|claim| claimed(&claim));
        let references = (self.references)(cr);
        let needed = references.iter().map(referred);
        let denied = references.iter().filter(|_| is_refused(cr)).map(refused);
        self.index().put(key(cr), claims.chain(needed).chain(denied));
    }

    /// The objects that need this one, and whose last word was that they are not admitted.
    pub fn refused(&self, reference: &Reference) -> Vec<Arc<Cr>> {
        let mut found = self.found(refused(reference));
        found.retain(|cr| is_refused(&**cr));
        found
    }

    /// The objects that may be meant by a word, but those that were let go.
    pub(super) fn found(&self, word: Word) -> Vec<Arc<Cr>> {
        let keys: Vec<_> = self.index().of(word).collect();
        let objects = keys.iter().filter_map(|key| self.get(&key.0, &key.1));
        objects.filter(|cr| !self.is_let_go(cr)).collect()
    }

    /// The objects that need this one.
    pub fn users(&self, reference: &Reference) -> Vec<Arc<Cr>> {
        let mut found = self.found(referred(reference));
        found.retain(|cr| (self.references)(cr).contains(reference));
        found
    }

    fn index(&self) -> std::sync::MutexGuard<'_, Index> {
        self.index.lock().expect("no holder panics")
    }

    /// Reads or changes what is remembered of an object.
    pub fn note<R>(&self, cr: &Cr, change: impl FnOnce(&mut Note<Cr>) -> R) -> R {
        let uid = cr.uid().unwrap_or_default();
        let mut notes = self.notes();
        let note = notes.entry(key(cr)).or_insert_with(|| Note::new(uid.clone()));
        if note.uid != uid {
            *note = Note::new(uid);
        }
        change(note)
    }

    /// How long the object should be left alone yet, if nothing about it changed. What woke it waits too until what was
    /// just done can be read back.
    pub fn hold(&self, cr: &Cr) -> Option<Duration> {
        self.note(cr, |note| {
            let now = Instant::now();
            let mut until = note.not_before?;
            if note.handled.as_ref() != Some(&Handled::of(cr)) {
                until = now;
            } else if note.woken {
                until = until.min(note.acted.map_or(now, |acted| acted + SOON));
            }
            let left = until.saturating_duration_since(now);
            if left.is_zero() {
                note.woken = false;
            }
            (!left.is_zero()).then_some(left)
        })
    }

    /// Ends a round: the object is left alone for so long, unless something changes.
    pub fn rest(&self, cr: &Cr, pause: Duration) {
        self.note(cr, |note| {
            note.handled = Some(Handled::of(cr));
            note.not_before = Some(Instant::now() + pause);
        });
    }

    /// Our finalizer was taken off.
    pub fn let_go(&self, cr: &Cr) {
        self.note(cr, |note| note.let_go = true);
    }

    /// Whether an object stands for nothing any more.
    pub fn is_let_go(&self, cr: &Cr) -> bool {
        let uid = cr.uid().unwrap_or_default();
        let ours = cr.finalizers().iter().any(|f| f == FINALIZER);
        let noted = || {
            self.notes()
                .get(&key(cr))
                .is_some_and(|note| note.let_go && note.uid == uid)
        };
        cr.meta().deletion_timestamp.is_some() && (!ours || noted())
    }

    /// Forgets an object that the cache shows no more.
    pub fn forget(&self, namespace: &str, name: &str) {
        self.notes().remove(&(namespace.to_owned(), name.to_owned()));
    }

    /// Lets the others look again that claim the same thing.
    pub fn wake_rivals(&self, cr: &Cr) {
        self.wake_claimants(cr, &(self.claims)(cr));
    }

    /// Lets the others look again that make one of these claims.
    pub fn wake_claimants(&self, cr: &Cr, claims: &[String]) {
        self.claimants(cr, claims).iter().for_each(|other| self.wake_one(other));
    }

    /// The object that has a better claim to the same thing: the one that made it, else the one that has it on record, else
    /// the older one, else the one with the smaller uid.
    pub fn rival(&self, cr: &Cr) -> Option<Arc<Cr>> {
        let rank = |cr: &Cr| {
            let record = match cr.core().and_then(|core| core.origin) {
                Some(Origin::Created) => 0,
                Some(Origin::Adopted) => 1,
                None => 2,
            };
            (record, cr.creation_timestamp().map(|t| t.0), cr.uid())
        };
        let rivals = self.claimants(cr, &(self.claims)(cr)).into_iter();
        rivals
            .filter(|other| rank(other) < rank(cr))
            .min_by_key(|other| rank(other))
    }

    fn claimants(&self, cr: &Cr, claims: &[String]) -> Vec<Arc<Cr>> {
        let found = claims.iter().flat_map(|claim| self.found(claimed(claim)));
        found
            .filter(|other| other.uid() != cr.uid())
            .filter(|other| (self.claims)(other).iter().any(|claim| claims.contains(claim)))
            .collect()
    }

    pub(super) fn wake_one(&self, cr: &Cr) {
        self.note(cr, |note| note.woken = true);
        // A controller that has ended needs no waking.
        let _ = self.wake.send(ObjectRef::from_obj(cr));
    }

    fn notes(&self) -> std::sync::MutexGuard<'_, BTreeMap<Key, Note<Cr>>> {
        self.notes.lock().expect("no holder panics")
    }
}

impl<Cr> Note<Cr> {
    /// The next round must not wait.
    pub fn wake(&mut self) {
        self.woken = true;
    }

    /// A round had nothing to do; `rests` unless it only waits for what ends by itself.
    pub fn settled(&mut self, rests: bool) {
        self.failures = 0;
        if rests {
            self.steps.clear();
        }
    }

    /// A step was carried out; how often it was before, since the object was last at rest.
    pub fn repeats(&mut self, step: &str) -> u32 {
        self.failures = 0;
        let times = self.steps.entry(step.to_owned()).or_insert(0);
        *times += 1;
        *times - 1
    }

    fn new(uid: String) -> Self {
        Self {
            uid,
            written: None,
            handled: None,
            not_before: None,
            woken: false,
            let_go: false,
            failures: 0,
            steps: BTreeMap::new(),
            refused: None,
            granted: None,
            deleted: None,
            acted: None,
            looked: None,
            seen: None,
            missing: 0,
            empty_searches: 0,
            empty_since: None,
        }
    }
}

pub(super) fn claimed(claim: &str) -> Word {
    Word::of("claim", claim)
}

fn referred(reference: &Reference) -> Word {
    Word::of("reference", reference)
}

fn refused(reference: &Reference) -> Word {
    Word::of("refused", reference)
}

fn is_refused<Cr: Managed>(cr: &Cr) -> bool {
    let mut conditions = cr.core().into_iter().flat_map(|core| &core.conditions);
    conditions.any(|found| found.reason == Reason::NotAllowed.as_str())
}

fn key<Cr: Managed>(cr: &Cr) -> Key {
    (cr.namespace().unwrap_or_default(), cr.name_any())
}

/// Resource versions of one kind can be compared as numbers (KEP-5504).
fn version<Cr: Managed>(cr: &Cr) -> u64 {
    cr.resource_version().and_then(|v| v.parse().ok()).unwrap_or(0)
}

//! What lives in an instance of another namespace: the instance's object must admit it.

use std::collections::BTreeMap;

use kube::ResourceExt as _;

use crate::api::{Grant, InstanceKind, Managed, Topic};
use crate::operator::kind::{Home, Reference};
use crate::operator::round::Round;
use crate::plan::Reason;
use crate::plan::fault::Halt;
use crate::plan::grant::{Share, Wish, admit, fits};
use crate::plan::topic::{kafka, name};

/// What an instance of another namespace lets in.
pub struct Admission {
    /// The instance's object.
    host: Reference,
    /// All that it admits.
    grants: Vec<Grant>,
    /// By which of these.
    grant: Grant,
}

/// Whether an instance's object admits an object; there is nothing to admit in its own namespace.
pub fn admitted<Cr: Managed>(
    round: &Round<'_, Cr>,
    host: &Reference,
    home: &Home,
    wish: &Wish,
) -> Result<Option<Admission>, Halt> {
    let namespace = round.namespace();
    if host.namespace == namespace {
        return Ok(None);
    }
    let labels = round.cx.namespaces.labels(namespace);
    match admit(&host.to_string(), &home.grants, (namespace, &labels), wish) {
        Ok(grant) => Ok(Some(Admission {
            host: host.clone(),
            grants: home.grants.clone(),
            grant: grant.clone(),
        })),
        Err(why) => Err(Halt::Stop(Reason::NotAllowed, why)),
    }
}

/// Whether a topic of the instance of this id may have the partitions that it wants, beside the other topics of its grant.
pub fn has_room<Cr: Managed>(
    round: &Round<'_, Cr>,
    admission: &Admission,
    id: &str,
    wanted: &str,
    mine: Share,
) -> Result<(), Halt> {
    let Admission { host, grants, grant } = admission;
    if grant.max_partitions.is_none() {
        return Ok(());
    }
    let cx = round.cx;
    let topics = cx.rooms.of::<Topic>();
    let by_id = topics.users(&Reference::by_id(InstanceKind::KafkaInstance, id));
    let mut others: BTreeMap<String, Share> = BTreeMap::new();
    for topic in topics.users(host).into_iter().chain(by_id) {
        let (namespace, called) = (topic.namespace().unwrap_or_default(), name(&topic));
        // Whoever claims the same topic is in conflict, and who only looks takes nothing.
        let looks_on = topic.spec.management.observes();
        if namespace == host.namespace || called == wanted || looks_on {
            continue;
        }
        let labels = cx.namespaces.labels(&namespace);
        let wish = Wish::Topic(called.clone());
        let by = admit(&host.to_string(), grants, (&namespace, &labels), &wish);
        if by.is_ok_and(|by| by.name == grant.name) {
            let share = kafka::share(&topic, kafka::partitions(&topic, id));
            let share = remembered(share, topics.note(&topic, |note| note.granted));
            let known = others.entry(called).or_insert_with(|| share.clone());
            if share.has > known.has {
                *known = share;
            }
        }
    }
    let others: Vec<_> = others.into_values().collect();
    let room = cx.rooms.of::<Cr>();
    let mine = remembered(mine, room.note(round.cr, |note| note.granted));
    let fits = fits(&host.to_string(), grant, &mine, &others);
    // What waits for its turn is counted by those who ask after it.
    room.note(round.cr, |note| note.granted = fits.is_ok().then_some(mine.wants));
    fits.map_err(|why| Halt::Stop(Reason::NotAllowed, why))
}

fn remembered(share: Share, granted: Option<u32>) -> Share {
    let admitted = share.admitted || granted == Some(share.wants);
    Share { admitted, ..share }
}

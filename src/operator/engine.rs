//! One reconcile for every kind: load, look, decide, write down, act, write down.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::core::object::HasStatus as _;
use kube::runtime::controller::Action;
use kube::{Resource as _, ResourceExt as _};
use tokio::time::{Instant, sleep};
use tracing::{debug, info, warn};

use super::Context;
use super::hub::Hub;
use super::kind::{Kind, Look, Reference};
use super::room::Room;
use super::round::Round;
use super::turns::Way;
use super::writes::Failure;
use crate::api::{ABANDON, CoreStatus, FINALIZER, Managed, PAUSED, RECONCILE_REQUESTED_AT};
use crate::cloud::{Class, Error, Fault, Operation, Sent};
use crate::plan::fault::{Again, Halt, Standing, create_failed, interrupted};
use crate::plan::{Next, Situation};

/// How soon what was done is read back.
pub const SOON: Duration = Duration::from_secs(1);
/// A new object whose first look takes longer is told that it waits; before, what comes of the look is.
const LONG_LOOK: Duration = Duration::from_secs(3);
/// The same for its turn to be made: a thousand that are applied at once are a thousand writes.
const LONG_LINE: Duration = Duration::from_secs(60);
/// How many polling intervals something that is woken waits at most.
const WOKEN: u32 = 8;
/// A create that costs money must be answered within this time; our lease must outlast it.
pub const CREATE_TIMEOUT: Duration = Duration::from_secs(8);

/// Reconciles one object. It never fails: what went wrong is in the object's conditions, or it is tried again.
pub async fn reconcile<K: Kind>(cached: Arc<K::Cr>, cx: Arc<Context>) -> Result<Action, std::convert::Infallible> {
    let room = cx.rooms.of::<K::Cr>();
    let cr = room.freshest(cached);
    if room.is_let_go(&*cr) {
        return Ok(Action::await_change());
    }
    if let Some(left) = room.hold(&*cr) {
        return Ok(Action::requeue(left));
    }
    let begun = Instant::now();
    let mut worker = Worker::<K> {
        cx: &cx,
        room,
        cr: cr.clone(),
    };
    // A round is large, and thousands may be due at once: only those that run are there.
    let pause = match Box::pin(worker.round()).await {
        Ok(pause) => pause,
        Err(Failure::Conflict) => {
            // The watch brings the newer object; ours must not hold it back.
            room.note(&*cr, |note| note.wake());
            worker.backoff(Duration::ZERO)
        }
        Err(failure) => {
            warn!(object = %Reference::to(&*cr), error = %failure, "could not finish a round");
            worker.backoff(Duration::ZERO)
        }
    };
    let took = begun.elapsed();
    debug!(object = %Reference::to(&*worker.cr), ?took, ?pause, "ends a round");
    cx.metrics.reconciled(&K::Cr::kind(&()), took);
    match pause {
        Duration::MAX => Ok(Action::await_change()),
        pause => {
            room.rest(&*worker.cr, pause);
            Ok(Action::requeue(pause))
        }
    }
}

pub(super) struct Worker<'a, K: Kind> {
    pub(super) cx: &'a Context,
    pub(super) room: &'a Room<K::Cr>,
    pub(super) cr: Arc<K::Cr>,
}

impl<K: Kind> Worker<'_, K> {
    async fn round(&mut self) -> Result<Duration, Failure> {
        if self.cx.gate.is_crowded() {
            return Ok(SOON);
        }
        let deleting = self.cr.meta().deletion_timestamp.is_some();
        if deleting {
            if let Some(why) = self.lets_go() {
                return self.release(&why).await;
            }
        } else {
            self.welcome().await?;
        }
        if self.cr.annotations().get(PAUSED).is_some_and(|v| v == "true") {
            return self.pause().await;
        }
        let cr = self.cr.clone();
        let round = Round {
            cx: self.cx,
            cr: &*cr,
            nonce: self.cx.nonce(),
        };
        let looked = {
            let mut look = std::pin::pin!(K::look(&round));
            loop {
                tokio::select! {
                    looked = &mut look => break looked,
                    pause = self.in_vain(&cr) => return Ok(pause),
                    () = sleep(LONG_LOOK), if self.is_new() => Box::pin(self.tell(&Situation::Pending)).await?,
                }
            }
        };
        let Look {
            reach,
            mut plan,
            as_of,
            now,
        } = match looked {
            Ok(look) => look,
            Err(halt) => return self.interrupted(&halt, false, None).await,
        };
        let decided = Instant::now();
        self.room.note(&*cr, |note| {
            note.looked = Some(decided);
            note.seen = as_of.or(note.seen);
        });
        if plan.next == Next::Release {
            return self.release(plan.situation.message()).await;
        }
        let step = plan.steps.into_iter().next();
        if let Some(step) = step.as_ref().filter(|step| K::buys(step))
            && let Some(pause) = self.may_not_buy(step).await?
        {
            return Ok(pause);
        }
        let Some(step) = step else {
            self.publish(plan.status, &plan.situation).await?;
            let rests = matches!(plan.next, Next::Rest | Next::Within(_) | Next::Stop(_));
            self.room.note(&*cr, |note| note.settled(rests));
            return Ok(match (plan.next, K::hub(&reach)) {
                (Next::Moved, Some(hub)) => hub.wait(Reference::to(&*cr), Way::Together),
                (next, _) => self.pause_of(next),
            });
        };
        let hub = K::hub(&reach);
        let mut _turn = None;
        if let Some(hub) = hub.filter(|_| K::way(&step) != Way::Together) {
            if K::creates(&step) && hub.sends_away(&Reference::to(&*cr)) {
                return Ok(LONG_LINE);
            }
            let mut turn = std::pin::pin!(hub.turn(round.priority(), K::way(&step)));
            let turn = loop {
                tokio::select! {
                    turn = &mut turn => break turn,
                    pause = self.in_vain(&cr) => return Ok(pause),
                    () = sleep(LONG_LINE), if self.is_new() => self.tell(&plan.situation).await?,
                }
            };
            match turn {
                Ok(turn) => _turn = Some(turn),
                Err(busy) => return self.waits(&busy.into(), hub, K::way(&step)).await,
            }
            // It may have waited for long, and lists are to show it from now on.
            if let Some(intent) = plan
                .status
                .as_mut()
                .create_intent
                .as_mut()
                .filter(|_| K::creates(&step))
            {
                intent.time = (now + decided.elapsed()).to_string();
            }
        }
        self.announce(plan.status, &plan.situation, K::tells(&step)).await?;
        info!(object = %Reference::to(&*cr), step = %crate::plan::cut(&format!("{step:?}"), 500), "acts");
        let acted = if K::buys(&step) && !self.cx.tenure.outlasts(CREATE_TIMEOUT) {
            let why = "our lease might end before the answer";
            Err(Error::new(Operation::CreateInstanceByEngine, Class::Unavailable, Sent::Never, why).into())
        } else {
            K::act(&round, &reach, &step).await
        };
        if !matches!(&acted, Err(Halt::Cloud(error)) if left_no_trace(error)) {
            // Reads must have begun after the call ended.
            self.room.note(&*cr, |note| note.acted = Some(Instant::now()));
        }
        let now = now + decided.elapsed();
        match acted {
            Ok(effect) => {
                for waiting in hub.map(Hub::moved).unwrap_or_default() {
                    self.cx.rooms.wake(&waiting);
                }
                self.room.note(&*cr, |note| {
                    note.refused = None;
                    note.deleted = round.deleting().then(Instant::now);
                });
                let mut status = self.cr.status().cloned().unwrap_or_default();
                K::settle(&*cr, &mut status, &step, effect, now);
                self.publish(status, &plan.situation).await?;
                Ok(self.settling(&format!("{step:?}"), plan.next))
            }
            Err(Halt::Cloud(error)) if self.may_be_outdated(&error, as_of, decided) => {
                let error = outdated(&error);
                self.interrupted(&error.into(), true, K::creates(&step).then_some(now))
                    .await
            }
            Err(halt) => {
                let pause = self.interrupted(&halt, true, K::creates(&step).then_some(now)).await?;
                Ok(match (&halt, hub) {
                    (Halt::Cloud(error), Some(hub)) if error.class() == Class::Busy => {
                        hub.wait(Reference::to(&*cr), K::way(&step))
                    }
                    _ => pause,
                })
            }
        }
    }

    /// Nothing was told of it yet.
    fn is_new(&self) -> bool {
        self.cr.core().is_none_or(|core| core.conditions.is_empty())
    }

    /// Says where a new object stands that waits for long.
    async fn tell(&mut self, situation: &Situation) -> Result<(), Failure> {
        let mut status = self.cr.status().cloned().unwrap_or_default();
        status.as_mut().observed_generation = self.cr.meta().generation;
        self.publish(status, situation).await
    }

    /// Returns once waiting is in vain: the object changed, and what was seen or decided is not what is wished now, or we
    /// are to end, which whoever waits for a turn must not hold up.
    async fn in_vain(&self, cr: &K::Cr) -> Duration {
        tokio::select! {
            () = self.room.changed(cr) => Duration::ZERO,
            () = self.cx.ending.cancelled() => self.cx.config.poll,
        }
    }

    /// The instance is busy, and what was decided waits for it.
    async fn waits(&mut self, busy: &Halt, hub: &Hub, way: Way) -> Result<Duration, Failure> {
        self.interrupted(busy, true, None).await?;
        Ok(hub.wait(Reference::to(&*self.cr), way))
    }

    /// A refusal counts once it is clear that it is not what was decided that is outdated: the list was new, or it was read
    /// again since the last refusal.
    fn may_be_outdated(&self, error: &Error, as_of: Option<Instant>, decided: Instant) -> bool {
        let Some(as_of) = as_of.filter(|_| error.class() == Class::Invalid) else {
            return false;
        };
        let generation = self.cr.meta().generation;
        let refused = self
            .room
            .note(&*self.cr, |note| note.refused.replace((generation, Instant::now())));
        let before = refused.filter(|(edit, _)| *edit == generation).map(|(_, at)| at);
        decided.saturating_duration_since(as_of) > SOON && before.is_none_or(|before| as_of <= before)
    }

    /// Why a deleted object can go without a look.
    fn lets_go(&self) -> Option<String> {
        let nothing = CoreStatus::default();
        let core = self.cr.core().unwrap_or(&nothing);
        if K::can_let_go(core) {
            return Some("nothing in the cloud stands for it".into());
        }
        let abandoned = self.cr.annotations().get(ABANDON);
        if abandoned.is_some() && abandoned == K::abandon_key(&*self.cr).as_ref() {
            return Some(format!("abandoned: {} stays in the cloud", stands_for(core)));
        }
        if self.is_left_behind() {
            let why = "the objects that reached it are gone";
            return Some(format!(
                "{why}: {} goes with its instance, or stays in it",
                stands_for(core)
            ));
        }
        K::orphans(&*self.cr).then(|| format!("{} stays in the cloud", stands_for(core)))
    }

    /// The instance that it lives in is another namespace's, which took along the instance's object and the way there.
    fn is_left_behind(&self) -> bool {
        let own = self.cr.namespace().unwrap_or_default();
        let mut elsewhere = K::references(&*self.cr);
        elsewhere.retain(|needed| needed.namespace != own && !needed.namespace.is_empty());
        let reached = |core: &CoreStatus| core.provider.as_ref().is_some_and(|pinned| pinned.namespace != own);
        self.cr.core().is_some_and(reached) && !elsewhere.iter().any(|needed| self.cx.rooms.exists(needed))
    }

    /// Puts our finalizer on a new object.
    async fn welcome(&mut self) -> Result<(), Failure> {
        if !self.cr.finalizers().iter().any(|f| f == FINALIZER) {
            let mut finalizers = self.cr.finalizers().to_vec();
            finalizers.push(FINALIZER.into());
            self.patch_finalizers(finalizers).await?;
        }
        Ok(())
    }

    async fn pause(&mut self) -> Result<Duration, Failure> {
        let mut status = self.cr.status().cloned().unwrap_or_default();
        if self.cr.meta().deletion_timestamp.is_some() {
            let message = "held by the annotation dms.huaweicloud.com/paused".into();
            self.publish(status, &Situation::Deleting { message }).await?;
        } else {
            let core = status.as_mut();
            core.observed_generation = core.applied_generation.or(Some(0)).min(self.cr.meta().generation);
            self.publish(status, &Situation::Paused).await?;
        }
        Ok(self.pause_of(Next::Rest))
    }

    /// A round that is about to spend money reads the object from the API server, and needs a lease that outlasts the call.
    async fn may_not_buy(&mut self, step: &K::Step) -> Result<Option<Duration>, Failure> {
        let fresh = self.cx.gate.call(self.api().get(&self.cr.name_any())).await?;
        if fresh.resource_version() != self.cr.resource_version() {
            self.room.wrote(Arc::new(fresh));
            return Err(Failure::Conflict);
        }
        if !self.cx.tenure.outlasts(CREATE_TIMEOUT) {
            warn!(object = %Reference::to(&*self.cr), ?step, "waits for a lease that outlasts the call");
            return Ok(Some(SOON));
        }
        Ok(None)
    }

    /// The round ended early, at a look or at a step.
    async fn interrupted(
        &mut self,
        halt: &Halt,
        acting: bool,
        creating: Option<Timestamp>,
    ) -> Result<Duration, Failure> {
        let mut status = self.cr.status().cloned().unwrap_or_default();
        let generation = self.cr.meta().generation.unwrap_or(0);
        if let (Some(now), Halt::Cloud(error)) = (creating, halt) {
            create_failed(status.as_mut(), error, now);
        }
        let resync = self.cx.config.resync;
        let recent = self.room.note(&*self.cr, |note| {
            note.looked.get_or_insert_with(Instant::now).elapsed() < resync * 3
        });
        let standing = Standing {
            core: status.as_ref(),
            generation,
            deleting: self.cr.meta().deletion_timestamp.is_some(),
            acting,
            recent,
        };
        let (situation, again) = interrupted(standing, halt);
        if let Some(situation) = situation {
            let core = status.as_mut();
            core.observed_generation = Some(generation);
            core.last_handled_reconcile_at = self.cr.annotations().get(RECONCILE_REQUESTED_AT).cloned();
            self.publish(status, &situation).await?;
        }
        if let Halt::Cloud(error) = halt {
            self.cx.metrics.fault(error.class());
            if error.fault() == Fault::Retry {
                warn!(object = %Reference::to(&*self.cr), %error, "will try again");
            }
        }
        Ok(match again {
            Again::At(next) => self.pause_of(next),
            Again::Backoff(at_least) => self.backoff(at_least),
        })
    }

    fn pause_of(&self, next: Next) -> Duration {
        let config = &self.cx.config;
        match next {
            Next::Soon => SOON.min(config.poll),
            Next::Shows => {
                let acted = self.room.note(&*self.cr, |note| note.acted);
                let ago = acted.map_or(Duration::ZERO, |acted| acted.elapsed());
                (ago / 4).clamp(SOON.min(config.poll), config.poll)
            }
            Next::Poll | Next::Moved => jittered(config.poll, &self.cr.uid().unwrap_or_default()),
            Next::Woken => jittered(config.poll * WOKEN, &self.cr.uid().unwrap_or_default()),
            Next::Rest => {
                // Not less than the interval, or lists would be read more than once in it.
                let interval = self.cx.resync_of(&*self.cr) * 10 / 9;
                jittered(interval, &self.cr.uid().unwrap_or_default()).min(K::LONGEST_PAUSE)
            }
            Next::Within(pause) => pause.min(self.pause_of(Next::Rest)),
            Next::Stop(pause) => pause.min(K::LONGEST_PAUSE),
            Next::Release => Duration::MAX,
        }
    }

    /// A step was carried out: read back soon, but ever later if the same step comes again and again.
    fn settling(&self, step: &str, next: Next) -> Duration {
        let repeats = self.room.note(&*self.cr, |note| note.repeats(step));
        let pause = self.pause_of(next);
        if repeats == 0 {
            pause
        } else {
            pause.max(grown(SOON, repeats)).min(self.cx.config.resync)
        }
    }

    /// A pause that grows with each failure in a row.
    fn backoff(&self, at_least: Duration) -> Duration {
        let failures = self.room.note(&*self.cr, |note| {
            note.failures += 1;
            note.failures
        });
        let pause = grown(SOON, failures - 1).min(self.cx.config.resync.min(Duration::from_secs(300)));
        jittered(pause, &self.cr.uid().unwrap_or_default()).max(at_least)
    }
}

/// Nothing was changed, and lists show what they showed.
fn left_no_trace(error: &Error) -> bool {
    error.sent() != Sent::Unknown && matches!(error.class(), Class::Busy | Class::Throttled)
}

fn outdated(error: &Error) -> Error {
    let message = format!("{}; looks again whether that is still so", error.said());
    Error::new(error.operation(), Class::Unavailable, error.sent(), message)
}

fn stands_for(core: &CoreStatus) -> String {
    match (&core.external_name, &core.instance_id) {
        (Some(name), Some(instance)) => format!("{name} of instance {instance}"),
        (None, Some(instance)) => format!("instance {instance}"),
        (Some(name), None) => name.clone(),
        (None, None) => "what a create under way may have made".into(),
    }
}

/// Twice as long each time, up to a limit that no interval exceeds.
fn grown(base: Duration, times: u32) -> Duration {
    base * 2u32.pow(times.min(12))
}

/// Up to a tenth more or less, the same for the same object, so that many objects spread over the interval.
fn jittered(pause: Duration, uid: &str) -> Duration {
    let hash = uid.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    pause.mul_f64(0.9 + (hash % 1000) as f64 / 5000.0)
}

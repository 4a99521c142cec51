//! One reconcile for every kind: load, look, decide, write down, act, write down.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::api::{Api, Patch, PatchParams};
use kube::core::object::HasStatus as _;
use kube::runtime::controller::Action;
use kube::{Resource as _, ResourceExt as _};
use serde_json::json;
use tokio::time::{Instant, timeout};
use tracing::{info, warn};

use super::Context;
use super::kind::{Kind, Look, Reference};
use super::room::Room;
use crate::api::{
    ABANDON, Adoption, CoreStatus, FINALIZER, META_MANAGER, Managed, PAUSED, RECONCILE_REQUESTED_AT, RECREATE,
    STATUS_MANAGER,
};
use crate::cloud::{Class, Client, Error, Fault, Operation, Sent};
use crate::plan::fault::{Again, Halt, Standing, create_failed, interrupted};
use crate::plan::{Facts, Job, Next, Situation};

/// How long a call to the API server may take.
pub const KUBE_TIMEOUT: Duration = Duration::from_secs(10);
/// How soon what was done is read back.
pub const SOON: Duration = Duration::from_secs(1);
/// A read for somebody who waits must not be older than this.
const FRESH: Duration = Duration::from_secs(1);
/// A create that costs money must be answered within this time; our lease must outlast it.
pub const CREATE_TIMEOUT: Duration = Duration::from_secs(8);

/// One object in one round.
pub struct Round<'a, Cr: Managed> {
    /// The operator.
    pub cx: &'a Context,
    /// The object as new as we know it.
    pub cr: &'a Cr,
    /// A nonce, in case an intent is written.
    pub nonce: String,
}

/// Why a round could not be written down.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// Somebody else wrote in between; the next round sees it.
    #[error("the object changed meanwhile")]
    Conflict,
    #[error("failed to write to the API server: {0}")]
    Kube(#[source] Box<kube::Error>),
    #[error("no answer from the API server in time")]
    Timeout,
}

/// Reconciles one object. It never fails: what went wrong is in the object's conditions, or it is tried again.
pub async fn reconcile<K: Kind>(cached: Arc<K::Cr>, cx: Arc<Context>) -> Result<Action, std::convert::Infallible> {
    cx.synced().await;
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
    let pause = match worker.round().await {
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
    cx.metrics.reconciled(&K::Cr::kind(&()), begun.elapsed());
    match pause {
        Duration::MAX => Ok(Action::await_change()),
        pause => {
            room.rest(&*worker.cr, pause);
            Ok(Action::requeue(pause))
        }
    }
}

struct Worker<'a, K: Kind> {
    cx: &'a Context,
    room: &'a Room<K::Cr>,
    cr: Arc<K::Cr>,
}

impl<K: Kind> Worker<'_, K> {
    async fn round(&mut self) -> Result<Duration, Failure> {
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
        let looked = K::look(&round).await;
        let Look { reach, plan, now } = match looked {
            Ok(look) => look,
            Err(halt) => return self.interrupted(&halt, false, None).await,
        };
        let decided = Instant::now();
        self.room.note(&*cr, |note| note.looked = Some(decided));
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
            let rests = matches!(plan.next, Next::Rest | Next::Stop(_));
            self.room.note(&*cr, |note| note.settled(rests));
            return Ok(self.pause_of(plan.next));
        };
        self.announce(plan.status, &plan.situation).await?;
        info!(object = %Reference::to(&*cr), step = %crate::plan::cut(&format!("{step:?}"), 500), "acts");
        self.room.note(&*cr, |note| note.acted = Some(Instant::now()));
        let acted = if K::buys(&step) && !self.cx.tenure.outlasts(CREATE_TIMEOUT) {
            let why = "our lease might end before the answer";
            Err(Error::new(Operation::CreateInstanceByEngine, Class::Unavailable, Sent::Never, why).into())
        } else {
            K::act(&round, &reach, &step).await
        };
        // Reads must have begun after the call ended.
        self.room.note(&*cr, |note| note.acted = Some(Instant::now()));
        let now = now + decided.elapsed();
        match acted {
            Ok(effect) => {
                let mut status = self.cr.status().cloned().unwrap_or_default();
                K::settle(&*cr, &mut status, &step, effect, now);
                self.publish(status, &plan.situation).await?;
                Ok(self.settling(&format!("{step:?}"), plan.next))
            }
            Err(halt) => self.interrupted(&halt, true, K::creates(&step).then_some(now)).await,
        }
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
        K::orphans(&*self.cr).then(|| format!("{} stays in the cloud", stands_for(core)))
    }

    /// Puts our finalizer on a new object, and says that it was seen.
    async fn welcome(&mut self) -> Result<(), Failure> {
        if !self.cr.finalizers().iter().any(|f| f == FINALIZER) {
            let mut finalizers = self.cr.finalizers().to_vec();
            finalizers.push(FINALIZER.into());
            self.patch_finalizers(finalizers).await?;
        }
        if self.cr.core().is_none_or(|core| core.conditions.is_empty()) {
            let mut status = self.cr.status().cloned().unwrap_or_default();
            status.as_mut().observed_generation = self.cr.meta().generation;
            self.publish(status, &Situation::Pending).await?;
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
        let fresh = kube_call(self.api().get(&self.cr.name_any())).await?;
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

    /// Writes the status before a step. The words of its conditions wait until after the step, or an object that tries
    /// again and again would tell each time in turn what it tries and why it failed.
    async fn announce(&mut self, mut status: <K::Cr as Managed>::State, situation: &Situation) -> Result<(), Failure> {
        let before = self.cr.core().map(|core| core.conditions.clone()).unwrap_or_default();
        let conditions = self.conditions(status.as_ref(), situation);
        let states = |conditions: &[Condition]| conditions.iter().map(|c| c.status.clone()).collect::<Vec<_>>();
        let same = states(&conditions) == states(&before);
        status.as_mut().conditions = if same { before } else { conditions };
        self.write(status, situation).await
    }

    /// Writes the status with the conditions of this situation.
    async fn publish(&mut self, mut status: <K::Cr as Managed>::State, situation: &Situation) -> Result<(), Failure> {
        status.as_mut().conditions = self.conditions(status.as_ref(), situation);
        self.write(status, situation).await
    }

    fn conditions(&self, core: &CoreStatus, situation: &Situation) -> Vec<Condition> {
        let before = self
            .cr
            .core()
            .map(|core| core.conditions.as_slice())
            .unwrap_or_default();
        let generation = self.cr.meta().generation.unwrap_or(0);
        situation.conditions(&core.drift, generation, before, self.cx.clock.now())
    }

    /// Writes the status if it changed, under the version that the round saw, and tells of a change of mind.
    async fn write(&mut self, status: <K::Cr as Managed>::State, situation: &Situation) -> Result<(), Failure> {
        let before = self.cr.status().cloned().unwrap_or_default();
        if status == before {
            return Ok(());
        }
        let told = |core: &CoreStatus| {
            core.conditions
                .iter()
                .map(|c| (c.status.clone(), c.reason.clone()))
                .collect::<Vec<_>>()
        };
        let news = told(before.as_ref()) != told(status.as_ref());
        let edited = before.as_ref().observed_generation != status.as_ref().observed_generation;
        let patch = json!({
            "apiVersion": K::Cr::api_version(&()),
            "kind": K::Cr::kind(&()),
            "metadata": { "resourceVersion": self.cr.resource_version() },
            "status": status,
        });
        let params = PatchParams::apply(STATUS_MANAGER).force();
        let written = kube_call(
            self.api()
                .patch_status(&self.cr.name_any(), &params, &Patch::Apply(patch)),
        )
        .await?;
        self.keep(written);
        if news {
            self.cx.events.publish(&*self.cr, situation, self.cx.clock.now()).await;
        }
        if news || edited {
            self.cx.rooms.wake_users_of(&Reference::to(&*self.cr));
        }
        Ok(())
    }

    /// Takes our finalizer off: the object goes.
    async fn release(&mut self, why: &str) -> Result<Duration, Failure> {
        let finalizers: Vec<_> = self
            .cr
            .finalizers()
            .iter()
            .filter(|f| *f != FINALIZER)
            .cloned()
            .collect();
        match self.patch_finalizers(finalizers).await {
            Ok(()) => {}
            // Gone already: nothing is held any more.
            Err(Failure::Kube(error)) if matches!(&*error, kube::Error::Api(s) if s.is_not_found()) => {}
            Err(failure) => return Err(failure),
        }
        info!(object = %Reference::to(&*self.cr), why, "lets go");
        self.room.let_go(&*self.cr);
        self.cx.events.released(&*self.cr, why, self.cx.clock.now()).await;
        self.cx.rooms.wake_users_of(&Reference::to(&*self.cr));
        for needed in K::references(&*self.cr) {
            self.cx.rooms.wake(&needed);
        }
        self.room.wake_rivals(&*self.cr);
        Ok(Duration::MAX)
    }

    async fn patch_finalizers(&mut self, finalizers: Vec<String>) -> Result<(), Failure> {
        let patch = json!({
            "metadata": { "resourceVersion": self.cr.resource_version(), "finalizers": finalizers },
        });
        let params = PatchParams {
            field_manager: Some(META_MANAGER.into()),
            ..Default::default()
        };
        let written = kube_call(self.api().patch(&self.cr.name_any(), &params, &Patch::Merge(patch))).await?;
        self.keep(written);
        Ok(())
    }

    fn keep(&mut self, mut written: K::Cr) {
        super::prune(&mut written);
        self.cr = Arc::new(written);
        self.room.wrote(self.cr.clone());
    }

    fn api(&self) -> Api<K::Cr> {
        Api::namespaced(self.cx.kube.clone(), &self.cr.namespace().unwrap_or_default())
    }

    fn pause_of(&self, next: Next) -> Duration {
        let config = &self.cx.config;
        match next {
            Next::Soon => SOON.min(config.poll),
            Next::Poll => jittered(config.poll, &self.cr.uid().unwrap_or_default()),
            Next::Rest => {
                jittered(self.cx.resync_of(&*self.cr), &self.cr.uid().unwrap_or_default()).min(K::LONGEST_PAUSE)
            }
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

impl<Cr: Managed> Round<'_, Cr> {
    /// What every plan needs to know of its object.
    pub fn facts<'b>(
        &'b self,
        core: &'b CoreStatus,
        adoption: Adoption,
        owner: Option<String>,
        job: Option<Job>,
        now: Timestamp,
    ) -> Facts<'b> {
        let annotation = |name: &str| self.cr.annotations().get(name).map(String::as_str);
        Facts {
            core,
            generation: self.cr.meta().generation.unwrap_or(0),
            deleting: self.deleting(),
            adoption,
            requested: annotation(RECONCILE_REQUESTED_AT),
            recreate: annotation(RECREATE),
            owner,
            job,
            nonce: &self.nonce,
            now,
        }
    }

    /// The object's namespace.
    pub fn namespace(&self) -> &str {
        self.cr.meta().namespace.as_deref().unwrap_or_default()
    }

    /// The object is being deleted.
    pub fn deleting(&self) -> bool {
        self.cr.meta().deletion_timestamp.is_some()
    }

    /// The object that has a better claim to the same thing, for a message.
    pub fn owner(&self) -> Option<String> {
        let rival = self.cx.rooms.of::<Cr>().rival(self.cr)?;
        let since = rival
            .creation_timestamp()
            .map(|t| format!(", made {}", t.0))
            .unwrap_or_default();
        Some(format!("{}{since}", Reference::to(&*rival)))
    }

    /// How new a shared read must be: newer than our last step, and fresh unless nobody waits for it.
    pub fn since(&self, core: &CoreStatus) -> Instant {
        let now = Instant::now();
        let waits = core.create_intent.is_some() || core.operation.is_some() || self.deleting();
        let at_rest = core.applied_generation == self.cr.meta().generation && core.drift.is_empty() && !waits;
        let age = if at_rest && !self.is_asked() {
            self.cx.resync_of(self.cr).mul_f64(0.8)
        } else {
            FRESH
        };
        let floor = now.checked_sub(age).unwrap_or(now);
        let acted = self.cx.rooms.of::<Cr>().note(self.cr, |note| note.acted);
        acted.map_or(floor, |acted| acted.max(floor))
    }

    /// The annotation asks for a look now.
    pub fn is_asked(&self) -> bool {
        let requested = self.cr.annotations().get(RECONCILE_REQUESTED_AT);
        requested.is_some() && requested != self.cr.core().and_then(|core| core.last_handled_reconcile_at.as_ref())
    }

    /// The state of the background job of `status.operation`.
    pub async fn job(&self, client: &Client, instance_id: &str, core: &CoreStatus) -> Result<Option<Job>, Halt> {
        let Some(operation) = core.operation.as_ref().filter(|o| o.failure.is_none()) else {
            return Ok(None);
        };
        let Some(id) = &operation.job_id else { return Ok(None) };
        use crate::cloud::kafka::TaskStatus as S;
        let task = match client.show_task(instance_id, id).await {
            Ok(task) => task,
            Err(error) if error.class() == Class::NotFound => return Ok(Some(Job::Unknown)),
            Err(error) => return Err(error.into()),
        };
        Ok(Some(match task.status {
            Some(S::Success) => Job::Succeeded,
            Some(status @ (S::Failed | S::Cancelled | S::Deleted)) => {
                Job::Failed(format!("job {id} ended {}", status.as_str()))
            }
            Some(S::Created | S::Executing | S::Other(_)) | None => Job::Running,
        }))
    }
}

async fn kube_call<T>(call: impl Future<Output = kube::Result<T>>) -> Result<T, Failure> {
    match timeout(KUBE_TIMEOUT, call).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(kube::Error::Api(status))) if status.is_conflict() => Err(Failure::Conflict),
        Ok(Err(error)) => Err(Failure::Kube(Box::new(error))),
        Err(_) => Err(Failure::Timeout),
    }
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

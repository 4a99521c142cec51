//! How a round is written down: the status, the finalizer, and whom it is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::api::{Api, Patch, PatchParams};
use kube::core::object::HasStatus as _;
use kube::{Resource as _, ResourceExt as _};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tracing::info;

use super::engine::Worker;
use super::kind::{Kind, Reference};
use crate::api::{CoreStatus, FINALIZER, META_MANAGER, Managed, STATUS_MANAGER};
use crate::plan::Situation;

/// How long a call to the API server may take.
pub const KUBE_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a round could not be written down.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// Somebody else wrote in between; the next round sees it.
    #[error("the object changed meanwhile")]
    Conflict,
    #[error("failed to write to the API server: {0}")]
    Kube(#[source] Box<kube::Error>),
    #[error("no answer from the API server in time")]
    Timeout,
}

impl<K: Kind> Worker<'_, K> {
    /// Writes the status before a step. The words of its conditions wait until after the step, or an object that tries
    /// again and again would tell each time in turn what it tries and why it failed.
    pub(super) async fn announce(
        &mut self,
        mut status: <K::Cr as Managed>::State,
        situation: &Situation,
        tells: bool,
    ) -> Result<(), Failure> {
        let before = self.cr.core().map(|core| core.conditions.clone()).unwrap_or_default();
        let conditions = self.conditions(status.as_ref(), situation);
        let states = |conditions: &[Condition]| conditions.iter().map(|c| c.status.clone()).collect::<Vec<_>>();
        let same = states(&conditions) == states(&before);
        status.as_mut().conditions = if same { before } else { conditions };
        let tells = tells || !situation.is_asked_for();
        Box::pin(self.write(status, situation, tells)).await
    }

    /// Writes the status with the conditions of this situation.
    pub(super) async fn publish(
        &mut self,
        mut status: <K::Cr as Managed>::State,
        situation: &Situation,
    ) -> Result<(), Failure> {
        status.as_mut().conditions = self.conditions(status.as_ref(), situation);
        let tells = *situation != Situation::Pending;
        Box::pin(self.write(status, situation, tells)).await
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

    /// Writes the status if it changed, under the version that the round saw, and tells of a change of mind. Rounds that
    /// never write should not be as large as this.
    async fn write(
        &mut self,
        status: <K::Cr as Managed>::State,
        situation: &Situation,
        tells: bool,
    ) -> Result<(), Failure> {
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
        let written = self
            .cx
            .gate
            .call(
                self.api()
                    .patch_status(&self.cr.name_any(), &params, &Patch::Apply(patch)),
            )
            .await?;
        self.keep(written);
        if news || edited {
            self.wake_users();
        }
        if news && tells {
            self.cx.events.publish(&*self.cr, situation, self.cx.clock.now());
        }
        Ok(())
    }

    /// Takes our finalizer off: the object goes.
    pub(super) async fn release(&mut self, why: &str) -> Result<Duration, Failure> {
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
        self.wake_users();
        for needed in K::references(&*self.cr) {
            self.cx.rooms.wake_leaving(&needed);
            self.cx.rooms.wake_refused(&needed);
        }
        self.room.wake_rivals(&*self.cr);
        self.cx.events.released(&*self.cr, why, self.cx.clock.now());
        Ok(Duration::MAX)
    }

    fn wake_users(&self) {
        let rooms = &self.cx.rooms;
        rooms.wake_users_of(&Reference::to(&*self.cr));
        if let Some(id) = K::home(&self.cr).and_then(|home| home.core.instance_id) {
            rooms.wake_users_of(&Reference::new(&K::Cr::kind(&()), "", &id));
        }
    }

    pub(super) async fn patch_finalizers(&mut self, finalizers: Vec<String>) -> Result<(), Failure> {
        let patch = json!({
            "metadata": { "resourceVersion": self.cr.resource_version(), "finalizers": finalizers },
        });
        let params = PatchParams {
            field_manager: Some(META_MANAGER.into()),
            ..Default::default()
        };
        let written = self
            .cx
            .gate
            .call(self.api().patch(&self.cr.name_any(), &params, &Patch::Merge(patch)))
            .await?;
        self.keep(written);
        Ok(())
    }

    fn keep(&mut self, mut written: K::Cr) {
        super::prune(&mut written);
        self.cr = Arc::new(written);
        self.room.wrote(self.cr.clone());
    }

    pub(super) fn api(&self) -> Api<K::Cr> {
        Api::namespaced(self.cx.kube.clone(), &self.cr.namespace().unwrap_or_default())
    }
}

/// How many calls to the API server may be under way at once: ten thousand at once would all be late, and the lease's
/// renewal, which does not wait here, with them.
const AT_ONCE: usize = 32;

/// With no more than this many under way, there is room for what may come later.
const FEW: usize = 8;
/// How soon that looks again whether there is room, and how long it waits at most.
const LOOKS: Duration = Duration::from_millis(50);
const LULL: Duration = Duration::from_secs(5);

/// The way to the API server.
pub struct Gate {
    permits: Semaphore,
    /// How many wait.
    waiting: AtomicUsize,
}

/// How many may wait as they are; a round that waits holds some ten kilobytes. Others come again.
const CROWD: usize = 256;

/// One that waits, until it is dropped.
struct Waits<'a>(&'a AtomicUsize);

impl<'a> Waits<'a> {
    fn new(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(waiting)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            permits: Semaphore::new(AT_ONCE),
            waiting: AtomicUsize::default(),
        }
    }
}

impl Gate {
    /// Whether so many wait that a round should come again rather than begin.
    pub(super) fn is_crowded(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) >= CROWD
    }

    /// Waits until few calls are under way, or for a while at most.
    pub(super) async fn lull(&self) {
        let busy = || AT_ONCE - self.permits.available_permits() > FEW;
        let calm = async {
            while busy() {
                sleep(LOOKS).await;
            }
        };
        let _ = timeout(LULL, calm).await;
    }

    /// A call to the API server that ends; its time counts from when it is sent.
    pub(super) fn call<T>(
        &self,
        call: impl Future<Output = kube::Result<T>> + Send,
    ) -> impl Future<Output = Result<T, Failure>> + Send {
        // It is large, and whoever waits here or anywhere before it would be as large.
        let call = Box::pin(call);
        async {
            // It is never closed.
            let _permit = {
                let _waits = Waits::new(&self.waiting);
                self.permits.acquire().await
            };
            match timeout(KUBE_TIMEOUT, call).await {
                Ok(Ok(value)) => Ok(value),
                Ok(Err(kube::Error::Api(status))) if status.is_conflict() => Err(Failure::Conflict),
                Ok(Err(error)) => Err(Failure::Kube(Box::new(error))),
                Err(_) => Err(Failure::Timeout),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_may_come_later_waits_for_room_but_not_for_ever() {
        let gate = Arc::<Gate>::default();
        let waited = async |calls: usize, takes: u64| {
            let takes = Duration::from_millis(takes);
            for _ in 0..calls {
                let gate = gate.clone();
                tokio::spawn(async move { gate.call(sleep(takes).map(Ok)).await.is_ok() });
            }
            sleep(Duration::from_millis(1)).await;
            let begun = Instant::now();
            gate.lull().await;
            let waited = begun.elapsed();
            sleep(LULL * 2).await;
            waited
        };
        assert_eq!(waited(FEW, 9000).await, Duration::ZERO, "there is room");
        let soon = waited(AT_ONCE, 300).await;
        assert!((299..360).contains(&soon.as_millis()), "{soon:?}");
        assert_eq!(waited(AT_ONCE, 9000).await, LULL, "late rather than never");
    }

    #[tokio::test(start_paused = true)]
    async fn of_a_crowd_most_come_again() {
        let gate = Gate::default();
        let call = || Box::pin(gate.call(sleep(LULL).map(Ok)));
        let mut calls: Vec<_> = (0..AT_ONCE + CROWD).map(|_| call()).collect();
        assert!(!gate.is_crowded());
        calls.iter_mut().for_each(|call| assert!(call.now_or_never().is_none()));
        assert!(gate.is_crowded());
        calls.pop();
        assert!(!gate.is_crowded(), "who gives up waits no more");
    }
}

//! Leader election by a Lease, on a clock that tests can stop.
//!
//! A create of something that costs money may only be sent while our lease outlasts the request, so the moment until
//! which the lease holds must be known, and known conservatively: it counts from before the renewing request was sent.

use std::time::Duration;

use jiff::SignedDuration;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::Api;
use kube::api::PostParams;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tracing::{info, warn};

use super::config::LeaseConfig;
use crate::clock::Clock;

/// Until when we may act; without leader election, always.
#[derive(Clone, Debug)]
pub struct Tenure {
    until: Option<watch::Receiver<Option<Instant>>>,
}

impl Tenure {
    /// No election: the caller guarantees that we are alone.
    pub fn unlimited() -> Self {
        Self { until: None }
    }

    /// Whether our lease holds for at least this long from now.
    pub fn outlasts(&self, duration: Duration) -> bool {
        match &self.until {
            None => true,
            Some(until) => until.borrow().is_some_and(|until| until > Instant::now() + duration),
        }
    }
}

/// Takes part in an election.
#[derive(Debug)]
pub struct Candidate {
    api: Api<Lease>,
    config: LeaseConfig,
    clock: Clock,
    until: watch::Sender<Option<Instant>>,
    /// The record of another holder, and since when we have seen it unchanged: its age is judged by our own clock.
    seen: Option<(Option<String>, Option<MicroTime>, Instant)>,
}

impl Candidate {
    /// A candidate that does not hold the lease yet.
    pub fn new(client: kube::Client, config: LeaseConfig, clock: Clock) -> Self {
        let api = Api::namespaced(client, &config.namespace);
        Self {
            api,
            config,
            clock,
            until: watch::channel(None).0,
            seen: None,
        }
    }

    /// A view of the tenure.
    pub fn tenure(&self) -> Tenure {
        Tenure {
            until: Some(self.until.subscribe()),
        }
    }

    /// Waits until we lead.
    pub async fn acquire(&mut self) {
        while !self.attempt().await {
            sleep(self.config.renew / 2).await;
        }
        info!(identity = self.config.identity, "leads");
    }

    /// Renews for as long as it can; returns when the lease is lost.
    pub async fn keep(&mut self) {
        loop {
            sleep(self.config.renew).await;
            while !self.attempt().await {
                if !self.tenure().outlasts(Duration::ZERO) {
                    warn!(identity = self.config.identity, "lost the lease");
                    return;
                }
                sleep(Duration::from_secs(1)).await;
            }
        }
    }

    /// Gives the lease back, so that a successor need not wait for it to run out.
    pub async fn release(&mut self) {
        self.until.send_replace(None);
        // Nobody waits longer for it than the lease would hold anyway.
        let _ = timeout(self.config.renew, self.give_back()).await;
    }

    async fn give_back(&self) -> kube::Result<()> {
        let Some(mut lease) = self.api.get_opt(&self.config.name).await? else {
            return Ok(());
        };
        let spec = lease.spec.get_or_insert_default();
        if spec.holder_identity.as_ref() == Some(&self.config.identity) {
            spec.holder_identity = None;
            let params = PostParams::default();
            self.api.replace(&self.config.name, &params, &lease).await?;
        }
        Ok(())
    }

    /// One try to take or renew the lease.
    async fn attempt(&mut self) -> bool {
        let begun = Instant::now();
        // An answer that comes after the lease has run out is of no use, and waiting for it would be acting without one.
        let left = self.until.borrow().map(|until| until.saturating_duration_since(begun));
        let patience = left.map_or(self.config.renew, |left| left.min(self.config.renew));
        match timeout(patience, self.write()).await {
            Ok(Ok(true)) => {
                self.until.send_replace(Some(begun + self.config.duration));
                true
            }
            Ok(Ok(false)) => {
                self.until.send_replace(None);
                false
            }
            Ok(Err(error)) => {
                warn!(%error, "failed to renew the lease");
                false
            }
            Err(_) => {
                warn!("failed to renew the lease: no answer from the API server");
                false
            }
        }
    }

    /// Writes the record, unless somebody else holds the lease.
    async fn write(&mut self) -> kube::Result<bool> {
        let now = MicroTime(self.clock.now());
        let params = PostParams::default();
        let Some(lease) = self.api.get_opt(&self.config.name).await? else {
            let lease = Lease {
                metadata: ObjectMeta {
                    name: Some(self.config.name.clone()),
                    ..Default::default()
                },
                spec: Some(self.record(None, now)),
            };
            self.api.create(&params, &lease).await?;
            return Ok(true);
        };
        let spec = lease.spec.clone().unwrap_or_default();
        let ours = spec.holder_identity.as_ref() == Some(&self.config.identity);
        let free = spec.holder_identity.as_deref().is_none_or(str::is_empty);
        if !ours && !free && !self.has_run_out(&spec) {
            return Ok(false);
        }
        let mut renewed = lease;
        renewed.spec = Some(self.record(Some(spec), now));
        // The resourceVersion travels along: of two who try, one gets a conflict. For a holder that is no proof of a loss:
        // whoever touched the record may not have taken it, which the next try shows.
        self.api.replace(&self.config.name, &params, &renewed).await?;
        Ok(true)
    }

    fn has_run_out(&mut self, spec: &LeaseSpec) -> bool {
        let held_for = spec
            .lease_duration_seconds
            .map_or(self.config.duration, |s| Duration::from_secs(s.max(0) as u64));
        match &self.seen {
            Some((holder, renewed, since)) if (holder, renewed) == (&spec.holder_identity, &spec.renew_time) => {
                since.elapsed() >= held_for
            }
            _ => {
                self.seen = Some((spec.holder_identity.clone(), spec.renew_time.clone(), Instant::now()));
                false
            }
        }
    }

    fn record(&self, before: Option<LeaseSpec>, now: MicroTime) -> LeaseSpec {
        let before = before.unwrap_or_default();
        let stays = before.holder_identity.as_ref() == Some(&self.config.identity);
        LeaseSpec {
            holder_identity: Some(self.config.identity.clone()),
            lease_duration_seconds: Some(
                SignedDuration::try_from(self.config.duration).map_or(15, |d| d.as_secs() as i32),
            ),
            acquire_time: if stays { before.acquire_time } else { Some(now.clone()) },
            renew_time: Some(now),
            lease_transitions: Some(before.lease_transitions.unwrap_or(0) + i32::from(!stays)),
            ..before
        }
    }
}

//! Carried out again and again, the plan of a quota ends, whatever goes wrong on the way, and does no harm.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::json;

use super::child::{Found, REPLACE};
use super::child_world::{ROUND, ROUNDS, Trouble, failure, managements, refusal, troubles};
use super::*;
use crate::api::KafkaUserQuota;
use crate::cloud::Sent;
use crate::cloud::kafka::Quota;
use crate::plan::kafka_user_quota as quota;

struct QuotaWorld {
    object: KafkaUserQuota,
    cloud: Option<Quota>,
    before: Option<Quota>,
    /// The step that the job carries out at its end, and whether it fails.
    job: Option<(quota::Step, bool)>,
    /// Whether an update leaves a rate alone that it does not name.
    merges: bool,
    /// An answer was lost.
    lost: bool,
    asked: usize,
    now: i64,
    deleting: bool,
}

impl QuotaWorld {
    fn apply(&mut self, step: quota::Step) {
        match (step, &mut self.cloud) {
            (quota::Step::Create(quota), cloud @ None) => *cloud = Some(quota),
            (quota::Step::Update(update), Some(found)) => {
                let keep = |new: Option<u64>, old: Option<u64>| if self.merges { new.or(old) } else { new };
                found.producer_byte_rate = keep(update.producer_byte_rate, found.producer_byte_rate);
                found.consumer_byte_rate = keep(update.consumer_byte_rate, found.consumer_byte_rate);
            }
            (quota::Step::Delete(_) | quota::Step::Replace(_), cloud) => *cloud = None,
            // A job for what is not there, or there already, changes nothing.
            _ => {}
        }
    }

    fn round(&mut self, trouble: Option<Trouble>) -> Next {
        self.now += ROUND;
        if trouble == Some(Trouble::Deleted) {
            (self.cloud, self.before) = (None, None);
        }
        let visible = if trouble == Some(Trouble::Lags) {
            self.before.clone()
        } else {
            self.cloud.clone()
        };
        let job = self
            .object
            .status
            .as_ref()
            .and_then(|s| s.core.operation.clone())
            .map(|_| match &self.job {
                Some((_, true)) => Job::Failed("why".into()),
                Some((_, false)) => Job::Running,
                None => Job::Succeeded,
            });
        let asked = self.asked.to_string();
        let requested: Option<&'static str> = (self.asked > 0).then(|| &*asked.leak());
        let plan = super::quotas::look(&mut self.object, visible.map_or(Found::Absent, Found::There), |f, s| {
            f.now = at(self.now);
            f.deleting = self.deleting;
            f.job = job;
            f.requested = requested;
            s.held = (trouble == Some(Trouble::Held)).then(|| "busy".into());
        });
        self.before = self.cloud.clone();
        match self.job.take() {
            Some((step, false)) => self.apply(step),
            failed => self.job = failed,
        }
        let Some(step) = plan.steps.first().cloned() else {
            return plan.next;
        };
        assert!(self.deleting || !matches!(step, quota::Step::Delete(_)), "deletes");
        let management = &self.object.spec.management;
        assert!(!management.observes(), "acts on what it observes: {step:?}");
        let changes = matches!(step, quota::Step::Update(_) | quota::Step::Replace(_));
        assert!(
            !changes || management.updates == Updates::Apply,
            "changes what it reports: {step:?}"
        );
        let creates = matches!(step, quota::Step::Create(_));
        let mut failure = failure(trouble);
        let busy = self.job.as_ref().is_some_and(|(_, failed)| !failed);
        if busy || (creates && self.cloud.is_some()) {
            assert!(self.lost, "sends what cannot be carried out: {step:?}");
            failure = failure.or(Some(refusal()));
        } else if failure.is_none() || trouble == Some(Trouble::LostAfter) {
            self.job = Some((step.clone(), trouble == Some(Trouble::JobFails)));
        }
        let status = self.object.status.as_mut().unwrap();
        if let (Some(error), true) = (&failure, creates) {
            fault::create_failed(&mut status.core, error, at(self.now));
        }
        self.lost |= failure.as_ref().is_some_and(|error| error.sent() == Sent::Unknown);
        if failure.is_none() {
            let name = match &step {
                quota::Step::Create(_) => "CreateQuota",
                quota::Step::Update(_) => "UpdateQuota",
                quota::Step::Replace(_) => REPLACE,
                quota::Step::Delete(_) => "DeleteQuota",
            };
            status.core.operation = Some(begun(&status.core, name, Some("j1".into()), at(self.now)));
        }
        plan.next
    }

    /// Until it ends, with somebody who asks again where a job failed.
    fn settle(&mut self) -> Next {
        for _ in 0..ROUNDS {
            let next = self.round(None);
            match (next, &self.job) {
                (Next::Stop(_), Some((_, true))) => {
                    self.asked += 1;
                    self.round(None);
                    self.job = self.job.take().filter(|(_, failed)| !failed);
                }
                (Next::Rest | Next::Stop(_) | Next::Release, _) => return next,
                _ => {}
            }
        }
        panic!("it does not end: {:?} {:?}", self.object.status, self.cloud);
    }
}

proptest! {
    #[test]
    fn a_quota_comes_to_rest_after_any_edits_and_troubles(
        edits in vec((option::of(1i64..3), option::of(1i64..3), managements(), troubles()), 1..4),
        found in option::of((option::of(0u64..3), option::of(0u64..3))),
        merges: bool,
    ) {
        let found = found.map(|(produce, consume)| super::quotas::cloud(produce, consume));
        let mut world = QuotaWorld {
            object: super::quotas::quota(json!({})),
            cloud: found.clone(),
            before: found,
            job: None,
            merges,
            lost: false,
            asked: 0,
            now: 0,
            deleting: false,
        };
        for (generation, (produce, consume, management, troubles)) in edits.into_iter().enumerate() {
            world.object.spec.producer_byte_rate = produce.map(crate::api::ByteRate::Number);
            world.object.spec.consumer_byte_rate = consume.map(crate::api::ByteRate::Number);
            world.object.spec.management = management.clone();
            world.object.metadata.generation = Some(generation as i64 + 1);
            for trouble in troubles {
                world.round(trouble);
            }
            let end = world.settle();
            let (status, cloud) = (world.object.status.clone(), world.cloud.clone());
            let wants_something = produce.is_some() || consume.is_some();
            let core = &status.as_ref().unwrap().core;
            let refused = management.adoption == Adoption::Never && core.origin.is_none() && cloud.is_some();
            let left_alone = management.observes() || (management.updates == Updates::Report && cloud.is_some());
            prop_assert_eq!(
                end == Next::Rest,
                management.observes() || ((wants_something || left_alone) && !refused)
            );
            if let (Next::Rest, Some(cloud)) = (end, &cloud) {
                let rate = |rate: Option<u64>| rate.filter(|r| *r > 0).map(|r| r as i64);
                let (producer, consumer) = (rate(cloud.producer_byte_rate), rate(cloud.consumer_byte_rate));
                let meets = |wanted: Option<i64>, found: Option<i64>| {
                    wanted == found || (management.observes() && wanted.is_none())
                };
                let met = meets(produce, producer) && meets(consume, consumer);
                prop_assert!(met || left_alone, "{:?} {:?}", core, cloud);
                prop_assert_eq!(core.drift.is_empty(), met || !wants_something);
            }
            prop_assert_eq!(world.round(None), end);
            prop_assert_eq!((&world.object.status, &world.cloud), (&status, &cloud));
        }
        if world.object.spec.management.observes() {
            return Ok(());
        }
        world.deleting = true;
        prop_assert_eq!(world.settle(), Next::Release);
    }
}

//! The cloud in memory: Kafka and RocketMQ of Huawei Cloud DMS behind their gateway, and the two IAM calls that go with
//! them. What both engines share is here, what one has alone in its folder.
//!
//! Written from the API references and not from our client's types, so that it catches the client's mistakes; as awkward
//! as the service by default. What the references leave open is decided where it is done, with a comment, and is a
//! switch of [`Config`] where it matters.
//!
//! Two kinds of time: jobs and lags follow tokio's clock (which tests pause), divided by [`Config::speed`]; `Date`,
//! the signature's window and timestamps follow [`Config::clock`]. [`Simulator::advance_clock`] moves both on.
//! Nothing runs in the background: jobs end when somebody looks.

mod calls;
mod catalogue;
mod codes;
mod control;
mod entries;
mod extend;
mod faults;
mod fields;
mod gateway;
mod instances;
mod jobs;
mod kafka;
mod limits;
mod rocketmq;
mod route;
mod signature;
mod state;
mod tags;
mod tasks;
mod tokens;
mod view;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::Value;
use tokio::time::Instant;

use crate::clock::Clock;

pub use calls::{Call, Load};
pub use faults::{Effect, FailedCreate, Fault, LostAnswer, Malformed, Match};
pub use gateway::Lost;
pub use state::Status;

/// How the cloud behaves. The default is the awkward one.
#[derive(Clone, Debug)]
pub struct Config {
    /// The one access key that is known.
    pub access_key: String,
    /// Its secret key.
    pub secret_key: SecretString,
    /// The one user of IAM who is known.
    pub user_name: String,
    /// The user's password.
    pub user_password: SecretString,
    /// The name of the account that the user and the projects belong to.
    pub domain_name: String,
    /// The region; its project in IAM has the same name.
    pub region: String,
    /// The id of that project.
    pub project_id: String,
    /// Divides the time that jobs and lags take.
    pub speed: f64,
    /// How long a new instance is missing from the list, and a deleted one stays in it.
    pub list_lag: Duration,
    /// The same for topics and consumer groups.
    pub topic_lag: Duration,
    /// How long the call for the tags shows those of before.
    pub tag_lag: Duration,
    /// Decides ids and every order that is arbitrary.
    pub seed: u64,
    /// Calls before the gateway answers 429: a bucket of so many, which fills in [`rate_window`](Self::rate_window).
    pub rate_limit: Option<u32>,
    /// The time in which the gateway lets so many calls pass.
    pub rate_window: Duration,
    /// How long each answer takes on the way, one half before the effect and one after. Not divided by the speed.
    pub latency: Duration,
    /// Calls a second and instance before the service answers `DMS.10240407`.
    pub instance_limit: Option<u32>,
    /// Whether an instance shows its description only once its creation is complete; the references do not say when.
    pub late_descriptions: bool,
    /// Whether a second instance of the same name is refused.
    pub unique_names: bool,
    /// What `include_failure=true` does for instances whose creation failed.
    pub failed_creates: FailedCreates,
    /// Whether a deleted instance ends in the recycle bin.
    pub recycle_bin: bool,
    /// Whether `__consumer_offsets` is among the listed topics.
    pub system_topics: bool,
    /// Whether a consumer group with members can be deleted.
    pub delete_online_groups: bool,
    /// Whether Kafka lists a deleted consumer group for good, as `DEAD`.
    pub dead_groups: bool,
    /// Whether Kafka's 5.6.8 shows a consumer group as its example does, and not as its table does.
    pub flat_groups: bool,
    /// Whether a quota that exists already, or does not, is refused at once instead of by a failed job.
    pub strict_quotas: bool,
    /// Whether the creation of a tag whose key exists replaces its value instead of being refused.
    pub replace_tags: bool,
    /// What one bad item of a batch does to the others.
    pub batches: Batches,
    /// Wall-clock time.
    pub clock: Clock,
}

/// What an item that cannot be done does to its batch, which the reference tells of few batches.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Batches {
    /// It depends: a value out of range refuses the whole, a state that forbids an item that item; a job does what it can.
    Mixed,
    /// Nothing is done, and the answer is the item's error.
    Atomic,
    /// All others are done. Where the answer has no room for items, a job ends as a failure all the same.
    Partial,
}

/// Whether the list shows instances whose creation failed. The reference promises only their number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FailedCreates {
    /// Neither listed nor counted.
    Hidden,
    /// Part of `instance_num`, but not listed.
    Counted,
    /// Listed and counted.
    Listed,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            access_key: "SIMULATORACCESSKEY00".into(),
            secret_key: "simulator-secret-key-of-no-value".into(),
            user_name: "simulator-user".into(),
            user_password: "simulator-password-of-no-value".into(),
            domain_name: "simulator-account".into(),
            region: "eu-west-101".into(),
            project_id: "0c1f9d3e5b7a4c6f8e2d1a3b5c7d9e0f".into(),
            speed: 1.0,
            list_lag: Duration::from_secs(30),
            topic_lag: Duration::from_secs(5),
            tag_lag: Duration::from_secs(10),
            seed: 0,
            rate_limit: Some(20),
            rate_window: Duration::from_secs(1),
            latency: Duration::ZERO,
            instance_limit: None,
            late_descriptions: false,
            unique_names: false,
            failed_creates: FailedCreates::Hidden,
            recycle_bin: false,
            system_topics: true,
            delete_online_groups: false,
            dead_groups: false,
            flat_groups: false,
            strict_quotas: false,
            replace_tags: false,
            batches: Batches::Mixed,
            clock: Clock::system(),
        }
    }
}

/// The cloud; clones share it.
#[derive(Clone)]
pub struct Simulator {
    shared: Arc<Shared>,
}

struct Shared {
    config: Config,
    origin: Instant,
    state: Mutex<state::State>,
}

/// A moment on both clocks.
#[derive(Clone, Copy)]
pub(crate) struct Now {
    /// Since the simulator was made.
    pub(crate) at: Duration,
    pub(crate) wall: Timestamp,
}

impl Now {
    /// The wall-clock time of an earlier moment.
    pub(crate) fn wall_of(&self, earlier: Duration) -> Timestamp {
        self.wall - self.at.saturating_sub(earlier)
    }
}

impl Simulator {
    /// An empty cloud.
    pub fn new(config: Config) -> Self {
        let state = Mutex::new(state::State::new(config.seed));
        Self {
            shared: Arc::new(Shared {
                config,
                origin: Instant::now(),
                state,
            }),
        }
    }

    /// Everything that is served: the APIs at their documented paths, and the control side below `/_simulator`.
    ///
    /// An answer that is lost carries the extension [`Lost`] and a body that breaks before its first byte, which makes
    /// an HTTP server close the connection without an answer.
    pub fn router(&self) -> Router {
        Router::new()
            .nest("/_simulator", control::router())
            .fallback(gateway::handle)
            .with_state(self.clone())
    }

    /// How the cloud behaves.
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// The time that the cloud shows.
    pub fn time(&self) -> Timestamp {
        self.now(&self.lock()).wall
    }

    /// Moves the cloud's time on: jobs, lags, and what it shows as the time.
    pub fn advance_clock(&self, by: Duration) {
        self.lock().advanced += by;
    }

    /// The calls to the APIs so far, in order of arrival, the latest 100,000 of them; one without a status is not answered
    /// yet, or was lost.
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.latest()
    }

    /// How many calls there were of each operation.
    pub fn call_counts(&self) -> BTreeMap<String, usize> {
        self.lock().calls.counts()
    }

    /// What each operation had to bear.
    pub fn load(&self) -> BTreeMap<String, Load> {
        self.lock().calls.load().clone()
    }

    /// Forgets the calls so far.
    pub fn forget_calls(&self) {
        self.lock().calls.forget();
    }

    /// Arranges a misfortune.
    pub fn add_fault(&self, fault: Fault) {
        self.lock().faults.push(fault);
    }

    /// What is still arranged.
    pub fn faults(&self) -> Vec<Fault> {
        self.lock().faults.clone()
    }

    /// Calls all faults off.
    pub fn clear_faults(&self) {
        self.lock().faults.clear();
    }

    /// What exists, in plain form, without any lag: `{instances: [{id, name, engine, status, topics, groups, tags, tasks, ..}]}`.
    pub fn state_json(&self) -> Value {
        let mut state = self.lock();
        let now = self.now(&state);
        state.advance(now, self.config());
        control::state_json(&state, now)
    }

    /// Puts an instance into a state by force, and ends its job without effect; false if there is no such instance.
    pub fn set_status(&self, instance_id: &str, status: Status) -> bool {
        let mut state = self.lock();
        let now = self.now(&state);
        state.advance(now, self.config());
        state.force(instance_id, status, now)
    }

    /// Lets `members` clients be connected to a consumer group of an instance that runs, named by its id or name; none is
    /// that they leave. On Kafka a group that is not there is made that way. False if there is no such instance or group.
    pub fn set_members(&self, instance: &str, group: &str, members: u32) -> bool {
        let mut state = self.lock();
        let now = self.now(&state);
        state.advance(now, self.config());
        state.connect(instance, group, members, now)
    }

    /// Lets a consumer group leave so many messages of a topic unread, which also subscribes it. False if there is no such
    /// instance that runs, or no such group.
    pub fn set_lag(&self, instance: &str, group: &str, topic: &str, messages: u64) -> bool {
        let mut state = self.lock();
        let now = self.now(&state);
        state.advance(now, self.config());
        state.leave_unread(instance, group, topic, messages)
    }

    /// Fills an instance of Kafka that runs, named by its id or name, with topics as old as itself: as many at once as no
    /// client could make. False if there is no such instance; names that are there are passed over.
    pub fn add_topics(&self, instance: &str, names: Vec<String>) -> bool {
        let mut state = self.lock();
        let now = self.now(&state);
        state.advance(now, self.config());
        state.fill(instance, names, now)
    }

    /// Makes every token unknown that was given so far.
    pub fn revoke_tokens(&self) {
        self.lock().tokens.clear();
    }

    fn lock(&self) -> MutexGuard<'_, state::State> {
        self.shared
            .state
            .lock()
            .expect("no handler panics while it holds the state")
    }

    fn now(&self, state: &state::State) -> Now {
        let wall = self.shared.config.clock.now() + state.advanced;
        Now {
            at: self.shared.origin.elapsed() + state.advanced,
            wall,
        }
    }
}

/// Whether `response` stands for a connection that broke before an answer.
pub fn is_lost(response: &Response) -> bool {
    response.extensions().get::<Lost>().is_some()
}

//! What the engine needs to know of a kind.

use std::fmt::Debug;
use std::time::Duration;

use tokio::time::Instant;

use super::hub::Hub;
use super::round::Round;
use super::turns::Way;
use crate::api::{CoreStatus, Grant, InstanceKind, Managed, Operation};
use crate::plan::child::Host;
use crate::plan::fault::Halt;
use crate::plan::{Plan, begun};

/// A kind: how to look at the cloud, and how to carry out a step. All decisions are in its plan.
pub trait Kind: Send + Sync + 'static {
    /// The custom resource.
    type Cr: Managed;
    /// What was reached on the way to the look, for the steps to go the same way.
    type Reach: Send + Sync;
    /// One call.
    type Step: Debug + Clone + Send + Sync;

    /// The longest pause between two looks.
    const LONGEST_PAUSE: Duration = Duration::MAX;

    /// The objects that this one cannot do without; they are held, and their changes wake it.
    fn references(cr: &Self::Cr) -> Vec<Reference>;

    /// What it stands for in the cloud, in each way that this can be said, so that two objects that claim the same can be
    /// told apart.
    fn claims(cr: &Self::Cr) -> Vec<String>;

    /// What an instance's object shows to what lives in it; `None` if the kind is no instance.
    fn home(cr: &Self::Cr) -> Option<Home> {
        let _ = cr;
        None
    }

    /// Whether the object can go without a look: nothing in the cloud may stand for it.
    fn can_let_go(core: &CoreStatus) -> bool {
        !core.stands_for_something()
    }

    /// What must be in the annotation `abandon` to let go of it without a call.
    fn abandon_key(cr: &Self::Cr) -> Option<String> {
        let core = cr.core()?;
        let nonce = || core.create_intent.as_ref()?.nonce.clone();
        core.instance_id.clone().or_else(nonce)
    }

    /// Whether a deleted object leaves its thing in the cloud.
    fn orphans(cr: &Self::Cr) -> bool;

    /// Looks and decides.
    fn look(round: &Round<'_, Self::Cr>) -> impl Future<Output = Result<Look<Self>, Halt>> + Send
    where
        Self: Sized;

    /// The instance that is written to, whose turns the steps take.
    fn hub(reach: &Self::Reach) -> Option<&Hub>;

    /// How a step goes beside others to the same instance.
    fn way(step: &Self::Step) -> Way {
        let _ = step;
        Way::Alone
    }

    /// Carries out one step, whose turn it is: one attempt, one call.
    fn act(
        round: &Round<'_, Self::Cr>,
        reach: &Self::Reach,
        step: &Self::Step,
    ) -> impl Future<Output = Result<Effect, Halt>> + Send;

    /// Whether a step makes something that is billed: it is sent only while our lease outlasts the request.
    fn buys(step: &Self::Step) -> bool {
        let _ = step;
        false
    }

    /// Whether a step makes the thing.
    fn creates(step: &Self::Step) -> bool;

    /// Whether an Event tells that a step begins which somebody asked for; of what takes a moment only the outcome is told.
    fn tells(step: &Self::Step) -> bool {
        let _ = step;
        true
    }

    /// What the success of a step writes down.
    fn settle(
        cr: &Self::Cr,
        status: &mut <Self::Cr as Managed>::State,
        step: &Self::Step,
        effect: Effect,
        now: jiff::Timestamp,
    );
}

/// The outcome of a look.
pub struct Look<K: Kind> {
    /// The way to the cloud.
    pub reach: K::Reach,
    /// The decision.
    pub plan: Plan<<K::Cr as Managed>::State, K::Step>,
    /// When the list was begun that it was decided by, if it was one that others share.
    pub as_of: Option<Instant>,
    /// The time by which it was decided: the service's, which need not be ours. What a step writes down is compared with it.
    pub now: jiff::Timestamp,
}

/// An instance, as what lives in it sees its object.
#[derive(Clone, Debug)]
pub struct Home {
    /// What is written down of it.
    pub core: CoreStatus,
    /// The service's word for its state.
    pub state: Option<String>,
    /// What it is.
    pub host: Host,
    /// Its object is being deleted.
    pub leaves: bool,
    /// What other namespaces may keep in it.
    pub grants: Vec<Grant>,
}

/// What a step brought about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It is done; reading back will show.
    Done,
    /// A background job does it; its id, if the service told.
    Job(Option<String>),
    /// The same, where the job does it for several objects.
    SharedJob(Option<String>),
    /// An instance of this id is being made.
    Made(String),
}

impl Effect {
    /// What a call for so many objects brought about, for each of them.
    pub fn each_of<E>(count: usize, job: Option<String>) -> Vec<Result<Self, E>> {
        let effect = if count > 1 {
            Self::SharedJob(job)
        } else {
            Self::Job(job)
        };
        (0..count).map(|_| Ok(effect.clone())).collect()
    }

    /// The operation of this name that it began, if a job does it.
    pub fn operation(self, core: &CoreStatus, name: &str, now: jiff::Timestamp) -> Option<Operation> {
        let (job, shared) = match self {
            Self::Job(job) => (job, false),
            Self::SharedJob(job) => (job, true),
            Self::Done | Self::Made(_) => return None,
        };
        let operation = begun(core, name, job, now);
        Some(Operation { shared, ..operation })
    }
}

/// Names an object that another one needs; without a namespace, an instance that is known by its id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// Kind.
    pub kind: String,
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl Reference {
    /// To this object.
    pub fn to<Cr: Managed>(cr: &Cr) -> Self {
        Self::of::<Cr>(
            cr.meta().namespace.as_deref().unwrap_or_default(),
            cr.meta().name.as_deref().unwrap_or_default(),
        )
    }

    /// To an object of kind `Cr`.
    pub fn of<Cr: Managed>(namespace: &str, name: &str) -> Self {
        Self::new(&Cr::kind(&()), namespace, name)
    }

    /// To whatever object manages an instance.
    pub fn by_id(kind: InstanceKind, id: &str) -> Self {
        Self::new(kind.as_str(), "", id)
    }

    /// To an object of a kind that is known by its name.
    pub fn new(kind: &str, namespace: &str, name: &str) -> Self {
        Self {
            kind: kind.into(),
            namespace: namespace.into(),
            name: name.into(),
        }
    }
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.namespace.as_str() {
            "" => write!(f, "{} {}", self.kind, self.name),
            namespace => write!(f, "{} {namespace}/{}", self.kind, self.name),
        }
    }
}

//! Whether an instance admits what another namespace wants to keep in it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::cut;
use crate::api::tenancy::{Operator, Requirement, Selector};
use crate::api::{Grant, TenantKind};

/// The longest list of what would be admitted, in bytes.
const SHOWN: usize = 1000;

/// What is to be kept in the instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// A topic of this name in the cloud.
    Topic(String),
    /// A consumer group of this name in the cloud.
    ConsumerGroup(String),
    /// A quota; `default` if it is for all users or clients that have none.
    Quota {
        /// Whether others than the tenant's own would have to live with it.
        default: bool,
    },
}

impl Wish {
    fn kind(&self) -> TenantKind {
        match self {
            Self::Topic(_) => TenantKind::Topic,
            Self::ConsumerGroup(_) => TenantKind::ConsumerGroup,
            Self::Quota { .. } => TenantKind::KafkaUserQuota,
        }
    }

    fn name(&self) -> Option<&str> {
        match self {
            Self::Topic(name) | Self::ConsumerGroup(name) => Some(name),
            Self::Quota { .. } => None,
        }
    }
}

/// Labels by key.
pub type Labels = BTreeMap<String, String>;

/// The grant by which an instance (`KafkaInstance platform/events`) admits a wish of a namespace: the first that fits. Or why
/// none does, and whom to ask.
pub fn admit<'a>(
    instance: &str,
    grants: &'a [Grant],
    (namespace, labels): (&str, &Labels),
    wish: &Wish,
) -> Result<&'a Grant, String> {
    let kind = wish.kind().as_str();
    if let Wish::Quota { default: true } = wish {
        return Err(format!(
            "{instance}: a default quota holds for everybody, so no grant admits it from another namespace; {}",
            ask(instance)
        ));
    }
    let ours: Vec<_> = grants.iter().filter(|grant| is_for(grant, namespace, labels)).collect();
    if ours.is_empty() {
        return Err(format!(
            "{instance}: no grant in its spec.allowedNamespaces admits namespace {namespace}; {}",
            ask(instance)
        ));
    }
    let of_kind: Vec<_> = ours
        .iter()
        .copied()
        .filter(|grant| kinds(grant).contains(&wish.kind()))
        .collect();
    if of_kind.is_empty() {
        let allowed = listed(&ours, |grant| {
            kinds(grant).into_iter().map(|kind| kind.as_str().into()).collect()
        });
        return Err(format!(
            "{instance}: no grant for {kind} from namespace {namespace} ({allowed}); {}",
            ask(instance)
        ));
    }
    let name = wish.name().unwrap_or_default();
    let fits = |grant: &Grant| {
        let prefixes = &grant.name_prefixes;
        wish.name().is_none() || prefixes.is_empty() || prefixes.iter().any(|prefix| name.starts_with(prefix))
    };
    of_kind.iter().copied().find(|grant| fits(grant)).ok_or_else(|| {
        let allowed = listed(&of_kind, |grant| grant.name_prefixes.iter().cloned().collect());
        format!(
            "{instance}: no grant for {kind} from namespace {namespace} fits the name {name:?} ({allowed}); {}, or rename",
            ask(instance)
        )
    })
}

/// The Kafka topics of one grant, as far as its `maxPartitions` goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The partitions that it has.
    pub has: u32,
    /// Those that it should have; fewer mean nothing.
    pub wants: u32,
    /// It was admitted with these before, and the call that brings them may have been sent.
    pub admitted: bool,
    /// How old its object is, and the object's uid: the older one comes first.
    pub age: (Option<Timestamp>, String),
}

impl Share {
    fn grows(&self) -> u64 {
        u64::from(self.wants.saturating_sub(self.has))
    }

    fn rank(&self) -> impl Ord {
        (!self.admitted, self.age.clone())
    }
}

/// Whether the partitions that a topic wants fit into a grant of `instance` beside those of the grant's other topics. What is
/// there counts with what it has; of what wants more, what was admitted already comes first, then the older object, and what
/// does not fit is passed over.
pub fn fits(instance: &str, grant: &Grant, mine: &Share, others: &[Share]) -> Result<(), String> {
    let Some(most) = grant.max_partitions else {
        return Ok(());
    };
    let most = u64::from(most);
    let mut taken = others
        .iter()
        .chain([mine])
        .map(|share| u64::from(share.has))
        .sum::<u64>();
    let mut before: Vec<_> = others.iter().filter(|other| other.rank() < mine.rank()).collect();
    before.sort_by_key(|other| other.rank());
    for other in before {
        if other.admitted || taken + other.grows() <= most {
            taken += other.grows();
        }
    }
    if taken + mine.grows() <= most {
        return Ok(());
    }
    let (wanted, left) = (mine.grows(), most.saturating_sub(taken));
    Err(format!(
        "{instance}: spec.kafka.partitions needs {wanted} more partitions, but of the {most} of grant {} (maxPartitions) {left} are left; ask for fewer, or {}",
        grant.name,
        ask(instance)
    ))
}

fn is_for(grant: &Grant, namespace: &str, labels: &Labels) -> bool {
    grant.namespaces.contains(namespace)
        || grant
            .selector
            .as_ref()
            .is_some_and(|selector| selects(selector, labels))
}

fn selects(selector: &Selector, labels: &Labels) -> bool {
    let equal = selector
        .match_labels
        .iter()
        .all(|(key, value)| labels.get(key) == Some(value));
    equal
        && selector
            .match_expressions
            .iter()
            .all(|required| holds(required, labels))
}

fn holds(required: &Requirement, labels: &Labels) -> bool {
    let value = labels.get(&required.key);
    let listed = value.is_some_and(|value| required.values.contains(value));
    match required.operator {
        Operator::In => listed,
        Operator::NotIn => !listed,
        Operator::Exists => value.is_some(),
        Operator::DoesNotExist => value.is_none(),
    }
}

/// What a grant admits; left out, the two kinds that every application has.
fn kinds(grant: &Grant) -> Vec<TenantKind> {
    if grant.kinds.is_empty() {
        return vec![TenantKind::Topic, TenantKind::ConsumerGroup];
    }
    grant.kinds.iter().copied().collect()
}

fn listed(grants: &[&Grant], what: impl Fn(&Grant) -> Vec<String>) -> String {
    let allowed = grants
        .iter()
        .map(|grant| format!("grant {} allows {}", grant.name, what(grant).join(", ")));
    cut(&allowed.collect::<Vec<_>>().join("; "), SHOWN)
}

fn ask(instance: &str) -> String {
    let owned = instance.split_once(' ').map_or(instance, |(_, object)| object);
    format!("ask the owner of {owned}")
}

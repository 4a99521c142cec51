//! CEL rules that several kinds share.
//!
//! What cannot change is judged on the root, because only there a rule sees what exists: `oldSelf.status`. Every one of
//! them is a transition rule, or judges only what has no status yet: a plain rule on the root is judged again at each status
//! and finalizer write, so tightening it would lock the operator out of older objects.
//!
//! All of them run at each of these writes too, and each field that one looks up costs the API server as much as its object
//! has fields: what nearly always decides comes first, and `oldSelf.status`, which is wide, last.

use kube::core::{Message, Reason, Rule};

/// An instance may exist: its id is known, or its create call may have been sent.
pub(super) const INSTANCE: &str =
    "has(oldSelf.status) && (has(oldSelf.status.instanceId) || has(oldSelf.status.createIntent))";
/// Something that lives in an instance may exist: its name is set together with the intent to create it.
pub(super) const CHILD: &str = "has(oldSelf.status) && has(oldSelf.status.externalName)";

/// Once the instance exists, `field` keeps its value, or becomes what the cloud has.
pub(super) fn frozen(field: &str) -> Rule {
    frozen_in(INSTANCE, "", field)
}

/// As [`frozen`], for a set: order means nothing.
pub(super) fn frozen_set(field: &str) -> Rule {
    frozen_set_in(INSTANCE, "", field)
}

/// Once the thing `exists`, `field` of a block of the spec (as in `rocketmq.`) keeps its value, or becomes what the cloud has.
pub(super) fn frozen_in(exists: &str, block: &str, field: &str) -> Rule {
    change(
        exists,
        block,
        field,
        |now, then| format!("{now} == {then}"),
        immutable(field),
    )
}

/// As [`frozen_in`], for a set: order means nothing.
pub(super) fn frozen_set_in(exists: &str, block: &str, field: &str) -> Rule {
    change(
        exists,
        block,
        field,
        |now, then| format!("sets.equivalent({now}, {then})"),
        immutable(field),
    )
}

/// Once the thing exists, `field` (of a block of the spec, as in `kafka.`) is not lowered below what exists: the last
/// value asked for, or less where the cloud has less.
pub(super) fn grows(exists: &str, block: &str, field: &str) -> Rule {
    let message = format!("{field} only grows: it cannot be lowered below what exists");
    change(exists, block, field, |now, then| format!("{now} >= {then}"), message)
}

/// The id may be written down once it is known, but not become another.
pub(super) fn instance_id_frozen() -> Rule {
    Rule::new(format!(
        "!has(self.spec.instanceId) || \
         (has(oldSelf.spec.instanceId) && self.spec.instanceId == oldSelf.spec.instanceId) || !({INSTANCE}) || \
         (has(oldSelf.status.instanceId) && self.spec.instanceId == oldSelf.status.instanceId)"
    ))
    .message("instanceId cannot become another than that of the instance that exists (status.instanceId)")
    .reason(Reason::FieldValueForbidden)
    .field_path(".spec.instanceId")
}

/// Each broker has a disk of the same size, of at least `least` GB (an expression). At creation: only then is there no
/// status.
pub(super) fn storage_total(least: &str) -> Rule {
    storage_spread("has(self.status)", least)
}

/// The same for an edit before the instance was seen; from then on, [`storage_step`] judges.
pub(super) fn storage_edit(least: &str) -> Rule {
    let same = |field: &str| {
        format!("has(self.spec.{field}) && has(oldSelf.spec.{field}) && self.spec.{field} == oldSelf.spec.{field}")
    };
    let unless = format!(
        "({STORAGE_SEEN}) || ({} && {})",
        same("storageSpace"),
        same("brokerNum")
    );
    storage_spread(&unless, least)
}

/// Storage grows by whole steps: the service takes no less than 100 GB a broker at a time.
pub(super) fn storage_step() -> Rule {
    let (seen, brokers) = (
        "oldSelf.status.observed.storageSpace",
        "oldSelf.status.observed.brokerNum",
    );
    let least = format!("{seen} + 100 * {brokers}");
    Rule::new(format!(
        "!({STORAGE_SEEN}) || !has(self.spec.storageSpace) || \
         (has(oldSelf.spec.storageSpace) && self.spec.storageSpace == oldSelf.spec.storageSpace) || \
         self.spec.storageSpace <= {seen} || \
         (self.spec.storageSpace >= {least} && self.spec.storageSpace % {brokers} == 0)"
    ))
    .message(next_total(
        "storageSpace grows by at least 100 GB a broker at a time, the same for each",
        &format!(
            "((self.spec.storageSpace < {least} ? {least} : self.spec.storageSpace) + {brokers} - 1) / {brokers} * {brokers}"
        ),
    ))
    .field_path(".spec.storageSpace")
}

/// Once something exists, it stays in its instance, which may be named by its object or by its id. Whether both mean the same
/// is known only where it runs.
pub(super) fn instance_ref_frozen() -> Rule {
    let both = |field: &str| format!("!has(self.spec.instanceRef.{field}) || !has(oldSelf.spec.instanceRef.{field})");
    let same = |field: &str| format!("self.spec.instanceRef.{field} == oldSelf.spec.instanceRef.{field}");
    // `namespace` is a word of CEL.
    let namespace =
        |of: &str| format!("(has({of}.spec.instanceRef.__namespace__) ? {of}.spec.instanceRef.__namespace__ : '')");
    Rule::new(format!(
        "({} && ({} || {}) && ({} || ({} && {} == {}))) || !({CHILD})",
        same("kind"),
        both("instanceId"),
        same("instanceId"),
        both("name"),
        same("name"),
        namespace("self"),
        namespace("oldSelf"),
    ))
    .message(Message::Message(immutable("instanceRef")))
    .reason(Reason::FieldValueForbidden)
    .field_path(".spec.instanceRef")
}

/// An instance is named by its object or by its id. On the reference.
pub(super) fn object_or_id() -> Rule {
    Rule::new("has(self.name) != has(self.instanceId)").message("exactly one of name and instanceId")
}

/// An id says where the instance is. On the reference.
pub(super) fn id_alone() -> Rule {
    Rule::new("has(self.name) || !has(self.__namespace__)")
        .message("namespace is where the object of that name is: it is only for name, not for instanceId")
        .field_path(".namespace")
}

/// An instance that has an object is reached as its object says. On the spec.
pub(super) fn provider_with_id() -> Rule {
    Rule::new("!has(self.providerConfigRef) || has(self.instanceRef.instanceId)")
        .message("providerConfigRef is for instanceRef.instanceId; otherwise the instance's own ProviderConfig serves")
        .reason(Reason::FieldValueForbidden)
        .field_path(".providerConfigRef")
}

/// The name is the identity, wherever it is written.
pub(super) fn name_frozen() -> Rule {
    Rule::new(format!(
        "(has(self.spec.name) ? self.spec.name : self.metadata.name) == \
         (has(oldSelf.spec.name) ? oldSelf.spec.name : oldSelf.metadata.name) || !({CHILD})"
    ))
    .message(Message::Message(immutable("name")))
    .reason(Reason::FieldValueForbidden)
    .field_path(".spec.name")
}

/// A name as RocketMQ takes it for topics and groups (RocketMQ API reference 5.2.2, 5.3.1). On the spec.
pub(super) fn rocketmq_name() -> Rule {
    Rule::new(
        "!has(self.name) || self.instanceRef.kind != 'RocketMQInstance' || \
         self.name.matches('^[A-Za-z0-9%|_-]{3,64}$')",
    )
    .message("a name in a RocketMQInstance has 3 to 64 letters, digits, %, |, _ and -")
    .field_path(".name")
}

/// The same for an object's own name, where that is the default. On the root.
pub(super) fn rocketmq_own_name() -> Rule {
    Rule::new(
        "has(self.spec.name) || self.spec.instanceRef.kind != 'RocketMQInstance' || \
         self.metadata.name.matches('^[a-z0-9-]{3,64}$')",
    )
    .message("metadata.name is no name in a RocketMQInstance (3 to 64 letters, digits and -): set spec.name")
    .field_path(".spec.name")
}

/// Settings of one engine belong to instances of that engine. On the spec.
pub(super) fn block_fits_kind(block: &str, kind: &str) -> Rule {
    Rule::new(format!("!has(self.{block}) || self.instanceRef.kind == '{kind}'"))
        .message(Message::Message(format!("{block} is for instanceRef.kind {kind}")))
        .reason(Reason::FieldValueForbidden)
        .field_path(format!(".{block}"))
}

/// What is said of a field that cannot change.
pub(super) fn immutable(field: &str) -> String {
    format!("{field} cannot change once it has been created or adopted")
}

/// From `exists` on, a change of `field` must be one that `allowed(now, then)` lets through, with `then` the old value or
/// the one that was seen in the cloud. Without an old value there is nothing to judge.
fn change(exists: &str, block: &str, field: &str, allowed: impl Fn(&str, &str) -> String, message: String) -> Rule {
    let path = format!("{block}{field}");
    let mut known = String::new();
    for part in [block.trim_end_matches('.'), &path]
        .into_iter()
        .filter(|part| !part.is_empty())
    {
        known += &format!("!has(self.spec.{part}) || !has(oldSelf.spec.{part}) || ");
    }
    let now = format!("self.spec.{path}");
    let seen = format!("oldSelf.status.observed.{field}");
    Rule::new(format!(
        "{known}{} || !({exists}) || (has(oldSelf.status.observed) && has({seen}) && {})",
        allowed(&now, &format!("oldSelf.spec.{path}")),
        allowed(&now, &seen),
    ))
    .message(Message::Message(message))
    .reason(Reason::FieldValueForbidden)
    .field_path(format!(".spec.{path}"))
}

/// What the instance has was seen.
const STORAGE_SEEN: &str = "has(oldSelf.status) && has(oldSelf.status.observed) && \
     has(oldSelf.status.observed.storageSpace) && has(oldSelf.status.observed.brokerNum)";

fn storage_spread(unless: &str, least: &str) -> Rule {
    let smallest = format!("{least} * self.spec.brokerNum");
    Rule::new(format!(
        "{unless} || !has(self.spec.storageSpace) || !has(self.spec.brokerNum) || \
         (self.spec.storageSpace >= {smallest} && self.spec.storageSpace % self.spec.brokerNum == 0)"
    ))
    .message(next_total(
        "storageSpace is the total of brokerNum equal disks of at least %d GB",
        &format!(
            "{least}, self.spec.storageSpace < {smallest} ? {smallest} : \
             (self.spec.storageSpace / self.spec.brokerNum + 1) * self.spec.brokerNum"
        ),
    ))
    .field_path(".spec.storageSpace")
}

/// Formatted, since the API server takes `string(number)` for a string without bound, and refuses what is made of it.
fn next_total(why: &str, numbers: &str) -> Message {
    Message::Expression(format!(
        "'{why}: the next total that can be reached is %d'.format([{numbers}])"
    ))
}

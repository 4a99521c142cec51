//! Tags of an instance, compared key by key.

use std::collections::{BTreeMap, BTreeSet};

use crate::api::{Correction, InstanceSpec};
use crate::cloud::{Tag, TagAction};
use crate::plan::Differences;

/// Key by key, and never all at once: the tags of others stay, and so does each of ours until its turn. `nonce` is the key of
/// the tag that marks a create, which goes once the instance runs.
pub(super) fn compare_tags(
    spec: &InstanceSpec,
    found: &[Tag],
    nonce: Option<&str>,
    managed_before: &BTreeSet<String>,
    differences: &mut Differences,
    released: &mut Vec<String>,
) -> Vec<(TagAction, Vec<Tag>)> {
    let found: BTreeMap<_, _> = found.iter().map(|tag| (tag.key.as_str(), tag.value.as_str())).collect();
    let (mut gone, mut new) = (vec![], vec![]);
    let tag = |key: &str, value: &str| Tag {
        key: key.into(),
        value: value.into(),
    };
    for (key, wanted) in &spec.tags {
        let value = found.get(key.as_str()).copied();
        if value != Some(wanted.as_str()) {
            differences.note(
                &format!("spec.tags[{key}]"),
                wanted,
                value.unwrap_or("none"),
                Correction::InPlace,
            );
            gone.extend(value.map(|value| tag(key, value)));
            new.push(tag(key, wanted));
        }
    }
    for key in managed_before.iter().filter(|key| !spec.tags.contains_key(*key)) {
        if let Some(value) = found.get(key.as_str()) {
            differences.note(&format!("spec.tags[{key}]"), "none", value, Correction::InPlace);
            gone.push(tag(key, value));
            released.push(key.clone());
        }
    }
    if let Some((key, value)) = nonce.and_then(|key| Some((key, *found.get(key)?))) {
        differences.note("the tag of its creation", "none", value, Correction::InPlace);
        gone.push(tag(key, value));
    }
    let changes = [(TagAction::Delete, gone), (TagAction::Create, new)];
    changes.into_iter().filter(|(_, tags)| !tags.is_empty()).collect()
}

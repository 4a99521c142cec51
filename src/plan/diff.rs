//! Differences between what is wanted and what was found.

use std::collections::BTreeSet;
use std::fmt::Display;

use super::cut;
use crate::api::{Correction, Drift};

/// Collects the fields that differ. What the user left out, and what the cloud does not show, is never compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    found: Vec<Drift>,
}

impl Differences {
    /// True (and noted) if both are known and differ.
    pub fn compare<T: PartialEq + Display>(
        &mut self,
        field: &str,
        wanted: Option<&T>,
        found: Option<&T>,
        correction: Correction,
    ) -> bool {
        let (Some(wanted), Some(found)) = (wanted, found) else {
            return false;
        };
        let differs = wanted != found;
        if differs {
            self.note(field, wanted, found, correction);
        }
        differs
    }

    /// Compares two sets of strings.
    pub fn compare_sets(
        &mut self,
        field: &str,
        wanted: &BTreeSet<String>,
        found: &BTreeSet<String>,
        correction: Correction,
    ) -> bool {
        let join = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(",");
        self.compare(field, Some(&join(wanted)), Some(&join(found)), correction)
    }

    /// Notes a difference.
    pub fn note(&mut self, field: &str, wanted: impl Display, found: impl Display, correction: Correction) {
        self.found.push(Drift {
            field: cut(field, 512),
            wanted: cut(&wanted.to_string(), 256),
            found: cut(&found.to_string(), 256),
            correction,
        });
    }

    /// The first difference that nothing here can mend.
    pub fn impossible(&self) -> Option<&Drift> {
        self.found.iter().find(|d| d.correction == Correction::Impossible)
    }

    /// Whether anything differs.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The names of the fields, for a message.
    pub fn fields(&self) -> String {
        const SHOWN: usize = 6;
        let names: Vec<_> = self.found.iter().take(SHOWN).map(|d| d.field.as_str()).collect();
        let more = self.found.len().saturating_sub(SHOWN);
        if more == 0 {
            names.join(", ")
        } else {
            format!("{} and {more} more", names.join(", "))
        }
    }

    /// As written to `status.drift`: at most 32.
    pub fn drift(&self) -> Vec<Drift> {
        const MAX: usize = 32;
        self.found.iter().take(MAX).cloned().collect()
    }
}

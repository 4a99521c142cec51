//! Shared reads of one list of one instance.
//!
//! Offsets shift when something is deleted between two pages, and new things show up late, so a list counts only if it
//! is complete, and absence only if two complete lists in a row show it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::cloud::{Class, Error, Limits, Operation, Page, Sent};

/// How many times a list is read again when it changed while it was read.
const TRIES: usize = 3;

/// A complete list at one moment, by name.
#[derive(Debug)]
pub struct Snapshot<T> {
    begun: Instant,
    items: BTreeMap<String, T>,
}

/// The latest snapshots of one list; whoever needs a newer one reads it for all who wait.
#[derive(Debug)]
pub struct Shared<T> {
    kept: Mutex<Kept<T>>,
    /// What the latest snapshot said that there is room for.
    limits: std::sync::Mutex<Option<Limits>>,
}

#[derive(Debug)]
struct Kept<T> {
    last: Option<Arc<Snapshot<T>>>,
    names_before: Option<BTreeSet<String>>,
    /// The last try that failed, and when it ended.
    failed: Option<(Instant, Error)>,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self {
            kept: Mutex::new(Kept {
                last: None,
                names_before: None,
                failed: None,
            }),
            limits: std::sync::Mutex::default(),
        }
    }
}

/// How to read one page of a list.
pub trait Lister: Send + Sync + 'static {
    /// What is in it.
    type Item: Clone + Send + Sync + 'static;

    /// The call, for errors.
    const OPERATION: Operation;
    /// Items a page.
    const PAGE: u32 = 50;

    /// Reads the page that begins at `offset`.
    fn page(&self, offset: u32) -> impl Future<Output = Result<Page<Self::Item>, Error>> + Send;
    /// An item's name, unique in the list.
    fn name(item: &Self::Item) -> String;
}

impl<T: Clone + Send + Sync + 'static> Shared<T> {
    /// The item of this name as of later than `since`. `None` is proof of absence.
    pub async fn find<L: Lister<Item = T>>(&self, lister: &L, name: &str, since: Instant) -> Result<Option<T>, Error> {
        let came = Instant::now();
        let mut kept = self.kept.lock().await;
        if kept.last.as_ref().is_none_or(|last| last.begun <= since) {
            self.renew(&mut kept, lister, came).await?;
        }
        if let Some(item) = kept.get(name) {
            return Ok(Some(item));
        }
        if kept.names_before.as_ref().is_none_or(|names| names.contains(name)) {
            self.renew(&mut kept, lister, came).await?;
        }
        Ok(kept.get(name))
    }

    /// What the instance had room for when the list was read last; no call is made for it.
    pub fn limits(&self) -> Option<Limits> {
        *self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn renew<L: Lister<Item = T>>(&self, kept: &mut Kept<T>, lister: &L, came: Instant) -> Result<(), Error> {
        let limits = kept.renew(lister, came).await?;
        *self.limits.lock().unwrap_or_else(PoisonError::into_inner) = Some(limits);
        Ok(())
    }
}

impl<T: Clone + Send + Sync + 'static> Kept<T> {
    fn get(&self, name: &str) -> Option<T> {
        self.last.as_ref()?.items.get(name).cloned()
    }

    /// Reads the list anew; who came before a failure shares it, or a thousand who wait would fail one after the other.
    async fn renew<L: Lister<Item = T>>(&mut self, lister: &L, came: Instant) -> Result<Limits, Error> {
        if let Some((ended, error)) = &self.failed
            && *ended > came
        {
            return Err(error.clone());
        }
        let (snapshot, limits) = match read_all(lister).await {
            Ok(snapshot) => snapshot,
            Err(error) => {
                self.failed = Some((Instant::now(), error.clone()));
                return Err(error);
            }
        };
        self.names_before = self.last.take().map(|last| last.items.keys().cloned().collect());
        self.last = Some(Arc::new(snapshot));
        Ok(limits)
    }
}

async fn read_all<L: Lister>(lister: &L) -> Result<(Snapshot<L::Item>, Limits), Error> {
    for _ in 0..TRIES {
        let begun = Instant::now();
        if let Some((items, limits)) = read_once(lister).await? {
            return Ok((Snapshot { begun, items }, limits));
        }
    }
    let message = format!("the list changed while it was read, {TRIES} times in a row");
    Err(Error::new(L::OPERATION, Class::Unavailable, Sent::Refused, message))
}

/// All pages and what the last of them says of limits, or `None` if they do not fit together.
async fn read_once<L: Lister>(lister: &L) -> Result<Option<(BTreeMap<String, L::Item>, Limits)>, Error> {
    let mut items = BTreeMap::new();
    let mut total = None;
    let mut offset = 0;
    let limits = loop {
        let page = lister.page(offset).await?;
        let (count, before) = (page.items.len() as u32, items.len());
        if offset > 0 && page.total != total {
            return Ok(None);
        }
        total = page.total;
        items.extend(page.items.into_iter().map(|item| (L::name(&item), item)));
        offset += count;
        let last = match total {
            Some(total) => u64::from(offset) >= total || count == 0,
            // A page of nothing new: the service does not page, and would be asked for ever.
            None => count < L::PAGE || items.len() == before,
        };
        if last {
            break page.limits;
        }
    };
    let complete = total.is_none_or(|total| items.len() as u64 == total);
    Ok(complete.then_some((items, limits)))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// The lists that the service gives, one after the other.
    struct Script(Mutex<Vec<Vec<&'static str>>>);

    impl Lister for Script {
        type Item = String;

        const OPERATION: Operation = Operation::ListInstanceTopics;

        async fn page(&self, _: u32) -> Result<Page<String>, Error> {
            let items: Vec<_> = self.0.lock().unwrap().remove(0).into_iter().map(String::from).collect();
            let total = Some(items.len() as u64);
            Ok(Page {
                items,
                total,
                limits: Limits::default(),
            })
        }

        fn name(item: &String) -> String {
            item.clone()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn only_two_complete_lists_in_a_row_prove_absence() {
        // Something came and something went while the first list was read: it is complete by its total, and lacks `b`.
        for (lists, found) in [
            (vec![vec!["a", "c"], vec!["a", "b"]], Some("b")),
            (vec![vec!["a", "c"], vec!["a", "c"]], None),
        ] {
            let script = Script(Mutex::new(lists));
            let shared = Shared::default();
            let seen = shared.find(&script, "b", Instant::now()).await.unwrap();
            assert_eq!(seen.as_deref(), found);
            assert!(script.0.lock().unwrap().is_empty(), "both were read");
        }
    }
}

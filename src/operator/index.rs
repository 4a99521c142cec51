//! Finds objects of one kind by what they claim and by what they refer to, without looking at all of them.

use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::sync::Arc;

/// Namespace and name of an object.
pub type Key = (String, String);

/// What an object is found by: a hash, so that ten thousand objects do not keep the same words ten thousand times. Whoever
/// finds one looks whether it is what was meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Word(u64);

impl Word {
    /// The word for a value of some kind of meaning.
    pub fn of<T: Hash + ?Sized>(meaning: &'static str, value: &T) -> Self {
        let mut hasher = DefaultHasher::new();
        meaning.hash(&mut hasher);
        value.hash(&mut hasher);
        Self(hasher.finish())
    }
}

/// Objects by their words.
#[derive(Debug, Default)]
pub struct Index {
    objects: HashMap<Word, BTreeSet<Arc<Key>>>,
    words: HashMap<Arc<Key>, Box<[Word]>>,
}

impl Index {
    /// From now on the object is found by these words, and no others.
    pub fn put(&mut self, key: Key, words: impl Iterator<Item = Word>) {
        let mut words: Vec<_> = words.collect();
        words.sort_unstable();
        words.dedup();
        if self.words.get(&key).is_some_and(|known| **known == *words) {
            return;
        }
        self.remove(&key);
        let key = Arc::new(key);
        for word in &words {
            self.objects.entry(*word).or_default().insert(key.clone());
        }
        self.words.insert(key, words.into());
    }

    /// The object is found no more.
    pub fn remove(&mut self, key: &Key) {
        for word in self.words.remove(key).unwrap_or_default() {
            if let Some(objects) = self.objects.get_mut(&word) {
                objects.remove(key);
                if objects.is_empty() {
                    self.objects.remove(&word);
                }
            }
        }
    }

    /// Forgets all but these.
    pub fn retain(&mut self, keep: impl Fn(&Key) -> bool) {
        let gone: Vec<_> = self.words.keys().filter(|key| !keep(key)).cloned().collect();
        gone.iter().for_each(|key| self.remove(key));
    }

    /// The objects that may be meant by this word, in order.
    pub fn of(&self, word: Word) -> impl Iterator<Item = Arc<Key>> + use<'_> {
        self.objects.get(&word).into_iter().flatten().cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_found_by_its_words_of_now() {
        let key = |name: &str| ("payments".to_owned(), name.to_owned());
        let word = |text: &str| Word::of("claim", text);
        let mut index = Index::default();
        index.put(key("a"), [word("orders"), word("x")].into_iter());
        index.put(key("b"), [word("orders")].into_iter());
        let found = |index: &Index, text: &str| index.of(word(text)).map(|key| key.1.clone()).collect::<Vec<_>>();
        assert_eq!(found(&index, "orders"), ["a", "b"]);
        index.put(key("a"), [word("y")].into_iter());
        assert_eq!(found(&index, "orders"), ["b"]);
        assert_eq!(found(&index, "x"), [""; 0]);
        index.retain(|known| known.1 == "b");
        assert_eq!(found(&index, "y"), [""; 0]);
        assert_eq!(
            (index.objects.len(), index.words.len()),
            (1, 1),
            "nothing is kept of what is gone"
        );
    }
}

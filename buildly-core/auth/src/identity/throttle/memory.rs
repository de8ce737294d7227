//! What is remembered, in bounded memory.

use std::collections::HashMap;
use std::hash::Hash;

use aws_lc_rs::digest;
use buildly_model::Timestamp;

use super::{Failures, Memory};

/// How many are remembered at least, and twice that at most.
pub(super) const ENTRIES_MAX: usize = 50_000;

/// A name in 16 bytes, however long it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Fingerprint([u8; 16]);

impl Fingerprint {
    pub(super) fn of(name: &str) -> Self {
        let mut bytes = [0; 16];
        let digest = digest::digest(&digest::SHA256, name.as_bytes());
        bytes.iter_mut().zip(digest.as_ref()).for_each(|(byte, drawn)| *byte = *drawn);
        Self(bytes)
    }
}

/// Two generations of entries: when the young one is full, the old one is dropped. So
/// memory is bounded and whatever was touched lately stays.
#[derive(Debug)]
pub(super) struct Generations<K> {
    young: HashMap<K, Failures>,
    old: HashMap<K, Failures>,
}

impl<K> Default for Generations<K> {
    fn default() -> Self {
        Self { young: HashMap::new(), old: HashMap::new() }
    }
}

impl<K: Eq + Hash> Generations<K> {
    pub(super) fn get(&self, key: &K) -> Option<Failures> {
        self.young.get(key).or_else(|| self.old.get(key)).copied()
    }

    pub(super) fn count(&mut self, key: K, memory: Memory, now: Timestamp) {
        let failures = Failures::and_one_more(self.get(&key), memory, now);
        self.put(key, failures);
    }

    /// Takes one back that was counted too early.
    pub(super) fn uncount(&mut self, key: &K) {
        if let Some(failures) = self.young.get_mut(key).or_else(|| self.old.get_mut(key)) {
            failures.count = failures.count.saturating_sub(1);
        }
    }

    pub(super) fn put(&mut self, key: K, failures: Failures) {
        if self.young.len() >= ENTRIES_MAX && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, failures);
    }

    pub(super) fn forget(&mut self, key: &K) -> Option<Failures> {
        let old = self.old.remove(key);
        self.young.remove(key).or(old)
    }

    #[cfg(test)]
    pub(super) fn entries(&self) -> usize {
        self.young.len() + self.old.len()
    }
}

/// Entries about what exists, and entries about names that anybody may make up: the latter
/// never push out the former.
#[derive(Debug, Default)]
pub(super) struct Known {
    real: Generations<Fingerprint>,
    made_up: Generations<Fingerprint>,
}

impl Known {
    pub(super) fn get(&self, key: Fingerprint) -> Option<Failures> {
        self.real.get(&key).or_else(|| self.made_up.get(&key))
    }

    /// Counts where the key is already, and among the made-up ones else.
    pub(super) fn count(&mut self, key: Fingerprint, memory: Memory, now: Timestamp) {
        if self.real.get(&key).is_some() {
            self.real.count(key, memory, now);
        } else {
            self.made_up.count(key, memory, now);
        }
    }

    /// Moves the key to those that exist.
    pub(super) fn know(&mut self, key: Fingerprint) {
        if let Some(failures) = self.made_up.forget(&key) {
            self.real.put(key, failures);
        }
    }

    pub(super) fn forget(&mut self, key: Fingerprint) {
        self.real.forget(&key);
        self.made_up.forget(&key);
    }

    #[cfg(test)]
    pub(super) fn entries(&self) -> usize {
        self.real.entries() + self.made_up.entries()
    }
}

//! A map by id that is cheap to change into a new one: two levels of 64 branches, shared
//! between the versions, so that one change copies some hundred pointers and one small leaf
//! however many entries there are.

use std::sync::Arc;

use buildly_model::{OrganizationId, UserId};
use foldhash::HashMap;

const BRANCHES: usize = 64;

type Leaf<K, V> = Arc<HashMap<K, Arc<V>>>;
type Branch<K, V> = Arc<Vec<Leaf<K, V>>>;

/// A persistent map; `Clone` shares everything.
#[derive(Debug)]
pub(crate) struct Shards<K, V> {
    branches: Vec<Branch<K, V>>,
    length: usize,
}

impl<K, V> Clone for Shards<K, V> {
    fn clone(&self) -> Self {
        Self { branches: self.branches.clone(), length: self.length }
    }
}

impl<K, V> Default for Shards<K, V> {
    fn default() -> Self {
        Self { branches: Vec::new(), length: 0 }
    }
}

/// What can be a key: ids, whose bits are spread by a multiplication.
pub(crate) trait Key: Copy + Eq + std::hash::Hash {
    /// The id's bits.
    fn bits(self) -> u128;
}

impl Key for UserId {
    fn bits(self) -> u128 {
        self.as_uuid().as_u128()
    }
}

impl Key for OrganizationId {
    fn bits(self) -> u128 {
        self.as_uuid().as_u128()
    }
}

fn place<K: Key>(key: K) -> (usize, usize) {
    const ODD: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;
    let spread = key.bits().wrapping_mul(ODD) >> 116;
    ((spread >> 6) as usize % BRANCHES, spread as usize % BRANCHES)
}

impl<K: Key, V> Shards<K, V> {
    /// The value under `key`.
    pub(crate) fn get(&self, key: K) -> Option<&Arc<V>> {
        let (branch, leaf) = place(key);
        self.branches.get(branch)?.get(leaf)?.get(&key)
    }

    /// Puts `value` under `key`; other versions of the map keep what they have.
    pub(crate) fn insert(&mut self, key: K, value: Arc<V>) {
        if let Some(leaf) = self.leaf(key)
            && leaf.insert(key, value).is_none()
        {
            self.length += 1;
        }
    }

    /// Takes `key` out.
    pub(crate) fn remove(&mut self, key: K) {
        if self.get(key).is_some()
            && let Some(leaf) = self.leaf(key)
            && leaf.remove(&key).is_some()
        {
            self.length -= 1;
        }
    }

    /// How many entries there are.
    pub(crate) const fn len(&self) -> usize {
        self.length
    }

    /// All values, in no order.
    pub(crate) fn values(&self) -> impl Iterator<Item = &Arc<V>> {
        self.branches.iter().flat_map(|branch| branch.iter()).flat_map(|leaf| leaf.values())
    }

    /// Where `key` belongs, copied if another version shares it.
    fn leaf(&mut self, key: K) -> Option<&mut HashMap<K, Arc<V>>> {
        if self.branches.is_empty() {
            let leaf: Leaf<K, V> = Arc::new(HashMap::default());
            let branch: Branch<K, V> = Arc::new(vec![leaf; BRANCHES]);
            self.branches = vec![branch; BRANCHES];
        }
        let (branch, leaf) = place(key);
        let branch = Arc::make_mut(self.branches.get_mut(branch)?);
        Some(Arc::make_mut(branch.get_mut(leaf)?))
    }
}

#[cfg(test)]
mod tests;

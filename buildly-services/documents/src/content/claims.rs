//! Who is about to name a file, so that nobody removes it meanwhile.
//!
//! Nobody waits for anybody: whoever would remove a file that somebody else is about to name
//! leaves it to them. The lock is held only while a claim changes, or a file moves.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use buildly_model::OrganizationId;

/// A file: whose it is, and its SHA-256.
pub(super) type Key = (OrganizationId, String);

#[derive(Debug, Default)]
struct Claim {
    /// How many are about to name the file.
    placing: usize,
    /// Whether somebody would have removed it meanwhile.
    is_unwanted: bool,
    /// Who is about to remove it; nobody any more once somebody is about to name it.
    removal: Option<u64>,
}

#[derive(Debug, Default)]
struct Open {
    claims: HashMap<Key, Claim>,
    removals: u64,
}

/// The claims on all files that anybody has something in mind with.
#[derive(Debug, Clone, Default)]
pub(super) struct Claims(Arc<Mutex<Open>>);

/// Keeps a file until it is named.
#[derive(Debug)]
pub(crate) struct Placing {
    claims: Claims,
    key: Key,
    is_released: bool,
}

/// Says who may remove a file: nobody, if it has been claimed since.
#[derive(Debug)]
pub(super) struct Removal {
    claims: Claims,
    key: Key,
    number: u64,
}

impl Claims {
    /// Nobody removes the file from now on.
    pub(super) fn place(&self, key: Key) -> Placing {
        let mut open = self.lock();
        let claim = open.claims.entry(key.clone()).or_default();
        claim.placing += 1;
        claim.removal = None;
        Placing { claims: self.clone(), key, is_released: false }
    }

    /// Begins to remove the file; `None` if somebody is about to name it, who is told.
    pub(super) fn remove(&self, key: Key) -> Option<Removal> {
        let mut open = self.lock();
        open.removals += 1;
        let number = open.removals;
        let claim = open.claims.entry(key.clone()).or_default();
        if claim.placing > 0 {
            claim.is_unwanted = true;
            return None;
        }
        claim.removal = Some(number);
        Some(Removal { claims: self.clone(), key, number })
    }

    /// Does something quick while no claim changes.
    pub(super) fn alone<T>(&self, quick: impl FnOnce() -> T) -> T {
        let _open = self.lock();
        quick()
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Placing {
    /// Gives the file free; `true` if somebody would have removed it meanwhile, and whoever had it
    /// must do that.
    pub(crate) fn release(mut self) -> bool {
        self.end()
    }

    fn end(&mut self) -> bool {
        if std::mem::replace(&mut self.is_released, true) {
            return false;
        }
        let mut open = self.claims.lock();
        let Some(claim) = open.claims.get_mut(&self.key) else { return false };
        let is_unwanted = claim.is_unwanted;
        claim.placing = claim.placing.saturating_sub(1);
        if claim.placing == 0 && claim.removal.is_none() {
            open.claims.remove(&self.key);
        }
        is_unwanted
    }
}

impl Drop for Placing {
    fn drop(&mut self) {
        // Who drops it unreleased was broken off; the next start looks for what is left.
        let _nobody_is_there_to_do_it = self.end();
    }
}

impl Removal {
    /// Moves the file away if nobody has claimed it since; `quick` does not wait.
    pub(super) fn finish<T>(&self, quick: impl FnOnce() -> T) -> Option<T> {
        let open = self.claims.lock();
        let is_mine = open.claims.get(&self.key).is_some_and(|claim| claim.removal == Some(self.number));
        is_mine.then(quick)
    }
}

impl Drop for Removal {
    fn drop(&mut self) {
        let mut open = self.claims.lock();
        if let Some(claim) = open.claims.get_mut(&self.key)
            && claim.removal == Some(self.number)
        {
            open.claims.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests;

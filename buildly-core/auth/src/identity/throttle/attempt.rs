//! An attempt that was admitted, until its outcome is known.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Arc;

use buildly_model::Timestamp;
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

use super::memory::Fingerprint;
use super::{Memory, Refused, Throttle};

/// How many may wait for one account, or at one address.
const LINE_LENGTH_MAX: usize = 256;

/// An attempt that was admitted. One that is given up counts as failed: else nobody would
/// wait for the answer.
#[derive(Debug)]
#[must_use = "an attempt that is dropped counts as failed"]
pub struct Attempt<'a> {
    throttle: &'a Throttle,
    account: Fingerprint,
    address: Option<IpAddr>,
    began_at: Timestamp,
    exists: bool,
    outcome: Outcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Failed,
    Succeeded,
    NotMade,
}

impl<'a> Attempt<'a> {
    pub(super) fn new(
        throttle: &'a Throttle,
        account: Fingerprint,
        address: Option<IpAddr>,
        began_at: Timestamp,
    ) -> Self {
        Self { throttle, account, address, began_at, exists: false, outcome: Outcome::Failed }
    }

    /// Says that there is such an account.
    pub fn account_exists(&mut self) {
        self.exists = true;
    }

    /// It was the right password: the failures of the account are forgotten. Those of the
    /// address stay: else one good account would wash any number of guesses.
    pub fn succeeded(mut self) {
        self.outcome = Outcome::Succeeded;
    }

    /// Nothing was tried.
    pub fn not_made(mut self) {
        self.outcome = Outcome::NotMade;
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let mut state = self.throttle.lock();
        if let (Some(address), Outcome::Succeeded | Outcome::NotMade) = (&self.address, self.outcome) {
            state.addresses.uncount(address);
        }
        match self.outcome {
            Outcome::Succeeded => state.accounts.forget(self.account),
            Outcome::Failed => {
                state.accounts.count(self.account, Memory::Account, self.began_at);
                if self.exists {
                    state.accounts.know(self.account);
                }
            }
            Outcome::NotMade => {}
        }
        state.lines.leave(&self.account);
        if let Some(address) = &self.address {
            state.address_lines.leave(address);
        }
    }
}

/// What attempts are under way for: accounts, or addresses.
#[derive(Debug)]
pub(super) struct Lines<K>(HashMap<K, Line>);

impl<K> Default for Lines<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

#[derive(Debug)]
struct Line {
    under_way: u32,
    /// Those who wait hold it.
    freed: Arc<Notify>,
}

impl<K: Eq + Hash> Lines<K> {
    /// Begins an attempt if fewer than `attempts_max` are under way; else says when to ask
    /// again.
    ///
    /// # Errors
    /// [`Refused::Busy`] if too many wait already.
    pub(super) fn enter(&mut self, key: K, attempts_max: u32) -> Result<Option<OwnedNotified>, Refused> {
        let new = || Line { under_way: 0, freed: Arc::default() };
        let line = self.0.entry(key).or_insert_with(new);
        if line.under_way < attempts_max {
            line.under_way += 1;
            return Ok(None);
        }
        if Arc::strong_count(&line.freed) > LINE_LENGTH_MAX {
            return Err(Refused::Busy);
        }
        Ok(Some(Arc::clone(&line.freed).notified_owned()))
    }

    /// Takes back an entrance of this very moment: nobody has come to wait for it.
    pub(super) fn take_back(&mut self, key: &K) {
        self.end(key, |_| ());
    }

    fn leave(&mut self, key: &K) {
        // Whoever waits asks again, since the outcome may have made them wait longer.
        self.end(key, Notify::notify_waiters);
    }

    fn end(&mut self, key: &K, tell: impl FnOnce(&Notify)) {
        let Some(line) = self.0.get_mut(key) else { return };
        line.under_way = line.under_way.saturating_sub(1);
        tell(&line.freed);
        if line.under_way == 0 {
            self.0.remove(key);
        }
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }
}

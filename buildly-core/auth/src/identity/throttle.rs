//! Slows down guessing: by account with a growing delay, by address with a limit.
//!
//! The decision is pure ([`Failures`]); [`Throttle`] keeps a bounded number of them. One
//! account's failures never delay another account, and an address that reaches its limit
//! delays only itself. Each node counts for itself.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use buildly_model::Timestamp;

use super::user::comparison_key;

/// An account may fail this often without any delay.
pub const ACCOUNT_FAILURES_FREE: u32 = 5;
/// The delay after the first failure that is not free; each further one doubles it.
pub const ACCOUNT_DELAY_FIRST: Duration = Duration::from_secs(2);
/// The longest delay, so that nobody can lock an account for good.
pub const ACCOUNT_DELAY_MAX: Duration = Duration::from_secs(300);
/// Failures of an account are forgotten after so much quiet time.
pub const ACCOUNT_MEMORY: Duration = Duration::from_secs(900);
/// An address may fail this often within [`ADDRESS_WINDOW`].
pub const ADDRESS_FAILURES_MAX: u32 = 300;
/// The time over which an address's failures are counted.
pub const ADDRESS_WINDOW: Duration = Duration::from_secs(300);
/// How many accounts, and how many addresses, are remembered at least, and twice that at most.
const ENTRIES_MAX: usize = 50_000;

/// What is remembered of one account or address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failures {
    /// How many there were.
    pub count: u32,
    /// When the first of the window was.
    pub since: Timestamp,
    /// When the last was.
    pub last: Timestamp,
}

impl Failures {
    /// After one more failure.
    #[must_use]
    pub fn and_one_more(before: Option<Self>, memory: Memory, now: Timestamp) -> Self {
        match before.filter(|before| !before.is_forgotten(memory, now)) {
            None => Self { count: 1, since: now, last: now },
            Some(before) => Self { count: before.count.saturating_add(1), since: before.since, last: now },
        }
    }

    /// How long to wait before the next try; `None` if it may be made now.
    #[must_use]
    pub fn wait(&self, memory: Memory, now: Timestamp) -> Option<Duration> {
        if self.is_forgotten(memory, now) {
            return None;
        }
        let until = match memory {
            Memory::Account => {
                let over = self.count.checked_sub(ACCOUNT_FAILURES_FREE)?;
                let factor = 1_u32.checked_shl(over).unwrap_or(u32::MAX);
                let delay = ACCOUNT_DELAY_FIRST.saturating_mul(factor).min(ACCOUNT_DELAY_MAX);
                self.last.after(delay)
            }
            Memory::Address if self.count < ADDRESS_FAILURES_MAX => return None,
            Memory::Address => self.since.after(ADDRESS_WINDOW),
        };
        Some(until.since(now)).filter(|wait| !wait.is_zero())
    }

    /// A clock that was set back makes nothing older than it is.
    fn is_forgotten(&self, memory: Memory, now: Timestamp) -> bool {
        match memory {
            Memory::Account => now.since(self.last) >= ACCOUNT_MEMORY,
            Memory::Address => now.since(self.since) >= ADDRESS_WINDOW,
        }
    }
}

/// By which rule failures are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// Failures to sign in to one account.
    Account,
    /// Failures from one address.
    Address,
}

/// Remembers failures, a bounded number of them.
#[derive(Debug, Default)]
pub struct Throttle {
    accounts: Mutex<Generations<String>>,
    addresses: Mutex<Generations<IpAddr>>,
}

impl Throttle {
    /// How long this account, from this address, has to wait; `None` if it may try now.
    #[must_use]
    pub fn wait(&self, account: &str, address: Option<IpAddr>, now: Timestamp) -> Option<Duration> {
        let account = locked(&self.accounts).get(&comparison_key(account));
        let address = address.and_then(|address| locked(&self.addresses).get(&subscriber(address)));
        let account = account.and_then(|failures| failures.wait(Memory::Account, now));
        let address = address.and_then(|failures| failures.wait(Memory::Address, now));
        account.max(address)
    }

    /// Remembers a failure.
    pub fn failed(&self, account: &str, address: Option<IpAddr>, now: Timestamp) {
        locked(&self.accounts).count(comparison_key(account), Memory::Account, now);
        self.failed_at(address, now);
    }

    /// Remembers a failure that concerns no account.
    pub fn failed_at(&self, address: Option<IpAddr>, now: Timestamp) {
        if let Some(address) = address {
            locked(&self.addresses).count(subscriber(address), Memory::Address, now);
        }
    }

    /// Forgets the failures of an account whose user has shown the right password. Those of
    /// the address stay: else one good account would wash any number of guesses.
    pub fn succeeded(&self, account: &str) {
        locked(&self.accounts).forget(&comparison_key(account));
    }
}

/// Who gets one IPv6 address gets a /64 (RFC 6177), so that is what counts as one address.
fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & !u128::from(u64::MAX)).into()),
        version_4 @ IpAddr::V4(_) => version_4,
    }
}

fn locked<K>(generations: &Mutex<Generations<K>>) -> std::sync::MutexGuard<'_, Generations<K>> {
    generations.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Two generations of entries: when the young one is full, the old one is dropped. So
/// memory is bounded and whatever was touched lately stays.
#[derive(Debug)]
struct Generations<K> {
    young: HashMap<K, Failures>,
    old: HashMap<K, Failures>,
}

impl<K> Default for Generations<K> {
    fn default() -> Self {
        Self { young: HashMap::new(), old: HashMap::new() }
    }
}

impl<K: Eq + Hash> Generations<K> {
    fn get(&self, key: &K) -> Option<Failures> {
        self.young.get(key).or_else(|| self.old.get(key)).copied()
    }

    fn count(&mut self, key: K, memory: Memory, now: Timestamp) {
        let failures = Failures::and_one_more(self.get(&key), memory, now);
        if self.young.len() >= ENTRIES_MAX && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, failures);
    }

    fn forget(&mut self, key: &K) {
        self.young.remove(key);
        self.old.remove(key);
    }
}

#[cfg(test)]
mod tests;

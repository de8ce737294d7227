//! Slows down guessing: by account with a growing delay, by address with a limit; and mail
//! that strangers have sent, by where it goes.
//!
//! The decision is pure ([`Failures`]); [`Throttle`] keeps a bounded number of them. One
//! account's failures never delay another account, and an address that reaches its limit
//! delays only itself. What is remembered of accounts that exist is kept apart, so that
//! made-up names never push it out. Each node counts for itself.

mod attempt;
mod memory;

use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use buildly_model::{Clock, Timestamp};

use super::user::comparison_key;
pub use attempt::Attempt;
use attempt::Lines;
use memory::{Fingerprint, Generations, Known};

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
/// So many attempts of one address are looked at at the same time: the others wait in line, so
/// that nobody alone keeps the threads that check passwords busy.
pub const ADDRESS_ATTEMPTS_MAX: u32 = 32;
/// So much mail goes to one address without any delay.
pub const MAIL_FREE: u32 = 5;
/// The delay after the first message that is not free; each further one doubles it.
pub const MAIL_DELAY_FIRST: Duration = Duration::from_secs(60);
/// The longest delay.
pub const MAIL_DELAY_MAX: Duration = Duration::from_secs(900);
/// Mail to an address is forgotten after so much quiet time.
pub const MAIL_MEMORY: Duration = Duration::from_secs(3600);

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
                self.last.after(doubled(ACCOUNT_DELAY_FIRST, over).min(ACCOUNT_DELAY_MAX))
            }
            Memory::Mail => {
                let over = self.count.checked_sub(MAIL_FREE)?;
                self.last.after(doubled(MAIL_DELAY_FIRST, over).min(MAIL_DELAY_MAX))
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
            Memory::Mail => now.since(self.last) >= MAIL_MEMORY,
            Memory::Address => now.since(self.since) >= ADDRESS_WINDOW,
        }
    }
}

fn doubled(first: Duration, times: u32) -> Duration {
    first.saturating_mul(1_u32.checked_shl(times).unwrap_or(u32::MAX))
}

/// By which rule failures are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// Failures to sign in to one account.
    Account,
    /// Failures from one address.
    Address,
    /// Messages to one address.
    Mail,
}

/// Why something may not be tried now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// There were too many; this is how long to wait.
    Limited(Duration),
    /// Too many wait for their turn.
    Busy,
}

impl From<Refused> for crate::Error {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Limited(retry_after) => Self::Limited { retry_after },
            Refused::Busy => Self::Busy,
        }
    }
}

/// Remembers failures, a bounded number of them.
#[derive(Debug, Default)]
pub struct Throttle(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    accounts: Known,
    mail: Known,
    addresses: Generations<IpAddr>,
    lines: Lines<Fingerprint>,
    address_lines: Lines<IpAddr>,
}

/// Whether something may be tried now.
enum Admission {
    Granted,
    /// Only once another attempt on the account has ended.
    InLine(tokio::sync::futures::OwnedNotified),
}

impl Throttle {
    /// Admits an attempt to sign in to an account, from an address. Attempts that go on count
    /// as failures, so that no more are under way than may fail; those beyond wait in line.
    ///
    /// # Errors
    /// [`Refused`] if the account or the address has to wait.
    pub async fn admit(
        &self,
        account: &str,
        address: Option<IpAddr>,
        clock: &dyn Clock,
    ) -> Result<Attempt<'_>, Refused> {
        let (account, address) = (Fingerprint::of(&comparison_key(account)), address.map(subscriber));
        loop {
            let now = clock.now();
            let admission = self.lock().admit(account, address, now)?;
            match admission {
                Admission::Granted => return Ok(Attempt::new(self, account, address, now)),
                Admission::InLine(turn) => turn.await,
            }
        }
    }

    /// Counts a request, made by anybody, for mail to `email`.
    ///
    /// # Errors
    /// [`Refused`] if that mail, or the address that asks, has to wait.
    pub fn admit_mail(&self, email: &str, address: Option<IpAddr>, now: Timestamp) -> Result<(), Refused> {
        let (email, address) = (Fingerprint::of(&comparison_key(email)), address.map(subscriber));
        let mut state = self.lock();
        let mail = state.mail.get(email).and_then(|sent| sent.wait(Memory::Mail, now));
        if let Some(wait) = mail.max(state.address_wait(address, now)) {
            return Err(Refused::Limited(wait));
        }
        state.mail.count(email, Memory::Mail, now);
        if let Some(address) = address {
            state.addresses.count(address, Memory::Address, now);
        }
        Ok(())
    }

    /// Counts a notice to an administrator that strangers set off; apart from mail that is
    /// asked for, so that these never hold up each other.
    ///
    /// # Errors
    /// [`Refused`] if there were too many.
    pub fn admit_notice(&self, email: &str, now: Timestamp) -> Result<(), Refused> {
        let email = format!("notice {}", comparison_key(email));
        self.admit_mail(&email, None, now)?;
        self.mail_is_known(&email);
        Ok(())
    }

    /// Says that `email` is somebody's.
    pub fn mail_is_known(&self, email: &str) {
        self.lock().mail.know(Fingerprint::of(&comparison_key(email)));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn admit(
        &mut self,
        account: Fingerprint,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Admission, Refused> {
        let failures = self.accounts.get(account);
        let wait = failures.and_then(|failures| failures.wait(Memory::Account, now));
        if let Some(wait) = wait.max(self.address_wait(address, now)) {
            return Err(Refused::Limited(wait));
        }
        let failed = failures.filter(|failures| !failures.is_forgotten(Memory::Account, now));
        let may_fail = ACCOUNT_FAILURES_FREE.saturating_sub(failed.map_or(0, |failures| failures.count));
        if let Some(turn) = self.lines.enter(account, may_fail.max(1))? {
            return Ok(Admission::InLine(turn));
        }
        if let Some(address) = address {
            match self.address_lines.enter(address, ADDRESS_ATTEMPTS_MAX) {
                Ok(None) => self.addresses.count(address, Memory::Address, now),
                in_line => {
                    self.lines.take_back(&account);
                    return in_line.map(|turn| turn.map_or(Admission::Granted, Admission::InLine));
                }
            }
        }
        Ok(Admission::Granted)
    }

    fn address_wait(&self, address: Option<IpAddr>, now: Timestamp) -> Option<Duration> {
        self.addresses.get(&address?)?.wait(Memory::Address, now)
    }
}

/// Who gets one IPv6 address gets a /64 (RFC 6177), so that is what counts as one address.
fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & !u128::from(u64::MAX)).into()),
        version_4 @ IpAddr::V4(_) => version_4,
    }
}

#[cfg(test)]
mod tests;

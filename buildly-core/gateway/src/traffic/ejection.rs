//! Passive ejection: an instance that fails several calls in a row is left out for a time.
//!
//! Each further ejection lasts longer, up to a bound; after an ejection one more failure
//! ejects again, and one success clears the failures. The last instance is never
//! ejected: a service that answers badly is still better asked than not.

use std::time::Duration;

use buildly_model::Timestamp;

use crate::EjectionPolicy;

/// When an instance is ejected, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// So many failures in a row eject; at most 1023.
    pub failures_max: u16,
    /// How long the first ejection lasts; each further one lasts so much longer.
    pub first: Duration,
    /// No ejection lasts longer.
    pub longest: Duration,
    /// A success so long after the last ejection's end makes the next ejection a first one again.
    pub forgiven_after: Duration,
}

impl From<&EjectionPolicy> for Policy {
    fn from(policy: &EjectionPolicy) -> Self {
        let longest = Duration::from_millis(policy.ejected_ms_max.into());
        Self {
            failures_max: u16::try_from(policy.failures_max).unwrap_or(COUNT_MAX).min(COUNT_MAX),
            first: Duration::from_millis(policy.ejected_ms.into()),
            longest,
            forgiven_after: longest,
        }
    }
}

/// What is remembered of an instance. It fits into 64 bits, so that it lives in an atomic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Record {
    failures: u16,
    ejections: u16,
    until_ms: u64,
}

const COUNT_MAX: u16 = (1 << 10) - 1;
const TIME_MAX: u64 = (1 << 44) - 1;

impl Record {
    /// Packs it.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        self.until_ms << 20 | (self.failures as u64) << 10 | self.ejections as u64
    }

    /// Unpacks what [`Record::to_bits`] gave; 0 is an instance without a history.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self {
            failures: (bits >> 10) as u16 & COUNT_MAX,
            ejections: bits as u16 & COUNT_MAX,
            until_ms: bits >> 20,
        }
    }

    /// Whether calls leave the instance out. A clock that was set back never prolongs an ejection
    /// beyond the longest.
    #[must_use]
    pub fn is_ejected(self, policy: &Policy, now: Timestamp) -> bool {
        let now = milliseconds(now);
        now < self.until_ms && self.until_ms - now <= milliseconds_of(policy.longest)
    }

    /// After a call that succeeded.
    #[must_use]
    pub fn succeeded(self, policy: &Policy, now: Timestamp) -> Self {
        let forgiven =
            milliseconds(now) >= self.until_ms.saturating_add(milliseconds_of(policy.forgiven_after));
        Self { failures: 0, ejections: if forgiven { 0 } else { self.ejections }, ..self }
    }

    /// After a call that failed, when `others` more instances of the service take calls.
    #[must_use]
    pub fn failed(self, others: usize, policy: &Policy, now: Timestamp) -> Self {
        if self.is_ejected(policy, now) {
            return self; // a call that began before the ejection
        }
        let failures = (self.failures + 1).min(COUNT_MAX);
        if failures < policy.failures_max || others == 0 {
            return Self { failures, ..self };
        }
        let ejections = (self.ejections + 1).min(COUNT_MAX);
        let length = milliseconds_of(policy.first).saturating_mul(ejections.into());
        let length = length.min(milliseconds_of(policy.longest));
        Self {
            failures: policy.failures_max.saturating_sub(1).min(COUNT_MAX),
            ejections,
            until_ms: milliseconds(now).saturating_add(length).min(TIME_MAX),
        }
    }
}

fn milliseconds(at: Timestamp) -> u64 {
    u64::try_from(at.as_microseconds() / 1000).unwrap_or(0).min(TIME_MAX)
}

fn milliseconds_of(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(TIME_MAX).min(TIME_MAX)
}

#[cfg(test)]
mod tests;

//! Retries within a budget, so that a service in trouble is not asked even more.
//!
//! Each call pays a share of a retry in, each retry takes one out; a small floor by time
//! keeps services alive that are seldom called. Which calls may be repeated at all is
//! decided by [`is_repeatable`].

use std::time::Duration;

use buildly_model::Timestamp;
use http::{HeaderMap, HeaderName, Method};

use crate::RetryPolicy;

/// What a budget that is not nothing may save up at least.
const SAVED_LEAST: u32 = 10;
const SAVED_MOST: u32 = 1000;
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// How much may be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Retries earned by a call, in thousandths.
    pub per_call_thousandths: u32,
    /// Retries earned by a second, however few calls there are.
    pub per_second: u32,
    /// The most that are saved up; at most 1000.
    pub saved_max: u32,
    /// The most attempts of one call, the first included.
    pub attempts_max: u32,
}

impl From<&RetryPolicy> for Policy {
    fn from(policy: &RetryPolicy) -> Self {
        let is_none = policy.budget_percent == 0 && policy.per_second_min == 0;
        Self {
            per_call_thousandths: policy.budget_percent.saturating_mul(10),
            per_second: policy.per_second_min,
            saved_max: if is_none { 0 } else { policy.per_second_min.clamp(SAVED_LEAST, SAVED_MOST) },
            attempts_max: policy.attempts_max,
        }
    }
}

impl Policy {
    /// No call is repeated.
    pub const NONE: Self = Self { per_call_thousandths: 0, per_second: 0, saved_max: 0, attempts_max: 1 };

    const fn most(&self) -> u64 {
        let saved_max = if self.saved_max > SAVED_MOST { SAVED_MOST } else { self.saved_max };
        saved_max as u64 * 1000
    }
}

/// What is left, in thousandths of a retry, and when that was. It fits into 64 bits; a service
/// that was never called (0) has saved up all it may.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Budget {
    left: u64,
    at_ms: u64,
}

const LEFT_BITS: u32 = 20;

impl Budget {
    /// Packs it.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        self.at_ms << LEFT_BITS | self.left
    }

    /// Unpacks what [`Budget::to_bits`] gave.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self { left: bits & ((1 << LEFT_BITS) - 1), at_ms: bits >> LEFT_BITS }
    }

    /// Pays a call in.
    #[must_use]
    pub fn deposit(self, policy: &Policy, now: Timestamp) -> Self {
        let budget = self.at(policy, now);
        Self { left: (budget.left + u64::from(policy.per_call_thousandths)).min(policy.most()), ..budget }
    }

    /// Takes a retry out; `None` if there is none left.
    #[must_use]
    pub fn withdraw(self, policy: &Policy, now: Timestamp) -> Option<Self> {
        let budget = self.at(policy, now);
        Some(Self { left: budget.left.checked_sub(1000)?, ..budget })
    }

    /// What time has added. A clock that was set back adds nothing, and counts from there.
    fn at(self, policy: &Policy, now: Timestamp) -> Self {
        let at_ms = u64::try_from(now.as_microseconds() / 1000).unwrap_or(0);
        let passed = Duration::from_millis(at_ms.saturating_sub(self.at_ms));
        let earned =
            u64::try_from(passed.as_millis()).unwrap_or(u64::MAX).saturating_mul(policy.per_second.into());
        Self { left: self.left.saturating_add(earned).min(policy.most()), at_ms }
    }
}

/// Whether doing it twice is the same as doing it once: the method is idempotent
/// (RFC 9110 section 9.2.2), or the caller named the call with an `Idempotency-Key`.
#[must_use]
pub fn is_repeatable(method: &Method, headers: &HeaderMap) -> bool {
    method.is_idempotent() || headers.contains_key(IDEMPOTENCY_KEY)
}

#[cfg(test)]
mod tests;

//! Rate limits of principals, organizations and addresses, in one bounded table: those of
//! the deployment, and those of each service beside them.
//!
//! A request is admitted if every quota that applies to it admits it; a refused one costs
//! nothing. The table is split into shards, each behind a lock that is held for nanoseconds
//! and never while waiting. It forgets keys whose bucket is full; when a shard is full of
//! others, the one that is nearest to full goes, so memory stays bounded whoever calls.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use buildly_model::{Identity, OrganizationId, Principal, ServiceId, Timestamp};
use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::{RateLimit, RateLimits};

use super::rate_limit::{Decision, FullAt, Quota, Verdict, decide, whole_seconds};

const SHARDS: usize = 64;
/// 64 shards of 2 048 keys: at most some 10 MB.
const KEYS_PER_SHARD_MAX: usize = 2048;
/// A full shard is searched for keys to forget this often at most.
const SWEEP_EVERY: Duration = Duration::from_millis(100);
/// How many keys are looked at to find one to forget.
const EVICTION_SAMPLE: usize = 16;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The quotas in force; `None` does not limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quotas {
    /// Of each signed-in user, service account or application.
    pub principal: Option<Quota>,
    /// Of all principals of an organization together.
    pub organization: Option<Quota>,
    /// Of each client address (IPv6: each /64 network), signed in or not.
    pub address: Option<Quota>,
}

impl From<&RateLimits> for Quotas {
    /// A limit of nothing, which [`RateLimits::check`] refuses, limits nobody.
    fn from(limits: &RateLimits) -> Self {
        let quota = |limit: RateLimit| {
            let (requests, burst) = (NonZeroU32::new(limit.requests)?, NonZeroU32::new(limit.burst)?);
            let window = Duration::from_secs(limit.window_seconds.into());
            Some(Quota::new(requests, window).with_burst(burst))
        };
        Self {
            principal: limits.principal.and_then(quota),
            organization: limits.organization.and_then(quota),
            address: limits.address.and_then(quota),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Who {
    Principal(Identity),
    Organization(OrganizationId),
    Address(IpAddr),
}

/// Whose requests, and to which service; `None` to whatever the deployment answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    service: Option<ServiceId>,
    who: Who,
}

impl Key {
    const fn name(self) -> &'static str {
        match (self.service, self.who) {
            (None, Who::Principal(_)) => "principal",
            (None, Who::Organization(_)) => "organization",
            (None, Who::Address(_)) => "address",
            (Some(_), Who::Principal(_)) => "service-principal",
            (Some(_), Who::Organization(_)) => "service-organization",
            (Some(_), Who::Address(_)) => "service-address",
        }
    }
}

/// The table of buckets.
pub struct Limits {
    shards: Vec<Mutex<Shard>>,
    hasher: RandomState,
}

#[derive(Default)]
struct Shard {
    keys: HashMap<Key, FullAt>,
    swept_at: Option<Timestamp>,
}

/// What the quotas say about one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[must_use]
pub struct Outcome([Option<(&'static str, Quota, Verdict)>; 6]);

impl Default for Limits {
    fn default() -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, hasher: RandomState::new() }
    }
}

impl Limits {
    /// Counts one request of `principal`, from `address` where it is known, by the quotas of
    /// the deployment.
    pub fn admit(
        &self,
        quotas: &Quotas,
        principal: &Principal,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Outcome {
        self.admit_to(None, quotas, principal, address, now)
    }

    /// The same by the quotas of one service, whose buckets are its own.
    pub fn admit_to_service(
        &self,
        service: ServiceId,
        quotas: &Quotas,
        principal: &Principal,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Outcome {
        self.admit_to(Some(service), quotas, principal, address, now)
    }

    fn admit_to(
        &self,
        service: Option<ServiceId>,
        quotas: &Quotas,
        principal: &Principal,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Outcome {
        let key = |who| Key { service, who };
        let signed_in = principal.is_signed_in().then_some(Who::Principal(principal.identity));
        let asked = [
            quotas.address.zip(address.map(|address| key(Who::Address(network_of(address))))),
            quotas.principal.zip(signed_in.map(key)),
            quotas.organization.zip(principal.organization.map(Who::Organization).map(key)),
        ];
        let mut outcome = Outcome::default();
        for (slot, (quota, key)) in
            outcome.0.iter_mut().zip(asked).filter_map(|(slot, ask)| Some((slot, ask?)))
        {
            let verdict = self.count(key, &quota, now);
            *slot = Some((key.name(), quota, verdict));
            if verdict.decision != Decision::Admit {
                break;
            }
        }
        if outcome.refused().is_some() {
            let charged = outcome.0.iter().zip(asked).filter_map(|(slot, ask)| Some((slot.as_ref()?, ask?)));
            for ((_, quota, verdict), (_, key)) in charged {
                if verdict.decision == Decision::Admit {
                    self.refund(key, quota);
                }
            }
        }
        outcome
    }

    /// How many keys are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner).keys.len()).sum()
    }

    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn count(&self, key: Key, quota: &Quota, now: Timestamp) -> Verdict {
        self.on_shard(key, |shard| {
            let (verdict, next) = decide(shard.keys.get(&key).copied().unwrap_or_default(), quota, now);
            if shard.keys.len() >= KEYS_PER_SHARD_MAX && !shard.keys.contains_key(&key) {
                shard.make_room(now);
            }
            shard.keys.insert(key, next);
            verdict
        })
        .unwrap_or_else(|| decide(FullAt::default(), quota, now).0)
    }

    fn refund(&self, key: Key, quota: &Quota) {
        self.on_shard(key, |shard| {
            if let Some(state) = shard.keys.get_mut(&key) {
                *state = state.refund(quota);
            }
        });
    }

    /// `None` only if there were no shard of that number, which cannot be.
    fn on_shard<T>(&self, key: Key, act: impl FnOnce(&mut Shard) -> T) -> Option<T> {
        let number = usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).unwrap_or(0);
        let shard = self.shards.get(number);
        debug_assert!(shard.is_some(), "there is a shard for every remainder");
        // A poisoned table is still a table: no entry is ever half written.
        shard.map(|shard| act(&mut shard.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Shard {
    /// Forgets every key whose bucket is full, now and then; if there is none, the one of a
    /// sample that is nearest to it.
    fn make_room(&mut self, now: Timestamp) {
        let is_due = self.swept_at.is_none_or(|at| at.after(SWEEP_EVERY) <= now || now < at);
        if is_due {
            self.swept_at = Some(now);
            self.keys.retain(|_, state| !state.is_past(now));
        }
        if self.keys.len() >= KEYS_PER_SHARD_MAX {
            let sample = self.keys.iter().take(EVICTION_SAMPLE);
            if let Some(key) = sample.min_by_key(|(_, state)| **state).map(|(key, _)| *key) {
                self.keys.remove(&key);
            }
        }
    }
}

/// A host has a whole IPv6 /64 to itself, so that is what is counted.
fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & !u128::from(u64::MAX)).into()),
    }
}

impl Outcome {
    /// What the quotas of the deployment and, after them, those of the service say together.
    pub fn and(mut self, other: Self) -> Self {
        let added = other.0.into_iter().flatten();
        for (slot, verdict) in self.0.iter_mut().skip(3).zip(added) {
            *slot = Some(verdict);
        }
        self
    }

    /// How long to wait, if the request is refused, and the name of the quota that refused it.
    #[must_use]
    pub fn refused(&self) -> Option<(&'static str, Duration)> {
        self.verdicts().find_map(|(name, _, verdict)| match verdict.decision {
            Decision::Admit => None,
            Decision::Refuse { retry_after } => Some((*name, retry_after)),
        })
    }

    /// Writes `RateLimit`, `RateLimit-Policy` and, if the request is refused, `Retry-After`
    /// (at least 1 s) into an answer.
    pub fn write(&self, headers: &mut HeaderMap) {
        let (mut state, mut policy) = (String::new(), String::new());
        for (name, quota, verdict) in self.verdicts() {
            verdict.write_item(name, &mut state);
            quota.write_item(name, &mut policy);
        }
        if !state.is_empty() {
            let fields = [(RATE_LIMIT, state), (RATE_LIMIT_POLICY, policy)];
            headers.extend(fields.into_iter().filter_map(|(name, line)| Some((name, line.try_into().ok()?))));
        }
        if let Some((_, wait)) = self.refused() {
            headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(wait).max(1)));
        }
    }

    fn verdicts(&self) -> impl Iterator<Item = &(&'static str, Quota, Verdict)> {
        self.0.iter().flatten()
    }
}

#[cfg(test)]
mod tests;

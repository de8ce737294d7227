//! How a service is called and how often: data of the snapshot, changed while running.

use std::time::Duration;

use buildly_model::FieldError;
use serde::{Deserialize, Serialize};

/// How one service is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// How long a connection may take.
    pub connect_timeout_ms: u32,
    /// How long the head of an answer may take, retries included.
    pub first_byte_timeout_ms: u32,
    /// How long a stream may be silent before it is cut.
    pub idle_timeout_ms: u32,
    /// How many calls may be in flight at once.
    pub in_flight_max: u32,
    /// How many more may wait for their turn.
    pub queue_length_max: u32,
    /// When a call is tried again.
    pub retry: RetryPolicy,
    /// When an instance is left out for a while.
    pub ejection: EjectionPolicy,
    /// Limits of this service, beside those of the deployment.
    pub rate_limits: RateLimits,
}

/// When a call is tried again: idempotent calls only, and within a budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RetryPolicy {
    /// How often one call is tried in all; 1 is never again.
    pub attempts_max: u32,
    /// How many retries there may be for 100 calls.
    pub budget_percent: u32,
    /// How many retries a second are allowed whatever the number of calls.
    pub per_second_min: u32,
}

/// When an instance is left out for a while (passive health check).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EjectionPolicy {
    /// After how many failures in a row.
    pub failures_max: u32,
    /// For how long the first time; each further time in a row adds as much.
    pub ejected_ms: u32,
    /// For how long at most.
    pub ejected_ms_max: u32,
}

/// Limits on how often callers may call; one that is absent does not limit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RateLimits {
    /// For each principal.
    pub principal: Option<RateLimit>,
    /// For each organization, all its principals together.
    pub organization: Option<RateLimit>,
    /// For each address, signed in or not.
    pub address: Option<RateLimit>,
}

/// So many requests in a window, spread evenly after a burst (GCRA).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateLimit {
    /// How many requests fit in a window.
    pub requests: u32,
    /// How long the window is.
    pub window_seconds: u32,
    /// How many may come at once.
    pub burst: u32,
}

impl RateLimit {
    /// `requests` a second, all of which may come at once.
    #[must_use]
    pub const fn per_second(requests: u32) -> Self {
        Self { requests, window_seconds: 1, burst: requests }
    }
}

impl RateLimits {
    /// The deployment's limits when nobody set any: 500 requests a second for each principal.
    #[must_use]
    pub const fn standard() -> Self {
        Self { principal: Some(RateLimit::per_second(500)), organization: None, address: None }
    }

    /// Checks that every limit lets something through and can be computed with.
    ///
    /// # Errors
    /// Every refused field.
    pub fn check(&self) -> Result<(), Vec<FieldError>> {
        let mut refused = Vec::new();
        let limits =
            [("principal", self.principal), ("organization", self.organization), ("address", self.address)];
        for (name, limit) in limits {
            let Some(limit) = limit else { continue };
            let fields = [
                ("requests", limit.requests, 1_000_000),
                ("window_seconds", limit.window_seconds, 86_400),
                ("burst", limit.burst, 1_000_000),
            ];
            for (field, value, most) in fields {
                check_range(&mut refused, &format!("rate_limits.{name}.{field}"), value, 1, most);
            }
        }
        if refused.is_empty() { Ok(()) } else { Err(refused) }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            connect_timeout_ms: 2_000,
            first_byte_timeout_ms: 30_000,
            idle_timeout_ms: 300_000,
            in_flight_max: 256,
            queue_length_max: 256,
            retry: RetryPolicy::default(),
            ejection: EjectionPolicy::default(),
            rate_limits: RateLimits::default(),
        }
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { attempts_max: 2, budget_percent: 20, per_second_min: 10 }
    }
}

impl Default for EjectionPolicy {
    fn default() -> Self {
        Self { failures_max: 5, ejected_ms: 5_000, ejected_ms_max: 60_000 }
    }
}

impl Policy {
    /// How long a connection may take.
    #[must_use]
    pub const fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms as u64)
    }

    /// How long the head of an answer may take, retries included.
    #[must_use]
    pub const fn first_byte_timeout(&self) -> Duration {
        Duration::from_millis(self.first_byte_timeout_ms as u64)
    }

    /// How long a stream may be silent before it is cut.
    #[must_use]
    pub const fn idle_timeout(&self) -> Duration {
        Duration::from_millis(self.idle_timeout_ms as u64)
    }

    /// Checks that every figure is one that can work.
    ///
    /// # Errors
    /// Every refused field.
    pub fn check(&self) -> Result<(), Vec<FieldError>> {
        const DAY_MS: u32 = 86_400_000;
        let mut refused = Vec::new();
        for (field, value, least, most) in [
            ("connect_timeout_ms", self.connect_timeout_ms, 1, 60_000),
            ("first_byte_timeout_ms", self.first_byte_timeout_ms, 1, 600_000),
            ("idle_timeout_ms", self.idle_timeout_ms, 1, DAY_MS),
            ("in_flight_max", self.in_flight_max, 1, 100_000),
            ("queue_length_max", self.queue_length_max, 0, 100_000),
            ("retry.attempts_max", self.retry.attempts_max, 1, 10),
            ("retry.budget_percent", self.retry.budget_percent, 0, 100),
            ("retry.per_second_min", self.retry.per_second_min, 0, 10_000),
            ("ejection.failures_max", self.ejection.failures_max, 1, 1_000),
            ("ejection.ejected_ms", self.ejection.ejected_ms, 1, DAY_MS),
            ("ejection.ejected_ms_max", self.ejection.ejected_ms_max, self.ejection.ejected_ms, DAY_MS),
        ] {
            check_range(&mut refused, field, value, least, most);
        }
        if let Err(limits) = self.rate_limits.check() {
            refused.extend(limits);
        }
        if refused.is_empty() { Ok(()) } else { Err(refused) }
    }
}

fn check_range(refused: &mut Vec<FieldError>, field: &str, value: u32, least: u32, most: u32) {
    if value < least || value > most {
        refused.push(FieldError::new(field, format!("expected {least} to {most}, got {value}")));
    }
}

#[cfg(test)]
mod tests;

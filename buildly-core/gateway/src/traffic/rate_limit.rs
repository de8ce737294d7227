//! Rate limit of one key: the generic cell rate algorithm (ITU-T I.371, "GCRA").
//!
//! A bucket of `burst` requests that refills evenly. All that is remembered is one instant,
//! the time at which the bucket will be full again, so state is one word.

use std::fmt::Write as _;
use std::num::NonZeroU32;
use std::time::Duration;

use buildly_model::Timestamp;

/// How many requests, and how many of them at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    interval_ns: u64,
    burst: u32,
}

impl Quota {
    /// `requests` in each `period`, all of them at once if need be.
    #[must_use]
    pub fn new(requests: NonZeroU32, period: Duration) -> Self {
        let interval = period.as_nanos() / u128::from(requests.get());
        Self { interval_ns: u64::try_from(interval).unwrap_or(u64::MAX).max(1), burst: requests.get() }
    }

    /// So many requests a second.
    #[must_use]
    pub fn per_second(requests: NonZeroU32) -> Self {
        Self::new(requests, Duration::from_secs(1))
    }

    /// The same rate with another number of requests that may come at once.
    #[must_use]
    pub fn with_burst(self, burst: NonZeroU32) -> Self {
        Self { burst: burst.get(), ..self }
    }

    /// The most requests that are admitted at once.
    #[must_use]
    pub const fn burst(&self) -> u32 {
        self.burst
    }

    /// How long an empty bucket takes to fill.
    #[must_use]
    pub const fn window(&self) -> Duration {
        Duration::from_nanos(self.window_ns().unsigned_abs())
    }

    const fn window_ns(&self) -> i64 {
        let window = self.interval_ns.saturating_mul(self.burst as u64);
        if window > i64::MAX as u64 { i64::MAX } else { window as i64 }
    }
}

/// What is remembered of a key: when its bucket is full again, in nanoseconds since the epoch.
/// The default is a bucket that is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FullAt(i64);

impl Default for FullAt {
    fn default() -> Self {
        Self(i64::MIN)
    }
}

impl FullAt {
    /// Whether the bucket is full, so that nothing need be remembered of the key.
    #[must_use]
    pub fn is_past(self, now: Timestamp) -> bool {
        self.0 <= nanoseconds(now)
    }

    /// Gives one request back, for one that was admitted here and refused elsewhere.
    #[must_use]
    pub fn refund(self, quota: &Quota) -> Self {
        Self(self.0.saturating_sub(i64::try_from(quota.interval_ns).unwrap_or(i64::MAX)))
    }
}

/// Whether a request is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Decision {
    /// It is.
    Admit,
    /// It is not; one will be after this time.
    Refuse {
        /// How long to wait.
        retry_after: Duration,
    },
}

/// The decision and what the caller is told about the quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the request is let in.
    pub decision: Decision,
    /// The most requests at once.
    pub limit: u32,
    /// How many more are admitted right now.
    pub remaining: u32,
    /// When all of the limit is available again.
    pub reset: Duration,
}

/// Decides about one request and gives what to remember; a refused request costs nothing.
///
/// A bucket never owes more than it holds, so a clock that was set back, or a quota that was
/// lowered, locks nobody out for longer than the bucket takes to fill.
pub fn decide(state: FullAt, quota: &Quota, now: Timestamp) -> (Verdict, FullAt) {
    let (now, window) = (nanoseconds(now), quota.window_ns());
    let interval = i64::try_from(quota.interval_ns).unwrap_or(i64::MAX);
    let emptiest = now.saturating_add(window);
    let full_at = state.0.clamp(now, emptiest);
    let after_this = full_at.saturating_add(interval);
    let admitted = after_this <= emptiest;
    let new = if admitted { after_this } else { full_at };
    let remaining = (emptiest - new).checked_div(interval).and_then(|count| u32::try_from(count).ok());
    let decision = if admitted {
        Decision::Admit
    } else {
        Decision::Refuse { retry_after: Duration::from_nanos((after_this - emptiest).unsigned_abs()) }
    };
    let reset = Duration::from_nanos((new - now).unsigned_abs());
    let verdict = Verdict { decision, limit: quota.burst, remaining: remaining.unwrap_or(u32::MAX), reset };
    (verdict, FullAt(new))
}

impl Verdict {
    /// Adds the item of the `RateLimit` field (draft-ietf-httpapi-ratelimit-headers-10 section 4):
    /// `"principal";r=499;t=1`.
    pub fn write_item(&self, name: &str, line: &mut String) {
        separate(line);
        // Writing to a `String` cannot fail.
        let _ = write!(line, "\"{name}\";r={};t={}", self.remaining, whole_seconds(self.reset));
    }
}

impl Quota {
    /// Adds the item of the `RateLimit-Policy` field (section 3 of the same draft):
    /// `"principal";q=500;w=1`.
    pub fn write_item(&self, name: &str, line: &mut String) {
        separate(line);
        let _ = write!(line, "\"{name}\";q={};w={}", self.burst, whole_seconds(self.window()));
    }
}

/// Seconds as `Retry-After` and the fields count them: rounded up, so that nobody comes back too early.
#[must_use]
pub const fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs().saturating_add(if duration.subsec_nanos() > 0 { 1 } else { 0 })
}

fn separate(line: &mut String) {
    if !line.is_empty() {
        line.push_str(", ");
    }
}

const fn nanoseconds(at: Timestamp) -> i64 {
    at.as_microseconds().saturating_mul(1000)
}

#[cfg(test)]
mod tests;

//! An instant, in whole microseconds UTC (the grain of PostgreSQL).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An instant: whole microseconds since 1970-01-01T00:00:00Z.
///
/// On the wire it is RFC 3339 text in UTC.
///
/// ```
/// use buildly_model::Timestamp;
/// let at: Timestamp = "2026-11-23T18:30:00.25Z".parse().unwrap();
/// assert_eq!(at.to_string(), "2026-11-23T18:30:00.25Z");
/// assert_eq!(at.after(std::time::Duration::from_secs(60)).to_string(), "2026-11-23T18:31:00.25Z");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

/// A text that should be an instant is not RFC 3339.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an instant such as `2026-11-23T18:30:00Z` (RFC 3339)")]
pub struct ParseTimestampError;

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// From microseconds since the epoch, clamped to the years 0001 to 9999.
    #[must_use]
    pub fn from_microseconds(microseconds: i64) -> Self {
        const MIN: i64 = -62_135_596_800_000_000;
        const MAX: i64 = 253_402_207_199_999_999;
        Self(microseconds.clamp(MIN, MAX))
    }

    /// From whole seconds since the epoch, as tokens carry them (RFC 7519 `NumericDate`).
    #[must_use]
    pub fn from_seconds(seconds: i64) -> Self {
        Self::from_microseconds(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn as_microseconds(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This instant and `duration`; stops at the year 9999.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        let microseconds = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self::from_microseconds(self.0.saturating_add(microseconds))
    }

    /// This instant less `duration`.
    #[must_use]
    pub fn before(self, duration: Duration) -> Self {
        let microseconds = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self::from_microseconds(self.0.saturating_sub(microseconds))
    }

    /// How long after `earlier` this is; zero if it is not.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_jiff().fmt(formatter)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for Timestamp {
    type Err = ParseTimestampError;

    fn from_str(text: &str) -> Result<Self, ParseTimestampError> {
        let instant: jiff::Timestamp = text.parse().map_err(|_| ParseTimestampError)?;
        Ok(Self::from_microseconds(instant.as_microsecond()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

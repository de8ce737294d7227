//! Small words of the format: who acts, how long, how often again.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// As whom a level acts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Actor {
    /// Who started the run.
    #[default]
    Starter,
    /// A service account, by its name; publishing needs the right to use it.
    Account(String),
    /// Who completed the task of that level.
    Completer(String),
}

impl TryFrom<String> for Actor {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "starter" => Ok(Self::Starter),
            Some(("account", name)) if !name.is_empty() => Ok(Self::Account(name.to_owned())),
            Some(("completer", level)) if !level.is_empty() => Ok(Self::Completer(level.to_owned())),
            _ => Err(format!("expected `starter`, `account:NAME` or `completer:LEVEL`, got `{text}`")),
        }
    }
}

impl From<Actor> for String {
    fn from(actor: Actor) -> Self {
        match actor {
            Actor::Starter => "starter".to_owned(),
            Actor::Account(name) => format!("account:{name}"),
            Actor::Completer(level) => format!("completer:{level}"),
        }
    }
}

/// A length of time: ISO 8601 (`PT36H`, `P2D`) or words (`36h`, `2 days 30m`); a day has 24 hours.
///
/// ```
/// use buildly_workflow::template::Delay;
/// let delay: Delay = "2 days".parse().unwrap();
/// assert_eq!(delay.duration().as_secs(), 2 * 86_400);
/// assert!("soon".parse::<Delay>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Delay(Duration);

impl Delay {
    /// So many milliseconds.
    #[must_use]
    pub const fn from_milliseconds(milliseconds: u64) -> Self {
        Self(Duration::from_millis(milliseconds))
    }

    /// So many seconds.
    #[must_use]
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// The length.
    #[must_use]
    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl std::str::FromStr for Delay {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected =
            || format!("expected a length of time such as `30s`, `2 days` or `PT36H`, got `{text}`");
        let span: jiff::Span = text.parse().map_err(|_| expected())?;
        let length = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).map_err(|_| expected())?;
        Duration::try_from(length).map(Self).map_err(|_| expected())
    }
}

impl fmt::Display for Delay {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = jiff::SignedDuration::try_from(self.0).unwrap_or(jiff::SignedDuration::MAX);
        fmt::Display::fmt(&length, formatter)
    }
}

impl Serialize for Delay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Delay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// How often, and with which pauses, an attempt that may succeed later is made again.
///
/// Only faults that a later attempt can mend are retried (unreachable, timeout, 5xx, 429);
/// a business fault is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// The most attempts, the first included.
    pub attempts: u32,
    /// The pause after the first attempt.
    #[serde(default = "Retry::default_pause")]
    pub pause: Delay,
    /// By which each further pause grows, in percent of the one before.
    #[serde(default = "Retry::default_growth")]
    pub growth_percent: u32,
    /// No pause is longer.
    #[serde(default = "Retry::default_pause_max")]
    pub pause_max: Delay,
}

impl Retry {
    const fn default_pause() -> Delay {
        Delay::from_seconds(1)
    }

    const fn default_growth() -> u32 {
        200
    }

    const fn default_pause_max() -> Delay {
        Delay::from_seconds(3600)
    }

    /// So many attempts, with pauses of 1 s, 2 s, 4 s, …, an hour at most.
    #[must_use]
    pub const fn attempts(attempts: u32) -> Self {
        Self {
            attempts,
            pause: Self::default_pause(),
            growth_percent: Self::default_growth(),
            pause_max: Self::default_pause_max(),
        }
    }

    /// The pause after attempt number `attempt` (from 1): between half of it and all of it,
    /// as `random` says, so that calls that failed together do not come back together.
    #[must_use]
    pub fn pause_after(&self, attempt: u32, random: u64) -> Duration {
        const MAX_DOUBLINGS: u32 = 64;
        let mut pause_us = self.pause.duration().as_micros();
        let longest_us = self.pause_max.duration().as_micros();
        for _ in 1..attempt.min(MAX_DOUBLINGS) {
            pause_us = (pause_us.saturating_mul(u128::from(self.growth_percent)) / 100).min(longest_us);
        }
        let pause_us = u64::try_from(pause_us.min(longest_us)).unwrap_or(u64::MAX);
        let half = pause_us / 2;
        Duration::from_micros(half.saturating_add(random.checked_rem(pause_us - half + 1).unwrap_or(0)))
    }
}

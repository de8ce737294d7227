//! How long tokens live, and who says to have issued them.

use std::time::Duration;

use super::Algorithm;

/// The configurable part of issuing tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What new tokens are signed with.
    pub algorithm: Algorithm,
    /// How long an access token lives.
    pub access_lifetime: Duration,
    /// How long a refresh token lives; its successor lives that long again.
    pub refresh_lifetime: Duration,
    /// How long a used refresh token still gets the same successor, so that an answer lost
    /// on the way logs nobody out.
    pub refresh_retry_window: Duration,
    /// How long a key signs before the next one does.
    pub key_rotation: Duration,
    /// How long before it signs the next key is published, so that services know it in time.
    pub key_announcement: Duration,
}

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Default for Settings {
    fn default() -> Self {
        Self {
            algorithm: Algorithm::default(),
            access_lifetime: HOUR,
            refresh_lifetime: DAY.saturating_mul(14),
            refresh_retry_window: Duration::from_secs(10),
            key_rotation: DAY.saturating_mul(90),
            key_announcement: DAY,
        }
    }
}

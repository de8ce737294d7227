//! What presenting a refresh token leads to.
//!
//! A token is traded once for its successor. Whoever presents it again within a short
//! window, before the successor was itself traded, lost the answer on the way and gets the
//! same successor. Any other second use means that two hold the same token, and since
//! nobody can tell which of them is the thief, the whole family ends (RFC 9700 section
//! 4.14.2).

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use buildly_model::{Random, Secret, Timestamp};

use super::{FoundRefreshToken, SecretHash};

/// What every refresh token begins with, so that scanners for leaked secrets know one.
const PREFIX: &str = "buildly_refresh_";

/// What to do about a presented refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Rotation {
    /// Trade it for its successor.
    Advance,
    /// Give the successor again that was given before.
    Repeat,
    /// Two hold it: end the session.
    Reused,
    /// It has ended, by itself or with its session.
    Ended,
}

/// Decides what presenting a refresh token leads to.
pub fn rotate(found: &FoundRefreshToken, retry_window: Duration, now: Timestamp) -> Rotation {
    if found.session.revoked_at.is_some() || found.token.expires_at <= now {
        return Rotation::Ended;
    }
    match found.token.used_at {
        None => Rotation::Advance,
        Some(used_at) if !found.successor_used && now < used_at.after(retry_window) => Rotation::Repeat,
        Some(_) => Rotation::Reused,
    }
}

/// Draws the first token of a family.
pub(super) fn first(random: &dyn Random) -> Secret {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    text_of(&bytes)
}

/// The successor of a token: the same one whenever it is asked for, and nobody without the
/// key can tell it from the predecessor.
pub(super) fn successor(key: &hmac::Key, predecessor: &str) -> Secret {
    text_of(hmac::sign(key, predecessor.as_bytes()).as_ref())
}

/// What is stored of a token.
pub(super) fn hash_of(token: &str) -> SecretHash {
    SecretHash::of(token.as_bytes())
}

fn text_of(bytes: &[u8]) -> Secret {
    Secret::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

#[cfg(test)]
mod tests;

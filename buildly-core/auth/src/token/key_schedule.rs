//! When signing keys are made, put to rest and forgotten.
//!
//! The next key is published before it signs, so that services that fetch the set now and
//! then know it in time. A key that signs no more is kept until its last token has ended.

use std::time::Duration;

use buildly_model::Timestamp;

use super::{KeyId, Settings, StoredKey};

/// How long beyond its lifetime a token may be on its way, for clocks that differ.
const SLACK: Duration = Duration::from_secs(60);

/// What is due about the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Due {
    /// Make a key that signs from then on.
    Add { signs_from: Timestamp },
    /// Accept the tokens of a key until then; it signs no more.
    Retire { key: KeyId, verifies_until: Timestamp },
    /// Forget a key.
    Remove { key: KeyId },
}

/// Decides what is due about the keys now.
pub(super) fn due<'a>(
    keys: impl Iterator<Item = &'a StoredKey> + Clone,
    settings: &Settings,
    now: Timestamp,
) -> Vec<Due> {
    let mut all = Vec::new();
    let usable = |key: &&StoredKey| key.verifies_until.is_none() && key.algorithm == settings.algorithm;
    let order = |key: &&StoredKey| (key.signs_from, key.generation);
    match keys.clone().filter(usable).max_by_key(order) {
        None => all.push(Due::Add { signs_from: now }),
        Some(newest) => {
            let rotates = newest.signs_from.after(settings.key_rotation);
            if rotates.before(settings.key_announcement) <= now {
                all.push(Due::Add { signs_from: rotates.max(now.after(settings.key_announcement)) });
            }
        }
    }
    let current = keys.clone().filter(usable).filter(|key| key.signs_from <= now).max_by_key(order);
    for key in keys {
        match (key.verifies_until, current) {
            (Some(until), _) if until <= now => all.push(Due::Remove { key: key.id.clone() }),
            (None, Some(current)) if key.signs_from <= now && key.id != current.id => {
                let verifies_until = now.after(settings.access_lifetime).after(SLACK);
                all.push(Due::Retire { key: key.id.clone(), verifies_until });
            }
            (Some(_) | None, _) => {}
        }
    }
    all
}

#[cfg(test)]
mod tests;

//! What this process signs with: settings, the deployment key, private keys once opened.

use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::hmac;
use buildly_model::{ErrorKind, Timestamp};
use moka::sync::Cache;

use super::service_token::ServiceTokens;
use super::signing_key::{KeyError, PrivateKey};
use super::{Algorithm, DeploymentKey, KeyId, Settings, Snapshot, StoredKey};

/// How many opened private keys are kept; a deployment has two or three.
const OPEN_KEYS_MAX: u64 = 16;

/// The name that tokens are issued under until somebody sets another.
pub const ISSUER_DEFAULT: &str = "buildly";

/// Signs tokens for one process; held by [`crate::Parts`].
pub struct Signing {
    pub(super) settings: Settings,
    pub(super) deployment_key: DeploymentKey,
    issuer: RwLock<Arc<str>>,
    open_keys: Cache<KeyId, Arc<PrivateKey>>,
    pub(super) service_tokens: ServiceTokens,
}

/// Why no token can be signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SigningError {
    /// The deployment key is not the one that the stored keys were sealed with.
    #[error(
        "the signing keys were sealed with another deployment key: put the right one back (file \
         `keys/deployment.key`, or the configured one)"
    )]
    DeploymentKey,
    /// There is no key that may sign now.
    #[error("there is no signing key yet")]
    NoKey,
    /// The cryptography failed.
    #[error("{0}")]
    Failed(String),
}

impl SigningError {
    /// What a caller can do about it.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::DeploymentKey | Self::Failed(_) => ErrorKind::Corrupt,
            Self::NoKey => ErrorKind::Unavailable,
        }
    }
}

impl From<KeyError> for SigningError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Sealed(_) => Self::DeploymentKey,
            other @ (KeyError::Broken { .. } | KeyError::Refused { .. }) => Self::Failed(other.to_string()),
        }
    }
}

impl Signing {
    /// Takes the deployment key and the settings of this process.
    #[must_use]
    pub fn new(deployment_key: DeploymentKey, settings: Settings) -> Self {
        Self {
            settings,
            deployment_key,
            issuer: RwLock::new(Arc::from(ISSUER_DEFAULT)),
            open_keys: Cache::new(OPEN_KEYS_MAX),
            service_tokens: ServiceTokens::default(),
        }
    }

    /// The settings.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The name that tokens are issued under now.
    #[must_use]
    pub fn issuer(&self) -> Arc<str> {
        self.issuer.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_issuer(&self, issuer: &str) {
        *self.issuer.write().unwrap_or_else(PoisonError::into_inner) = Arc::from(issuer);
    }

    /// The key that derives the successors of refresh tokens.
    pub(super) fn succession_key(&self) -> hmac::Key {
        self.deployment_key.succession_key()
    }

    /// The key that signs now, opened: the newest of the configured algorithm whose time has
    /// come, or of any algorithm where there is none. Where no key's time has come, this machine's
    /// clock is behind that of whoever made them, and the oldest signs: everybody knows it.
    ///
    /// # Errors
    /// [`SigningError`].
    pub(super) fn current(
        &self,
        snapshot: &Snapshot,
        now: Timestamp,
    ) -> Result<(Arc<StoredKey>, Arc<PrivateKey>), SigningError> {
        let stored = choose(snapshot.keys(), self.settings.algorithm, now).ok_or(SigningError::NoKey)?;
        let stored = Arc::clone(stored);
        let private = self.open(&stored)?;
        Ok((stored, private))
    }

    /// Opens a key, or takes it from those that are open.
    ///
    /// # Errors
    /// [`SigningError::DeploymentKey`], [`SigningError::Failed`].
    pub(super) fn open(&self, stored: &StoredKey) -> Result<Arc<PrivateKey>, SigningError> {
        if let Some(open) = self.open_keys.get(&stored.id) {
            return Ok(open);
        }
        let private = Arc::new(PrivateKey::open(stored, &self.deployment_key)?);
        self.open_keys.insert(stored.id.clone(), private.clone());
        Ok(private)
    }
}

/// Decides which key signs.
fn choose<'a>(
    keys: impl Iterator<Item = &'a Arc<StoredKey>> + Clone,
    algorithm: Algorithm,
    now: Timestamp,
) -> Option<&'a Arc<StoredKey>> {
    let may_sign = keys.filter(|key| key.verifies_until.is_none());
    let order = |key: &&Arc<StoredKey>| (key.signs_from, key.generation);
    let begun = may_sign.clone().filter(|key| key.signs_from <= now);
    begun.max_by_key(|key| (key.algorithm == algorithm, order(key))).or_else(|| may_sign.min_by_key(order))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn key(generation: i64, algorithm: Algorithm, signs_from: i64, is_retired: bool) -> Arc<StoredKey> {
        Arc::new(StoredKey {
            id: KeyId::from_text(generation.to_string()),
            generation,
            algorithm,
            public: Vec::new(),
            sealed: Vec::new(),
            created_at: at(0),
            signs_from: at(signs_from),
            verifies_until: is_retired.then(|| at(1_000_000)),
        })
    }

    #[test]
    fn a_key_signs_whatever_the_clock_says() {
        use Algorithm::{EdDsa, Rs256};
        let retired = || key(1, EdDsa, 100, true);
        let (current, next) = (|| key(2, EdDsa, 200, false), || key(3, EdDsa, 300, false));
        let other = || key(4, Rs256, 250, false);
        for (case, keys, now, expected) in [
            ("the newest whose time has come", vec![retired(), current(), next()], 299, Some(2)),
            ("the next at its time", vec![retired(), current(), next()], 300, Some(3)),
            ("the configured algorithm first", vec![current(), other()], 299, Some(2)),
            ("another where there is none", vec![other()], 299, Some(4)),
            ("a clock that is behind all", vec![retired(), current(), next(), other()], 150, Some(2)),
            ("long before the first", vec![retired(), next(), current()], 0, Some(2)),
            ("only a retired one", vec![retired()], 150, None),
            ("none", vec![], 150, None),
        ] {
            let chosen = choose(keys.iter(), EdDsa, at(now)).map(|key| key.generation);
            assert_eq!(chosen, expected, "{case}");
        }
    }
}

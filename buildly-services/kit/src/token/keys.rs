//! The issuer's public keys, kept and fetched again.
//!
//! Keys are fetched when the first token comes, when a token names an unknown key, and when
//! they are [`AGE_MAX`] old, so that a withdrawn key goes. One fetch runs at a time, others
//! wait for it; between fetches there is a pause that doubles while they fail, so that tokens
//! with invented keys cannot make a service hammer its issuer.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use buildly_model::{Clock, Timestamp};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey};
use tokio::sync::Semaphore;

use super::KeySource;
use super::fetch::Fetch;
use crate::Error;

const AGE_MAX: Duration = Duration::from_secs(300);
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(60);
const KEYS_BYTES_MAX: usize = 1 << 20;
const UNAVAILABLE: Error = Error::Unavailable("The keys that tokens are checked with cannot be fetched now.");

/// A key and the one algorithm that it is for.
pub(super) struct Key {
    id: Option<String>,
    pub(super) key: DecodingKey,
    pub(super) algorithm: Algorithm,
}

pub(super) struct Keys {
    source: KeySource,
    fetch: Fetch,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// One permit: who fetches.
    turn: Semaphore,
}

struct State {
    keys: Arc<[Arc<Key>]>,
    fetched_at: Option<Timestamp>,
    failures: u32,
    not_before: Timestamp,
}

impl Keys {
    pub(super) fn new(source: KeySource, fetch: Fetch, clock: Arc<dyn Clock>) -> Self {
        let state = State { keys: Arc::new([]), fetched_at: None, failures: 0, not_before: Timestamp::EPOCH };
        Self { source, fetch, clock, state: Mutex::new(state), turn: Semaphore::new(1) }
    }

    /// The key of this id; without an id, the only one there is.
    pub(super) async fn find(&self, id: Option<&str>) -> Result<Option<Arc<Key>>, Error> {
        let (known, is_fresh) = self.look(id);
        if known.is_some() && is_fresh {
            return Ok(known);
        }
        let Ok(_turn) = self.turn.acquire().await else { return Err(UNAVAILABLE) };
        let (known, is_fresh) = self.look(id);
        if known.is_some() && is_fresh {
            return Ok(known); // whoever had the turn before has fetched it
        }
        if self.claim() {
            let fetched = self.load().await;
            self.settle(fetched);
        }
        let (known, _) = self.look(id);
        let was_fetched_once = self.lock().fetched_at.is_some();
        if known.is_none() && !was_fetched_once { Err(UNAVAILABLE) } else { Ok(known) }
    }

    fn look(&self, id: Option<&str>) -> (Option<Arc<Key>>, bool) {
        let state = self.lock();
        let known = match id {
            Some(id) => state.keys.iter().find(|key| key.id.as_deref() == Some(id)).cloned(),
            None => state.keys.first().filter(|_| state.keys.len() == 1).cloned(),
        };
        let is_fresh = state.fetched_at.is_some_and(|at| self.clock.now().since(at) < AGE_MAX);
        (known, is_fresh)
    }

    /// Whether the pause is over; if so the next one begins.
    fn claim(&self) -> bool {
        let now = self.clock.now();
        let mut state = self.lock();
        if now < state.not_before {
            return false;
        }
        let pause = PAUSE_MIN.saturating_mul(1 << state.failures.min(6)).min(PAUSE_MAX);
        state.not_before = now.after(pause);
        true
    }

    fn settle(&self, fetched: Result<JwkSet, String>) {
        let now = self.clock.now();
        let mut state = self.lock();
        match fetched {
            Ok(set) => {
                state.keys = set.keys.iter().filter_map(read_key).map(Arc::new).collect();
                state.fetched_at = Some(now);
                state.failures = 0;
            }
            Err(reason) => {
                state.failures = state.failures.saturating_add(1);
                tracing::warn!(reason, failures = state.failures, "keys of tokens not fetched");
            }
        }
    }

    async fn load(&self) -> Result<JwkSet, String> {
        let bytes = match &self.source {
            KeySource::Set(set) => return Ok(set.clone()),
            KeySource::Url(address) => self.fetch.get(address, KEYS_BYTES_MAX).await?.to_vec(),
            KeySource::File(path) => {
                let path = path.clone();
                let read = tokio::task::spawn_blocking(move || std::fs::read(path));
                read.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?
            }
        };
        // Key by key: one that is unknown to us must not take the others away.
        let document: serde_json::Value =
            serde_json::from_slice(&bytes).map_err(|error| format!("no JWKS: {error}"))?;
        let keys = document.get("keys").and_then(serde_json::Value::as_array).ok_or("no JWKS: no `keys`")?;
        Ok(JwkSet { keys: keys.iter().filter_map(|key| serde_json::from_value(key.clone()).ok()).collect() })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a public key; `None` for a symmetric one, or one of an algorithm that we do not take.
fn read_key(jwk: &Jwk) -> Option<Key> {
    let of_kind = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => Algorithm::ES256,
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => Algorithm::EdDSA,
        _ => return None,
    };
    let algorithm = match jwk.common.key_algorithm {
        None => of_kind,
        Some(named) => Algorithm::try_from(named).ok().filter(|named| *named == of_kind)?,
    };
    let key = DecodingKey::from_jwk(jwk).ok()?;
    Some(Key { id: jwk.common.key_id.clone(), key, algorithm })
}

//! Keys made, rotated and put to rest; the name that tokens are issued under.

use std::sync::Arc;

use buildly_journal::{Event, Part};
use buildly_model::{Action, Principal, StoreError, Timestamp};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::key_schedule::{self, Due};
use super::signing_key::{Jwk, KeyError, PrivateKey};
use super::{Algorithm, Change, Discovery, KeyId, SigningError, Snapshot, StoredKey};
use crate::{Auth, Error, Resource};

/// How often a decision is made again when another node was faster.
const DECISIONS_MAX: u32 = 3;

impl Snapshot {
    /// The published keys (RFC 7517 section 5): whoever has them can check our tokens.
    #[must_use]
    pub fn jwks(&self, now: Timestamp) -> Value {
        let published: Vec<Jwk> = self
            .keys()
            .filter(|key| key.verifies_until.is_none_or(|until| now < until))
            .filter_map(|key| Jwk::of(key.algorithm, &key.public))
            .collect();
        json!({ "keys": published })
    }
}

impl Auth {
    /// The keys that are published now.
    #[must_use]
    pub fn jwks(&self) -> Value {
        self.parts.snapshots.current().token.jwks(self.parts.clock.now())
    }

    /// Where everything is, for clients that look it up at this base URL.
    #[must_use]
    pub fn discovery(&self, base_url: &str) -> Discovery {
        Discovery::at(&self.parts.signing.issuer(), base_url, self.parts.signing.settings.algorithm)
    }

    /// Issues tokens under this name from now on, and makes the keys ready. Call it once the
    /// public URL is known; tokens issued under other names before stay good.
    ///
    /// # Errors
    /// [`SigningError::DeploymentKey`] if the stored keys were sealed with another deployment
    /// key: nothing can be signed before the right one is back.
    pub async fn issue_as(&self, issuer: &str) -> Result<(), Error> {
        self.parts.signing.set_issuer(issuer);
        self.keep_keys().await?;
        let snapshot = self.parts.snapshots.current();
        self.parts.signing.current(&snapshot.token, self.parts.clock.now())?;
        if !snapshot.token.knows_issuer(issuer) {
            let change = Change::IssuerUsed { issuer: issuer.to_owned(), at: self.parts.clock.now() };
            self.commit_deployment("auth.issuer.used", issuer, change, &Principal::ANONYMOUS).await?;
        }
        Ok(())
    }

    /// Does what is due about the keys: makes the next one, puts old ones to rest, forgets
    /// those whose last token has ended. Call it at start and every hour.
    ///
    /// # Errors
    /// [`Error::Signing`] if a key cannot be made, [`Error::Store`].
    pub async fn keep_keys(&self) -> Result<(), Error> {
        for _ in 0..DECISIONS_MAX {
            let snapshot = self.parts.snapshots.current();
            let keys = || snapshot.token.keys().map(Arc::as_ref);
            let due = key_schedule::due(keys(), &self.parts.signing.settings, self.parts.clock.now());
            if due.is_empty() {
                return Ok(());
            }
            match self.perform(due, keys().map(|key| key.generation).max().unwrap_or(0)).await {
                // Another node made this key: look again.
                Err(Error::Store(StoreError::Taken { .. })) => {}
                done => return done,
            }
        }
        Ok(())
    }

    /// Begins a new key now instead of at its time; the others retire when their tokens have ended.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is a superuser, [`Error::Signing`], [`Error::Store`].
    pub async fn rotate_keys(&self, principal: &Principal) -> Result<(), Error> {
        let snapshot = self.parts.snapshots.current();
        snapshot.check(principal, Action::Create, Resource::Deployment).require()?;
        let generation = snapshot.token.keys().map(|key| key.generation).max().unwrap_or(0);
        let due = vec![Due::Add { signs_from: self.parts.clock.now() }];
        self.perform(due, generation).await?;
        self.keep_keys().await
    }

    /// Refuses every token of a key from now on, on every node: for a key that has leaked.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is a superuser, [`Error::NotFound`], [`Error::Store`].
    pub async fn revoke_key(&self, principal: &Principal, key: &KeyId) -> Result<(), Error> {
        let snapshot = self.parts.snapshots.current();
        snapshot.check(principal, Action::Delete, Resource::Deployment).require()?;
        if snapshot.token.key(key.as_str()).is_none() {
            return Err(Error::NotFound { what: "signing key" });
        }
        let change = Change::KeyRemoved { key: key.clone() };
        self.commit_deployment_taking_rights("auth.signing_key.revoked", key.as_str(), change, principal)
            .await?;
        self.keep_keys().await
    }

    async fn perform(&self, due: Vec<Due>, last_generation: i64) -> Result<(), Error> {
        let mut generation = last_generation;
        for due in due {
            let (kind, key, change) = match due {
                Due::Add { signs_from } => {
                    generation += 1;
                    let stored = self.make_key(generation, signs_from).await?;
                    ("auth.signing_key.added", stored.id.clone(), Change::KeyAdded(stored))
                }
                Due::Retire { key, verifies_until } => {
                    ("auth.signing_key.retired", key.clone(), Change::KeyRetired { key, verifies_until })
                }
                Due::Remove { key } => ("auth.signing_key.removed", key.clone(), Change::KeyRemoved { key }),
            };
            self.commit_deployment(kind, key.as_str(), change, &Principal::ANONYMOUS).await?;
        }
        Ok(())
    }

    /// An RSA key takes some hundred milliseconds, so it is made on a thread of its own.
    async fn make_key(&self, generation: i64, signs_from: Timestamp) -> Result<StoredKey, Error> {
        let algorithm: Algorithm = self.parts.signing.settings.algorithm;
        let (answer, made) = oneshot::channel();
        std::thread::Builder::new()
            .name("signing key".to_owned())
            .spawn(move || drop(answer.send(PrivateKey::generate(algorithm))))
            .map_err(StoreError::unavailable)?;
        let refused = KeyError::Refused { algorithm, what: "make a key" };
        let private = made.await.map_err(|_| SigningError::from(refused))?.map_err(SigningError::from)?;
        let (now, key) = (self.parts.clock.now(), &self.parts.signing.deployment_key);
        Ok(private
            .store(generation, now, signs_from, key, &*self.parts.random)
            .map_err(SigningError::from)?)
    }

    pub(super) async fn commit_deployment(
        &self,
        kind: &'static str,
        subject: &str,
        change: Change,
        principal: &Principal,
    ) -> Result<(), StoreError> {
        let part = self.deployment_part(kind, subject, change, principal);
        self.parts.commits.commit(part).await.map(drop)
    }

    pub(super) async fn commit_deployment_taking_rights(
        &self,
        kind: &'static str,
        subject: &str,
        change: Change,
        principal: &Principal,
    ) -> Result<(), StoreError> {
        let part = self.deployment_part(kind, subject, change, principal).taking_rights();
        self.parts.commits.commit(part).await.map(drop)
    }

    fn deployment_part(
        &self,
        kind: &'static str,
        subject: &str,
        change: Change,
        principal: &Principal,
    ) -> Part<crate::Change> {
        let event =
            Event::new(kind, subject, Value::Null, principal, &*self.parts.clock, &*self.parts.random);
        Part::of(None, change.into(), event)
    }
}

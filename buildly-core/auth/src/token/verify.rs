//! Whether a token is good now, and whose it is.
//!
//! That a signature is valid under a key never changes, so it is remembered. Everything
//! else (expiry, key, session, user, organization, application) is looked up in the
//! snapshot on every request: a right that was taken away counts at once. No I/O, and no
//! lock is held.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use buildly_model::{ApplicationId, Identity, OrganizationId, Principal, Proof, Timestamp};
use moka::sync::Cache;

use super::jws::Compact;
use super::{AUDIENCE, Claims, KeyId, TokenType, api_key, standing};

/// How far the clocks of two nodes may differ: a token may be this much younger than now.
pub const CLOCK_DIFFERENCE_MAX: Duration = Duration::from_secs(5);

/// How many proven signatures are remembered, about 1 kB each.
const SIGNATURES_MAX: u64 = 10_000;

/// Why a token is not good. Whoever holds a token may learn what is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// It is not a token of our form.
    #[error("the token is malformed")]
    Malformed,
    /// It names a key that we do not have, or no longer accept.
    #[error("the token names an unknown key")]
    UnknownKey,
    /// It names another algorithm than its key has, or the signature is wrong.
    #[error("the token's signature is not valid")]
    Signature,
    /// This deployment never issued tokens under that name.
    #[error("the token was issued by somebody else")]
    Issuer,
    /// It is meant for another audience.
    #[error("the token is meant for somebody else")]
    Audience,
    /// It is signed, but no access token.
    #[error("the token is not an access token")]
    TokenType,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// Its time has not come.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// Its session was revoked.
    #[error("the session of the token was ended")]
    Revoked,
    /// The user is gone, was switched off, has moved or has a new password since.
    #[error("the user of the token may not use it any more")]
    User,
    /// The application that it was issued to is gone.
    #[error("the application of the token is not registered any more")]
    Application,
    /// There is no such API key, or its account is switched off.
    #[error("the API key is not valid")]
    ApiKey,
}

/// A token whose signature is valid under a key; nothing else is said of it.
#[derive(Debug, PartialEq)]
pub(super) struct Proven {
    pub(super) key: KeyId,
    pub(super) claims: Claims,
}

/// The signatures that were found valid, under the SHA-256 of the token; shared by all
/// snapshots that come from one another.
#[derive(Clone)]
pub(super) struct Signatures(Cache<[u8; 32], Arc<Proven>>);

impl Default for Signatures {
    fn default() -> Self {
        Self(Cache::new(SIGNATURES_MAX))
    }
}

impl fmt::Debug for Signatures {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Signatures").field("count", &self.0.entry_count()).finish()
    }
}

/// What somebody has shown, found genuine: we signed it, or it is the secret of a key of ours.
/// Whether it is good now is another question.
pub(super) enum Genuine<'a> {
    /// An API key.
    ApiKey {
        /// Its text.
        token: &'a str,
        /// Whose it is.
        organization: OrganizationId,
    },
    /// An access token.
    Signed(Arc<Proven>),
}

impl<'a> Genuine<'a> {
    /// # Errors
    /// A [`Refusal`] if it is not.
    pub(super) fn of(snapshot: &super::Snapshot, token: &'a str) -> Result<Self, Refusal> {
        if api_key::is_api_key(token) {
            let (account, _) = api_key::find(snapshot, token)?;
            return Ok(Self::ApiKey { token, organization: account.organization });
        }
        prove(snapshot, token).map(Self::Signed)
    }

    /// The organization whose facts [`Genuine::check`] needs; `None` if it needs none.
    pub(super) fn organization(&self) -> Option<OrganizationId> {
        match self {
            Self::ApiKey { organization, .. } => Some(*organization),
            Self::Signed(proven) => proven.claims.organization_uuid,
        }
    }

    /// Says who the bearer is, if it is good now. The snapshot may be a later one.
    ///
    /// # Errors
    /// A [`Refusal`].
    pub(super) fn check(&self, snapshot: &crate::Snapshot, now: Timestamp) -> Result<Principal, Refusal> {
        match self {
            Self::ApiKey { token, .. } => api_key::verify(snapshot, token, now),
            Self::Signed(proven) => check(snapshot, proven, now),
        }
    }
}

/// Says who the bearer of `token` is: of an access token, or of an API key.
///
/// The organization that [`organization_of`] names must be in the snapshot.
///
/// # Errors
/// A [`Refusal`]: ask the caller to sign in.
pub fn verify(snapshot: &crate::Snapshot, token: &str, now: Timestamp) -> Result<Principal, Refusal> {
    Genuine::of(&snapshot.token, token)?.check(snapshot, now)
}

/// The organization whose facts [`verify`] needs; `None` if it needs none. The signature is
/// checked first, so that nobody else has organizations loaded.
///
/// # Errors
/// A [`Refusal`]: ask the caller to sign in.
pub fn organization_of(snapshot: &super::Snapshot, token: &str) -> Result<Option<OrganizationId>, Refusal> {
    Genuine::of(snapshot, token).map(|genuine| genuine.organization())
}

/// Checks the signature, or remembers that it was checked.
pub(super) fn prove(snapshot: &super::Snapshot, token: &str) -> Result<Arc<Proven>, Refusal> {
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
    let signatures = &snapshot.signatures().0;
    if let Some(proven) = signatures.get(&fingerprint) {
        return Ok(proven);
    }
    let compact = Compact::parse(token).map_err(|_| Refusal::Malformed)?;
    let key = snapshot.key(&compact.key).ok_or(Refusal::UnknownKey)?;
    let payload = compact.verified(key.stored.algorithm, &key.public).map_err(|_| Refusal::Signature)?;
    let claims: Claims = serde_json::from_slice(&payload).map_err(|_| Refusal::Malformed)?;
    let proven = Arc::new(Proven { key: key.stored.id.clone(), claims });
    signatures.insert(fingerprint, proven.clone());
    Ok(proven)
}

/// Checks all that may change.
pub(super) fn check(
    snapshot: &crate::Snapshot,
    proven: &Proven,
    now: Timestamp,
) -> Result<Principal, Refusal> {
    let claims = &proven.claims;
    let key = standing::signing_key(snapshot, proven.key.as_str(), now)?;
    if !snapshot.token.knows_issuer(&claims.iss) {
        return Err(Refusal::Issuer);
    }
    if claims.aud != AUDIENCE {
        return Err(Refusal::Audience);
    }
    if claims.token_type != TokenType::Access {
        return Err(Refusal::TokenType);
    }
    let expires_at = Timestamp::from_seconds(claims.exp);
    if expires_at <= now {
        return Err(Refusal::Expired);
    }
    let begins_at = Timestamp::from_seconds(claims.nbf.max(claims.iat));
    if begins_at > now.after(CLOCK_DIFFERENCE_MAX) {
        return Err(Refusal::NotYetValid);
    }
    if snapshot.token.is_revoked(claims.sid) {
        return Err(Refusal::Revoked);
    }
    let application = match claims.client_id.as_ref().filter(|_| claims.api_key.is_none()) {
        Some(client) => {
            let application = snapshot.token.application_named(client);
            Some(application.ok_or(Refusal::Application)?.id)
        }
        None => None,
    };
    let principal = Principal {
        identity: bearer(claims, application)?,
        organization: claims.organization_uuid,
        session: Some(claims.sid),
        expires_at: Some(expires_at),
        proof: Proof {
            signing_key: Some(Arc::clone(&key.name)),
            application,
            credential_version: claims.core_user_uuid.map(|_| claims.credential_version),
            api_key: claims.api_key,
        },
    };
    standing::check(snapshot, &principal, now)?;
    Ok(principal)
}

/// Whose token it says that it is.
fn bearer(claims: &Claims, application: Option<ApplicationId>) -> Result<Identity, Refusal> {
    if claims.api_key.is_some() {
        return claims.service_account_uuid.map(Identity::ServiceAccount).ok_or(Refusal::ApiKey);
    }
    let user = claims.core_user_uuid.map(Identity::User);
    // A run acts as the account; we signed it, and whether the account may is looked up.
    let account = claims.service_account_uuid.map(Identity::ServiceAccount);
    user.or(account).or(application.map(Identity::Application)).ok_or(Refusal::Application)
}

#[cfg(test)]
mod tests;

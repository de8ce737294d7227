//! Authorization codes: what one stands for is sealed inside it.
//!
//! Nothing is stored until a code is redeemed. It names the session that it opens, and a
//! session begins once, so the storage itself refuses a second use; who presents a code twice
//! ends the session of the first use (RFC 6749 section 4.1.2).

use std::time::Duration;

use aws_lc_rs::{constant_time, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use buildly_model::{ApplicationId, OrganizationId, Random, Secret, SessionId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

use super::DeploymentKey;
use super::deployment_key::UnsealError;

/// How long a code is good: as long as a redirect takes, with patience.
pub(super) const CODE_LIFETIME: Duration = Duration::from_secs(60);

/// The longest code that is looked at, in bytes; ours have less than 1000.
const CODE_LENGTH_MAX: usize = 4096;
const SEALED_AS: &str = "authorization code, 1";

/// What a code stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AuthorizationCode {
    /// The session that it opens.
    pub(super) session: SessionId,
    pub(super) application: ApplicationId,
    pub(super) user: UserId,
    pub(super) organization: Option<OrganizationId>,
    pub(super) credential_version: u64,
    /// The SHA-256 of the address, in Base64url, if the request named it.
    pub(super) redirect_uri: Option<String>,
    /// The SHA-256 of the verifier, in Base64url.
    pub(super) challenge: String,
    /// In microseconds.
    pub(super) expires_at: i64,
}

/// What a client redeems a code with.
#[derive(Debug, Clone)]
pub(super) struct Redemption {
    pub(super) code: Secret,
    pub(super) redirect_uri: Option<String>,
    pub(super) verifier: Secret,
}

impl AuthorizationCode {
    /// The text that the client gets.
    pub(super) fn seal(&self, key: &DeploymentKey, random: &dyn Random) -> Result<Secret, UnsealError> {
        let plain = serde_json::to_vec(self).map_err(|_| UnsealError)?;
        Ok(Secret::new(URL_SAFE_NO_PAD.encode(key.seal(SEALED_AS, &plain, random)?)))
    }

    /// What a text stands for; `None` if it is no code of this deployment.
    pub(super) fn open(text: &str, key: &DeploymentKey) -> Option<Self> {
        let sealed = URL_SAFE_NO_PAD.decode(Some(text).filter(|text| text.len() <= CODE_LENGTH_MAX)?).ok()?;
        serde_json::from_slice(&key.open(SEALED_AS, &sealed).ok()?).ok()
    }

    /// Whether this application may redeem it with these words now; else why not.
    pub(super) fn check(
        &self,
        application: ApplicationId,
        with: &Redemption,
        now: Timestamp,
    ) -> Result<(), &'static str> {
        if self.application != application {
            return Err("The authorization code was issued to another application.");
        }
        if Timestamp::from_microseconds(self.expires_at) <= now {
            return Err("The authorization code has expired.");
        }
        let named = with.redirect_uri.as_deref().map(sha256);
        if self.redirect_uri.is_some() && self.redirect_uri != named {
            return Err("`redirect_uri` is not the one of the authorization request.");
        }
        let proof = sha256(with.verifier.expose());
        let proves = constant_time::verify_slices_are_equal(proof.as_bytes(), self.challenge.as_bytes());
        proves.map_err(|_| "`code_verifier` does not belong to the code's challenge.")
    }
}

/// The SHA-256 of a text in Base64url (RFC 7636 section 4.6).
pub(super) fn sha256(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, text.as_bytes()))
}

#[cfg(test)]
mod tests;

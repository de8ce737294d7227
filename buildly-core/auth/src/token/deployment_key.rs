//! The one secret that is not in the database: it seals what is.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use buildly_model::{Random, Secret};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// 32 random bytes that all nodes of a deployment share. They live outside the database
/// (file `keys/deployment.key`, or configuration), so that a copy of the database alone
/// signs no token. The keys that do the work are derived from them (HKDF, RFC 5869).
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct DeploymentKey([u8; 32]);

/// A text that should be a deployment key is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a deployment key: 32 bytes in base64, such as `openssl rand -base64 32` prints")]
pub struct DeploymentKeyError;

/// What was sealed cannot be opened: the deployment key is another one, or the bytes changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a sealed key does not open with this deployment key")]
pub(super) struct UnsealError;

const SEALING: &[u8] = b"buildly sealing of signing keys, 1";
const SUCCESSION: &[u8] = b"buildly refresh token succession, 1";
const SEALED_VERSION: u8 = 1;

impl DeploymentKey {
    /// Draws a new one.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        let mut bytes = [0; 32];
        random.fill(&mut bytes);
        Self(bytes)
    }

    /// Takes the bytes of a key file.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads 64 hexadecimal digits, as settings have it; white space around them is ignored.
    #[must_use]
    pub fn from_hexadecimal(text: &str) -> Option<Self> {
        let digits: Option<Vec<u8>> = text
            .trim()
            .chars()
            .map(|digit| digit.to_digit(16).and_then(|digit| digit.try_into().ok()))
            .collect();
        let mut digits = digits.filter(|digits| digits.len() == 64)?;
        let mut bytes: Vec<u8> =
            digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect();
        let key = bytes.as_slice().try_into().map(Self).ok();
        digits.zeroize();
        bytes.zeroize();
        key
    }

    /// Reads base64; white space around it is ignored.
    ///
    /// # Errors
    /// [`DeploymentKeyError`] unless it holds exactly 32 bytes.
    pub fn from_base64(text: &str) -> Result<Self, DeploymentKeyError> {
        let mut bytes = STANDARD.decode(text.trim()).map_err(|_| DeploymentKeyError)?;
        let key = bytes.as_slice().try_into().map(Self).map_err(|_| DeploymentKeyError);
        bytes.zeroize();
        key
    }

    /// The text to keep, in base64.
    #[must_use]
    pub fn to_base64(&self) -> Secret {
        Secret::new(STANDARD.encode(self.0))
    }

    /// Seals `plain` so that only this key opens it, and only as `name`.
    ///
    /// # Errors
    /// [`UnsealError`] if the cipher refuses, which it does for more than 64 GiB only.
    pub(super) fn seal(&self, name: &str, plain: &[u8], random: &dyn Random) -> Result<Vec<u8>, UnsealError> {
        let mut nonce = [0; NONCE_LEN];
        random.fill(&mut nonce);
        let mut body = plain.to_vec();
        self.cipher()?
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(name.as_bytes()),
                &mut body,
            )
            .map_err(|_| UnsealError)?;
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + body.len());
        sealed.push(SEALED_VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&body);
        Ok(sealed)
    }

    /// Opens what [`DeploymentKey::seal`] sealed.
    ///
    /// # Errors
    /// [`UnsealError`].
    pub(super) fn open(&self, name: &str, sealed: &[u8]) -> Result<Vec<u8>, UnsealError> {
        let rest = sealed.strip_prefix(&[SEALED_VERSION]).ok_or(UnsealError)?;
        let (nonce, body) = rest.split_at_checked(NONCE_LEN).ok_or(UnsealError)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| UnsealError)?;
        let mut body = body.to_vec();
        let length = self
            .cipher()?
            .open_in_place(nonce, Aad::from(name.as_bytes()), &mut body)
            .map_err(|_| UnsealError)?
            .len();
        body.truncate(length);
        Ok(body)
    }

    /// The key that derives the successors of refresh tokens.
    pub(super) fn succession_key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &self.derive(SUCCESSION))
    }

    /// 32 bytes that only this key and this purpose give: for secrets that need not be stored.
    /// A purpose begins with the name of its area.
    #[must_use]
    pub fn secret_for(&self, purpose: &str) -> [u8; 32] {
        self.derive(format!("buildly secret for {purpose}, 1").as_bytes())
    }

    fn cipher(&self) -> Result<LessSafeKey, UnsealError> {
        let mut key = self.derive(SEALING);
        let unbound = UnboundKey::new(&AES_256_GCM, &key).map_err(|_| UnsealError);
        key.zeroize();
        unbound.map(LessSafeKey::new)
    }

    /// HKDF-SHA256 without a salt, for one block of output, which is one HMAC after another.
    fn derive(&self, purpose: &[u8]) -> [u8; 32] {
        let extracted = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &[0; 32]), &self.0);
        let key = hmac::Key::new(hmac::HMAC_SHA256, extracted.as_ref());
        let block = hmac::sign(&key, &[purpose, &[1]].concat());
        let mut derived = [0; 32];
        derived.copy_from_slice(block.as_ref());
        derived
    }
}

impl std::fmt::Debug for DeploymentKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("DeploymentKey([redacted])")
    }
}

#[cfg(test)]
mod tests;

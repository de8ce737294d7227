//! Signing keys: made, sealed, opened, published.

use std::fmt;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use buildly_model::{Random, Timestamp};
use jsonwebtoken::{DecodingKey, EncodingKey};
use zeroize::Zeroizing;

use super::deployment_key::UnsealError;
use super::{Algorithm, DeploymentKey, SecretHash};

mod der;
mod public_key;

pub(super) use public_key::Jwk;

/// The name of a key in tokens (`kid`): its thumbprint (RFC 7638), so that one name cannot
/// stand for two keys.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(String);

impl KeyId {
    /// Takes a stored name.
    #[must_use]
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A signing key as it is stored: the private part is sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// Its name.
    pub id: KeyId,
    /// Its place among all keys of the deployment, from 1.
    pub generation: i64,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// The public part: PKCS #1 DER (RSA), an uncompressed point (P-256) or 32 bytes (Ed25519).
    pub public: Vec<u8>,
    /// The private part (PKCS #8), sealed under the deployment key.
    pub sealed: Vec<u8>,
    /// When it was made and published.
    pub created_at: Timestamp,
    /// From when on it signs.
    pub signs_from: Timestamp,
    /// Until when its tokens are accepted; `None` while it may still sign.
    pub verifies_until: Option<Timestamp>,
}

/// Why a key cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeyError {
    /// The deployment key is another one than the key was sealed with.
    #[error(transparent)]
    Sealed(#[from] UnsealError),
    /// The bytes are not a key of that algorithm.
    #[error("a stored {algorithm} key cannot be read")]
    Broken {
        /// What it should be.
        algorithm: Algorithm,
    },
    /// The cryptography refused to make a key or a signature.
    #[error("{algorithm} failed to {what}")]
    Refused {
        /// With which algorithm.
        algorithm: Algorithm,
        /// What it should do.
        what: &'static str,
    },
}

/// A private key that is open and signs.
pub(super) struct PrivateKey {
    algorithm: Algorithm,
    pkcs8: Zeroizing<Vec<u8>>,
    public: Vec<u8>,
    encoding: EncodingKey,
}

impl PrivateKey {
    /// Makes a new one. RSA takes some hundred milliseconds: call it where blocking is allowed.
    ///
    /// # Errors
    /// [`KeyError::Refused`].
    pub(super) fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        let refused = |_| KeyError::Refused { algorithm, what: "make a key" };
        let pkcs8 = match algorithm {
            Algorithm::Rs256 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(refused)?;
                AsDer::as_der(&pair).map_err(refused)?.as_ref().to_vec()
            }
            Algorithm::Es256 => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(refused)?;
                pair.to_pkcs8v1().map_err(refused)?.as_ref().to_vec()
            }
            Algorithm::EdDsa => {
                let pair = Ed25519KeyPair::generate().map_err(refused)?;
                pair.to_pkcs8().map_err(refused)?.as_ref().to_vec()
            }
        };
        Self::from_pkcs8(algorithm, Zeroizing::new(pkcs8))
    }

    /// Opens a stored key.
    ///
    /// # Errors
    /// [`KeyError::Sealed`] under another deployment key, [`KeyError::Broken`].
    pub(super) fn open(stored: &StoredKey, deployment_key: &DeploymentKey) -> Result<Self, KeyError> {
        let bytes = deployment_key.open(&seal_name(&stored.id, stored.algorithm), &stored.sealed)?;
        Self::from_pkcs8(stored.algorithm, Zeroizing::new(bytes))
    }

    fn from_pkcs8(algorithm: Algorithm, pkcs8: Zeroizing<Vec<u8>>) -> Result<Self, KeyError> {
        let broken = || KeyError::Broken { algorithm };
        let refused = |_| broken();
        let (public, encoding) = match algorithm {
            Algorithm::Rs256 => {
                let pair = RsaKeyPair::from_pkcs8(&pkcs8).map_err(refused)?;
                let pkcs1 = der::private_key(&pkcs8).ok_or_else(broken)?;
                (pair.public_key().as_ref().to_vec(), EncodingKey::from_rsa_der(pkcs1))
            }
            Algorithm::Es256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8);
                let public = pair.map_err(refused)?.public_key().as_ref().to_vec();
                (public, EncodingKey::from_ec_der(&pkcs8))
            }
            Algorithm::EdDsa => {
                let pair = Ed25519KeyPair::from_pkcs8(&pkcs8).map_err(refused)?;
                (pair.public_key().as_ref().to_vec(), EncodingKey::from_ed_der(&pkcs8))
            }
        };
        Ok(Self { algorithm, pkcs8, public, encoding })
    }

    /// What is stored of it.
    ///
    /// # Errors
    /// [`KeyError`] if the key cannot be written down.
    pub(super) fn store(
        &self,
        generation: i64,
        created_at: Timestamp,
        signs_from: Timestamp,
        deployment_key: &DeploymentKey,
        random: &dyn Random,
    ) -> Result<StoredKey, KeyError> {
        let algorithm = self.algorithm;
        let id = Jwk::of(algorithm, &self.public).ok_or(KeyError::Broken { algorithm })?.thumbprint();
        let sealed = deployment_key.seal(&seal_name(&id, algorithm), &self.pkcs8, random)?;
        Ok(StoredKey {
            id,
            generation,
            algorithm,
            public: self.public.clone(),
            sealed,
            created_at,
            signs_from,
            verifies_until: None,
        })
    }

    /// The key as tokens are signed with it.
    pub(super) const fn encoding_key(&self) -> &EncodingKey {
        &self.encoding
    }
}

/// Reads a public key; `None` if it is not one of `algorithm`.
pub(super) fn parse_public(algorithm: Algorithm, public: &[u8]) -> Option<DecodingKey> {
    static RSA: &signature::RsaParameters = &RSA_PKCS1_2048_8192_SHA256;
    static P256: &signature::EcdsaVerificationAlgorithm = &ECDSA_P256_SHA256_FIXED;
    static EDWARDS: &signature::EdDSAParameters = &ED25519;
    let (parsed, key) = match algorithm {
        Algorithm::Rs256 => (ParsedPublicKey::new(RSA, public), DecodingKey::from_rsa_der(public)),
        Algorithm::Es256 => (ParsedPublicKey::new(P256, public), DecodingKey::from_ec_der(public)),
        Algorithm::EdDsa => (ParsedPublicKey::new(EDWARDS, public), DecodingKey::from_ed_der(public)),
    };
    parsed.is_ok().then_some(key)
}

// A sealed key opens only as what it was sealed as, so that rows cannot be exchanged.
fn seal_name(id: &KeyId, algorithm: Algorithm) -> String {
    format!("{algorithm} {id}")
}

#[cfg(test)]
mod tests;

//! Signing keys: made, sealed, opened, published.

use std::fmt;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use buildly_model::{Random, Timestamp};
use zeroize::Zeroizing;

use super::deployment_key::UnsealError;
use super::{Algorithm, DeploymentKey, SecretHash};

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
pub(super) enum PrivateKey {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl PrivateKey {
    /// Makes a new one. RSA takes some hundred milliseconds: call it where blocking is allowed.
    ///
    /// # Errors
    /// [`KeyError::Refused`].
    pub(super) fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        let refused = |_| KeyError::Refused { algorithm, what: "make a key" };
        Ok(match algorithm {
            Algorithm::Rs256 => Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).map_err(refused)?),
            Algorithm::Es256 => {
                Self::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(refused)?)
            }
            Algorithm::EdDsa => Self::Ed25519(Ed25519KeyPair::generate().map_err(refused)?),
        })
    }

    /// Opens a stored key.
    ///
    /// # Errors
    /// [`KeyError::Sealed`] under another deployment key, [`KeyError::Broken`].
    pub(super) fn open(stored: &StoredKey, deployment_key: &DeploymentKey) -> Result<Self, KeyError> {
        let algorithm = stored.algorithm;
        let bytes = Zeroizing::new(deployment_key.open(&seal_name(&stored.id, algorithm), &stored.sealed)?);
        let broken = |_| KeyError::Broken { algorithm };
        Ok(match algorithm {
            Algorithm::Rs256 => Self::Rsa(RsaKeyPair::from_pkcs8(&bytes).map_err(broken)?),
            Algorithm::Es256 => Self::P256(
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &bytes).map_err(broken)?,
            ),
            Algorithm::EdDsa => Self::Ed25519(Ed25519KeyPair::from_pkcs8(&bytes).map_err(broken)?),
        })
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
        let (algorithm, public) = (self.algorithm(), self.public());
        let id = Jwk::of(algorithm, &public).ok_or(KeyError::Broken { algorithm })?.thumbprint();
        let sealed = deployment_key.seal(&seal_name(&id, algorithm), &self.to_pkcs8()?, random)?;
        Ok(StoredKey {
            id,
            generation,
            algorithm,
            public,
            sealed,
            created_at,
            signs_from,
            verifies_until: None,
        })
    }

    /// Signs a message; the form is that of RFC 7518 section 3.
    ///
    /// # Errors
    /// [`KeyError::Refused`].
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let algorithm = self.algorithm();
        let refused = |_| KeyError::Refused { algorithm, what: "sign" };
        match self {
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                    .map_err(refused)?;
                Ok(signature)
            }
            Self::P256(key) => {
                Ok(key.sign(&SystemRandom::new(), message).map_err(refused)?.as_ref().to_vec())
            }
            Self::Ed25519(key) => Ok(key.sign(message).as_ref().to_vec()),
        }
    }

    const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Rsa(_) => Algorithm::Rs256,
            Self::P256(_) => Algorithm::Es256,
            Self::Ed25519(_) => Algorithm::EdDsa,
        }
    }

    fn public(&self) -> Vec<u8> {
        match self {
            Self::Rsa(key) => key.public_key().as_ref().to_vec(),
            Self::P256(key) => key.public_key().as_ref().to_vec(),
            Self::Ed25519(key) => key.public_key().as_ref().to_vec(),
        }
    }

    fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let algorithm = self.algorithm();
        let refused = |_| KeyError::Refused { algorithm, what: "write a key down" };
        Ok(Zeroizing::new(match self {
            Self::Rsa(key) => AsDer::as_der(key).map_err(refused)?.as_ref().to_vec(),
            Self::P256(key) => key.to_pkcs8v1().map_err(refused)?.as_ref().to_vec(),
            Self::Ed25519(key) => key.to_pkcs8().map_err(refused)?.as_ref().to_vec(),
        }))
    }
}

/// Reads a public key so that many signatures can be checked with it.
pub(super) fn parse_public(algorithm: Algorithm, public: &[u8]) -> Option<ParsedPublicKey> {
    static RSA: &signature::RsaParameters = &RSA_PKCS1_2048_8192_SHA256;
    static P256: &signature::EcdsaVerificationAlgorithm = &ECDSA_P256_SHA256_FIXED;
    static EDWARDS: &signature::EdDSAParameters = &ED25519;
    match algorithm {
        Algorithm::Rs256 => ParsedPublicKey::new(RSA, public),
        Algorithm::Es256 => ParsedPublicKey::new(P256, public),
        Algorithm::EdDsa => ParsedPublicKey::new(EDWARDS, public),
    }
    .ok()
}

// A sealed key opens only as what it was sealed as, so that rows cannot be exchanged.
fn seal_name(id: &KeyId, algorithm: Algorithm) -> String {
    format!("{algorithm} {id}")
}

#[cfg(test)]
mod tests;

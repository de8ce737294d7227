//! A signed statement: "this chain had this end at this time".
//!
//! The signing key is never in the database, so whoever can write the database cannot
//! make one. Kept elsewhere, a checkpoint proves that nothing before it was cut off or
//! written anew.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use buildly_model::{OrganizationId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Broken, Chain, StoredEvent};

/// The end of a chain at a time, signed with Ed25519 (RFC 8032).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// Whose chain; `None` is the deployment's own.
    pub organization: Option<OrganizationId>,
    /// The number of the last event.
    pub sequence: u64,
    /// The hash of the last event, in hexadecimal.
    pub hash: String,
    /// When it was signed.
    pub at: Timestamp,
    /// The signature, in hexadecimal.
    pub signature: String,
}

/// The checkpoints of a deployment's chains, as they are exported to be kept elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoints {
    /// The public key that they were signed with, 32 bytes in hexadecimal. It only says which
    /// key to look for; whoever checks them must know it from elsewhere.
    pub public_key: String,
    /// One a chain.
    pub checkpoints: Vec<Checkpoint>,
}

impl Checkpoints {
    /// Puts checkpoints together with the public half of the key that signed them.
    #[must_use]
    pub fn new(checkpoints: Vec<Checkpoint>, key: &Ed25519KeyPair) -> Self {
        Self { public_key: public_key(key), checkpoints }
    }

    /// Checks all signatures with a public key that the caller trusts, 32 bytes in hexadecimal.
    ///
    /// # Errors
    /// [`CheckpointError::Key`] if it is no key, [`CheckpointError::Signature`] if one does not fit.
    pub fn verify(&self, public_key: &str) -> Result<(), CheckpointError> {
        let key = from_hexadecimal(public_key.trim()).filter(|key| key.len() == PUBLIC_KEY_BYTES);
        let key = key.ok_or(CheckpointError::Key)?;
        self.checkpoints.iter().try_for_each(|checkpoint| checkpoint.verify(&key))
    }
}

/// The length of a public key (RFC 8032 section 5.1.5).
const PUBLIC_KEY_BYTES: usize = 32;

/// The public half of a key that signs checkpoints, in hexadecimal.
#[must_use]
pub fn public_key(key: &Ed25519KeyPair) -> String {
    hexadecimal(key.public_key().as_ref())
}

/// Why a checkpoint does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// It was not signed with this key, or was changed.
    #[error("the checkpoint's signature does not fit this key")]
    Signature,
    /// What is said to be a public key is none.
    #[error("expected a public key of 32 bytes in hexadecimal")]
    Key,
    /// The chain has another event at that place.
    #[error("the chain does not agree with its checkpoint: {0}")]
    Chain(Broken),
}

impl Checkpoint {
    /// Signs the end of a chain.
    #[must_use]
    pub fn sign(chain: &Chain, at: Timestamp, key: &Ed25519KeyPair) -> Self {
        let mut checkpoint = Self {
            organization: chain.organization,
            sequence: chain.sequence,
            hash: chain.hash.to_string(),
            at,
            signature: String::new(),
        };
        let signature = key.sign(checkpoint.message().as_bytes());
        checkpoint.signature = hexadecimal(signature.as_ref());
        checkpoint
    }

    /// Checks the signature with the public key (32 bytes).
    ///
    /// # Errors
    /// [`CheckpointError::Signature`].
    pub fn verify(&self, public_key: &[u8]) -> Result<(), CheckpointError> {
        let signature = from_hexadecimal(&self.signature).ok_or(CheckpointError::Signature)?;
        UnparsedPublicKey::new(&ED25519, public_key)
            .verify(self.message().as_bytes(), &signature)
            .map_err(|_| CheckpointError::Signature)
    }

    /// Checks that the event at the checkpoint's place is the one that was signed.
    ///
    /// # Errors
    /// [`CheckpointError::Chain`] names the event.
    pub fn agrees_with(&self, event: &StoredEvent) -> Result<(), CheckpointError> {
        if event.organization == self.organization
            && event.sequence == self.sequence
            && event.hash.to_string() == self.hash
        {
            return Ok(());
        }
        Err(CheckpointError::Chain(Broken {
            sequence: event.sequence,
            id: event.id.to_string(),
            reason: "is not the one that was signed",
        }))
    }

    fn message(&self) -> String {
        let organization = self.organization.map_or_else(|| "deployment".to_owned(), |id| id.to_string());
        format!("buildly checkpoint 1\n{organization}\n{}\n{}\n{}", self.sequence, self.hash, self.at)
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| digit.to_digit(16).and_then(|digit| digit.try_into().ok())).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    Some(digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}

#[cfg(test)]
mod tests;

//! Signed tokens in compact form (RFC 7515 section 7.1): written, taken apart, checked.
//!
//! The header of a token is the attacker's. It only names a key; how the signature is
//! checked is a property of that key, so no header can choose a weaker way (RFC 8725
//! section 3.1). Anything but the plainest form is refused.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{DecodingKey, Header, crypto, decode_header, encode};
use serde::Serialize;

use super::signing_key::{KeyError, PrivateKey};
use super::{Algorithm, KeyId};

/// The longest token that is looked at, in bytes; ours have less than 2000.
pub(super) const TOKEN_LENGTH_MAX: usize = 8192;

/// A token taken apart; nothing of it is proven yet.
pub(super) struct Compact<'a> {
    /// The key it names.
    pub(super) key: String,
    algorithm: jsonwebtoken::Algorithm,
    signed: &'a str,
    signature: &'a str,
}

/// Why a text is no token of the form that we take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// The signature does not belong to this text and key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WrongSignature;

impl<'a> Compact<'a> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// [`Malformed`] unless it is three parts of Base64url whose first is a header that
    /// names an algorithm of RFC 7518 and a key, and nothing critical.
    pub(super) fn parse(token: &'a str) -> Result<Self, Malformed> {
        if token.len() > TOKEN_LENGTH_MAX {
            return Err(Malformed);
        }
        let header = decode_header(token).map_err(|_| Malformed)?;
        // An extension that must be understood (RFC 7515 section 4.1.11): we understand none.
        if header.crit.is_some() {
            return Err(Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Malformed)?;
        Ok(Self { key: header.kid.ok_or(Malformed)?, algorithm: header.alg, signed, signature })
    }

    /// The payload, if `public`, a key of `algorithm`, has signed it and the token names that
    /// algorithm.
    ///
    /// # Errors
    /// [`WrongSignature`].
    pub(super) fn verified(
        &self,
        algorithm: Algorithm,
        public: &DecodingKey,
    ) -> Result<Vec<u8>, WrongSignature> {
        let algorithm = algorithm.into();
        let proven = self.algorithm == algorithm
            && crypto::verify(self.signature, self.signed.as_bytes(), public, algorithm).unwrap_or(false);
        let payload = self.signed.split_once('.').filter(|_| proven).map(|(_, payload)| payload);
        URL_SAFE_NO_PAD.decode(payload.ok_or(WrongSignature)?).map_err(|_| WrongSignature)
    }
}

/// Writes and signs a token.
///
/// # Errors
/// [`KeyError`] if the key refuses.
pub(super) fn sign(
    claims: &impl Serialize,
    key: &KeyId,
    algorithm: Algorithm,
    private: &PrivateKey,
) -> Result<String, KeyError> {
    let header = Header { kid: Some(key.as_str().to_owned()), ..Header::new(algorithm.into()) };
    encode(&header, claims, private.encoding_key())
        .map_err(|_| KeyError::Refused { algorithm, what: "sign a token" })
}

#[cfg(test)]
mod tests;

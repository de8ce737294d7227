//! Signed tokens in compact form (RFC 7515 section 7.1): written, taken apart, checked.
//!
//! The header of a token is the attacker's. It only names a key; how the signature is
//! checked is a property of that key, so no header can choose a weaker way (RFC 8725
//! section 3.1). Anything but the plainest form is refused.

use aws_lc_rs::signature::ParsedPublicKey;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::signing_key::{KeyError, PrivateKey};
use super::{Algorithm, KeyId};

/// The longest token that is looked at, in bytes; ours have less than 2000.
pub(super) const TOKEN_LENGTH_MAX: usize = 8192;

/// A token taken apart; nothing of it is proven yet.
pub(super) struct Compact<'a> {
    /// The key it names.
    pub(super) key: String,
    /// The algorithm it names.
    pub(super) algorithm: String,
    signed: &'a str,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

/// Why a text is no token of the form that we take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// The signature does not belong to this text and key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WrongSignature;

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
    // An extension that must be understood (RFC 7515 section 4.1.11): we understand none.
    crit: Option<IgnoredAny>,
}

#[derive(Serialize)]
struct OwnHeader<'a> {
    alg: &'a str,
    kid: &'a str,
    typ: &'a str,
}

impl<'a> Compact<'a> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// [`Malformed`] unless it is three parts of Base64url whose first is a header that
    /// names algorithm and key and nothing critical.
    pub(super) fn parse(token: &'a str) -> Result<Self, Malformed> {
        if token.len() > TOKEN_LENGTH_MAX {
            return Err(Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(Malformed)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Malformed);
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| Malformed)?;
        if header.crit.is_some() {
            return Err(Malformed);
        }
        Ok(Self {
            key: header.kid,
            algorithm: header.alg,
            signed,
            payload: decode(payload)?,
            signature: decode(signature)?,
        })
    }

    /// The payload, if `public`, a key of `algorithm`, has signed it and the token names that
    /// algorithm.
    ///
    /// # Errors
    /// [`WrongSignature`].
    pub(super) fn verified(
        &self,
        algorithm: Algorithm,
        public: &ParsedPublicKey,
    ) -> Result<&[u8], WrongSignature> {
        if self.algorithm != algorithm.name() {
            return Err(WrongSignature);
        }
        public.verify_sig(self.signed.as_bytes(), &self.signature).map_err(|_| WrongSignature)?;
        Ok(&self.payload)
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
    let header = OwnHeader { alg: algorithm.name(), kid: key.as_str(), typ: "JWT" };
    let refused = |_| KeyError::Refused { algorithm, what: "write a token" };
    let encode = |bytes: Vec<u8>| URL_SAFE_NO_PAD.encode(bytes);
    let header = encode(serde_json::to_vec(&header).map_err(refused)?);
    let payload = encode(serde_json::to_vec(claims).map_err(refused)?);
    let mut token = format!("{header}.{payload}");
    let signature = private.sign(token.as_bytes())?;
    token.push('.');
    token.push_str(&encode(signature));
    Ok(token)
}

#[cfg(test)]
mod tests;

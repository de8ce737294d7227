//! What an ID token proves (OpenID Connect Core 1.0 section 3.1.3.7).
//!
//! Pure: the keys and the time are arguments. The header of a token is the sender's, so it only
//! names a key; the key says how its signatures are checked (RFC 8725 section 3.1).

use std::time::Duration;

use buildly_core::model::Timestamp;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::text::is_same;

/// How far the provider's clock may be from ours.
const LEEWAY: Duration = Duration::from_secs(60);
/// The longest token that is looked at.
const TOKEN_LENGTH_MAX: usize = 16 << 10;

/// What the token has to say.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
}

/// Somebody whom the provider vouches for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Person {
    /// Whom the issuer means.
    pub(super) subject: String,
    /// Everything that it says.
    pub(super) claims: Map<String, Value>,
}

impl Person {
    pub(super) fn text(&self, claim: &str) -> Option<String> {
        self.claims.get(claim).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    pub(super) fn texts(&self, claim: &str) -> Vec<String> {
        let list = self.claims.get(claim).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    }
}

/// Why an ID token proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("the provider's ID token cannot be read")]
    Unreadable,
    #[error("the provider's ID token names no key of the provider")]
    UnknownKey,
    #[error("the signature of the provider's ID token is wrong")]
    WrongSignature,
    #[error("the ID token is another provider's")]
    OtherIssuer,
    #[error("the ID token is for somebody else")]
    OtherAudience,
    #[error("the ID token is over, or not good yet; look at the clock")]
    OutOfTime,
    #[error("the ID token belongs to another sign-in")]
    OtherSignIn,
}

/// A public key and the one algorithm that it is for.
struct Key {
    id: Option<String>,
    algorithm: Algorithm,
    key: DecodingKey,
}

/// The provider's public keys.
pub(super) struct Keys(Vec<Key>);

impl Keys {
    /// Reads a JWK Set (RFC 7517); what is no key that we take is passed over.
    pub(super) fn read(document: &Value) -> Self {
        let keys = document.get("keys").and_then(Value::as_array).into_iter().flatten();
        let keys = keys.filter_map(|key| serde_json::from_value::<Jwk>(key.clone()).ok());
        Self(keys.filter_map(|key| read_key(&key)).collect())
    }

    /// The key of that id; without an id, the only one.
    fn find(&self, id: Option<&str>) -> Option<&Key> {
        match (id, self.0.as_slice()) {
            (None, [only]) => Some(only),
            (None, _) => None,
            (Some(id), keys) => keys.iter().find(|key| key.id.as_deref() == Some(id)),
        }
    }
}

/// `None` for a symmetric key: anybody who knows the public keys would know it.
fn read_key(jwk: &Jwk) -> Option<Key> {
    if jwk.common.public_key_use.as_ref().is_some_and(|usage| *usage != PublicKeyUse::Signature) {
        return None;
    }
    let of_kind: &[Algorithm] = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => &[
            Algorithm::RS256,
            Algorithm::RS384,
            Algorithm::RS512,
            Algorithm::PS256,
            Algorithm::PS384,
            Algorithm::PS512,
        ],
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => {
            &[Algorithm::ES256]
        }
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P384 => {
            &[Algorithm::ES384]
        }
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => {
            &[Algorithm::EdDSA]
        }
        _ => return None,
    };
    let named = match jwk.common.key_algorithm {
        None => None,
        Some(named) => Some(Algorithm::try_from(named).ok()?),
    };
    let algorithm = named.or(of_kind.first().copied()).filter(|algorithm| of_kind.contains(algorithm))?;
    Some(Key { id: jwk.common.key_id.clone(), algorithm, key: DecodingKey::from_jwk(jwk).ok()? })
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    azp: Option<String>,
    exp: i64,
    iat: i64,
    nonce: Option<String>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// Decides what the token proves.
pub(super) fn verify(
    token: &str,
    keys: &Keys,
    expected: &Expected<'_>,
    now: Timestamp,
) -> Result<Person, Fault> {
    if token.len() > TOKEN_LENGTH_MAX {
        return Err(Fault::Unreadable);
    }
    let header = decode_header(token).map_err(|_| Fault::Unreadable)?;
    if header.crit.is_some() {
        return Err(Fault::Unreadable);
    }
    let key = keys.find(header.kid.as_deref()).ok_or(Fault::UnknownKey)?;
    // Time, issuer and audience are looked at below, with the faults that they are.
    let mut signature_only = Validation::new(key.algorithm);
    signature_only.required_spec_claims.clear();
    signature_only.validate_exp = false;
    signature_only.validate_aud = false;
    let decoded = decode::<Value>(token, &key.key, &signature_only).map_err(|_| Fault::WrongSignature)?;
    let claims: Claims = serde_json::from_value(decoded.claims).map_err(|_| Fault::Unreadable)?;
    if claims.iss != expected.issuer {
        return Err(Fault::OtherIssuer);
    }
    let is_for_us = match &claims.aud {
        Audience::One(audience) => audience == expected.client_id,
        // Of several we trust none but ourselves, so it has to be given to us (`azp`).
        Audience::Several(audiences) => {
            audiences.iter().any(|audience| audience == expected.client_id)
                && (audiences.len() == 1 || claims.azp.is_some())
        }
    };
    if !is_for_us || claims.azp.as_deref().is_some_and(|party| party != expected.client_id) {
        return Err(Fault::OtherAudience);
    }
    let is_over = now >= Timestamp::from_seconds(claims.exp).after(LEEWAY);
    if is_over || Timestamp::from_seconds(claims.iat) > now.after(LEEWAY) {
        return Err(Fault::OutOfTime);
    }
    if !claims.nonce.as_deref().is_some_and(|nonce| is_same(nonce, expected.nonce)) {
        return Err(Fault::OtherSignIn);
    }
    Ok(Person { subject: claims.sub, claims: claims.others })
}

#[cfg(test)]
mod tests;

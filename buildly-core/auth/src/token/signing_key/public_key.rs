//! Public keys as services read them: JSON Web Keys (RFC 7517).

use serde::Serialize;

use super::{Algorithm, Engine, KeyId, SecretHash, URL_SAFE_NO_PAD, der};

/// The members of a key that are its value (RFC 7518 section 6, RFC 8037 section 2); a
/// thumbprint covers exactly these, in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Value {
    Rsa { e: String, kty: &'static str, n: String },
    P256 { crv: &'static str, kty: &'static str, x: String, y: String },
    Ed25519 { crv: &'static str, kty: &'static str, x: String },
}

/// A public key in the published set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::token) struct Jwk {
    #[serde(flatten)]
    value: Value,
    alg: &'static str,
    #[serde(rename = "use")]
    purpose: &'static str,
    kid: String,
}

impl Jwk {
    /// The key whose stored public part is `public`; `None` if it is not one of `algorithm`.
    pub(in crate::token) fn of(algorithm: Algorithm, public: &[u8]) -> Option<Self> {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let value = match algorithm {
            Algorithm::Rs256 => {
                let (modulus, exponent) = der::rsa_public_key(public)?;
                Value::Rsa { e: text(exponent), kty: "RSA", n: text(modulus) }
            }
            Algorithm::Es256 => {
                let point = public.strip_prefix(&[4]).filter(|point| point.len() == 64)?;
                let (x, y) = point.split_at_checked(32)?;
                Value::P256 { crv: "P-256", kty: "EC", x: text(x), y: text(y) }
            }
            Algorithm::EdDsa => {
                let x = Some(public).filter(|bytes| bytes.len() == 32)?;
                Value::Ed25519 { crv: "Ed25519", kty: "OKP", x: text(x) }
            }
        };
        let canonical = serde_json::to_vec(&value).ok()?;
        let kid = text(SecretHash::of(&canonical).as_bytes());
        Some(Self { value, alg: algorithm.name(), purpose: "sig", kid })
    }

    /// The name of the key: its thumbprint (RFC 7638).
    pub(in crate::token) fn thumbprint(&self) -> KeyId {
        KeyId::from_text(self.kid.clone())
    }
}

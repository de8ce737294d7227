//! Public keys as services read them: JSON Web Keys (RFC 7517).

use serde::Serialize;

use super::{Algorithm, Engine, KeyId, SecretHash, URL_SAFE_NO_PAD};

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
                let (modulus, exponent) = read_rsa(public)?;
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

/// Modulus and exponent of `RSAPublicKey ::= SEQUENCE { INTEGER, INTEGER }` (RFC 8017
/// section A.1.1), without leading zeros.
fn read_rsa(der: &[u8]) -> Option<(&[u8], &[u8])> {
    const INTEGER: u8 = 0x02;
    const SEQUENCE: u8 = 0x30;
    let (body, after) = read_element(SEQUENCE, der)?;
    let (modulus, rest) = read_element(INTEGER, body)?;
    let (exponent, end) = read_element(INTEGER, rest)?;
    (after.is_empty() && end.is_empty()).then_some((without_sign(modulus), without_sign(exponent)))
}

fn without_sign(integer: &[u8]) -> &[u8] {
    integer.strip_prefix(&[0]).unwrap_or(integer)
}

/// One DER element with this tag: its content, and what follows it.
fn read_element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&first, rest) = der.strip_prefix(&[tag])?.split_first()?;
    let (length, rest) = match first {
        short @ 0..=127 => (usize::from(short), rest),
        long => {
            let (bytes, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            let length = bytes
                .iter()
                .try_fold(0_usize, |length, &byte| length.checked_mul(256)?.checked_add(usize::from(byte)))?;
            (length, rest)
        }
    };
    rest.split_at_checked(length)
}

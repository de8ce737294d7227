//! Whoever signs tokens for a test.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) const ISSUER: &str = "https://buildly.test";

/// A key pair under a key id.
pub(crate) struct Issuer {
    pub(crate) id: String,
    key: EncodingKey,
    public: Vec<u8>,
}

impl Issuer {
    pub(crate) fn new(id: &str) -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        let key = EncodingKey::from_ed_der(pair.to_pkcs8v1().unwrap().as_ref());
        Self { id: id.to_owned(), key, public: pair.public_key().as_ref().to_vec() }
    }

    pub(crate) fn public_key(&self) -> Value {
        let x = URL_SAFE_NO_PAD.encode(&self.public);
        json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": self.id, "x": x})
    }

    pub(crate) fn jwks(&self) -> Value {
        json!({"keys": [self.public_key()]})
    }

    /// An access token of a user of `organization`, good for an hour.
    pub(crate) fn token(&self, organization: Uuid, user: Uuid) -> String {
        self.sign(&claims(organization, user))
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(self.id.clone());
        encode(&header, claims, &self.key).unwrap()
    }
}

pub(crate) fn claims(organization: Uuid, user: Uuid) -> Value {
    json!({
        "iss": ISSUER,
        "aud": "buildly",
        "exp": now() + 3600,
        "iat": now(),
        "sub": user,
        "core_user_uuid": user,
        "organization_uuid": organization,
        "token_type": "access",
    })
}

#[expect(clippy::disallowed_methods, reason = "a token of a test is of now")]
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

//! Access tokens, signed here, so that there can be very many, and the same for all sides.

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use buildly_auth::token::{AUDIENCE, Algorithm, Change, Claims, KeyId, SCOPE, StoredKey, TokenType};
use buildly_model::{SessionId, Timestamp, TokenId};
use serde_json::json;
use uuid::Uuid;

use crate::Failure;
use crate::seed::{Shape, organization_id, user_id, username};

/// The name in the tokens' header.
const KEY: &str = "bench";
/// Who issued them.
pub const ISSUER: &str = "https://bench.example.org";
/// Tokens are for so long.
const LIFETIME_SECONDS: i64 = 86_400;

/// What signs: an RSA key of 2048 bits, as the peers know it, too.
pub struct Issuer {
    pair: RsaKeyPair,
    now: i64,
}

impl Issuer {
    /// Draws a key.
    ///
    /// # Errors
    /// If the cryptography refuses.
    pub fn new() -> Result<Self, Failure> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(Failure::http)?;
        let now =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_err(Failure::http)?;
        Ok(Self { pair, now: i64::try_from(now.as_secs()).map_err(Failure::http)? })
    }

    /// What a deployment has to hold so that it takes the tokens: the key as one that signs no
    /// more but is still accepted, as after a rotation.
    #[must_use]
    pub fn changes(&self) -> Vec<Change> {
        let now = Timestamp::from_seconds(self.now);
        let key = StoredKey {
            id: KeyId::from_text(KEY),
            generation: 1,
            algorithm: Algorithm::Rs256,
            public: self.pair.public_key().as_ref().to_vec(),
            // It never signs there.
            sealed: Vec::new(),
            created_at: now,
            signs_from: now,
            verifies_until: Some(Timestamp::from_seconds(self.now + LIFETIME_SECONDS)),
        };
        vec![Change::KeyAdded(key), Change::IssuerUsed { issuer: ISSUER.to_owned(), at: now }]
    }

    /// The public key in PEM, for peers.
    ///
    /// # Errors
    /// If it cannot be written down.
    pub fn public_pem(&self) -> Result<String, Failure> {
        let der: PublicKeyX509Der<'_> = self.pair.public_key().as_der().map_err(Failure::http)?;
        Ok(format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines(der.as_ref())))
    }

    /// The public key's document in Base64, as `importKey` of the web's cryptography takes it.
    ///
    /// # Errors
    /// If it cannot be written down.
    pub fn public_base64(&self) -> Result<String, Failure> {
        let der: PublicKeyX509Der<'_> = self.pair.public_key().as_der().map_err(Failure::http)?;
        Ok(STANDARD.encode(der.as_ref()))
    }

    /// The public key as a set of keys (RFC 7517).
    #[must_use]
    pub fn public_jwks(&self) -> String {
        let public = self.pair.public_key();
        let number = |number: &[u8]| URL_SAFE_NO_PAD.encode(number);
        let key = json!({
            "kty": "RSA", "alg": "RS256", "kid": KEY,
            "n": number(public.modulus().big_endian_without_leading_zero()),
            "e": number(public.exponent().big_endian_without_leading_zero()),
        });
        json!({ "keys": [key] }).to_string()
    }

    /// A token of a user; each has an id of its own, so no two are alike.
    ///
    /// # Errors
    /// If the cryptography refuses.
    pub fn token(&self, user: u32, shape: Shape) -> Result<String, Failure> {
        let id = Uuid::now_v7();
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: user_id(user).to_string(),
            jti: TokenId::from_uuid(id),
            sid: SessionId::from_uuid(id),
            iat: self.now,
            nbf: self.now,
            exp: self.now + LIFETIME_SECONDS,
            token_type: TokenType::Access,
            scope: SCOPE.to_owned(),
            client_id: None,
            core_user_uuid: Some(user_id(user)),
            user_id: Some(i64::from(user) + 1),
            username: Some(username(user)),
            service_account_uuid: None,
            api_key: None,
            act: None,
            organization_uuid: Some(organization_id(shape.organization_of(user))),
            credential_version: 1,
        };
        let head = json!({"typ": "JWT", "alg": "RS256", "kid": KEY}).to_string();
        let claims = serde_json::to_vec(&claims).map_err(Failure::http)?;
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(head), URL_SAFE_NO_PAD.encode(claims));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(Failure::http)?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// So many tokens, of the first `users` in turn.
    ///
    /// # Errors
    /// If the cryptography refuses.
    pub fn tokens(&self, count: u32, users: u32, shape: Shape) -> Result<Vec<String>, Failure> {
        (0..count).map(|number| self.token(number % users.max(1), shape)).collect()
    }
}

fn lines(bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    lines.join("\n")
}

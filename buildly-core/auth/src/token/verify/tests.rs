//! The table of attacks: every token that must not pass, beside the one that does.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use buildly_model::system::System;
use buildly_model::{ApplicationId, SessionId, TokenId};
use jsonwebtoken::crypto;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::token::signing_key::PrivateKey;
use crate::token::snapshot::Rows;
use crate::token::{
    Algorithm, Application, ApplicationGrant, ClientType, DeploymentKey, SCOPE, StoredKey, jws,
};

const ISSUER: &str = "https://buildly.example";
const CLIENT: &str = "robot";

fn now() -> Timestamp {
    Timestamp::from_seconds(1_800_000_000)
}

struct Deployment {
    rsa: (PrivateKey, StoredKey),
    edwards: (PrivateKey, StoredKey),
    rows: fn(&Deployment) -> Rows,
}

fn key(algorithm: Algorithm, generation: i64) -> (PrivateKey, StoredKey) {
    let private = PrivateKey::generate(algorithm).unwrap();
    let deployment_key = DeploymentKey::generate(&System);
    let stored =
        private.store(generation, Timestamp::EPOCH, Timestamp::EPOCH, &deployment_key, &System).unwrap();
    (private, stored)
}

fn application(grant: ApplicationGrant) -> Application {
    Application {
        id: ApplicationId::from_uuid(Uuid::from_u128(7)),
        number: 1,
        client_id: CLIENT.to_owned(),
        secret: None,
        name: String::new(),
        client_type: ClientType::Confidential,
        grant,
        redirect_uris: String::new(),
        user: None,
        created_at: Timestamp::EPOCH,
    }
}

impl Deployment {
    fn new() -> Self {
        Self {
            rsa: key(Algorithm::Rs256, 1),
            edwards: key(Algorithm::EdDsa, 2),
            rows: |deployment| Rows {
                keys: vec![deployment.rsa.1.clone(), deployment.edwards.1.clone()],
                issuers: vec![ISSUER.to_owned(), "http://127.0.0.1:8080".to_owned()],
                applications: vec![application(ApplicationGrant::ClientCredentials)],
                ..Rows::default()
            },
        }
    }

    fn snapshot(&self) -> crate::Snapshot {
        self.snapshot_of((self.rows)(self))
    }

    fn snapshot_of(&self, rows: Rows) -> crate::Snapshot {
        crate::Snapshot { token: crate::token::Snapshot::of(rows).unwrap(), ..crate::Snapshot::default() }
    }

    fn sign(&self, claims: &Value) -> String {
        sign_with(&self.edwards, claims)
    }
}

fn sign_with((private, stored): &(PrivateKey, StoredKey), claims: &Value) -> String {
    jws::sign(claims, &stored.id, stored.algorithm, private).unwrap()
}

fn claims() -> Value {
    let at = now().as_seconds();
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": CLIENT, "client_id": CLIENT,
        "jti": TokenId::from_uuid(Uuid::from_u128(1)), "sid": SessionId::from_uuid(Uuid::from_u128(2)),
        "iat": at - 60, "nbf": at - 60, "exp": at + 60,
        "token_type": "access", "scope": SCOPE, "organization_uuid": null,
    })
}

fn claims_with(name: &str, value: impl Into<Value>) -> Value {
    let mut claims = claims();
    claims[name] = value.into();
    claims
}

fn text(json: &Value) -> String {
    URL_SAFE_NO_PAD.encode(json.to_string())
}

/// A token with a header of the attacker's, signed as `sign` does.
fn forged(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> String) -> String {
    let signed = format!("{}.{}", text(header), text(claims));
    let signature = sign(signed.as_bytes());
    format!("{signed}.{signature}")
}

#[test]
fn a_good_token_says_who_bears_it() {
    let deployment = Deployment::new();
    let snapshot = deployment.snapshot();
    for key in [&deployment.rsa, &deployment.edwards] {
        let principal = verify(&snapshot, &sign_with(key, &claims()), now()).unwrap();
        assert_eq!(principal.identity, Identity::Application(ApplicationId::from_uuid(Uuid::from_u128(7))));
        assert_eq!(principal.expires_at, Some(Timestamp::from_seconds(now().as_seconds() + 60)));
    }
}

#[test]
fn tokens_issued_under_an_earlier_name_stay_good() {
    let deployment = Deployment::new();
    let token = deployment.sign(&claims_with("iss", "http://127.0.0.1:8080"));
    assert!(verify(&deployment.snapshot(), &token, now()).is_ok());
}

#[test]
fn claims_that_do_not_fit_are_refused() {
    let deployment = Deployment::new();
    let snapshot = deployment.snapshot();
    let at = now().as_seconds();
    for (case, claims, expected) in [
        ("another issuer", claims_with("iss", "https://evil.example"), Refusal::Issuer),
        ("our issuer and a slash", claims_with("iss", format!("{ISSUER}/")), Refusal::Issuer),
        ("another audience", claims_with("aud", "somebody"), Refusal::Audience),
        ("several audiences", claims_with("aud", json!([AUDIENCE])), Refusal::Malformed),
        ("a refresh token as access", claims_with("token_type", "refresh"), Refusal::TokenType),
        ("an unknown type", claims_with("token_type", "id"), Refusal::Malformed),
        ("expired", claims_with("exp", at), Refusal::Expired),
        ("expires never", claims_with("exp", Value::Null), Refusal::Malformed),
        ("expires in words", claims_with("exp", "tomorrow"), Refusal::Malformed),
        ("expires beyond numbers", claims_with("exp", 1e30), Refusal::Malformed),
        ("not yet valid", claims_with("nbf", at + 6), Refusal::NotYetValid),
        ("issued in the future", claims_with("iat", at + 6), Refusal::NotYetValid),
        ("unknown application", claims_with("client_id", "nobody"), Refusal::Application),
        ("no bearer at all", claims_with("client_id", Value::Null), Refusal::Application),
        ("unknown user", claims_with("core_user_uuid", Uuid::from_u128(9).to_string()), Refusal::User),
        ("no session", claims_with("sid", Value::Null), Refusal::Malformed),
    ] {
        assert_eq!(verify(&snapshot, &deployment.sign(&claims), now()), Err(expected), "{case}");
    }
}

#[test]
fn a_little_difference_of_clocks_is_forgiven() {
    let deployment = Deployment::new();
    let token = deployment.sign(&claims_with("iat", now().as_seconds() + 5));
    assert!(verify(&deployment.snapshot(), &token, now()).is_ok());
}

#[test]
fn forged_headers_and_signatures_are_refused() {
    let deployment = Deployment::new();
    let snapshot = deployment.snapshot();
    let (rsa, edwards) = (&deployment.rsa, &deployment.edwards);
    let (rsa_id, edwards_id) = (rsa.1.id.as_str(), edwards.1.id.as_str());
    let stranger = key(Algorithm::EdDsa, 1);
    let hmac = |secret: &[u8], message: &[u8]| {
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
        URL_SAFE_NO_PAD.encode(aws_lc_rs::hmac::sign(&key, message))
    };
    let sign = |key: &PrivateKey, message: &[u8]| {
        crypto::sign(message, key.encoding_key(), jsonwebtoken::Algorithm::EdDSA).unwrap()
    };
    for (case, header, signature, expected) in [
        ("alg none", json!({"alg": "none", "kid": edwards_id}), Signer::Nothing, Refusal::Malformed),
        ("alg None", json!({"alg": "None", "kid": edwards_id}), Signer::Nothing, Refusal::Malformed),
        ("alg empty", json!({"alg": "", "kid": edwards_id}), Signer::Edwards, Refusal::Malformed),
        ("alg unknown", json!({"alg": "XS256", "kid": edwards_id}), Signer::Edwards, Refusal::Malformed),
        (
            "alg in small letters",
            json!({"alg": "eddsa", "kid": edwards_id}),
            Signer::Edwards,
            Refusal::Malformed,
        ),
        (
            "HMAC with the public key",
            json!({"alg": "HS256", "kid": rsa_id}),
            Signer::HmacOfPublic,
            Refusal::Signature,
        ),
        (
            "HMAC, said to be RS256",
            json!({"alg": "RS256", "kid": rsa_id}),
            Signer::HmacOfPublic,
            Refusal::Signature,
        ),
        ("the other key's name", json!({"alg": "RS256", "kid": rsa_id}), Signer::Edwards, Refusal::Signature),
        (
            "the other key's algorithm",
            json!({"alg": "EdDSA", "kid": rsa_id}),
            Signer::Edwards,
            Refusal::Signature,
        ),
        (
            "a stranger's key under our name",
            json!({"alg": "EdDSA", "kid": edwards_id}),
            Signer::Stranger,
            Refusal::Signature,
        ),
        (
            "a stranger's key, brought along",
            json!({"alg": "EdDSA", "kid": "own", "jwk": {"kty": "OKP", "crv": "Ed25519", "x": "AA"}, "jku": "https://evil.example"}),
            Signer::Stranger,
            Refusal::UnknownKey,
        ),
        (
            "a path for a key",
            json!({"alg": "EdDSA", "kid": "../../dev/null"}),
            Signer::Edwards,
            Refusal::UnknownKey,
        ),
        ("no key named", json!({"alg": "EdDSA"}), Signer::Edwards, Refusal::Malformed),
        (
            "a critical extension",
            json!({"alg": "EdDSA", "kid": edwards_id, "crit": ["exp"]}),
            Signer::Edwards,
            Refusal::Malformed,
        ),
    ] {
        let token = forged(&header, &claims(), |message| match signature {
            Signer::Nothing => String::new(),
            Signer::Edwards => sign(&edwards.0, message),
            Signer::Stranger => sign(&stranger.0, message),
            Signer::HmacOfPublic => hmac(&rsa.1.public, message),
        });
        assert_eq!(verify(&snapshot, &token, now()), Err(expected), "{case}");
    }
}

#[derive(Clone, Copy)]
enum Signer {
    Nothing,
    Edwards,
    Stranger,
    HmacOfPublic,
}

#[test]
fn a_remembered_signature_does_not_outlive_what_it_depends_on() {
    let deployment = Deployment::new();
    let token = deployment.sign(&claims());
    let before = deployment.snapshot();
    assert!(verify(&before, &token, now()).is_ok());
    let rows = || (deployment.rows)(&deployment);
    let revoked = Rows { revoked: vec![SessionId::from_uuid(Uuid::from_u128(2))], ..rows() };
    let without_key = Rows { keys: vec![deployment.rsa.1.clone()], ..rows() };
    let resting = StoredKey { verifies_until: Some(now()), ..deployment.edwards.1.clone() };
    let with_resting_key = Rows { keys: vec![resting], ..rows() };
    let other_grant = Rows { applications: vec![application(ApplicationGrant::Password)], ..rows() };
    for (case, rows, expected) in [
        ("the session was revoked", revoked, Refusal::Revoked),
        ("the key was removed", without_key, Refusal::UnknownKey),
        ("the key has come to rest", with_resting_key, Refusal::UnknownKey),
        ("the application is gone", Rows { applications: Vec::new(), ..rows() }, Refusal::Application),
        ("the application has another grant", other_grant, Refusal::Application),
        ("the issuer is not ours", Rows { issuers: Vec::new(), ..rows() }, Refusal::Issuer),
    ] {
        let mut after = deployment.snapshot_of(rows);
        after.token.share_signatures_of(&before.token);
        assert_eq!(verify(&after, &token, now()), Err(expected), "{case}");
    }
    let later = Timestamp::from_seconds(now().as_seconds() + 60);
    assert_eq!(verify(&before, &token, later), Err(Refusal::Expired));
}

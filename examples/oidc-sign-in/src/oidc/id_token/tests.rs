use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::json;

use super::*;

const NOW: i64 = 1_800_000_000;
const ISSUER: &str = "https://login.example.org";

/// A key pair, and its public half as the provider shows it.
fn key_pair(id: &str) -> (EncodingKey, Value) {
    let document =
        EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref()).unwrap();
    let point = pair.public_key().as_ref();
    let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let jwk = json!({
        "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": id,
        "x": part(&point[1..33]), "y": part(&point[33..65]),
    });
    (EncodingKey::from_ec_der(document.as_ref()), jwk)
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "ada", "aud": "shop", "exp": NOW + 300, "iat": NOW, "nonce": "n",
        "email": "ada@example.org",
    })
}

/// The claims with some of them replaced, or left out where the value is null.
fn with(changes: Value) -> Value {
    let mut claims = claims();
    let map = claims.as_object_mut().unwrap();
    for (claim, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(map.remove(claim)),
            value => drop(map.insert(claim.clone(), value.clone())),
        }
    }
    claims
}

fn header(id: &str) -> Header {
    Header { kid: Some(id.to_owned()), ..Header::new(Algorithm::ES256) }
}

fn check(token: &str, keys: &[Value]) -> Result<Person, Fault> {
    let keys = Keys::read(&json!({"keys": keys}));
    let expected = Expected { issuer: ISSUER, client_id: "shop", nonce: "n" };
    verify(token, &keys, &expected, Timestamp::from_seconds(NOW))
}

#[test]
fn a_token_of_this_sign_in_proves_who_it_is() {
    let (private, public) = key_pair("k1");
    let token = encode(&header("k1"), &claims(), &private).unwrap();
    let person = check(&token, &[public]).unwrap();
    assert_eq!((person.subject.as_str(), person.text("email").as_deref()), ("ada", Some("ada@example.org")));
}

#[test]
fn a_token_that_is_not_of_this_sign_in_proves_nothing() {
    let (private, public) = key_pair("k1");
    for (case, changes, expected) in [
        ("another issuer", json!({"iss": "https://evil.example.org"}), Fault::OtherIssuer),
        ("almost the issuer", json!({"iss": format!("{ISSUER}/")}), Fault::OtherIssuer),
        ("another audience", json!({"aud": "other"}), Fault::OtherAudience),
        ("several audiences, given to nobody", json!({"aud": ["shop", "other"]}), Fault::OtherAudience),
        (
            "several audiences, given to another",
            json!({"aud": ["shop", "other"], "azp": "other"}),
            Fault::OtherAudience,
        ),
        ("given to another", json!({"azp": "other"}), Fault::OtherAudience),
        ("over", json!({"exp": NOW - 61}), Fault::OutOfTime),
        ("from the future", json!({"iat": NOW + 61}), Fault::OutOfTime),
        ("another nonce", json!({"nonce": "m"}), Fault::OtherSignIn),
        ("no nonce", json!({"nonce": null}), Fault::OtherSignIn),
        ("no subject", json!({"sub": null}), Fault::Unreadable),
        ("no end", json!({"exp": null}), Fault::Unreadable),
    ] {
        let token = encode(&header("k1"), &with(changes), &private).unwrap();
        assert_eq!(check(&token, std::slice::from_ref(&public)), Err(expected), "{case}");
    }
    for (case, changes) in [
        ("one audience in a list", json!({"aud": ["shop"]})),
        ("several, given to us", json!({"aud": ["shop", "other"], "azp": "shop"})),
        ("within the leeway", json!({"exp": NOW - 59, "iat": NOW + 59})),
    ] {
        let token = encode(&header("k1"), &with(changes), &private).unwrap();
        check(&token, std::slice::from_ref(&public)).expect(case);
    }
}

#[test]
fn a_forged_token_proves_nothing() {
    let (private, public) = key_pair("k1");
    let (stranger, stranger_public) = key_pair("k2");
    let good = encode(&header("k1"), &claims(), &private).unwrap();
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (head, _) = signed.split_once('.').unwrap();
    let other = URL_SAFE_NO_PAD.encode(with(json!({"sub": "root"})).to_string());
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","kid":"k1"}"#);
    let body = URL_SAFE_NO_PAD.encode(claims().to_string());
    // The public key as if it were a secret that both sides know (RFC 8725 section 2.1).
    let secret = EncodingKey::from_secret(public.to_string().as_bytes());
    let hmac = Header { kid: Some("k1".to_owned()), ..Header::new(Algorithm::HS256) };
    let symmetric = json!({"kty": "oct", "kid": "k3", "k": URL_SAFE_NO_PAD.encode("secret")});
    let of_secret = Header { kid: Some("k3".to_owned()), ..Header::new(Algorithm::HS256) };
    let encryption = {
        let mut key = stranger_public.clone();
        key["use"] = json!("enc");
        key
    };
    for (case, token, expected) in [
        (
            "signed by somebody else",
            encode(&header("k1"), &claims(), &stranger).unwrap(),
            Fault::WrongSignature,
        ),
        ("other claims under the signature", format!("{head}.{other}.{signature}"), Fault::WrongSignature),
        ("no signature", format!("{signed}."), Fault::WrongSignature),
        ("algorithm `none`", format!("{none}.{body}."), Fault::Unreadable),
        ("the public key as a secret", encode(&hmac, &claims(), &secret).unwrap(), Fault::WrongSignature),
        (
            "a symmetric key among the public ones",
            encode(&of_secret, &claims(), &EncodingKey::from_secret(b"secret")).unwrap(),
            Fault::UnknownKey,
        ),
        ("a key for encryption", encode(&header("k2"), &claims(), &stranger).unwrap(), Fault::UnknownKey),
        ("a key that is not there", encode(&header("k9"), &claims(), &private).unwrap(), Fault::UnknownKey),
        ("nothing", String::new(), Fault::Unreadable),
        ("too long", "a".repeat(TOKEN_LENGTH_MAX + 1), Fault::Unreadable),
    ] {
        let keys = [public.clone(), symmetric.clone(), encryption.clone()];
        assert_eq!(check(&token, &keys), Err(expected), "{case}");
    }
}

//! Tokens that must not open anything, over HTTP.

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::harness::PASSWORD;
use crate::process::{Folder, Serving, Storage};

/// Moments that have long passed and that are far away, in seconds since the epoch.
const PAST: i64 = 1_000_000_000;
const FUTURE: i64 = 32_000_000_000;

fn serve(storage: &Storage, folder: &Folder) -> Serving {
    let arguments =
        ["serve", "--listen", "127.0.0.1:0", "--log-level", "error", "--set", "tokens.algorithm=EdDSA"];
    Serving::of(storage.command(&folder.0, &arguments))
}

/// Puts our public key in the place of the deployment's own, so that we can sign what it would
/// never issue.
fn replace_public_key(folder: &Folder, id: &str, public: &[u8]) {
    let connection = rusqlite::Connection::open(folder.0.join("data/core.db")).unwrap();
    let update = "UPDATE signing_key SET public = ?2 WHERE id = ?1";
    assert_eq!(connection.execute(update, rusqlite::params![id, public]).unwrap(), 1);
}

#[tokio::test]
async fn no_token_but_a_whole_one_opens_anything() {
    let (storage, folder) = (Storage::sqlite(), Folder::new());
    storage.create_root(&folder.0);
    let server = serve(&storage, &folder);
    let sign_in = json!({"username": "root", "password": PASSWORD});
    let tokens = server.client().post("/token/", &sign_in).await.expect(200).json();
    let (access, refresh) = (tokens["access"].as_str().unwrap(), tokens["refresh"].as_str().unwrap());
    server.client().signed_in(access).get("/coreuser/me/").await.expect(200);
    let header = jsonwebtoken::decode_header(access).unwrap();
    let claims = jsonwebtoken::dangerous::insecure_decode::<Value>(access).unwrap().claims;
    assert_eq!(server.terminate().code(), Some(0));

    let ours = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let public = rcgen::PublicKeyData::der_bytes(&ours);
    replace_public_key(&folder, header.kid.as_deref().unwrap(), public);
    let server = serve(&storage, &folder);
    let key = EncodingKey::from_ed_der(&ours.serialize_der());
    let sign = |header: &Header, change: &[(&str, Value)]| {
        let mut claims = claims.clone();
        for (name, value) in change {
            claims[*name] = value.clone();
        }
        encode(header, &claims, &key).unwrap()
    };
    let whole = sign(&header, &[]);
    let of_hmac = Header { alg: Algorithm::HS256, ..header.clone() };
    let by_hmac = encode(&of_hmac, &claims, &EncodingKey::from_secret(public)).unwrap();
    let (_, rest) = whole.split_once('.').unwrap();
    let (payload, signature) = rest.split_once('.').unwrap();
    let unknown = Header { kid: Some("nobody".to_owned()), ..header.clone() };
    let nameless = Header { kid: None, ..header.clone() };
    let nested = json!({"alg": "none", "typ": "JWT", "kid": header.kid}).to_string();
    let of_nobody = jsonwebtoken::Header { typ: Some("JWT".to_owned()), ..header.clone() };
    let changed = sign(&of_nobody, &[("username", json!("eve"))]);
    let (_, changed) = changed.split_once('.').unwrap();
    let changed = changed.split_once('.').unwrap().0;
    let head = whole.split_once('.').unwrap().0;
    for (case, token, status) in [
        ("whole", whole.clone(), 200),
        ("algorithm none, unsigned", format!("{}.{payload}.", encode_base64(&nested)), 401),
        (
            "algorithm none, with a signature",
            format!("{}.{payload}.{signature}", encode_base64(&nested)),
            401,
        ),
        ("signed by HMAC with the public key", by_hmac, 401),
        ("without its signature", format!("{head}.{payload}."), 401),
        ("another payload under the signature", format!("{head}.{changed}.{signature}"), 401),
        ("under a key that nobody has", sign(&unknown, &[]), 401),
        ("of another issuer", sign(&header, &[("iss", json!("https://elsewhere.example"))]), 401),
        ("for another audience", sign(&header, &[("aud", json!("another"))]), 401),
        ("expired", sign(&header, &[("exp", json!(PAST))]), 401),
        ("not yet valid", sign(&header, &[("nbf", json!(FUTURE)), ("exp", json!(FUTURE + 60))]), 401),
        ("a refresh token by its claim", sign(&header, &[("token_type", json!("refresh"))]), 401),
        ("a refresh token", refresh.to_owned(), 401),
        ("of a user who never was", sign(&header, &[("core_user_uuid", json!(uuid::Uuid::now_v7()))]), 401),
        ("no token", "x".repeat(10_000), 401),
        ("whole, again", whole, 200),
    ] {
        let answer = server.client().signed_in(token).get("/coreuser/me/").await;
        assert_eq!(answer.status.as_u16(), status, "{case}: {}", answer.text());
        if status == 401 {
            assert!(answer.header("www-authenticate").contains("Bearer"), "{case}");
            assert!(answer.json()["detail"].is_string(), "{case}");
        }
    }
    // Without a key id the key is looked for by its algorithm, or refused; never taken on trust.
    let nameless =
        server.client().signed_in(sign(&nameless, &[("exp", json!(PAST))])).get("/coreuser/me/").await;
    assert_eq!(nameless.status.as_u16(), 401);
    assert_eq!(server.terminate().code(), Some(0));
}

fn encode_base64(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut encoded = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let bits =
            chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for digit in 0..=chunk.len() {
            encoded.push(char::from(DIGITS[(bits >> (18 - 6 * digit) & 63) as usize]));
        }
    }
    encoded
}

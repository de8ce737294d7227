//! The Wycheproof vectors for JSON Web Signatures, as far as they use our three algorithms.

use std::path::PathBuf;

use buildly_model::Timestamp;
use buildly_model::system::System;
use serde_json::Value;

use super::*;
use crate::token::DeploymentKey;
use crate::token::signing_key::parse_public;

/// The folder of the vectors; `None`, said aloud, where it is absent.
fn vectors(file: &str) -> Option<Value> {
    let folder = std::env::var_os("BUILDLY_TEST_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let path = folder.join("wycheproof").join(file);
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("SKIPPED: {} is absent; it comes from https://github.com/C2SP/wycheproof", path.display());
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

/// The public part of a JSON Web Key in the form in which we store it.
fn stored_form(jwk: &Value) -> Option<(Algorithm, Vec<u8>)> {
    let member = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str()?).ok();
    if !matches!(jwk["use"].as_str(), None | Some("sig")) {
        return None;
    }
    if jwk["key_ops"].as_array().is_some_and(|operations| !operations.contains(&"verify".into())) {
        return None;
    }
    match (jwk["kty"].as_str()?, jwk["alg"].as_str()) {
        ("RSA", Some("RS256")) => {
            let members = [integer(&member("n")?), integer(&member("e")?)];
            Some((Algorithm::Rs256, element(0x30, &members.concat())))
        }
        ("EC", Some("ES256")) if jwk["crv"] == "P-256" => {
            Some((Algorithm::Es256, [vec![4], member("x")?, member("y")?].concat()))
        }
        _ => None,
    }
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = match content.len() {
        short @ 0..=127 => vec![u8::try_from(short).unwrap()],
        middle @ 128..=255 => vec![0x81, u8::try_from(middle).unwrap()],
        long => [vec![0x82], u16::try_from(long).unwrap().to_be_bytes().to_vec()].concat(),
    };
    [vec![tag], length, content.to_vec()].concat()
}

/// An unsigned integer in DER: no superfluous zeros, but one before a high first bit.
fn integer(bytes: &[u8]) -> Vec<u8> {
    let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    let sign = if bytes.get(start).is_some_and(|byte| *byte >= 0x80) { vec![0] } else { Vec::new() };
    element(2, &[sign, bytes[start..].to_vec()].concat())
}

/// The vectors do without a key id, which ours always have.
fn is_valid(jws: &str, kid: Option<&str>, algorithm: Algorithm, public: &[u8]) -> bool {
    let Some(public) = parse_public(algorithm, public) else { return false };
    let Ok(header) = decode_header(jws) else { return false };
    if header.kid.as_deref() != kid || header.crit.is_some() {
        return false;
    }
    let Some((signed, signature)) = jws.rsplit_once('.') else { return false };
    let key = kid.unwrap_or_default().to_owned();
    Compact { key, algorithm: header.alg, signed, signature }.verified(algorithm, &public).is_ok()
}

#[test]
fn the_vectors_of_wycheproof_hold() {
    let Some(file) = vectors("json_web_signature_test.json") else { return };
    let (mut checked, mut left) = (0, 0);
    for group in file["testGroups"].as_array().unwrap() {
        let tests = group["tests"].as_array().unwrap();
        let public = &group["public"];
        let Some((algorithm, stored)) = stored_form(public) else {
            left += tests.len();
            continue;
        };
        for test in tests {
            let expected = match test["result"].as_str().unwrap() {
                "valid" => true,
                "invalid" => false,
                _ => continue,
            };
            let jws = test["jws"].as_str().unwrap();
            let kid = public["kid"].as_str();
            assert_eq!(
                is_valid(jws, kid, algorithm, &stored),
                expected,
                "{} {}: {jws}",
                test["tcId"],
                test["comment"]
            );
            checked += 1;
        }
    }
    eprintln!("{checked} vectors checked, {left} of other algorithms or purposes left out");
    assert!(checked > 200, "only {checked} vectors were checked");
}

fn signed(algorithm: Algorithm) -> (String, Vec<u8>) {
    let private = PrivateKey::generate(algorithm).unwrap();
    let deployment_key = DeploymentKey::generate(&System);
    let stored = private.store(1, Timestamp::EPOCH, Timestamp::EPOCH, &deployment_key, &System).unwrap();
    let token = sign(&serde_json::json!({"a": 1}), &stored.id, algorithm, &private).unwrap();
    (token, stored.public)
}

#[test]
fn what_we_sign_verifies_and_a_change_of_any_character_does_not() {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
        let (token, public) = signed(algorithm);
        let public = parse_public(algorithm, &public).unwrap();
        let payload = |token: &str| {
            let compact = Compact::parse(token).ok()?;
            compact.verified(algorithm, &public).ok()
        };
        assert_eq!(payload(&token).unwrap(), br#"{"a":1}"#);
        for place in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert_eq!(payload(&changed), None, "{algorithm}, character {place}");
        }
    }
}

#[test]
fn a_header_of_another_form_is_refused() {
    let token = |header: &str| format!("{}.e30.AA", URL_SAFE_NO_PAD.encode(header));
    for (case, header) in [
        ("no key id", r#"{"alg":"EdDSA"}"#),
        ("no algorithm", r#"{"kid":"a"}"#),
        ("critical extension", r#"{"alg":"EdDSA","kid":"a","crit":["b64"],"b64":false}"#),
        ("critical, but null inside", r#"{"alg":"EdDSA","kid":"a","crit":[null]}"#),
        ("two algorithms", r#"{"alg":"none","alg":"EdDSA","kid":"a"}"#),
        ("a number for an algorithm", r#"{"alg":1,"kid":"a"}"#),
        ("not an object", r#"["EdDSA","a"]"#),
        ("not JSON", "EdDSA"),
    ] {
        assert!(Compact::parse(&token(header)).is_err(), "{case}");
    }
    for (case, text) in [
        ("empty", String::new()),
        ("two parts", "a.b".to_owned()),
        ("padding", "e30=.e30.AA".to_owned()),
        ("the alphabet of plain Base64", "e30+/.e30.AA".to_owned()),
        ("too long", "a".repeat(TOKEN_LENGTH_MAX + 1)),
        ("deeply nested", token(&format!(r#"{{"alg":"EdDSA","kid":"a","x":{}}}"#, "[".repeat(2000)))),
    ] {
        assert!(Compact::parse(&text).is_err(), "{case}");
    }
}

use buildly_model::system::System;
use uuid::Uuid;

use super::*;

// The example of RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn application(number: u128) -> ApplicationId {
    ApplicationId::from_uuid(Uuid::from_u128(number))
}

fn code() -> AuthorizationCode {
    AuthorizationCode {
        session: SessionId::from_uuid(Uuid::from_u128(1)),
        application: application(2),
        user: UserId::from_uuid(Uuid::from_u128(3)),
        organization: None,
        credential_version: 4,
        redirect_uri: Some(sha256("https://site.example/back")),
        challenge: CHALLENGE.to_owned(),
        expires_at: 1_000_000,
    }
}

fn redemption(redirect_uri: Option<&str>, verifier: &str) -> Redemption {
    Redemption {
        code: Secret::new(""),
        redirect_uri: redirect_uri.map(str::to_owned),
        verifier: Secret::new(verifier),
    }
}

#[test]
fn a_code_is_redeemed_by_whom_it_was_issued_to_with_the_proof_in_time() {
    let own = Some("https://site.example/back");
    for (case, client, redirect_uri, verifier, now, expected) in [
        ("as asked", 2, own, VERIFIER, 999_999, true),
        ("by another application", 9, own, VERIFIER, 0, false),
        ("too late", 2, own, VERIFIER, 1_000_000, false),
        ("for another address", 2, Some("https://site.example/"), VERIFIER, 0, false),
        ("for no address", 2, None, VERIFIER, 0, false),
        ("with another verifier", 2, own, VERIFIER.strip_prefix(char::is_alphanumeric).unwrap(), 0, false),
        ("with the challenge itself", 2, own, CHALLENGE, 0, false),
    ] {
        let checked = code().check(
            application(client),
            &redemption(redirect_uri, verifier),
            Timestamp::from_microseconds(now),
        );
        assert_eq!(checked.is_ok(), expected, "{case}: {checked:?}");
    }
}

#[test]
fn an_address_that_the_request_did_not_name_need_not_be_named_again() {
    let code = AuthorizationCode { redirect_uri: None, ..code() };
    assert_eq!(code.check(application(2), &redemption(None, VERIFIER), Timestamp::EPOCH), Ok(()));
}

#[test]
fn a_code_opens_only_unchanged_and_under_the_same_key() {
    let key = DeploymentKey::generate(&System);
    let sealed = code().seal(&key, &System).unwrap();
    assert_eq!(AuthorizationCode::open(sealed.expose(), &key), Some(code()));
    assert_eq!(AuthorizationCode::open(sealed.expose(), &DeploymentKey::generate(&System)), None);
    for place in 0..sealed.expose().len() {
        let mut bytes = sealed.expose().as_bytes().to_vec();
        bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        assert_eq!(AuthorizationCode::open(&changed, &key), None, "character {place}");
    }
    for text in ["", "A", "!", &"A".repeat(CODE_LENGTH_MAX + 1)] {
        assert_eq!(AuthorizationCode::open(text, &key), None);
    }
}

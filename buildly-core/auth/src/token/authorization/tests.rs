use buildly_model::{ApplicationId, Timestamp};
use uuid::Uuid;

use super::*;
use crate::token::ClientType;
use crate::token::snapshot::Rows;

const ISSUER: &str = "https://id.example";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn application(client_id: &str, grant: ApplicationGrant, redirect_uris: &str) -> Application {
    Application {
        id: ApplicationId::from_uuid(Uuid::new_v5(&Uuid::NAMESPACE_URL, client_id.as_bytes())),
        number: 1,
        client_id: client_id.to_owned(),
        secret: None,
        name: String::new(),
        client_type: ClientType::Public,
        grant,
        redirect_uris: redirect_uris.to_owned(),
        user: None,
        created_at: Timestamp::EPOCH,
    }
}

fn snapshot() -> Snapshot {
    let code = ApplicationGrant::AuthorizationCode;
    let applications = vec![
        application("site", code, "https://site.example/back https://site.example/other?x=1"),
        application("one", code, "https://one.example/"),
        application("desk", code, "http://127.0.0.1/back http://localhost:7000/back com.example.desk:/back"),
        application("old", ApplicationGrant::Password, "https://old.example/"),
        application("bad", code, "javascript:alert(1) http://site.example/ https://a.example/#x"),
    ];
    Snapshot::of(Rows { applications, ..Rows::default() }).unwrap()
}

fn request(client_id: &str, redirect_uri: &str) -> AuthorizationRequest {
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    AuthorizationRequest {
        response_type: some("code"),
        client_id: some(client_id),
        redirect_uri: some(redirect_uri),
        scope: None,
        state: some("a b&c"),
        code_challenge: some(CHALLENGE),
        code_challenge_method: some("S256"),
    }
}

#[test]
fn a_browser_is_sent_to_registered_addresses_only() {
    let snapshot = snapshot();
    for (client_id, asked, expected) in [
        ("site", "https://site.example/back", Some("https://site.example/back")),
        ("site", "https://site.example/other?x=1", Some("https://site.example/other?x=1")),
        ("site", "https://site.example/back/", None),
        ("site", "https://site.example/back?x=1", None),
        ("site", "https://SITE.example/back", None),
        ("site", "https://site.example.evil.example/back", None),
        ("site", "https://site.example/back#x", None),
        ("site", "", None),
        ("one", "", Some("https://one.example/")),
        ("desk", "http://127.0.0.1:51004/back", Some("http://127.0.0.1:51004/back")),
        ("desk", "http://127.0.0.1:51004/", None),
        ("desk", "http://127.0.0.1:99999/back", None),
        ("desk", "http://127.0.0.1@evil.example/back", None),
        ("desk", "http://[::1]:51004/back", None),
        ("desk", "http://localhost:7000/back", Some("http://localhost:7000/back")),
        ("desk", "http://localhost:7001/back", None),
        ("desk", "com.example.desk:/back", Some("com.example.desk:/back")),
        ("bad", "javascript:alert(1)", None),
        ("bad", "http://site.example/", None),
        ("bad", "https://a.example/#x", None),
        ("nobody", "https://site.example/back", None),
    ] {
        let request = request(client_id, asked);
        let decided = decide(&snapshot, &request, ISSUER);
        match expected {
            Some(expected) => assert_eq!(decided.unwrap().redirect_uri, expected, "{client_id} {asked}"),
            None => assert!(
                matches!(decided, Err(AuthorizationError::Unusable(_))),
                "{client_id} {asked}: {decided:?}"
            ),
        }
    }
}

#[test]
fn what_an_application_cannot_have_is_told_to_it() {
    let snapshot = snapshot();
    let good = || request("site", "https://site.example/back");
    let some = |text: &str| Some(text.to_owned());
    for (case, request, expected) in [
        ("another grant", request("old", "https://old.example/"), "unauthorized_client"),
        (
            "a token at once",
            AuthorizationRequest { response_type: some("token"), ..good() },
            "unsupported_response_type",
        ),
        ("no type", AuthorizationRequest { response_type: None, ..good() }, "invalid_request"),
        ("a foreign scope", AuthorizationRequest { scope: some("openid"), ..good() }, "invalid_scope"),
        ("no challenge", AuthorizationRequest { code_challenge: None, ..good() }, "invalid_request"),
        ("a short one", AuthorizationRequest { code_challenge: some("abc"), ..good() }, "invalid_request"),
        (
            "a plain one",
            AuthorizationRequest { code_challenge_method: some("plain"), ..good() },
            "invalid_request",
        ),
        ("no method", AuthorizationRequest { code_challenge_method: None, ..good() }, "invalid_request"),
    ] {
        let Err(AuthorizationError::Refused { location }) = decide(&snapshot, &request, ISSUER) else {
            panic!("{case}: not refused");
        };
        let (address, query) = location.split_once('?').unwrap();
        assert!(request.redirect_uri.as_deref() == Some(address), "{case}: {location}");
        let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let value = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        assert_eq!(value("error"), Some(expected), "{case}");
        assert_eq!((value("state"), value("iss")), (Some("a b&c"), Some(ISSUER)), "{case}");
    }
}

#[test]
fn the_query_of_a_registered_address_stays() {
    let location = code_location("https://site.example/other?x=1", None, ISSUER, "c+/=");
    assert_eq!(location, "https://site.example/other?x=1&code=c%2B%2F%3D&iss=https%3A%2F%2Fid.example");
}

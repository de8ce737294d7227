use proptest::prelude::*;

use super::*;

fn policy(origins: &[&str], credentials: bool) -> Policy {
    let origins = origins.iter().map(|origin| origin.parse().unwrap()).collect();
    Policy { origins, credentials, ..Policy::default() }
}

fn request(origin: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(ORIGIN, origin.parse().unwrap());
    headers
}

fn preflight(origin: &str) -> HeaderMap {
    let mut headers = request(origin);
    headers.insert(ACCESS_CONTROL_REQUEST_METHOD, HeaderValue::from_static("PATCH"));
    headers.insert(ACCESS_CONTROL_REQUEST_HEADERS, HeaderValue::from_static("authorization, content-type"));
    headers
}

fn is_allowed(policy: &Policy, origin: &str) -> bool {
    matches!(decide(policy, &Method::GET, &request(origin)), Decision::Actual(_))
}

#[test]
fn only_allowed_origins_are_allowed() {
    let policy = policy(&["https://app.example.org", "http://dev.example.org:*", "localhost"], true);
    for (origin, expected) in [
        ("https://app.example.org", true),
        ("https://app.example.org:8443", false),
        ("http://app.example.org", false),
        ("https://app.example.org.evil.example", false),
        ("https://evil.example/https://app.example.org", false),
        ("http://dev.example.org:3000", true),
        ("http://dev.example.org", true),
        ("http://dev.example.org:3000.evil.example", false),
        ("http://dev.example.org.evil.example:80", false),
        ("http://localhost:5173", true),
        ("https://127.0.0.1", true),
        ("http://[::1]:8080", true),
        ("http://localhost.evil.example", false),
        ("http://localhost:evil", false),
        ("null", false),
        ("", false),
    ] {
        assert_eq!(is_allowed(&policy, origin), expected, "{origin}");
    }
}

#[test]
fn without_a_policy_nobody_is_allowed() {
    let refused = decide(&Policy::default(), &Method::OPTIONS, &preflight("http://localhost:3000"));
    assert_eq!(refused, Decision::Refused { is_preflight: true });
    let refused = decide(&Policy::default(), &Method::GET, &request("http://localhost:3000"));
    assert_eq!(refused, Decision::Refused { is_preflight: false });
    assert_eq!(decide(&Policy::default(), &Method::GET, &HeaderMap::new()), Decision::SameOrigin);
}

#[test]
fn a_preflight_is_answered_with_what_it_asked() {
    let mut answer = HeaderMap::new();
    decide(&policy(&["localhost"], true), &Method::OPTIONS, &preflight("http://localhost:1"))
        .write(&mut answer);
    assert_eq!(answer[ACCESS_CONTROL_ALLOW_ORIGIN], "http://localhost:1");
    assert_eq!(answer[ACCESS_CONTROL_ALLOW_CREDENTIALS], "true");
    assert_eq!(answer[ACCESS_CONTROL_ALLOW_HEADERS], "authorization, content-type");
    assert!(answer[ACCESS_CONTROL_ALLOW_METHODS].to_str().unwrap().contains("PATCH"));
    assert_eq!(answer[ACCESS_CONTROL_MAX_AGE], "600");
    assert_eq!(answer[VARY], "Origin");
}

#[test]
fn what_a_service_granted_does_not_count() {
    for (origin, expected) in
        [("http://localhost:1", Some("http://localhost:1")), ("https://evil.example", None)]
    {
        let mut answer = HeaderMap::new();
        answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        answer.insert(VARY, HeaderValue::from_static("Accept"));
        decide(&policy(&["localhost"], false), &Method::GET, &request(origin)).write(&mut answer);
        let granted = answer.get(ACCESS_CONTROL_ALLOW_ORIGIN).map(|value| value.to_str().unwrap());
        assert_eq!(granted, expected);
        assert_eq!(answer.get_all(VARY).iter().count(), 2, "the answer depends on both");
        decide(&policy(&["localhost"], false), &Method::GET, &request(origin)).write(&mut answer);
        assert_eq!(answer.get_all(VARY).iter().count(), 2, "that is said once, whoever has said it");
    }
}

#[test]
fn everybody_never_gets_credentials() {
    let mut answer = HeaderMap::new();
    decide(&policy(&["*"], true), &Method::GET, &request("https://any.example")).write(&mut answer);
    assert_eq!(answer[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    assert!(!answer.contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS));
}

#[test]
fn what_is_no_origin_is_refused_with_a_sentence() {
    for text in [
        "",
        "app.example.org",
        "https://",
        "https://a/",
        "https://A.example",
        "ftp://a",
        "https://a:b",
        "https://a:1:*",
    ] {
        let refused = text.parse::<OriginPattern>();
        assert!(refused.is_err(), "{text}: {refused:?}");
    }
}

proptest! {
    #[test]
    fn no_text_after_an_allowed_origin_is_allowed(rest in "[ -~]{1,20}") {
        let policy = policy(&["https://app.example.org", "http://dev.example.org:*"], true);
        let exact = format!("https://app.example.org{rest}");
        prop_assert!(!is_allowed(&policy, &exact));
        let any_port = format!("http://dev.example.org{rest}");
        let port = rest.strip_prefix(':').unwrap_or("x");
        let expected = (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit());
        prop_assert_eq!(is_allowed(&policy, &any_port), expected);
    }
}

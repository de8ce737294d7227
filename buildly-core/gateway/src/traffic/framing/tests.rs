use http::HeaderValue;
use proptest::prelude::*;

use super::*;

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}

#[test]
fn what_could_be_read_in_two_ways_is_refused() {
    let (one, two) = (Version::HTTP_11, Version::HTTP_2);
    for (case, version, uri, pairs, expected) in [
        ("plain", one, "/a", &[("host", "a.example:80")][..], Ok(())),
        ("address", one, "/a", &[("host", "[::1]:8080")], Ok(())),
        ("no host", one, "/a", &[], Err(FramingError::Host)),
        ("no host, HTTP/1.0", Version::HTTP_10, "/a", &[], Ok(())),
        ("two hosts", one, "/a", &[("host", "a"), ("host", "b")], Err(FramingError::Host)),
        ("two equal hosts", one, "/a", &[("host", "a"), ("host", "a")], Err(FramingError::Host)),
        ("host with a path", one, "/a", &[("host", "a/b")], Err(FramingError::HostMismatch)),
        ("host with a user", one, "/a", &[("host", "me@a")], Err(FramingError::HostMismatch)),
        ("empty host", one, "/a", &[("host", "")], Err(FramingError::HostMismatch)),
        ("absolute form", one, "http://a/x", &[("host", "a")], Ok(())),
        ("absolute form elsewhere", one, "http://a/x", &[("host", "b")], Err(FramingError::HostMismatch)),
        ("HTTP/2", two, "https://a/x", &[], Ok(())),
        ("HTTP/2 without authority", two, "/x", &[], Err(FramingError::Host)),
        ("HTTP/2 with another host", two, "https://a/x", &[("host", "b")], Err(FramingError::HostMismatch)),
        ("length", one, "/", &[("host", "a"), ("content-length", "12")], Ok(())),
        ("bad length", one, "/", &[("host", "a"), ("content-length", "+12")], Err(FramingError::Length)),
        (
            "list of lengths",
            one,
            "/",
            &[("host", "a"), ("content-length", "1, 1")],
            Err(FramingError::Length),
        ),
        (
            "two lengths",
            one,
            "/",
            &[("host", "a"), ("content-length", "1"), ("content-length", "1")],
            Err(FramingError::Length),
        ),
        ("chunked", one, "/", &[("host", "a"), ("transfer-encoding", "Chunked")], Ok(())),
        (
            "length and chunked",
            one,
            "/",
            &[("host", "a"), ("content-length", "1"), ("transfer-encoding", "chunked")],
            Err(FramingError::TwoLengths),
        ),
        (
            "another coding",
            one,
            "/",
            &[("host", "a"), ("transfer-encoding", "gzip, chunked")],
            Err(FramingError::TransferEncoding),
        ),
        (
            "hidden coding",
            one,
            "/",
            &[("host", "a"), ("transfer-encoding", "chunked"), ("transfer-encoding", "x")],
            Err(FramingError::TransferEncoding),
        ),
        (
            "chunked HTTP/2",
            two,
            "https://a/",
            &[("transfer-encoding", "chunked")],
            Err(FramingError::TransferEncoding),
        ),
    ] {
        assert_eq!(check(version, &uri.parse().unwrap(), &headers(pairs)), expected, "{case}");
    }
}

#[test]
fn no_header_makes_a_service_see_another_method_or_path() {
    let mut all =
        headers(&[("x-http-method-override", "DELETE"), ("x-original-url", "/admin"), ("accept", "*/*")]);
    remove_overrides(&mut all);
    assert_eq!(all, headers(&[("accept", "*/*")]));
}

proptest! {
    #[test]
    fn a_length_beside_a_coding_is_never_let_through(length in "[ -~]{0,5}", coding in "[ -~]{0,9}") {
        let all = headers(&[("host", "a"), ("content-length", &length), ("transfer-encoding", &coding)]);
        prop_assert!(check(Version::HTTP_11, &Uri::from_static("/"), &all).is_err());
    }
}

use proptest::prelude::*;

use super::*;

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let pair = |(name, value): &(&'static str, &'static str)| {
        (HeaderName::from_static(name), HeaderValue::from_static(value))
    };
    let mut headers = HeaderMap::new();
    for (name, value) in pairs.iter().map(pair) {
        headers.append(name, value);
    }
    headers
}

#[test]
fn what_is_for_the_next_hop_ends_here() {
    let mut all = headers(&[
        ("connection", "keep-alive, X-Internal"),
        ("connection", "x-other ,,"),
        ("x-internal", "1"),
        ("x-other", "2"),
        ("keep-alive", "timeout=5"),
        ("te", "trailers, gzip"),
        ("trailer", "digest"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "websocket"),
        ("proxy-authorization", "Basic eA=="),
        ("proxy-connection", "keep-alive"),
        ("accept", "*/*"),
    ]);
    assert!(takes_trailers(&all));
    strip(&mut all);
    assert_eq!(all, headers(&[("trailer", "digest"), ("accept", "*/*")]));
}

#[test]
fn only_a_real_upgrade_is_one() {
    for (case, version, pairs, expected) in [
        ("websocket", Version::HTTP_11, &[("connection", "Upgrade"), ("upgrade", "websocket")][..], true),
        (
            "among others",
            Version::HTTP_11,
            &[("connection", "keep-alive, upgrade"), ("upgrade", "WebSocket")],
            true,
        ),
        ("not named", Version::HTTP_11, &[("connection", "keep-alive"), ("upgrade", "websocket")], false),
        ("no protocol", Version::HTTP_11, &[("connection", "upgrade")], false),
        ("HTTP/2", Version::HTTP_2, &[("connection", "upgrade"), ("upgrade", "websocket")], false),
        ("HTTP/1.0", Version::HTTP_10, &[("connection", "upgrade"), ("upgrade", "websocket")], false),
        ("another HTTP", Version::HTTP_11, &[("connection", "upgrade"), ("upgrade", "h2c")], false),
        ("TLS", Version::HTTP_11, &[("connection", "upgrade"), ("upgrade", "TLS/1.3")], false),
        ("a list", Version::HTTP_11, &[("connection", "upgrade"), ("upgrade", "websocket, h2c")], false),
        (
            "two lines",
            Version::HTTP_11,
            &[("connection", "upgrade"), ("upgrade", "websocket"), ("upgrade", "h2c")],
            false,
        ),
    ] {
        assert_eq!(upgrade(version, &headers(pairs)).is_some(), expected, "{case}");
    }
}

proptest! {
    #[test]
    fn nothing_that_connection_names_is_left(
        names in prop::collection::vec("[a-z][a-z-]{0,9}", 0..6), rest in "[ -~]{0,30}",
    ) {
        let mut headers = HeaderMap::new();
        for name in &names {
            headers.insert(HeaderName::try_from(name).unwrap(), HeaderValue::from_static("1"));
        }
        let line = format!("{rest},{}", names.join(" , "));
        headers.append(CONNECTION, HeaderValue::try_from(line).unwrap());
        headers.append("kept", HeaderValue::from_static("1"));
        strip(&mut headers);
        prop_assert!(headers.keys().all(|name| name == "kept"), "{headers:?}");
    }
}

use buildly_model::system::System;
use proptest::prelude::*;

use super::*;

fn of(pairs: &[(HeaderName, &[u8])]) -> CorrelationId {
    let value = |bytes: &[u8]| HeaderValue::from_bytes(bytes).unwrap();
    let headers = pairs.iter().map(|(name, text)| (name.clone(), value(text))).collect();
    CorrelationId::of_request(&headers, Timestamp::from_seconds(1_800_000_000), &System)
}

#[test]
fn the_caller_s_name_is_kept_if_it_is_safe() {
    for (case, pairs, expected) in [
        ("request id", &[(X_REQUEST_ID, &b"abc-1"[..])][..], Some("abc-1")),
        ("correlation id", &[(X_CORRELATION_ID, b"abc-2")], Some("abc-2")),
        ("both", &[(X_CORRELATION_ID, b"b"), (X_REQUEST_ID, b"a")], Some("a")),
        ("unsafe request id", &[(X_REQUEST_ID, b"a b"), (X_CORRELATION_ID, b"b")], Some("b")),
        ("markup", &[(X_REQUEST_ID, b"<script>")], None),
        ("not ASCII", &[(X_REQUEST_ID, b"\xff\xfe")], None),
        ("too long", &[(X_REQUEST_ID, &[b'a'; 129])], None),
        ("empty", &[(X_REQUEST_ID, b"")], None),
        ("none", &[], None),
    ] {
        let id = of(pairs);
        match expected {
            Some(expected) => assert_eq!(id.as_str(), expected, "{case}"),
            None => assert_eq!(id.as_str().len(), 36, "{case}: {id:?}"),
        }
    }
}

#[test]
fn a_correlation_id_beside_the_request_id_stays() {
    let mut headers = HeaderMap::new();
    headers.insert(X_CORRELATION_ID, HeaderValue::from_static("order-7"));
    of(&[(X_REQUEST_ID, b"a")]).write(&mut headers);
    assert_eq!(
        (&headers[X_REQUEST_ID], &headers[X_CORRELATION_ID]),
        (&"a".parse().unwrap(), &"order-7".parse().unwrap())
    );
}

proptest! {
    #[test]
    fn whatever_comes_in_what_goes_out_is_safe(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(value) = HeaderValue::from_bytes(&bytes) {
            let id = of(&[(X_REQUEST_ID, value.as_bytes())]);
            prop_assert!(is_safe(&id.0));
        }
    }
}

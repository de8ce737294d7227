//! Small texts: random ones, queries, cookies.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use buildly_core::model::system::{Random as _, System};
use http::HeaderMap;
use http::header::COOKIE;

/// Bytes of chance in each secret.
const RANDOM_BYTES: usize = 32;

/// A text that nobody guesses, of 43 characters: long enough for a code verifier.
pub(super) fn random_text() -> String {
    let mut bytes = [0; RANDOM_BYTES];
    System.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The challenge for a code verifier (RFC 7636 section 4.2).
pub(super) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()))
}

/// A query, or the body of a form.
pub(super) fn query(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// Whether two secrets are the same, after the same time whatever they are.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    verify_slices_are_equal(one.as_bytes(), other.as_bytes()).is_ok()
}

/// The value of a cookie (RFC 6265 section 5.4).
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

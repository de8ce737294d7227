//! Paths of requests: percent-encoding, and what must not be in one.

use std::borrow::Cow;

use crate::Error;

/// Decodes percent-encoding (RFC 3986 section 2.1); what is no encoding stays as it is.
/// Allocates only where there is something to decode.
pub(crate) fn decode(segment: &str) -> Cow<'_, [u8]> {
    if !segment.contains('%') {
        return Cow::Borrowed(segment.as_bytes());
    }
    let mut decoded = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let [first, after @ ..] = rest {
        match (first, after) {
            (b'%', [high, low, after @ ..]) if hex(*high).is_some() && hex(*low).is_some() => {
                decoded.push(hex(*high).unwrap_or(0) * 16 + hex(*low).unwrap_or(0));
                rest = after;
            }
            _ => {
                decoded.push(*first);
                rest = after;
            }
        }
    }
    Cow::Owned(decoded)
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Refuses a raw path that a service might read as another one: a segment that is `.` or `..`
/// after decoding, or that hides a slash or backslash beside one, or that is one but for
/// parameters (`..;a=1`, which servlet containers cut off, RFC 3986 section 3.3); a NUL; a
/// broken percent-encoding.
///
/// # Errors
/// [`Error::InvalidPath`] says what is wrong.
pub(crate) fn check(path: &str) -> Result<(), Error> {
    let refused = |reason| Err(Error::InvalidPath { reason });
    if !path.starts_with('/') {
        return refused("it does not begin with a slash");
    }
    for segment in path.split('/') {
        if has_broken_encoding(segment) {
            return refused("a `%` is not followed by two hexadecimal digits");
        }
        let decoded = decode(segment);
        if decoded.contains(&0) {
            return refused("it has a NUL in it");
        }
        let mut parts = decoded.split(|byte| matches!(byte, b'/' | b'\\'));
        if parts.any(|part| matches!(without_parameters(part), b"." | b"..")) {
            return refused("it has a `.` or `..` segment, perhaps encoded or with parameters");
        }
    }
    Ok(())
}

fn without_parameters(part: &[u8]) -> &[u8] {
    part.split(|byte| *byte == b';').next().unwrap_or(part)
}

fn has_broken_encoding(segment: &str) -> bool {
    segment.split('%').skip(1).any(|after| {
        let mut digits = after.bytes();
        let mut is_hex = || digits.next().is_some_and(|digit| digit.is_ascii_hexdigit());
        !(is_hex() && is_hex())
    })
}

#[cfg(test)]
mod tests;

//! One byte range of a request (RFC 9110 section 14). Pure.

use std::ops::Range;

use buildly_kit::Error;

/// Reads `Range` for content of `length` bytes. `None` means all of it: no range, several of
/// them or another unit, which a server may ignore.
///
/// # Errors
/// [`Error::RangeNotSatisfiable`] if no byte of the content is in the range.
pub(crate) fn parse(header: Option<&str>, length: u64) -> Result<Option<Range<u64>>, Error> {
    let Some((first, last)) = header
        .and_then(|text| text.trim().strip_prefix("bytes="))
        .filter(|text| !text.contains(','))
        .and_then(|text| text.trim().split_once('-'))
    else {
        return Ok(None);
    };
    let range = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(length),
        (Some(first), None) if last.trim().is_empty() => first..length,
        (None, Some(last)) if first.trim().is_empty() => length.saturating_sub(last)..length,
        _ => return Ok(None),
    };
    if range.start < range.end { Ok(Some(range)) } else { Err(Error::RangeNotSatisfiable { bytes: length }) }
}

fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_read_and_anything_else_means_all() {
        for (header, expected) in [
            ("bytes=0-3", Some(0..4)),
            ("bytes=8-", Some(8..10)),
            ("bytes=-3", Some(7..10)),
            ("bytes=-30", Some(0..10)),
            ("bytes=4-99", Some(4..10)),
            ("bytes=0-1,3-4", None),
            ("bytes=3-1", None),
            ("bytes=-", None),
            ("bytes=+1-2", None),
            ("lines=0-3", None),
        ] {
            assert_eq!(parse(Some(header), 10).unwrap(), expected, "{header}");
        }
        for header in ["bytes=10-", "bytes=-0", "bytes=18446744073709551615-18446744073709551615"] {
            let refused = parse(Some(header), 10);
            assert!(
                matches!(refused, Err(Error::RangeNotSatisfiable { bytes: 10 })),
                "{header}: {refused:?}"
            );
        }
    }
}

//! Versions of records as entity tags.

use crate::FieldError;

/// Reads the record version in an `If-Match` header (RFC 9110 section 13.1.1); `None` for `*`.
///
/// # Errors
/// A [`FieldError`] if the value is neither `*` nor one strong entity tag such as `"7"`.
///
/// ```
/// use buildly_model::version_from_if_match;
/// assert_eq!(version_from_if_match("\"7\""), Ok(Some(7)));
/// assert!(version_from_if_match("W/\"7\"").is_err()); // a weak tag never matches
/// ```
pub fn version_from_if_match(value: &str) -> Result<Option<u64>, FieldError> {
    let value = value.trim();
    if value == "*" {
        return Ok(None);
    }
    value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .filter(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|digits| digits.parse().ok())
        .map(Some)
        .ok_or_else(|| {
            FieldError::new(
                "If-Match",
                "expected `*` or the entity tag that the record was read with, such as `\"7\"`",
            )
        })
}

//! Preconditions of a request (RFC 9110 section 13) and what a write does under them. Pure.

use buildly_model::{FieldError, version_from_if_match};
use http::HeaderMap;
use http::header::{IF_MATCH, IF_NONE_MATCH};
use serde_json::{Map, Value};

use crate::Error;
use crate::shape::Row;

/// What the request says about the record it is meant for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Precondition {
    /// Nothing.
    None,
    /// `If-None-Match: *`: there must be no such record yet.
    Absent,
    /// `If-Match: *`: there must be one.
    Present,
    /// `If-Match: "7"`: it must be at this version.
    Version(u64),
}

/// What a PUT does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Put {
    /// There is no such record: it is made under this id.
    Create,
    /// The record moves on from this version.
    Update {
        /// The version that was read.
        from: u64,
    },
    /// The record is so already; nothing is written and its version stays.
    Unchanged,
}

/// Reads `If-Match` and `If-None-Match` of a write.
///
/// # Errors
/// A [`FieldError`] named after the header.
pub(crate) fn parse(headers: &HeaderMap) -> Result<Precondition, FieldError> {
    let text = |name: http::HeaderName| match headers.get(&name) {
        None => Ok(None),
        Some(value) => value.to_str().map(Some).map_err(|_| FieldError::new(name.as_str(), "Expected text.")),
    };
    match (text(IF_MATCH)?, text(IF_NONE_MATCH)?) {
        (None, None) => Ok(Precondition::None),
        (Some(tag), None) => {
            Ok(version_from_if_match(tag)?.map_or(Precondition::Present, Precondition::Version))
        }
        (None, Some(tag)) if tag.trim() == "*" => Ok(Precondition::Absent),
        (_, Some(_)) => Err(FieldError::new("If-None-Match", "Expected `*`, and no `If-Match` beside it.")),
    }
}

/// Checks the precondition of a change or deletion of `current`.
///
/// # Errors
/// [`Error::PreconditionFailed`], or [`Error::PreconditionRequired`] if the type wants one.
pub(crate) fn check(current: &Row, precondition: Precondition, is_guarded: bool) -> Result<(), Error> {
    match precondition {
        Precondition::None if is_guarded => Err(Error::PreconditionRequired),
        Precondition::Absent => Err(Error::PreconditionFailed("There is such a record already.")),
        Precondition::Version(version) if version != current.version => Err(Error::PreconditionFailed(
            "The record has changed since it was read; read it again and repeat the change.",
        )),
        Precondition::None | Precondition::Present | Precondition::Version(_) => Ok(()),
    }
}

/// Decides what a PUT of `fields` does.
///
/// # Errors
/// As [`check`].
pub(crate) fn decide_put(
    current: Option<&Row>,
    fields: &Map<String, Value>,
    precondition: Precondition,
    is_guarded: bool,
) -> Result<Put, Error> {
    match (current, precondition) {
        (None, Precondition::None | Precondition::Absent) => Ok(Put::Create),
        (None, Precondition::Present | Precondition::Version(_)) => {
            Err(Error::PreconditionFailed("There is no such record (any more)."))
        }
        (Some(row), precondition) => {
            check(row, precondition, is_guarded)?;
            if row.fields == *fields { Ok(Put::Unchanged) } else { Ok(Put::Update { from: row.version }) }
        }
    }
}

/// Whether the client's copy, named in `If-None-Match`, is still the same (RFC 9110 section 13.1.2).
pub(crate) fn is_unmodified(headers: &HeaderMap, etag: &str) -> bool {
    headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).any(|value| {
        value.split(',').map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
    })
}

#[cfg(test)]
mod tests;

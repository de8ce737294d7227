//! From text to a tree of values: JSON, or else YAML.

use serde_json::Value;

use super::{Error, yaml};
use crate::SPECIFICATION_BYTES_MAX;

/// How deep lists and objects may be nested (`serde_json`'s own limit is the same).
pub(super) const DEPTH_MAX: usize = 127;

/// How much of a text is shown in an error, in characters.
const SHOWN_CHARACTERS: usize = 40;

/// Reads a text as JSON or YAML, within the bounds of documents.
///
/// # Errors
/// [`Error`] says what came instead, or which limit it goes beyond.
pub fn read(text: &str) -> Result<Value, Error> {
    if text.len() > SPECIFICATION_BYTES_MAX {
        return Err(Error::TooLarge { bytes: text.len(), bytes_max: SPECIFICATION_BYTES_MAX });
    }
    let text = text.trim_start_matches('\u{feff}').trim_ascii_start();
    match text.as_bytes().first() {
        None => Err(malformed("an empty text")),
        Some(b'<') => Err(malformed(format!("a page that begins with `{}`", beginning(text)))),
        Some(b'{' | b'[') => read_json(text),
        Some(_) => yaml::read(text),
    }
}

fn read_json(text: &str) -> Result<Value, Error> {
    serde_json::from_str(text).map_err(|error| {
        if error.to_string().starts_with("recursion limit exceeded") {
            return Error::TooMuch { what: "lists and objects nested too deep", limit: DEPTH_MAX };
        }
        malformed(format!("JSON that breaks off: {error}"))
    })
}

pub(super) fn malformed(came: impl Into<String>) -> Error {
    Error::Malformed { came: came.into() }
}

/// The first characters of a text, on one line.
pub(super) fn beginning(text: &str) -> String {
    let shown: String =
        text.chars().take(SHOWN_CHARACTERS).map(|c| if c.is_control() { ' ' } else { c }).collect();
    shown.trim_end().to_owned()
}

#[cfg(test)]
mod tests;

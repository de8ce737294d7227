//! Reads a template from JSON, within limits, with errors that name the level.

use serde::Deserialize as _;
use serde_json::Value;

use super::level::FORMAT;
use super::limits::{LEVEL_DEPTH_MAX, LEVELS_MAX, TEMPLATE_BYTES_MAX};
use super::{Level, Template};

/// Why a text is not a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// The text is larger than a template may be.
    #[error(
        "the template has {bytes} bytes, at most {TEMPLATE_BYTES_MAX} are allowed: split it into sub-workflows"
    )]
    TooLarge {
        /// How large it is.
        bytes: usize,
    },
    /// More levels than [`LEVELS_MAX`].
    #[error("the template has more than {LEVELS_MAX} levels: split it into sub-workflows")]
    TooManyLevels,
    /// Levels stand deeper in each other than [`LEVEL_DEPTH_MAX`].
    #[error("level `{level}` stands deeper than {LEVEL_DEPTH_MAX} levels: move it into a sub-workflow")]
    TooDeep {
        /// The first that is too deep.
        level: String,
    },
    /// It is not JSON, or nested beyond what any template needs.
    #[error("expected JSON: {reason}")]
    NotJson {
        /// What is wrong, and where.
        reason: String,
    },
    /// A newer or unknown version of the format.
    #[error("expected format {FORMAT}, got {format}: this release does not know it")]
    Format {
        /// What it says.
        format: u64,
    },
    /// A level, or the template around the levels, is not as the format says.
    #[error("level `{level}`: {reason}")]
    Level {
        /// Which; the template's name for the template itself.
        level: String,
        /// What was expected and what came.
        reason: String,
    },
}

impl Template {
    /// Reads a template from JSON text.
    ///
    /// # Errors
    /// [`ParseError`] says which level is wrong, and what to do.
    pub fn from_json(text: &[u8]) -> Result<Self, ParseError> {
        if text.len() > TEMPLATE_BYTES_MAX {
            return Err(ParseError::TooLarge { bytes: text.len() });
        }
        let value = serde_json::from_slice(text).map_err(|error| {
            // The parser stops at a depth of 128, deeper than any template that we accept.
            if error.to_string().starts_with("recursion limit") {
                ParseError::TooDeep { level: "?".to_owned() }
            } else {
                ParseError::NotJson { reason: error.to_string() }
            }
        })?;
        Self::from_value(&value)
    }

    /// Reads a template from a JSON value, wherever it came from (YAML, a database).
    ///
    /// # Errors
    /// As [`Template::from_json`].
    pub fn from_value(value: &Value) -> Result<Self, ParseError> {
        let format = value.get("format").and_then(Value::as_u64).unwrap_or(u64::from(FORMAT));
        if format != u64::from(FORMAT) {
            return Err(ParseError::Format { format });
        }
        let mut count = 0;
        for level in levels_below(value) {
            measure(level, 1, &mut count)?;
        }
        Self::deserialize(value).map_err(|error| {
            let blamed = levels_below(value).into_iter().find_map(blame);
            blamed.unwrap_or_else(|| ParseError::Level { level: name_of(value), reason: error.to_string() })
        })
    }
}

/// The levels directly inside a template's or a level's JSON, of whatever kind.
fn levels_below(value: &Value) -> Vec<&Value> {
    let mut found = Vec::new();
    if let Some(list) = value.get("levels").and_then(Value::as_array) {
        found.extend(list);
    }
    if let Some(kind) = value.get("do").and_then(Value::as_object).and_then(|kind| kind.values().next()) {
        found.extend(kind.as_array().into_iter().flatten());
        found.extend(kind.get("levels").and_then(Value::as_array).into_iter().flatten());
        found.extend(kind.get("level"));
        found.extend(kind.get("otherwise").filter(|otherwise| otherwise.is_object()));
        let branches = kind.get("branches").and_then(Value::as_array).into_iter().flatten();
        found.extend(branches.filter_map(|branch| branch.get("level")));
    }
    let branches = value.get("on").and_then(Value::as_array).into_iter().flatten();
    found.extend(branches.filter_map(|branch| branch.get("level")));
    found
}

/// Refuses too many levels and too deep ones before anything is built from them.
fn measure(level: &Value, depth: usize, count: &mut usize) -> Result<(), ParseError> {
    *count += 1;
    if *count > LEVELS_MAX {
        return Err(ParseError::TooManyLevels);
    }
    if depth > LEVEL_DEPTH_MAX {
        return Err(ParseError::TooDeep { level: name_of(level) });
    }
    levels_below(level).into_iter().try_for_each(|below| measure(below, depth + 1, count))
}

/// The innermost level that cannot be read, and why: the outer ones only fail because of it.
fn blame(level: &Value) -> Option<ParseError> {
    let error = Level::deserialize(level).err()?;
    let inner = levels_below(level).into_iter().find_map(blame);
    Some(inner.unwrap_or_else(|| ParseError::Level { level: name_of(level), reason: error.to_string() }))
}

fn name_of(value: &Value) -> String {
    value.get("name").and_then(Value::as_str).unwrap_or("?").chars().take(80).collect()
}

//! The key of a record, the same however a service writes it.

use std::fmt;

use uuid::Uuid;

/// A record's key, normalised: `1` and `"1"` are equal, and so are all spellings of a UUID.
///
/// ```
/// use buildly_mesh::Key;
/// assert_eq!(Key::of_text("12"), Key::Integer(12));
/// assert_ne!(Key::of_text("012"), Key::Integer(12)); // a text that only looks like a number
/// assert_eq!(
///     Key::of_text("D0000000-0000-4000-8000-00000000000A").to_string(),
///     "d0000000-0000-4000-8000-00000000000a",
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// A whole number.
    Integer(i64),
    /// A UUID.
    Uuid(Uuid),
    /// Any other text.
    Text(Box<str>),
}

/// The length of a UUID's text with hyphens.
const UUID_TEXT_BYTES: usize = 36;

impl Key {
    /// Reads a key from its text, as it stands in a path, a filter or a JSON string.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        if let Ok(number) = text.parse::<i64>()
            && number.to_string() == text
        {
            return Self::Integer(number);
        }
        if text.len() == UUID_TEXT_BYTES
            && let Ok(uuid) = Uuid::try_parse(text)
        {
            return Self::Uuid(uuid);
        }
        Self::Text(text.into())
    }

    /// Reads a key from a JSON value; `None` unless it is a number or a text that is not empty.
    #[must_use]
    pub fn of_value(value: &serde_json::Value) -> Option<Self> {
        match value {
            serde_json::Value::Number(number) => Some(Self::of_text(&number.to_string())),
            serde_json::Value::String(text) if !text.is_empty() => Some(Self::of_text(text)),
            _ => None,
        }
    }

    /// The key as a JSON value: whole numbers as numbers, all else as text.
    #[must_use]
    pub fn to_value(&self) -> serde_json::Value {
        match self {
            Self::Integer(number) => serde_json::Value::from(*number),
            Self::Uuid(_) | Self::Text(_) => serde_json::Value::from(self.to_string()),
        }
    }

    /// The number, if it is one.
    #[must_use]
    pub const fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            Self::Uuid(_) | Self::Text(_) => None,
        }
    }

    /// The UUID, if it is one.
    #[must_use]
    pub const fn as_uuid(&self) -> Option<Uuid> {
        match self {
            Self::Uuid(uuid) => Some(*uuid),
            Self::Integer(_) | Self::Text(_) => None,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(number) => number.fmt(formatter),
            Self::Uuid(uuid) => uuid.fmt(formatter),
            Self::Text(text) => text.fmt(formatter),
        }
    }
}

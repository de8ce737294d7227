//! Kinds of values, and one value on its way between JSON, query text and a database.

use buildly_model::Timestamp;
use serde_json::{Number, Value};
use uuid::Uuid;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text.
    Text,
    /// A UUID.
    Uuid,
    /// A whole number of 64 bits.
    Integer,
    /// A number, as a 64-bit float.
    Number,
    /// True or false.
    Boolean,
    /// An instant, RFC 3339 on the wire.
    Instant,
    /// Anything else: a list or an object, kept as JSON.
    Json,
}

/// One value as a database takes and gives it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    /// Nothing, of a kind (PostgreSQL wants to know).
    Null(Kind),
    /// Text, or JSON as text.
    Text(String),
    /// A UUID.
    Uuid(Uuid),
    /// A whole number, or an instant in microseconds.
    Integer(i64),
    /// A number.
    Number(f64),
    /// True or false.
    Boolean(bool),
}

impl Kind {
    /// The sentence that says what is expected.
    #[must_use]
    pub(crate) const fn expectation(self) -> &'static str {
        match self {
            Self::Text => "Expected text.",
            Self::Uuid => "Expected a UUID such as `01890a5d-ac96-774b-bcce-b302099a8057`.",
            Self::Integer => "Expected a whole number of at most 64 bits.",
            Self::Number => "Expected a number.",
            Self::Boolean => "Expected true or false.",
            Self::Instant => "Expected an instant such as `2026-11-23T18:30:00Z` (RFC 3339).",
            Self::Json => "Expected a list or an object.",
        }
    }

    /// Reads a JSON value of this kind.
    ///
    /// # Errors
    /// The sentence to show when it is of another kind.
    pub(crate) fn read_json(self, value: &Value) -> Result<Cell, &'static str> {
        if value.is_null() {
            return Ok(Cell::Null(self));
        }
        let cell = match self {
            Self::Text => value.as_str().map(|text| Cell::Text(text.to_owned())),
            Self::Uuid => value.as_str().and_then(|text| Uuid::parse_str(text).ok()).map(Cell::Uuid),
            Self::Integer => value.as_i64().map(Cell::Integer),
            Self::Number => value.as_f64().map(positive_zero),
            Self::Boolean => value.as_bool().map(Cell::Boolean),
            Self::Instant => value
                .as_str()
                .and_then(|text| text.parse::<Timestamp>().ok())
                .map(|at| Cell::Integer(at.as_microseconds())),
            Self::Json => Some(Cell::Text(value.to_string())),
        };
        match cell {
            Some(Cell::Text(text)) if self == Self::Text && text.contains('\0') => {
                Err("Expected text without the character NUL.")
            }
            Some(cell) => Ok(cell),
            None => Err(self.expectation()),
        }
    }

    /// Reads the text of a query parameter.
    ///
    /// # Errors
    /// The sentence to show when it is of another kind.
    pub(crate) fn read_text(self, text: &str) -> Result<Cell, &'static str> {
        let value = match self {
            Self::Text | Self::Uuid | Self::Instant => Value::String(text.to_owned()),
            Self::Integer | Self::Number | Self::Boolean => {
                serde_json::from_str(text.trim()).map_err(|_| self.expectation())?
            }
            Self::Json => return Err("This field cannot be filtered."),
        };
        if value.is_null() {
            return Err(self.expectation());
        }
        self.read_json(&value)
    }

    /// Shows a stored value; one of another kind, which no write of ours leaves, shows as null.
    #[must_use]
    pub(crate) fn show(self, cell: &Cell) -> Value {
        match (self, cell) {
            (Self::Text, Cell::Text(text)) => Value::String(text.clone()),
            (Self::Uuid, Cell::Uuid(uuid)) => Value::String(uuid.to_string()),
            (Self::Integer, Cell::Integer(number)) => Value::from(*number),
            (Self::Number, Cell::Number(number)) => {
                Number::from_f64(*number).map_or(Value::Null, Value::Number)
            }
            (Self::Boolean, Cell::Boolean(boolean)) => Value::Bool(*boolean),
            (Self::Instant, Cell::Integer(microseconds)) => {
                Value::String(Timestamp::from_microseconds(*microseconds).to_string())
            }
            (Self::Json, Cell::Text(text)) => serde_json::from_str(text).unwrap_or(Value::Null),
            _ => Value::Null,
        }
    }

    /// What a missing value counts as in an order: less than (or equal to) any other.
    #[must_use]
    pub(crate) const fn least(self) -> Cell {
        match self {
            Self::Text | Self::Json => Cell::Text(String::new()),
            Self::Uuid => Cell::Uuid(Uuid::nil()),
            Self::Integer | Self::Instant => Cell::Integer(i64::MIN),
            Self::Number => Cell::Number(f64::MIN),
            Self::Boolean => Cell::Boolean(false),
        }
    }
}

impl Cell {
    /// Whether there is no value.
    #[must_use]
    pub(crate) const fn is_null(&self) -> bool {
        matches!(self, Self::Null(_))
    }
}

/// Databases differ on whether `-0` equals `0`; we keep one zero.
fn positive_zero(number: f64) -> Cell {
    Cell::Number(if number == 0.0 { 0.0 } else { number })
}

#[cfg(test)]
mod tests;

//! Checks what comes in, and names every refused field at once.

use buildly_model::FieldError;
use serde_json::Value;

use crate::Error;

/// The most characters of a name.
const NAME_LENGTH_MAX: usize = 255;
/// The most characters of free text.
const TEXT_LENGTH_MAX: usize = 10_000;
/// The most bytes of JSON that is kept as it came.
const VALUE_BYTES_MAX: usize = 100_000;

/// Refused fields so far.
#[derive(Debug, Default)]
pub(super) struct Input(Vec<FieldError>);

impl Input {
    pub(super) fn refuse(&mut self, field: &str, message: impl Into<String>) {
        self.0.push(FieldError::new(field, message));
    }

    /// # Errors
    /// [`Error::Invalid`] with every refused field.
    pub(super) fn done(self) -> Result<(), Error> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Invalid(self.0)) }
    }

    /// A name that must be there.
    pub(super) fn name(&mut self, field: &str, name: &str) {
        if name.trim().is_empty() {
            self.refuse(field, "This field may not be blank.");
        }
        self.length(field, name, NAME_LENGTH_MAX);
    }

    /// A name that may be absent.
    pub(super) fn short(&mut self, field: &str, text: Option<&String>) {
        self.length(field, text.map_or("", String::as_str), NAME_LENGTH_MAX);
    }

    /// Text that may be absent.
    pub(super) fn text(&mut self, field: &str, text: Option<&String>) {
        self.length(field, text.map_or("", String::as_str), TEXT_LENGTH_MAX);
    }

    /// A list of so many things.
    pub(super) fn count(&mut self, field: &str, count: usize, count_max: usize) {
        if count > count_max {
            self.refuse(field, format!("Ensure this field has no more than {count_max} elements."));
        }
    }

    /// JSON that is kept as it came.
    pub(super) fn value(&mut self, field: &str, value: &Value) {
        let text = value.to_string();
        if text.len() > VALUE_BYTES_MAX {
            self.refuse(field, format!("Ensure this field has no more than {VALUE_BYTES_MAX} bytes."));
        } else if text.contains("\\u0000") && has_null(value) {
            self.refuse(field, "Null characters are not allowed.");
        }
    }

    fn length(&mut self, field: &str, text: &str, length_max: usize) {
        if text.chars().count() > length_max {
            self.refuse(field, format!("Ensure this field has no more than {length_max} characters."));
        } else if text.contains('\0') {
            self.refuse(field, "Null characters are not allowed.");
        }
    }
}

/// The depth is bounded by whoever parsed it.
fn has_null(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(list) => list.iter().any(has_null),
        Value::Object(fields) => fields.iter().any(|(name, value)| name.contains('\0') || has_null(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

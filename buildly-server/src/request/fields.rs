//! Named fields of a body, read one by one; every refusal is collected.
//!
//! ```
//! # use buildly_server::request::Fields;
//! let mut fields = Fields::of_json(serde_json::json!({"name": "Ada", "age": "old"}).as_object().unwrap().clone());
//! let name = fields.required_text("name");
//! let age = fields.integer("age");
//! assert_eq!((name.as_str(), age), ("Ada", None));
//! assert!(fields.finish().is_err()); // `age` was no number
//! ```

use std::str::FromStr;

use buildly_model::{FieldError, Secret};
use serde_json::{Map, Value};

use crate::Problem;

/// No database of ours that is PostgreSQL can keep one.
const NULL_REFUSED: &str = "Null characters are not allowed.";

/// Named fields of a body.
///
/// A method that finds the wrong thing notes a [`FieldError`] and answers as if the field
/// were absent; [`Fields::finish`] must be asked before the values are used.
#[derive(Debug)]
pub struct Fields {
    values: Map<String, Value>,
    is_form: bool,
    errors: Vec<FieldError>,
}

impl Fields {
    /// The fields of a JSON object.
    #[must_use]
    pub fn of_json(values: Map<String, Value>) -> Self {
        Self { values, is_form: false, errors: Vec::new() }
    }

    /// The fields of a form; a name that comes several times holds a list.
    #[must_use]
    pub fn of_form(pairs: Vec<(String, String)>) -> Self {
        let mut values = Map::new();
        for (name, value) in pairs {
            let value = Value::String(value);
            match values.get_mut(&name) {
                None => {
                    values.insert(name, value);
                }
                Some(Value::Array(list)) => list.push(value),
                Some(first) => {
                    let list = vec![first.take(), value];
                    *first = Value::Array(list);
                }
            }
        }
        Self { values, is_form: true, errors: Vec::new() }
    }

    /// Whether the field came, even as `null`.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// The field as it came.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(name).filter(|value| !value.is_null())
    }

    /// All fields as they came.
    #[must_use]
    pub fn values(&self) -> &Map<String, Value> {
        &self.values
    }

    /// Text without null characters; a number counts as its digits, as existing clients expect.
    /// Of a field that a form repeats, the last value.
    pub fn text(&mut self, name: &str) -> Option<String> {
        match self.single(name)? {
            Value::String(text) if text.contains('\0') => self.refuse(name, NULL_REFUSED),
            Value::String(text) => Some(text),
            Value::Number(number) => Some(number.to_string()),
            _ => self.refuse(name, "Not a valid string."),
        }
    }

    /// Text that must be there and not be blank; the empty text if it is not.
    pub fn required_text(&mut self, name: &str) -> String {
        let errors = self.errors.len();
        match self.text(name) {
            Some(text) if text.trim().is_empty() => self.refuse(name, "This field may not be blank."),
            None if self.errors.len() == errors => self.missing(name),
            text => text,
        }
        .unwrap_or_default()
    }

    /// A secret; printed nowhere.
    pub fn secret(&mut self, name: &str) -> Option<Secret> {
        self.text(name).map(Secret::new)
    }

    /// A secret that must be there and not be empty.
    pub fn required_secret(&mut self, name: &str) -> Secret {
        Secret::new(self.required_text(name))
    }

    /// True or false; forms may write `true`, `1`, `on`, `yes` and their opposites.
    pub fn boolean(&mut self, name: &str) -> Option<bool> {
        let value = self.single(name)?;
        let text = value.as_str().map(str::to_ascii_lowercase);
        match (&value, text.as_deref()) {
            (Value::Bool(value), _) => Some(*value),
            (_, Some("true" | "1" | "on" | "yes")) => Some(true),
            (_, Some("false" | "0" | "off" | "no")) => Some(false),
            (Value::Number(number), _) if number.as_u64() == Some(1) => Some(true),
            (Value::Number(number), _) if number.as_u64() == Some(0) => Some(false),
            _ => self.refuse(name, "Must be a valid boolean."),
        }
    }

    /// A whole number.
    pub fn integer(&mut self, name: &str) -> Option<i64> {
        let value = self.single(name)?;
        let number = value.as_i64().or_else(|| value.as_str()?.trim().parse().ok());
        number.or_else(|| self.refuse(name, "A valid integer is required."))
    }

    /// A value that is written as text, such as an id.
    pub fn parsed<T: FromStr>(&mut self, name: &str) -> Option<T>
    where
        T::Err: std::fmt::Display,
    {
        let text = self.text(name).filter(|text| !text.is_empty())?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => self.refuse(name, &format!("`{text}`: {error}.")),
        }
    }

    /// A list; a form's single value is a list of one. `None` if the field is absent.
    pub fn list(&mut self, name: &str) -> Option<Vec<Value>> {
        match self.value(name)?.clone() {
            Value::Array(list) => Some(list),
            single if self.is_form => Some(vec![single]),
            _ => self.refuse(name, "Expected a list of items."),
        }
    }

    /// A list of texts without null characters.
    pub fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        let list = self.list(name)?;
        let has_null = |item: &Value| item.as_str().is_some_and(|text| text.contains('\0'));
        if list.iter().any(has_null) {
            return self.refuse(name, NULL_REFUSED);
        }
        let texts: Option<Vec<String>> = list
            .into_iter()
            .map(|item| match item {
                Value::String(text) => Some(text),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            })
            .collect();
        texts.or_else(|| self.refuse(name, "Expected a list of texts."))
    }

    /// An object; forms may write it as JSON text.
    pub fn object(&mut self, name: &str) -> Option<Map<String, Value>> {
        match self.single(name)? {
            Value::Object(object) => Some(object),
            Value::String(text) if self.is_form => match serde_json::from_str(&text) {
                Ok(Value::Object(object)) => Some(object),
                _ => self.refuse(name, "Expected an object."),
            },
            _ => self.refuse(name, "Expected an object."),
        }
    }

    /// Notes that a field is refused.
    pub fn refuse<T>(&mut self, name: &str, sentence: &str) -> Option<T> {
        self.errors.push(FieldError::new(name, sentence));
        None
    }

    /// Notes that a field is missing.
    pub fn missing<T>(&mut self, name: &str) -> Option<T> {
        let sentence = if self.has(name) { "This field may not be null." } else { "This field is required." };
        self.refuse(name, sentence)
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// 400 with every refused field.
    pub fn finish(self) -> Result<(), Problem> {
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::fields(self.errors)) }
    }

    /// The field's value; the last one where a form repeats it.
    fn single(&self, name: &str) -> Option<Value> {
        match self.value(name)? {
            Value::Array(list) if self.is_form => list.last().cloned(),
            value => Some(value.clone()),
        }
    }
}

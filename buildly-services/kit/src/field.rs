//! One field of a record type, as read from the struct's OpenAPI schema.

use serde_json::{Map, Value};

use crate::value::{Cell, Kind};

/// Text whose length has an index entry must fit one on both databases.
pub(crate) const INDEXED_CHARACTERS_MAX: u64 = 600;

/// One field: what it holds and what it refuses.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) is_required: bool,
    pub(crate) is_nullable: bool,
    /// The schema of the field, without the reference it may have been.
    pub(crate) schema: Value,
    /// What the field is in records that were made before it was declared.
    pub(crate) default: Option<Value>,
    limits: Limits,
}

#[derive(Debug, Clone, Default)]
struct Limits {
    length_min: Option<u64>,
    length_max: Option<u64>,
    minimum: Option<f64>,
    maximum: Option<f64>,
    values: Vec<Value>,
    format: Option<String>,
}

impl Field {
    /// Reads one property of a struct's schema; `resolve` finds the schema behind a `$ref`.
    pub(crate) fn read(
        name: &str,
        property: &Value,
        is_required: bool,
        resolve: &dyn Fn(&str) -> Option<Value>,
    ) -> Self {
        let (schema, is_nullable) = unwrap_nullable(property, resolve);
        let types = types_of(&schema);
        let format = schema.get("format").and_then(Value::as_str);
        let kind = match (types.first().map(String::as_str), format) {
            (Some("string"), Some("uuid")) => Kind::Uuid,
            (Some("string"), Some("date-time")) => Kind::Instant,
            (Some("string"), _) => Kind::Text,
            (Some("integer"), _) => Kind::Integer,
            (Some("number"), _) => Kind::Number,
            (Some("boolean"), _) => Kind::Boolean,
            _ => Kind::Json,
        };
        let limits = Limits {
            length_min: schema.get("minLength").and_then(Value::as_u64),
            length_max: schema.get("maxLength").and_then(Value::as_u64),
            minimum: schema.get("minimum").and_then(Value::as_f64),
            maximum: schema.get("maximum").and_then(Value::as_f64),
            values: schema.get("enum").and_then(Value::as_array).cloned().unwrap_or_default(),
            format: format.map(str::to_owned),
        };
        let default = property.get("default").or_else(|| schema.get("default")).cloned();
        let default = default.filter(|_| !is_nullable);
        Self {
            name: name.to_owned(),
            kind,
            is_required,
            is_nullable,
            schema: property.clone(),
            default,
            limits,
        }
    }

    /// Whether every value fits into an entry of an index.
    pub(crate) fn fits_an_index(&self) -> bool {
        match self.kind {
            Kind::Text => {
                !self.limits.values.is_empty()
                    || self.limits.length_max.is_some_and(|length| length <= INDEXED_CHARACTERS_MAX)
            }
            Kind::Json => false,
            Kind::Uuid | Kind::Integer | Kind::Number | Kind::Boolean | Kind::Instant => true,
        }
    }

    /// Checks one value of a body.
    ///
    /// # Errors
    /// The sentence that says what was expected.
    pub(crate) fn check(&self, value: &Value) -> Result<(), String> {
        if value.is_null() {
            return if self.is_nullable { Ok(()) } else { Err("This field may not be null.".to_owned()) };
        }
        let cell = self.kind.read_json(value)?;
        if !self.limits.values.is_empty() && !self.limits.values.contains(value) {
            let values: Vec<String> = self.limits.values.iter().map(|value| format!("`{value}`")).collect();
            return Err(format!("Expected one of {}.", values.join(", ")));
        }
        match cell {
            Cell::Text(text) if self.kind == Kind::Text => self.limits.check_text(&text),
            #[expect(clippy::cast_precision_loss, reason = "limits are far below 2^53")]
            Cell::Integer(number) if self.kind == Kind::Integer => self.limits.check_number(number as f64),
            Cell::Number(number) => self.limits.check_number(number),
            _ => Ok(()),
        }
    }

    /// Reads the value of a body that has been checked.
    pub(crate) fn cell(&self, fields: &Map<String, Value>) -> Cell {
        fields
            .get(&self.name)
            .and_then(|value| self.kind.read_json(value).ok())
            .unwrap_or(Cell::Null(self.kind))
    }
}

impl Limits {
    fn check_text(&self, text: &str) -> Result<(), String> {
        let length = text.chars().count() as u64;
        match (self.length_min, self.length_max) {
            (Some(1), _) if length == 0 => return Err("This field may not be empty.".to_owned()),
            (Some(min), _) if length < min => {
                return Err(format!("Expected at least {min} characters; these are {length}."));
            }
            (_, Some(max)) if length > max => {
                return Err(format!("Expected at most {max} characters; these are {length}."));
            }
            _ => {}
        }
        match self.format.as_deref() {
            Some("email") if !is_email(text) => {
                Err("Expected an e-mail address such as `ada@example.org`.".to_owned())
            }
            Some("uri") if !is_web_address(text) => {
                Err("Expected a web address such as `https://example.org/`.".to_owned())
            }
            Some("date") if !is_date(text) => Err("Expected a date such as `2026-11-23`.".to_owned()),
            _ => Ok(()),
        }
    }

    fn check_number(&self, number: f64) -> Result<(), String> {
        match (self.minimum, self.maximum) {
            (Some(minimum), _) if number < minimum => Err(format!("Expected at least {minimum}.")),
            (_, Some(maximum)) if number > maximum => Err(format!("Expected at most {maximum}.")),
            _ => Ok(()),
        }
    }
}

fn is_email(text: &str) -> bool {
    let clean = !text.chars().any(|character| character.is_whitespace() || character.is_control());
    text.rsplit_once('@').is_some_and(|(name, host)| {
        clean && !name.is_empty() && !host.is_empty() && !host.starts_with('.') && !host.ends_with('.')
    })
}

fn is_web_address(text: &str) -> bool {
    text.parse::<http::Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty())
    })
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && format!("{text}T00:00:00Z").parse::<buildly_model::Timestamp>().is_ok()
}

/// Follows a `$ref` and takes the null out of a union.
fn unwrap_nullable(property: &Value, resolve: &dyn Fn(&str) -> Option<Value>) -> (Value, bool) {
    if let Some(target) = property.get("$ref").and_then(Value::as_str) {
        let name = target.rsplit('/').next().unwrap_or_default();
        return (resolve(name).unwrap_or(Value::Null), false);
    }
    let union = property.get("oneOf").or_else(|| property.get("anyOf")).and_then(Value::as_array);
    if let Some(branches) = union {
        let is_null = |branch: &&Value| branch.get("type").and_then(Value::as_str) == Some("null");
        let others: Vec<&Value> = branches.iter().filter(|branch| !is_null(branch)).collect();
        if let [only] = others.as_slice() {
            let (schema, inner) = unwrap_nullable(only, resolve);
            return (schema, inner || others.len() < branches.len());
        }
        return (Value::Null, others.len() < branches.len());
    }
    let is_nullable = match property.get("type") {
        Some(Value::Array(types)) => types.iter().any(|name| name.as_str() == Some("null")),
        Some(_) => false,
        None => true,
    };
    (property.clone(), is_nullable)
}

fn types_of(schema: &Value) -> Vec<String> {
    match schema.get("type") {
        Some(Value::String(name)) => vec![name.clone()],
        Some(Value::Array(names)) => {
            names.iter().filter_map(Value::as_str).filter(|name| *name != "null").map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

//! JSON Schemas of inputs and forms, compiled once.
//!
//! Nothing is fetched: a reference to another document is refused when the schema is compiled.
//! Patterns run on an engine without backtracking, so that no input makes them slow.
//!
//! Without the feature `schema` there is no validator, and every schema is refused when it is
//! compiled: a template that has one can be neither published nor run by such a build.

use buildly_model::FieldError;
use serde_json::Value;

/// The most errors that one answer lists.
#[cfg(feature = "schema")]
const ERRORS_MAX: usize = 20;

/// A schema cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a JSON Schema: {reason}")]
pub struct SchemaError {
    /// What is wrong with it.
    pub reason: String,
}

/// A compiled JSON Schema (2020-12 unless it says otherwise).
pub struct Schema {
    #[cfg(feature = "schema")]
    validator: jsonschema::Validator,
    properties: Option<Box<[String]>>,
}

impl Schema {
    /// Compiles a schema.
    ///
    /// # Errors
    /// [`SchemaError`] if it is none, or refers to another document.
    #[cfg(feature = "schema")]
    pub fn compile(schema: &Value) -> Result<Self, SchemaError> {
        let validator = jsonschema::options()
            .with_pattern_options(jsonschema::PatternOptions::regex())
            .build(schema)
            .map_err(|error| SchemaError { reason: error.to_string() })?;
        // Only a closed object says which members there are not.
        let is_closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
        let properties = schema.get("properties").and_then(Value::as_object).filter(|_| is_closed);
        let properties = properties.map(|properties| properties.keys().cloned().collect());
        Ok(Self { validator, properties })
    }

    /// Refuses the schema: this build cannot check one.
    ///
    /// # Errors
    /// [`SchemaError`], always.
    #[cfg(not(feature = "schema"))]
    pub fn compile(_: &Value) -> Result<Self, SchemaError> {
        let reason = "this build checks none; build `buildly-core` with the feature `schema`";
        Err(SchemaError { reason: reason.to_owned() })
    }

    /// Checks a value; all errors at once, each with the path of its field.
    ///
    /// # Errors
    /// The refused fields, twenty at most.
    pub fn check(&self, value: &Value, field: &str) -> Result<(), Vec<FieldError>> {
        self.errors(value, field)
    }

    #[cfg(feature = "schema")]
    fn errors(&self, value: &Value, field: &str) -> Result<(), Vec<FieldError>> {
        let errors: Vec<FieldError> = self
            .validator
            .iter_errors(value)
            .take(ERRORS_MAX)
            .map(|error| {
                let path = error.instance_path().to_string().replace('/', ".");
                FieldError::new(format!("{field}{path}"), error.to_string())
            })
            .collect();
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// There is no schema that could have been compiled; should there be, nothing fits it.
    #[cfg(not(feature = "schema"))]
    fn errors(&self, _: &Value, field: &str) -> Result<(), Vec<FieldError>> {
        Err(vec![FieldError::new(field, "this build checks no JSON Schema")])
    }

    /// Whether the schema rules out a member of this name.
    #[must_use]
    pub fn excludes(&self, member: &str) -> bool {
        self.properties.as_ref().is_some_and(|known| !known.iter().any(|name| name == member))
    }
}

impl std::fmt::Debug for Schema {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Schema(…)")
    }
}

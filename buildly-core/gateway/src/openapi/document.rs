//! A document as a tree of values, its version known, its local references resolvable.

use serde_json::{Map, Value};

use super::text::beginning;
use super::{Error, text};

/// How many references are followed from one to the next before a circle is assumed.
const REFERENCE_HOPS_MAX: usize = 32;

/// Which version of the specification a document follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Swagger 2.0.
    V2,
    /// OpenAPI 3.0.
    V3_0,
    /// OpenAPI 3.1 and what follows it.
    V3_1,
}

impl Dialect {
    /// The number: `2.0`, `3.0`, `3.1`.
    #[must_use]
    pub const fn number(self) -> &'static str {
        match self {
            Self::V2 => "2.0",
            Self::V3_0 => "3.0",
            Self::V3_1 => "3.1",
        }
    }
}

/// An OpenAPI document that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    dialect: Dialect,
    root: Map<String, Value>,
}

impl Document {
    /// Reads a document from JSON or YAML.
    ///
    /// # Errors
    /// [`Error`] says what came instead of a document, or which limit it goes beyond.
    ///
    /// ```
    /// use buildly_gateway::openapi::{Dialect, Document};
    /// let document = Document::read("openapi: 3.1.0\npaths: {}").unwrap();
    /// assert_eq!(document.dialect(), Dialect::V3_1);
    /// let error = Document::read("<!doctype html>").unwrap_err();
    /// assert!(error.to_string().contains("got a page"));
    /// ```
    pub fn read(text: &str) -> Result<Self, Error> {
        let root = match text::read(text)? {
            Value::Object(root) => root,
            Value::Array(_) => return Err(not_a_document("a list")),
            Value::String(came) => return Err(not_a_document(format!("the text `{}`", beginning(&came)))),
            other => return Err(not_a_document(format!("`{}`", beginning(&other.to_string())))),
        };
        let dialect = dialect_of(&root)?;
        if !root.get("paths").is_some_and(Value::is_object) {
            return Err(not_a_document("one without an object `paths`"));
        }
        Ok(Self { dialect, root })
    }

    /// Which version it follows.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Its members.
    #[must_use]
    pub const fn root(&self) -> &Map<String, Value> {
        &self.root
    }

    /// Its members, to be taken apart.
    #[must_use]
    pub fn into_root(self) -> Map<String, Value> {
        self.root
    }

    /// The object that `value` is, or that its `$ref` leads to within this document. Nothing
    /// outside of it is fetched, and a circle leads nowhere.
    pub(crate) fn resolve<'a>(&'a self, value: &'a Value) -> Option<&'a Map<String, Value>> {
        let mut object = value.as_object()?;
        for _ in 0..REFERENCE_HOPS_MAX {
            let Some(reference) = object.get("$ref").and_then(Value::as_str) else {
                return Some(object);
            };
            object = self.at(reference)?.as_object()?;
        }
        None
    }

    /// What a local reference (`#/…`, a JSON pointer, RFC 6901) names.
    fn at(&self, reference: &str) -> Option<&Value> {
        let pointer = reference.strip_prefix("#/")?;
        let mut names = pointer.split('/').map(|name| name.replace("~1", "/").replace("~0", "~"));
        let mut value = self.root.get(&names.next()?)?;
        for name in names {
            value = match value {
                Value::Object(members) => members.get(&name)?,
                Value::Array(items) => items.get(name.parse::<usize>().ok()?)?,
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
            };
        }
        Some(value)
    }
}

fn dialect_of(root: &Map<String, Value>) -> Result<Dialect, Error> {
    let Some(version) = root.get("openapi").or_else(|| root.get("swagger")) else {
        let names: Vec<&str> = root.keys().take(5).map(String::as_str).collect();
        return Err(not_a_document(match names.as_slice() {
            [] => "an empty object".to_owned(),
            names => format!("an object with `{}`", beginning(&names.join("`, `"))),
        }));
    };
    let version = match version {
        Value::String(version) => version.trim().to_owned(),
        other => other.to_string(),
    };
    let mut numbers = version.split('.');
    match (numbers.next(), numbers.next().unwrap_or("0")) {
        (Some("2"), _) => Ok(Dialect::V2),
        (Some("3"), "0") => Ok(Dialect::V3_0),
        (Some("3"), _) => Ok(Dialect::V3_1),
        _ => Err(not_a_document(format!("one of version `{}`", beginning(&version)))),
    }
}

fn not_a_document(came: impl Into<String>) -> Error {
    Error::NotADocument { came: came.into() }
}

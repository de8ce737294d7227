//! What the gateway keeps of a document: its operations, ready to be matched.

use std::sync::Arc;

use http::Method;
use serde_json::{Map, Value};

use super::parameter::{PARAMETERS_MAX, PathAndParameters, parameters_of};
use super::routes::Routes;
use super::{Dialect, Document, Error, Operation, Security};

/// How many operations a document may have.
const OPERATIONS_MAX: usize = 20_000;
/// How long a path of a document may be, in bytes.
const PATH_BYTES_MAX: usize = 2_048;

/// The fields of a path item that are operations, and `query` of OpenAPI 3.2 is none of them.
const METHODS: [(&str, Method); 8] = [
    ("get", Method::GET),
    ("put", Method::PUT),
    ("post", Method::POST),
    ("delete", Method::DELETE),
    ("options", Method::OPTIONS),
    ("head", Method::HEAD),
    ("patch", Method::PATCH),
    ("trace", Method::TRACE),
];

/// The operations of one document.
#[derive(Debug)]
pub struct Api {
    /// Which version of the specification the document follows.
    pub dialect: Dialect,
    /// What the document calls itself.
    pub title: Option<String>,
    /// The path below the service's base URL that all paths are below; begins with a slash and
    /// does not end with one, or is empty.
    pub base_path: String,
    operations: Vec<Arc<Operation>>,
    routes: Routes,
}

impl Api {
    /// Reads a document's text.
    ///
    /// # Errors
    /// [`Error`] says what came instead of a document, or which limit it goes beyond.
    ///
    /// ```
    /// use buildly_gateway::openapi::Api;
    /// use http::Method;
    /// let api = Api::read(r#"{"swagger": "2.0", "paths": {"/contact/{id}/": {"get": {}}}}"#).unwrap();
    /// let (operation, _) = api.find(&Method::GET, "/contact/7").unwrap();
    /// assert_eq!(operation.path, "/contact/{id}/");
    /// assert!(api.find(&Method::PUT, "/contact/7/").is_none());
    /// ```
    pub fn read(text: &str) -> Result<Self, Error> {
        Self::of(&Document::read(text)?)
    }

    /// Takes the operations out of a document.
    ///
    /// # Errors
    /// [`Error::TooMuch`] if there are too many of them.
    pub fn of(document: &Document) -> Result<Self, Error> {
        let mut operations = Vec::new();
        let mut routes = Routes::default();
        let paths = document.root().get("paths").and_then(Value::as_object);
        for (path, item) in paths.into_iter().flatten() {
            let (Some(path), Some(item)) = (path_of(path), document.resolve(item)) else { continue };
            let shared = PathAndParameters::read(document, &path, item);
            for (name, method) in METHODS {
                let Some(value) = item.get(name).and_then(Value::as_object) else { continue };
                if operations.len() >= OPERATIONS_MAX {
                    return Err(Error::TooMuch { what: "more operations than that", limit: OPERATIONS_MAX });
                }
                let operation = operation_of(document, &shared, method.clone(), value);
                routes.insert(&path, method, operations.len());
                operations.push(Arc::new(operation));
            }
        }
        let title = document.root().get("info").and_then(|info| info.get("title")).and_then(Value::as_str);
        Ok(Self {
            dialect: document.dialect(),
            title: title.map(str::to_owned),
            base_path: base_path_of(document),
            operations,
            routes,
        })
    }

    /// The operations; those of one path stand together.
    #[must_use]
    pub fn operations(&self) -> &[Arc<Operation>] {
        &self.operations
    }

    /// The operation for `path` (raw, without query, beginning with a slash), and whether the
    /// document has a slash at its end. Literal segments win over parameters; a slash at the
    /// end that the document lacks, or has, does not matter; `HEAD` is `GET` where the
    /// document has none.
    #[must_use]
    pub fn find(&self, method: &Method, path: &str) -> Option<(&Arc<Operation>, bool)> {
        let found = self.routes.find(method, path);
        let found = match found {
            None if *method == Method::HEAD => self.routes.find(&Method::GET, path),
            found => found,
        };
        let (index, ends_with_slash) = found?;
        self.operations.get(index).map(|operation| (operation, ends_with_slash))
    }
}

/// A key of `paths` as a path; `None` for extensions and for what cannot be one.
fn path_of(key: &str) -> Option<String> {
    if key.starts_with("x-") || key.len() > PATH_BYTES_MAX {
        return None;
    }
    let path = key.split(['?', '#']).next().unwrap_or(key).trim();
    Some(if path.starts_with('/') { path.to_owned() } else { format!("/{path}") })
}

fn operation_of(
    document: &Document,
    shared: &PathAndParameters<'_>,
    method: Method,
    value: &Map<String, Value>,
) -> Operation {
    let parameters = parameters_of(document, shared, value);
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    Operation {
        method,
        path: shared.path.to_owned(),
        operation_id: text("operationId"),
        path_parameters: parameters.path,
        query_parameters: parameters.query,
        header_parameters: parameters.header,
        needs_body: needs_body(document, value),
        security: security_of(value.get("security").or_else(|| document.root().get("security"))),
    }
}

/// `requestBody.required` (3.x), or a parameter `in: body` that is required (2.0).
fn needs_body(document: &Document, operation: &Map<String, Value>) -> bool {
    let is_required =
        |object: &Map<String, Value>| object.get("required").and_then(Value::as_bool).unwrap_or(false);
    let body = operation.get("requestBody").and_then(|body| document.resolve(body));
    let parameters = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
    let mut parameters = parameters.take(PARAMETERS_MAX).filter_map(|parameter| document.resolve(parameter));
    body.is_some_and(is_required)
        || parameters.any(|parameter| {
            parameter.get("in").and_then(Value::as_str) == Some("body") && is_required(parameter)
        })
}

fn security_of(requirements: Option<&Value>) -> Security {
    let Some(requirements) = requirements.and_then(Value::as_array) else {
        return Security::Unspecified;
    };
    let mut names: Vec<String> = Vec::new();
    for requirement in requirements.iter().filter_map(Value::as_object) {
        if requirement.is_empty() {
            return Security::Open;
        }
        for name in requirement.keys() {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
    }
    if names.is_empty() { Security::Open } else { Security::Schemes(names) }
}

/// The path part of `basePath` or of the first server. Its host is never used: calls go to the
/// registered address and nowhere else.
fn base_path_of(document: &Document) -> String {
    let path = match document.dialect() {
        Dialect::V2 => document.root().get("basePath").and_then(Value::as_str).map(str::to_owned),
        Dialect::V3_0 | Dialect::V3_1 => document
            .root()
            .get("servers")
            .and_then(Value::as_array)
            .and_then(|servers| servers.first())
            .and_then(Value::as_object)
            .and_then(server_path),
    };
    let path = path.unwrap_or_default();
    let path = path.trim().trim_matches('/');
    let is_plain = path.bytes().all(|byte| byte.is_ascii_graphic() && !b"{}?#\\\"<>^`|%".contains(&byte));
    let is_safe = is_plain && path.split('/').all(|segment| !matches!(segment, "." | ".."));
    if path.is_empty() || !is_safe { String::new() } else { format!("/{path}") }
}

fn server_path(server: &Map<String, Value>) -> Option<String> {
    let mut url = server.get("url").and_then(Value::as_str)?.to_owned();
    let variables = server.get("variables").and_then(Value::as_object);
    for (name, variable) in variables.into_iter().flatten().take(16) {
        let default = variable.get("default").and_then(Value::as_str).unwrap_or_default();
        url = url.replace(&format!("{{{name}}}"), default);
        if url.len() > PATH_BYTES_MAX {
            return None;
        }
    }
    match url.split_once("//") {
        Some((scheme, rest)) if scheme.is_empty() || scheme.ends_with(':') => {
            Some(rest.split_once('/').map(|(_, path)| path.to_owned()).unwrap_or_default())
        }
        _ => Some(url.trim_start_matches("./").to_owned()),
    }
}

#[cfg(test)]
mod tests;

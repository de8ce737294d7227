//! The parameters of an operation.

use serde_json::{Map, Value};

use super::{Dialect, Document, Parameter, ParameterKind};

/// How many parameters are read of one operation; more are left out.
pub(super) const PARAMETERS_MAX: usize = 256;

/// A path, and the parameters that all its operations share.
pub(super) struct PathAndParameters<'a> {
    pub(super) path: &'a str,
    shared: Vec<Stated>,
}

/// Where a parameter is given. Cookies are not read: nobody but a browser sends them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Path,
    Query,
    Header,
}

/// A parameter and where it is.
#[derive(Clone)]
struct Stated {
    place: Place,
    parameter: Parameter,
}

/// The parameters of an operation, by where they are given.
pub(super) struct Parameters {
    pub(super) path: Vec<Parameter>,
    pub(super) query: Vec<Parameter>,
    pub(super) header: Vec<Parameter>,
}

impl<'a> PathAndParameters<'a> {
    pub(super) fn read(document: &Document, path: &'a str, item: &Map<String, Value>) -> Self {
        Self { path, shared: stated(document, item) }
    }
}

/// The operation's own parameters stand above the shared.
pub(super) fn parameters_of(
    document: &Document,
    shared: &PathAndParameters<'_>,
    operation: &Map<String, Value>,
) -> Parameters {
    let own = stated(document, operation);
    let is_own = |other: &Stated| {
        own.iter().any(|own| own.place == other.place && own.parameter.name == other.parameter.name)
    };
    let mut all: Vec<Stated> = shared.shared.iter().filter(|stated| !is_own(stated)).cloned().collect();
    all.extend(own);
    let path = names_in(shared.path)
        .map(|name| {
            let in_path = |stated: &&Stated| stated.place == Place::Path && stated.parameter.name == name;
            all.iter().find(in_path).map_or_else(|| unstated(name), |stated| stated.parameter.clone())
        })
        .collect();
    let given_in = |place: Place| {
        all.iter().filter(|stated| stated.place == place).map(|stated| stated.parameter.clone()).collect()
    };
    Parameters { path, query: given_in(Place::Query), header: given_in(Place::Header) }
}

/// A parameter that the path has and the document says nothing about.
fn unstated(name: &str) -> Parameter {
    Parameter { name: name.to_owned(), kind: ParameterKind::Text, required: true, is_comma_separated: false }
}

/// The names of the parameters in a path, in order.
pub(super) fn names_in(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}

fn stated(document: &Document, holder: &Map<String, Value>) -> Vec<Stated> {
    let list = holder.get("parameters").and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .take(PARAMETERS_MAX)
        .filter_map(|value| {
            let object = document.resolve(value)?;
            let place = match object.get("in").and_then(Value::as_str)? {
                "path" => Place::Path,
                "query" => Place::Query,
                "header" => Place::Header,
                _ => return None,
            };
            let name = object.get("name").and_then(Value::as_str)?.to_owned();
            let schema = schema_of(document, object);
            let kind = kind_of(document, schema);
            let is_comma_separated = is_comma_separated(document.dialect(), object, kind)
                || [object, schema].into_iter().any(describes_commas);
            let required =
                place == Place::Path || object.get("required").and_then(Value::as_bool).unwrap_or(false);
            Some(Stated { place, parameter: Parameter { name, kind, required, is_comma_separated } })
        })
        .collect()
}

/// Where type and format stand: in the parameter itself (2.0), or in its schema.
fn schema_of<'a>(document: &'a Document, parameter: &'a Map<String, Value>) -> &'a Map<String, Value> {
    match document.dialect() {
        Dialect::V2 => parameter,
        Dialect::V3_0 | Dialect::V3_1 => {
            parameter.get("schema").and_then(|schema| document.resolve(schema)).unwrap_or(parameter)
        }
    }
}

fn kind_of(document: &Document, schema: &Map<String, Value>) -> ParameterKind {
    let own = kind_of_type(schema);
    if own != ParameterKind::Text || schema.contains_key("type") {
        return own;
    }
    // What may be absent is often written as one of two: the kind itself, or null.
    let parts = ["anyOf", "oneOf", "allOf"].into_iter().filter_map(|name| schema.get(name)?.as_array());
    parts
        .flatten()
        .take(8)
        .filter_map(|part| document.resolve(part))
        .map(kind_of_type)
        .find(|kind| *kind != ParameterKind::Text)
        .unwrap_or(ParameterKind::Text)
}

fn kind_of_type(schema: &Map<String, Value>) -> ParameterKind {
    let is = |wanted: &str| match schema.get("type") {
        Some(Value::String(name)) => name == wanted,
        Some(Value::Array(names)) => names.iter().any(|name| name.as_str() == Some(wanted)),
        _ => false,
    };
    let is_uuid = schema.get("format").and_then(Value::as_str) == Some("uuid");
    match (is("array"), is("integer"), is_uuid) {
        (true, _, _) => ParameterKind::Array,
        (false, true, _) => ParameterKind::Integer,
        (false, false, true) => ParameterKind::Uuid,
        (false, false, false) => ParameterKind::Text,
    }
}

/// Whether the values of a list are separated by commas: the rule in 2.0 (`csv`), and in 3.x
/// where the list is not exploded (its query form is, unless it says otherwise).
fn is_comma_separated(dialect: Dialect, parameter: &Map<String, Value>, kind: ParameterKind) -> bool {
    if kind != ParameterKind::Array {
        return false;
    }
    let text = |name: &str| parameter.get(name).and_then(Value::as_str);
    match dialect {
        Dialect::V2 => matches!(text("collectionFormat"), None | Some("csv")),
        Dialect::V3_0 | Dialect::V3_1 => {
            let is_form = matches!(text("style"), None | Some("form"));
            is_form && parameter.get("explode").and_then(Value::as_bool) == Some(false)
        }
    }
}

fn describes_commas(object: &Map<String, Value>) -> bool {
    let description = object.get("description").and_then(Value::as_str);
    description.is_some_and(|description| description.to_ascii_lowercase().contains("comma"))
}

//! From 3.0 to 3.1, and every reference to where it leads in the merged document.

use serde_json::{Map, Value, json};

use super::names::Names;
use super::schema;

/// Members whose own members are named by the document, not by the specification.
const NAMED: [&str; 20] = [
    "properties",
    "patternProperties",
    "dependentSchemas",
    "$defs",
    "definitions",
    "schemas",
    "responses",
    "parameters",
    "examples",
    "requestBodies",
    "headers",
    "callbacks",
    "pathItems",
    "paths",
    "webhooks",
    "content",
    "encoding",
    "variables",
    "dependentRequired",
    "securitySchemes",
];

/// Members that hold values of the user's, not of the specification.
const OPAQUE: [&str; 5] = ["example", "default", "enum", "const", "value"];

/// Converts one part of a document in place.
pub(super) fn convert(value: &mut Value, names: &Names) {
    match value {
        Value::Object(members) => convert_object(members, names),
        Value::Array(items) => items.iter_mut().for_each(|item| convert(item, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn convert_object(members: &mut Map<String, Value>, names: &Names) {
    if let Some(Value::String(reference)) = members.get("$ref") {
        match names.reference(reference) {
            Some(new) => drop(members.insert("$ref".to_owned(), Value::String(new))),
            None => {
                // It leads out of the document: nobody shall be sent there.
                members.remove("$ref");
            }
        }
    }
    schema::modernize(members);
    members.remove("links");
    for (name, value) in members.iter_mut() {
        if OPAQUE.contains(&name.as_str()) || name.starts_with("x-") {
            continue;
        }
        match value {
            Value::Object(named) if NAMED.contains(&name.as_str()) => {
                named.values_mut().for_each(|value| convert(value, names));
            }
            // In a schema these are values; elsewhere `examples` is an object.
            Value::Array(_) if name == "examples" => {}
            Value::Object(discriminator) if name == "discriminator" => {
                map_discriminator(discriminator, names)
            }
            other => convert(other, names),
        }
    }
}

fn map_discriminator(discriminator: &mut Map<String, Value>, names: &Names) {
    let Some(Value::Object(mapping)) = discriminator.get_mut("mapping") else { return };
    for target in mapping.values_mut() {
        let Some(text) = target.as_str() else { continue };
        let bare = || names.schema(text).map(|name| format!("#/components/schemas/{name}"));
        *target = names.reference(text).or_else(bare).map_or_else(|| json!(text), Value::String);
    }
}

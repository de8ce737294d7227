//! From Swagger 2.0 to the shape of OpenAPI 3: bodies, parameters, answers, schemas' place.

use serde_json::{Map, Value, json};

use crate::openapi::Document;

const METHODS: [&str; 7] = ["get", "put", "post", "delete", "options", "head", "patch"];

/// What describes a value and stands in the parameter itself in 2.0, in its schema in 3.
const VALUE_MEMBERS: [&str; 17] = [
    "type",
    "format",
    "items",
    "default",
    "enum",
    "maximum",
    "minimum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
    "pattern",
    "maxItems",
    "minItems",
    "uniqueItems",
    "multipleOf",
    "x-nullable",
];

/// The document's root in the shape of 3; parameters and answers that are shared are copied to
/// where they are used.
pub(super) fn convert(document: &Document) -> Map<String, Value> {
    let root = document.root();
    let media = |name: &str| media_types(root.get(name));
    let defaults = Media {
        consumes: media("consumes").unwrap_or_else(json_only),
        produces: media("produces").unwrap_or_else(json_only),
    };
    let mut converted = Map::new();
    if let Some(info) = root.get("info") {
        converted.insert("info".to_owned(), info.clone());
    }
    let mut schemas = root.get("definitions").cloned().unwrap_or_else(|| json!({}));
    move_references(&mut schemas);
    converted.insert("components".to_owned(), json!({ "schemas": schemas }));
    let mut paths = Map::new();
    for (path, item) in root.get("paths").and_then(Value::as_object).into_iter().flatten() {
        if let Some(item) = document.resolve(item) {
            paths.insert(path.clone(), path_item(document, item, &defaults));
        }
    }
    converted.insert("paths".to_owned(), Value::Object(paths));
    converted
}

/// The media types of bodies and answers.
struct Media {
    consumes: Vec<String>,
    produces: Vec<String>,
}

fn json_only() -> Vec<String> {
    vec!["application/json".to_owned()]
}

fn media_types(value: Option<&Value>) -> Option<Vec<String>> {
    let types: Vec<String> = value?.as_array()?.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    (!types.is_empty()).then_some(types)
}

fn path_item(document: &Document, item: &Map<String, Value>, defaults: &Media) -> Value {
    let shared = resolved(document, item.get("parameters"));
    let mut converted = Map::new();
    for method in METHODS {
        if let Some(operation) = item.get(method).and_then(Value::as_object) {
            converted.insert(method.to_owned(), operation_of(document, operation, &shared, defaults));
        }
    }
    Value::Object(converted)
}

fn resolved<'a>(document: &'a Document, parameters: Option<&'a Value>) -> Vec<&'a Map<String, Value>> {
    let list = parameters.and_then(Value::as_array);
    list.into_iter().flatten().filter_map(|parameter| document.resolve(parameter)).collect()
}

fn operation_of(
    document: &Document,
    operation: &Map<String, Value>,
    shared: &[&Map<String, Value>],
    defaults: &Media,
) -> Value {
    let consumes = media_types(operation.get("consumes")).unwrap_or_else(|| defaults.consumes.clone());
    let produces = media_types(operation.get("produces")).unwrap_or_else(|| defaults.produces.clone());
    let own = resolved(document, operation.get("parameters"));
    let key = |parameter: &Map<String, Value>| (parameter.get("name").cloned(), parameter.get("in").cloned());
    let is_own = |other: &&&Map<String, Value>| own.iter().any(|own| key(own) == key(other));
    let all: Vec<&Map<String, Value>> =
        shared.iter().filter(|one| !is_own(one)).chain(own.iter()).copied().collect();

    let mut converted = Map::new();
    for name in ["summary", "description", "operationId", "deprecated"] {
        if let Some(value) = operation.get(name) {
            converted.insert(name.to_owned(), value.clone());
        }
    }
    let is_in = |parameter: &Map<String, Value>, place: &str| {
        parameter.get("in").and_then(Value::as_str) == Some(place)
    };
    let parameters: Vec<Value> = all
        .iter()
        .filter(|one| ["path", "query", "header"].iter().any(|place| is_in(one, place)))
        .map(|one| parameter(one))
        .collect();
    if !parameters.is_empty() {
        converted.insert("parameters".to_owned(), Value::Array(parameters));
    }
    let form: Vec<&Map<String, Value>> = all.iter().filter(|one| is_in(one, "formData")).copied().collect();
    if let Some(body) = all.iter().find(|one| is_in(one, "body")) {
        converted.insert("requestBody".to_owned(), request_body(body, &consumes));
    } else if !form.is_empty() {
        converted.insert("requestBody".to_owned(), form_body(&form, &consumes));
    }
    let responses = operation.get("responses").and_then(Value::as_object);
    let responses: Map<String, Value> = responses
        .into_iter()
        .flatten()
        .filter_map(|(status, value)| Some((status.clone(), response(document.resolve(value)?, &produces))))
        .collect();
    if !responses.is_empty() {
        converted.insert("responses".to_owned(), Value::Object(responses));
    }
    Value::Object(converted)
}

fn parameter(one: &Map<String, Value>) -> Value {
    let mut converted = Map::new();
    for name in ["name", "in", "description", "required"] {
        if let Some(value) = one.get(name) {
            converted.insert(name.to_owned(), value.clone());
        }
    }
    if one.get("in").and_then(Value::as_str) == Some("path") {
        converted.insert("required".to_owned(), json!(true));
    }
    if one.get("type").and_then(Value::as_str) == Some("array") {
        let (style, explode) = match one.get("collectionFormat").and_then(Value::as_str) {
            Some("multi") => (None, true),
            Some("ssv") => (Some("spaceDelimited"), false),
            Some("pipes") => (Some("pipeDelimited"), false),
            _ => (None, false),
        };
        converted.insert("explode".to_owned(), json!(explode));
        if let Some(style) = style {
            converted.insert("style".to_owned(), json!(style));
        }
    }
    converted.insert("schema".to_owned(), schema_in(one));
    Value::Object(converted)
}

/// The schema that the members of a parameter or header come to.
fn schema_in(one: &Map<String, Value>) -> Value {
    let members = VALUE_MEMBERS.iter().filter_map(|name| Some(((*name).to_owned(), one.get(*name)?.clone())));
    let mut schema = Value::Object(members.collect());
    move_references(&mut schema);
    schema
}

fn request_body(body: &Map<String, Value>, consumes: &[String]) -> Value {
    let mut schema = body.get("schema").cloned().unwrap_or_else(|| json!({}));
    move_references(&mut schema);
    let required = body.get("required").and_then(Value::as_bool).unwrap_or(false);
    let mut converted = json!({ "required": required, "content": content(consumes, &schema) });
    if let (Some(description), Some(converted)) = (body.get("description"), converted.as_object_mut()) {
        converted.insert("description".to_owned(), description.clone());
    }
    converted
}

fn form_body(fields: &[&Map<String, Value>], consumes: &[String]) -> Value {
    let has_file = fields.iter().any(|field| field.get("type").and_then(Value::as_str) == Some("file"));
    let is_form = |media: &&String| media.contains("form");
    let mut media: Vec<String> = consumes.iter().filter(is_form).cloned().collect();
    if media.is_empty() {
        let default = if has_file { "multipart/form-data" } else { "application/x-www-form-urlencoded" };
        media.push(default.to_owned());
    }
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in fields {
        let Some(name) = field.get("name").and_then(Value::as_str) else { continue };
        let mut schema = schema_in(field);
        if let (Some(description), Some(schema)) = (field.get("description"), schema.as_object_mut()) {
            schema.insert("description".to_owned(), description.clone());
        }
        properties.insert(name.to_owned(), schema);
        if field.get("required").and_then(Value::as_bool) == Some(true) {
            required.push(json!(name));
        }
    }
    let mut schema = json!({ "type": "object", "properties": properties });
    if let (false, Some(schema)) = (required.is_empty(), schema.as_object_mut()) {
        schema.insert("required".to_owned(), Value::Array(required));
    }
    json!({ "content": content(&media, &schema) })
}

fn response(one: &Map<String, Value>, produces: &[String]) -> Value {
    let description = one.get("description").cloned().unwrap_or_else(|| json!(""));
    let mut converted = Map::from_iter([("description".to_owned(), description)]);
    if let Some(schema) = one.get("schema") {
        let mut schema = schema.clone();
        move_references(&mut schema);
        converted.insert("content".to_owned(), content(produces, &schema));
    }
    if let Some(headers) = one.get("headers").and_then(Value::as_object) {
        let headers = headers.iter().filter_map(|(name, header)| {
            let header = header.as_object()?;
            let description = header.get("description").cloned().unwrap_or_else(|| json!(""));
            Some((name.clone(), json!({ "description": description, "schema": schema_in(header) })))
        });
        converted.insert("headers".to_owned(), Value::Object(headers.collect()));
    }
    Value::Object(converted)
}

fn content(media: &[String], schema: &Value) -> Value {
    Value::Object(media.iter().map(|media| (media.clone(), json!({ "schema": schema }))).collect())
}

/// Schemas have moved: `#/definitions/…` is `#/components/schemas/…`.
fn move_references(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                match value {
                    Value::String(reference) if name == "$ref" => {
                        if let Some(schema) = reference.strip_prefix("#/definitions/") {
                            *reference = format!("#/components/schemas/{schema}");
                        }
                    }
                    other => move_references(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(move_references),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

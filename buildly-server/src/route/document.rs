//! The OpenAPI 3.1 document of the core, made from the same declarations as the routes.

use serde_json::{Map, Value, json};

use super::describe::problem_schema;
use super::{Operation, Routes};

/// The OpenAPI 3.1 document of all `resources`.
#[must_use]
pub fn document(resources: &[Routes], public_url: &str) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    let mut schemas: Map<String, Value> = Map::new();
    schemas.insert("Problem".to_owned(), problem_schema());
    for resource in resources {
        for operation in resource.operations.iter().filter(|operation| !operation.is_hidden) {
            let path = paths.entry(operation.path).or_insert_with(|| json!({}));
            if let Value::Object(methods) = path {
                let method = operation.method.as_str().to_ascii_lowercase();
                methods.insert(method, entry(resource, operation));
            }
            for (name, schema) in &operation.schemas {
                schemas.insert(name.clone(), json!(schema));
            }
        }
    }
    let mut tags: Vec<Value> = Vec::new();
    for resource in resources.iter().filter(|resource| resource.operations.iter().any(|it| !it.is_hidden)) {
        if !tags.iter().any(|tag| tag["name"] == resource.tag) {
            tags.push(json!({"name": resource.tag, "description": resource.description}));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Buildly",
            "description": "Identity, an API gateway and a data mesh over your services.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT"}
        },
        "servers": [{"url": if public_url.is_empty() { "/" } else { public_url }}],
        "tags": tags,
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {
                    "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                    "description": "An access token of `/oauth/token/` or `/token/`, or an API key."
                }
            },
            "responses": {
                "Problem": {
                    "description": "The request was not done; `detail` says why.",
                    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
                }
            }
        }
    })
}

fn entry(resource: &Routes, operation: &Operation) -> Value {
    let mut entry = json!(operation.entry);
    let Value::Object(fields) = &mut entry else { return entry };
    fields.insert("operationId".to_owned(), json!(operation_id(operation)));
    fields.insert("tags".to_owned(), json!([resource.tag]));
    if operation.is_public {
        fields.insert("security".to_owned(), json!([]));
    }
    let mut parameters: Vec<Value> = path_parameters(operation.path)
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
        .collect();
    if let Some(Value::Array(query)) = fields.remove("parameters") {
        parameters.extend(query);
    }
    if !parameters.is_empty() {
        fields.insert("parameters".to_owned(), Value::Array(parameters));
    }
    if let Some(Value::Object(responses)) = fields.get_mut("responses") {
        if !operation.has_answer {
            responses.insert("200".to_owned(), json!({"description": "OK"}));
        }
        responses.insert("default".to_owned(), json!({"$ref": "#/components/responses/Problem"}));
    }
    entry
}

/// `get_coreuser_by_id` for `GET /coreuser/{id}/`.
fn operation_id(operation: &Operation) -> String {
    let words = operation.path.split('/').filter(|segment| !segment.is_empty()).map(|segment| match segment
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
    {
        Some(parameter) => format!("by_{}", parameter.trim_start_matches('*')),
        None => segment.replace(['.', '-'], "_"),
    });
    let method = operation.method.as_str().to_ascii_lowercase();
    std::iter::once(method).chain(words).collect::<Vec<_>>().join("_")
}

fn path_parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

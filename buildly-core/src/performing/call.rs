//! A workflow's request as a call of a service; pure.

use std::sync::Arc;

use buildly_gateway::Snapshot;
use buildly_gateway::openapi::{Operation, Parameter};
use buildly_model::{Body, ServiceId};
use buildly_workflow::Request;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderName, HeaderValue};
use serde_json::{Map, Value};

/// Tells services which calls are one.
pub(super) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Headers that the engine sends by itself, so that no template has to.
pub(super) fn is_own_header(name: &str) -> bool {
    ["idempotency-key", "authorization", "accept", "content-type"]
        .iter()
        .any(|own| name.eq_ignore_ascii_case(own))
}

/// The operation of that name: `service.operationId`.
pub(super) fn find_operation(gateway: &Snapshot, name: &str) -> Option<(ServiceId, Arc<Operation>)> {
    let (service, id) = name.split_once('.')?;
    let registered = gateway.find_by_name(service)?;
    let mut operations = registered.api(None)?.operations().iter();
    let found = operations.find(|operation| operation.operation_id.as_deref() == Some(id))?;
    Some((registered.service.id, Arc::clone(found)))
}

/// The call that the request asks for; a sentence if its values do not fit the operation.
pub(super) fn build(
    operation: &Operation,
    request: &Request,
    key: &str,
) -> Result<http::Request<Body>, String> {
    let mut path = operation.path.clone();
    for parameter in &operation.path_parameters {
        let value = scalar(&request.parameters, parameter)?
            .filter(|value| !value.is_empty())
            .ok_or_else(|| format!("the path needs `{}`, which has no value", parameter.name))?;
        path = path.replace(&format!("{{{}}}", parameter.name), &segment(&value));
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    for parameter in &operation.query_parameters {
        match request.parameters.get(&parameter.name) {
            None | Some(Value::Null) => {}
            Some(Value::Array(items)) if !parameter.is_comma_separated => {
                for item in items {
                    query.append_pair(&parameter.name, &text(item));
                }
            }
            Some(Value::Array(items)) => {
                let joined: Vec<String> = items.iter().map(text).collect();
                query.append_pair(&parameter.name, &joined.join(","));
            }
            Some(value) => {
                query.append_pair(&parameter.name, &text(value));
            }
        }
    }
    let query = query.finish();
    let uri = if query.is_empty() { path } else { format!("{path}?{query}") };
    let mut built = http::Request::builder()
        .method(operation.method.clone())
        .uri(uri)
        .header(ACCEPT, "application/json")
        .header(IDEMPOTENCY_KEY, key);
    for parameter in operation.header_parameters.iter().filter(|parameter| !is_own_header(&parameter.name)) {
        if let Some(value) = scalar(&request.parameters, parameter)? {
            let value = HeaderValue::try_from(value)
                .map_err(|_| format!("`{}` has a value that no header can hold", parameter.name))?;
            built = built.header(parameter.name.as_str(), value);
        }
    }
    let body = match &request.body {
        Some(body) => {
            built = built.header(CONTENT_TYPE, "application/json");
            Body::from(bytes::Bytes::from(body.to_string()))
        }
        None => Body::empty(),
    };
    built.body(body).map_err(|error| format!("the call cannot be made: {error}"))
}

fn scalar(parameters: &Map<String, Value>, parameter: &Parameter) -> Result<Option<String>, String> {
    match parameters.get(&parameter.name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(_) | Value::Object(_)) => {
            Err(format!("expected one value for `{}`, not a list or object", parameter.name))
        }
        Some(value) => Ok(Some(text(value))),
    }
}

/// A value as a parameter shows it.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// One segment of a path: everything but unreserved characters is escaped (RFC 3986 section 2.3),
/// and dots too where they would mean another path.
fn segment(value: &str) -> String {
    if value.bytes().all(|byte| byte == b'.') {
        return "%2E".repeat(value.len());
    }
    let mut escaped = String::new();
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use buildly_gateway::openapi::Api;
    use serde_json::json;

    use super::*;

    fn operation() -> Arc<Operation> {
        let document = json!({"openapi": "3.1.0", "paths": {"/contacts/{id}/": {"put": {
            "operationId": "update",
            "parameters": [
                {"in": "path", "name": "id", "required": true},
                {"in": "query", "name": "tags", "schema": {"type": "array"}},
                {"in": "query", "name": "ids", "schema": {"type": "array"}, "explode": false},
                {"in": "header", "name": "If-Match"},
            ],
        }}}});
        Arc::clone(&Api::read(&document.to_string()).unwrap().operations()[0])
    }

    fn request(parameters: Value, body: Option<Value>) -> Request {
        let Value::Object(parameters) = parameters else { panic!("an object") };
        Request { operation: Some("crm.update".into()), records: None, parameters, body }
    }

    #[test]
    fn values_go_where_the_document_says() {
        let given = json!({"id": "a/b ü", "tags": ["x", "y&z"], "ids": [1, 2], "If-Match": "\"3\""});
        let call = build(&operation(), &request(given, Some(json!({"a": 1}))), "run:1").unwrap();
        assert_eq!(call.method(), http::Method::PUT);
        assert_eq!(call.uri().to_string(), "/contacts/a%2Fb%20%C3%BC/?tags=x&tags=y%26z&ids=1%2C2");
        assert_eq!(call.headers()[IDEMPOTENCY_KEY], "run:1");
        assert_eq!(call.headers()["if-match"], "\"3\"");
        assert_eq!(call.headers()[CONTENT_TYPE], "application/json");
    }

    #[test]
    fn a_value_is_never_another_path() {
        for (id, path) in [("..", "/contacts/%2E%2E/"), (".", "/contacts/%2E/"), ("?x", "/contacts/%3Fx/")] {
            let call = build(&operation(), &request(json!({"id": id}), None), "k").unwrap();
            assert_eq!(call.uri().path(), path);
        }
        for id in [json!(null), json!(""), json!([1]), json!({})] {
            assert!(build(&operation(), &request(json!({"id": id}), None), "k").is_err(), "{id}");
        }
    }
}

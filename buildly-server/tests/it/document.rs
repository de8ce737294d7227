//! The OpenAPI document says what the routes do, neither more nor less.

use std::collections::BTreeSet;

use buildly_server::{api, route};
use serde_json::Value;

use crate::harness::TestServer;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

#[tokio::test]
async fn every_operation_of_the_document_is_answered_by_a_route() {
    let server = TestServer::start().await;
    let document = route::document(&api::routes(), "");
    for (path, operations) in document["paths"].as_object().unwrap() {
        let concrete: String = path
            .split('/')
            .map(|segment| if segment.starts_with('{') { "7" } else { segment })
            .collect::<Vec<_>>()
            .join("/");
        let allowed = server.client.send(http::Method::OPTIONS, &concrete, None).await;
        let allow: BTreeSet<String> = allowed.header("allow").split(", ").map(str::to_lowercase).collect();
        for method in operations.as_object().unwrap().keys() {
            assert!(METHODS.contains(&method.as_str()), "{method} {path}");
            assert!(allow.contains(method), "`{method} {path}` is not routed: {allow:?}");
        }
    }
    server.stop().await;
}

#[test]
fn every_route_is_in_the_document() {
    let routes = api::routes();
    let document = route::document(&routes, "");
    for (method, path) in routes.iter().flat_map(route::Routes::shown) {
        let operation = &document["paths"][path][method.as_str().to_lowercase()];
        assert!(operation.is_object(), "`{method} {path}` is not in the document");
    }
}

#[test]
fn the_document_holds_together() {
    let document = route::document(&api::routes(), "https://api.example.org");
    assert_eq!(document["openapi"], "3.1.0");
    let mut ids = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        assert!(path.starts_with('/'), "{path}");
        for (method, operation) in operations.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "two operations are called `{id}`");
            assert!(operation["summary"].is_string(), "`{method} {path}` says nothing of itself");
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.keys().any(|status| status.starts_with(['2', '3'])), "{id}");
            assert!(
                responses.values().all(|it| it["description"].is_string() || it["$ref"].is_string()),
                "{id}"
            );
            let declared: BTreeSet<&str> = operation["parameters"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|parameter| parameter["in"] == "path")
                .map(|parameter| parameter["name"].as_str().unwrap())
                .collect();
            let named: BTreeSet<&str> =
                path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}')).collect();
            assert_eq!(declared, named, "{id}");
        }
    }
    check_references(&document, &document);
}

fn check_references(value: &Value, document: &Value) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref") {
                let pointer = reference.strip_prefix('#').expect("a reference into the document");
                assert!(document.pointer(pointer).is_some(), "`{reference}` leads nowhere");
            }
            fields.values().for_each(|value| check_references(value, document));
        }
        Value::Array(items) => items.iter().for_each(|value| check_references(value, document)),
        _ => {}
    }
}

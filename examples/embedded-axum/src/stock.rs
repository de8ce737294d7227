//! A service inside the program: any async function from request to answer is one.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Request, Response, StatusCode};
use buildly_core::model::{Body, BodyError};
use serde_json::{Value, json};

/// Answers what the gateway has let through: the caller is signed in and may.
pub(crate) async fn answer(request: Request<Body>) -> Result<Response<Body>, BodyError> {
    let (status, body) = match request.uri().path() {
        "/docs/openapi.json" => (StatusCode::OK, document()),
        "/items/" => (StatusCode::OK, json!([{"id": 1, "name": "Lamp", "quantity": 3}])),
        _ => (StatusCode::NOT_FOUND, json!({"detail": "there is no such path"})),
    };
    let mut answer = Response::new(Body::from(body.to_string()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(answer)
}

/// What the service can be asked (OpenAPI 3.1); the gateway fetches it when it first needs it.
fn document() -> Value {
    let list = json!({"operationId": "list_items", "responses": {"200": {"description": "all"}}});
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Stock", "version": "1"},
        "paths": {"/items/": {"get": list}},
    })
}

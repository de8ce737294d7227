//! Services that are functions of Python's.
//!
//! A call of one is a call like any other: through the gateway, under its rights, deadlines and
//! bounds. The function runs on a thread of the runtime's; one that raises answers 500, one that
//! never returns keeps its thread, and its caller gets what a caller of a slow service gets.

use std::sync::Arc;

use async_trait::async_trait;
use buildly_core::gateway_http::Connection;
use buildly_model::{Body, BodyError, TooLong};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;
use serde_json::json;
use tokio::sync::Semaphore;

use crate::answer::{Fields, rendered};

/// The largest body that a function is given, in bytes.
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How many calls of one function run at once; more are told to come again.
const CALLS_MAX: usize = 64;
/// Where the service's OpenAPI document is.
pub(crate) const DOCUMENT_PATH: &str = "openapi.json";

/// What a function answers: status, header fields, body.
type Answered = (u16, Fields, PyBackedBytes);

/// A service that is a function of Python's.
pub(crate) struct PythonService {
    name: String,
    function: Arc<Py<PyAny>>,
    document: Bytes,
    turns: Arc<Semaphore>,
}

impl PythonService {
    pub(crate) fn new(name: String, function: Py<PyAny>, document: String) -> Self {
        let turns = Arc::new(Semaphore::new(CALLS_MAX));
        Self { name, function: Arc::new(function), document: document.into(), turns }
    }

    /// The host that stands for the service.
    pub(crate) fn authority(name: &str) -> String {
        format!("{name}.localhost")
    }
}

#[async_trait]
impl Connection for PythonService {
    async fn handle(&self, request: Request<Body>) -> Result<Response<Body>, BodyError> {
        let is_document = request.uri().path().trim_start_matches('/') == DOCUMENT_PATH;
        if is_document && request.method() == Method::GET {
            let mut response = Response::new(Body::from(self.document.clone()));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            return Ok(response);
        }
        let (head, body) = request.into_parts();
        let body = match body.collect(BODY_BYTES_MAX).await {
            Ok(body) => body,
            Err(error) if error.is::<TooLong>() => {
                let detail = format!("A service in Python takes at most {BODY_BYTES_MAX} bytes.");
                return Ok(problem(StatusCode::PAYLOAD_TOO_LARGE, &detail));
            }
            Err(error) => return Err(error),
        };
        let Ok(turn) = Arc::clone(&self.turns).try_acquire_owned() else {
            let detail = format!("{CALLS_MAX} calls of service `{}` are under way; come again.", self.name);
            let mut response = problem(StatusCode::SERVICE_UNAVAILABLE, &detail);
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
            return Ok(response);
        };
        let function = Arc::clone(&self.function);
        let called = tokio::task::spawn_blocking(move || {
            // Kept as long as the function runs, also when nobody waits for it any more.
            let _turn = turn;
            Python::try_attach(|python| call(python, &function, &head, &body))
        });
        Ok(match called.await.ok().flatten() {
            Some(Ok((status, fields, body))) => response(status, fields, body).unwrap_or_else(|reason| {
                let detail = format!("Service `{}` gave an answer that cannot be sent: {reason}.", self.name);
                problem(StatusCode::INTERNAL_SERVER_ERROR, &detail)
            }),
            Some(Err(())) | None => {
                let detail = format!("Service `{}` raised an exception; its log says which.", self.name);
                problem(StatusCode::INTERNAL_SERVER_ERROR, &detail)
            }
        })
    }
}

/// Calls the function; what it raises is told as Python tells what nobody can catch.
fn call(
    python: Python<'_>,
    function: &Py<PyAny>,
    head: &http::request::Parts,
    body: &[u8],
) -> Result<Answered, ()> {
    let fields: Fields = head
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().as_bytes().to_vec(), value.as_bytes().to_vec()))
        .collect();
    let target = head.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let arguments = (head.method.as_str(), target, rendered(python, &fields), PyBytes::new(python, body));
    let answered = function.call1(python, arguments).and_then(|answer| answer.extract(python));
    answered.map_err(|error| error.write_unraisable(python, Some(function.bind(python))))
}

fn response(status: u16, fields: Fields, body: PyBackedBytes) -> Result<Response<Body>, String> {
    let mut response = Response::new(Body::from(Bytes::from_owner(body)));
    // 1xx stands for no answer, and the gateway has no connection to hand over.
    let status = StatusCode::from_u16(status).ok().filter(|status| !status.is_informational());
    *response.status_mut() = status.ok_or("its status is not between 200 and 999")?;
    for (name, value) in fields {
        let shown = String::from_utf8_lossy(&name).into_owned();
        let name = HeaderName::from_bytes(&name).map_err(|_| format!("`{shown}` is no header name"))?;
        let value = HeaderValue::from_bytes(&value)
            .map_err(|_| format!("header `{shown}` has a value that cannot be sent"))?;
        response.headers_mut().append(name, value);
    }
    Ok(response)
}

/// Problem details (RFC 9457).
fn problem(status: StatusCode, detail: &str) -> Response<Body> {
    let title = status.canonical_reason().unwrap_or_default();
    let problem = json!({"type": "about:blank", "title": title, "status": status.as_u16(), "detail": detail});
    let mut response = Response::new(Body::from(problem.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response
}

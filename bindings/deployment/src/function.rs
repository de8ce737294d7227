//! Services that are functions of the program.
//!
//! A call of one is a call like any other: through the gateway, under its rights, deadlines and
//! bounds. The function runs on a thread of its own; one that fails answers 500, one that never
//! returns keeps its thread, and its caller gets a 504 once the time is over: that of the function,
//! if it has one, else that which the gateway gives a service.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use buildly_core::gateway_http::Connection;
use buildly_model::{Body, BodyError, TooLong};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::asking::{Fields, append, fields_of};

/// The largest body that a function is given, in bytes.
pub const CALL_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How many calls of one function run at once; more are told to come again.
pub const CALLS_MAX: usize = 64;
/// Where the service's OpenAPI document is.
pub(crate) const DOCUMENT_PATH: &str = "openapi.json";

/// The host that stands for the service.
pub(crate) fn authority(name: &str) -> String {
    format!("{name}.localhost")
}

/// A call of a function.
#[derive(Debug)]
pub struct Call {
    /// Such as `GET`.
    pub method: String,
    /// Path below the service, and query.
    pub target: String,
    /// The header fields.
    pub fields: Fields,
    /// The body.
    pub body: Bytes,
}

/// What a function answers.
#[derive(Debug)]
pub struct Reply {
    /// From 200 to 999.
    pub status: u16,
    /// The header fields.
    pub fields: Fields,
    /// The body.
    pub body: Bytes,
}

/// A function of the program that answers calls. It may wait; calls run at the same time.
pub trait Function: Send + Sync {
    /// Answers one call.
    ///
    /// # Errors
    /// A reason, which is logged and not sent; the caller gets 500.
    fn call(&self, call: Call) -> Result<Reply, String>;
}

/// A service that is a function.
pub(crate) struct FunctionService {
    name: String,
    function: Arc<dyn Function>,
    document: Bytes,
    timeout: Option<Duration>,
    turns: Arc<Semaphore>,
}

impl FunctionService {
    pub(crate) fn new(
        name: String,
        function: Arc<dyn Function>,
        document: String,
        timeout: Option<Duration>,
    ) -> Self {
        Self {
            name,
            function,
            document: document.into(),
            timeout,
            turns: Arc::new(Semaphore::new(CALLS_MAX)),
        }
    }

    async fn run(&self, call: Call) -> Response<Body> {
        let Ok(turn) = Arc::clone(&self.turns).try_acquire_owned() else {
            let detail = format!("{CALLS_MAX} calls of service `{}` are under way; come again.", self.name);
            let mut response = problem(StatusCode::SERVICE_UNAVAILABLE, &detail);
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
            return response;
        };
        let function = Arc::clone(&self.function);
        let called = tokio::task::spawn_blocking(move || {
            // Kept as long as the function runs, also when nobody waits for it any more.
            let _turn = turn;
            function.call(call)
        });
        let called = match self.timeout {
            None => called.await,
            Some(timeout) => match tokio::time::timeout(timeout, called).await {
                Ok(called) => called,
                Err(_) => return self.late(timeout),
            },
        };
        match called {
            Ok(Ok(reply)) => response(reply).unwrap_or_else(|reason| self.unfit(&reason)),
            Ok(Err(reason)) => self.failed(&reason),
            Err(_) => self.failed("its thread has ended"),
        }
    }

    fn late(&self, timeout: Duration) -> Response<Body> {
        let seconds = timeout.as_secs_f64();
        tracing::warn!(service = %self.name, seconds, "function has not answered in time");
        let detail = format!("Service `{}` has not answered within {seconds} s.", self.name);
        problem(StatusCode::GATEWAY_TIMEOUT, &detail)
    }

    /// Why an answer cannot be sent is no secret, and helps who writes the function.
    fn unfit(&self, reason: &str) -> Response<Body> {
        tracing::warn!(service = %self.name, %reason, "function has given an answer that cannot be sent");
        let detail = format!("Service `{}` gave an answer that cannot be sent: {reason}.", self.name);
        problem(StatusCode::INTERNAL_SERVER_ERROR, &detail)
    }

    fn failed(&self, reason: &str) -> Response<Body> {
        tracing::warn!(service = %self.name, %reason, "function has failed");
        let detail = format!("Service `{}` has failed; its log says why.", self.name);
        problem(StatusCode::INTERNAL_SERVER_ERROR, &detail)
    }
}

#[async_trait]
impl Connection for FunctionService {
    async fn handle(&self, request: Request<Body>) -> Result<Response<Body>, BodyError> {
        let is_document = request.uri().path().trim_start_matches('/') == DOCUMENT_PATH;
        if is_document && request.method() == Method::GET {
            let mut response = Response::new(Body::from(self.document.clone()));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            return Ok(response);
        }
        let (head, body) = request.into_parts();
        let body = match body.collect(CALL_BYTES_MAX).await {
            Ok(body) => body,
            Err(error) if error.is::<TooLong>() => {
                let detail = format!("A service that is a function takes at most {CALL_BYTES_MAX} bytes.");
                return Ok(problem(StatusCode::PAYLOAD_TOO_LARGE, &detail));
            }
            Err(error) => return Err(error),
        };
        let target = head.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str).to_owned();
        let (method, fields) = (head.method.as_str().to_owned(), fields_of(&head.headers));
        Ok(self.run(Call { method, target, fields, body }).await)
    }
}

fn response(reply: Reply) -> Result<Response<Body>, String> {
    let mut response = Response::new(Body::from(reply.body));
    // 1xx stands for no answer, and the gateway has no connection to hand over.
    let status = StatusCode::from_u16(reply.status).ok().filter(|status| !status.is_informational());
    *response.status_mut() = status.ok_or("its status is not between 200 and 999")?;
    append(response.headers_mut(), reply.fields)
        .map_err(|name| format!("header `{name}` is none that can travel"))?;
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

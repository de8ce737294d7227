//! What a handler answers.

use buildly_model::Body;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;

/// What a handler answers.
#[derive(Debug)]
pub struct Response(http::Response<Body>);

impl Response {
    /// A value as JSON.
    pub fn json<T: Serialize + ?Sized>(status: StatusCode, value: &T) -> Self {
        Self::json_as(status, "application/json", value)
    }

    /// 200 with a value as JSON.
    pub fn ok<T: Serialize + ?Sized>(value: &T) -> Self {
        Self::json(StatusCode::OK, value)
    }

    /// 201 with the new resource as JSON.
    pub fn created<T: Serialize + ?Sized>(value: &T) -> Self {
        Self::json(StatusCode::CREATED, value)
    }

    /// A value as JSON under a media type of its own.
    pub fn json_as<T: Serialize + ?Sized>(status: StatusCode, media_type: &'static str, value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(bytes) => Self::bytes(status, media_type, bytes),
            Err(error) => {
                tracing::error!(%error, "an answer cannot be written as JSON");
                Self::bytes(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "application/problem+json",
                    &br#"{"status":500,"title":"Internal error","detail":"Something is broken here."}"#[..],
                )
            }
        }
    }

    /// 204.
    #[must_use]
    pub fn no_content() -> Self {
        Self::empty(StatusCode::NO_CONTENT)
    }

    /// A status without a body.
    #[must_use]
    pub fn empty(status: StatusCode) -> Self {
        Self::of(status, Body::empty())
    }

    /// A page.
    pub fn html(status: StatusCode, page: impl Into<String>) -> Self {
        Self::bytes(status, "text/html; charset=utf-8", page.into())
    }

    /// Plain text.
    pub fn text(status: StatusCode, text: impl Into<String>) -> Self {
        Self::bytes(status, "text/plain; charset=utf-8", text.into())
    }

    /// Another place.
    #[must_use]
    pub fn redirect(location: &str) -> Self {
        Self::empty(StatusCode::FOUND).with_header(LOCATION, location)
    }

    /// Bytes of a media type; streams if `body` does.
    pub fn bytes(status: StatusCode, media_type: &str, body: impl Into<Body>) -> Self {
        Self::of(status, body.into()).with_header(CONTENT_TYPE, media_type)
    }

    /// Any status and body.
    #[must_use]
    pub fn of(status: StatusCode, body: Body) -> Self {
        let mut response = http::Response::new(body);
        *response.status_mut() = status;
        Self(response)
    }

    /// Sets a header. A value that no header can hold is left out and logged.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: impl AsRef<str>) -> Self {
        match HeaderValue::from_str(value.as_ref()) {
            Ok(value) => {
                self.0.headers_mut().insert(name, value);
            }
            Err(error) => tracing::error!(%error, header = %name, "a header cannot hold its value"),
        }
        self
    }

    /// Forbids everybody to store the answer (RFC 9111 section 5.2.2.5).
    #[must_use]
    pub fn no_store(self) -> Self {
        self.with_header(http::header::CACHE_CONTROL, "no-store")
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status()
    }

    /// As the `http` crate has it.
    #[must_use]
    pub fn into_http(self) -> http::Response<Body> {
        self.0
    }
}

impl From<http::Response<Body>> for Response {
    fn from(response: http::Response<Body>) -> Self {
        Self(response)
    }
}

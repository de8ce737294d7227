//! What went wrong, as the client is told: problem details (RFC 9457).
//!
//! `detail` is always there and is a sentence that a person understands, since existing
//! clients show it. The cause of a fault of ours is logged, never sent.

mod kind;

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use buildly_model::FieldError;
use http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value, json};

use crate::Response;

pub use kind::AreaError;

/// Names that a problem uses itself: a field of that name appears only under `errors`.
const OWN_NAMES: [&str; 6] = ["type", "title", "status", "detail", "instance", "errors"];

/// Why a request was not done.
#[derive(Debug)]
pub struct Problem(Box<Inner>);

#[derive(Debug)]
struct Inner {
    status: StatusCode,
    kind: &'static str,
    title: &'static str,
    detail: String,
    errors: BTreeMap<String, Vec<String>>,
    members: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident = $status:ident, $kind:literal, $title:literal;)*) => {
        impl Problem {
            $(
                $(#[$doc])*
                pub fn $name(detail: impl Into<String>) -> Self {
                    Self::new(StatusCode::$status, $kind, $title, detail)
                }
            )*
        }
    };
}

problems! {
    /// 400: the input is wrong.
    invalid = BAD_REQUEST, "invalid", "Invalid input";
    /// 401: nobody is signed in, or not any more.
    unauthenticated = UNAUTHORIZED, "unauthenticated", "Not signed in";
    /// 403: signed in, but not allowed.
    forbidden = FORBIDDEN, "forbidden", "Not allowed";
    /// 404: there is no such thing, or not for this caller.
    not_found = NOT_FOUND, "not-found", "Not found";
    /// 405: the path knows other methods; the table adds `Allow`.
    method_not_allowed = METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed";
    /// 408: the request did not come in in time.
    request_timeout = REQUEST_TIMEOUT, "request-timeout", "Request timeout";
    /// 409: the state does not take this change.
    conflict = CONFLICT, "conflict", "Conflict";
    /// 412: the record has another version than `If-Match` says.
    precondition_failed = PRECONDITION_FAILED, "precondition-failed", "Precondition failed";
    /// 413: the body is larger than this resource takes.
    too_large = PAYLOAD_TOO_LARGE, "too-large", "Too large";
    /// 415: the body has a media type that this resource does not read.
    unsupported_media_type = UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "Unsupported media type";
    /// 429: too much or too often.
    limited = TOO_MANY_REQUESTS, "limited", "Too many requests";
    /// 500: something of ours is broken; the detail must not say what.
    broken = INTERNAL_SERVER_ERROR, "broken", "Internal error";
    /// 502: a service behind us gave no valid answer.
    bad_gateway = BAD_GATEWAY, "bad-gateway", "Bad gateway";
    /// 503: something that is needed does not answer.
    unavailable = SERVICE_UNAVAILABLE, "unavailable", "Not available";
    /// 504: a service behind us did not answer in time.
    gateway_timeout = GATEWAY_TIMEOUT, "gateway-timeout", "Gateway timeout";
}

impl Problem {
    fn new(status: StatusCode, kind: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        let problem = Self(Box::new(Inner {
            status,
            kind,
            title,
            detail: detail.into(),
            errors: BTreeMap::new(),
            members: Map::new(),
            headers: Vec::new(),
            source: None,
        }));
        if status == StatusCode::UNAUTHORIZED {
            return problem
                .with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"buildly\""));
        }
        problem
    }

    /// 400 with every refused field, so that a form can be corrected in one go.
    #[must_use]
    pub fn fields(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [] => "The input is invalid.".to_owned(),
            [one] => format!("The field `{}` is refused: {}", one.field, one.message),
            several => format!("{} fields are refused; `errors` says why.", several.len()),
        };
        let mut problem = Self::invalid(detail);
        for FieldError { field, message } in errors {
            problem.0.errors.entry(field).or_default().push(message);
        }
        problem
    }

    /// 400 with one refused field.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::fields(vec![FieldError::new(field, message)])
    }

    /// Says when to try again, rounded up to whole seconds.
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.with_header(RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// Says which methods the path knows.
    #[must_use]
    pub(crate) fn allowing(self, methods: &str) -> Self {
        match HeaderValue::from_str(methods) {
            Ok(methods) => self.with_header(ALLOW, methods),
            Err(_) => self,
        }
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// Adds a member of its own kind to the answer (RFC 9457 section 3.2).
    #[must_use]
    pub fn with_member(mut self, name: &str, value: Value) -> Self {
        self.0.members.insert(name.to_owned(), value);
        self
    }

    /// Remembers the cause, for the log only.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The sentence for a person.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The sentence, every refused field and every finding, on one line each, for a terminal.
    #[must_use]
    pub fn explained(&self) -> String {
        let findings = self.0.members.get("findings");
        explained(&json!({"detail": self.0.detail, "errors": self.0.errors, "findings": findings}))
    }

    /// Writes the cause to the log: an error of ours loudly, the rest for those who look.
    pub(crate) fn log(&self) {
        let cause = self.0.source.as_deref().map(causes).unwrap_or_default();
        let (status, detail) = (self.0.status.as_u16(), &self.0.detail);
        if self.0.status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(status, detail, cause, "a request failed");
        } else if self.0.status.is_server_error() {
            tracing::warn!(status, detail, cause, "a request was not served");
        } else {
            tracing::debug!(status, detail, cause, "a request was refused");
        }
    }

    /// The answer. `flat` repeats the field errors at the top level, where forms of existing
    /// clients read them.
    #[must_use]
    pub fn into_response(self, flat: bool) -> Response {
        let mut body = Map::new();
        body.insert("type".to_owned(), json!(format!("urn:buildly:problem:{}", self.0.kind)));
        body.insert("title".to_owned(), json!(self.0.title));
        body.insert("status".to_owned(), json!(self.0.status.as_u16()));
        body.insert("detail".to_owned(), json!(self.0.detail));
        if flat {
            for (field, sentences) in &self.0.errors {
                if !OWN_NAMES.contains(&field.as_str()) {
                    body.insert(field.clone(), json!(sentences));
                }
            }
        }
        if !self.0.errors.is_empty() {
            body.insert("errors".to_owned(), json!(self.0.errors));
        }
        for (name, value) in self.0.members {
            body.entry(name).or_insert(value);
        }
        let response = Response::json_as(self.0.status, "application/problem+json", &Value::Object(body));
        let mut response = response.no_store().into_http();
        for (name, value) in self.0.headers {
            response.headers_mut().insert(name, value);
        }
        response.into()
    }
}

/// The sentence, every refused field and every finding of a problem's body, on one line each, for
/// a terminal.
pub(crate) fn explained(body: &Value) -> String {
    let detail = body.get("detail").and_then(Value::as_str);
    let mut text = detail.unwrap_or("The request was refused.").to_owned();
    for (field, sentences) in body.get("errors").and_then(Value::as_object).into_iter().flatten() {
        for sentence in sentences.as_array().into_iter().flatten().filter_map(Value::as_str) {
            text.push_str(&format!("\n{field}: {sentence}"));
        }
    }
    for finding in body.get("findings").and_then(Value::as_array).into_iter().flatten() {
        let part = |name: &str| finding.get(name).and_then(Value::as_str).unwrap_or_default();
        text.push_str(&format!("\n{}: {}; {}", part("level"), part("reason"), part("mending")));
    }
    text
}

fn causes(error: &(dyn Error + Send + Sync + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

impl From<FieldError> for Problem {
    fn from(error: FieldError) -> Self {
        Self::fields(vec![error])
    }
}

impl From<Vec<FieldError>> for Problem {
    fn from(errors: Vec<FieldError>) -> Self {
        Self::fields(errors)
    }
}

#[cfg(test)]
mod tests;

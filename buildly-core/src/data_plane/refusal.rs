//! Why the data plane answers a request itself: problem details (RFC 9457).
//!
//! `detail` is always there and is a sentence that a person understands.

use std::collections::BTreeMap;
use std::time::Duration;

use buildly_model::{Body, CallError, ErrorKind, FieldError, StoreError};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use serde_json::json;

const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// An answer of the gateway's own, in place of a service's.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) detail: String,
    /// The rule that decided, where a right is missing.
    pub(super) reason: Option<String>,
    pub(super) retry_after: Option<Duration>,
    /// Every refused field of the body.
    pub(super) fields: Vec<FieldError>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), reason: None, retry_after: None, fields: Vec::new() }
    }

    pub(super) fn unauthenticated(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, detail)
    }

    pub(super) fn forbidden(reason: impl ToString) -> Self {
        let detail = "You do not have permission to perform this action.";
        Self { reason: Some(reason.to_string()), ..Self::new(StatusCode::FORBIDDEN, detail) }
    }

    pub(super) fn into_response(self) -> Response<Body> {
        let (kind, title) = kind_and_title(self.status);
        let mut problem = json!({
            "type": format!("urn:buildly:problem:{kind}"),
            "title": title,
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        if let (Some(reason), Some(members)) = (self.reason, problem.as_object_mut()) {
            members.insert("reason".to_owned(), reason.into());
        }
        if let Some(members) = problem.as_object_mut().filter(|_| !self.fields.is_empty()) {
            let mut errors: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for field in self.fields {
                errors.entry(field.field).or_default().push(field.message);
            }
            members.insert("errors".to_owned(), json!(errors));
        }
        let mut response = Response::new(Body::from(problem.to_string()));
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, PROBLEM_JSON);
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"buildly\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        if let Some(wait) = self.retry_after {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response
    }
}

pub(super) const fn status_of(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::Invalid => StatusCode::BAD_REQUEST,
        ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorKind::Forbidden => StatusCode::FORBIDDEN,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Conflict => StatusCode::CONFLICT,
        ErrorKind::Limited => StatusCode::TOO_MANY_REQUESTS,
        ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::Corrupt => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn kind_and_title(status: StatusCode) -> (&'static str, &'static str) {
    match status {
        StatusCode::BAD_REQUEST => ("invalid", "Invalid input"),
        StatusCode::UNAUTHORIZED => ("unauthenticated", "Not signed in"),
        StatusCode::FORBIDDEN => ("forbidden", "Not allowed"),
        StatusCode::NOT_FOUND => ("not-found", "Not found"),
        StatusCode::REQUEST_TIMEOUT => ("too-slow", "Too slow"),
        StatusCode::METHOD_NOT_ALLOWED => ("method-not-allowed", "Method not allowed"),
        StatusCode::CONFLICT => ("conflict", "Conflict"),
        StatusCode::PAYLOAD_TOO_LARGE => ("too-large", "Too large"),
        StatusCode::TOO_MANY_REQUESTS => ("limited", "Too many requests"),
        StatusCode::BAD_GATEWAY => ("bad-gateway", "Bad gateway"),
        StatusCode::SERVICE_UNAVAILABLE => ("unavailable", "Not available"),
        StatusCode::GATEWAY_TIMEOUT => ("gateway-timeout", "Gateway timeout"),
        _ => ("broken", "Internal error"),
    }
}

/// Our errors are lower case without a full stop; on the wire they are sentences.
fn sentence(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    let mut characters = text.chars();
    let first: String = characters.next().into_iter().flat_map(char::to_uppercase).collect();
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", characters.as_str())
}

impl From<CallError> for Refusal {
    fn from(error: CallError) -> Self {
        let retry_after = match &error {
            CallError::Busy { retry_after_seconds, .. } => {
                Some(Duration::from_secs((*retry_after_seconds).into()))
            }
            _ => None,
        };
        tracing::debug!(error = %error, cause = ?std::error::Error::source(&error), "call failed");
        Self { retry_after, ..Self::new(error.status(), sentence(&error)) }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::warn!(%error, "the storage failed a request");
        let detail = "Something that this needs does not answer; try again later.";
        let status = match error.kind() {
            ErrorKind::Corrupt => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self { retry_after: Some(Duration::from_secs(1)), ..Self::new(status, detail) }
    }
}

impl From<buildly_gateway::Error> for Refusal {
    fn from(error: buildly_gateway::Error) -> Self {
        match error {
            buildly_gateway::Error::Store(error) => error.into(),
            other => {
                let status = other.status().unwrap_or_else(|| status_of(other.kind()));
                Self::new(status, sentence(&other))
            }
        }
    }
}

impl From<buildly_auth::Error> for Refusal {
    fn from(error: buildly_auth::Error) -> Self {
        match error {
            buildly_auth::Error::Store(error) => error.into(),
            buildly_auth::Error::Forbidden(reason) => Self::forbidden(reason),
            other => Self::unauthenticated(sentence(&other)),
        }
    }
}

impl From<buildly_mesh::Error> for Refusal {
    fn from(error: buildly_mesh::Error) -> Self {
        match error {
            buildly_mesh::Error::Store(error) => error.into(),
            buildly_mesh::Error::Call(error) => error.into(),
            buildly_mesh::Error::Forbidden { reason } => Self::forbidden(reason),
            buildly_mesh::Error::Invalid(fields) => {
                let detail = sentence(&buildly_mesh::Error::Invalid(fields.clone()));
                Self { fields, ..Self::new(StatusCode::BAD_REQUEST, detail) }
            }
            buildly_mesh::Error::Misconfigured { .. } | buildly_mesh::Error::Unreadable { .. } => {
                Self::new(StatusCode::BAD_GATEWAY, sentence(&error))
            }
            other => Self::new(status_of(other.kind()), sentence(&other)),
        }
    }
}

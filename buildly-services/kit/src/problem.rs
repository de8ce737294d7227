//! Errors as problem details (RFC 9457): the one place where they become answers.

use std::collections::BTreeMap;

use buildly_model::{Body, ErrorKind, FieldError, StoreError};
use http::header::{ALLOW, CONTENT_RANGE, CONTENT_TYPE, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Map, Value, json};

use crate::Error;

const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("2");
const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"buildly\"");

/// Renders an error; the cause of a fault of ours is logged, never sent.
pub(crate) fn render(error: &Error) -> Response<Body> {
    let (status, name, title) = names(error);
    if status.is_server_error() {
        tracing::error!(error = ?error, "request failed");
    }
    let mut members = Map::new();
    members.insert("type".to_owned(), json!(format!("urn:buildly:problem:{name}")));
    members.insert("title".to_owned(), json!(title));
    members.insert("status".to_owned(), json!(status.as_u16()));
    members.insert("detail".to_owned(), json!(detail(error)));
    if let Some(errors) = errors(error) {
        members.insert("errors".to_owned(), json!(errors));
    }
    if let Error::Overlaps { id, .. } = error {
        members.insert("conflicts_with".to_owned(), json!(id));
    }
    let mut response = Response::new(Body::from(Value::Object(members).to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    if let Some((name, value)) = header(error) {
        headers.insert(name, value);
    }
    response
}

fn names(error: &Error) -> (StatusCode, &'static str, &'static str) {
    match error {
        Error::Invalid(_) | Error::Malformed(_) => (StatusCode::BAD_REQUEST, "invalid", "Invalid input"),
        Error::Unauthenticated(_) => (StatusCode::UNAUTHORIZED, "unauthenticated", "Not signed in"),
        Error::Forbidden(_) => (StatusCode::FORBIDDEN, "forbidden", "Not allowed"),
        Error::NotFound { .. } => (StatusCode::NOT_FOUND, "not-found", "Not found"),
        Error::MethodNotAllowed { .. } => {
            (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed")
        }
        Error::Conflict(_) | Error::Taken { .. } | Error::Overlaps { .. } => {
            (StatusCode::CONFLICT, "conflict", "Conflict")
        }
        Error::PreconditionFailed(_) => {
            (StatusCode::PRECONDITION_FAILED, "precondition-failed", "Precondition failed")
        }
        Error::PreconditionRequired => {
            (StatusCode::PRECONDITION_REQUIRED, "precondition-required", "Precondition required")
        }
        Error::KeyReused => (StatusCode::UNPROCESSABLE_ENTITY, "key-reused", "Idempotency-Key reused"),
        Error::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Too large"),
        Error::QuotaExceeded { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "quota-exceeded", "Quota exceeded"),
        Error::UnsupportedMedia { .. } => {
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "Unsupported media type")
        }
        Error::TooSlow => (StatusCode::REQUEST_TIMEOUT, "request-timeout", "Request timeout"),
        Error::RangeNotSatisfiable { .. } => {
            (StatusCode::RANGE_NOT_SATISFIABLE, "range-not-satisfiable", "Range not satisfiable")
        }
        Error::NoSpace => (StatusCode::INSUFFICIENT_STORAGE, "no-space", "No space left"),
        Error::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not available"),
        Error::Store(error) => of_store(error),
    }
}

fn of_store(error: &StoreError) -> (StatusCode, &'static str, &'static str) {
    match error.kind() {
        ErrorKind::Conflict => (StatusCode::CONFLICT, "conflict", "Conflict"),
        ErrorKind::NotFound => (StatusCode::NOT_FOUND, "not-found", "Not found"),
        ErrorKind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not available"),
        ErrorKind::Corrupt
        | ErrorKind::Invalid
        | ErrorKind::Unauthenticated
        | ErrorKind::Forbidden
        | ErrorKind::Limited => (StatusCode::INTERNAL_SERVER_ERROR, "broken", "Internal error"),
    }
}

fn detail(error: &Error) -> String {
    match error {
        Error::Invalid(fields) => match fields.as_slice() {
            [FieldError { field, message }] => format!("The field `{field}` is refused: {message}"),
            fields => format!("{} fields are refused; `errors` says why.", fields.len()),
        },
        Error::Store(error) => match error.kind() {
            ErrorKind::Conflict => {
                "Somebody else changed it at the same time; read it and try again.".to_owned()
            }
            ErrorKind::NotFound => "There is no such record.".to_owned(),
            ErrorKind::Unavailable => "The service's storage does not answer; try again.".to_owned(),
            _ => "Something of this service is broken; its log says what.".to_owned(),
        },
        other => other.to_string(),
    }
}

fn errors(error: &Error) -> Option<BTreeMap<&str, Vec<&str>>> {
    let mut errors: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    match error {
        Error::Invalid(fields) => {
            for FieldError { field, message } in fields {
                errors.entry(field).or_default().push(message);
            }
        }
        Error::Taken { field } => {
            errors.entry(field).or_default().push("Another record has this value already.");
        }
        _ => return None,
    }
    Some(errors)
}

fn header(error: &Error) -> Option<(HeaderName, HeaderValue)> {
    match error {
        Error::MethodNotAllowed { allow } => Some((ALLOW, HeaderValue::from_str(allow).ok()?)),
        Error::Unauthenticated(_) => Some((WWW_AUTHENTICATE, CHALLENGE)),
        Error::RangeNotSatisfiable { bytes } => {
            Some((CONTENT_RANGE, HeaderValue::from_str(&format!("bytes */{bytes}")).ok()?))
        }
        Error::Unavailable(_) => Some((RETRY_AFTER, RETRY_AFTER_SECONDS)),
        Error::Store(error) if error.kind() == ErrorKind::Unavailable => {
            Some((RETRY_AFTER, RETRY_AFTER_SECONDS))
        }
        _ => None,
    }
}

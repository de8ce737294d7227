//! How an error of an area becomes a problem: one place for all of them.

use std::error::Error;
use std::time::Duration;

use buildly_core::{auth, extension, gateway, mesh, workflow};
use buildly_model::{CallError, ErrorKind, FieldError, StoreError};
use http::StatusCode;
use serde_json::{Value, json};

use super::Problem;

/// What the server needs to know of an area's error.
pub trait AreaError: Error + Send + Sync + Sized + 'static {
    /// What the caller can do about it.
    fn kind(&self) -> ErrorKind;

    /// Every refused field, where it is about fields.
    fn fields(&self) -> Vec<FieldError> {
        Vec::new()
    }

    /// When to try again, where it is known.
    fn retry_after(&self) -> Option<Duration> {
        None
    }

    /// The failure of the storage that it passes on; its words are the operator's.
    fn of_store(&self) -> Option<&StoreError> {
        None
    }

    /// The failure of a call to a service that it passes on.
    fn of_call(&self) -> Option<&CallError> {
        None
    }

    /// Members of the problem that only errors of its kind have.
    fn members(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    /// Whether a service behind us is at fault.
    fn is_bad_gateway(&self) -> bool {
        false
    }
}

impl<E: AreaError> From<E> for Problem {
    fn from(error: E) -> Self {
        let detail = sentence(&error.to_string());
        if let Some(failure) = error.of_call() {
            return call(failure).because(error);
        }
        if error.is_bad_gateway() {
            return Self::bad_gateway(detail).because(error);
        }
        let problem = match error.kind() {
            ErrorKind::Invalid => {
                let fields = error.fields();
                if fields.is_empty() { Self::invalid(detail) } else { Self::fields(fields) }
            }
            ErrorKind::Unauthenticated => Self::unauthenticated(detail),
            ErrorKind::Forbidden => Self::forbidden(detail),
            ErrorKind::NotFound => Self::not_found(detail),
            ErrorKind::Conflict => Self::conflict(detail),
            ErrorKind::Limited => Self::limited(detail),
            ErrorKind::Unavailable if error.of_store().is_some() => {
                Self::unavailable("Something that this needs does not answer; try again later.")
            }
            ErrorKind::Unavailable => Self::unavailable(detail),
            ErrorKind::Corrupt => Self::broken("Something is broken here; the operator's log says what."),
        };
        let problem = match error.retry_after() {
            Some(wait) => problem.retry_after(wait),
            None => problem,
        };
        let members = error.members();
        let problem =
            members.into_iter().fold(problem, |problem, (name, value)| problem.with_member(name, value));
        problem.because(error)
    }
}

/// Our errors are lower case without a full stop; on the wire they are sentences.
fn sentence(message: &str) -> String {
    let mut characters = message.chars();
    let mut text: String = match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => return "The request was refused.".to_owned(),
    };
    if !text.ends_with(['.', '!', '?', '/']) {
        text.push('.');
    }
    text
}

/// What a gateway answers when a service gives no answer (RFC 9110 section 15.6).
fn call(error: &CallError) -> Problem {
    let detail = sentence(&error.to_string());
    match error {
        CallError::UnknownService => Problem::not_found(detail),
        CallError::Busy { retry_after_seconds, .. } => {
            Problem::unavailable(detail).retry_after(Duration::from_secs(u64::from(*retry_after_seconds)))
        }
        CallError::DeadlineExceeded { .. } => Problem::gateway_timeout(detail),
        _ => Problem::bad_gateway(detail),
    }
}

impl From<CallError> for Problem {
    fn from(error: CallError) -> Self {
        call(&error).because(error)
    }
}

impl AreaError for StoreError {
    fn kind(&self) -> ErrorKind {
        Self::kind(self)
    }

    fn of_store(&self) -> Option<&StoreError> {
        Some(self)
    }
}

impl AreaError for buildly_core::Error {
    fn kind(&self) -> ErrorKind {
        Self::kind(self)
    }

    fn of_store(&self) -> Option<&StoreError> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}

impl AreaError for auth::Error {
    fn kind(&self) -> ErrorKind {
        Self::kind(self)
    }

    fn fields(&self) -> Vec<FieldError> {
        if let Self::Invalid(fields) = self { fields.clone() } else { Vec::new() }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Limited { retry_after } => Some(*retry_after),
            Self::Busy => Some(Duration::from_secs(1)),
            _ => None,
        }
    }

    fn of_store(&self) -> Option<&StoreError> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}

impl AreaError for gateway::Error {
    fn kind(&self) -> ErrorKind {
        Self::kind(self)
    }

    fn fields(&self) -> Vec<FieldError> {
        match self {
            Self::Invalid(fields) => fields.clone(),
            // About two fields together: where forms of existing clients look for that.
            Self::AlreadyRegistered => vec![FieldError::new("non_field_errors", self.to_string())],
            _ => Vec::new(),
        }
    }

    fn of_store(&self) -> Option<&StoreError> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }

    fn is_bad_gateway(&self) -> bool {
        self.status() == Some(StatusCode::BAD_GATEWAY)
    }
}

impl AreaError for mesh::Error {
    fn kind(&self) -> ErrorKind {
        Self::kind(self)
    }

    fn fields(&self) -> Vec<FieldError> {
        if let Self::Invalid(fields) = self { fields.clone() } else { Vec::new() }
    }

    fn of_store(&self) -> Option<&StoreError> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }

    fn of_call(&self) -> Option<&CallError> {
        if let Self::Call(error) = self { Some(error) } else { None }
    }

    fn is_bad_gateway(&self) -> bool {
        matches!(self, Self::Unreadable { .. } | Self::Misconfigured { .. })
    }
}

impl AreaError for extension::Error {
    fn kind(&self) -> ErrorKind {
        Self::kind(self)
    }

    fn fields(&self) -> Vec<FieldError> {
        if let Self::Invalid(fields) = self { fields.clone() } else { Vec::new() }
    }

    fn of_store(&self) -> Option<&StoreError> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}

impl AreaError for workflow::Error {
    fn kind(&self) -> ErrorKind {
        Self::kind(self)
    }

    fn fields(&self) -> Vec<FieldError> {
        match self {
            Self::Invalid(fields) | Self::Step(workflow::StepError::Invalid(fields)) => fields.clone(),
            _ => Vec::new(),
        }
    }

    /// Everything that must be mended in a template, not only the first.
    fn members(&self) -> Vec<(&'static str, Value)> {
        if let Self::Unsound(findings) = self { vec![("findings", json!(findings))] } else { Vec::new() }
    }

    fn of_store(&self) -> Option<&StoreError> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}

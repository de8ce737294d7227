//! How an error of an area becomes a problem: one place for all of them.

use std::error::Error;
use std::time::Duration;

use buildly_model::{CallError, ErrorKind, FieldError, StoreError};

use super::Problem;

/// What the server needs to know of an area's error; each area's `Error` gets four lines here.
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
}

impl<E: AreaError> From<E> for Problem {
    fn from(error: E) -> Self {
        let (kind, wait) = (error.kind(), error.retry_after());
        let detail = sentence(&error.to_string());
        let problem = match kind {
            ErrorKind::Invalid => {
                let fields = error.fields();
                if fields.is_empty() { Self::invalid(detail) } else { Self::fields(fields) }
            }
            ErrorKind::Unauthenticated => Self::unauthenticated(detail),
            ErrorKind::Forbidden => Self::forbidden(detail),
            ErrorKind::NotFound => Self::not_found(detail),
            ErrorKind::Conflict => Self::conflict(detail),
            ErrorKind::Limited => Self::limited(detail),
            ErrorKind::Unavailable => {
                Self::unavailable("Something that this needs does not answer; try again later.")
            }
            ErrorKind::Corrupt => Self::broken("Something is broken here; the operator's log says what."),
        };
        let problem = match wait {
            Some(wait) => problem.retry_after(wait),
            None => problem,
        };
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
    if !text.ends_with(['.', '!', '?']) {
        text.push('.');
    }
    text
}

impl AreaError for StoreError {
    fn kind(&self) -> ErrorKind {
        Self::kind(self)
    }
}

impl From<CallError> for Problem {
    fn from(error: CallError) -> Self {
        let detail = sentence(&error.to_string());
        let problem = match &error {
            CallError::UnknownService => Self::not_found(detail),
            CallError::Busy { retry_after_seconds, .. } => {
                Self::unavailable(detail).retry_after(Duration::from_secs(u64::from(*retry_after_seconds)))
            }
            CallError::DeadlineExceeded { .. } => Self::gateway_timeout(detail),
            _ => Self::bad_gateway(detail),
        };
        problem.because(error)
    }
}

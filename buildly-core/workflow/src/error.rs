//! What can go wrong, by what the caller can do about it.

use buildly_model::{ErrorKind, FieldError, StoreError};

use crate::{Finding, StepError};

/// Why the workflow area refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Every refused field at once, so that a form can be corrected in one go.
    #[error("invalid input: {}", sentences(.0))]
    Invalid(Vec<FieldError>),
    /// The template cannot be published as it is; each finding says what to mend.
    #[error("the template has {} faults; the first: {}", .0.len(), first(.0))]
    Unsound(Vec<Finding>),
    /// Nobody is signed in.
    #[error("sign in first")]
    Unauthenticated,
    /// The caller may not do this.
    #[error("{reason}")]
    Forbidden {
        /// The rule that decided.
        reason: String,
    },
    /// There is no such thing, or not for this caller.
    #[error("there is no {what} `{id}`")]
    NotFound {
        /// What was looked for.
        what: &'static str,
        /// What was given for it.
        id: String,
    },
    /// The state does not take this; look again.
    #[error("{reason}")]
    Conflict {
        /// What it would have needed.
        reason: String,
    },
    /// The run does not take this input.
    #[error(transparent)]
    Step(#[from] StepError),
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Error {
    /// One refused field.
    pub(crate) fn field(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(field, message)])
    }

    pub(crate) fn not_found(what: &'static str, id: impl ToString) -> Self {
        Self::NotFound { what, id: id.to_string() }
    }

    /// What a caller can do about it.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid(_) | Self::Unsound(_) => ErrorKind::Invalid,
            Self::Unauthenticated => ErrorKind::Unauthenticated,
            Self::Forbidden { .. } => ErrorKind::Forbidden,
            Self::NotFound { .. } => ErrorKind::NotFound,
            Self::Conflict { .. } => ErrorKind::Conflict,
            Self::Step(error) => error.kind(),
            Self::Store(error) => error.kind(),
        }
    }
}

fn sentences(fields: &[FieldError]) -> String {
    fields.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn first(findings: &[Finding]) -> String {
    findings.first().map(ToString::to_string).unwrap_or_default()
}

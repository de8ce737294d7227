//! What can go wrong, by what the caller can do about it.

use buildly_model::{ErrorKind, FieldError, StoreError};

/// Why the mesh refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Every refused field at once, so that a form can be corrected in one go.
    #[error("invalid input: {}", sentences(.0))]
    Invalid(Vec<FieldError>),
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
    /// The catalog does not fit what the service answers; a superuser can correct it.
    #[error("the mesh is configured wrongly: {reason}")]
    Misconfigured {
        /// What does not fit, with the names to look at.
        reason: String,
    },
    /// The answer of the service cannot be joined.
    #[error("service `{service}` gave an answer that cannot be joined: {reason}")]
    Unreadable {
        /// The service's name.
        service: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The service asked for did not answer.
    #[error("{0}")]
    Call(#[from] buildly_model::CallError),
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Error {
    /// One refused field.
    pub(crate) fn field(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(field, message)])
    }

    /// What a caller can do about it.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::Unauthenticated => ErrorKind::Unauthenticated,
            Self::Forbidden { .. } => ErrorKind::Forbidden,
            Self::NotFound { .. } => ErrorKind::NotFound,
            Self::Misconfigured { .. } => ErrorKind::Conflict,
            Self::Unreadable { .. } => ErrorKind::Unavailable,
            Self::Call(error) => error.kind(),
            Self::Store(error) => error.kind(),
        }
    }
}

fn sentences(fields: &[FieldError]) -> String {
    fields.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

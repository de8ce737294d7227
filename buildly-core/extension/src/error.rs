//! What can go wrong, by what the caller can do about it.

use buildly_model::{ErrorKind, FieldError, StoreError};

/// Why an extension refused.
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
    /// The state does not take this change.
    #[error("{reason}")]
    Conflict {
        /// What is in the way, and what to do.
        reason: String,
    },
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Error {
    pub(crate) fn not_found(what: &'static str, id: impl ToString) -> Self {
        Self::NotFound { what, id: id.to_string() }
    }

    /// What a caller can do about it.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::Unauthenticated => ErrorKind::Unauthenticated,
            Self::Forbidden { .. } => ErrorKind::Forbidden,
            Self::NotFound { .. } => ErrorKind::NotFound,
            Self::Conflict { .. } => ErrorKind::Conflict,
            Self::Store(error) => error.kind(),
        }
    }
}

fn sentences(fields: &[FieldError]) -> String {
    fields.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

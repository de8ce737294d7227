//! What a service refuses, by what the caller can do about it.

use buildly_model::{ErrorKind, FieldError, StoreError};
use uuid::Uuid;

/// Why a request was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Every refused field at once, so that a form can be corrected in one go.
    #[error("{} refused field(s)", .0.len())]
    Invalid(Vec<FieldError>),
    /// The request as a whole cannot be read.
    #[error("{0}")]
    Malformed(String),
    /// No token, or one that does not hold.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// Signed in, but not allowed.
    #[error("{0}")]
    Forbidden(&'static str),
    /// No such thing; another organization's reads the same, so that existence is not leaked.
    #[error("There is no such {what}.")]
    NotFound {
        /// What was looked for.
        what: &'static str,
    },
    /// The path knows other methods.
    #[error("This path takes {allow}.")]
    MethodNotAllowed {
        /// The value of `Allow`.
        allow: String,
    },
    /// The state does not take this change.
    #[error("{0}")]
    Conflict(String),
    /// A unique value is taken.
    #[error("`{field}` is taken already.")]
    Taken {
        /// The field whose value is taken.
        field: &'static str,
    },
    /// Another record has some of the time that this one would take.
    #[error(
        "The {what} `{id}` has the time from {starts} to {ends}; choose a time that is free, or change that one first."
    )]
    Overlaps {
        /// Which type of record.
        what: &'static str,
        /// The record that has the time.
        id: Uuid,
        /// From when.
        starts: String,
        /// Until when.
        ends: String,
    },
    /// The record is not the one that the request was meant for.
    #[error("{0}")]
    PreconditionFailed(&'static str),
    /// The record type wants `If-Match`.
    #[error("This record is changed only with `If-Match`, so that nobody's change is overwritten unseen.")]
    PreconditionRequired,
    /// The `Idempotency-Key` was used for another request.
    #[error("This `Idempotency-Key` was used for another request; take a new one.")]
    KeyReused,
    /// The body is larger than this path takes.
    #[error("The body is larger than the {bytes_max} bytes that this path takes.")]
    TooLarge {
        /// The limit.
        bytes_max: u64,
    },
    /// The body has a media type that this path does not read.
    #[error("Expected a body of type {expected}.")]
    UnsupportedMedia {
        /// What is read.
        expected: &'static str,
    },
    /// The body did not come in time.
    #[error("The body did not come in time.")]
    TooSlow,
    /// No byte of the content is in the range.
    #[error("The content has {bytes} bytes; none is in this range.")]
    RangeNotSatisfiable {
        /// How long the content is.
        bytes: u64,
    },
    /// There is no room for it.
    #[error("The disk is full; nothing was kept.")]
    NoSpace,
    /// The organization may not have as much as this would come to.
    #[error(
        "The organization may keep {bytes_max} bytes (`{limit}`), and this would be more; remove something first, or ask the operator for more."
    )]
    QuotaExceeded {
        /// The name of the limit, as the operator sets it.
        limit: &'static str,
        /// The limit.
        bytes_max: u64,
    },
    /// Something that is needed does not answer.
    #[error("{0}")]
    Unavailable(&'static str),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Error {
    /// One refused field.
    #[must_use]
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(field, message)])
    }

    /// What a caller can do about it.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid(_)
            | Self::Malformed(_)
            | Self::MethodNotAllowed { .. }
            | Self::KeyReused
            | Self::TooLarge { .. }
            | Self::QuotaExceeded { .. }
            | Self::UnsupportedMedia { .. }
            | Self::TooSlow
            | Self::RangeNotSatisfiable { .. } => ErrorKind::Invalid,
            Self::Unauthenticated(_) => ErrorKind::Unauthenticated,
            Self::Forbidden(_) => ErrorKind::Forbidden,
            Self::NotFound { .. } => ErrorKind::NotFound,
            Self::Conflict(_)
            | Self::Taken { .. }
            | Self::Overlaps { .. }
            | Self::PreconditionFailed(_)
            | Self::PreconditionRequired => ErrorKind::Conflict,
            Self::NoSpace | Self::Unavailable(_) => ErrorKind::Unavailable,
            Self::Store(error) => error.kind(),
        }
    }
}

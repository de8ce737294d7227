//! Errors that every area and every border shares.

use serde::Serialize;

use crate::Revision;

/// What a caller can do about an error; server, C and Python translate it, each in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The input is wrong; correct it.
    Invalid,
    /// Nobody is signed in; sign in.
    Unauthenticated,
    /// Signed in, but not allowed; ask for the right.
    Forbidden,
    /// There is no such thing, or not for this caller.
    NotFound,
    /// The state does not take this change; read again and decide again.
    Conflict,
    /// Too much or too often; wait.
    Limited,
    /// Something that is needed does not answer; try again later.
    Unavailable,
    /// Stored data or our own state is broken; a person must act.
    Corrupt,
}

/// One refused field of an input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("`{field}`: {message}")]
pub struct FieldError {
    /// The field's name on the wire.
    pub field: String,
    /// A sentence that says what was expected.
    pub message: String,
}

impl FieldError {
    /// Refuses `field` with a sentence.
    #[must_use]
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

/// What can go wrong in a store; shared by all ports of all areas.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// What the unit expected to be true no longer is; nothing was written. Read and decide again.
    #[error("the stored state has moved on; read it again and repeat the change")]
    Stale,
    /// A unique value is taken; nothing was written.
    #[error("`{field}` is taken already")]
    Taken {
        /// The name of the value that must be unique, as the area calls it.
        field: &'static str,
    },
    /// The thing to change does not exist (any more); nothing was written.
    #[error("there is no such {what}")]
    Missing {
        /// What was looked for, as the area calls it.
        what: &'static str,
    },
    /// The storage does not answer, is full, or is busy for too long; nothing was acknowledged.
    #[error("the storage is not available: {reason}")]
    Unavailable {
        /// A sentence for the operator.
        reason: String,
        /// The driver's error.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// Stored data cannot be read back, or does not fit this version.
    #[error("stored data cannot be used: {reason}")]
    Corrupt {
        /// A sentence for the operator.
        reason: String,
    },
    /// This node has lost touch with the others and refuses until it has caught up.
    #[error("this node has applied revision {applied} only and is catching up")]
    Behind {
        /// How far it has come.
        applied: Revision,
    },
}

impl StoreError {
    /// A storage that does not answer, with the driver's error.
    pub fn unavailable(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Unavailable { reason: source.to_string(), source: Some(Box::new(source)) }
    }

    /// Stored data that cannot be read back.
    pub fn corrupt(reason: impl Into<String>) -> Self {
        Self::Corrupt { reason: reason.into() }
    }

    /// What a caller can do about it.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Stale | Self::Taken { .. } => ErrorKind::Conflict,
            Self::Missing { .. } => ErrorKind::NotFound,
            Self::Unavailable { .. } | Self::Behind { .. } => ErrorKind::Unavailable,
            Self::Corrupt { .. } => ErrorKind::Corrupt,
        }
    }
}

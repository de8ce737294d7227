//! What can go wrong in identity, tokens and permissions.

use std::time::Duration;

use buildly_model::{ErrorKind, FieldError, StoreError};

use crate::permission::Reason;

/// An operation of this area was refused or failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Every refused field at once, so that a form can be corrected in one go.
    #[error("invalid input: {}", join(.0))]
    Invalid(Vec<FieldError>),
    /// Nobody is signed in.
    #[error("authentication credentials were not provided")]
    NotSignedIn,
    /// The token or API key is not good; it says why.
    #[error(transparent)]
    Token(#[from] crate::token::Refusal),
    /// No token can be signed; the deployment's keys need a person.
    #[error(transparent)]
    Signing(#[from] crate::token::SigningError),
    /// User name or password is wrong, or there is no such user: nobody can tell which.
    #[error("invalid credentials given")]
    WrongCredentials,
    /// A security extension could not prove who somebody is.
    #[error(transparent)]
    Unproven(#[from] crate::security::Unproven),
    /// The password is right, but an administrator has not let the user in yet, or no longer does.
    #[error("this account is not active: an administrator of the organization has to approve it")]
    AwaitingApproval,
    /// Signed in, but not allowed; the reason names the rule.
    #[error("{0}")]
    Forbidden(Reason),
    /// There is no such thing, or not for this caller.
    #[error("there is no such {what}")]
    NotFound {
        /// What was looked for.
        what: &'static str,
    },
    /// The state does not take this change.
    #[error("{reason}")]
    Conflict {
        /// A sentence that says which rule stands against it.
        reason: String,
    },
    /// An invitation cannot be used.
    #[error(transparent)]
    Invitation(#[from] crate::identity::InvitationFault),
    /// Too many failures; wait.
    #[error("too many attempts; try again in {} s", retry_after.as_secs().max(1))]
    Limited {
        /// When it makes sense to try again.
        retry_after: Duration,
    },
    /// More passwords wait to be checked than may; try again in a moment.
    #[error("too many sign-ins at once; try again in a moment")]
    Busy,
    /// The storage refused or failed.
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
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::NotSignedIn
            | Self::Token(_)
            | Self::WrongCredentials
            | Self::AwaitingApproval
            | Self::Invitation(_) => ErrorKind::Unauthenticated,
            Self::Unproven(crate::security::Unproven::Refused(_)) => ErrorKind::Unauthenticated,
            Self::Unproven(crate::security::Unproven::Unavailable(_)) => ErrorKind::Unavailable,
            Self::Signing(error) => error.kind(),
            Self::Forbidden(_) => ErrorKind::Forbidden,
            Self::NotFound { .. } => ErrorKind::NotFound,
            Self::Conflict { .. } => ErrorKind::Conflict,
            Self::Limited { .. } => ErrorKind::Limited,
            Self::Busy => ErrorKind::Unavailable,
            Self::Store(error) => error.kind(),
        }
    }
}

fn join(errors: &[FieldError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

//! What can go wrong at the gateway.

use buildly_model::{ErrorKind, FieldError, StoreError};
use http::StatusCode;

use crate::openapi;

/// Why an operation or a request was refused. The sentences of routing are part of the wire
/// contract.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Every refused field at once, so that a form can be corrected in one go.
    #[error("invalid input: {}", join(.0))]
    Invalid(Vec<FieldError>),
    /// The path is not one that can be passed on safely.
    #[error("the path is not valid: {reason}")]
    InvalidPath {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A change or deletion names no record.
    #[error("The object ID is missing.")]
    ObjectIdMissing,
    /// Nobody is signed in.
    #[error("Authentication credentials were not provided.")]
    Unauthenticated,
    /// The caller may not.
    #[error("You do not have permission to perform this action.")]
    Forbidden,
    /// No service of this name, or not in this version.
    #[error("Service \"{name}\" not found.")]
    ServiceNotFound {
        /// The name in the path.
        name: String,
    },
    /// The service's document has no such operation.
    #[error("Endpoint not found: {method} {path}")]
    EndpointNotFound {
        /// The method asked for.
        method: http::Method,
        /// The path, with its keys as parameters.
        path: String,
    },
    /// There is no service or instance of this id.
    #[error("Not found.")]
    NotFound,
    /// The same name and address are registered already.
    #[error("The fields endpoint, endpoint_name must make a unique set.")]
    AlreadyRegistered,
    /// The service changed meanwhile, or cannot be changed this way.
    #[error("{reason}")]
    Conflict {
        /// What stands against it, and what to do.
        reason: String,
    },
    /// The service does not give its document, so that its operations are not known.
    #[error("the API document of service `{service}` cannot be had: {reason}")]
    SpecificationUnavailable {
        /// The service's name.
        service: String,
        /// What was asked and what came.
        reason: String,
    },
    /// What the service gives is not an API document.
    #[error("what service `{service}` gives as its API document cannot be used: {source}")]
    SpecificationInvalid {
        /// The service's name.
        service: String,
        /// What is wrong with it.
        source: openapi::Error,
    },
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn join(fields: &[FieldError]) -> String {
    fields.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl Error {
    /// What a caller can do about it.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid(_)
            | Self::InvalidPath { .. }
            | Self::ObjectIdMissing
            | Self::AlreadyRegistered
            | Self::SpecificationInvalid { .. } => ErrorKind::Invalid,
            Self::Unauthenticated => ErrorKind::Unauthenticated,
            Self::Forbidden => ErrorKind::Forbidden,
            Self::ServiceNotFound { .. } | Self::EndpointNotFound { .. } | Self::NotFound => {
                ErrorKind::NotFound
            }
            Self::Conflict { .. } => ErrorKind::Conflict,
            Self::SpecificationUnavailable { .. } => ErrorKind::Unavailable,
            Self::Store(error) => error.kind(),
        }
    }

    /// The status where the kind alone does not say it: a service that gives no usable document
    /// is a bad gateway (RFC 9110 section 15.6.3).
    #[must_use]
    pub const fn status(&self) -> Option<StatusCode> {
        match self {
            Self::SpecificationUnavailable { .. } | Self::SpecificationInvalid { .. } => {
                Some(StatusCode::BAD_GATEWAY)
            }
            _ => None,
        }
    }
}

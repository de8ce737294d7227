//! How everything that calls a service calls it.
//!
//! The gateway implements [`ServiceClient`], so that every call, from outside or from
//! within, passes the same discovery, balancing, deadlines, breakers and limits.

use async_trait::async_trait;

use crate::{Body, ErrorKind, Principal, ServiceId, Timestamp};

/// One call to a service.
#[derive(Debug)]
pub struct ServiceCall {
    /// Which service.
    pub service: ServiceId,
    /// Method, path and query below the service's base URL, headers, body. The URI has no authority.
    pub request: http::Request<Body>,
    /// On whose behalf; rights have been checked by the caller.
    pub principal: Principal,
    /// The `Authorization` value that the principal came with, for services that get it forwarded.
    pub authorization: Option<http::HeaderValue>,
    /// No answer's head after this: the call ends with [`CallError::DeadlineExceeded`].
    pub deadline: Option<Timestamp>,
}

/// Why a call to a service gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// No service of that id is registered.
    #[error("the service is not registered")]
    UnknownService,
    /// No instance took the connection.
    #[error("service `{service}` cannot be reached")]
    Unreachable {
        /// The service's name.
        service: String,
        /// What the connection said.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The service's queue is full.
    #[error("service `{service}` is busy; try again in {retry_after_seconds} s")]
    Busy {
        /// The service's name.
        service: String,
        /// When to try again.
        retry_after_seconds: u32,
    },
    /// The service did not answer in time.
    #[error("service `{service}` did not answer in time")]
    DeadlineExceeded {
        /// The service's name.
        service: String,
    },
    /// The service answered with something that is not HTTP, or broke off.
    #[error("service `{service}` gave no valid answer")]
    BadAnswer {
        /// The service's name.
        service: String,
        /// What was wrong with it.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
}

impl CallError {
    /// What a caller can do about it.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::UnknownService => ErrorKind::NotFound,
            Self::Busy { .. }
            | Self::Unreachable { .. }
            | Self::DeadlineExceeded { .. }
            | Self::BadAnswer { .. } => ErrorKind::Unavailable,
        }
    }

    /// The status that a gateway answers with (RFC 9110 section 15.6).
    #[must_use]
    pub const fn status(&self) -> http::StatusCode {
        match self {
            Self::UnknownService => http::StatusCode::NOT_FOUND,
            Self::Busy { .. } => http::StatusCode::SERVICE_UNAVAILABLE,
            Self::Unreachable { .. } | Self::BadAnswer { .. } => http::StatusCode::BAD_GATEWAY,
            Self::DeadlineExceeded { .. } => http::StatusCode::GATEWAY_TIMEOUT,
        }
    }
}

/// Calls services.
#[async_trait]
pub trait ServiceClient: Send + Sync {
    /// Performs one call; the answer's body streams.
    ///
    /// # Errors
    /// [`CallError`] if there is no answer. Any status of the service, also 500, is an answer.
    async fn call(&self, call: ServiceCall) -> Result<http::Response<Body>, CallError>;
}

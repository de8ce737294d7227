//! A service's API document as text, and the port that fetches it.

use std::time::Duration;

use async_trait::async_trait;
use buildly_model::Timestamp;
use bytes::Bytes;
use http::{StatusCode, Uri};

use crate::Version;

/// The largest document that is read, in bytes.
pub const SPECIFICATION_BYTES_MAX: usize = 20 * 1024 * 1024;

/// The OpenAPI document of one version of a service, as it was fetched.
#[derive(Debug, Clone, PartialEq)]
pub struct Specification {
    /// Of which version of the service.
    pub version: Option<Version>,
    /// The document, JSON or YAML, as it came.
    pub text: String,
    /// When it was fetched.
    pub fetched_at: Timestamp,
}

/// What is known of a stored document without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecificationMark {
    /// Of which version of the service.
    pub version: Option<Version>,
    /// When it was fetched: another time is another document.
    pub fetched_at: Timestamp,
}

/// What a service answered when it was asked for its document.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// The status.
    pub status: StatusCode,
    /// The body.
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// Nobody took the connection, or it broke.
    #[error("it cannot be reached: {reason}")]
    Unreachable {
        /// What the connection said.
        reason: String,
    },
    /// It took too long.
    #[error("it did not answer in time")]
    TimedOut,
    /// The document is larger than allowed.
    #[error("the document is larger than {bytes_max} bytes")]
    TooLarge {
        /// The limit.
        bytes_max: usize,
    },
}

/// Fetches documents of services; implemented over an HTTP client.
#[async_trait]
pub trait SpecificationSource: Send + Sync {
    /// Performs one `GET` and reads the whole body, at most `bytes_max` of it, within `timeout`.
    /// It follows no redirect, sends no credential, and asks for JSON or YAML.
    ///
    /// # Errors
    /// [`SourceError`] if there is no answer. Any status is an answer.
    async fn fetch(&self, url: &Uri, bytes_max: usize, timeout: Duration) -> Result<Fetched, SourceError>;
}

//! Why a figure could not be taken.

/// Why a figure could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A program or file of this machine.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// A request over HTTP.
    #[error("{0}")]
    Http(Box<dyn std::error::Error + Send + Sync>),
    /// An answer that is not as it should be.
    #[error("expected {expected}, got {got}")]
    Wrong {
        /// What should have come.
        expected: &'static str,
        /// What came.
        got: String,
    },
    /// A peer that cannot be installed or started.
    #[error("{peer} cannot be measured: {reason}")]
    Peer {
        /// Which.
        peer: &'static str,
        /// Why.
        reason: String,
    },
}

impl Failure {
    /// One of a request over HTTP, or of anything else that a package says.
    pub fn http(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Http(Box::new(error))
    }
}

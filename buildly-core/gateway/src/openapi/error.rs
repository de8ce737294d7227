//! Why a text is not a document that can be used.

/// Why a text is not an API document that can be used; each says what came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is larger than is read.
    #[error("the document has {bytes} bytes; at most {bytes_max} are read")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// The text is neither JSON nor YAML.
    #[error("expected an OpenAPI document in JSON or YAML, got {came}")]
    Malformed {
        /// What came instead, and where it goes wrong.
        came: String,
    },
    /// It is JSON or YAML, but not an OpenAPI document.
    #[error("expected an OpenAPI document with `openapi` or `swagger` and `paths`, got {came}")]
    NotADocument {
        /// What came instead.
        came: String,
    },
    /// It goes beyond a limit that keeps reading it cheap.
    #[error("the document has {what}; at most {limit} are read")]
    TooMuch {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
}

//! What can go wrong when a deployment is opened.

use std::io;
use std::path::{Path, PathBuf};

use buildly_model::{ErrorKind, StoreError};

/// Why a deployment cannot be opened, or why it does not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder of the data folder cannot be used.
    #[error("the data folder cannot be used: `{}`: {source}", path.display())]
    Folder {
        /// Which file or folder.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// A key file does not hold a key. It is left as it is.
    #[error("`{}` does not hold {expected}; put the right file back, or move it away to start with a new key", path.display())]
    Key {
        /// Which file.
        path: PathBuf,
        /// What was expected.
        expected: String,
    },
    /// A setting is wrong.
    #[error("setting `{setting}`: {reason}")]
    Setting {
        /// Its name.
        setting: &'static str,
        /// What was expected and what to do.
        reason: String,
    },
    /// The caller may not.
    #[error("{reason}")]
    Forbidden {
        /// The rule that decided.
        reason: String,
    },
    /// Commands that cannot be written together.
    #[error("{reason}")]
    Unit {
        /// Which, and what to do.
        reason: String,
    },
    /// People, rights, keys and tokens.
    #[error(transparent)]
    Auth(#[from] buildly_auth::Error),
    /// Services.
    #[error(transparent)]
    Gateway(#[from] buildly_gateway::Error),
    /// Record types, relationships, join records.
    #[error(transparent)]
    Mesh(#[from] buildly_mesh::Error),
    /// Workflows.
    #[error(transparent)]
    Workflow(#[from] buildly_workflow::Error),
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Error {
    pub(crate) fn folder(path: &Path, source: io::Error) -> Self {
        Self::Folder { path: path.to_path_buf(), source }
    }

    /// What a caller can do about it.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Folder { .. } => ErrorKind::Unavailable,
            Self::Key { .. } => ErrorKind::Corrupt,
            Self::Setting { .. } | Self::Unit { .. } => ErrorKind::Invalid,
            Self::Forbidden { .. } => ErrorKind::Forbidden,
            Self::Auth(error) => error.kind(),
            Self::Gateway(error) => error.kind(),
            Self::Mesh(error) => error.kind(),
            Self::Workflow(error) => error.kind(),
            Self::Store(error) => error.kind(),
        }
    }
}

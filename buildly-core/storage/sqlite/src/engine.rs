//! The SQLite engine: one writer thread with group commit, a pool of readers, migrations.

use buildly_model::StoreError;
use rusqlite::Connection;

/// A database file that is open; cheap to clone.
#[derive(Clone)]
pub struct Engine {}

impl Engine {
    /// Runs `work` on the writer thread in a savepoint of its own; returns once the batch it
    /// went into is on disk. An error rolls back this savepoint only.
    ///
    /// # Errors
    /// What `work` returned, or [`StoreError::Unavailable`] if the batch could not be committed.
    pub async fn write<T: Send + 'static>(
        &self,
        _work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        Err(StoreError::corrupt("the engine's room is still empty"))
    }

    /// Runs `work` on a reader's thread, in one read transaction.
    ///
    /// # Errors
    /// What `work` returned, or [`StoreError::Unavailable`].
    pub async fn read<T: Send + 'static>(
        &self,
        _work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        Err(StoreError::corrupt("the engine's room is still empty"))
    }
}

/// The one place where SQLite's errors become ours.
#[must_use]
pub fn store_error(error: rusqlite::Error) -> StoreError {
    StoreError::unavailable(error)
}

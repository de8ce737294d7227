//! Room for the gateway.

use std::sync::Arc;

use buildly_journal::FeedEvent;
use buildly_model::StoreError;

/// What can change.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {}

/// What is read from a storage.
#[async_trait::async_trait]
pub trait Store: Send + Sync {}

/// The hot state.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {}

impl Snapshot {
    /// Loads it from the storage, at start.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub async fn load(_store: &Arc<dyn Store>) -> Result<Self, StoreError> {
        Ok(Self {})
    }

    /// The next snapshot: reads again only what the events touched.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub async fn follow(&self, _events: &[FeedEvent], _store: &Arc<dyn Store>) -> Result<Self, StoreError> {
        Ok(self.clone())
    }
}

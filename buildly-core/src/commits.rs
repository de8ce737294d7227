//! The one way in which the areas write: a unit, then the wait until it counts everywhere.

use std::sync::Arc;

use async_trait::async_trait;
use buildly_journal::{Commit, Part};
use buildly_model::{Revision, StoreError};
use buildly_unit::{Change, Storage, Unit};

use crate::freshness::Freshness;
use crate::snapshot::Hot;

/// Writes parts of any area as one unit.
#[derive(Clone)]
pub(crate) struct Commits {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) hot: Arc<Hot>,
    pub(crate) freshness: Arc<Freshness>,
}

#[async_trait]
impl<C: Into<Change> + Send + 'static> Commit<C> for Commits {
    async fn commit_all(&self, parts: Vec<Part<C>>) -> Result<Revision, StoreError> {
        let parts: Vec<Part<Change>> = parts.into_iter().map(|part| part.map(Into::into)).collect();
        let takes_rights = parts.iter().any(|part| part.takes_rights);
        let revision = self.storage.commit(Unit { parts }).await?;
        self.hot.reached(revision).await?;
        if takes_rights {
            self.freshness.wait_for_others(self.storage.as_ref(), revision).await?;
        }
        Ok(revision)
    }
}

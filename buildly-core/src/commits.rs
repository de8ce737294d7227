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
        // Nothing that a request decides by is in the workflow area or in extensions.
        let is_cold = |change: &Change| matches!(change, Change::Workflow(_) | Change::Extension(_));
        let is_hot = !parts.iter().flat_map(|part| &part.changes).all(is_cold);
        let revision = self.storage.commit(Unit { parts }).await?;
        if is_hot {
            self.hot.reached(revision).await?;
        }
        if takes_rights {
            self.freshness.wait_for_others(self.storage.as_ref(), revision).await?;
        }
        Ok(revision)
    }
}

/// What is written with an operation of an area, all or nothing. Events are followed in this order.
#[derive(Debug, Clone, Default)]
pub struct Together {
    /// What comes before the operation's own.
    pub before: Vec<Part<Change>>,
    /// What comes after it.
    pub after: Vec<Part<Change>>,
}

/// Writes parts of an area with those of others.
pub(crate) struct CommitTogether {
    pub(crate) commits: Commits,
    pub(crate) with: Together,
}

#[async_trait]
impl<C: Into<Change> + Send + 'static> Commit<C> for CommitTogether {
    async fn commit_all(&self, parts: Vec<Part<C>>) -> Result<Revision, StoreError> {
        let own = parts.into_iter().map(|part| part.map(Into::into));
        let Together { before, after } = self.with.clone();
        self.commits.commit_all(before.into_iter().chain(own).chain(after).collect()).await
    }
}

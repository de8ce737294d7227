//! Reading the journal: the audit trail of an organization.

mod proof;

use std::sync::Arc;

use buildly_model::{Clock, OrganizationId, PageSize, StoreError};
use buildly_unit::Storage;

pub use buildly_journal::*;
pub use proof::{Verification, checkpoints, verify};

use crate::{Error, Folder};

/// Reads and proves the journal.
#[derive(Clone)]
pub struct Journal {
    storage: Arc<dyn Storage>,
    folder: Folder,
    clock: Arc<dyn Clock>,
}

impl Journal {
    pub(crate) fn new(storage: Arc<dyn Storage>, folder: Folder, clock: Arc<dyn Clock>) -> Self {
        Self { storage, folder, clock }
    }

    /// Events of one chain, newest first; `before_sequence` is where the last page ended.
    ///
    /// The caller has checked that whoever asks may see this chain.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub async fn find(
        &self,
        organization: Option<OrganizationId>,
        filter: &EventFilter,
        before_sequence: Option<u64>,
        size: PageSize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.storage.find_events(organization, filter, before_sequence, size.rows()).await
    }

    /// Checks every chain from its first event to its end.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read; a chain that does not hold is no error
    /// but a finding.
    pub async fn verify(&self) -> Result<Verification, StoreError> {
        self.verify_against(&[]).await
    }

    /// As [`Journal::verify`], and that each chain still has the events that it had when these
    /// checkpoints were signed. Whoever asks has checked the signatures.
    ///
    /// # Errors
    /// As [`Journal::verify`].
    pub async fn verify_against(&self, kept: &[Checkpoint]) -> Result<Verification, StoreError> {
        verify(self.storage.as_ref(), kept).await
    }

    /// Signs the ends of all chains with the deployment's checkpoint key, to be kept elsewhere.
    ///
    /// # Errors
    /// As [`Journal::checkpoint`].
    pub async fn checkpoints(&self) -> Result<Checkpoints, Error> {
        let key = self.folder.checkpoint_key()?;
        Ok(checkpoints(self.storage.as_ref(), self.clock.now(), &key).await?)
    }

    /// Signs the end of one chain with the deployment's checkpoint key.
    ///
    /// # Errors
    /// [`Error::Store`] if the journal cannot be read, [`Error::Folder`] or [`Error::Key`] if
    /// there is no key.
    pub async fn checkpoint(&self, organization: Option<OrganizationId>) -> Result<Checkpoint, Error> {
        let head = self.storage.head(organization).await?;
        Ok(Checkpoint::sign(&head, self.clock.now(), &self.folder.checkpoint_key()?))
    }
}

//! Reading the journal: the audit trail of an organization, and the proof that it holds.

use std::sync::Arc;

use buildly_model::{Clock as _, OrganizationId, PageSize, StoreError, system::System};
use buildly_unit::Storage;

pub use buildly_journal::*;

use crate::{Error, Folder};

/// Reads and proves the journal.
#[derive(Clone)]
pub struct Journal {
    storage: Arc<dyn Storage>,
    folder: Folder,
}

/// How many events are read at once while a chain is checked.
const VERIFY_EVENTS_MAX: u32 = 1000;

/// What a check of all chains has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// How many chains hold, up to their last event.
    pub chains: u64,
    /// How many events these have.
    pub events: u64,
    /// The chains that do not hold: whose, and the first event that does not fit.
    pub broken: Vec<(Option<OrganizationId>, buildly_journal::Broken)>,
}

impl Journal {
    pub(crate) fn new(storage: Arc<dyn Storage>, folder: Folder) -> Self {
        Self { storage, folder }
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
        verify(self.storage.as_ref()).await
    }

    /// Signs the end of one chain with the deployment's checkpoint key.
    ///
    /// # Errors
    /// [`Error::Store`] if the journal cannot be read, [`Error::Folder`] or [`Error::Key`] if
    /// there is no key.
    pub async fn checkpoint(&self, organization: Option<OrganizationId>) -> Result<Checkpoint, Error> {
        let head = self.storage.head(organization).await?;
        Ok(Checkpoint::sign(&head, System.now(), &self.folder.checkpoint_key()?))
    }
}

/// Checks every chain that `history` knows.
///
/// # Errors
/// [`StoreError`] if it cannot be read.
pub async fn verify(history: &(impl buildly_journal::History + ?Sized)) -> Result<Verification, StoreError> {
    let mut found = Verification { chains: 0, events: 0, broken: Vec::new() };
    let mut after = None;
    loop {
        let heads = history.heads(after, VERIFY_EVENTS_MAX).await?;
        for head in &heads {
            match verify_chain(history, head).await? {
                Ok(events) => {
                    found.chains += 1;
                    found.events += events;
                }
                Err(broken) => found.broken.push((head.organization, broken)),
            }
        }
        let last = heads.last().and_then(|head| head.organization);
        if last.is_none() || last == after {
            return Ok(found);
        }
        after = last;
    }
}

/// How many events the chain has, or where it does not hold.
async fn verify_chain(
    history: &(impl buildly_journal::History + ?Sized),
    head: &Chain,
) -> Result<Result<u64, buildly_journal::Broken>, StoreError> {
    let mut chain = Chain::empty(head.organization);
    loop {
        let events = history.events(head.organization, chain.sequence, VERIFY_EVENTS_MAX).await?;
        for event in &events {
            if let Err(broken) = chain.verify(event) {
                return Ok(Err(broken));
            }
        }
        if events.is_empty() {
            break;
        }
    }
    // Events written meanwhile may follow the head that was read; fewer, or another one at
    // its place, may not.
    if chain.sequence < head.sequence || (chain.sequence == head.sequence && chain.hash != head.hash) {
        return Ok(Err(buildly_journal::Broken {
            sequence: chain.sequence + 1,
            id: "none".to_owned(),
            reason: "is missing: the chain ends before its recorded head",
        }));
    }
    Ok(Ok(chain.sequence))
}

//! What an area hands over to be written: changes and events, together or not at all.

use async_trait::async_trait;
use buildly_model::{OrganizationId, Revision, StoreError};

use crate::Event;

/// The changes and events of one decision, in one organization.
#[derive(Debug, Clone, PartialEq)]
pub struct Part<C> {
    /// Whose state changes and in whose chain the events stand; `None` is the deployment.
    pub organization: Option<OrganizationId>,
    /// The chain's last number when the decision was made, where a rule spans a set (such
    /// as "the last admin stays"). If the chain has moved on, the whole unit is stale.
    pub expected_sequence: Option<u64>,
    /// What changes, in order.
    pub changes: Vec<C>,
    /// What happened, in order.
    pub events: Vec<Event>,
    /// Whether a right is taken away: the answer then waits for every live node.
    pub takes_rights: bool,
}

impl<C> Part<C> {
    /// One change and its event.
    pub fn of(organization: Option<OrganizationId>, change: C, event: Event) -> Self {
        Self::of_all(organization, vec![change], vec![event])
    }

    /// Several changes and their events.
    pub fn of_all(organization: Option<OrganizationId>, changes: Vec<C>, events: Vec<Event>) -> Self {
        Self { organization, expected_sequence: None, changes, events, takes_rights: false }
    }

    /// Refuses the unit if the chain has moved on from `sequence`.
    #[must_use]
    pub fn expecting(self, sequence: u64) -> Self {
        Self { expected_sequence: Some(sequence), ..self }
    }

    /// Says that a right is taken away.
    #[must_use]
    pub fn taking_rights(self) -> Self {
        Self { takes_rights: true, ..self }
    }

    /// The same part in the terms of a wider set of changes.
    pub fn map<D>(self, into: impl FnMut(C) -> D) -> Part<D> {
        Part {
            organization: self.organization,
            expected_sequence: self.expected_sequence,
            changes: self.changes.into_iter().map(into).collect(),
            events: self.events,
            takes_rights: self.takes_rights,
        }
    }
}

/// The one way for an area to write; `C` is its own `Change`.
#[async_trait]
pub trait Commit<C: Send + 'static>: Send + Sync {
    /// Writes all parts or none. When it returns, this node's snapshot has the changes;
    /// where a right was taken away, every live node's has.
    ///
    /// # Errors
    /// [`StoreError::Stale`] if an expectation does not hold any more: decide again, three
    /// times at most. Nothing was written in any error case but a lost connection, of
    /// which nobody can know.
    async fn commit_all(&self, parts: Vec<Part<C>>) -> Result<Revision, StoreError>;

    /// Writes one part.
    ///
    /// # Errors
    /// As [`Commit::commit_all`].
    async fn commit(&self, part: Part<C>) -> Result<Revision, StoreError> {
        self.commit_all(vec![part]).await
    }
}

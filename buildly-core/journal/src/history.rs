//! Reading the journal as a history: the audit trail of one organization.

use async_trait::async_trait;
use buildly_model::{OrganizationId, StoreError, Timestamp};

use crate::{Chain, StoredEvent};

/// The end of a chain as the storage remembers it.
pub type Head = Chain;

/// Which events to list; all conditions must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only events of this kind, or whose kind begins with it and a full stop.
    pub kind: Option<String>,
    /// Only events about this thing.
    pub subject: Option<String>,
    /// Only events of this actor.
    pub actor: Option<String>,
    /// Only events at or after this instant.
    pub from: Option<Timestamp>,
    /// Only events before this instant.
    pub until: Option<Timestamp>,
}

/// Reads chains.
#[async_trait]
pub trait History: Send + Sync {
    /// The end of one chain; an empty one if nothing happened yet.
    async fn head(&self, organization: Option<OrganizationId>) -> Result<Head, StoreError>;

    /// The ends of all chains, the deployment's first, at most `heads_max` after `after`.
    async fn heads(&self, after: Option<OrganizationId>, heads_max: u32) -> Result<Vec<Head>, StoreError>;

    /// Events of one chain in order, after number `after_sequence`, at most `events_max`.
    async fn events(
        &self,
        organization: Option<OrganizationId>,
        after_sequence: u64,
        events_max: u32,
    ) -> Result<Vec<StoredEvent>, StoreError>;

    /// Events of one chain, newest first, before number `before_sequence`, at most `events_max`.
    async fn find_events(
        &self,
        organization: Option<OrganizationId>,
        filter: &EventFilter,
        before_sequence: Option<u64>,
        events_max: u32,
    ) -> Result<Vec<StoredEvent>, StoreError>;
}

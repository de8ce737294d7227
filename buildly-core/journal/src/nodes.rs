//! The leases of a deployment's nodes, and how far each has come.
//!
//! Where a right is taken away, the answer waits until every leaseholder has applied it, or its
//! lease was ended. A node that lost its lease refuses requests, takes a new one and reads its
//! state anew, so the price of a dead node is at most its lease.
//!
//! No clock of another machine is trusted, nor one that can be set: a node counts its own time
//! from before it asked for a renewal, and whoever waits for it ends its lease only after having
//! seen it unrenewed, by a steady clock of its own, for as long as a lease lives.

use std::fmt;

use async_trait::async_trait;
use buildly_model::{Revision, StoreError};
use uuid::Uuid;

/// One lease of a node. It is never taken up again: who lost it takes another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LeaseId(pub Uuid);

impl fmt::Display for LeaseId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// A lease as somebody saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SeenLease {
    /// Which.
    pub lease: LeaseId,
    /// Another number after every renewal.
    pub renewal: u64,
}

/// Keeps the leases.
#[async_trait]
pub trait Nodes: Send + Sync {
    /// Begins a lease whose node has applied nothing yet. From now on others wait for it.
    async fn begin_lease(&self, lease: LeaseId) -> Result<(), StoreError>;

    /// Says that the leaseholder lives and has applied `applied`. False if the lease was ended:
    /// others no longer wait for the node.
    async fn renew_lease(&self, lease: LeaseId, applied: Revision) -> Result<bool, StoreError>;

    /// Ends a lease, on an orderly stop.
    async fn end_lease(&self, lease: LeaseId) -> Result<(), StoreError>;

    /// The leases but this one whose nodes have not applied `revision` yet.
    async fn leases_behind(&self, own: LeaseId, revision: Revision) -> Result<Vec<SeenLease>, StoreError>;

    /// Ends a lease, if it was not renewed since it was seen; a renewal under way goes first.
    async fn end_unrenewed_lease(&self, seen: SeenLease) -> Result<(), StoreError>;
}

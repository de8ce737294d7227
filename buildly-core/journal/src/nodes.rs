//! The nodes of a deployment and how far each has come.
//!
//! Where a right is taken away, the answer waits until every live node has applied it. A
//! node that cannot renew its lease refuses requests until it has caught up, so the price
//! of a dead node is at most its lease.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use buildly_model::{Revision, StoreError};
use uuid::Uuid;

/// One running process of the deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub Uuid);

impl fmt::Display for NodeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Keeps the nodes' rows. Leases use the database's clock, so that nodes agree.
#[async_trait]
pub trait Nodes: Send + Sync {
    /// Says that `node` lives, has applied `applied`, and will say so again within `lease`.
    async fn renew_lease(&self, node: NodeId, applied: Revision, lease: Duration) -> Result<(), StoreError>;

    /// Takes the node off the list, on an orderly stop.
    async fn leave(&self, node: NodeId) -> Result<(), StoreError>;

    /// How many other nodes with a running lease have not applied `revision` yet.
    async fn nodes_behind(&self, node: NodeId, revision: Revision) -> Result<u32, StoreError>;
}

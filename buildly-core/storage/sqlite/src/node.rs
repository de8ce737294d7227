//! The nodes' leases. A data folder belongs to one process (see [`crate::engine::FolderLock`]),
//! so the nodes on it are handles in this process, and what is known of them need not
//! outlive it: no write, no fsync.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use buildly_journal::{NodeId, Nodes};
use buildly_model::{Revision, StoreError};
use tokio::time::Instant;

use crate::Sqlite;

/// How far each node has come, and until when its word counts.
#[derive(Clone, Default)]
pub(crate) struct Leases(Arc<Mutex<HashMap<NodeId, (Revision, Instant)>>>);

impl Leases {
    fn with<T>(&self, work: impl FnOnce(&mut HashMap<NodeId, (Revision, Instant)>) -> T) -> T {
        let mut leases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        leases.retain(|_, (_, until)| *until >= now);
        work(&mut leases)
    }
}

#[async_trait]
impl Nodes for Sqlite {
    async fn renew_lease(&self, node: NodeId, applied: Revision, lease: Duration) -> Result<(), StoreError> {
        self.leases.with(|leases| leases.insert(node, (applied, Instant::now() + lease)));
        Ok(())
    }

    async fn leave(&self, node: NodeId) -> Result<(), StoreError> {
        self.leases.with(|leases| leases.remove(&node));
        Ok(())
    }

    async fn nodes_behind(&self, node: NodeId, revision: Revision) -> Result<u32, StoreError> {
        let is_behind =
            |(id, (applied, _)): &(&NodeId, &(Revision, Instant))| **id != node && *applied < revision;
        let count = self.leases.with(|leases| leases.iter().filter(is_behind).count());
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }
}

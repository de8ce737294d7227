//! The nodes' leases. A data folder belongs to one process (see [`crate::engine::FolderLock`]),
//! so the nodes on it are handles in this process, and what is known of them need not
//! outlive it: no write, no fsync.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use buildly_journal::{LeaseId, Nodes, SeenLease};
use buildly_model::{Revision, StoreError};

use crate::Sqlite;

/// How far each leaseholder has come, and how often it said so.
#[derive(Clone, Default)]
pub(crate) struct Leases(Arc<Mutex<HashMap<LeaseId, Lease>>>);

#[derive(Clone, Copy)]
pub(crate) struct Lease {
    applied: Revision,
    renewal: u64,
}

impl Leases {
    fn with<T>(&self, work: impl FnOnce(&mut HashMap<LeaseId, Lease>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The leases that somebody holds.
    pub(crate) fn live(&self) -> Vec<LeaseId> {
        self.with(|leases| leases.keys().copied().collect())
    }
}

#[async_trait]
impl Nodes for Sqlite {
    async fn begin_lease(&self, lease: LeaseId) -> Result<(), StoreError> {
        let begun = Lease { applied: Revision::ZERO, renewal: 0 };
        self.leases.with(|leases| leases.insert(lease, begun));
        Ok(())
    }

    async fn renew_lease(&self, lease: LeaseId, applied: Revision) -> Result<bool, StoreError> {
        Ok(self.leases.with(|leases| {
            let renewed = leases.get_mut(&lease).map(|lease| {
                *lease = Lease { applied, renewal: lease.renewal.wrapping_add(1) };
            });
            renewed.is_some()
        }))
    }

    async fn end_lease(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.leases.with(|leases| leases.remove(&lease));
        Ok(())
    }

    async fn leases_behind(&self, own: LeaseId, revision: Revision) -> Result<Vec<SeenLease>, StoreError> {
        Ok(self.leases.with(|leases| {
            let behind = leases.iter().filter(|(id, lease)| **id != own && lease.applied < revision);
            behind.map(|(id, lease)| SeenLease { lease: *id, renewal: lease.renewal }).collect()
        }))
    }

    async fn end_unrenewed_lease(&self, seen: SeenLease) -> Result<(), StoreError> {
        self.leases.with(|leases| {
            if leases.get(&seen.lease).is_some_and(|lease| lease.renewal == seen.renewal) {
                leases.remove(&seen.lease);
            }
        });
        Ok(())
    }
}

//! The SQL of the nodes' leases, by the database's clock.

use std::time::Duration;

use async_trait::async_trait;
use buildly_journal::{NodeId, Nodes};
use buildly_model::{Revision, StoreError};

use crate::Sqlite;
use crate::engine::store_error;

const RENEW: &str = "
    INSERT INTO node (id, applied_revision, lease_until)
    VALUES (?1, ?2, CAST(unixepoch('subsec') * 1000000 AS INTEGER) + ?3)
    ON CONFLICT (id) DO UPDATE
    SET applied_revision = excluded.applied_revision, lease_until = excluded.lease_until";

/// Rows of processes that ended without a word.
const FORGET: &str = "DELETE FROM node WHERE lease_until < CAST(unixepoch('subsec') * 1000000 AS INTEGER)";

const LEAVE: &str = "DELETE FROM node WHERE id = ?1";

const BEHIND: &str = "
    SELECT count(*) FROM node
    WHERE id <> ?1 AND applied_revision < ?2
      AND lease_until >= CAST(unixepoch('subsec') * 1000000 AS INTEGER)";

#[async_trait]
impl Nodes for Sqlite {
    async fn renew_lease(&self, node: NodeId, applied: Revision, lease: Duration) -> Result<(), StoreError> {
        let lease = i64::try_from(lease.as_micros()).unwrap_or(i64::MAX >> 8);
        self.engine
            .write(move |tx| {
                tx.prepare_cached(RENEW)
                    .and_then(|mut statement| statement.execute((node.to_string(), applied.number(), lease)))
                    .and_then(|_| tx.prepare_cached(FORGET)?.execute([]))
                    .map_err(store_error)?;
                Ok(())
            })
            .await
    }

    async fn leave(&self, node: NodeId) -> Result<(), StoreError> {
        self.engine
            .write(move |tx| {
                tx.prepare_cached(LEAVE)
                    .and_then(|mut statement| statement.execute([node.to_string()]))
                    .map_err(store_error)?;
                Ok(())
            })
            .await
    }

    async fn nodes_behind(&self, node: NodeId, revision: Revision) -> Result<u32, StoreError> {
        self.engine
            .read(move |tx| {
                tx.prepare_cached(BEHIND)
                    .and_then(|mut statement| {
                        statement.query_row((node.to_string(), revision.number()), |row| row.get(0))
                    })
                    .map_err(store_error)
            })
            .await
    }
}

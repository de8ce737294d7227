//! The SQL of the nodes' leases, by the database's clock.

use std::time::Duration;

use async_trait::async_trait;
use buildly_journal::{NodeId, Nodes};
use buildly_model::{Revision, StoreError};

use crate::Postgres;
use crate::engine::store_error;
use crate::journal::{signed, unsigned};

/// Also forgets processes that ended without a word, a minute later.
const RENEW: &str = "
    WITH forgotten AS (
        DELETE FROM node WHERE id <> $1 AND lease_until < clock_timestamp() - interval '1 minute'
    )
    INSERT INTO node (id, applied_revision, lease_until)
    VALUES ($1, $2, clock_timestamp() + $3 * interval '1 microsecond')
    ON CONFLICT (id) DO UPDATE
    SET applied_revision = excluded.applied_revision, lease_until = excluded.lease_until";

const LEAVE: &str = "DELETE FROM node WHERE id = $1";

const BEHIND: &str = "
    SELECT count(*) FROM node
    WHERE id <> $1 AND applied_revision < $2 AND lease_until >= clock_timestamp()";

#[async_trait]
impl Nodes for Postgres {
    async fn renew_lease(&self, node: NodeId, applied: Revision, lease: Duration) -> Result<(), StoreError> {
        let lease = i64::try_from(lease.as_micros()).unwrap_or(i64::MAX >> 8);
        let renew = sqlx::query(RENEW).bind(node.0).bind(signed(applied.number())).bind(lease);
        renew.execute(self.engine.pool()).await.map_err(store_error)?;
        Ok(())
    }

    async fn leave(&self, node: NodeId) -> Result<(), StoreError> {
        sqlx::query(LEAVE).bind(node.0).execute(self.engine.pool()).await.map_err(store_error)?;
        Ok(())
    }

    async fn nodes_behind(&self, node: NodeId, revision: Revision) -> Result<u32, StoreError> {
        let count = sqlx::query_scalar(BEHIND).bind(node.0).bind(signed(revision.number()));
        let count: i64 = count.fetch_one(self.engine.pool()).await.map_err(store_error)?;
        Ok(u32::try_from(unsigned(count)?).unwrap_or(u32::MAX))
    }
}

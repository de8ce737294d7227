//! The SQL of the nodes' leases.
//!
//! A lease lives until its row is deleted: a renewal that finds no row says so, and whoever ends
//! a lease deletes the row only as it was when it was seen. PostgreSQL numbers each version of a
//! row by the transaction that wrote it (`xmin`), so that a renewal under way is waited for and
//! looked at again. `lease_until` is for people, and for nodes of an older version.

use std::time::Duration;

use async_trait::async_trait;
use buildly_journal::{LeaseId, Nodes, SeenLease};
use buildly_model::{Revision, StoreError};
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::Postgres;
use crate::engine::{ask, store_error, within};
use crate::journal::{signed, unsigned};

/// How long a statement about the own lease may take: a connection that hangs is given up in time for
/// another try before the lease ends.
const LEASE_TIMEOUT: Duration = Duration::from_millis(700);
/// How long a lease lives, as older versions see it.
const LEASE_SECONDS: f64 = 2.0;

const BEGIN: &str = "
    INSERT INTO node (id, applied_revision, lease_until)
    VALUES ($1, 0, clock_timestamp() + $2 * interval '1 second')";

const RENEW: &str = "
    UPDATE node SET applied_revision = $2, lease_until = clock_timestamp() + $3 * interval '1 second'
    WHERE id = $1";

const END: &str = "DELETE FROM node WHERE id = $1";

const BEHIND: &str = "
    SELECT id, xmin::text::bigint FROM node WHERE id <> $1 AND applied_revision < $2";

const END_UNRENEWED: &str = "DELETE FROM node WHERE id = $1 AND xmin::text::bigint = $2";

#[async_trait]
impl Nodes for Postgres {
    async fn begin_lease(&self, lease: LeaseId) -> Result<(), StoreError> {
        let begin = sqlx::query(BEGIN).bind(lease.0).bind(LEASE_SECONDS);
        in_lease(begin.execute(self.engine.pool())).await?;
        Ok(())
    }

    async fn renew_lease(&self, lease: LeaseId, applied: Revision) -> Result<bool, StoreError> {
        let renew = sqlx::query(RENEW).bind(lease.0).bind(signed(applied.number())).bind(LEASE_SECONDS);
        let renewed = in_lease(renew.execute(self.engine.pool())).await?;
        Ok(renewed.rows_affected() == 1)
    }

    async fn end_lease(&self, lease: LeaseId) -> Result<(), StoreError> {
        in_lease(sqlx::query(END).bind(lease.0).execute(self.engine.pool())).await?;
        Ok(())
    }

    async fn leases_behind(&self, own: LeaseId, revision: Revision) -> Result<Vec<SeenLease>, StoreError> {
        let behind = sqlx::query(BEHIND).bind(own.0).bind(signed(revision.number()));
        let rows = ask(behind.fetch_all(self.engine.pool())).await?;
        rows.iter().map(seen_lease).collect()
    }

    async fn end_unrenewed_lease(&self, seen: SeenLease) -> Result<(), StoreError> {
        let end = sqlx::query(END_UNRENEWED).bind(seen.lease.0).bind(signed(seen.renewal));
        ask(end.execute(self.engine.pool())).await?;
        Ok(())
    }
}

/// Waits for a statement about the own lease.
async fn in_lease<T>(asked: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, StoreError> {
    within(LEASE_TIMEOUT, async { asked.await.map_err(store_error) }).await
}

fn seen_lease(row: &PgRow) -> Result<SeenLease, StoreError> {
    let lease: Uuid = row.try_get(0).map_err(store_error)?;
    let renewal: i64 = row.try_get(1).map_err(store_error)?;
    Ok(SeenLease { lease: LeaseId(lease), renewal: unsigned(renewal)? })
}

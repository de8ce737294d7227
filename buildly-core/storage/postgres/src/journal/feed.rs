//! The feed: below the oldest transaction that may still write events, in the order of the
//! transactions.
//!
//! Whoever writes events locks the table (so that others may write too) before it gets its
//! transaction's id, and keeps both to the end. So first the horizon is read, from the locks,
//! and then, with a later snapshot, the events below it: each writer below the horizon had
//! ended before the locks were read. Long transactions of others on the same server, which
//! `pg_snapshot_xmin` alone would wait for, hold up nobody.
//!
//! The events of one chain stand in the order of their chain as far as one node wrote them;
//! where two nodes write to a chain at once, only the transactions are ordered.

use std::time::Duration;

use async_trait::async_trait;
use buildly_journal::{Feed, FeedEvent, FeedPage, FeedPosition};
use buildly_model::{Revision, StoreError};
use sqlx::postgres::PgRow;

use super::{organization, row, signed, unsigned};
use crate::Postgres;
use crate::engine::{ask, store_error, within};

/// How long a look at the feed may take; a follower that hangs holds up its node.
const FEED_TIMEOUT: Duration = Duration::from_secs(3);

/// The newest revision of which everything is visible to later statements. Locks name
/// transactions by 32 of their 64 bits; the distance to the next one says the rest.
const COMPLETE_TO: &str = "
    WITH lock AS MATERIALIZED (
        SELECT locktype, relation, database, mode, transactionid, virtualtransaction
        FROM pg_locks WHERE granted
    ), next AS (
        SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS id
    ), writer AS (
        SELECT holder.transactionid::text::bigint AS id
        FROM lock JOIN lock AS holder USING (virtualtransaction)
        WHERE lock.locktype = 'relation' AND lock.relation = 'journal'::regclass
          AND lock.mode = 'RowExclusiveLock'
          AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND holder.locktype = 'transactionid' AND holder.mode = 'ExclusiveLock'
    )
    SELECT least(next.id, min(next.id - (((next.id - writer.id + 2147483648) & 4294967295) - 2147483648))) - 1
    FROM next LEFT JOIN writer ON true GROUP BY next.id";

const PAGE: &str = "
    SELECT transaction_id::text::bigint, position, organization_id, kind, subject FROM journal
    WHERE (transaction_id, position) > ($1::text::xid8, $2) AND transaction_id <= $3::text::xid8
    ORDER BY transaction_id, position LIMIT $4";

#[async_trait]
impl Feed for Postgres {
    async fn feed_end(&self) -> Result<FeedPosition, StoreError> {
        let end: i64 = ask(sqlx::query_scalar(COMPLETE_TO).fetch_one(self.engine.pool())).await?;
        // Every position of that revision has been passed.
        Ok(FeedPosition { revision: Revision::new(unsigned(end)?), position: unsigned(i64::MAX)? })
    }

    async fn read_feed(&self, position: FeedPosition, events_max: u32) -> Result<FeedPage, StoreError> {
        let (complete_to, rows) = within(FEED_TIMEOUT, self.read_page(position, events_max)).await?;
        let page = page(position, events_max, complete_to, &rows)?;
        self.shared.wake.read(page.complete_to);
        Ok(page)
    }

    async fn feed_changed(&self, timeout: Duration) {
        self.shared.wake.changed(timeout).await;
    }
}

impl Postgres {
    async fn read_page(
        &self,
        position: FeedPosition,
        events_max: u32,
    ) -> Result<(u64, Vec<PgRow>), StoreError> {
        let mut connection = self.engine.pool().acquire().await.map_err(store_error)?;
        let complete_to = sqlx::query_scalar(COMPLETE_TO).fetch_one(&mut *connection).await;
        let complete_to: i64 = complete_to.map_err(store_error)?;
        let rows = sqlx::query(PAGE)
            .bind(position.revision.number().to_string())
            .bind(signed(position.position))
            .bind(complete_to.to_string())
            .bind(i64::from(events_max))
            .fetch_all(&mut *connection)
            .await
            .map_err(store_error)?;
        Ok((unsigned(complete_to)?, rows))
    }
}

fn page(
    after: FeedPosition,
    events_max: u32,
    complete_to: u64,
    rows: &[PgRow],
) -> Result<FeedPage, StoreError> {
    let events: Vec<FeedEvent> = rows.iter().map(event).collect::<Result<_, _>>()?;
    let next = events.last().map_or(after, |event| event.position);
    let is_full = events.len() >= events_max as usize;
    let complete_to = if is_full {
        // The next page may go on within the same transaction.
        next.revision.number().saturating_sub(1)
    } else {
        complete_to
    };
    Ok(FeedPage { events, next, complete_to: Revision::new(complete_to) })
}

fn event(row: &PgRow) -> Result<FeedEvent, StoreError> {
    let revision = Revision::new(unsigned(row::get(row, 0)?)?);
    Ok(FeedEvent {
        position: FeedPosition { revision, position: unsigned(row::get(row, 1)?)? },
        organization: organization(row::get(row, 2)?),
        kind: row::get(row, 3)?,
        subject: row::get(row, 4)?,
    })
}

//! The feed: below the oldest transaction still in flight, in the order of the transactions.
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
use crate::engine::store_error;

/// The newest revision of which everything is visible: before the oldest still in flight.
const END: &str = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1";

/// One statement, so that horizon and events come from one snapshot.
const PAGE: &str = "
    WITH horizon AS MATERIALIZED (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS transaction_id)
    SELECT horizon.transaction_id::text::bigint - 1, event.transaction_id::text::bigint, event.position,
           event.organization_id, event.kind, event.subject
    FROM horizon LEFT JOIN LATERAL (
        SELECT transaction_id, position, organization_id, kind, subject FROM journal
        WHERE (transaction_id, position) > ($1::text::xid8, $2)
          AND journal.transaction_id < horizon.transaction_id
        ORDER BY transaction_id, position LIMIT $3
    ) AS event ON true
    ORDER BY event.transaction_id, event.position";

#[async_trait]
impl Feed for Postgres {
    async fn feed_end(&self) -> Result<FeedPosition, StoreError> {
        let end: i64 = sqlx::query_scalar(END).fetch_one(self.engine.pool()).await.map_err(store_error)?;
        // Every position of that revision has been passed.
        Ok(FeedPosition { revision: Revision::new(unsigned(end)?), position: unsigned(i64::MAX)? })
    }

    async fn read_feed(&self, position: FeedPosition, events_max: u32) -> Result<FeedPage, StoreError> {
        let rows = sqlx::query(PAGE)
            .bind(position.revision.number().to_string())
            .bind(signed(position.position))
            .bind(i64::from(events_max))
            .fetch_all(self.engine.pool())
            .await
            .map_err(store_error)?;
        let page = page(position, events_max, &rows)?;
        self.shared.wake.read(page.complete_to);
        Ok(page)
    }

    async fn feed_changed(&self, timeout: Duration) {
        self.shared.wake.changed(timeout).await;
    }
}

fn page(after: FeedPosition, events_max: u32, rows: &[PgRow]) -> Result<FeedPage, StoreError> {
    let horizon = rows.first().map_or(Ok(0), |row| row::get(row, 0))?;
    let events: Vec<FeedEvent> =
        rows.iter().filter_map(|row| event(row).transpose()).collect::<Result<_, _>>()?;
    let next = events.last().map_or(after, |event| event.position);
    let is_full = events.len() >= events_max as usize;
    let complete_to = if is_full {
        // The next page may go on within the same transaction.
        next.revision.number().saturating_sub(1)
    } else {
        unsigned(horizon)?
    };
    Ok(FeedPage { events, next, complete_to: Revision::new(complete_to) })
}

/// `None` for the one row of an empty page.
fn event(row: &PgRow) -> Result<Option<FeedEvent>, StoreError> {
    let Some(revision) = row::get::<Option<i64>>(row, 1)? else { return Ok(None) };
    let revision = Revision::new(unsigned(revision)?);
    Ok(Some(FeedEvent {
        position: FeedPosition { revision, position: unsigned(row::get(row, 2)?)? },
        organization: organization(row::get(row, 3)?),
        kind: row::get(row, 4)?,
        subject: row::get(row, 5)?,
    }))
}

//! The feed: with one writer, the order of the rows is the order of the commits.

use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use buildly_journal::{Feed, FeedEvent, FeedPage, FeedPosition};
use buildly_model::{Revision, StoreError};
use rusqlite::Connection;

use super::row;
use crate::Sqlite;
use crate::engine::store_error;

#[async_trait]
impl Feed for Sqlite {
    async fn feed_end(&self) -> Result<FeedPosition, StoreError> {
        self.engine.read(|tx| Ok(FeedPosition { revision: super::end(tx)?, position: 0 })).await
    }

    async fn read_feed(&self, position: FeedPosition, events_max: u32) -> Result<FeedPage, StoreError> {
        self.engine.read(move |tx| page(tx, position, events_max)).await
    }

    async fn feed_changed(&self, timeout: Duration) {
        let mut commits = self.engine.commits();
        let count = *commits.borrow_and_update();
        if self.feed_seen.swap(count, Ordering::AcqRel) != count {
            return;
        }
        // A closed engine commits nothing more; then only the time passes.
        match tokio::time::timeout(timeout, commits.changed()).await {
            Ok(Ok(())) => self.feed_seen.store(*commits.borrow(), Ordering::Release),
            Ok(Err(_)) => tokio::time::sleep(timeout).await,
            Err(_) => {}
        }
    }
}

const PAGE: &str = "
    SELECT position, organization_id, kind, subject FROM journal
    WHERE position > ?1 ORDER BY position LIMIT ?2";

fn page(tx: &Connection, after: FeedPosition, events_max: u32) -> Result<FeedPage, StoreError> {
    let mut statement = tx.prepare_cached(PAGE).map_err(store_error)?;
    let rows = statement.query_map((after.revision.number(), events_max), |row| {
        Ok(FeedEvent {
            position: FeedPosition { revision: Revision::new(row.get(0)?), position: 0 },
            organization: row::organization(row, 1)?,
            kind: row.get(2)?,
            subject: row.get(3)?,
        })
    });
    let events: Vec<FeedEvent> = rows.and_then(Iterator::collect).map_err(store_error)?;
    let next = events.last().map_or(after, |event| event.position);
    // Every event is a revision of its own here.
    Ok(FeedPage { events, next, complete_to: next.revision })
}

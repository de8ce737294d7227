//! The journal as a history.

use async_trait::async_trait;
use buildly_journal::{Chain, EventFilter, Head, History, StoredEvent};
use buildly_model::{OrganizationId, StoreError};
use rusqlite::{Connection, ToSql};

use super::{chain_key, row};
use crate::Sqlite;
use crate::engine::store_error;

#[async_trait]
impl History for Sqlite {
    async fn head(&self, organization: Option<OrganizationId>) -> Result<Head, StoreError> {
        self.engine.read(move |tx| super::head(tx, organization)).await
    }

    async fn heads(&self, after: Option<OrganizationId>, heads_max: u32) -> Result<Vec<Head>, StoreError> {
        self.engine.read(move |tx| heads(tx, after, heads_max)).await
    }

    async fn events(
        &self,
        organization: Option<OrganizationId>,
        after_sequence: u64,
        events_max: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let (sql, chain) = (select(EVENTS), chain_key(organization)?);
        self.engine.read(move |tx| list(tx, &sql, &[&chain, &clamped(after_sequence), &events_max])).await
    }

    async fn find_events(
        &self,
        organization: Option<OrganizationId>,
        filter: &EventFilter,
        before_sequence: Option<u64>,
        events_max: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let (filter, chain) = (filter.clone(), chain_key(organization)?);
        let before = before_sequence.map(clamped);
        self.engine.read(move |tx| find(tx, &chain, &filter, before, events_max)).await
    }
}

const HEADS: &str = "
    SELECT organization_id, sequence, hash FROM journal_head
    WHERE organization_id > ?1 ORDER BY organization_id LIMIT ?2";

fn heads(tx: &Connection, after: Option<OrganizationId>, heads_max: u32) -> Result<Vec<Head>, StoreError> {
    // The nil UUID of the deployment sorts first, and the empty text before it.
    let after = after.map_or_else(String::new, |organization| organization.to_string());
    let mut statement = tx.prepare_cached(HEADS).map_err(store_error)?;
    let rows = statement.query_map((after, heads_max), |row| {
        Ok(Chain {
            organization: row::organization(row, 0)?,
            sequence: row.get(1)?,
            hash: row::hash(row, 2)?,
        })
    });
    rows.and_then(Iterator::collect).map_err(store_error)
}

const EVENTS: &str = "WHERE organization_id = ?1 AND sequence > ?2 ORDER BY sequence LIMIT ?3";

fn find(
    tx: &Connection,
    chain: &str,
    filter: &EventFilter,
    before: Option<i64>,
    events_max: u32,
) -> Result<Vec<StoredEvent>, StoreError> {
    let (from, until) =
        (filter.from.map(|at| at.as_microseconds()), filter.until.map(|at| at.as_microseconds()));
    let mut conditions = "WHERE organization_id = ?1".to_owned();
    let mut values: Vec<&dyn ToSql> = vec![&chain];
    let optional: [(&str, Option<&dyn ToSql>); 6] = [
        ("sequence < $", before.as_ref().map(|value| value as &dyn ToSql)),
        (
            "(kind = $ OR substr(kind, 1, length($) + 1) = $ || '.')",
            filter.kind.as_ref().map(|value| value as _),
        ),
        ("subject = $", filter.subject.as_ref().map(|value| value as _)),
        ("actor = $", filter.actor.as_ref().map(|value| value as _)),
        ("at >= $", from.as_ref().map(|value| value as _)),
        ("at < $", until.as_ref().map(|value| value as _)),
    ];
    for (condition, value) in optional {
        if let Some(value) = value {
            values.push(value);
            conditions.push_str(" AND ");
            conditions.push_str(&condition.replace('$', &format!("?{}", values.len())));
        }
    }
    values.push(&events_max);
    conditions.push_str(&format!(" ORDER BY sequence DESC LIMIT ?{}", values.len()));
    list(tx, &select(&conditions), &values)
}

fn select(conditions: &str) -> String {
    format!("SELECT {} FROM journal {conditions}", row::EVENT)
}

fn list(tx: &Connection, sql: &str, values: &[&dyn ToSql]) -> Result<Vec<StoredEvent>, StoreError> {
    let mut statement = tx.prepare_cached(sql).map_err(store_error)?;
    let rows = statement.query_map(values, row::event);
    rows.and_then(Iterator::collect).map_err(store_error)
}

/// SQLite's numbers are signed; no chain is that long.
fn clamped(sequence: u64) -> i64 {
    i64::try_from(sequence).unwrap_or(i64::MAX)
}

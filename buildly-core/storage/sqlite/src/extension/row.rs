//! The columns of extensions' tables, read and written.

use std::str::FromStr;
use std::time::Duration;

use buildly_extension::webhook::{Delivery, Webhook};
use buildly_extension::{Lane, LaneKey, Trouble};
use buildly_model::{OrganizationId, StoreError, Timestamp};
use rusqlite::types::Type;
use rusqlite::{Connection, Params, Row};
use uuid::Uuid;

use crate::engine::store_error;

/// The columns of a webhook, in the order of [`webhook`].
pub(super) const WEBHOOK: &str = "webhook.id, url, description, kinds, state, created_at";
/// The columns of a lane, in the order of [`lane`].
pub(super) const LANE: &str = "lane.sequence, is_paused, failures, failing_since, retry_at, fault, \
    lane.sequence < coalesce((SELECT head.sequence FROM journal_head AS head \
                              WHERE head.organization_id = lane.organization_id), 0)";
/// The columns of a delivery, in the order of [`delivery`].
pub(super) const DELIVERY: &str =
    "id, sequence, event_id, kind, at, attempt, status, fault, took, is_replay, number";

/// Runs a statement; how many rows it changed.
pub(super) fn execute(tx: &Connection, sql: &str, values: impl Params) -> Result<usize, StoreError> {
    tx.prepare_cached(sql).and_then(|mut statement| statement.execute(values)).map_err(store_error)
}

/// All rows of a query.
pub(super) fn all<T>(
    tx: &Connection,
    sql: &str,
    values: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = tx.prepare_cached(sql).map_err(store_error)?;
    let rows = statement.query_map(values, read);
    rows.and_then(Iterator::collect).map_err(store_error)
}

pub(super) fn webhook(row: &Row<'_>) -> rusqlite::Result<Webhook> {
    let kinds = row.get_ref(3)?.as_str()?;
    Ok(Webhook {
        id: parsed(row, 0)?,
        url: row.get(1)?,
        description: row.get(2)?,
        kinds: serde_json::from_str(kinds).map_err(|error| broken(3, error))?,
        state: parsed(row, 4)?,
        created_at: Timestamp::from_microseconds(row.get(5)?),
    })
}

/// Reads the columns of [`LANE`] from the column `first` on.
pub(super) fn lane(row: &Row<'_>, first: usize) -> rusqlite::Result<Lane> {
    let instant = |column: usize| -> rusqlite::Result<Option<Timestamp>> {
        Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_microseconds))
    };
    let trouble = match (instant(first + 3)?, instant(first + 4)?) {
        (Some(since), Some(retry_at)) => Some(Trouble {
            failures: row.get(first + 2)?,
            since,
            retry_at,
            fault: row.get::<_, Option<String>>(first + 5)?.unwrap_or_default(),
        }),
        _ => None,
    };
    Ok(Lane {
        sequence: row.get(first)?,
        is_taken: false,
        is_behind: row.get(first + 6)?,
        is_paused: row.get(first + 1)?,
        trouble,
    })
}

/// Reads `organization_id, lane`.
pub(super) fn key(row: &Row<'_>, transport: &str) -> rusqlite::Result<LaneKey> {
    let organization: Uuid = parsed(row, 0)?;
    Ok(LaneKey {
        transport: transport.to_owned(),
        organization: (!organization.is_nil()).then(|| OrganizationId::from_uuid(organization)),
        lane: row.get(1)?,
    })
}

/// A delivery and its place.
pub(super) fn delivery(row: &Row<'_>) -> rusqlite::Result<(Delivery, u64)> {
    let delivery = Delivery {
        id: parsed(row, 0)?,
        sequence: row.get(1)?,
        event: parsed(row, 2)?,
        kind: row.get(3)?,
        at: Timestamp::from_microseconds(row.get(4)?),
        attempt: row.get(5)?,
        status: row.get(6)?,
        fault: row.get(7)?,
        took: Duration::from_micros(row.get(8)?),
        is_replay: row.get(9)?,
    };
    Ok((delivery, row.get(10)?))
}

pub(super) fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

/// SQLite's numbers are signed; no chain is that long.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The organization of the part: nothing crosses an organization.
pub(super) fn owner(organization: Option<OrganizationId>) -> Result<String, StoreError> {
    organization.map(|id| id.to_string()).ok_or(StoreError::Missing { what: "organization" })
}

pub(super) fn found(rows: usize, what: &'static str) -> Result<(), StoreError> {
    if rows == 0 { Err(StoreError::Missing { what }) } else { Ok(()) }
}

fn parsed<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<T>
where
    T: FromStr<Err: Into<Box<dyn std::error::Error + Send + Sync>>>,
{
    let text = row.get_ref(column)?.as_str()?;
    text.parse().map_err(|error: T::Err| broken(column, error))
}

fn broken(column: usize, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into())
}

//! Reading and writing the columns of identity's tables.

use std::str::FromStr;

use buildly_model::{StoreError, Timestamp};
use rusqlite::types::Type;
use rusqlite::{Connection, Params, Row};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::engine::store_error;

pub(super) fn id<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<T>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let text = row.get_ref(column)?.as_str()?;
    text.parse().map_err(|error| broken(column, error))
}

pub(super) fn optional_id<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let text = row.get_ref(column)?.as_str_or_null()?;
    text.map(|text| text.parse().map_err(|error| broken(column, error))).transpose()
}

/// Ids joined by commas; none if the column is NULL.
pub(super) fn ids<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<Vec<T>>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let text = row.get_ref(column)?.as_str_or_null()?.unwrap_or_default();
    let parts = text.split(',').filter(|part| !part.is_empty());
    parts.map(|part| part.parse().map_err(|error| broken(column, error))).collect()
}

pub(super) fn instant(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    row.get(column).map(Timestamp::from_microseconds)
}

pub(super) fn optional_instant(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_microseconds))
}

pub(super) fn json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    serde_json::from_str(text).map_err(|error| broken(column, error))
}

pub(super) fn to_json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::corrupt(error.to_string()))
}

/// Texts as one JSON array, for `json_each`.
pub(super) fn key_list<T: ToString>(keys: &[T]) -> Result<String, StoreError> {
    to_json(&keys.iter().map(ToString::to_string).collect::<Vec<_>>())
}

pub(super) fn text<T: ToString>(id: Option<T>) -> Option<String> {
    id.map(|id| id.to_string())
}

/// The rows that `sql` finds.
pub(super) fn all<T>(
    tx: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = tx.prepare_cached(sql).map_err(store_error)?;
    let rows = statement.query_map(params, read);
    rows.and_then(Iterator::collect).map_err(store_error)
}

/// The first row that `sql` finds.
pub(super) fn first<T>(
    tx: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Option<T>, StoreError> {
    Ok(all(tx, sql, params, read)?.into_iter().next())
}

/// Runs `sql`; how many rows it changed.
pub(super) fn execute(tx: &Connection, sql: &str, params: impl Params) -> rusqlite::Result<usize> {
    tx.prepare_cached(sql)?.execute(params)
}

fn broken(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}

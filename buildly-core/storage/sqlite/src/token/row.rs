//! Columns of the token tables, read and written.

use std::fmt::Display;
use std::str::FromStr;

use buildly_auth::token::SecretHash;
use buildly_model::{StoreError, Timestamp};
use rusqlite::types::Type;
use rusqlite::{Connection, Params, Row};

use crate::engine::store_error;

/// Runs a statement; how many rows it changed.
pub(super) fn execute(tx: &Connection, sql: &str, values: impl Params) -> Result<usize, StoreError> {
    tx.prepare_cached(sql).and_then(|mut statement| statement.execute(values)).map_err(store_error)
}

/// All rows of a query.
pub(super) fn list<T>(
    tx: &Connection,
    sql: &str,
    values: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = tx.prepare_cached(sql).map_err(store_error)?;
    let rows = statement.query_map(values, read).and_then(Iterator::collect);
    rows.map_err(store_error)
}

/// An optional id as it is stored.
pub(super) fn text<T: Display>(id: Option<T>) -> Option<String> {
    id.map(|id| id.to_string())
}

/// Microseconds as they are stored.
pub(super) fn micros(at: Option<Timestamp>) -> Option<i64> {
    at.map(Timestamp::as_microseconds)
}

/// An id.
pub(super) fn id<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<T>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let text = row.get_ref(column)?.as_str()?;
    text.parse().map_err(|error| broken(column, Box::new(error)))
}

/// An id that may be absent.
pub(super) fn optional_id<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    match row.get_ref(column)?.as_str_or_null()? {
        None => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|error| broken(column, Box::new(error))),
    }
}

/// An instant.
pub(super) fn at(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    row.get(column).map(Timestamp::from_microseconds)
}

/// An instant that may be absent.
pub(super) fn optional_at(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    let microseconds: Option<i64> = row.get(column)?;
    Ok(microseconds.map(Timestamp::from_microseconds))
}

/// The hash of a secret.
pub(super) fn hash(row: &Row<'_>, column: usize) -> rusqlite::Result<SecretHash> {
    let bytes = row.get_ref(column)?.as_blob()?;
    SecretHash::from_bytes(bytes).ok_or_else(|| broken(column, "expected 32 bytes".into()))
}

/// The hash of a secret that may be absent.
pub(super) fn optional_hash(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<SecretHash>> {
    match row.get_ref(column)?.as_blob_or_null()? {
        None => Ok(None),
        Some(bytes) => {
            SecretHash::from_bytes(bytes).map(Some).ok_or_else(|| broken(column, "expected 32 bytes".into()))
        }
    }
}

/// A word that stands for one of few values.
pub(super) fn word<T>(
    row: &Row<'_>,
    column: usize,
    read: impl FnOnce(&str) -> Option<T>,
) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    read(text).ok_or_else(|| broken(column, format!("unknown word `{text}`").into()))
}

fn broken(column: usize, why: Box<dyn std::error::Error + Send + Sync>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, why)
}

//! The columns of workflow's tables, read and written.

use std::str::FromStr;

use buildly_model::{OrganizationId, RunId, StoreError, Timestamp};
use buildly_workflow::ActivationId;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{PgConnection, Row as _};
use uuid::Uuid;

use crate::engine::store_error;

/// A statement with its values.
pub(super) type Statement<'q> = Query<'q, sqlx::Postgres, PgArguments>;

/// Runs a statement; how many rows it changed.
pub(super) async fn execute(tx: &mut PgConnection, statement: Statement<'_>) -> Result<u64, StoreError> {
    statement.execute(tx).await.map(|done| done.rows_affected()).map_err(store_error)
}

pub(super) fn organization(row: &PgRow) -> sqlx::Result<OrganizationId> {
    row.try_get("organization_id").map(OrganizationId::from_uuid)
}

pub(super) fn run(row: &PgRow, column: &str) -> sqlx::Result<RunId> {
    row.try_get(column).map(RunId::from_uuid)
}

pub(super) fn optional_run(row: &PgRow, column: &str) -> sqlx::Result<Option<RunId>> {
    Ok(row.try_get::<Option<Uuid>, _>(column)?.map(RunId::from_uuid))
}

pub(super) fn activation(row: &PgRow) -> sqlx::Result<ActivationId> {
    count(row, "activation").map(ActivationId)
}

/// A hash, or a word that stands for one of few values.
pub(super) fn parsed<T>(row: &PgRow, column: &str) -> sqlx::Result<T>
where
    T: FromStr<Err: Into<Box<dyn std::error::Error + Send + Sync>>>,
{
    let text: &str = row.try_get(column)?;
    text.parse().map_err(|error: T::Err| broken(column, error))
}

pub(super) fn instant(row: &PgRow, column: &str) -> sqlx::Result<Timestamp> {
    row.try_get(column).map(Timestamp::from_microseconds)
}

pub(super) fn optional_instant(row: &PgRow, column: &str) -> sqlx::Result<Option<Timestamp>> {
    Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_microseconds))
}

pub(super) fn json<T: DeserializeOwned>(row: &PgRow, column: &str) -> sqlx::Result<T> {
    let text: &str = row.try_get(column)?;
    serde_json::from_str(text).map_err(|error| broken(column, error))
}

/// A count or a number, which is never negative.
pub(super) fn count(row: &PgRow, column: &str) -> sqlx::Result<u64> {
    let number: i64 = row.try_get(column)?;
    u64::try_from(number).map_err(|error| broken(column, error))
}

/// A small count.
pub(super) fn version(row: &PgRow, column: &str) -> sqlx::Result<u32> {
    let number: i64 = row.try_get(column)?;
    u32::try_from(number).map_err(|error| broken(column, error))
}

/// A count or a number as it is stored.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn micros(at: Option<Timestamp>) -> Option<i64> {
    at.map(Timestamp::as_microseconds)
}

pub(super) fn to_json(value: &(impl Serialize + ?Sized)) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::corrupt(error.to_string()))
}

fn broken(column: &str, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source: error.into() }
}

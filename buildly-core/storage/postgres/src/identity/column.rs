//! Reading the columns of identity's tables, and what a broken rule of theirs means.

use buildly_model::{OrganizationId, StoreError, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::postgres::{PgQueryResult, PgRow};
use uuid::Uuid;

use crate::engine::store_error;

pub(super) fn organization(row: &PgRow, column: &str) -> sqlx::Result<Option<OrganizationId>> {
    Ok(row.try_get::<Option<Uuid>, _>(column)?.map(OrganizationId::from_uuid))
}

pub(super) fn instant(row: &PgRow, column: &str) -> sqlx::Result<Timestamp> {
    row.try_get(column).map(Timestamp::from_microseconds)
}

pub(super) fn optional_instant(row: &PgRow, column: &str) -> sqlx::Result<Option<Timestamp>> {
    Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_microseconds))
}

/// A count, which is never negative.
pub(super) fn count(row: &PgRow, column: &str) -> sqlx::Result<u64> {
    Ok(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or(0))
}

pub(super) fn json<T: DeserializeOwned>(row: &PgRow, column: &str) -> sqlx::Result<T> {
    let text: &str = row.try_get(column)?;
    serde_json::from_str(text).map_err(|error| broken(column, error))
}

pub(super) fn to_json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::corrupt(error.to_string()))
}

pub(super) fn broken(
    column: &str,
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source: error.into() }
}

/// A count as the database keeps it.
pub(super) fn bigint(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(super) fn uuid(organization: Option<OrganizationId>) -> Option<Uuid> {
    organization.map(|organization| organization.as_uuid())
}

/// What a broken rule of these tables means to the area.
pub(super) fn refusal(error: sqlx::Error) -> StoreError {
    let Some(database) = error.as_database_error() else { return store_error(error) };
    match database.constraint() {
        Some("account_username") => StoreError::Taken { field: "username" },
        Some("outside_identity_subject") => StoreError::Taken { field: "outside_identity" },
        Some("organization_name") => StoreError::Taken { field: "organization_name" },
        Some("organization_type_name") => StoreError::Taken { field: "name" },
        _ if database.is_foreign_key_violation() => StoreError::Missing { what: "related row" },
        _ => store_error(error),
    }
}

/// Nothing changed: the row is not there.
pub(super) fn found(done: &PgQueryResult, what: &'static str) -> Result<(), StoreError> {
    if done.rows_affected() == 0 { Err(StoreError::Missing { what }) } else { Ok(()) }
}

/// Nothing changed: the row has moved on.
pub(super) fn fresh(done: &PgQueryResult) -> Result<(), StoreError> {
    if done.rows_affected() == 0 { Err(StoreError::Stale) } else { Ok(()) }
}

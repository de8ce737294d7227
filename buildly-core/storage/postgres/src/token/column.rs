//! Columns of the token tables, read and written.

use buildly_auth::token::SecretHash;
use buildly_model::{
    ApplicationId, GroupId, OrganizationId, ServiceAccountId, SessionId, StoreError, Timestamp, TokenId,
    UserId,
};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use crate::engine::store_error;

/// A statement with its values.
pub(super) type Statement<'q> = Query<'q, sqlx::Postgres, PgArguments>;

/// An id that is stored as `uuid`.
pub(super) trait StoredId: Copy {
    fn to_uuid(self) -> Uuid;
    fn of_uuid(uuid: Uuid) -> Self;
}

macro_rules! stored_ids {
    ($($id:ty),*) => {$(
        impl StoredId for $id {
            fn to_uuid(self) -> Uuid {
                self.as_uuid()
            }

            fn of_uuid(uuid: Uuid) -> Self {
                Self::from_uuid(uuid)
            }
        }
    )*};
}

stored_ids!(ApplicationId, GroupId, OrganizationId, ServiceAccountId, SessionId, TokenId, UserId);

/// Runs a statement; how many rows it changed.
pub(super) async fn execute(tx: &mut PgConnection, statement: Statement<'_>) -> Result<u64, StoreError> {
    statement.execute(tx).await.map(|done| done.rows_affected()).map_err(store_error)
}

/// All rows of a query.
pub(super) async fn list<T>(
    tx: &mut PgConnection,
    statement: Statement<'_>,
    read: impl Fn(&PgRow) -> sqlx::Result<T>,
) -> Result<Vec<T>, StoreError> {
    let rows = statement.fetch_all(tx).await.map_err(store_error)?;
    rows.iter().map(read).collect::<sqlx::Result<_>>().map_err(store_error)
}

/// An optional id as it is stored.
pub(super) fn uuid<T: StoredId>(id: Option<T>) -> Option<Uuid> {
    id.map(StoredId::to_uuid)
}

/// Microseconds as they are stored.
pub(super) fn micros(at: Option<Timestamp>) -> Option<i64> {
    at.map(Timestamp::as_microseconds)
}

/// An id.
pub(super) fn id<T: StoredId>(row: &PgRow, column: usize) -> sqlx::Result<T> {
    row.try_get(column).map(T::of_uuid)
}

/// An id that may be absent.
pub(super) fn optional_id<T: StoredId>(row: &PgRow, column: usize) -> sqlx::Result<Option<T>> {
    let uuid: Option<Uuid> = row.try_get(column)?;
    Ok(uuid.map(T::of_uuid))
}

/// An instant.
pub(super) fn at(row: &PgRow, column: usize) -> sqlx::Result<Timestamp> {
    row.try_get(column).map(Timestamp::from_microseconds)
}

/// An instant that may be absent.
pub(super) fn optional_at(row: &PgRow, column: usize) -> sqlx::Result<Option<Timestamp>> {
    let microseconds: Option<i64> = row.try_get(column)?;
    Ok(microseconds.map(Timestamp::from_microseconds))
}

/// The hash of a secret.
pub(super) fn hash(row: &PgRow, column: usize) -> sqlx::Result<SecretHash> {
    optional_hash(row, column)?.ok_or_else(|| broken(column, "expected 32 bytes"))
}

/// The hash of a secret that may be absent.
pub(super) fn optional_hash(row: &PgRow, column: usize) -> sqlx::Result<Option<SecretHash>> {
    let bytes: Option<&[u8]> = row.try_get(column)?;
    let Some(bytes) = bytes else { return Ok(None) };
    SecretHash::from_bytes(bytes).map(Some).ok_or_else(|| broken(column, "expected 32 bytes"))
}

/// A word that stands for one of few values.
pub(super) fn word<T>(row: &PgRow, column: usize, read: impl FnOnce(&str) -> Option<T>) -> sqlx::Result<T> {
    let text: &str = row.try_get(column)?;
    read(text).ok_or_else(|| broken(column, format!("unknown word `{text}`")))
}

/// A count, which is never negative.
pub(super) fn count(row: &PgRow, column: usize) -> sqlx::Result<u64> {
    let number: i64 = row.try_get(column)?;
    u64::try_from(number).map_err(|error| broken(column, error))
}

/// A count as it is stored.
pub(super) fn bigint(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn broken(column: usize, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_string(), source: error.into() }
}

//! Reading the journal's columns.

use buildly_journal::{Chain, EventHash, Salt, StoredEvent};
use buildly_model::{EventId, StoreError, Timestamp};
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::{organization, unsigned};
use crate::engine::store_error;

/// Reads the columns of [`EVENT`] in their order.
pub(super) fn event(row: &PgRow) -> Result<StoredEvent, StoreError> {
    let at: i64 = get(row, 6)?;
    Ok(StoredEvent {
        organization: organization(get(row, 0)?),
        sequence: unsigned(get(row, 1)?)?,
        id: EventId::from_uuid(get::<Uuid>(row, 2)?),
        kind: get(row, 3)?,
        subject: get(row, 4)?,
        actor: get(row, 5)?,
        at: Timestamp::from_microseconds(at),
        payload: get(row, 7)?,
        salt: Salt(bytes(row, 8)?),
        payload_digest: EventHash(bytes(row, 9)?),
        previous: EventHash(bytes(row, 10)?),
        hash: EventHash(bytes(row, 11)?),
    })
}

/// The columns of a stored event.
pub(super) const EVENT: &str = "organization_id, sequence, event_id, kind, subject, actor, at, \
    payload, salt, payload_digest, previous, hash";

/// Reads `organization_id, sequence, hash`.
pub(super) fn head(row: &PgRow) -> Result<Chain, StoreError> {
    Ok(Chain {
        organization: organization(get(row, 0)?),
        sequence: unsigned(get(row, 1)?)?,
        hash: EventHash(bytes(row, 2)?),
    })
}

pub(super) fn get<'r, T>(row: &'r PgRow, column: usize) -> Result<T, StoreError>
where
    T: sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    row.try_get(column).map_err(store_error)
}

fn bytes<const N: usize>(row: &PgRow, column: usize) -> Result<[u8; N], StoreError> {
    let bytes: &[u8] = get(row, column)?;
    bytes.try_into().map_err(|_| StoreError::corrupt(format!("expected {N} bytes, got {}", bytes.len())))
}

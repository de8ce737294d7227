//! Reading the journal's columns.

use std::str::FromStr;

use buildly_journal::{EventHash, Salt, StoredEvent};
use buildly_model::{OrganizationId, Timestamp};
use rusqlite::Row;
use rusqlite::types::Type;
use uuid::Uuid;

/// The columns of a stored event, in the order of [`event`].
pub(super) const EVENT: &str = "organization_id, sequence, event_id, kind, subject, actor, at, \
    payload, salt, payload_digest, previous, hash";

pub(super) fn event(row: &Row<'_>) -> rusqlite::Result<StoredEvent> {
    Ok(StoredEvent {
        organization: organization(row, 0)?,
        sequence: row.get(1)?,
        id: parse(row, 2)?,
        kind: row.get(3)?,
        subject: row.get(4)?,
        actor: row.get(5)?,
        at: Timestamp::from_microseconds(row.get(6)?),
        payload: row.get(7)?,
        salt: Salt(row.get(8)?),
        payload_digest: hash(row, 9)?,
        previous: hash(row, 10)?,
        hash: hash(row, 11)?,
    })
}

pub(super) fn hash(row: &Row<'_>, column: usize) -> rusqlite::Result<EventHash> {
    row.get(column).map(EventHash)
}

pub(super) fn organization(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<OrganizationId>> {
    let uuid: Uuid = parse(row, column)?;
    Ok(if uuid.is_nil() { None } else { Some(OrganizationId::from_uuid(uuid)) })
}

fn parse<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<T>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let text = row.get_ref(column)?.as_str()?;
    text.parse()
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
}

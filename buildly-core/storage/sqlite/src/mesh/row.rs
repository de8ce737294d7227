//! Reading the mesh's columns.

use std::str::FromStr;

use buildly_mesh::{JoinRecord, Key, RecordType, Relationship};
use rusqlite::Row;
use rusqlite::types::Type;

/// The columns of a record type, in the order of [`record_type`].
pub(super) const RECORD_TYPE: &str = "id, service, model, endpoint, key_field, is_local";
/// The columns of a relationship, in the order of [`relationship`].
pub(super) const RELATIONSHIP: &str = "id, key, origin_id, related_id, foreign_key";

pub(super) fn record_type(row: &Row<'_>) -> rusqlite::Result<RecordType> {
    Ok(RecordType {
        id: parse(row, 0)?,
        service: row.get(1)?,
        model: row.get(2)?,
        endpoint: row.get(3)?,
        key_field: row.get(4)?,
        is_local: row.get(5)?,
    })
}

pub(super) fn relationship(row: &Row<'_>) -> rusqlite::Result<Relationship> {
    Ok(Relationship {
        id: parse(row, 0)?,
        key: row.get(1)?,
        origin: parse(row, 2)?,
        related: parse(row, 3)?,
        foreign_key: row.get(4)?,
    })
}

pub(super) fn join_record(row: &Row<'_>) -> rusqlite::Result<JoinRecord> {
    Ok(JoinRecord {
        id: parse(row, 0)?,
        organization: parse(row, 1)?,
        relationship: parse(row, 2)?,
        origin: Key::of_text(row.get_ref(3)?.as_str()?),
        related: Key::of_text(row.get_ref(4)?.as_str()?),
    })
}

fn parse<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<T>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let text = row.get_ref(column)?.as_str()?;
    text.parse()
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
}

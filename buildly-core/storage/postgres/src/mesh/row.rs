//! Reading the mesh's columns, and its refusals.

use buildly_mesh::{JoinRecord, Key, RecordType, Relationship};
use buildly_model::{JoinRecordId, OrganizationId, RecordTypeId, RelationshipId, StoreError};
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::engine::store_error;

pub(super) fn record_type(row: &PgRow) -> Result<RecordType, StoreError> {
    let read = || {
        Ok(RecordType {
            id: RecordTypeId::from_uuid(row.try_get("id")?),
            service: row.try_get("service")?,
            model: row.try_get("model")?,
            endpoint: row.try_get("endpoint")?,
            key_field: row.try_get("key_field")?,
            is_local: row.try_get("is_local")?,
        })
    };
    read().map_err(store_error)
}

pub(super) fn relationship(row: &PgRow) -> Result<Relationship, StoreError> {
    let read = || {
        Ok(Relationship {
            id: RelationshipId::from_uuid(row.try_get("id")?),
            key: row.try_get("key")?,
            origin: RecordTypeId::from_uuid(row.try_get("origin_id")?),
            related: RecordTypeId::from_uuid(row.try_get("related_id")?),
            foreign_key: row.try_get("foreign_key")?,
        })
    };
    read().map_err(store_error)
}

pub(super) fn join_record(row: &PgRow) -> Result<JoinRecord, StoreError> {
    let read = || {
        Ok(JoinRecord {
            id: JoinRecordId::from_uuid(row.try_get("id")?),
            organization: OrganizationId::from_uuid(row.try_get("organization_id")?),
            relationship: RelationshipId::from_uuid(row.try_get("relationship_id")?),
            origin: Key::of_text(row.try_get("origin_key")?),
            related: Key::of_text(row.try_get("related_key")?),
        })
    };
    read().map_err(store_error)
}

/// What a broken rule of the mesh's tables means to the area.
pub(super) fn refusal(error: sqlx::Error) -> StoreError {
    let Some(database) = error.as_database_error() else { return store_error(error) };
    match database.constraint() {
        Some("record_type_model") => StoreError::Taken { field: "model" },
        Some("record_type_endpoint") => StoreError::Taken { field: "endpoint" },
        Some("relationship_pair") => StoreError::Taken { field: "key" },
        Some("join_record_pair") => StoreError::Taken { field: "records" },
        _ if database.is_foreign_key_violation() => StoreError::Missing { what: "related row" },
        _ => store_error(error),
    }
}

pub(super) fn found(rows: u64, what: &'static str) -> Result<(), StoreError> {
    if rows == 0 { Err(StoreError::Missing { what }) } else { Ok(()) }
}

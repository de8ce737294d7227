//! Writing join records.

use buildly_mesh::{JoinRecord, Key};
use buildly_model::{JoinRecordId, OrganizationId, RecordTypeId, StoreError};
use rusqlite::{Connection, Params, params};

use crate::engine::{store_error, unique};

const UNIQUE: &[(&str, &str)] = &[("join_record.origin_key", "records")];

const INSERT: &str = "
    INSERT INTO join_record (id, organization_id, relationship_id, origin_key, related_key)
    VALUES (?1, ?2, ?3, ?4, ?5)";

pub(super) fn insert(
    tx: &Connection,
    organization: Option<OrganizationId>,
    record: &JoinRecord,
) -> Result<(), StoreError> {
    execute(tx, INSERT, values(owner(organization)?, record)).map(drop)
}

const UPDATE: &str = "
    UPDATE join_record SET relationship_id = ?3, origin_key = ?4, related_key = ?5
    WHERE id = ?1 AND organization_id = ?2";

pub(super) fn update(
    tx: &Connection,
    organization: Option<OrganizationId>,
    record: &JoinRecord,
) -> Result<(), StoreError> {
    found(execute(tx, UPDATE, values(owner(organization)?, record))?)
}

const DELETE: &str = "DELETE FROM join_record WHERE id = ?1 AND organization_id = ?2";

pub(super) fn delete(
    tx: &Connection,
    organization: Option<OrganizationId>,
    id: JoinRecordId,
) -> Result<(), StoreError> {
    found(execute(tx, DELETE, params![id.to_string(), owner(organization)?])?)
}

const UNLINK_ORIGIN: &str = "
    DELETE FROM join_record WHERE organization_id = ?1 AND origin_key = ?3
    AND relationship_id IN (SELECT id FROM relationship WHERE origin_id = ?2)";
const UNLINK_RELATED: &str = "
    DELETE FROM join_record WHERE organization_id = ?1 AND related_key = ?3
    AND relationship_id IN (SELECT id FROM relationship WHERE related_id = ?2)";

pub(super) fn unlink(
    tx: &Connection,
    organization: Option<OrganizationId>,
    record_type: RecordTypeId,
    key: &Key,
) -> Result<(), StoreError> {
    let organization = owner(organization)?;
    for statement in [UNLINK_ORIGIN, UNLINK_RELATED] {
        execute(tx, statement, params![organization, record_type.to_string(), key.to_string()])?;
    }
    Ok(())
}

fn values(organization: String, record: &JoinRecord) -> [String; 5] {
    let relationship = record.relationship.to_string();
    let (origin, related) = (record.origin.to_string(), record.related.to_string());
    [record.id.to_string(), organization, relationship, origin, related]
}

/// The organization of the part, never that of the record: nothing crosses an organization.
fn owner(organization: Option<OrganizationId>) -> Result<String, StoreError> {
    organization.map(|id| id.to_string()).ok_or(StoreError::Missing { what: "organization" })
}

fn execute(tx: &Connection, sql: &str, values: impl Params) -> Result<usize, StoreError> {
    let mut statement = tx.prepare_cached(sql).map_err(store_error)?;
    statement.execute(values).map_err(|error| unique(error, UNIQUE))
}

fn found(rows: usize) -> Result<(), StoreError> {
    if rows == 0 { Err(StoreError::Missing { what: "join record" }) } else { Ok(()) }
}

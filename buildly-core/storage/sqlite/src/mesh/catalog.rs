//! Writing record types and relationships.

use buildly_mesh::{RecordType, Relationship};
use buildly_model::{RecordTypeId, RelationshipId, StoreError};
use rusqlite::{Connection, Params, params};

use crate::engine::{store_error, unique};

const UNIQUE: &[(&str, &str)] =
    &[("record_type.endpoint", "endpoint"), ("record_type.model", "model"), ("relationship.key", "key")];

const INSERT_RECORD_TYPE: &str = "
    INSERT INTO record_type (id, service, model, endpoint, key_field, is_local)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

pub(super) fn insert_record_type(tx: &Connection, one: &RecordType) -> Result<(), StoreError> {
    let values =
        params![one.id.to_string(), one.service, one.model, one.endpoint, one.key_field, one.is_local];
    execute(tx, INSERT_RECORD_TYPE, values).map(drop)
}

const UPDATE_RECORD_TYPE: &str = "
    UPDATE record_type SET service = ?2, model = ?3, endpoint = ?4, key_field = ?5, is_local = ?6
    WHERE id = ?1";

pub(super) fn update_record_type(tx: &Connection, one: &RecordType) -> Result<(), StoreError> {
    let values =
        params![one.id.to_string(), one.service, one.model, one.endpoint, one.key_field, one.is_local];
    found(execute(tx, UPDATE_RECORD_TYPE, values)?, "record type")
}

/// Its relationships and their join records go with it, by their foreign keys.
const DELETE_RECORD_TYPE: &str = "DELETE FROM record_type WHERE id = ?1";

pub(super) fn delete_record_type(tx: &Connection, id: RecordTypeId) -> Result<(), StoreError> {
    found(execute(tx, DELETE_RECORD_TYPE, [id.to_string()])?, "record type")
}

const FIND_REVERSE: &str = "
    SELECT EXISTS (SELECT 1 FROM relationship WHERE origin_id = ?2 AND related_id = ?1 AND id <> ?3)";
const INSERT_RELATIONSHIP: &str = "
    INSERT INTO relationship (id, key, origin_id, related_id, foreign_key) VALUES (?1, ?2, ?3, ?4, ?5)";

pub(super) fn insert_relationship(tx: &Connection, one: &Relationship) -> Result<(), StoreError> {
    refuse_reverse(tx, one)?;
    let (origin, related) = (one.origin.to_string(), one.related.to_string());
    let values = params![one.id.to_string(), one.key, origin, related, one.foreign_key];
    execute(tx, INSERT_RELATIONSHIP, values).map(drop)
}

const UPDATE_RELATIONSHIP: &str = "
    UPDATE relationship SET key = ?2, origin_id = ?3, related_id = ?4, foreign_key = ?5 WHERE id = ?1";

pub(super) fn update_relationship(tx: &Connection, one: &Relationship) -> Result<(), StoreError> {
    refuse_reverse(tx, one)?;
    let (origin, related) = (one.origin.to_string(), one.related.to_string());
    let values = params![one.id.to_string(), one.key, origin, related, one.foreign_key];
    found(execute(tx, UPDATE_RELATIONSHIP, values)?, "relationship")
}

/// Its join records go with it, by their foreign key.
const DELETE_RELATIONSHIP: &str = "DELETE FROM relationship WHERE id = ?1";

pub(super) fn delete_relationship(tx: &Connection, id: RelationshipId) -> Result<(), StoreError> {
    found(execute(tx, DELETE_RELATIONSHIP, [id.to_string()])?, "relationship")
}

/// There is one writer, so what is seen here still holds when the row is written.
fn refuse_reverse(tx: &Connection, one: &Relationship) -> Result<(), StoreError> {
    let mut statement = tx.prepare_cached(FIND_REVERSE).map_err(store_error)?;
    let ids = [one.origin.to_string(), one.related.to_string(), one.id.to_string()];
    let exists: bool = statement.query_row(ids, |row| row.get(0)).map_err(store_error)?;
    if exists { Err(StoreError::Stale) } else { Ok(()) }
}

fn execute(tx: &Connection, sql: &str, values: impl Params) -> Result<usize, StoreError> {
    let mut statement = tx.prepare_cached(sql).map_err(store_error)?;
    statement.execute(values).map_err(|error| unique(error, UNIQUE))
}

fn found(rows: usize, what: &'static str) -> Result<(), StoreError> {
    if rows == 0 { Err(StoreError::Missing { what }) } else { Ok(()) }
}

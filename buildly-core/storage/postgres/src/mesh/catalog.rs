//! Writing record types and relationships.

use buildly_mesh::{RecordType, Relationship};
use buildly_model::{RecordTypeId, RelationshipId, StoreError};
use sqlx::PgConnection;

use super::row::{found, refusal};
use crate::engine::store_error;

const INSERT_RECORD_TYPE: &str = "
    INSERT INTO record_type (id, service, model, endpoint, key_field, is_local)
    VALUES ($1, $2, $3, $4, $5, $6)";

pub(super) async fn insert_record_type(tx: &mut PgConnection, one: &RecordType) -> Result<(), StoreError> {
    write_record_type(tx, INSERT_RECORD_TYPE, one).await.map(drop)
}

const UPDATE_RECORD_TYPE: &str = "
    UPDATE record_type SET service = $2, model = $3, endpoint = $4, key_field = $5, is_local = $6
    WHERE id = $1";

pub(super) async fn update_record_type(tx: &mut PgConnection, one: &RecordType) -> Result<(), StoreError> {
    found(write_record_type(tx, UPDATE_RECORD_TYPE, one).await?, "record type")
}

async fn write_record_type(
    tx: &mut PgConnection,
    sql: &'static str,
    one: &RecordType,
) -> Result<u64, StoreError> {
    let query = sqlx::query(sql)
        .bind(one.id.as_uuid())
        .bind(&one.service)
        .bind(&one.model)
        .bind(&one.endpoint)
        .bind(&one.key_field)
        .bind(one.is_local);
    Ok(query.execute(tx).await.map_err(refusal)?.rows_affected())
}

/// Its relationships and their join records go with it, by their foreign keys.
const DELETE_RECORD_TYPE: &str = "DELETE FROM record_type WHERE id = $1";

pub(super) async fn delete_record_type(tx: &mut PgConnection, id: RecordTypeId) -> Result<(), StoreError> {
    let done = sqlx::query(DELETE_RECORD_TYPE).bind(id.as_uuid()).execute(tx).await.map_err(refusal)?;
    found(done.rows_affected(), "record type")
}

const INSERT_RELATIONSHIP: &str = "
    INSERT INTO relationship (id, key, origin_id, related_id, foreign_key) VALUES ($1, $2, $3, $4, $5)";

pub(super) async fn insert_relationship(tx: &mut PgConnection, one: &Relationship) -> Result<(), StoreError> {
    write_relationship(tx, INSERT_RELATIONSHIP, one).await.map(drop)
}

const UPDATE_RELATIONSHIP: &str = "
    UPDATE relationship SET key = $2, origin_id = $3, related_id = $4, foreign_key = $5 WHERE id = $1";

pub(super) async fn update_relationship(tx: &mut PgConnection, one: &Relationship) -> Result<(), StoreError> {
    found(write_relationship(tx, UPDATE_RELATIONSHIP, one).await?, "relationship")
}

/// Two nodes must not declare a relationship and its reverse at once; this is rare, so the
/// table may be locked for it.
const LOCK: &str = "LOCK TABLE relationship IN SHARE ROW EXCLUSIVE MODE";
const FIND_REVERSE: &str = "
    SELECT EXISTS (SELECT 1 FROM relationship WHERE origin_id = $2 AND related_id = $1 AND id <> $3)";

async fn write_relationship(
    tx: &mut PgConnection,
    sql: &'static str,
    one: &Relationship,
) -> Result<u64, StoreError> {
    sqlx::query(LOCK).execute(&mut *tx).await.map_err(store_error)?;
    let find = sqlx::query_scalar::<_, bool>(FIND_REVERSE)
        .bind(one.origin.as_uuid())
        .bind(one.related.as_uuid())
        .bind(one.id.as_uuid());
    if find.fetch_one(&mut *tx).await.map_err(store_error)? {
        return Err(StoreError::Stale);
    }
    let query = sqlx::query(sql)
        .bind(one.id.as_uuid())
        .bind(&one.key)
        .bind(one.origin.as_uuid())
        .bind(one.related.as_uuid())
        .bind(&one.foreign_key);
    Ok(query.execute(tx).await.map_err(refusal)?.rows_affected())
}

/// Its join records go with it, by their foreign key.
const DELETE_RELATIONSHIP: &str = "DELETE FROM relationship WHERE id = $1";

pub(super) async fn delete_relationship(tx: &mut PgConnection, id: RelationshipId) -> Result<(), StoreError> {
    let done = sqlx::query(DELETE_RELATIONSHIP).bind(id.as_uuid()).execute(tx).await.map_err(refusal)?;
    found(done.rows_affected(), "relationship")
}

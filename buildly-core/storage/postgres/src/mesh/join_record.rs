//! Writing join records.

use buildly_mesh::{JoinRecord, Key};
use buildly_model::{JoinRecordId, OrganizationId, RecordTypeId, StoreError};
use sqlx::PgConnection;
use uuid::Uuid;

use super::row::{found, refusal};

const INSERT: &str = "
    INSERT INTO join_record (id, organization_id, relationship_id, origin_key, related_key)
    VALUES ($1, $2, $3, $4, $5)";

pub(super) async fn insert(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    record: &JoinRecord,
) -> Result<(), StoreError> {
    write(tx, INSERT, organization, record).await.map(drop)
}

const UPDATE: &str = "
    UPDATE join_record SET relationship_id = $3, origin_key = $4, related_key = $5
    WHERE id = $1 AND organization_id = $2";

pub(super) async fn update(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    record: &JoinRecord,
) -> Result<(), StoreError> {
    found(write(tx, UPDATE, organization, record).await?, "join record")
}

async fn write(
    tx: &mut PgConnection,
    sql: &'static str,
    organization: Option<OrganizationId>,
    record: &JoinRecord,
) -> Result<u64, StoreError> {
    let query = sqlx::query(sql)
        .bind(record.id.as_uuid())
        .bind(owner(organization)?)
        .bind(record.relationship.as_uuid())
        .bind(record.origin.to_string())
        .bind(record.related.to_string());
    Ok(query.execute(tx).await.map_err(refusal)?.rows_affected())
}

const DELETE: &str = "DELETE FROM join_record WHERE id = $1 AND organization_id = $2";

pub(super) async fn delete(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    id: JoinRecordId,
) -> Result<(), StoreError> {
    let query = sqlx::query(DELETE).bind(id.as_uuid()).bind(owner(organization)?);
    found(query.execute(tx).await.map_err(refusal)?.rows_affected(), "join record")
}

const UNLINK_ORIGIN: &str = "
    DELETE FROM join_record WHERE organization_id = $1 AND origin_key = $3
    AND relationship_id IN (SELECT id FROM relationship WHERE origin_id = $2)";
const UNLINK_RELATED: &str = "
    DELETE FROM join_record WHERE organization_id = $1 AND related_key = $3
    AND relationship_id IN (SELECT id FROM relationship WHERE related_id = $2)";

pub(super) async fn unlink(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    record_type: RecordTypeId,
    key: &Key,
) -> Result<(), StoreError> {
    let organization = owner(organization)?;
    for sql in [UNLINK_ORIGIN, UNLINK_RELATED] {
        let query = sqlx::query(sql).bind(organization).bind(record_type.as_uuid()).bind(key.to_string());
        query.execute(&mut *tx).await.map_err(refusal)?;
    }
    Ok(())
}

/// The organization of the part, never that of the record: nothing crosses an organization.
fn owner(organization: Option<OrganizationId>) -> Result<Uuid, StoreError> {
    organization.map(|id| id.as_uuid()).ok_or(StoreError::Missing { what: "organization" })
}

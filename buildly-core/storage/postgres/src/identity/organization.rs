//! Organizations.

use buildly_auth::identity::user::comparison_key;
use buildly_auth::identity::{Organization, Place, Scope};
use buildly_model::{OrganizationId, StoreError};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};
use uuid::Uuid;

use super::column::{bigint, count, found, fresh, instant, json, refusal, to_json, uuid};
use super::user::users_count;
use crate::engine::store_error;

macro_rules! select_organization {
    ($rest:literal) => {
        concat!("SELECT id, name, details, version, created_at, edited_at FROM organization ", $rest)
    };
}

fn organization(row: &PgRow) -> Result<Organization, StoreError> {
    let read = || {
        Ok(Organization {
            id: OrganizationId::from_uuid(row.try_get("id")?),
            name: row.try_get("name")?,
            details: json(row, "details")?,
            version: count(row, "version")?,
            created_at: instant(row, "created_at")?,
            edited_at: instant(row, "edited_at")?,
        })
    };
    read().map_err(store_error)
}

const NAMED: &str = select_organization!("WHERE name_key = $1");

pub(super) async fn named(tx: &mut PgConnection, name: &str) -> Result<Option<Organization>, StoreError> {
    let query = sqlx::query(NAMED).bind(comparison_key(name));
    query.fetch_optional(tx).await.map_err(store_error)?.as_ref().map(organization).transpose()
}

const BY_ID: &str = select_organization!("WHERE id = ANY ($1) ORDER BY name COLLATE \"C\"");

pub(super) async fn by_id(
    tx: &mut PgConnection,
    ids: &[OrganizationId],
) -> Result<Vec<Organization>, StoreError> {
    let ids: Vec<Uuid> = ids.iter().map(OrganizationId::as_uuid).collect();
    let rows = sqlx::query(BY_ID).bind(ids).fetch_all(tx).await.map_err(store_error)?;
    rows.iter().map(organization).collect()
}

const LIST: &str = select_organization!(
    "WHERE ($1::uuid IS NULL OR id = $1) AND ($3::text IS NULL OR name COLLATE \"C\" > $3)
    ORDER BY name COLLATE \"C\" LIMIT $2"
);

pub(super) async fn list(
    tx: &mut PgConnection,
    scope: Scope,
    after: Option<&Place>,
    rows_max: u32,
) -> Result<Vec<Organization>, StoreError> {
    let query = sqlx::query(LIST)
        .bind(uuid(scope.organization()))
        .bind(i64::from(rows_max))
        .bind(after.map(|after| &after.name));
    query.fetch_all(tx).await.map_err(store_error)?.iter().map(organization).collect()
}

const INSERT: &str = "
    INSERT INTO organization (id, name, name_key, details, version, created_at, edited_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";

pub(super) async fn create(tx: &mut PgConnection, organization: &Organization) -> Result<(), StoreError> {
    let query = sqlx::query(INSERT)
        .bind(organization.id.as_uuid())
        .bind(&organization.name)
        .bind(comparison_key(&organization.name))
        .bind(to_json(&organization.details)?)
        .bind(bigint(organization.version))
        .bind(organization.created_at.as_microseconds())
        .bind(organization.edited_at.as_microseconds());
    query.execute(tx).await.map(drop).map_err(refusal)
}

const UPDATE: &str = "
    UPDATE organization SET name = $1, name_key = $2, details = $3, edited_at = $4, version = version + 1
    WHERE id = $5 AND version = $6";

pub(super) async fn update(tx: &mut PgConnection, organization: &Organization) -> Result<(), StoreError> {
    let query = sqlx::query(UPDATE)
        .bind(&organization.name)
        .bind(comparison_key(&organization.name))
        .bind(to_json(&organization.details)?)
        .bind(organization.edited_at.as_microseconds())
        .bind(organization.id.as_uuid())
        .bind(bigint(organization.version));
    fresh(&query.execute(tx).await.map_err(refusal)?)
}

const DELETE_INVITATIONS: &str = "DELETE FROM invitation WHERE organization_id = $1";
const DELETE_MEMBERSHIPS: &str = "
    DELETE FROM membership WHERE group_id IN (SELECT id FROM user_group WHERE organization_id = $1)";
const DELETE_GROUPS: &str = "DELETE FROM user_group WHERE organization_id = $1";
const DELETE: &str = "DELETE FROM organization WHERE id = $1";

pub(super) async fn delete(tx: &mut PgConnection, organization: OrganizationId) -> Result<(), StoreError> {
    if users_count(&mut *tx, organization).await? > 0 {
        return Err(StoreError::Stale);
    }
    for sql in [DELETE_INVITATIONS, DELETE_MEMBERSHIPS, DELETE_GROUPS] {
        sqlx::query(sql).bind(organization.as_uuid()).execute(&mut *tx).await.map_err(store_error)?;
    }
    let query = sqlx::query(DELETE).bind(organization.as_uuid());
    found(&query.execute(&mut *tx).await.map_err(refusal)?, "organization")
}

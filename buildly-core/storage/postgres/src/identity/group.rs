//! Groups, and which services they are attached to.

use buildly_auth::identity::{Attachment, Group, GroupKey, Place, Scope};
use buildly_model::{Actions, GroupId, OrganizationId, ServiceId, StoreError};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};
use uuid::Uuid;

use super::column::{bigint, count, found, fresh, instant, organization, refusal, uuid};
use crate::engine::store_error;

macro_rules! select_group {
    ($rest:literal) => {
        concat!(
            "
    SELECT id, number, organization_id, name, is_global, is_organization_level, is_default, permissions,
        version, created_at, edited_at
    FROM user_group ",
            $rest
        )
    };
}

fn group(row: &PgRow) -> Result<Group, StoreError> {
    let read = || {
        let permissions: i16 = row.try_get("permissions")?;
        Ok(Group {
            id: GroupId::from_uuid(row.try_get("id")?),
            number: row.try_get("number")?,
            organization: organization(row, "organization_id")?,
            name: row.try_get("name")?,
            is_global: row.try_get("is_global")?,
            is_organization_level: row.try_get("is_organization_level")?,
            is_default: row.try_get("is_default")?,
            permissions: Actions::from_bits(u8::try_from(permissions).unwrap_or(0)),
            version: count(row, "version")?,
            created_at: instant(row, "created_at")?,
            edited_at: instant(row, "edited_at")?,
        })
    };
    read().map_err(store_error)
}

const BY_ID: &str = select_group!("WHERE id = $1 AND ($2::uuid IS NULL OR organization_id = $2)");
const BY_NUMBER: &str = select_group!("WHERE number = $1 AND ($2::uuid IS NULL OR organization_id = $2)");

pub(super) async fn find(
    tx: &mut PgConnection,
    scope: Scope,
    key: GroupKey,
) -> Result<Option<Group>, StoreError> {
    let query = match key {
        GroupKey::Id(id) => sqlx::query(BY_ID).bind(id.as_uuid()),
        GroupKey::Number(number) => sqlx::query(BY_NUMBER).bind(number),
    };
    let row = query.bind(uuid(scope.organization())).fetch_optional(tx).await.map_err(store_error)?;
    row.as_ref().map(group).transpose()
}

const LIST: &str = select_group!(
    "WHERE ($1::uuid IS NULL OR organization_id = $1)
        AND ($3::text IS NULL OR (name COLLATE \"C\", number) > ($3, $4))
    ORDER BY name COLLATE \"C\", number LIMIT $2"
);

pub(super) async fn list(
    tx: &mut PgConnection,
    scope: Scope,
    after: Option<&Place>,
    rows_max: u32,
) -> Result<Vec<Group>, StoreError> {
    let query = sqlx::query(LIST)
        .bind(uuid(scope.organization()))
        .bind(i64::from(rows_max))
        .bind(after.map(|after| &after.name))
        .bind(after.map(|after| after.number));
    query.fetch_all(tx).await.map_err(store_error)?.iter().map(group).collect()
}

const OF: &str = select_group!("WHERE organization_id IS NOT DISTINCT FROM $1 ORDER BY number");

pub(super) async fn of(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
) -> Result<Vec<Group>, StoreError> {
    let query = sqlx::query(OF).bind(uuid(organization));
    query.fetch_all(tx).await.map_err(store_error)?.iter().map(group).collect()
}

const BY_IDS: &str = select_group!("WHERE id = ANY ($1) ORDER BY name COLLATE \"C\", number");

pub(super) async fn by_id(tx: &mut PgConnection, groups: &[GroupId]) -> Result<Vec<Group>, StoreError> {
    let groups: Vec<Uuid> = groups.iter().map(GroupId::as_uuid).collect();
    let rows = sqlx::query(BY_IDS).bind(groups).fetch_all(tx).await.map_err(store_error)?;
    rows.iter().map(group).collect()
}

const INSERT: &str = "
    INSERT INTO user_group (id, organization_id, name, is_global, is_organization_level, is_default,
        permissions, version, created_at, edited_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

pub(super) async fn create(tx: &mut PgConnection, group: &Group) -> Result<(), StoreError> {
    let query = sqlx::query(INSERT)
        .bind(group.id.as_uuid())
        .bind(uuid(group.organization))
        .bind(&group.name)
        .bind(group.is_global)
        .bind(group.is_organization_level)
        .bind(group.is_default)
        .bind(i16::from(group.permissions.bits()))
        .bind(bigint(group.version))
        .bind(group.created_at.as_microseconds())
        .bind(group.edited_at.as_microseconds());
    query.execute(tx).await.map(drop).map_err(refusal)
}

const UPDATE: &str = "
    UPDATE user_group SET name = $1, is_global = $2, is_organization_level = $3, is_default = $4,
        permissions = $5, edited_at = $6, version = version + 1
    WHERE id = $7 AND organization_id IS NOT DISTINCT FROM $8 AND version = $9";

pub(super) async fn update(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    group: &Group,
) -> Result<(), StoreError> {
    let query = sqlx::query(UPDATE)
        .bind(&group.name)
        .bind(group.is_global)
        .bind(group.is_organization_level)
        .bind(group.is_default)
        .bind(i16::from(group.permissions.bits()))
        .bind(group.edited_at.as_microseconds())
        .bind(group.id.as_uuid())
        .bind(uuid(organization))
        .bind(bigint(group.version));
    fresh(&query.execute(tx).await.map_err(refusal)?)
}

const DELETE_MEMBERS: &str = "DELETE FROM membership WHERE group_id = $1";
const DELETE: &str = "DELETE FROM user_group WHERE id = $1 AND organization_id IS NOT DISTINCT FROM $2";

pub(super) async fn delete(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    group: GroupId,
) -> Result<(), StoreError> {
    sqlx::query(DELETE_MEMBERS).bind(group.as_uuid()).execute(&mut *tx).await.map_err(store_error)?;
    let query = sqlx::query(DELETE).bind(group.as_uuid()).bind(uuid(organization));
    found(&query.execute(&mut *tx).await.map_err(refusal)?, "group")
}

const ATTACHMENTS: &str = "
    SELECT s.service_id, s.group_id, g.organization_id
    FROM service_group s LEFT JOIN user_group g ON g.id = s.group_id
    WHERE $1::uuid IS NULL OR s.service_id = $1 ORDER BY s.service_id, g.number";

pub(super) async fn attachments(
    tx: &mut PgConnection,
    service: Option<ServiceId>,
) -> Result<Vec<Attachment>, StoreError> {
    let rows = sqlx::query(ATTACHMENTS).bind(service.map(|service| service.as_uuid())).fetch_all(tx).await;
    let read = |row: PgRow| {
        Ok(Attachment {
            service: ServiceId::from_uuid(row.try_get("service_id")?),
            group: GroupId::from_uuid(row.try_get("group_id")?),
            organization: organization(&row, "organization_id")?,
        })
    };
    rows.and_then(|rows| rows.into_iter().map(read).collect()).map_err(store_error)
}

const DETACH: &str = "DELETE FROM service_group WHERE service_id = $1";
const ATTACH: &str = "
    INSERT INTO service_group (service_id, group_id) SELECT $1, id FROM user_group WHERE id = ANY ($2)";

pub(super) async fn attach(
    tx: &mut PgConnection,
    service: ServiceId,
    groups: &[GroupId],
) -> Result<(), StoreError> {
    sqlx::query(DETACH).bind(service.as_uuid()).execute(&mut *tx).await.map_err(store_error)?;
    let groups: Vec<Uuid> = groups.iter().map(GroupId::as_uuid).collect();
    let query = sqlx::query(ATTACH).bind(service.as_uuid()).bind(&groups);
    let attached = query.execute(&mut *tx).await.map_err(refusal)?.rows_affected();
    if attached == groups.len() as u64 { Ok(()) } else { Err(StoreError::Missing { what: "group" }) }
}

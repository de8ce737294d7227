//! Groups, and which services they are attached to.

use buildly_auth::identity::{Attachment, Group, GroupKey, Place, Scope};
use buildly_model::{Actions, GroupId, OrganizationId, ServiceId, StoreError};
use rusqlite::{Connection, Row, params};

use super::account;
use super::column::{all, execute, first, id, instant, key_list, optional_id, text};
use crate::engine::store_error;

const GROUP: &str = "
    SELECT id, number, organization_id, name, is_global, is_organization_level, is_default, permissions,
        version, created_at, edited_at
    FROM user_group";

fn group(row: &Row<'_>) -> rusqlite::Result<Group> {
    Ok(Group {
        id: id(row, 0)?,
        number: row.get(1)?,
        organization: optional_id(row, 2)?,
        name: row.get(3)?,
        is_global: row.get(4)?,
        is_organization_level: row.get(5)?,
        is_default: row.get(6)?,
        permissions: Actions::from_bits(row.get(7)?),
        version: row.get(8)?,
        created_at: instant(row, 9)?,
        edited_at: instant(row, 10)?,
    })
}

pub(super) fn find(tx: &Connection, scope: Scope, key: GroupKey) -> Result<Option<Group>, StoreError> {
    let (column, value) = match key {
        GroupKey::Id(id) => ("id", id.to_string()),
        GroupKey::Number(number) => ("number", number.to_string()),
    };
    let sql = format!("{GROUP} WHERE {column} = ?1 AND (?2 IS NULL OR organization_id = ?2)");
    first(tx, &sql, params![value, text(scope.organization())], group)
}

pub(super) fn list(
    tx: &Connection,
    scope: Scope,
    after: Option<&Place>,
    rows_max: u32,
) -> Result<Vec<Group>, StoreError> {
    let sql = format!(
        "{GROUP} WHERE (?1 IS NULL OR organization_id = ?1)
            AND (?3 IS NULL OR (name, number) > (?3, ?4))
        ORDER BY name, number LIMIT ?2"
    );
    let (name, number) = after.map(|after| (&after.name, after.number)).unzip();
    all(tx, &sql, params![text(scope.organization()), rows_max, name, number], group)
}

pub(super) fn of(tx: &Connection, organization: Option<OrganizationId>) -> Result<Vec<Group>, StoreError> {
    let sql = format!("{GROUP} WHERE organization_id IS ?1 ORDER BY number");
    all(tx, &sql, params![text(organization)], group)
}

pub(super) fn by_id(tx: &Connection, groups: &[GroupId]) -> Result<Vec<Group>, StoreError> {
    let sql = format!("{GROUP} WHERE id IN (SELECT value FROM json_each(?1)) ORDER BY name, number");
    all(tx, &sql, params![key_list(groups)?], group)
}

const INSERT: &str = "
    INSERT INTO user_group (id, organization_id, name, is_global, is_organization_level, is_default,
        permissions, version, created_at, edited_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

pub(super) fn create(tx: &Connection, group: &Group) -> Result<(), StoreError> {
    let parameters = params![
        group.id.to_string(),
        text(group.organization),
        group.name,
        group.is_global,
        group.is_organization_level,
        group.is_default,
        group.permissions.bits(),
        group.version,
        group.created_at.as_microseconds(),
        group.edited_at.as_microseconds(),
    ];
    execute(tx, INSERT, parameters).map(drop).map_err(store_error)
}

const UPDATE: &str = "
    UPDATE user_group SET name = ?1, is_global = ?2, is_organization_level = ?3, is_default = ?4,
        permissions = ?5, edited_at = ?6, version = version + 1
    WHERE id = ?7 AND organization_id IS ?8 AND version = ?9";

pub(super) fn update(
    tx: &Connection,
    organization: Option<OrganizationId>,
    group: &Group,
) -> Result<(), StoreError> {
    let parameters = params![
        group.name,
        group.is_global,
        group.is_organization_level,
        group.is_default,
        group.permissions.bits(),
        group.edited_at.as_microseconds(),
        group.id.to_string(),
        text(organization),
        group.version,
    ];
    match execute(tx, UPDATE, parameters).map_err(store_error)? {
        0 => Err(StoreError::Stale),
        _ => Ok(()),
    }
}

const DELETE: &str = "DELETE FROM user_group WHERE id = ?1 AND organization_id IS ?2";

pub(super) fn delete(
    tx: &Connection,
    organization: Option<OrganizationId>,
    group: GroupId,
) -> Result<(), StoreError> {
    account::leave_group(tx, group)?;
    match execute(tx, DELETE, params![group.to_string(), text(organization)]).map_err(store_error)? {
        0 => Err(StoreError::Missing { what: "group" }),
        _ => Ok(()),
    }
}

const ATTACHMENT: &str = "
    SELECT s.service_id, s.group_id, g.organization_id
    FROM service_group s LEFT JOIN user_group g ON g.id = s.group_id";

pub(super) fn attachments(
    tx: &Connection,
    service: Option<ServiceId>,
) -> Result<Vec<Attachment>, StoreError> {
    let sql = format!("{ATTACHMENT} WHERE ?1 IS NULL OR s.service_id = ?1 ORDER BY s.service_id, g.number");
    all(tx, &sql, params![text(service)], |row| {
        Ok(Attachment { service: id(row, 0)?, group: id(row, 1)?, organization: optional_id(row, 2)? })
    })
}

const DETACH: &str = "DELETE FROM service_group WHERE service_id = ?1";
const ATTACH: &str = "
    INSERT INTO service_group (service_id, group_id) SELECT ?1, id FROM user_group WHERE id = ?2";

pub(super) fn attach(tx: &Connection, service: ServiceId, groups: &[GroupId]) -> Result<(), StoreError> {
    execute(tx, DETACH, params![service.to_string()]).map_err(store_error)?;
    for group in groups {
        if execute(tx, ATTACH, params![service.to_string(), group.to_string()]).map_err(store_error)? == 0 {
            return Err(StoreError::Missing { what: "group" });
        }
    }
    Ok(())
}

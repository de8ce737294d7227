//! Organizations.

use buildly_auth::identity::user::comparison_key;
use buildly_auth::identity::{Organization, Place, Scope};
use buildly_model::{OrganizationId, StoreError};
use rusqlite::{Connection, Row, params};

use super::account;
use super::column::{all, execute, first, id, instant, json, key_list, text, to_json};
use crate::engine::{store_error, unique};

const ORGANIZATION: &str = "SELECT id, name, details, version, created_at, edited_at FROM organization";

fn organization(row: &Row<'_>) -> rusqlite::Result<Organization> {
    Ok(Organization {
        id: id(row, 0)?,
        name: row.get(1)?,
        details: json(row, 2)?,
        version: row.get(3)?,
        created_at: instant(row, 4)?,
        edited_at: instant(row, 5)?,
    })
}

pub(super) fn named(tx: &Connection, name: &str) -> Result<Option<Organization>, StoreError> {
    first(tx, &format!("{ORGANIZATION} WHERE name_key = ?1"), params![comparison_key(name)], organization)
}

pub(super) fn by_id(tx: &Connection, ids: &[OrganizationId]) -> Result<Vec<Organization>, StoreError> {
    let sql = format!("{ORGANIZATION} WHERE id IN (SELECT value FROM json_each(?1)) ORDER BY name");
    all(tx, &sql, params![key_list(ids)?], organization)
}

pub(super) fn list(
    tx: &Connection,
    scope: Scope,
    after: Option<&Place>,
    rows_max: u32,
) -> Result<Vec<Organization>, StoreError> {
    let sql = format!(
        "{ORGANIZATION} WHERE (?1 IS NULL OR id = ?1) AND (?3 IS NULL OR name > ?3) ORDER BY name LIMIT ?2"
    );
    let after = after.map(|after| &after.name);
    all(tx, &sql, params![text(scope.organization()), rows_max, after], organization)
}

const INSERT: &str = "
    INSERT INTO organization (id, name, name_key, details, version, created_at, edited_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

pub(super) fn create(tx: &Connection, organization: &Organization) -> Result<(), StoreError> {
    let parameters = params![
        organization.id.to_string(),
        organization.name,
        comparison_key(&organization.name),
        to_json(&organization.details)?,
        organization.version,
        organization.created_at.as_microseconds(),
        organization.edited_at.as_microseconds(),
    ];
    execute(tx, INSERT, parameters).map(drop).map_err(taken)
}

const UPDATE: &str = "
    UPDATE organization SET name = ?1, name_key = ?2, details = ?3, edited_at = ?4, version = version + 1
    WHERE id = ?5 AND version = ?6";

pub(super) fn update(tx: &Connection, organization: &Organization) -> Result<(), StoreError> {
    let parameters = params![
        organization.name,
        comparison_key(&organization.name),
        to_json(&organization.details)?,
        organization.edited_at.as_microseconds(),
        organization.id.to_string(),
        organization.version,
    ];
    match execute(tx, UPDATE, parameters).map_err(taken)? {
        0 => Err(StoreError::Stale),
        _ => Ok(()),
    }
}

const DELETE_INVITATIONS: &str = "DELETE FROM invitation WHERE organization_id = ?1";
const DELETE_MEMBERSHIPS: &str = "
    DELETE FROM membership WHERE group_id IN (SELECT id FROM user_group WHERE organization_id = ?1)";
const DELETE_GROUPS: &str = "DELETE FROM user_group WHERE organization_id = ?1";
const DELETE: &str = "DELETE FROM organization WHERE id = ?1";

pub(super) fn delete(tx: &Connection, organization: OrganizationId) -> Result<(), StoreError> {
    if account::count(tx, organization)? > 0 {
        return Err(StoreError::Stale);
    }
    let id = organization.to_string();
    for sql in [DELETE_INVITATIONS, DELETE_MEMBERSHIPS, DELETE_GROUPS] {
        execute(tx, sql, params![id]).map_err(store_error)?;
    }
    match execute(tx, DELETE, params![id]).map_err(store_error)? {
        0 => Err(StoreError::Missing { what: "organization" }),
        _ => Ok(()),
    }
}

fn taken(error: rusqlite::Error) -> StoreError {
    unique(error, &[("organization.name_key", "organization_name")])
}

//! Organization types, consortia, partners.

use buildly_auth::identity::user::comparison_key;
use buildly_auth::identity::{Consortium, OrganizationType, Partner};
use buildly_model::StoreError;
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::column::{all, execute, id, instant, json, to_json};
use crate::engine::{store_error, unique};

const TYPES: &str = "
    SELECT number, name, created_at, edited_at FROM organization_type ORDER BY name, number LIMIT ?1";

pub(super) fn types(tx: &Connection, rows_max: u32) -> Result<Vec<OrganizationType>, StoreError> {
    all(tx, TYPES, params![rows_max], |row| {
        Ok(OrganizationType {
            number: row.get(0)?,
            name: row.get(1)?,
            created_at: instant(row, 2)?,
            edited_at: instant(row, 3)?,
        })
    })
}

const INSERT_TYPE: &str = "
    INSERT INTO organization_type (name, name_key, created_at, edited_at) VALUES (?1, ?2, ?3, ?4)";

pub(super) fn create_type(tx: &Connection, kind: &OrganizationType) -> Result<(), StoreError> {
    let (created, edited) = (kind.created_at.as_microseconds(), kind.edited_at.as_microseconds());
    execute(tx, INSERT_TYPE, params![kind.name, comparison_key(&kind.name), created, edited])
        .map(drop)
        .map_err(taken)
}

const UPDATE_TYPE: &str = "
    UPDATE organization_type SET name = ?1, name_key = ?2, edited_at = ?3 WHERE number = ?4";

pub(super) fn update_type(tx: &Connection, kind: &OrganizationType) -> Result<(), StoreError> {
    let edited = kind.edited_at.as_microseconds();
    let updated =
        execute(tx, UPDATE_TYPE, params![kind.name, comparison_key(&kind.name), edited, kind.number]);
    found(updated.map_err(taken)?, "organization type")
}

const DELETE_TYPE: &str = "DELETE FROM organization_type WHERE number = ?1";

/// Nothing else in the details is written like this: quotes within texts are escaped.
const HAS_TYPE: &str = "
    SELECT 1 FROM organization WHERE instr(details, '\"organization_type\":' || ?1 || ',') > 0 LIMIT 1";

pub(super) fn delete_type(tx: &Connection, number: i64) -> Result<(), StoreError> {
    if !all(tx, HAS_TYPE, params![number], |_| Ok(()))?.is_empty() {
        return Err(StoreError::Stale);
    }
    found(execute(tx, DELETE_TYPE, params![number]).map_err(store_error)?, "organization type")
}

const CONSORTIA: &str = "
    SELECT id, name, organizations, created_at, edited_at FROM consortium ORDER BY name, id LIMIT ?1";

pub(super) fn consortia(tx: &Connection, rows_max: u32) -> Result<Vec<Consortium>, StoreError> {
    all(tx, CONSORTIA, params![rows_max], |row| {
        Ok(Consortium {
            id: id(row, 0)?,
            name: row.get(1)?,
            organizations: json(row, 2)?,
            created_at: instant(row, 3)?,
            edited_at: instant(row, 4)?,
        })
    })
}

const SAVE_CONSORTIUM: &str = "
    INSERT INTO consortium (id, name, organizations, created_at, edited_at) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, organizations = excluded.organizations,
        edited_at = excluded.edited_at";

pub(super) fn save_consortium(tx: &Connection, consortium: &Consortium) -> Result<(), StoreError> {
    let parameters = params![
        consortium.id.to_string(),
        consortium.name,
        to_json(&consortium.organizations)?,
        consortium.created_at.as_microseconds(),
        consortium.edited_at.as_microseconds(),
    ];
    execute(tx, SAVE_CONSORTIUM, parameters).map(drop).map_err(store_error)
}

const DELETE_CONSORTIUM: &str = "DELETE FROM consortium WHERE id = ?1";

pub(super) fn delete_consortium(tx: &Connection, id: Uuid) -> Result<(), StoreError> {
    found(execute(tx, DELETE_CONSORTIUM, params![id.to_string()]).map_err(store_error)?, "consortium")
}

const PARTNERS: &str = "SELECT id, name FROM partner ORDER BY name, id LIMIT ?1";

pub(super) fn partners(tx: &Connection, rows_max: u32) -> Result<Vec<Partner>, StoreError> {
    all(tx, PARTNERS, params![rows_max], |row| Ok(Partner { id: id(row, 0)?, name: row.get(1)? }))
}

const SAVE_PARTNER: &str = "
    INSERT INTO partner (id, name) VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET name = excluded.name";

pub(super) fn save_partner(tx: &Connection, partner: &Partner) -> Result<(), StoreError> {
    execute(tx, SAVE_PARTNER, params![partner.id.to_string(), partner.name]).map(drop).map_err(store_error)
}

const DELETE_PARTNER: &str = "DELETE FROM partner WHERE id = ?1";

pub(super) fn delete_partner(tx: &Connection, id: Uuid) -> Result<(), StoreError> {
    found(execute(tx, DELETE_PARTNER, params![id.to_string()]).map_err(store_error)?, "partner")
}

fn taken(error: rusqlite::Error) -> StoreError {
    unique(error, &[("organization_type.name_key", "name")])
}

const fn found(rows: usize, what: &'static str) -> Result<(), StoreError> {
    if rows == 0 { Err(StoreError::Missing { what }) } else { Ok(()) }
}

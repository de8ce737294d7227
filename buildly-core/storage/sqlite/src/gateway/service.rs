//! Writing services.

use buildly_gateway::{Service, StoredService};
use buildly_model::{ServiceId, StoreError};
use rusqlite::{Connection, Params, params};

use crate::engine::{store_error, unique};

const UNIQUE: &[(&str, &str)] = &[("service.name", "endpoint_name"), ("service.id", "id")];

const INSERT: &str = "
    INSERT INTO service (id, name, title, description, docs_endpoint, credential, policy, instances,
                         version, created_at, updated_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";

pub(super) fn insert(tx: &Connection, service: &Service) -> Result<(), StoreError> {
    let row = StoredService::of(service)?;
    let values = params![
        row.id.to_string(),
        row.name,
        row.title,
        row.description,
        row.docs_endpoint,
        row.credential,
        row.policy,
        row.instances,
        row.version,
        row.created_at,
        row.updated_at,
    ];
    execute(tx, INSERT, values).map(drop)
}

const UPDATE: &str = "
    UPDATE service SET name = ?2, title = ?3, description = ?4, docs_endpoint = ?5, credential = ?6,
                       policy = ?7, instances = ?8, version = ?9, updated_at = ?10
    WHERE id = ?1 AND version = ?11";
const EXISTS: &str = "SELECT EXISTS (SELECT 1 FROM service WHERE id = ?1)";

pub(super) fn update(tx: &Connection, service: &Service, expected: u64) -> Result<(), StoreError> {
    let row = StoredService::of(service)?;
    let id = row.id.to_string();
    let values = params![
        id,
        row.name,
        row.title,
        row.description,
        row.docs_endpoint,
        row.credential,
        row.policy,
        row.instances,
        row.version,
        row.updated_at,
        i64::try_from(expected).unwrap_or(i64::MAX),
    ];
    if execute(tx, UPDATE, values)? > 0 {
        return Ok(());
    }
    let exists: bool = tx.query_row(EXISTS, [id], |row| row.get(0)).map_err(store_error)?;
    Err(if exists { StoreError::Stale } else { StoreError::Missing { what: "service" } })
}

/// Its documents go with it, by their foreign key.
const DELETE: &str = "DELETE FROM service WHERE id = ?1";

pub(super) fn delete(tx: &Connection, service: ServiceId) -> Result<(), StoreError> {
    match execute(tx, DELETE, [service.to_string()])? {
        0 => Err(StoreError::Missing { what: "service" }),
        _ => Ok(()),
    }
}

fn execute(tx: &Connection, sql: &str, values: impl Params) -> Result<usize, StoreError> {
    let mut statement = tx.prepare_cached(sql).map_err(store_error)?;
    statement.execute(values).map_err(|error| unique(error, UNIQUE))
}

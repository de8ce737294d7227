//! OAuth client applications.

use buildly_auth::token::{Application, ApplicationGrant, ClientType};
use buildly_model::{ApplicationId, StoreError};
use rusqlite::{Connection, Row, params};

use super::row::{self, execute, list, text};

const CREATE: &str = "
    INSERT INTO application (id, client_id, secret, name, client_type, authorization_grant, redirect_uris,
        user_id, created_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING";

pub(super) fn create(tx: &Connection, application: &Application) -> Result<(), StoreError> {
    let values = params![
        application.id.to_string(),
        application.client_id,
        application.secret.as_ref().map(|secret| secret.as_bytes().as_slice()),
        application.name,
        application.client_type.name(),
        application.grant.name(),
        application.redirect_uris,
        text(application.user),
        application.created_at.as_microseconds(),
    ];
    match execute(tx, CREATE, values)? {
        0 => Err(StoreError::Taken { field: "client_id" }),
        _ => Ok(()),
    }
}

const UPDATE: &str = "
    UPDATE OR IGNORE application SET client_id = ?2, secret = ?3, name = ?4, client_type = ?5,
        authorization_grant = ?6, redirect_uris = ?7
    WHERE id = ?1";

pub(super) fn update(tx: &Connection, before: &Application, after: &Application) -> Result<(), StoreError> {
    let id = after.id.to_string();
    match list(tx, ONE, [&id], application)?.pop() {
        None => return Err(StoreError::Missing { what: "application" }),
        Some(stored) if stored != *before => return Err(StoreError::Stale),
        Some(_) => {}
    }
    let values = params![
        id,
        after.client_id,
        after.secret.as_ref().map(|secret| secret.as_bytes().as_slice()),
        after.name,
        after.client_type.name(),
        after.grant.name(),
        after.redirect_uris,
    ];
    match execute(tx, UPDATE, values)? {
        0 => Err(StoreError::Taken { field: "client_id" }),
        _ => Ok(()),
    }
}

const DELETE: &str = "DELETE FROM application WHERE id = ?1";

pub(super) fn delete(tx: &Connection, application: ApplicationId) -> Result<(), StoreError> {
    match execute(tx, DELETE, [application.to_string()])? {
        0 => Err(StoreError::Missing { what: "application" }),
        _ => Ok(()),
    }
}

const ALL: &str = "
    SELECT id, number, client_id, secret, name, client_type, authorization_grant, redirect_uris, user_id,
        created_at
    FROM application ORDER BY number";

const ONE: &str = "
    SELECT id, number, client_id, secret, name, client_type, authorization_grant, redirect_uris, user_id,
        created_at
    FROM application WHERE id = ?1";

pub(super) fn all(tx: &Connection) -> Result<Vec<Application>, StoreError> {
    list(tx, ALL, [], application)
}

fn application(row: &Row<'_>) -> rusqlite::Result<Application> {
    Ok(Application {
        id: row::id(row, 0)?,
        number: row.get(1)?,
        client_id: row.get(2)?,
        secret: row::optional_hash(row, 3)?,
        name: row.get(4)?,
        client_type: row::word(row, 5, ClientType::from_name)?,
        grant: row::word(row, 6, ApplicationGrant::from_name)?,
        redirect_uris: row.get(7)?,
        user: row::optional_id(row, 8)?,
        created_at: row::at(row, 9)?,
    })
}

//! OAuth client applications.

use buildly_auth::token::{Application, ApplicationGrant, ClientType};
use buildly_model::{ApplicationId, StoreError};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use super::column::{self, execute, list, uuid};
use crate::engine::unique;

const CREATE: &str = "
    INSERT INTO application (id, client_id, secret, name, client_type, authorization_grant, redirect_uris,
        user_id, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING";

pub(super) async fn create(tx: &mut PgConnection, application: &Application) -> Result<(), StoreError> {
    let create = sqlx::query(CREATE)
        .bind(application.id.as_uuid())
        .bind(&application.client_id)
        .bind(application.secret.as_ref().map(|secret| secret.as_bytes().as_slice()))
        .bind(&application.name)
        .bind(application.client_type.name())
        .bind(application.grant.name())
        .bind(&application.redirect_uris)
        .bind(uuid(application.user))
        .bind(application.created_at.as_microseconds());
    match execute(tx, create).await? {
        0 => Err(StoreError::Taken { field: "client_id" }),
        _ => Ok(()),
    }
}

const UPDATE: &str = "
    UPDATE application SET client_id = $2, secret = $3, name = $4, client_type = $5,
        authorization_grant = $6, redirect_uris = $7
    WHERE id = $1";

pub(super) async fn update(
    tx: &mut PgConnection,
    before: &Application,
    after: &Application,
) -> Result<(), StoreError> {
    match list(tx, sqlx::query(ONE).bind(after.id.as_uuid()), application).await?.pop() {
        None => return Err(StoreError::Missing { what: "application" }),
        Some(stored) if stored != *before => return Err(StoreError::Stale),
        Some(_) => {}
    }
    let update = sqlx::query(UPDATE)
        .bind(after.id.as_uuid())
        .bind(&after.client_id)
        .bind(after.secret.as_ref().map(|secret| secret.as_bytes().as_slice()))
        .bind(&after.name)
        .bind(after.client_type.name())
        .bind(after.grant.name())
        .bind(&after.redirect_uris);
    let done = update.execute(tx).await;
    done.map(drop).map_err(|error| unique(error, &[("application_client_id_key", "client_id")]))
}

const DELETE: &str = "DELETE FROM application WHERE id = $1";

pub(super) async fn delete(tx: &mut PgConnection, application: ApplicationId) -> Result<(), StoreError> {
    match execute(tx, sqlx::query(DELETE).bind(application.as_uuid())).await? {
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
    FROM application WHERE id = $1 FOR UPDATE";

pub(super) async fn all(tx: &mut PgConnection) -> Result<Vec<Application>, StoreError> {
    list(tx, sqlx::query(ALL), application).await
}

fn application(row: &PgRow) -> sqlx::Result<Application> {
    Ok(Application {
        id: column::id(row, 0)?,
        number: row.try_get(1)?,
        client_id: row.try_get(2)?,
        secret: column::optional_hash(row, 3)?,
        name: row.try_get(4)?,
        client_type: column::word(row, 5, ClientType::from_name)?,
        grant: column::word(row, 6, ApplicationGrant::from_name)?,
        redirect_uris: row.try_get(7)?,
        user: column::optional_id(row, 8)?,
        created_at: column::at(row, 9)?,
    })
}

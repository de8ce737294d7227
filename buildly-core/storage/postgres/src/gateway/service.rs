//! Writing services.

use buildly_gateway::{Service, StoredService};
use buildly_model::{ServiceId, StoreError};
use sqlx::{Error, PgConnection};

use crate::engine::{store_error, unique};

fn refusal(error: Error) -> StoreError {
    unique(error, &[("service_name_key", "endpoint_name"), ("service_id_key", "id")])
}

const INSERT: &str = "
    INSERT INTO service (id, name, title, description, docs_endpoint, credential, policy, instances,
                         version, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

pub(super) async fn insert(tx: &mut PgConnection, service: &Service) -> Result<(), StoreError> {
    let row = StoredService::of(service)?;
    let query = sqlx::query(INSERT)
        .bind(row.id)
        .bind(row.name)
        .bind(row.title)
        .bind(row.description)
        .bind(row.docs_endpoint)
        .bind(row.credential)
        .bind(row.policy)
        .bind(row.instances)
        .bind(row.version)
        .bind(row.created_at)
        .bind(row.updated_at);
    query.execute(tx).await.map(drop).map_err(refusal)
}

const UPDATE: &str = "
    UPDATE service SET name = $2, title = $3, description = $4, docs_endpoint = $5, credential = $6,
                       policy = $7, instances = $8, version = $9, updated_at = $10
    WHERE id = $1 AND version = $11";
const EXISTS: &str = "SELECT EXISTS (SELECT 1 FROM service WHERE id = $1)";

pub(super) async fn update(
    tx: &mut PgConnection,
    service: &Service,
    expected: u64,
) -> Result<(), StoreError> {
    let row = StoredService::of(service)?;
    let query = sqlx::query(UPDATE)
        .bind(row.id)
        .bind(row.name)
        .bind(row.title)
        .bind(row.description)
        .bind(row.docs_endpoint)
        .bind(row.credential)
        .bind(row.policy)
        .bind(row.instances)
        .bind(row.version)
        .bind(row.updated_at)
        .bind(i64::try_from(expected).unwrap_or(i64::MAX));
    if query.execute(&mut *tx).await.map_err(refusal)?.rows_affected() > 0 {
        return Ok(());
    }
    let exists: bool = sqlx::query_scalar(EXISTS).bind(row.id).fetch_one(tx).await.map_err(store_error)?;
    Err(if exists { StoreError::Stale } else { StoreError::Missing { what: "service" } })
}

/// Its documents go with it, by their foreign key.
const DELETE: &str = "DELETE FROM service WHERE id = $1";

pub(super) async fn delete(tx: &mut PgConnection, service: ServiceId) -> Result<(), StoreError> {
    let done = sqlx::query(DELETE).bind(service.as_uuid()).execute(tx).await.map_err(store_error)?;
    match done.rows_affected() {
        0 => Err(StoreError::Missing { what: "service" }),
        _ => Ok(()),
    }
}

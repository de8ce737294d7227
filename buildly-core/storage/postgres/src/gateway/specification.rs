//! Writing the documents of services.

use buildly_gateway::Specification;
use buildly_model::{ServiceId, StoreError};
use sqlx::PgConnection;

use crate::engine::store_error;

const PUT: &str = "
    INSERT INTO service_specification (service_id, version, text, fetched_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (service_id, version) DO UPDATE SET text = excluded.text, fetched_at = excluded.fetched_at";

/// Without the service its foreign key is broken. PostgreSQL keeps no NUL in a text; no document
/// means one.
pub(super) async fn put(
    tx: &mut PgConnection,
    service: ServiceId,
    one: &Specification,
) -> Result<(), StoreError> {
    let query = sqlx::query(PUT)
        .bind(service.as_uuid())
        .bind(one.version.as_ref().map_or("", |version| version.as_str()))
        .bind(one.text.replace('\0', ""))
        .bind(one.fetched_at.as_microseconds());
    query.execute(tx).await.map(drop).map_err(store_error)
}

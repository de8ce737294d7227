//! Writing the documents of services.

use buildly_gateway::Specification;
use buildly_model::{ServiceId, StoreError};
use rusqlite::{Connection, params};

use crate::engine::store_error;

const PUT: &str = "
    INSERT INTO service_specification (service_id, version, text, fetched_at) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (service_id, version) DO UPDATE SET text = excluded.text, fetched_at = excluded.fetched_at";

/// Without the service its foreign key is broken.
pub(super) fn put(tx: &Connection, service: ServiceId, one: &Specification) -> Result<(), StoreError> {
    let version = one.version.as_ref().map_or("", |version| version.as_str());
    let values = params![service.to_string(), version, one.text, one.fetched_at.as_microseconds()];
    let mut statement = tx.prepare_cached(PUT).map_err(store_error)?;
    statement.execute(values).map(drop).map_err(store_error)
}

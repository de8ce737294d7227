//! Reading services, their documents, limits.

use async_trait::async_trait;
use buildly_gateway::{RateLimits, Service, Specification, SpecificationMark, Store, StoredService, Version};
use buildly_model::{ServiceId, StoreError, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use uuid::Uuid;

use crate::Sqlite;
use crate::engine::store_error;

#[async_trait]
impl Store for Sqlite {
    async fn services(&self) -> Result<Vec<Service>, StoreError> {
        self.engine.read(all).await
    }

    async fn find_service(&self, service: ServiceId) -> Result<Option<Service>, StoreError> {
        self.engine.read(move |tx| find(tx, service)).await
    }

    async fn find_specification(
        &self,
        service: ServiceId,
        version: Option<&Version>,
    ) -> Result<Option<Specification>, StoreError> {
        let version = version.cloned();
        self.engine.read(move |tx| specification(tx, service, version)).await
    }

    async fn find_rate_limits(&self) -> Result<Option<RateLimits>, StoreError> {
        self.engine.read(rate_limits).await
    }
}

const ALL: &str = "
    SELECT number, id, name, title, description, docs_endpoint, credential, policy, instances, version,
           created_at, updated_at
    FROM service ORDER BY number";

fn all(tx: &Connection) -> Result<Vec<Service>, StoreError> {
    let mut statement = tx.prepare_cached(ALL).map_err(store_error)?;
    let rows = statement.query_map([], stored).map_err(store_error)?;
    let rows = rows.collect::<Result<Vec<_>, _>>().map_err(store_error)?;
    rows.into_iter().map(|row| with_marks(tx, row)).collect()
}

const FIND: &str = "
    SELECT number, id, name, title, description, docs_endpoint, credential, policy, instances, version,
           created_at, updated_at
    FROM service WHERE id = ?1";

fn find(tx: &Connection, service: ServiceId) -> Result<Option<Service>, StoreError> {
    let mut statement = tx.prepare_cached(FIND).map_err(store_error)?;
    let row = statement.query_row([service.to_string()], stored).optional().map_err(store_error)?;
    row.map(|row| with_marks(tx, row)).transpose()
}

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredService> {
    Ok(StoredService {
        number: row.get(0)?,
        id: uuid(row, 1)?,
        name: row.get(2)?,
        title: row.get(3)?,
        description: row.get(4)?,
        docs_endpoint: row.get(5)?,
        credential: row.get(6)?,
        policy: row.get(7)?,
        instances: row.get(8)?,
        version: row.get(9)?,
        created_at: row.get(10)?,
        updated_at: row.get(11)?,
    })
}

fn uuid(row: &Row<'_>, column: usize) -> rusqlite::Result<Uuid> {
    let text = row.get_ref(column)?.as_str()?;
    Uuid::parse_str(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
    })
}

const MARKS: &str = "
    SELECT version, fetched_at FROM service_specification WHERE service_id = ?1 ORDER BY version";

fn with_marks(tx: &Connection, row: StoredService) -> Result<Service, StoreError> {
    let mut statement = tx.prepare_cached(MARKS).map_err(store_error)?;
    let marks = statement
        .query_map([row.id.to_string()], |row| {
            let version: String = row.get(0)?;
            Ok(SpecificationMark {
                version: Version::parse(&version),
                fetched_at: Timestamp::from_microseconds(row.get(1)?),
            })
        })
        .map_err(store_error)?;
    row.into_service(marks.collect::<Result<Vec<_>, _>>().map_err(store_error)?)
}

const SPECIFICATION: &str = "
    SELECT text, fetched_at FROM service_specification WHERE service_id = ?1 AND version = ?2";

fn specification(
    tx: &Connection,
    service: ServiceId,
    version: Option<Version>,
) -> Result<Option<Specification>, StoreError> {
    let mut statement = tx.prepare_cached(SPECIFICATION).map_err(store_error)?;
    let key = version.as_ref().map_or("", |version| version.as_str());
    let found = statement.query_row(params![service.to_string(), key], |row| {
        let fetched_at = Timestamp::from_microseconds(row.get(1)?);
        Ok(Specification { version: version.clone(), text: row.get(0)?, fetched_at })
    });
    found.optional().map_err(store_error)
}

const RATE_LIMITS: &str = "SELECT limits FROM rate_limits WHERE number = 1";

fn rate_limits(tx: &Connection) -> Result<Option<RateLimits>, StoreError> {
    let json: Option<String> =
        tx.query_row(RATE_LIMITS, [], |row| row.get(0)).optional().map_err(store_error)?;
    let read =
        |json: String| serde_json::from_str(&json).map_err(|error| StoreError::corrupt(error.to_string()));
    json.map(read).transpose()
}

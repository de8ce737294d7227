//! Reading services, their documents, limits.

use std::collections::HashMap;

use async_trait::async_trait;
use buildly_gateway::{RateLimits, Service, Specification, SpecificationMark, Store, StoredService, Version};
use buildly_model::{ServiceId, StoreError, Timestamp};
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::Postgres;
use crate::engine::{ask, store_error};

const ALL: &str = "
    SELECT number, id, name, title, description, docs_endpoint, credential, policy, instances, version,
           created_at, updated_at
    FROM service ORDER BY number";
const ALL_MARKS: &str = "
    SELECT service_id, version, fetched_at FROM service_specification ORDER BY service_id, version";
const FIND: &str = "
    SELECT number, id, name, title, description, docs_endpoint, credential, policy, instances, version,
           created_at, updated_at
    FROM service WHERE id = $1";
const MARKS: &str = "
    SELECT service_id, version, fetched_at FROM service_specification WHERE service_id = $1 ORDER BY version";
const SPECIFICATION: &str = "
    SELECT text, fetched_at FROM service_specification WHERE service_id = $1 AND version = $2";
const RATE_LIMITS: &str = "SELECT limits FROM rate_limits WHERE number = 1";

#[async_trait]
impl Store for Postgres {
    async fn services(&self) -> Result<Vec<Service>, StoreError> {
        let rows = ask(sqlx::query(ALL).fetch_all(self.engine.pool())).await?;
        let marks = ask(sqlx::query(ALL_MARKS).fetch_all(self.engine.pool())).await?;
        let mut by_service: HashMap<Uuid, Vec<SpecificationMark>> = HashMap::new();
        for row in &marks {
            let (service, mark) = mark(row).map_err(store_error)?;
            by_service.entry(service).or_default().push(mark);
        }
        rows.iter()
            .map(|row| {
                let row = stored(row).map_err(store_error)?;
                let marks = by_service.remove(&row.id).unwrap_or_default();
                row.into_service(marks)
            })
            .collect()
    }

    async fn find_service(&self, service: ServiceId) -> Result<Option<Service>, StoreError> {
        let query = sqlx::query(FIND).bind(service.as_uuid());
        let Some(row) = ask(query.fetch_optional(self.engine.pool())).await? else {
            return Ok(None);
        };
        let query = sqlx::query(MARKS).bind(service.as_uuid());
        let marks = ask(query.fetch_all(self.engine.pool())).await?;
        let marks = marks.iter().map(|row| mark(row).map(|(_, mark)| mark)).collect::<Result<_, _>>();
        stored(&row).map_err(store_error)?.into_service(marks.map_err(store_error)?).map(Some)
    }

    async fn find_specification(
        &self,
        service: ServiceId,
        version: Option<&Version>,
    ) -> Result<Option<Specification>, StoreError> {
        let query = sqlx::query(SPECIFICATION)
            .bind(service.as_uuid())
            .bind(version.map_or("", |version| version.as_str()));
        let row = ask(query.fetch_optional(self.engine.pool())).await?;
        row.map(|row| {
            let fetched_at = Timestamp::from_microseconds(row.try_get(1)?);
            Ok(Specification { version: version.cloned(), text: row.try_get(0)?, fetched_at })
        })
        .transpose()
        .map_err(store_error)
    }

    async fn find_rate_limits(&self) -> Result<Option<RateLimits>, StoreError> {
        let query = sqlx::query_scalar(RATE_LIMITS);
        let json: Option<String> = ask(query.fetch_optional(self.engine.pool())).await?;
        let read = |json: String| {
            serde_json::from_str(&json).map_err(|error| StoreError::corrupt(error.to_string()))
        };
        json.map(read).transpose()
    }
}

fn stored(row: &PgRow) -> sqlx::Result<StoredService> {
    Ok(StoredService {
        number: row.try_get(0)?,
        id: row.try_get(1)?,
        name: row.try_get(2)?,
        title: row.try_get(3)?,
        description: row.try_get(4)?,
        docs_endpoint: row.try_get(5)?,
        credential: row.try_get(6)?,
        policy: row.try_get(7)?,
        instances: row.try_get(8)?,
        version: row.try_get(9)?,
        created_at: row.try_get(10)?,
        updated_at: row.try_get(11)?,
    })
}

fn mark(row: &PgRow) -> sqlx::Result<(Uuid, SpecificationMark)> {
    let version: String = row.try_get(1)?;
    let fetched_at = Timestamp::from_microseconds(row.try_get(2)?);
    Ok((row.try_get(0)?, SpecificationMark { version: Version::parse(&version), fetched_at }))
}

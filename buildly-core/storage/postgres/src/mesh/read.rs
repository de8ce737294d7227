//! Reading the catalog and the links.

use async_trait::async_trait;
use buildly_mesh::{
    JoinRecord, JoinRecordFilter, JoinRecordPage, Key, RecordType, Relationship, Side, Store,
};
use buildly_model::{JoinRecordId, OrganizationId, RelationshipId, StoreError};
use sqlx::Row as _;

use super::row;
use crate::Postgres;
use crate::engine::{ask, store_error};

const RECORD_TYPES: &str = "
    SELECT id, service, model, endpoint, key_field, is_local FROM record_type ORDER BY number";
const RELATIONSHIPS: &str = "
    SELECT id, key, origin_id, related_id, foreign_key FROM relationship ORDER BY number";
const FIND: &str = "
    SELECT id, organization_id, relationship_id, origin_key, related_key
    FROM join_record WHERE id = $1 AND organization_id = $2";
/// A condition that is `NULL` does not apply.
const LIST: &str = "
    SELECT id, organization_id, relationship_id, origin_key, related_key, number
    FROM join_record
    WHERE organization_id = $1 AND number > $2
      AND ($3::uuid IS NULL OR relationship_id = $3)
      AND ($4::text[] IS NULL OR origin_key = ANY ($4))
      AND ($5::text[] IS NULL OR related_key = ANY ($5))
    ORDER BY number LIMIT $6";
const LINKS_OF_ORIGINS: &str = "
    SELECT id, organization_id, relationship_id, origin_key, related_key
    FROM join_record
    WHERE organization_id = $1 AND relationship_id = $2 AND origin_key = ANY ($3)
    ORDER BY number LIMIT $4";
const LINKS_OF_RELATED: &str = "
    SELECT id, organization_id, relationship_id, origin_key, related_key
    FROM join_record
    WHERE organization_id = $1 AND relationship_id = $2 AND related_key = ANY ($3)
    ORDER BY number LIMIT $4";

#[async_trait]
impl Store for Postgres {
    async fn record_types(&self) -> Result<Vec<RecordType>, StoreError> {
        let rows = ask(sqlx::query(RECORD_TYPES).fetch_all(self.engine.pool())).await?;
        rows.iter().map(row::record_type).collect()
    }

    async fn relationships(&self) -> Result<Vec<Relationship>, StoreError> {
        let rows = ask(sqlx::query(RELATIONSHIPS).fetch_all(self.engine.pool())).await?;
        rows.iter().map(row::relationship).collect()
    }

    async fn find_join_record(
        &self,
        organization: OrganizationId,
        id: JoinRecordId,
    ) -> Result<Option<JoinRecord>, StoreError> {
        let query = sqlx::query(FIND).bind(id.as_uuid()).bind(organization.as_uuid());
        let found = ask(query.fetch_optional(self.engine.pool())).await?;
        found.as_ref().map(row::join_record).transpose()
    }

    async fn join_records(
        &self,
        organization: OrganizationId,
        filter: &JoinRecordFilter,
        after: Option<u64>,
        records_max: u32,
    ) -> Result<JoinRecordPage, StoreError> {
        let query = sqlx::query(LIST)
            .bind(organization.as_uuid())
            .bind(after.and_then(|place| i64::try_from(place).ok()).unwrap_or(0))
            .bind(filter.relationship.map(|id| id.as_uuid()))
            .bind(filter.origins.as_deref().map(texts))
            .bind(filter.related.as_deref().map(texts))
            .bind(i64::from(records_max) + 1);
        let mut rows = ask(query.fetch_all(self.engine.pool())).await?;
        let has_more = rows.len() > records_max as usize;
        rows.truncate(records_max as usize);
        let place = |row| sqlx::postgres::PgRow::try_get::<i64, _>(row, "number").map_err(store_error);
        let next = rows.last().filter(|_| has_more).map(place).transpose()?;
        let records = rows.iter().map(row::join_record).collect::<Result<_, _>>()?;
        Ok(JoinRecordPage { records, next: next.and_then(|place| u64::try_from(place).ok()) })
    }

    async fn links(
        &self,
        organization: OrganizationId,
        relationship: RelationshipId,
        side: Side,
        keys: &[Key],
        links_max: u32,
    ) -> Result<Vec<JoinRecord>, StoreError> {
        let sql = match side {
            Side::Origin => LINKS_OF_ORIGINS,
            Side::Related => LINKS_OF_RELATED,
        };
        let query = sqlx::query(sql)
            .bind(organization.as_uuid())
            .bind(relationship.as_uuid())
            .bind(texts(keys))
            .bind(i64::from(links_max));
        let rows = ask(query.fetch_all(self.engine.pool())).await?;
        rows.iter().map(row::join_record).collect()
    }
}

fn texts(keys: &[Key]) -> Vec<String> {
    keys.iter().map(Key::to_string).collect()
}

//! Reading the catalog and the links.

use async_trait::async_trait;
use buildly_mesh::{
    JoinRecord, JoinRecordFilter, JoinRecordPage, Key, RecordType, Relationship, Side, Store,
};
use buildly_model::{JoinRecordId, OrganizationId, RelationshipId, StoreError};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::row;
use crate::Sqlite;
use crate::engine::store_error;

#[async_trait]
impl Store for Sqlite {
    async fn record_types(&self) -> Result<Vec<RecordType>, StoreError> {
        let sql = format!("SELECT {} FROM record_type ORDER BY number", row::RECORD_TYPE);
        self.engine.read(move |tx| all(tx, &sql, row::record_type)).await
    }

    async fn relationships(&self) -> Result<Vec<Relationship>, StoreError> {
        let sql = format!("SELECT {} FROM relationship ORDER BY number", row::RELATIONSHIP);
        self.engine.read(move |tx| all(tx, &sql, row::relationship)).await
    }

    async fn find_join_record(
        &self,
        organization: OrganizationId,
        id: JoinRecordId,
    ) -> Result<Option<JoinRecord>, StoreError> {
        self.engine.read(move |tx| find(tx, organization, id)).await
    }

    async fn join_records(
        &self,
        organization: OrganizationId,
        filter: &JoinRecordFilter,
        after: Option<u64>,
        records_max: u32,
    ) -> Result<JoinRecordPage, StoreError> {
        let filter = filter.clone();
        self.engine.read(move |tx| list(tx, organization, &filter, after, records_max)).await
    }

    async fn links(
        &self,
        organization: OrganizationId,
        relationship: RelationshipId,
        side: Side,
        keys: &[Key],
        links_max: u32,
    ) -> Result<Vec<JoinRecord>, StoreError> {
        let keys = key_list(keys);
        self.engine.read(move |tx| links(tx, organization, relationship, side, &keys, links_max)).await
    }
}

fn all<T>(
    tx: &Connection,
    sql: &str,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = tx.prepare_cached(sql).map_err(store_error)?;
    let rows = statement.query_map([], |row| read(row)).map_err(store_error)?;
    rows.collect::<Result<_, _>>().map_err(store_error)
}

const FIND: &str = "SELECT id, organization_id, relationship_id, origin_key, related_key
    FROM join_record WHERE id = ?1 AND organization_id = ?2";

fn find(
    tx: &Connection,
    organization: OrganizationId,
    id: JoinRecordId,
) -> Result<Option<JoinRecord>, StoreError> {
    let mut statement = tx.prepare_cached(FIND).map_err(store_error)?;
    let found = statement.query_row([id.to_string(), organization.to_string()], row::join_record);
    found.optional().map_err(store_error)
}

/// A condition that is `NULL` does not apply.
const LIST: &str = "SELECT id, organization_id, relationship_id, origin_key, related_key, number
    FROM join_record
    WHERE organization_id = ?1 AND number > ?2
      AND (?3 IS NULL OR relationship_id = ?3)
      AND (?4 IS NULL OR origin_key IN (SELECT value FROM json_each(?4)))
      AND (?5 IS NULL OR related_key IN (SELECT value FROM json_each(?5)))
    ORDER BY number LIMIT ?6";

fn list(
    tx: &Connection,
    organization: OrganizationId,
    filter: &JoinRecordFilter,
    after: Option<u64>,
    records_max: u32,
) -> Result<JoinRecordPage, StoreError> {
    let values = params![
        organization.to_string(),
        after.and_then(|place| i64::try_from(place).ok()).unwrap_or(0),
        filter.relationship.map(|id| id.to_string()),
        filter.origins.as_deref().map(key_list),
        filter.related.as_deref().map(key_list),
        i64::from(records_max) + 1,
    ];
    let mut statement = tx.prepare_cached(LIST).map_err(store_error)?;
    let read = |row: &Row<'_>| Ok((row::join_record(row)?, row.get::<_, u64>(5)?));
    let rows = statement.query_map(values, read).map_err(store_error)?;
    let mut rows: Vec<(JoinRecord, u64)> = rows.collect::<Result<_, _>>().map_err(store_error)?;
    let has_more = rows.len() > records_max as usize;
    rows.truncate(records_max as usize);
    let next = rows.last().filter(|_| has_more).map(|(_, place)| *place);
    Ok(JoinRecordPage { records: rows.into_iter().map(|(record, _)| record).collect(), next })
}

const LINKS_OF_ORIGINS: &str = "SELECT id, organization_id, relationship_id, origin_key, related_key
    FROM join_record
    WHERE organization_id = ?1 AND relationship_id = ?2
      AND origin_key IN (SELECT value FROM json_each(?3))
    ORDER BY number LIMIT ?4";
const LINKS_OF_RELATED: &str = "SELECT id, organization_id, relationship_id, origin_key, related_key
    FROM join_record
    WHERE organization_id = ?1 AND relationship_id = ?2
      AND related_key IN (SELECT value FROM json_each(?3))
    ORDER BY number LIMIT ?4";

fn links(
    tx: &Connection,
    organization: OrganizationId,
    relationship: RelationshipId,
    side: Side,
    keys: &str,
    links_max: u32,
) -> Result<Vec<JoinRecord>, StoreError> {
    let sql = match side {
        Side::Origin => LINKS_OF_ORIGINS,
        Side::Related => LINKS_OF_RELATED,
    };
    let mut statement = tx.prepare_cached(sql).map_err(store_error)?;
    let values = params![organization.to_string(), relationship.to_string(), keys, links_max];
    let rows = statement.query_map(values, row::join_record).map_err(store_error)?;
    rows.collect::<Result<_, _>>().map_err(store_error)
}

/// The keys as a JSON array of texts, for `json_each`.
fn key_list(keys: &[Key]) -> String {
    serde_json::Value::from(keys.iter().map(Key::to_string).collect::<Vec<_>>()).to_string()
}

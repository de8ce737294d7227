//! The journal as a history.

use async_trait::async_trait;
use buildly_journal::{Chain, EventFilter, Head, History, StoredEvent};
use buildly_model::{OrganizationId, StoreError};
use sqlx::QueryBuilder;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::{chain_key, row, signed};
use crate::Postgres;
use crate::engine::ask;

const HEAD: &str = "SELECT organization_id, sequence, hash FROM journal_head WHERE organization_id = $1";

const HEADS: &str = "
    SELECT organization_id, sequence, hash FROM journal_head
    WHERE $1::uuid IS NULL OR organization_id > $1 ORDER BY organization_id LIMIT $2";

#[async_trait]
impl History for Postgres {
    async fn head(&self, organization: Option<OrganizationId>) -> Result<Head, StoreError> {
        let head = sqlx::query(HEAD).bind(chain_key(organization)?);
        let row = ask(head.fetch_optional(self.engine.pool())).await?;
        row.as_ref().map_or_else(|| Ok(Chain::empty(organization)), row::head)
    }

    async fn heads(&self, after: Option<OrganizationId>, heads_max: u32) -> Result<Vec<Head>, StoreError> {
        let after: Option<Uuid> = after.map(|organization| organization.as_uuid());
        let heads = sqlx::query(HEADS).bind(after).bind(i64::from(heads_max));
        let rows = ask(heads.fetch_all(self.engine.pool())).await?;
        rows.iter().map(row::head).collect()
    }

    async fn events(
        &self,
        organization: Option<OrganizationId>,
        after_sequence: u64,
        events_max: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let mut query = select(organization)?;
        query.push(" AND sequence > ").push_bind(signed(after_sequence));
        query.push(" ORDER BY sequence LIMIT ").push_bind(i64::from(events_max));
        read(&ask(query.build().fetch_all(self.engine.pool())).await?)
    }

    async fn find_events(
        &self,
        organization: Option<OrganizationId>,
        filter: &EventFilter,
        before_sequence: Option<u64>,
        events_max: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let mut query = select(organization)?;
        if let Some(before) = before_sequence {
            query.push(" AND sequence < ").push_bind(signed(before));
        }
        push_filter(&mut query, filter);
        query.push(" ORDER BY sequence DESC LIMIT ").push_bind(i64::from(events_max));
        read(&ask(query.build().fetch_all(self.engine.pool())).await?)
    }
}

fn select(organization: Option<OrganizationId>) -> Result<QueryBuilder<sqlx::Postgres>, StoreError> {
    let mut query = QueryBuilder::new("SELECT ");
    query.push(row::EVENT).push(" FROM journal WHERE organization_id = ").push_bind(chain_key(organization)?);
    Ok(query)
}

fn push_filter(query: &mut QueryBuilder<sqlx::Postgres>, filter: &EventFilter) {
    let EventFilter { kind, subject, actor, from, until } = filter.clone();
    if let Some(kind) = kind {
        query.push(" AND (kind = ").push_bind(kind.clone());
        query.push(" OR starts_with(kind, ").push_bind(format!("{kind}.")).push("))");
    }
    if let Some(subject) = subject {
        query.push(" AND subject = ").push_bind(subject);
    }
    if let Some(actor) = actor {
        query.push(" AND actor = ").push_bind(actor);
    }
    if let Some(from) = from {
        query.push(" AND at >= ").push_bind(from.as_microseconds());
    }
    if let Some(until) = until {
        query.push(" AND at < ").push_bind(until.as_microseconds());
    }
}

fn read(rows: &[PgRow]) -> Result<Vec<StoredEvent>, StoreError> {
    rows.iter().map(row::event).collect()
}

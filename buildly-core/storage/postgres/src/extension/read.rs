//! Reading lanes and webhooks, and taking lanes.

use std::time::Duration;

use async_trait::async_trait;
use buildly_extension::webhook::{Delivery, TRANSPORT, Webhook};
use buildly_extension::{DeliveryPage, Lane, LaneKey, Lanes, Store};
use buildly_journal::LeaseId;
use buildly_model::{DeliveryId, OrganizationId, StoreError, Timestamp, WebhookId};

use super::{lane, row};
use crate::Postgres;
use crate::engine::{ask, in_time};
use crate::journal::{chain_key, signed};

const DELIVERIES: &str = "
    SELECT id, sequence, event_id, kind, at, attempt, status, fault, took, is_replay, number
    FROM webhook_delivery
    WHERE webhook_id = $1 AND organization_id = $2 AND number < $3 ORDER BY number DESC LIMIT $4";
const DELIVERY: &str = "
    SELECT id, sequence, event_id, kind, at, attempt, status, fault, took, is_replay, number
    FROM webhook_delivery WHERE id = $1 AND webhook_id = $2 AND organization_id = $3";

#[async_trait]
impl Store for Postgres {
    async fn lanes(
        &self,
        transport: &str,
        organization: Option<OrganizationId>,
    ) -> Result<Vec<LaneKey>, StoreError> {
        let opened = sqlx::query(lane::OPENED).bind(transport).bind(chain_key(organization)?);
        let rows = ask(opened.fetch_all(self.engine.pool())).await?;
        rows.iter().map(|found| row::key(found, transport)).collect()
    }

    async fn lanes_behind(
        &self,
        transport: &str,
        lanes: Lanes,
        after: Option<&LaneKey>,
        lanes_max: u32,
    ) -> Result<Vec<LaneKey>, StoreError> {
        let (chain, name) = lane::place(after)?;
        let behind = sqlx::query(lane::behind(lanes))
            .bind(transport)
            .bind(chain)
            .bind(name)
            .bind(i64::from(lanes_max));
        let rows = ask(behind.fetch_all(self.engine.pool())).await?;
        rows.iter().map(|found| row::key(found, transport)).collect()
    }

    async fn take_lane(
        &self,
        key: &LaneKey,
        lanes: Lanes,
        owner: LeaseId,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Option<Lane>, StoreError> {
        in_time(lane::take(self.engine.pool(), key, lanes, owner, lease, now)).await
    }

    async fn webhooks(&self, organization: OrganizationId) -> Result<Vec<(Webhook, Lane)>, StoreError> {
        self.webhooks_of(organization, None).await
    }

    async fn find_webhook(
        &self,
        organization: OrganizationId,
        id: WebhookId,
    ) -> Result<Option<(Webhook, Lane)>, StoreError> {
        Ok(self.webhooks_of(organization, Some(id)).await?.into_iter().next())
    }

    async fn deliveries(
        &self,
        organization: OrganizationId,
        webhook: WebhookId,
        before: Option<u64>,
        rows_max: u32,
    ) -> Result<DeliveryPage, StoreError> {
        let query = sqlx::query(DELIVERIES)
            .bind(webhook.as_uuid())
            .bind(organization.as_uuid())
            .bind(before.map_or(i64::MAX, signed))
            .bind(i64::from(rows_max) + 1);
        let found = ask(query.fetch_all(self.engine.pool())).await?;
        let mut rows = found.iter().map(row::delivery).collect::<Result<Vec<_>, _>>()?;
        let has_more = rows.len() > rows_max as usize;
        rows.truncate(rows_max as usize);
        let next = rows.last().filter(|_| has_more).map(|(_, place)| *place);
        Ok(DeliveryPage { deliveries: rows.into_iter().map(|(delivery, _)| delivery).collect(), next })
    }

    async fn find_delivery(
        &self,
        organization: OrganizationId,
        webhook: WebhookId,
        id: DeliveryId,
    ) -> Result<Option<Delivery>, StoreError> {
        let query =
            sqlx::query(DELIVERY).bind(id.as_uuid()).bind(webhook.as_uuid()).bind(organization.as_uuid());
        let found = ask(query.fetch_optional(self.engine.pool())).await?;
        found.map(|found| row::delivery(&found).map(|(delivery, _)| delivery)).transpose()
    }
}

impl Postgres {
    async fn webhooks_of(
        &self,
        organization: OrganizationId,
        id: Option<WebhookId>,
    ) -> Result<Vec<(Webhook, Lane)>, StoreError> {
        let query = sqlx::query(row::WEBHOOK_AND_LANE)
            .bind(TRANSPORT)
            .bind(organization.as_uuid())
            .bind(id.map(|id| id.as_uuid()));
        let rows = ask(query.fetch_all(self.engine.pool())).await?;
        rows.iter().map(|found| Ok((row::webhook(found)?, row::lane(found)?))).collect()
    }
}

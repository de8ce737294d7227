//! Reading lanes and webhooks, and taking lanes.

use std::time::Duration;

use async_trait::async_trait;
use buildly_extension::webhook::{Delivery, TRANSPORT, Webhook};
use buildly_extension::{DeliveryPage, Lane, LaneKey, Lanes, Store};
use buildly_journal::LeaseId;
use buildly_model::{DeliveryId, OrganizationId, StoreError, Timestamp, WebhookId};
use rusqlite::{Connection, params};

use super::lane::{self, Taking};
use super::row::{DELIVERY, LANE, WEBHOOK, all, delivery, signed, webhook};
use crate::Sqlite;

#[async_trait]
impl Store for Sqlite {
    async fn lanes(
        &self,
        transport: &str,
        organization: Option<OrganizationId>,
    ) -> Result<Vec<LaneKey>, StoreError> {
        let transport = transport.to_owned();
        self.engine.read(move |tx| lane::opened(tx, &transport, organization)).await
    }

    async fn lanes_behind(
        &self,
        transport: &str,
        lanes: Lanes,
        after: Option<&LaneKey>,
        lanes_max: u32,
    ) -> Result<Vec<LaneKey>, StoreError> {
        let (transport, after) = (transport.to_owned(), after.cloned());
        self.engine.read(move |tx| lane::behind(tx, &transport, lanes, after.as_ref(), lanes_max)).await
    }

    async fn take_lane(
        &self,
        key: &LaneKey,
        lanes: Lanes,
        owner: LeaseId,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Option<Lane>, StoreError> {
        let taking = Taking { owner, lease, live: self.leases.live(), steady: self.takes.now(), now };
        let key = key.clone();
        self.engine.write(move |tx| lane::take(tx, &key, lanes, &taking)).await
    }

    async fn webhooks(&self, organization: OrganizationId) -> Result<Vec<(Webhook, Lane)>, StoreError> {
        self.engine.read(move |tx| webhooks(tx, organization, None)).await
    }

    async fn find_webhook(
        &self,
        organization: OrganizationId,
        id: WebhookId,
    ) -> Result<Option<(Webhook, Lane)>, StoreError> {
        let found = self.engine.read(move |tx| webhooks(tx, organization, Some(id))).await?;
        Ok(found.into_iter().next())
    }

    async fn deliveries(
        &self,
        organization: OrganizationId,
        webhook: WebhookId,
        before: Option<u64>,
        rows_max: u32,
    ) -> Result<DeliveryPage, StoreError> {
        self.engine.read(move |tx| deliveries(tx, organization, webhook, before, rows_max)).await
    }

    async fn find_delivery(
        &self,
        organization: OrganizationId,
        webhook: WebhookId,
        id: DeliveryId,
    ) -> Result<Option<Delivery>, StoreError> {
        self.engine.read(move |tx| find_delivery(tx, organization, webhook, id)).await
    }
}

fn webhooks(
    tx: &Connection,
    organization: OrganizationId,
    id: Option<WebhookId>,
) -> Result<Vec<(Webhook, Lane)>, StoreError> {
    let sql = format!(
        "SELECT {WEBHOOK}, {LANE} FROM webhook
         JOIN lane ON lane.transport = ?1 AND lane.organization_id = webhook.organization_id
                  AND lane.lane = webhook.id
         WHERE webhook.organization_id = ?2 AND (?3 IS NULL OR webhook.id = ?3) ORDER BY number"
    );
    let values = params![TRANSPORT, organization.to_string(), id.map(|id| id.to_string())];
    all(tx, &sql, values, |row| Ok((webhook(row)?, super::row::lane(row, 6)?)))
}

fn deliveries(
    tx: &Connection,
    organization: OrganizationId,
    webhook: WebhookId,
    before: Option<u64>,
    rows_max: u32,
) -> Result<DeliveryPage, StoreError> {
    let sql = format!(
        "SELECT {DELIVERY} FROM webhook_delivery
         WHERE webhook_id = ?1 AND organization_id = ?2 AND number < ?3 ORDER BY number DESC LIMIT ?4"
    );
    let before = before.map_or(i64::MAX, signed);
    let values = params![webhook.to_string(), organization.to_string(), before, i64::from(rows_max) + 1];
    let mut rows = all(tx, &sql, values, delivery)?;
    let has_more = rows.len() > rows_max as usize;
    rows.truncate(rows_max as usize);
    let next = rows.last().filter(|_| has_more).map(|(_, place)| *place);
    Ok(DeliveryPage { deliveries: rows.into_iter().map(|(delivery, _)| delivery).collect(), next })
}

fn find_delivery(
    tx: &Connection,
    organization: OrganizationId,
    webhook: WebhookId,
    id: DeliveryId,
) -> Result<Option<Delivery>, StoreError> {
    let sql = format!(
        "SELECT {DELIVERY} FROM webhook_delivery WHERE id = ?1 AND webhook_id = ?2 AND organization_id = ?3"
    );
    let values = params![id.to_string(), webhook.to_string(), organization.to_string()];
    Ok(all(tx, &sql, values, delivery)?.into_iter().next().map(|(delivery, _)| delivery))
}

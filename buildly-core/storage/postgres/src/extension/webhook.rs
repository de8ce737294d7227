//! Writing webhooks, and what was tried for them.

use buildly_extension::webhook::{DELIVERIES_KEPT, Delivery, Webhook};
use buildly_model::{OrganizationId, StoreError, WebhookId};
use sqlx::PgConnection;

use super::row::{execute, found, micros, owner};
use crate::journal::signed;

const INSERT: &str = "
    INSERT INTO webhook (id, organization_id, url, description, kinds, state, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";

pub(super) async fn insert(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    webhook: &Webhook,
) -> Result<(), StoreError> {
    let insert = sqlx::query(INSERT)
        .bind(webhook.id.as_uuid())
        .bind(owner(organization)?)
        .bind(webhook.url.as_str())
        .bind(webhook.description.as_str())
        .bind(kinds(webhook))
        .bind(webhook.state.as_str())
        .bind(webhook.created_at.as_microseconds());
    execute(tx, insert).await.map(drop)
}

const UPDATE: &str = "
    UPDATE webhook SET url = $3, description = $4, kinds = $5, state = $6
    WHERE id = $1 AND organization_id = $2";

pub(super) async fn update(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    webhook: &Webhook,
) -> Result<(), StoreError> {
    let update = sqlx::query(UPDATE)
        .bind(webhook.id.as_uuid())
        .bind(owner(organization)?)
        .bind(webhook.url.as_str())
        .bind(webhook.description.as_str())
        .bind(kinds(webhook))
        .bind(webhook.state.as_str());
    found(execute(tx, update).await?, "webhook")
}

/// Its deliveries go with it, by their foreign key.
const DELETE: &str = "DELETE FROM webhook WHERE id = $1 AND organization_id = $2";

pub(super) async fn delete(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    id: WebhookId,
) -> Result<(), StoreError> {
    let delete = sqlx::query(DELETE).bind(id.as_uuid()).bind(owner(organization)?);
    found(execute(tx, delete).await?, "webhook")
}

/// Nothing is noted for a webhook of another organization.
const NOTE: &str = "
    INSERT INTO webhook_delivery
        (id, organization_id, webhook_id, sequence, event_id, kind, at, attempt, status, fault, took, is_replay)
    SELECT $1, organization_id, id, $4, $5, $6, $7, $8, $9, $10, $11, $12
    FROM webhook WHERE id = $2 AND organization_id = $3";
const FORGET: &str = "
    DELETE FROM webhook_delivery WHERE webhook_id = $1 AND number <= (
        SELECT number FROM webhook_delivery WHERE webhook_id = $1 ORDER BY number DESC LIMIT 1 OFFSET $2)";

pub(super) async fn note(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    webhook: WebhookId,
    deliveries: &[Delivery],
) -> Result<(), StoreError> {
    let owner = owner(organization)?;
    for delivery in deliveries {
        let note = sqlx::query(NOTE)
            .bind(delivery.id.as_uuid())
            .bind(webhook.as_uuid())
            .bind(owner)
            .bind(signed(delivery.sequence))
            .bind(delivery.event.as_uuid())
            .bind(delivery.kind.as_str())
            .bind(delivery.at.as_microseconds())
            .bind(i64::from(delivery.attempt))
            .bind(delivery.status.map(i64::from))
            .bind(delivery.fault.as_deref())
            .bind(micros(delivery.took))
            .bind(delivery.is_replay);
        found(execute(tx, note).await?, "webhook")?;
    }
    let forget = sqlx::query(FORGET).bind(webhook.as_uuid()).bind(i64::from(DELIVERIES_KEPT));
    execute(tx, forget).await.map(drop)
}

fn kinds(webhook: &Webhook) -> String {
    serde_json::Value::from(webhook.kinds.clone()).to_string()
}

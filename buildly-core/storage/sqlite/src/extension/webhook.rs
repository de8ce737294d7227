//! Writing webhooks, and what was tried for them.

use buildly_extension::webhook::{DELIVERIES_KEPT, Delivery, Webhook};
use buildly_model::{OrganizationId, StoreError, WebhookId};
use rusqlite::{Connection, params};

use super::row::{execute, found, micros, owner, signed};

const INSERT: &str = "
    INSERT INTO webhook (id, organization_id, url, description, kinds, state, created_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

pub(super) fn insert(
    tx: &Connection,
    organization: Option<OrganizationId>,
    webhook: &Webhook,
) -> Result<(), StoreError> {
    let values = params![
        webhook.id.to_string(),
        owner(organization)?,
        webhook.url,
        webhook.description,
        kinds(webhook),
        webhook.state.as_str(),
        webhook.created_at.as_microseconds(),
    ];
    execute(tx, INSERT, values).map(drop)
}

const UPDATE: &str = "
    UPDATE webhook SET url = ?3, description = ?4, kinds = ?5, state = ?6
    WHERE id = ?1 AND organization_id = ?2";

pub(super) fn update(
    tx: &Connection,
    organization: Option<OrganizationId>,
    webhook: &Webhook,
) -> Result<(), StoreError> {
    let values = params![
        webhook.id.to_string(),
        owner(organization)?,
        webhook.url,
        webhook.description,
        kinds(webhook),
        webhook.state.as_str(),
    ];
    found(execute(tx, UPDATE, values)?, "webhook")
}

/// Its deliveries go with it, by their foreign key.
const DELETE: &str = "DELETE FROM webhook WHERE id = ?1 AND organization_id = ?2";

pub(super) fn delete(
    tx: &Connection,
    organization: Option<OrganizationId>,
    id: WebhookId,
) -> Result<(), StoreError> {
    found(execute(tx, DELETE, params![id.to_string(), owner(organization)?])?, "webhook")
}

/// Nothing is noted for a webhook of another organization.
const NOTE: &str = "
    INSERT INTO webhook_delivery
        (id, organization_id, webhook_id, sequence, event_id, kind, at, attempt, status, fault, took, is_replay)
    SELECT ?1, organization_id, id, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12
    FROM webhook WHERE id = ?2 AND organization_id = ?3";
const FORGET: &str = "
    DELETE FROM webhook_delivery WHERE webhook_id = ?1 AND number <= (
        SELECT number FROM webhook_delivery WHERE webhook_id = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2)";

pub(super) fn note(
    tx: &Connection,
    organization: Option<OrganizationId>,
    webhook: WebhookId,
    deliveries: &[Delivery],
) -> Result<(), StoreError> {
    let (id, owner) = (webhook.to_string(), owner(organization)?);
    for delivery in deliveries {
        let values = params![
            delivery.id.to_string(),
            id,
            owner,
            signed(delivery.sequence),
            delivery.event.to_string(),
            delivery.kind,
            delivery.at.as_microseconds(),
            delivery.attempt,
            delivery.status,
            delivery.fault,
            micros(delivery.took),
            delivery.is_replay,
        ];
        found(execute(tx, NOTE, values)?, "webhook")?;
    }
    execute(tx, FORGET, params![id, DELIVERIES_KEPT]).map(drop)
}

fn kinds(webhook: &Webhook) -> String {
    serde_json::Value::from(webhook.kinds.clone()).to_string()
}

//! The SQL of extensions: lanes and webhooks.

mod lane;
mod read;
mod row;
mod webhook;

use buildly_extension::Change;
use buildly_model::{OrganizationId, StoreError};
use sqlx::PgConnection;

/// Applies one change inside the unit's transaction.
pub(crate) async fn apply(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    change: &Change,
) -> Result<(), StoreError> {
    match change {
        Change::WebhookCreated { webhook, after_sequence } => {
            webhook::insert(tx, organization, webhook).await?;
            lane::open(tx, organization, webhook, *after_sequence).await
        }
        Change::WebhookUpdated(webhook) => {
            webhook::update(tx, organization, webhook).await?;
            lane::renew(tx, organization, webhook).await
        }
        Change::WebhookDeleted(id) => {
            webhook::delete(tx, organization, *id).await?;
            lane::close(tx, organization, *id).await
        }
        Change::DeliveriesNoted { webhook, deliveries } => {
            webhook::note(tx, organization, *webhook, deliveries).await
        }
        Change::LaneMoved(moved) => lane::advance(tx, moved).await,
    }
}

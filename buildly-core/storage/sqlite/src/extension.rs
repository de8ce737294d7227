//! The SQL of extensions: lanes and webhooks.

mod lane;
mod read;
mod row;
mod webhook;

use buildly_extension::Change;
use buildly_model::{OrganizationId, StoreError};
use rusqlite::Connection;

/// Applies one change inside the unit's transaction.
pub(crate) fn apply(
    tx: &Connection,
    organization: Option<OrganizationId>,
    change: &Change,
) -> Result<(), StoreError> {
    match change {
        Change::WebhookCreated { webhook, after_sequence } => {
            webhook::insert(tx, organization, webhook)?;
            lane::open(tx, organization, webhook, *after_sequence)
        }
        Change::WebhookUpdated(webhook) => {
            webhook::update(tx, organization, webhook)?;
            lane::renew(tx, organization, webhook)
        }
        Change::WebhookDeleted(id) => {
            webhook::delete(tx, organization, *id)?;
            lane::close(tx, organization, *id)
        }
        Change::DeliveriesNoted { webhook, deliveries } => {
            webhook::note(tx, organization, *webhook, deliveries)
        }
        Change::LaneMoved(moved) => lane::advance(tx, moved),
    }
}

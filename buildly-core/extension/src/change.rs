//! What of extensions a storage writes.

use buildly_model::WebhookId;

use crate::lane::Moved;
use crate::webhook::{Delivery, Webhook};

/// What changes; the organization is that of the part.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A webhook, and its lane from this place of the organization's chain on.
    WebhookCreated {
        /// The webhook.
        webhook: Box<Webhook>,
        /// The number of the last event that it does not get.
        after_sequence: u64,
    },
    /// A webhook as it is now. Its lane is paused unless it is active, and its troubles are over.
    WebhookUpdated(Box<Webhook>),
    /// A webhook goes, with its lane and its deliveries.
    WebhookDeleted(WebhookId),
    /// What was tried for a webhook; only the newest are kept.
    DeliveriesNoted {
        /// Which.
        webhook: WebhookId,
        /// In the order of the attempts.
        deliveries: Vec<Delivery>,
    },
    /// How far a lane has come.
    LaneMoved(Moved),
}

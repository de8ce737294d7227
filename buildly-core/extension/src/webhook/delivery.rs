//! One attempt to bring one event to a webhook.

use std::time::Duration;

use buildly_model::{DeliveryId, EventId, Timestamp};

/// How many deliveries of a webhook are kept.
pub const DELIVERIES_KEPT: u32 = 200;

/// One attempt to bring one event to a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// The event's number in the organization's chain.
    pub sequence: u64,
    /// The event's id: the header `webhook-id`.
    pub event: EventId,
    /// What happened.
    pub kind: String,
    /// When it was sent.
    pub at: Timestamp,
    /// The how many-th attempt in a row it was, from 1.
    pub attempt: u32,
    /// What the receiver answered.
    pub status: Option<u16>,
    /// Why there was no answer, or why it does not count.
    pub fault: Option<String>,
    /// How long it took.
    pub took: Duration,
    /// Whether somebody had it sent again.
    pub is_replay: bool,
}

impl Delivery {
    /// Whether the receiver took it.
    #[must_use]
    pub const fn is_delivered(&self) -> bool {
        self.fault.is_none()
    }
}

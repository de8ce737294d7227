//! What extensions need remembered.

use std::time::Duration;

use async_trait::async_trait;
use buildly_journal::LeaseId;
use buildly_model::{DeliveryId, OrganizationId, StoreError, Timestamp, WebhookId};

use crate::webhook::{Delivery, Webhook};
use crate::{Lane, LaneKey, Lanes};

/// Deliveries, newest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DeliveryPage {
    /// Them.
    pub deliveries: Vec<Delivery>,
    /// Where the next page begins.
    pub next: Option<u64>,
}

/// Lanes and webhooks.
#[async_trait]
pub trait Store: Send + Sync {
    /// The lanes of a transport that were opened for an organization and are not paused.
    async fn lanes(
        &self,
        transport: &str,
        organization: Option<OrganizationId>,
    ) -> Result<Vec<LaneKey>, StoreError>;

    /// Lanes that have not come to the end of their chain and are not paused, at most `lanes_max`
    /// after `after`, by organization and lane.
    async fn lanes_behind(
        &self,
        transport: &str,
        lanes: Lanes,
        after: Option<&LaneKey>,
        lanes_max: u32,
    ) -> Result<Vec<LaneKey>, StoreError>;

    /// Takes a lane for `lease` if there is something to do on it at `now`: it is behind, not
    /// paused, not to be left alone for a while, and held by nobody else who lives. Reads it in
    /// any case; `None` if there is none. For [`Lanes::OneEach`] it is made where it is missing.
    async fn take_lane(
        &self,
        key: &LaneKey,
        lanes: Lanes,
        owner: LeaseId,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Option<Lane>, StoreError>;

    /// The webhooks of an organization, oldest first.
    async fn webhooks(&self, organization: OrganizationId) -> Result<Vec<(Webhook, Lane)>, StoreError>;

    /// One of them, with its lane as it is.
    async fn find_webhook(
        &self,
        organization: OrganizationId,
        id: WebhookId,
    ) -> Result<Option<(Webhook, Lane)>, StoreError>;

    /// What was tried for a webhook, newest first, before the place `before`.
    async fn deliveries(
        &self,
        organization: OrganizationId,
        webhook: WebhookId,
        before: Option<u64>,
        rows_max: u32,
    ) -> Result<DeliveryPage, StoreError>;

    /// One of those.
    async fn find_delivery(
        &self,
        organization: OrganizationId,
        webhook: WebhookId,
        id: DeliveryId,
    ) -> Result<Option<Delivery>, StoreError>;
}

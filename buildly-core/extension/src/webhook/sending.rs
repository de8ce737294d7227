//! The transport that brings events to webhooks.

use std::time::Duration;

use async_trait::async_trait;
use buildly_journal::{Event, Part, StoredEvent};
use buildly_model::{DeliveryId, OrganizationId, Principal, StoreError, Timestamp, WebhookId};
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use serde_json::json;
use tokio::time::{Instant, timeout};

use super::{
    DISABLED_AFTER, Delivery, Message, Parts, State, TRANSPORT, WEBHOOK_ID, WEBHOOK_SIGNATURE,
    WEBHOOK_TIMESTAMP, Webhook,
};
use crate::{Batch, Change, CloudEvent, Lanes, Outcome, Transport};

/// How long a receiver may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// After that long no further event of a batch is begun, so that all end in a transport's time.
const BEGIN_WITHIN: Duration = Duration::from_secs(4);
/// The receiver says that it is gone for good.
const GONE: u16 = 410;

/// Brings events to webhooks: the first [`Transport`].
#[derive(Clone)]
pub struct Deliveries {
    parts: Parts,
}

impl Deliveries {
    /// Made of these parts.
    #[must_use]
    pub const fn new(parts: Parts) -> Self {
        Self { parts }
    }

    /// Sends one event once and says what came of it.
    pub(super) async fn send(&self, webhook: &Webhook, event: &StoredEvent, attempt: u32) -> Delivery {
        let at = self.parts.clock.now();
        let began = Instant::now();
        let answered = match self.message(webhook, event, at) {
            Ok(message) => timeout(ANSWER_TIMEOUT, self.parts.post.post(message))
                .await
                .unwrap_or_else(|_| Err(format!("no answer within {} s", ANSWER_TIMEOUT.as_secs()))),
            Err(fault) => Err(fault),
        };
        let (status, fault) = match answered {
            Ok(status @ 200..300) => (Some(status), None),
            Ok(status) => (Some(status), Some(format!("the receiver answered {status}"))),
            Err(fault) => (None, Some(fault)),
        };
        Delivery {
            id: DeliveryId::generate(at, &*self.parts.random),
            sequence: event.sequence,
            event: event.id,
            kind: event.kind.clone(),
            at,
            attempt,
            status,
            fault,
            took: began.elapsed(),
            is_replay: false,
        }
    }

    fn message(&self, webhook: &Webhook, event: &StoredEvent, at: Timestamp) -> Result<Message, String> {
        let url: Uri = webhook.url.parse().map_err(|_| "the stored URL is not valid".to_owned())?;
        if let Some(reason) = self.parts.post.refusal(&url) {
            return Err(reason);
        }
        let body = CloudEvent::of(event).to_json();
        let id = event.id.to_string();
        let signature = self.parts.secrets.secret(webhook.id).sign(&id, at, &body);
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(CloudEvent::MEDIA_TYPE));
        headers.insert(USER_AGENT, HeaderValue::from_static("buildly-webhooks/1"));
        let own = [
            (WEBHOOK_ID, id),
            (WEBHOOK_TIMESTAMP, at.as_seconds().to_string()),
            (WEBHOOK_SIGNATURE, signature),
        ];
        for (name, value) in own {
            let value = HeaderValue::try_from(value).map_err(|error| error.to_string())?;
            headers.insert(HeaderName::from_static(name), value);
        }
        Ok(Message { url, headers, body: body.into() })
    }

    async fn carry_all(
        &self,
        organization: OrganizationId,
        webhook: &Webhook,
        batch: &Batch<'_>,
    ) -> (Outcome, Vec<Delivery>) {
        let began = Instant::now();
        let mut deliveries = Vec::new();
        let mut attempt = batch.trouble.map_or(0, |trouble| trouble.failures);
        for (place, event) in batch.events.iter().enumerate() {
            if !webhook.wants(&event.kind) {
                continue;
            }
            if began.elapsed() > BEGIN_WITHIN {
                return (Outcome { carried: place, fault: None }, deliveries);
            }
            attempt = attempt.saturating_add(1);
            let delivery = self.send(webhook, event, attempt).await;
            attempt = 0;
            let failed = delivery.fault.clone().map(|fault| (fault, delivery.status));
            deliveries.push(delivery);
            if let Some((fault, status)) = failed {
                let since = batch.trouble.map(|trouble| trouble.since);
                if status == Some(GONE) || since.is_some_and(|since| self.is_over(since)) {
                    self.disable(organization, webhook, &fault).await;
                }
                return (Outcome::failed(place, fault), deliveries);
            }
        }
        (Outcome::all(batch), deliveries)
    }

    fn is_over(&self, since: Timestamp) -> bool {
        self.parts.clock.now().since(since) > DISABLED_AFTER
    }

    async fn disable(&self, organization: OrganizationId, webhook: &Webhook, fault: &str) {
        let disabled = Webhook { state: State::Disabled, ..webhook.clone() };
        let event = Event::new(
            "extension.webhook.disabled",
            webhook.id,
            json!({"reason": fault}),
            &Principal::ANONYMOUS,
            &*self.parts.clock,
            &*self.parts.random,
        );
        let change = Change::WebhookUpdated(Box::new(disabled));
        match self.parts.commits.commit(Part::of(Some(organization), change, event)).await {
            Ok(_) => tracing::warn!(webhook = %webhook.id, fault, "a webhook was disabled"),
            Err(error) => tracing::warn!(webhook = %webhook.id, %error, "a webhook could not be disabled"),
        }
    }

    /// Keeps what was tried.
    pub(super) async fn note(
        &self,
        organization: OrganizationId,
        webhook: WebhookId,
        deliveries: Vec<Delivery>,
    ) -> Result<(), StoreError> {
        let change = Change::DeliveriesNoted { webhook, deliveries };
        self.parts.commits.commit(Part::of_all(Some(organization), vec![change], Vec::new())).await.map(drop)
    }
}

#[async_trait]
impl Transport for Deliveries {
    fn name(&self) -> &str {
        TRANSPORT
    }

    fn lanes(&self) -> Lanes {
        Lanes::Opened
    }

    async fn carry(&self, batch: Batch<'_>) -> Outcome {
        let (Some(organization), Ok(id)) = (batch.organization, batch.lane.parse::<WebhookId>()) else {
            return Outcome::failed(0, "no webhook has such a lane");
        };
        let webhook = match self.parts.store.find_webhook(organization, id).await {
            Ok(Some((webhook, _))) if webhook.state == State::Active => webhook,
            // It was paused or deleted this moment.
            Ok(_) => return Outcome { carried: 0, fault: None },
            Err(error) => return Outcome::failed(0, error.to_string()),
        };
        let (outcome, deliveries) = self.carry_all(organization, &webhook, &batch).await;
        if !deliveries.is_empty()
            && let Err(error) = self.note(organization, id, deliveries).await
        {
            // The events are out all the same; a list with a gap is better than sending them again.
            tracing::warn!(webhook = %id, %error, "deliveries could not be noted");
        }
        outcome
    }
}

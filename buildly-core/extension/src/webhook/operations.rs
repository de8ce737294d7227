//! What administrators of an organization do with its webhooks.

use buildly_journal::{Event, Part};
use buildly_model::{
    Cursor, DeliveryId, OrganizationId, Page, PageSize, Principal, Secret, StoreError, WebhookId,
};
use serde_json::{Value, json};

use super::receiver::{self, WEBHOOKS_MAX};
use super::{Deliveries, Delivery, Parts, State, Webhook};
use crate::{Change, Error, Lane};

/// A webhook to make.
#[derive(Debug, Clone, Default)]
pub struct NewWebhook {
    /// Where events go.
    pub url: String,
    /// What it is for.
    pub description: String,
    /// Which events; all if empty.
    pub kinds: Vec<String>,
}

/// What to change of a webhook.
#[derive(Debug, Clone, Default)]
pub struct WebhookPatch {
    /// Where events go.
    pub url: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Which events; all if empty.
    pub kinds: Option<Vec<String>>,
}

/// A webhook and how it fares.
#[derive(Debug, Clone, PartialEq)]
pub struct WebhookView {
    /// The webhook.
    pub webhook: Webhook,
    /// How far its events are out, and what is wrong.
    pub lane: Lane,
}

/// The operations on webhooks; each is for administrators of the caller's organization.
#[derive(Clone)]
pub struct Webhooks {
    parts: Parts,
    deliveries: Deliveries,
}

impl Webhooks {
    /// Made of these parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self { deliveries: Deliveries::new(parts.clone()), parts }
    }

    /// The webhooks of the caller's organization, oldest first.
    ///
    /// # Errors
    /// [`Error::Forbidden`] if the caller is no administrator of it.
    pub async fn list(&self, principal: &Principal) -> Result<Vec<WebhookView>, Error> {
        let organization = self.parts.access.require_admin(principal).await?;
        let found = self.parts.store.webhooks(organization).await?;
        Ok(found.into_iter().map(|(webhook, lane)| WebhookView { webhook, lane }).collect())
    }

    /// One of them.
    ///
    /// # Errors
    /// As [`Webhooks::list`], and [`Error::NotFound`].
    pub async fn get(&self, principal: &Principal, id: WebhookId) -> Result<WebhookView, Error> {
        let organization = self.parts.access.require_admin(principal).await?;
        self.find(organization, id).await
    }

    /// Makes a webhook, which gets what happens from now on. Its secret is in this answer only.
    ///
    /// # Errors
    /// As [`Webhooks::list`], [`Error::Invalid`] with every refused field, and
    /// [`Error::Conflict`] if the organization has too many.
    pub async fn create(
        &self,
        principal: &Principal,
        new: NewWebhook,
    ) -> Result<(WebhookView, Secret), Error> {
        let organization = self.parts.access.require_admin(principal).await?;
        let mut errors = receiver::check(&new.description, &new.kinds);
        errors.extend(receiver::read_url(&new.url, &*self.parts.post).err());
        if !errors.is_empty() {
            return Err(Error::Invalid(errors));
        }
        if self.parts.store.webhooks(organization).await?.len() >= WEBHOOKS_MAX {
            let reason = format!("an organization has at most {WEBHOOKS_MAX} webhooks; delete one first");
            return Err(Error::Conflict { reason });
        }
        // The chain's end is read first: what happens meanwhile is rather sent than missed.
        let after_sequence = self.parts.history.head(Some(organization)).await?.sequence;
        let now = self.parts.clock.now();
        let webhook = Webhook {
            id: WebhookId::generate(now, &*self.parts.random),
            url: new.url.trim().to_owned(),
            description: new.description,
            kinds: new.kinds,
            state: State::Active,
            created_at: now,
        };
        let id = webhook.id;
        let event = self.event(principal, "extension.webhook.created", id, facts(&webhook));
        let change = Change::WebhookCreated { webhook: Box::new(webhook), after_sequence };
        self.parts.commits.commit(Part::of(Some(organization), change, event)).await?;
        Ok((self.find(organization, id).await?, self.parts.secrets.secret(id).to_text()))
    }

    /// Changes a webhook. Where it has failed it is tried again at once.
    ///
    /// # Errors
    /// As [`Webhooks::create`], and [`Error::NotFound`].
    pub async fn update(
        &self,
        principal: &Principal,
        id: WebhookId,
        patch: WebhookPatch,
    ) -> Result<WebhookView, Error> {
        let organization = self.parts.access.require_admin(principal).await?;
        let mut webhook = self.find(organization, id).await?.webhook;
        let mut errors = Vec::new();
        if let Some(url) = patch.url {
            errors.extend(receiver::read_url(&url, &*self.parts.post).err());
            webhook.url = url.trim().to_owned();
        }
        webhook.description = patch.description.unwrap_or(webhook.description);
        webhook.kinds = patch.kinds.unwrap_or(webhook.kinds);
        errors.extend(receiver::check(&webhook.description, &webhook.kinds));
        if !errors.is_empty() {
            return Err(Error::Invalid(errors));
        }
        self.write(principal, organization, "extension.webhook.updated", webhook).await
    }

    /// Lets events wait.
    ///
    /// # Errors
    /// As [`Webhooks::get`].
    pub async fn pause(&self, principal: &Principal, id: WebhookId) -> Result<WebhookView, Error> {
        self.turn(principal, id, State::Paused, "extension.webhook.paused").await
    }

    /// Sends events again, those that have waited first.
    ///
    /// # Errors
    /// As [`Webhooks::get`].
    pub async fn resume(&self, principal: &Principal, id: WebhookId) -> Result<WebhookView, Error> {
        self.turn(principal, id, State::Active, "extension.webhook.resumed").await
    }

    async fn turn(
        &self,
        principal: &Principal,
        id: WebhookId,
        state: State,
        kind: &'static str,
    ) -> Result<WebhookView, Error> {
        let organization = self.parts.access.require_admin(principal).await?;
        let found = self.find(organization, id).await?;
        if found.webhook.state == state {
            return Ok(found);
        }
        self.write(principal, organization, kind, Webhook { state, ..found.webhook }).await
    }

    /// Deletes a webhook and what was noted of its deliveries.
    ///
    /// # Errors
    /// As [`Webhooks::get`].
    pub async fn delete(&self, principal: &Principal, id: WebhookId) -> Result<(), Error> {
        let organization = self.parts.access.require_admin(principal).await?;
        let webhook = self.find(organization, id).await?.webhook;
        let event = self.event(principal, "extension.webhook.deleted", id, facts(&webhook));
        let part = Part::of(Some(organization), Change::WebhookDeleted(id), event);
        match self.parts.commits.commit(part).await {
            Ok(_) => Ok(()),
            Err(StoreError::Missing { .. }) => Err(Error::not_found("webhook", id)),
            Err(error) => Err(error.into()),
        }
    }

    /// What was tried lately, newest first.
    ///
    /// # Errors
    /// As [`Webhooks::get`].
    pub async fn deliveries(
        &self,
        principal: &Principal,
        id: WebhookId,
        before: Option<u64>,
        size: PageSize,
    ) -> Result<Page<Delivery>, Error> {
        let organization = self.parts.access.require_admin(principal).await?;
        self.find(organization, id).await?;
        let page = self.parts.store.deliveries(organization, id, before, size.rows()).await?;
        let next = page.next.map(|place| Cursor(place.to_string()));
        Ok(Page { items: page.deliveries, next })
    }

    /// Sends the event of a delivery once more, now, whatever the webhook's state; what came of
    /// it is a new delivery. The order of the other events does not change.
    ///
    /// # Errors
    /// As [`Webhooks::get`].
    pub async fn replay(
        &self,
        principal: &Principal,
        id: WebhookId,
        delivery: DeliveryId,
    ) -> Result<Delivery, Error> {
        let organization = self.parts.access.require_admin(principal).await?;
        let webhook = self.find(organization, id).await?.webhook;
        let missing = || Error::not_found("delivery", delivery);
        let old = self.parts.store.find_delivery(organization, id, delivery).await?.ok_or_else(missing)?;
        let events = self.parts.history.events(Some(organization), old.sequence.saturating_sub(1), 1).await?;
        let event = events.first().filter(|event| event.id == old.event).ok_or_else(missing)?;
        let sent = Delivery { is_replay: true, ..self.deliveries.send(&webhook, event, 1).await };
        self.deliveries.note(organization, id, vec![sent.clone()]).await?;
        Ok(sent)
    }

    async fn find(&self, organization: OrganizationId, id: WebhookId) -> Result<WebhookView, Error> {
        let found = self.parts.store.find_webhook(organization, id).await?;
        let (webhook, lane) = found.ok_or_else(|| Error::not_found("webhook", id))?;
        Ok(WebhookView { webhook, lane })
    }

    async fn write(
        &self,
        principal: &Principal,
        organization: OrganizationId,
        kind: &'static str,
        webhook: Webhook,
    ) -> Result<WebhookView, Error> {
        let id = webhook.id;
        let event = self.event(principal, kind, id, facts(&webhook));
        let part = Part::of(Some(organization), Change::WebhookUpdated(Box::new(webhook)), event);
        match self.parts.commits.commit(part).await {
            Ok(_) => self.find(organization, id).await,
            Err(StoreError::Missing { .. }) => Err(Error::not_found("webhook", id)),
            Err(error) => Err(error.into()),
        }
    }

    fn event(&self, principal: &Principal, kind: &'static str, id: WebhookId, facts: Value) -> Event {
        Event::new(kind, id, facts, principal, &*self.parts.clock, &*self.parts.random)
    }
}

/// The address may hold a token in its query, so the journal has its host only.
fn facts(webhook: &Webhook) -> Value {
    let host = webhook.url.parse::<http::Uri>().ok().and_then(|url| url.host().map(str::to_owned));
    json!({"host": host, "kinds": webhook.kinds, "state": webhook.state.as_str()})
}

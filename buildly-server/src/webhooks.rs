//! `/webhooks/`: events of the own organization, sent to addresses outside; for its
//! administrators.

use buildly_core::Buildly;
use buildly_core::extension::Lane;
use buildly_core::extension::webhook::{Delivery, NewWebhook, WebhookPatch, WebhookView};
use buildly_model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::route::{delete, get, patch, post};
use crate::{Problem, Request, Response, Routes};

/// A webhook to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWebhookInput {
    /// Where events go, as `POST`.
    url: String,
    /// What it is for.
    #[serde(default)]
    description: String,
    /// Which events: of one of these kinds, such as `auth.group.updated`, or whose kind begins
    /// so, such as `auth`; all if there are none.
    #[serde(default)]
    kinds: Vec<String>,
}

/// What to change of a webhook.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookInput {
    /// Where events go.
    url: Option<String>,
    /// What it is for.
    description: Option<String>,
    /// Which events; they replace those it had.
    kinds: Option<Vec<String>>,
}

/// A webhook and how it fares.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookBody {
    id: Uuid,
    url: String,
    description: String,
    kinds: Vec<String>,
    /// `active`, `paused`, or `disabled` after it has failed for five days or answered 410.
    state: &'static str,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// The number of the last event of the organization that needs no sending any more.
    sequence: u64,
    /// What is wrong, if the last attempt failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<WebhookTrouble>,
}

/// What is wrong with a webhook.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookTrouble {
    /// How many attempts have failed, one after another.
    failures: u32,
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// When it is tried again.
    #[schema(value_type = String, format = DateTime)]
    retry_at: Timestamp,
    fault: String,
}

/// A new webhook.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewWebhookBody {
    #[serde(flatten)]
    webhook: WebhookBody,
    /// What its messages are signed with, in this answer only.
    secret: String,
}

/// One attempt to bring one event to a webhook.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookDelivery {
    id: Uuid,
    /// The event's id: the header `webhook-id`.
    event: Uuid,
    /// The event's number in the organization's chain.
    sequence: u64,
    kind: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The how many-th attempt in a row, from 1.
    attempt: u32,
    /// Whether the receiver took it: it answered 2xx.
    delivered: bool,
    /// What the receiver answered; null if it did not.
    status: Option<u16>,
    /// Why it does not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
    duration_ms: u64,
    /// Whether somebody had it sent again.
    replay: bool,
}

/// The operations on webhooks.
pub(crate) fn routes() -> Routes {
    Routes::of("webhooks", "Events of the organization, sent to addresses outside, signed and in order.")
        .add(
            get("/webhooks/", list)
                .summary("Lists the organization's webhooks")
                .answers_page::<WebhookBody>(200),
        )
        .add(
            post("/webhooks/", create)
                .summary("Makes a webhook")
                .description(
                    "It gets what happens from now on, as CloudEvents signed by Standard Webhooks. Its \
                     secret is in this answer only.",
                )
                .takes::<NewWebhookInput>()
                .answers::<NewWebhookBody>(201),
        )
        .add(get("/webhooks/{id}/", read).summary("Reads a webhook").answers::<WebhookBody>(200))
        .add(
            patch("/webhooks/{id}/", change)
                .summary("Changes a webhook; where it has failed it is tried again at once")
                .takes::<WebhookInput>()
                .answers::<WebhookBody>(200),
        )
        .add(delete("/webhooks/{id}/", remove).summary("Removes a webhook").answers_nothing(204))
        .add(
            post("/webhooks/{id}/pause/", pause)
                .summary("Lets a webhook's events wait")
                .answers::<WebhookBody>(200),
        )
        .add(
            post("/webhooks/{id}/resume/", resume)
                .summary("Sends a webhook's events again, those that have waited first")
                .answers::<WebhookBody>(200),
        )
        .add(
            get("/webhooks/{id}/deliveries/", deliveries)
                .summary("Lists what was tried lately, newest first")
                .description("The newest 200 are kept.")
                .query_integer("limit", "How many on a page")
                .query("cursor", "Where the page begins, as `next` says it")
                .answers_page::<WebhookDelivery>(200),
        )
        .add(
            post("/webhooks/{id}/deliveries/{delivery}/replay/", replay)
                .summary("Sends the event of a delivery once more, now")
                .description("What came of it is a new delivery. The order of other events does not change.")
                .answers::<WebhookDelivery>(200),
        )
}

/// `GET /webhooks/`
async fn list(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let found = buildly.webhooks().list(&principal).await?;
    let results: Vec<_> = found.into_iter().map(WebhookBody::of).collect();
    Ok(Response::ok(&serde_json::json!({"next": null, "previous": null, "results": results})))
}

/// `POST /webhooks/`
async fn create(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let NewWebhookInput { url, description, kinds } = request.json().await?;
    let new = NewWebhook { url, description, kinds };
    let (webhook, secret) = buildly.webhooks().create(&principal, new).await?;
    let body = NewWebhookBody { webhook: WebhookBody::of(webhook), secret: secret.expose().to_owned() };
    Ok(Response::created(&body).no_store())
}

/// `GET /webhooks/{id}/`
async fn read(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let webhook = buildly.webhooks().get(&principal, request.path("id")?).await?;
    Ok(Response::ok(&WebhookBody::of(webhook)))
}

/// `PATCH /webhooks/{id}/`
async fn change(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let id = request.path("id")?;
    let WebhookInput { url, description, kinds } = request.json().await?;
    let patch = WebhookPatch { url, description, kinds };
    let webhook = buildly.webhooks().update(&principal, id, patch).await?;
    Ok(Response::ok(&WebhookBody::of(webhook)))
}

/// `DELETE /webhooks/{id}/`
async fn remove(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    buildly.webhooks().delete(&principal, request.path("id")?).await?;
    Ok(Response::no_content())
}

/// `POST /webhooks/{id}/pause/`
async fn pause(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let webhook = buildly.webhooks().pause(&principal, request.path("id")?).await?;
    Ok(Response::ok(&WebhookBody::of(webhook)))
}

/// `POST /webhooks/{id}/resume/`
async fn resume(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let webhook = buildly.webhooks().resume(&principal, request.path("id")?).await?;
    Ok(Response::ok(&WebhookBody::of(webhook)))
}

/// `GET /webhooks/{id}/deliveries/`
async fn deliveries(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let (id, before) = (request.path("id")?, request.query_value("cursor")?);
    let page = buildly.webhooks().deliveries(&principal, id, before, request.page_size()?).await?;
    let results: Vec<_> = page.items.into_iter().map(WebhookDelivery::of).collect();
    Ok(Response::page(&request, &results, page.next.as_ref()))
}

/// `POST /webhooks/{id}/deliveries/{delivery}/replay/`
async fn replay(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let (id, delivery) = (request.path("id")?, request.path("delivery")?);
    let sent = buildly.webhooks().replay(&principal, id, delivery).await?;
    Ok(Response::ok(&WebhookDelivery::of(sent)))
}

impl WebhookBody {
    fn of(view: WebhookView) -> Self {
        let WebhookView { webhook, lane: Lane { sequence, trouble, .. } } = view;
        Self {
            id: webhook.id.as_uuid(),
            url: webhook.url,
            description: webhook.description,
            kinds: webhook.kinds,
            state: webhook.state.as_str(),
            created_at: webhook.created_at,
            sequence,
            trouble: trouble.map(|trouble| WebhookTrouble {
                failures: trouble.failures,
                since: trouble.since,
                retry_at: trouble.retry_at,
                fault: trouble.fault,
            }),
        }
    }
}

impl WebhookDelivery {
    fn of(delivery: Delivery) -> Self {
        Self {
            id: delivery.id.as_uuid(),
            event: delivery.event.as_uuid(),
            sequence: delivery.sequence,
            delivered: delivery.is_delivered(),
            kind: delivery.kind,
            at: delivery.at,
            attempt: delivery.attempt,
            status: delivery.status,
            fault: delivery.fault,
            duration_ms: u64::try_from(delivery.took.as_millis()).unwrap_or(u64::MAX),
            replay: delivery.is_replay,
        }
    }
}

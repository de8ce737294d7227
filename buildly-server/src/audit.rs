//! The audit trail of an organization, for its administrators.

use buildly_core::Buildly;
use buildly_core::journal::{EventFilter, StoredEvent};
use buildly_model::{Cursor, Timestamp};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::route::get;
use crate::{Problem, Request, Response, Routes};

/// The resources of the audit trail.
pub(crate) fn routes() -> Routes {
    Routes::of("audit", "What happened, by whom, in an order that nobody can change unseen.").add(
        get("/audit/events/", list)
            .summary("The events of the own organization, newest first")
            .description("For administrators of the organization.")
            .query(
                "kind",
                "Only this kind of event, such as `auth.group.updated`, or all that begin so: `auth`",
            )
            .query("subject", "Only what happened to the thing of this id")
            .query("actor", "Only what was done by this actor, such as `user:` and an id")
            .query("from", "Only at or after this instant (RFC 3339)")
            .query("until", "Only before this instant (RFC 3339)")
            .query_integer("limit", "How many on a page")
            .query("cursor", "Where the page begins, as `next` says it")
            .answers_page::<Event>(200),
    )
}

/// An event of the journal.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEvent)]
struct Event {
    /// Its number in the organization's chain, from 1 without gaps.
    sequence: u64,
    /// Its id.
    id: String,
    /// What happened.
    kind: String,
    /// What it happened to.
    subject: String,
    /// Who did it: `user:…`, `service_account:…`, `application:…` or `anonymous`.
    actor: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The facts; absent once erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    payload: Option<Box<RawValue>>,
    /// The hash over this event and the one before.
    hash: String,
}

/// `GET /audit/events/`
async fn list(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    buildly.auth().require_admin(&principal).await?;
    let text = |name: &str| request.query().first(name).filter(|text| !text.is_empty()).map(str::to_owned);
    let filter = EventFilter {
        kind: text("kind"),
        subject: text("subject"),
        actor: text("actor"),
        from: request.query_value("from")?,
        until: request.query_value("until")?,
    };
    let before: Option<u64> = request.query_value("cursor")?;
    let size = request.page_size()?;
    let found = buildly.journal().find(principal.organization, &filter, before, size).await?;
    let is_full = found.len() >= size.rows() as usize;
    let next = found.last().filter(|_| is_full).map(|event| Cursor(event.sequence.to_string()));
    let events: Vec<Event> = found.into_iter().map(Event::from).collect();
    Ok(Response::page(&request, &events, next.as_ref()))
}

impl From<StoredEvent> for Event {
    fn from(event: StoredEvent) -> Self {
        Self {
            sequence: event.sequence,
            id: event.id.to_string(),
            kind: event.kind,
            subject: event.subject,
            actor: event.actor,
            at: event.at,
            payload: event.payload.and_then(|text| RawValue::from_string(text).ok()),
            hash: event.hash.to_string(),
        }
    }
}

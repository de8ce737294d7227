//! `/workflow/events/`: what happened, for templates that it starts runs of.

use buildly_core::Buildly;
use buildly_core::workflow::{Heard, Refused, Reported};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::route::post;
use crate::{Problem, Request, Response, Routes};

/// Something that happened.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WorkflowEvent)]
struct NewEvent {
    /// Its name, such as `order.placed`.
    event: String,
    /// Two reports of one caller with the same key are one; a new key is made if it is left out.
    key: Option<String>,
    /// What it carries; templates read it as `event`.
    #[serde(default)]
    #[schema(value_type = Object)]
    payload: Value,
}

/// What came of an event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WorkflowEventHeard)]
struct HeardBody {
    /// The runs that it started.
    runs: Vec<String>,
    /// Templates that it should have started a run of, and why it could not.
    refused: Vec<RefusedBody>,
}

/// A template that an event could not start a run of.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WorkflowEventRefused)]
struct RefusedBody {
    template: String,
    reason: String,
}

pub(super) fn routes(routes: Routes) -> Routes {
    routes.add(
        post("/workflow/events/", report)
            .summary("Reports an event, which may start runs")
            .description(
                "Each template whose newest published version names the event in `starts` begins a run, all \
                 of them at once. They are kept when this answers.",
            )
            .takes::<NewEvent>()
            .answers::<HeardBody>(202),
    )
}

/// `POST /workflow/events/`
async fn report(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let new: NewEvent = request.json().await?;
    let key = new.key.unwrap_or_else(|| Uuid::now_v7().to_string());
    let reported = Reported { event: new.event, key, payload: new.payload };
    let Heard { runs, refused } = buildly.workflow().report(&principal, reported).await?;
    let refused = refused.into_iter().map(|Refused { template, reason }| RefusedBody { template, reason });
    let runs = runs.iter().map(ToString::to_string).collect();
    Ok(Response::json(StatusCode::ACCEPTED, &HeardBody { runs, refused: refused.collect() }))
}

//! `/workflow/runs/`: started, looked at, waited for, steered.

use std::time::Duration;

use buildly_core::Buildly;
use buildly_core::workflow::picture::{Marks, Outline, progress};
use buildly_core::workflow::{ActivationId, Control, Phase, Run, RunEvent, RunFilter, StartRun};
use buildly_model::{Principal, RunId};
use http::HeaderName;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::shape::{RunBody, RunEventBody, RunSummaryBody};
use super::{after, events, next, picture};
use crate::route::{get, patch, post};
use crate::{Problem, Request, Response, Routes};

/// The longest that a request waits for a run.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// The most events that a picture is drawn from, or that a command shows.
const EVENTS_MAX: usize = 20_000;
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A run to start.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewWorkflowRun)]
struct NewRun {
    /// The template's name.
    template: String,
    /// The version; the newest that is published if it is left out.
    version: Option<u32>,
    /// What it is given; checked against the template's schema.
    #[serde(default)]
    #[schema(value_type = Object)]
    input: Value,
    /// What people call it by, such as an order's number; signals can name it.
    business_key: Option<String>,
}

/// Why a run is cancelled.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = WorkflowCancel)]
struct Cancel {
    reason: String,
}

/// Which level is done anew.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = WorkflowRetry)]
struct Retry {
    /// The number of the entry into the level; may be left out if only one needs attention.
    activation: Option<u64>,
    /// That nobody knows what the last attempt did is accepted.
    waive: bool,
}

/// Which compensation is given up.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = WorkflowSkip)]
struct Skip {
    /// The number of the entry into the level; may be left out if only one needs attention.
    activation: Option<u64>,
}

pub(super) fn routes(routes: Routes) -> Routes {
    let wait = "Answer when the run has ended, or after so many seconds (at most 60)";
    routes
        .add(
            get("/workflow/runs/", list)
                .summary("Lists runs, newest first")
                .query("template", "Only runs of this template")
                .query("status", "Only runs that stand so, such as `needs_attention`")
                .query("ended", "`true`: only runs that have ended; `false`: only others")
                .query("business_key", "Only runs of this business key")
                .query("parent", "Only runs that were started for the run of this id")
                .query_integer("limit", "How many on a page")
                .query("cursor", "Where the page begins, as `next` says it")
                .answers_page::<RunSummaryBody>(200),
        )
        .add(
            post("/workflow/runs/", start)
                .summary("Starts a run")
                .description("Repeating it with the same `Idempotency-Key` gives the run that it started.")
                .query_integer("wait", wait)
                .takes::<NewRun>()
                .answers::<RunBody>(201),
        )
        .add(
            get("/workflow/runs/{id}/", read)
                .summary("Reads a run")
                .query_integer("wait", wait)
                .answers::<RunBody>(200),
        )
        .add(
            get("/workflow/runs/{id}/history/", history)
                .summary("What happened in a run, oldest first")
                .query_integer("after", "Only events with numbers above this one")
                .query_integer("limit", "How many on a page")
                .answers_page::<RunEventBody>(200),
        )
        .add(
            get("/workflow/runs/{id}/events/", events::follow)
                .summary("A run as it moves, as server-sent events")
                .description("An event `run` with the run at each change, until it has ended.")
                .answers_media(200, "text/event-stream"),
        )
        .add(
            get("/workflow/runs/{id}/picture/", draw)
                .summary("Draws a run")
                .query("format", "`svg` (the default), `mermaid` or `text`")
                .answers_media(200, "image/svg+xml"),
        )
        .add(
            post("/workflow/runs/{id}/cancel/", cancel)
                .summary("Ends a run and undoes what it did")
                .takes::<Cancel>()
                .answers::<RunBody>(200),
        )
        .add(
            post("/workflow/runs/{id}/pause/", pause)
                .summary("Lets nothing new begin in a run")
                .answers::<RunBody>(200),
        )
        .add(post("/workflow/runs/{id}/resume/", resume).summary("Lets a run go on").answers::<RunBody>(200))
        .add(
            post("/workflow/runs/{id}/retry/", retry)
                .summary("Does a level anew that needs attention")
                .takes::<Retry>()
                .answers::<RunBody>(200),
        )
        .add(
            post("/workflow/runs/{id}/skip/", skip)
                .summary("Gives up a compensation that failed: somebody has seen to it")
                .takes::<Skip>()
                .answers::<RunBody>(200),
        )
        .add(
            patch("/workflow/runs/{id}/variables/", set_variables)
                .summary("Sets variables; levels that begin later see them")
                .takes_document()
                .answers::<RunBody>(200),
        )
}

/// `GET /workflow/runs/`
async fn list(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let text = |name: &str| request.query().first(name).filter(|text| !text.is_empty()).map(str::to_owned);
    let filter = RunFilter {
        template: text("template"),
        status: request.query_value("status")?,
        is_ended: request.query_value("ended")?,
        business_key: text("business_key"),
        parent: request.query_value("parent")?,
    };
    let size = request.page_size()?.rows();
    let rows = buildly.workflow().runs(&principal, &filter, after(&request)?, size).await?;
    let next = next(&rows);
    let results: Vec<RunSummaryBody> = rows.rows.into_iter().map(Into::into).collect();
    Ok(Response::page(&request, &results, next.as_ref()))
}

/// `POST /workflow/runs/`
async fn start(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let wait = wait(&request)?;
    let idempotency_key = request.header(IDEMPOTENCY_KEY).map(str::to_owned);
    let new: NewRun = request.json().await?;
    let start = StartRun {
        template: new.template,
        version: new.version,
        input: new.input,
        business_key: new.business_key,
        idempotency_key,
    };
    let mut run = buildly.workflow().start(&principal, start).await?;
    if let Some(wait) = wait {
        run = buildly.workflow().wait(&principal, run.summary.id, wait).await?;
    }
    Ok(Response::created(&RunBody::from(run)))
}

/// `GET /workflow/runs/{id}/`
async fn read(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let run = request.path("id")?;
    let run = match wait(&request)? {
        Some(wait) => buildly.workflow().wait(&principal, run, wait).await?,
        None => buildly.workflow().run(&principal, run).await?,
    };
    Ok(Response::ok(&RunBody::from(run)))
}

/// How long the caller wants to wait.
fn wait(request: &Request) -> Result<Option<Duration>, Problem> {
    let seconds: Option<u32> = request.query_value("wait")?;
    Ok(seconds.map(|seconds| Duration::from_secs(u64::from(seconds)).min(WAIT_MAX)))
}

/// `GET /workflow/runs/{id}/history/`
async fn history(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let after: u64 = request.query_value("after")?.unwrap_or(0);
    let size = request.page_size()?.rows();
    let events = buildly.workflow().history(&principal, request.path("id")?, after, size).await?;
    let is_full = events.len() >= size as usize;
    let next =
        events.last().filter(|_| is_full).map(|last| request.url_from("after", &last.number.to_string()));
    let results: Vec<RunEventBody> = events.into_iter().map(Into::into).collect();
    Ok(Response::ok(&json!({"next": next, "previous": null, "results": results})))
}

/// `GET /workflow/runs/{id}/picture/`
async fn draw(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let format = request.query_value("format")?.unwrap_or_default();
    let run = buildly.workflow().run(&principal, request.path("id")?).await?;
    let template = buildly.workflow().template_of(&principal, run.summary.id).await?;
    Ok(picture::draw(&template, &marks(buildly, &principal, &run).await?, format))
}

/// The tree of a run, a line a level, with how each stands.
pub(crate) async fn tree(
    buildly: &Buildly,
    principal: &Principal,
    run: &Run,
) -> Result<Vec<picture::Line>, Problem> {
    let template = buildly.workflow().template_of(principal, run.summary.id).await?;
    Ok(picture::lines(&Outline::of(&template), &marks(buildly, principal, run).await?))
}

async fn marks(buildly: &Buildly, principal: &Principal, run: &Run) -> Result<Marks, Problem> {
    let events = all_events(buildly, principal, run.summary.id).await?;
    Ok(progress(&run.template, events.iter().map(|event| &event.event)))
}

/// The events of a run, oldest first, as far as anybody wants to look.
pub(crate) async fn all_events(
    buildly: &Buildly,
    principal: &Principal,
    run: RunId,
) -> Result<Vec<RunEvent>, Problem> {
    let mut events: Vec<RunEvent> = Vec::new();
    while events.len() < EVENTS_MAX {
        let after = events.last().map_or(0, |last| last.number);
        let more = buildly.workflow().history(principal, run, after, 1_000).await?;
        let is_end = more.len() < 1_000;
        events.extend(more);
        if is_end {
            break;
        }
    }
    Ok(events)
}

/// `POST /workflow/runs/{id}/cancel/`
async fn cancel(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let Cancel { reason } = request.json_or_default().await?;
    steer(buildly, request, |_| Ok(Control::Cancel { reason })).await
}

/// `POST /workflow/runs/{id}/pause/`
async fn pause(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    steer(buildly, request, |_| Ok(Control::Pause)).await
}

/// `POST /workflow/runs/{id}/resume/`
async fn resume(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    steer(buildly, request, |_| Ok(Control::Resume)).await
}

/// `POST /workflow/runs/{id}/retry/`
async fn retry(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let Retry { activation, waive } = request.json_or_default().await?;
    steer(buildly, request, |run| Ok(Control::Retry { activation: stuck(run, activation)?, waive })).await
}

/// `POST /workflow/runs/{id}/skip/`
async fn skip(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let Skip { activation } = request.json_or_default().await?;
    steer(buildly, request, |run| Ok(Control::Skip { activation: stuck(run, activation)? })).await
}

/// `PATCH /workflow/runs/{id}/variables/`
async fn set_variables(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let values: Map<String, Value> = request.json().await?;
    steer(buildly, request, |_| Ok(Control::SetVariables { values })).await
}

async fn steer(
    buildly: &Buildly,
    request: Request,
    how: impl FnOnce(&Run) -> Result<Control, Problem>,
) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let run = buildly.workflow().run(&principal, request.path("id")?).await?;
    let control = how(&run)?;
    let run = buildly.workflow().control(&principal, run.summary.id, control).await?;
    Ok(Response::ok(&RunBody::from(run)))
}

/// The level that was named, or the only one that needs attention.
pub(crate) fn stuck(run: &Run, named: Option<u64>) -> Result<ActivationId, Problem> {
    if let Some(number) = named {
        return Ok(ActivationId(number));
    }
    let mut stuck = run.state.activations.values().filter(|live| matches!(live.phase, Phase::Stuck { .. }));
    match (stuck.next(), stuck.next()) {
        (Some(only), None) => Ok(only.id),
        (None, _) => Err(Problem::conflict("No level of this run needs attention.")),
        (Some(_), Some(_)) => Err(Problem::field(
            "activation",
            "Several levels need attention; name one of those in `live` whose phase is `stuck`.",
        )),
    }
}

/// The id of a run in a path or body.
pub(super) fn run_id(uuid: Uuid) -> RunId {
    RunId::from_uuid(uuid)
}

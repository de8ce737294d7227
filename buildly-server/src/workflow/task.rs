//! `/workflow/tasks/`: people's work.

use buildly_core::Buildly;
use buildly_core::workflow::{ActivationId, TaskFilter};
use buildly_model::RunId;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::shape::{RunBody, TaskBody};
use super::{after, next};
use crate::route::{get, post};
use crate::{Problem, Request, Response, Routes};

/// What was filled in.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = WorkflowTaskCompletion)]
struct Completion {
    /// As the task's form wants it.
    #[schema(value_type = Object)]
    data: Value,
}

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .add(
            get("/workflow/tasks/", list)
                .summary("Lists tasks, newest first")
                .description("Those that the caller may do or has taken; all for who operates runs.")
                .query("mine", "`true`: only those that the caller may do or has taken")
                .query("run", "Only tasks of the run of this id")
                .query("status", "Only tasks that are `open`, `claimed` or `closed`")
                .query_integer("limit", "How many on a page")
                .query("cursor", "Where the page begins, as `next` says it")
                .answers_page::<TaskBody>(200),
        )
        .add(
            get("/workflow/tasks/{id}/", read).summary("Reads a task with its form").answers::<TaskBody>(200),
        )
        .add(
            post("/workflow/tasks/{id}/claim/", claim)
                .summary("Takes a task: nobody else can complete it then")
                .answers::<TaskBody>(200),
        )
        .add(
            post("/workflow/tasks/{id}/complete/", complete)
                .summary("Completes a task; the answer is its run")
                .takes::<Completion>()
                .answers::<RunBody>(200),
        )
}

/// `GET /workflow/tasks/`
async fn list(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let is_mine = request.query_value("mine")?.unwrap_or(false);
    let filter =
        TaskFilter { run: request.query_value("run")?, status: request.query_value("status")?, doer: None };
    let size = request.page_size()?.rows();
    let rows = buildly.workflow().tasks(&principal, &filter, is_mine, after(&request)?, size).await?;
    let next = next(&rows);
    let results: Vec<TaskBody> = rows.rows.into_iter().map(Into::into).collect();
    Ok(Response::page(&request, &results, next.as_ref()))
}

/// `GET /workflow/tasks/{id}/`
async fn read(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let (run, activation) = task_of(&request)?;
    Ok(Response::ok(&TaskBody::from(buildly.workflow().task(&principal, run, activation).await?)))
}

/// `POST /workflow/tasks/{id}/claim/`
async fn claim(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let (run, activation) = task_of(&request)?;
    buildly.workflow().claim_task(&principal, run, activation).await?;
    Ok(Response::ok(&TaskBody::from(buildly.workflow().task(&principal, run, activation).await?)))
}

/// `POST /workflow/tasks/{id}/complete/`
async fn complete(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let (run, activation) = task_of(&request)?;
    let Completion { data } = request.json_or_default().await?;
    let run = buildly.workflow().complete_task(&principal, run, activation, data).await?;
    Ok(Response::ok(&RunBody::from(run)))
}

/// The run and the number in `{run}.{activation}`.
fn task_of(request: &Request) -> Result<(RunId, ActivationId), Problem> {
    let unknown = || Problem::not_found("Not found.");
    let (run, number) = request.path_text("id").split_once('.').ok_or_else(unknown)?;
    let run = run.parse().map_err(|_| unknown())?;
    Ok((run, ActivationId(number.parse().map_err(|_| unknown())?)))
}

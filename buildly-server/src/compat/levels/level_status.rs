//! `/workflowlevelstatus/`: statuses of levels 2.

use buildly_core::Buildly;
use buildly_core::workflow::levels::{LevelStatus, Shared, StatusUpdate};
use buildly_model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::window;
use crate::request::Fields;
use crate::route::{delete, get, patch, post, put};
use crate::{Problem, Request, Response, Routes};

/// A status of levels 2.
#[derive(Debug, Serialize, ToSchema)]
struct WorkflowLevelStatus {
    uuid: Uuid,
    /// The same.
    id: Uuid,
    order: i64,
    name: String,
    short_name: String,
    #[schema(value_type = String, format = DateTime)]
    create_date: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    edit_date: Timestamp,
}

/// A status as it is written.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the body for the document; it is read field by field")]
struct WorkflowLevelStatusInput {
    name: String,
    /// Unique among the statuses that an organization may use.
    short_name: String,
    order: Option<i64>,
}

impl From<Shared<LevelStatus>> for WorkflowLevelStatus {
    fn from(record: Shared<LevelStatus>) -> Self {
        Self {
            uuid: record.id.as_uuid(),
            id: record.id.as_uuid(),
            order: record.value.order,
            name: record.value.name,
            short_name: record.value.short_name,
            create_date: record.created_at,
            edit_date: record.edited_at,
        }
    }
}

/// The operations on statuses.
pub(super) fn routes() -> Routes {
    Routes::compat(
        "workflowlevelstatus",
        "Statuses of workflow levels 2. An organization has its own, kept by its administrators; what an \
         administrator of the deployment makes is for all.",
    )
    .add(
        get("/workflowlevelstatus/", list)
            .summary("Lists the statuses that the caller may use")
            .description("An object with `count`, `next`, `previous`, `results`.")
            .query_integer("limit", "How many on a page: 50 if nobody says, at most 500")
            .query_integer("offset", "How many come before the page")
            .answers_page::<WorkflowLevelStatus>(200),
    )
    .add(
        post("/workflowlevelstatus/", create)
            .summary("Makes a status (administrators)")
            .takes_fields::<WorkflowLevelStatusInput>()
            .answers::<WorkflowLevelStatus>(201),
    )
    .add(
        get("/workflowlevelstatus/{uuid}/", read)
            .summary("Reads a status")
            .answers::<WorkflowLevelStatus>(200),
    )
    .add(
        put("/workflowlevelstatus/{uuid}/", replace)
            .summary("Changes a status (administrators); what does not come stays")
            .takes_fields::<WorkflowLevelStatusInput>()
            .answers::<WorkflowLevelStatus>(200),
    )
    .add(
        patch("/workflowlevelstatus/{uuid}/", change)
            .summary("Changes what is named of a status (administrators)")
            .takes_fields::<WorkflowLevelStatusInput>()
            .answers::<WorkflowLevelStatus>(200),
    )
    .add(
        delete("/workflowlevelstatus/{uuid}/", remove)
            .summary("Removes a status (administrators); levels 2 of it have none then")
            .answers_nothing(204),
    )
}

/// `GET /workflowlevelstatus/`
async fn list(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let window = window::window(&request)?;
    let mut list = buildly.levels().level_statuses(&principal, window).await?;
    let rows = std::mem::take(&mut list.rows);
    let bodies: Vec<WorkflowLevelStatus> = rows.into_iter().map(Into::into).collect();
    Ok(window::counted(&request, window, &list, &bodies))
}

/// `POST /workflowlevelstatus/`
async fn create(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let update = whole(request.fields().await?)?;
    let record = buildly.levels().create_level_status(&principal, &update).await?;
    Ok(Response::created(&WorkflowLevelStatus::from(record)))
}

/// `GET /workflowlevelstatus/{uuid}/`
async fn read(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let record = buildly.levels().level_status(&principal, request.path("uuid")?).await?;
    Ok(Response::ok(&WorkflowLevelStatus::from(record)))
}

/// `PUT /workflowlevelstatus/{uuid}/`
async fn replace(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let written = whole(request.fields().await?)?;
    update(buildly, &request, &written).await
}

/// `PATCH /workflowlevelstatus/{uuid}/`
async fn change(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let mut fields = request.fields().await?;
    let (name, short_name) = (fields.text("name"), fields.text("short_name"));
    let written = StatusUpdate { name, short_name, order: fields.integer("order") };
    fields.finish()?;
    update(buildly, &request, &written).await
}

async fn update(buildly: &Buildly, request: &Request, update: &StatusUpdate) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let record = buildly.levels().update_level_status(&principal, request.path("uuid")?, update).await?;
    Ok(Response::ok(&WorkflowLevelStatus::from(record)))
}

/// `DELETE /workflowlevelstatus/{uuid}/`
async fn remove(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    buildly.levels().delete_level_status(&principal, request.path("uuid")?).await?;
    Ok(Response::no_content())
}

fn whole(mut fields: Fields) -> Result<StatusUpdate, Problem> {
    let (name, short_name) = (fields.required_text("name"), fields.required_text("short_name"));
    let update =
        StatusUpdate { name: Some(name), short_name: Some(short_name), order: fields.integer("order") };
    fields.finish()?;
    Ok(update)
}

//! `/workflowleveltype/`: types of levels 2.

use buildly_core::Buildly;
use buildly_core::workflow::levels::{LevelType, Shared};
use buildly_model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::window;
use crate::compat::organization_type::NameInput;
use crate::route::{delete, get, patch, post, put};
use crate::{Problem, Request, Response, Routes};

/// A type of levels 2.
#[derive(Debug, Serialize, ToSchema)]
struct WorkflowLevelType {
    uuid: Uuid,
    /// The same.
    id: Uuid,
    name: String,
    #[schema(value_type = String, format = DateTime)]
    create_date: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    edit_date: Timestamp,
}

impl From<Shared<LevelType>> for WorkflowLevelType {
    fn from(record: Shared<LevelType>) -> Self {
        Self {
            uuid: record.id.as_uuid(),
            id: record.id.as_uuid(),
            name: record.value.name,
            create_date: record.created_at,
            edit_date: record.edited_at,
        }
    }
}

/// The operations on types.
pub(super) fn routes() -> Routes {
    Routes::compat(
        "workflowleveltype",
        "Types of workflow levels 2. An organization has its own, kept by its administrators; what an \
         administrator of the deployment makes is for all.",
    )
    .add(
        get("/workflowleveltype/", list)
            .summary("Lists the types that the caller may use")
            .query_integer("page_size", "How many on a page: 30 if nobody says, at most 100")
            .query("cursor", "Where the page begins, from `next`")
            .answers_page::<WorkflowLevelType>(200),
    )
    .add(
        post("/workflowleveltype/", create)
            .summary("Makes a type (administrators)")
            .takes_fields::<NameInput>()
            .answers::<WorkflowLevelType>(201),
    )
    .add(get("/workflowleveltype/{uuid}/", read).summary("Reads a type").answers::<WorkflowLevelType>(200))
    .add(
        put("/workflowleveltype/{uuid}/", replace)
            .summary("Replaces a type (administrators)")
            .takes_fields::<NameInput>()
            .answers::<WorkflowLevelType>(200),
    )
    .add(
        patch("/workflowleveltype/{uuid}/", change)
            .summary("Renames a type (administrators)")
            .takes_fields::<NameInput>()
            .answers::<WorkflowLevelType>(200),
    )
    .add(
        delete("/workflowleveltype/{uuid}/", remove)
            .summary("Removes a type (administrators); levels 2 of it have none then")
            .answers_nothing(204),
    )
}

/// `GET /workflowleveltype/`
async fn list(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let (after, rows_max) = (window::cursor(&request)?, window::page_rows(&request)?);
    let mut listed = buildly.levels().level_types(&principal, after.as_ref(), rows_max).await?;
    let rows = std::mem::take(&mut listed.rows);
    let bodies: Vec<WorkflowLevelType> = rows.into_iter().map(Into::into).collect();
    Ok(window::page(&request, &listed, &bodies))
}

/// `POST /workflowleveltype/`
async fn create(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let mut fields = request.fields().await?;
    let name = fields.required_text("name");
    fields.finish()?;
    let record = buildly.levels().create_level_type(&principal, &name).await?;
    Ok(Response::created(&WorkflowLevelType::from(record)))
}

/// `GET /workflowleveltype/{uuid}/`
async fn read(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let record = buildly.levels().level_type(&principal, request.path("uuid")?).await?;
    Ok(Response::ok(&WorkflowLevelType::from(record)))
}

/// `PUT /workflowleveltype/{uuid}/`
async fn replace(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let mut fields = request.fields().await?;
    let name = fields.required_text("name");
    fields.finish()?;
    update(buildly, &request, Some(&name)).await
}

/// `PATCH /workflowleveltype/{uuid}/`
async fn change(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let mut fields = request.fields().await?;
    let name = fields.text("name");
    fields.finish()?;
    update(buildly, &request, name.as_deref()).await
}

async fn update(buildly: &Buildly, request: &Request, name: Option<&str>) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let record = buildly.levels().update_level_type(&principal, request.path("uuid")?, name).await?;
    Ok(Response::ok(&WorkflowLevelType::from(record)))
}

/// `DELETE /workflowleveltype/{uuid}/`
async fn remove(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    buildly.levels().delete_level_type(&principal, request.path("uuid")?).await?;
    Ok(Response::no_content())
}

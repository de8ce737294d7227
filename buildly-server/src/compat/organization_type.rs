//! `/organization_type/`: kinds of organizations, kept by their administrators.

use buildly_core::Buildly;
use buildly_core::auth::identity::OrganizationType;
use buildly_core::model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::list;
use crate::route::{delete, get, patch, post, put};
use crate::{Problem, Request, Response, Routes};

/// A kind of organization.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrganizationTypeBody {
    id: i64,
    name: String,
    #[schema(value_type = String, format = DateTime)]
    create_date: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    edit_date: Timestamp,
}

/// A kind of organization as it is written.
#[derive(Debug, Serialize, ToSchema)]
pub struct NameInput {
    name: String,
}

impl From<OrganizationType> for OrganizationTypeBody {
    fn from(kind: OrganizationType) -> Self {
        Self { id: kind.number, name: kind.name, create_date: kind.created_at, edit_date: kind.edited_at }
    }
}

/// The operations on organization types.
pub(crate) fn routes() -> Routes {
    Routes::compat("organization_type", "Kinds of organizations, kept by their administrators.")
        .add(
            get("/organization_type/", list_all)
                .summary("Lists the organization types")
                .answers_list::<OrganizationTypeBody>(200),
        )
        .add(
            post("/organization_type/", create)
                .summary("Makes an organization type")
                .takes_fields::<NameInput>()
                .answers::<OrganizationTypeBody>(201),
        )
        .add(
            get("/organization_type/{id}/", read)
                .summary("Reads an organization type")
                .answers::<OrganizationTypeBody>(200),
        )
        .add(
            put("/organization_type/{id}/", rename)
                .summary("Replaces an organization type")
                .takes_fields::<NameInput>()
                .answers::<OrganizationTypeBody>(200),
        )
        .add(
            patch("/organization_type/{id}/", rename)
                .summary("Renames an organization type")
                .takes_fields::<NameInput>()
                .answers::<OrganizationTypeBody>(200),
        )
        .add(
            delete("/organization_type/{id}/", remove)
                .summary("Removes an organization type")
                .answers_nothing(204),
        )
}

/// `GET /organization_type/`
async fn list_all(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let types = buildly.auth().organization_types(&principal).await?;
    Ok(list::plain(&request, types, OrganizationTypeBody::from))
}

/// `POST /organization_type/`
async fn create(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let mut fields = request.fields().await?;
    let name = fields.required_text("name");
    fields.finish()?;
    let kind = buildly.auth().create_organization_type(&principal, &name).await?;
    Ok(Response::created(&OrganizationTypeBody::from(kind)))
}

/// `GET /organization_type/{id}/`
async fn read(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let kind = buildly.auth().organization_type(&principal, request.path("id")?).await?;
    Ok(Response::ok(&OrganizationTypeBody::from(kind)))
}

/// `PUT` and `PATCH /organization_type/{id}/`
async fn rename(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let mut fields = request.fields().await?;
    let name = fields.required_text("name");
    fields.finish()?;
    let kind = buildly.auth().update_organization_type(&principal, request.path("id")?, &name).await?;
    Ok(Response::ok(&OrganizationTypeBody::from(kind)))
}

/// `DELETE /organization_type/{id}/`
async fn remove(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    buildly.auth().delete_organization_type(&principal, request.path("id")?).await?;
    Ok(Response::no_content())
}

//! `/consortium/`: organizations that work together.

use buildly_core::Buildly;
use buildly_core::auth::identity::Consortium;
use buildly_core::model::{OrganizationId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::list;
use crate::request::Fields;
use crate::route::{delete, get, patch, post, put};
use crate::{Problem, Request, Response, Routes};

/// A consortium.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConsortiumBody {
    id: Uuid,
    consortium_uuid: Uuid,
    name: String,
    organization_uuids: Vec<Uuid>,
    #[schema(value_type = String, format = DateTime)]
    create_date: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    edit_date: Timestamp,
}

/// A consortium as it is written.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConsortiumInput {
    name: String,
    organization_uuids: Vec<Uuid>,
}

impl From<Consortium> for ConsortiumBody {
    fn from(consortium: Consortium) -> Self {
        Self {
            id: consortium.id,
            consortium_uuid: consortium.id,
            name: consortium.name,
            organization_uuids: consortium.organizations.iter().map(OrganizationId::as_uuid).collect(),
            create_date: consortium.created_at,
            edit_date: consortium.edited_at,
        }
    }
}

/// The operations on consortia.
pub(crate) fn routes() -> Routes {
    Routes::compat("consortium", "Consortia: organizations that work together; kept by superusers.")
        .add(
            get("/consortium/", list_all)
                .summary("Lists the consortia of the own organization")
                .query("organization_uuid", "Only consortia with this organization.")
                .answers_list::<ConsortiumBody>(200),
        )
        .add(
            post("/consortium/", create)
                .summary("Makes a consortium")
                .takes_fields::<ConsortiumInput>()
                .answers::<ConsortiumBody>(201),
        )
        .add(
            get("/consortium/{consortium_uuid}/", read)
                .summary("Reads a consortium")
                .answers::<ConsortiumBody>(200),
        )
        .add(
            put("/consortium/{consortium_uuid}/", replace)
                .summary("Replaces a consortium")
                .takes_fields::<ConsortiumInput>()
                .answers::<ConsortiumBody>(200),
        )
        .add(
            patch("/consortium/{consortium_uuid}/", change)
                .summary("Changes a consortium")
                .takes_fields::<ConsortiumInput>()
                .answers::<ConsortiumBody>(200),
        )
        .add(
            delete("/consortium/{consortium_uuid}/", remove)
                .summary("Removes a consortium")
                .answers_nothing(204),
        )
}

/// `GET /consortium/`
async fn list_all(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let organization = request.query_value("organization_uuid")?;
    let consortia = buildly.auth().consortia(&principal, organization).await?;
    Ok(list::plain(&request, consortia, ConsortiumBody::from))
}

/// `POST /consortium/`
async fn create(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let mut fields = request.fields().await?;
    let (name, members) = (fields.required_text("name"), organizations(&mut fields));
    fields.finish()?;
    let made = buildly.auth().save_consortium(&principal, None, Some(&name), members.as_deref()).await?;
    Ok(Response::created(&ConsortiumBody::from(made)))
}

/// `GET /consortium/{consortium_uuid}/`
async fn read(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let consortium = buildly.auth().consortium(&principal, request.path("consortium_uuid")?).await?;
    Ok(Response::ok(&ConsortiumBody::from(consortium)))
}

/// `PUT /consortium/{consortium_uuid}/`
async fn replace(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let mut fields = request.fields().await?;
    let (name, members) = (fields.required_text("name"), organizations(&mut fields).unwrap_or_default());
    fields.finish()?;
    let id = request.path("consortium_uuid")?;
    let saved = buildly.auth().save_consortium(&principal, Some(id), Some(&name), Some(&members)).await?;
    Ok(Response::ok(&ConsortiumBody::from(saved)))
}

/// `PATCH /consortium/{consortium_uuid}/`
async fn change(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let mut fields = request.fields().await?;
    let (name, members) = (fields.text("name"), organizations(&mut fields));
    fields.finish()?;
    let id = request.path("consortium_uuid")?;
    let saved =
        buildly.auth().save_consortium(&principal, Some(id), name.as_deref(), members.as_deref()).await?;
    Ok(Response::ok(&ConsortiumBody::from(saved)))
}

/// `DELETE /consortium/{consortium_uuid}/`
async fn remove(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    buildly.auth().delete_consortium(&principal, request.path("consortium_uuid")?).await?;
    Ok(Response::no_content())
}

fn organizations(fields: &mut Fields) -> Option<Vec<OrganizationId>> {
    let texts = fields.texts("organization_uuids")?;
    let ids: Option<Vec<OrganizationId>> = texts.iter().map(|text| text.parse().ok()).collect();
    ids.or_else(|| fields.refuse("organization_uuids", "Expected a list of UUIDs."))
}

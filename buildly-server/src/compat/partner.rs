//! `/partner/`: somebody outside with whom the organizations of the deployment work.

use buildly_core::Buildly;
use buildly_core::auth::identity::Partner;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::list;
use super::organization_type::NameInput;
use crate::route::{delete, get, patch, post, put};
use crate::{Problem, Request, Response, Routes};

/// A partner.
#[derive(Debug, Serialize, ToSchema)]
pub struct PartnerBody {
    partner_uuid: Uuid,
    name: String,
    /// Always null, as existing clients know it.
    create_date: Option<String>,
    /// Always null, as existing clients know it.
    edit_date: Option<String>,
}

impl From<Partner> for PartnerBody {
    fn from(partner: Partner) -> Self {
        Self { partner_uuid: partner.id, name: partner.name, create_date: None, edit_date: None }
    }
}

/// The operations on partners.
pub(crate) fn routes() -> Routes {
    Routes::compat("partner", "Partners: made by anybody signed in, kept by administrators.")
        .add(get("/partner/", list_all).summary("Lists the partners").answers_list::<PartnerBody>(200))
        .add(
            post("/partner/", create)
                .summary("Makes a partner")
                .takes_fields::<NameInput>()
                .answers::<PartnerBody>(201),
        )
        .add(get("/partner/{partner_uuid}/", read).summary("Reads a partner").answers::<PartnerBody>(200))
        .add(
            put("/partner/{partner_uuid}/", rename)
                .summary("Replaces a partner")
                .takes_fields::<NameInput>()
                .answers::<PartnerBody>(200),
        )
        .add(
            patch("/partner/{partner_uuid}/", rename)
                .summary("Renames a partner")
                .takes_fields::<NameInput>()
                .answers::<PartnerBody>(200),
        )
        .add(delete("/partner/{partner_uuid}/", remove).summary("Removes a partner").answers_nothing(204))
}

/// `GET /partner/`
async fn list_all(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let partners = buildly.auth().partners(&principal).await?;
    Ok(list::plain(&request, partners, PartnerBody::from))
}

/// `POST /partner/`
async fn create(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let mut fields = request.fields().await?;
    let name = fields.required_text("name");
    fields.finish()?;
    let partner = buildly.auth().create_partner(&principal, &name).await?;
    Ok(Response::created(&PartnerBody::from(partner)))
}

/// `GET /partner/{partner_uuid}/`
async fn read(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let partner = buildly.auth().partner(&principal, request.path("partner_uuid")?).await?;
    Ok(Response::ok(&PartnerBody::from(partner)))
}

/// `PUT` and `PATCH /partner/{partner_uuid}/`
async fn rename(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let mut fields = request.fields().await?;
    let name = fields.required_text("name");
    fields.finish()?;
    let partner = buildly.auth().update_partner(&principal, request.path("partner_uuid")?, &name).await?;
    Ok(Response::ok(&PartnerBody::from(partner)))
}

/// `DELETE /partner/{partner_uuid}/`
async fn remove(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    buildly.auth().delete_partner(&principal, request.path("partner_uuid")?).await?;
    Ok(Response::no_content())
}

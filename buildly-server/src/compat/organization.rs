//! `/organization/`: tenants.

use buildly_core::Buildly;

use super::list;
use super::organization_shape::{self, OrganizationBody, OrganizationInput};
use crate::route::{delete, get, patch, post, put};
use crate::{Problem, Request, Response, Routes};

/// The operations on organizations.
pub(crate) fn routes() -> Routes {
    Routes::compat("organization", "Organizations: the tenants of the deployment.")
        .add(
            get("/organization/", list_all)
                .summary("Lists the own organization; administrators of the deployment see all")
                .query("after", "Where to go on, from `Link`.")
                .answers_list::<OrganizationBody>(200),
        )
        .add(
            post("/organization/", create)
                .summary("Makes an organization with its two groups")
                .takes_fields::<OrganizationInput>()
                .answers::<OrganizationBody>(201),
        )
        .add(
            get("/organization/fetch_orgs/", names)
                .summary("Lists the names of all organizations, while registration is open")
                .query("after", "Where to go on, from `Link`.")
                .answers_list::<String>(200)
                .public(),
        )
        .add(
            get("/organization/{organization_uuid}/", read)
                .summary("Reads an organization")
                .answers::<OrganizationBody>(200),
        )
        .add(
            put("/organization/{organization_uuid}/", replace)
                .summary("Replaces an organization")
                .takes_fields::<OrganizationInput>()
                .answers::<OrganizationBody>(200),
        )
        .add(
            patch("/organization/{organization_uuid}/", change)
                .summary("Changes an organization")
                .takes_fields::<OrganizationInput>()
                .answers::<OrganizationBody>(200),
        )
        .add(
            delete("/organization/{organization_uuid}/", remove)
                .summary("Removes an organization that has no users")
                .answers_nothing(204),
        )
}

/// `GET /organization/`
async fn list_all(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let organizations = buildly.auth().organizations(&principal, list::after(&request)?.as_ref()).await?;
    Ok(list::plain(&request, organizations, OrganizationBody::from))
}

/// `GET /organization/fetch_orgs/`
async fn names(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let names = buildly.auth().organization_names(list::after(&request)?.as_ref()).await?;
    Ok(list::plain(&request, names, std::convert::identity))
}

/// `POST /organization/`
async fn create(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let mut fields = request.fields().await?;
    let mut update = organization_shape::read(&mut fields);
    update.name = Some(fields.required_text("name"));
    fields.finish()?;
    let organization = buildly.auth().create_organization(&principal, &update).await?;
    Ok(Response::created(&OrganizationBody::from(organization)))
}

/// `GET /organization/{organization_uuid}/`
async fn read(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let organization = buildly.auth().organization(&principal, request.path("organization_uuid")?).await?;
    Ok(Response::ok(&OrganizationBody::from(organization)))
}

/// `PUT /organization/{organization_uuid}/`
async fn replace(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let mut fields = request.fields().await?;
    let mut update = organization_shape::read(&mut fields);
    update.name = Some(fields.required_text("name"));
    fields.finish()?;
    let id = request.path("organization_uuid")?;
    let organization = buildly.auth().update_organization(&principal, id, &update).await?;
    Ok(Response::ok(&OrganizationBody::from(organization)))
}

/// `PATCH /organization/{organization_uuid}/`
async fn change(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let mut fields = request.fields().await?;
    let update = organization_shape::read(&mut fields);
    fields.finish()?;
    let id = request.path("organization_uuid")?;
    let organization = buildly.auth().update_organization(&principal, id, &update).await?;
    Ok(Response::ok(&OrganizationBody::from(organization)))
}

/// `DELETE /organization/{organization_uuid}/`
async fn remove(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    buildly.auth().delete_organization(&principal, request.path("organization_uuid")?).await?;
    Ok(Response::no_content())
}

//! `/coregroups/`: roles.

use buildly_core::Buildly;
use buildly_core::auth::identity::Group;
use buildly_model::Principal;

use super::group_shape::{self, CoreGroup, CoreGroupInput};
use super::{key, list};
use crate::route::{delete, get, patch, post, put};
use crate::{Problem, Request, Response, Routes};

/// The operations on groups.
pub(crate) fn routes() -> Routes {
    Routes::compat("coregroups", "Groups: roles, with what their members may do.")
        .add(
            get("/coregroups/", list_all)
                .summary("Lists the groups of the own organization")
                .query("after", "Where to go on, from `Link`.")
                .answers_list::<CoreGroup>(200),
        )
        .add(
            post("/coregroups/", create)
                .summary("Makes a group")
                .takes_fields::<CoreGroupInput>()
                .answers::<CoreGroup>(201),
        )
        .add(get("/coregroups/{id}/", read).summary("Reads a group").answers::<CoreGroup>(200))
        .add(
            put("/coregroups/{id}/", replace)
                .summary("Replaces a group")
                .takes_fields::<CoreGroupInput>()
                .answers::<CoreGroup>(200),
        )
        .add(
            patch("/coregroups/{id}/", change)
                .summary("Changes a group")
                .takes_fields::<CoreGroupInput>()
                .answers::<CoreGroup>(200),
        )
        .add(
            delete("/coregroups/{id}/", remove)
                .summary("Removes a group")
                .description("The last group with every permission stays: 409.")
                .answers_nothing(204),
        )
}

/// `GET /coregroups/`
async fn list_all(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let groups = buildly.auth().groups(&principal, list::after(&request)?.as_ref()).await?;
    let ids: Vec<_> = groups.items.iter().map(|group| group.id).collect();
    let levels = buildly.levels().of_groups(&principal, &ids).await?;
    Ok(list::plain(&request, groups, |group| CoreGroup::with(group, &levels)))
}

/// `POST /coregroups/`
async fn create(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let mut fields = request.fields().await?;
    let mut update = group_shape::read(&mut fields);
    update.name = Some(fields.required_text("name"));
    fields.finish()?;
    let group = buildly.auth().create_group(&principal, &update).await?;
    Ok(Response::created(&CoreGroup::from(group)))
}

/// `GET /coregroups/{id}/`
async fn read(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let group = buildly.auth().group(&principal, key::group(&request)?).await?;
    shown(buildly, &principal, group).await
}

/// `PUT /coregroups/{id}/`
async fn replace(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let mut fields = request.fields().await?;
    let mut update = group_shape::read(&mut fields);
    update.name = Some(fields.required_text("name"));
    fields.finish()?;
    let group = buildly.auth().update_group(&principal, key::group(&request)?, &update).await?;
    shown(buildly, &principal, group).await
}

/// `PATCH /coregroups/{id}/`
async fn change(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let mut fields = request.fields().await?;
    let update = group_shape::read(&mut fields);
    fields.finish()?;
    let group = buildly.auth().update_group(&principal, key::group(&request)?, &update).await?;
    shown(buildly, &principal, group).await
}

/// `DELETE /coregroups/{id}/`
async fn remove(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    buildly.auth().delete_group(&principal, key::group(&request)?).await?;
    Ok(Response::no_content())
}

/// The group, with the levels that it is attached to.
async fn shown(buildly: &Buildly, principal: &Principal, group: Group) -> Result<Response, Problem> {
    let levels = buildly.levels().of_groups(principal, &[group.id]).await?;
    Ok(Response::ok(&CoreGroup::with(group, &levels)))
}

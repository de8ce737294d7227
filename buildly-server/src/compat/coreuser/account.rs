//! Reading, registering and changing users.

use std::collections::BTreeSet;

use buildly_core::Buildly;
use buildly_core::auth::identity::{Registration, UserUpdate, UserView};
use buildly_core::workflow::levels::LevelsOfGroups;
use buildly_model::{GroupId, Principal};

use super::shape::{CoreUser, CoreUserChanged, ProfileBody, read_profile};
use crate::compat::{key, list};
use crate::request::Fields;
use crate::{Problem, Request, Response};

/// `GET /coreuser/`
pub(super) async fn list(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let organization = request.query_value("organization__organization_uuid")?;
    let after = list::after(&request)?;
    let users = buildly.auth().users(&principal, organization, after.as_ref()).await?;
    let levels = levels_of(buildly, &principal, &users.items).await?;
    Ok(list::plain(&request, users, |view| CoreUser::with(view, &levels)))
}

/// `GET /coreuser/{id}/`
pub(super) async fn read(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let view = buildly.auth().user(&principal, key::user(&request)?).await?;
    shown(buildly, &principal, view).await
}

/// `GET /coreuser/me/`
pub(super) async fn me(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let view = buildly.auth().me(&principal).await?;
    shown(buildly, &principal, view).await
}

async fn shown(buildly: &Buildly, principal: &Principal, view: UserView) -> Result<Response, Problem> {
    let levels = levels_of(buildly, principal, std::slice::from_ref(&view)).await?;
    Ok(Response::ok(&CoreUser::with(view, &levels)))
}

/// The levels that the users' groups are attached to.
async fn levels_of(
    buildly: &Buildly,
    principal: &Principal,
    views: &[UserView],
) -> Result<LevelsOfGroups, Problem> {
    let groups: BTreeSet<GroupId> =
        views.iter().flat_map(|view| &view.groups).map(|group| group.id).collect();
    let groups: Vec<GroupId> = groups.into_iter().collect();
    Ok(buildly.levels().of_groups(principal, &groups).await?)
}

/// `POST /coreuser/`
pub(super) async fn register(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal_or_anonymous(buildly).await?;
    let mut fields = request.fields().await?;
    let invitation = fields.text("invitation_token").filter(|token| !token.is_empty());
    let organization_name = match &invitation {
        Some(_) => fields.text("organization_name").unwrap_or_default(),
        None => fields.required_text("organization_name"),
    };
    let registration = Registration {
        username: fields.required_text("username"),
        email: fields.text("email").unwrap_or_default(),
        password: fields.required_secret("password"),
        organization_name,
        profile: read_profile(&mut fields),
        invitation,
        groups: key::groups(&mut fields, "core_groups").unwrap_or_default(),
    };
    fields.finish()?;
    let view = buildly.auth().register(&principal, &registration).await?;
    Ok(Response::created(&CoreUserChanged::of(view)))
}

/// `PUT /coreuser/{id}/`
pub(super) async fn replace(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let mut fields = request.fields().await?;
    let mut update = read_update(&mut fields);
    update.username = Some(fields.required_text("username"));
    update.password = Some(fields.required_secret("password"));
    fields.required_text("organization_name");
    fields.finish()?;
    let view = buildly.auth().update_user(&principal, key::user(&request)?, &update).await?;
    Ok(Response::ok(&CoreUserChanged::of(view)))
}

/// `PATCH /coreuser/{id}/`
pub(super) async fn change(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let mut fields = request.fields().await?;
    let mut update = read_update(&mut fields);
    update.username = fields.text("username");
    update.password = fields.secret("password");
    fields.finish()?;
    let view = buildly.auth().update_user(&principal, key::user(&request)?, &update).await?;
    Ok(Response::ok(&CoreUserChanged::of(view)))
}

fn read_update(fields: &mut Fields) -> UserUpdate {
    UserUpdate {
        email: fields.text("email"),
        is_active: fields.boolean("is_active"),
        groups: key::groups(fields, "core_groups"),
        profile: read_profile(fields),
        ..UserUpdate::default()
    }
}

/// `PATCH /coreuser/{id}/update_profile/`
pub(super) async fn update_profile(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let mut fields = request.fields().await?;
    let profile = read_profile(&mut fields);
    let password = fields.secret("password");
    let organization = fields.text("organization_name").filter(|name| !name.is_empty());
    fields.finish()?;
    let user = key::user(&request)?;
    let view =
        buildly.auth().update_profile(&principal, user, profile, password, organization.as_deref()).await?;
    Ok(Response::ok(&ProfileBody::of(&view.user)))
}

/// `PATCH /coreuser/update_org/{id}/`
pub(super) async fn update_organization(
    buildly: &Buildly,
    mut request: Request,
) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let mut fields = request.fields().await?;
    let name = fields.required_text("organization_name");
    let email = fields.text("email");
    fields.finish()?;
    let view = buildly.auth().move_user(&principal, key::user(&request)?, &name, email.as_deref()).await?;
    Ok(Response::ok(&CoreUser::of(view)))
}

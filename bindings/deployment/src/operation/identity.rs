//! People, groups, sessions, rights.

use buildly_core::Buildly;
use buildly_core::auth::identity::{
    GroupKey, GroupUpdate, NewSuperuser, ProfileUpdate, Registration, UserKey, UserUpdate,
};
use buildly_model::{Action, Actions, GroupId, Identity, Place, Secret, ServiceId, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ByCaller, Caller};
use crate::failure::Failure;
use crate::shape::{GroupShape, PermissionShape, SessionShape, UserShape};

/// The first user of a deployment.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FirstUser {
    username: String,
    password: Secret,
    organization: String,
    #[serde(default)]
    email: String,
}

pub(super) async fn create_superuser(buildly: &Buildly, new: FirstUser) -> Result<UserShape, Failure> {
    let new = NewSuperuser {
        username: new.username,
        email: new.email,
        password: new.password,
        organization_name: new.organization,
    };
    Ok(buildly.auth().create_superuser(&new).await?.into())
}

/// Somebody who registers, or is registered.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewUser {
    #[serde(default)]
    caller: Caller,
    username: String,
    password: Secret,
    organization: String,
    #[serde(default)]
    email: String,
    first_name: Option<String>,
    last_name: Option<String>,
    #[serde(default)]
    groups: Vec<Uuid>,
}

pub(super) async fn register(buildly: &Buildly, new: NewUser) -> Result<UserShape, Failure> {
    let principal = new.caller.principal(buildly).await?;
    let registration = Registration {
        username: new.username,
        email: new.email,
        password: new.password,
        organization_name: new.organization,
        profile: ProfileUpdate {
            first_name: new.first_name,
            last_name: new.last_name,
            ..ProfileUpdate::default()
        },
        invitation: None,
        groups: keys(new.groups),
    };
    Ok(buildly.auth().register(&principal, &registration).await?.into())
}

pub(super) fn keys(groups: Vec<Uuid>) -> Vec<GroupKey> {
    groups.into_iter().map(|group| GroupKey::Id(GroupId::from_uuid(group))).collect()
}

/// Name and password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignIn {
    username: String,
    password: Secret,
}

pub(super) async fn sign_in(buildly: &Buildly, by: SignIn) -> Result<SessionShape, Failure> {
    Ok(buildly.auth().open_session(&by.username, &by.password, None).await?.into())
}

/// The refresh token of a session.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Refresh {
    refresh_token: Secret,
}

pub(super) async fn refresh(buildly: &Buildly, by: Refresh) -> Result<SessionShape, Failure> {
    Ok(buildly.auth().refresh_session(&by.refresh_token).await?.into())
}

pub(super) async fn sign_out(buildly: &Buildly, by: ByCaller) -> Result<(), Failure> {
    let principal = by.caller.principal(buildly).await?;
    Ok(buildly.auth().sign_out(&principal).await?)
}

pub(super) async fn me(buildly: &Buildly, by: ByCaller) -> Result<UserShape, Failure> {
    let principal = by.caller.principal(buildly).await?;
    match principal.identity {
        Identity::ServiceAccount(_) | Identity::Application(_) => {
            Err(Failure::not_found("the caller is no user but a service account or an application"))
        }
        Identity::Anonymous | Identity::User(_) => Ok(buildly.auth().me(&principal).await?.into()),
    }
}

/// A part of a list.
#[derive(Serialize)]
pub(super) struct Listed<T> {
    items: Vec<T>,
    next: Option<String>,
}

/// A part of a list to read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct After {
    #[serde(default)]
    caller: Caller,
    after: Option<String>,
}

impl After {
    fn place(&self) -> Result<Option<Place>, Failure> {
        Ok(self.after.as_deref().map(str::parse).transpose()?)
    }
}

pub(super) async fn users(buildly: &Buildly, by: After) -> Result<Listed<UserShape>, Failure> {
    let principal = by.caller.principal(buildly).await?;
    let list = buildly.auth().users(&principal, None, by.place()?.as_ref()).await?;
    let next = list.next.as_ref().map(ToString::to_string);
    Ok(Listed { items: list.items.into_iter().map(UserShape::from).collect(), next })
}

/// What of a user changes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangedUser {
    #[serde(default)]
    caller: Caller,
    user: Uuid,
    is_active: Option<bool>,
    password: Option<Secret>,
    email: Option<String>,
    groups: Option<Vec<Uuid>>,
}

pub(super) async fn update_user(buildly: &Buildly, changed: ChangedUser) -> Result<UserShape, Failure> {
    let principal = changed.caller.principal(buildly).await?;
    let update = UserUpdate {
        is_active: changed.is_active,
        password: changed.password,
        email: changed.email,
        groups: changed.groups.map(keys),
        ..UserUpdate::default()
    };
    let key = UserKey::Id(UserId::from_uuid(changed.user));
    Ok(buildly.auth().update_user(&principal, key, &update).await?.into())
}

pub(super) async fn groups(buildly: &Buildly, by: After) -> Result<Listed<GroupShape>, Failure> {
    let principal = by.caller.principal(buildly).await?;
    let list = buildly.auth().groups(&principal, by.place()?.as_ref()).await?;
    let next = list.next.as_ref().map(ToString::to_string);
    Ok(Listed { items: list.items.iter().map(GroupShape::from).collect(), next })
}

/// A group to make in the caller's organization.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewGroup {
    #[serde(default)]
    caller: Caller,
    name: String,
    permissions: Vec<Action>,
    #[serde(default)]
    is_default: bool,
}

pub(super) async fn create_group(buildly: &Buildly, new: NewGroup) -> Result<GroupShape, Failure> {
    let principal = new.caller.principal(buildly).await?;
    let update = GroupUpdate {
        name: Some(new.name),
        organization: principal.organization,
        // Others grant nothing.
        is_organization_level: Some(true),
        is_default: Some(new.is_default),
        permissions: Some(new.permissions.into_iter().fold(Actions::NONE, Actions::with)),
        ..GroupUpdate::default()
    };
    Ok((&buildly.auth().create_group(&principal, &update).await?).into())
}

/// A question about rights.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MayI {
    #[serde(default)]
    caller: Caller,
    action: Action,
    service: String,
    user: Option<Uuid>,
}

pub(super) async fn check_permission(buildly: &Buildly, asked: MayI) -> Result<PermissionShape, Failure> {
    let principal = asked.caller.principal(buildly).await?;
    let about = asked.user.map(|user| UserKey::Id(UserId::from_uuid(user)));
    let service = service_named(buildly, &asked.service)?;
    Ok(buildly.auth().explain(&principal, about, asked.action, service).await?.into())
}

pub(super) fn service_named(buildly: &Buildly, name: &str) -> Result<ServiceId, Failure> {
    let snapshot = buildly.snapshot();
    let found = snapshot.gateway.find_by_name(name).map(|registered| registered.service.id);
    found.ok_or_else(|| Failure::not_found(format!("there is no service `{name}`")))
}

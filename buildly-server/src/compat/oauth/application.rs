//! `/oauth/applications/`

use std::collections::BTreeSet;

use buildly_core::Buildly;
use buildly_core::auth::Error;
use buildly_core::auth::identity::UserKey;
use buildly_core::auth::token::{
    Application, ApplicationGrant, ApplicationKey, ApplicationPatch, ClientType, NewApplication,
};
use buildly_model::{ApplicationId, Principal, Secret, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::compat::list::Part;
use crate::request::Fields;
use crate::{Problem, Request, Response};

/// An application.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApplicationBody {
    id: i64,
    /// The name it presents itself with.
    client_id: String,
    /// Its secret, in the answer that made it only; else null.
    client_secret: Option<String>,
    name: String,
    /// `public` or `confidential`.
    client_type: &'static str,
    /// `password`, `client-credentials` or `authorization-code`.
    authorization_grant_type: &'static str,
    /// Space-separated.
    redirect_uris: String,
    /// Who registered it.
    user: Option<String>,
}

/// An application to register, or what to change of one.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body in the document; it is read field by field")]
pub struct ApplicationInput {
    /// Drawn if it is left out; it cannot be changed.
    client_id: Option<String>,
    name: Option<String>,
    /// `public` or `confidential`.
    client_type: String,
    /// `password`, `client-credentials` or `authorization-code`.
    authorization_grant_type: String,
    /// Space-separated; may be empty.
    redirect_uris: Option<String>,
}

impl ApplicationBody {
    fn of(application: Application, secret: Option<Secret>) -> Self {
        Self {
            id: application.number,
            client_id: application.client_id,
            client_secret: secret.map(|secret| secret.expose().to_owned()),
            name: application.name,
            client_type: application.client_type.name(),
            authorization_grant_type: application.grant.name(),
            redirect_uris: application.redirect_uris,
            user: application.user.map(|user| user.to_string()),
        }
    }
}

/// `GET /oauth/applications/`
pub(super) async fn list(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let applications = buildly.auth().applications(&principal)?;
    let applications = match request.query().first("user__username").filter(|name| !name.is_empty()) {
        Some(username) => of_user(buildly, &principal, applications, username).await?,
        None => applications,
    };
    let part = Part::of(&request, applications, |application| application.number)?;
    Ok(part.answer_with(|application| ApplicationBody::of(application, None)))
}

/// Those that this user has registered; who has registered some is looked up once.
async fn of_user(
    buildly: &Buildly,
    principal: &Principal,
    mut applications: Vec<Application>,
    username: &str,
) -> Result<Vec<Application>, Problem> {
    let users: BTreeSet<UserId> = applications.iter().filter_map(|application| application.user).collect();
    let mut wanted = None;
    for user in users {
        match buildly.auth().user(principal, UserKey::Id(user)).await {
            Ok(view) if view.user.username == username => wanted = Some(user),
            Ok(_) | Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    applications.retain(|application| wanted.is_some() && application.user == wanted);
    Ok(applications)
}

/// `GET /oauth/applications/{id}/`
pub(super) async fn read(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let application = buildly.auth().application(&principal, key(&request)?)?;
    Ok(Response::ok(&ApplicationBody::of(application, None)))
}

/// `POST /oauth/applications/`
pub(super) async fn create(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let mut fields = request.fields().await?;
    let client_type = word(&mut fields, "client_type", ClientType::from_name);
    let grant = word(&mut fields, "authorization_grant_type", ApplicationGrant::from_name);
    let (Some(client_type), Some(grant)) = (client_type, grant) else {
        for field in ["client_type", "authorization_grant_type"] {
            if !fields.has(field) {
                fields.missing::<()>(field);
            }
        }
        fields.finish()?;
        return Err(Problem::invalid("`client_type` and `authorization_grant_type` must be given."));
    };
    let new = NewApplication {
        client_id: fields.text("client_id").filter(|id| !id.is_empty()),
        name: fields.text("name").unwrap_or_default(),
        client_type,
        grant,
        redirect_uris: fields.text("redirect_uris").unwrap_or_default(),
    };
    fields.finish()?;
    let (application, secret) = buildly.auth().create_application(&principal, new).await?;
    Ok(Response::created(&ApplicationBody::of(application, secret)).no_store())
}

/// `PUT /oauth/applications/{id}/` and `PATCH`
pub(super) async fn change(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let key = key(&request)?;
    let mut fields = request.fields().await?;
    let patch = ApplicationPatch {
        name: fields.text("name"),
        client_type: word(&mut fields, "client_type", ClientType::from_name),
        grant: word(&mut fields, "authorization_grant_type", ApplicationGrant::from_name),
        redirect_uris: fields.text("redirect_uris"),
    };
    fields.finish()?;
    let (application, secret) = buildly.auth().update_application(&principal, key, patch).await?;
    Ok(Response::ok(&ApplicationBody::of(application, secret)).no_store())
}

/// `DELETE /oauth/applications/{id}/`
pub(super) async fn remove(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    buildly.auth().delete_application(&principal, key(&request)?).await?;
    Ok(Response::no_content())
}

fn key(request: &Request) -> Result<ApplicationKey, Problem> {
    match request.path::<i64>("id") {
        Ok(number) => Ok(ApplicationKey::Number(number)),
        Err(_) => request.path::<ApplicationId>("id").map(ApplicationKey::Id),
    }
}

fn word<T>(fields: &mut Fields, name: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
    let text = fields.text(name)?;
    let sentence = format!("\"{text}\" is not a valid choice.");
    read(&text).or_else(|| fields.refuse(name, &sentence))
}

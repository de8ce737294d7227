//! `/service_accounts/`: accounts for scripts, and their API keys; for administrators of the
//! organization.

use buildly_core::Buildly;
use buildly_core::auth::token::{ApiKey, NewApiKey, NewServiceAccount, ServiceAccount, ServiceAccountPatch};
use buildly_model::{FieldError, GroupId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::route::{delete, get, patch, post};
use crate::{Problem, Request, Response, Routes};

/// A service account to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewServiceAccountInput {
    /// Unique in the organization.
    name: String,
    /// What it is for.
    #[serde(default)]
    description: String,
    /// The groups whose rights it has.
    #[serde(default)]
    groups: Vec<Uuid>,
}

/// What to change of a service account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceAccountInput {
    /// Unique in the organization.
    name: Option<String>,
    /// What it is for.
    description: Option<String>,
    /// Whether its keys work.
    is_active: Option<bool>,
    /// The groups whose rights it has; they replace those it had.
    groups: Option<Vec<Uuid>>,
}

/// An API key to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApiKeyInput {
    /// What people call it.
    #[serde(default)]
    name: String,
    /// When it stops working (RFC 3339); never if it is left out.
    expires_at: Option<String>,
}

/// A service account.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServiceAccountBody {
    id: Uuid,
    name: String,
    description: String,
    is_active: bool,
    groups: Vec<Uuid>,
    keys: Vec<ApiKeyBody>,
    created_at: String,
}

/// An API key, without its text.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApiKeyBody {
    id: Uuid,
    name: String,
    created_at: String,
    expires_at: Option<String>,
    /// To a few minutes.
    last_used_at: Option<String>,
}

/// A new API key.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewApiKeyBody {
    #[serde(flatten)]
    key: ApiKeyBody,
    /// Its text, in this answer only. Send it as `Authorization: Bearer …` or `X-Api-Key`.
    api_key: String,
}

/// The operations on service accounts.
pub(crate) fn routes() -> Routes {
    Routes::of("service accounts", "Accounts for scripts, signed in by API keys.")
        .add(
            get("/service_accounts/", list)
                .summary("Lists the organization's service accounts")
                .answers_page::<ServiceAccountBody>(200),
        )
        .add(
            post("/service_accounts/", create)
                .summary("Makes a service account")
                .takes::<NewServiceAccountInput>()
                .answers::<ServiceAccountBody>(201),
        )
        .add(
            get("/service_accounts/{id}/", read)
                .summary("Reads a service account")
                .answers::<ServiceAccountBody>(200),
        )
        .add(
            patch("/service_accounts/{id}/", change)
                .summary("Changes a service account")
                .takes::<ServiceAccountInput>()
                .answers::<ServiceAccountBody>(200),
        )
        .add(
            delete("/service_accounts/{id}/", remove)
                .summary("Removes a service account and its keys")
                .answers_nothing(204),
        )
        .add(
            post("/service_accounts/{id}/keys/", create_key)
                .summary("Makes an API key")
                .description("The key's text is in this answer only.")
                .takes::<NewApiKeyInput>()
                .answers::<NewApiKeyBody>(201),
        )
        .add(
            delete("/service_accounts/{id}/keys/{key}/", remove_key)
                .summary("Removes an API key; it stops working at once")
                .answers_nothing(204),
        )
}

/// `GET /service_accounts/`
async fn list(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let accounts = buildly.auth().service_accounts(&principal).await?;
    let results: Vec<_> = accounts.into_iter().map(ServiceAccountBody::of).collect();
    Ok(Response::ok(&serde_json::json!({"next": null, "previous": null, "results": results})))
}

/// `POST /service_accounts/`
async fn create(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let input: NewServiceAccountInput = request.json().await?;
    let new =
        NewServiceAccount { name: input.name, description: input.description, groups: groups(input.groups) };
    let account = buildly.auth().create_service_account(&principal, new).await?;
    Ok(Response::created(&ServiceAccountBody::of(account)))
}

/// `GET /service_accounts/{id}/`
async fn read(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let account = buildly.auth().service_account(&principal, request.path("id")?).await?;
    Ok(Response::ok(&ServiceAccountBody::of(account)))
}

/// `PATCH /service_accounts/{id}/`
async fn change(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let id = request.path("id")?;
    let input: ServiceAccountInput = request.json().await?;
    let patch = ServiceAccountPatch {
        name: input.name,
        description: input.description,
        is_active: input.is_active,
        groups: input.groups.map(groups),
    };
    let account = buildly.auth().update_service_account(&principal, id, patch).await?;
    Ok(Response::ok(&ServiceAccountBody::of(account)))
}

/// `DELETE /service_accounts/{id}/`
async fn remove(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    buildly.auth().delete_service_account(&principal, request.path("id")?).await?;
    Ok(Response::no_content())
}

/// `POST /service_accounts/{id}/keys/`
async fn create_key(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let id = request.path("id")?;
    let input: NewApiKeyInput = request.json().await?;
    let read = |text: String| text.parse::<Timestamp>();
    let expires_at = input.expires_at.map(read).transpose();
    let expires_at = expires_at.map_err(|error| FieldError::new("expires_at", error.to_string()))?;
    let new = NewApiKey { name: input.name, expires_at };
    let (key, text) = buildly.auth().create_api_key(&principal, id, new).await?;
    let body = NewApiKeyBody { key: ApiKeyBody::of(key), api_key: text.expose().to_owned() };
    Ok(Response::created(&body).no_store())
}

/// `DELETE /service_accounts/{id}/keys/{key}/`
async fn remove_key(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    buildly.auth().delete_api_key(&principal, request.path("id")?, request.path("key")?).await?;
    Ok(Response::no_content())
}

fn groups(uuids: Vec<Uuid>) -> Vec<GroupId> {
    uuids.into_iter().map(GroupId::from_uuid).collect()
}

impl ServiceAccountBody {
    fn of(account: ServiceAccount) -> Self {
        Self {
            id: account.id.as_uuid(),
            name: account.name,
            description: account.description,
            is_active: account.is_active,
            groups: account.groups.iter().map(GroupId::as_uuid).collect(),
            keys: account.keys.into_iter().map(ApiKeyBody::of).collect(),
            created_at: account.created_at.to_string(),
        }
    }
}

impl ApiKeyBody {
    fn of(key: ApiKey) -> Self {
        Self {
            id: key.id.as_uuid(),
            name: key.name,
            created_at: key.created_at.to_string(),
            expires_at: key.expires_at.map(|at| at.to_string()),
            last_used_at: key.last_used_at.map(|at| at.to_string()),
        }
    }
}

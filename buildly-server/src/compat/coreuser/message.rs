//! Messages to everybody in an organization, and the names behind ids.

use std::collections::BTreeMap;

use buildly_core::Buildly;
use buildly_core::model::{OrganizationId, UserId};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::request::Fields;
use crate::{Problem, Request, Response};

/// A message to everybody in an organization.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NotificationInput {
    organization_uuid: Uuid,
    notification_messages: String,
}

/// Alerts to everybody in an organization.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AlertInput {
    organization_uuid: Uuid,
    messages: Vec<String>,
}

/// Whose names are asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AssigneesInput {
    core_user_uuids: Vec<Uuid>,
}

/// A person's name.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PersonName {
    first_name: String,
    last_name: String,
}

/// `POST /coreuser/notification/`
pub(super) async fn notify(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let mut fields = request.fields().await?;
    let organization = organization(&mut fields);
    let message = match fields.value("notification_messages") {
        Some(Value::Array(_)) => fields.texts("notification_messages").unwrap_or_default().join("\n"),
        _ => fields.required_text("notification_messages"),
    };
    fields.finish()?;
    buildly.auth().notify(&principal, organization, &message).await?;
    Ok(Response::ok(&json!({"detail": "The notification were sent successfully on email."})))
}

/// `POST /coreuser/alert/`
pub(super) async fn alert(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let mut fields = request.fields().await?;
    let organization = organization(&mut fields);
    let messages = fields.texts("messages");
    if !fields.has("messages") {
        fields.missing::<()>("messages");
    }
    fields.finish()?;
    buildly.auth().alert(&principal, organization, &messages.unwrap_or_default()).await?;
    Ok(Response::ok(&json!({"detail": "The alert messages were sent successfully on email."})))
}

/// The nil id, which no organization has, if it is refused; then nothing is called.
fn organization(fields: &mut Fields) -> OrganizationId {
    if fields.value("organization_uuid").is_none() {
        fields.missing::<()>("organization_uuid");
    }
    fields.parsed("organization_uuid").unwrap_or(OrganizationId::from_uuid(Uuid::nil()))
}

/// `POST /coreuser/assignees/`
pub(super) async fn assignees(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let users: Vec<UserId> = match request.json().await? {
        Value::Array(list) => ids(list)?,
        Value::Object(mut fields) => match fields.remove("core_user_uuids") {
            Some(Value::Array(list)) => ids(list)?,
            _ => return Err(Problem::field("core_user_uuids", "Expected a list of items.")),
        },
        _ => return Err(Problem::field("core_user_uuids", "Expected a list of items.")),
    };
    let names = buildly.auth().names(&principal, &users).await?;
    let names: BTreeMap<Uuid, PersonName> = names
        .into_iter()
        .map(|(user, (first_name, last_name))| (user.as_uuid(), PersonName { first_name, last_name }))
        .collect();
    Ok(Response::ok(&names))
}

fn ids(list: Vec<Value>) -> Result<Vec<UserId>, Problem> {
    let read = |item: Value| item.as_str().and_then(|text| text.parse().ok());
    let ids: Option<Vec<UserId>> = list.into_iter().map(read).collect();
    ids.ok_or_else(|| Problem::field("core_user_uuids", "Expected a list of UUIDs."))
}

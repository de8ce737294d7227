//! Inviting people.

use buildly_core::Buildly;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Problem, Request, Response};

/// Whom to invite.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct InvitationInput {
    emails: Vec<String>,
}

/// The links that were mailed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct InvitationsSent {
    detail: String,
    invitations: Vec<String>,
}

/// What an invitation is for.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct InvitationBody {
    email: String,
    organization: InvitingOrganization,
}

/// Who invites.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct InvitingOrganization {
    organization_uuid: Uuid,
    name: String,
}

/// `POST /coreuser/invite/`
pub(super) async fn invite(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let mut fields = request.fields().await?;
    let emails = fields.texts("emails");
    if !fields.has("emails") {
        fields.missing::<()>("emails");
    }
    fields.finish()?;
    let links = buildly.auth().invite(&principal, &emails.unwrap_or_default()).await?;
    let detail = "The invitations were sent successfully.".to_owned();
    let invitations = links.iter().map(|link| link.expose().to_owned()).collect();
    Ok(Response::ok(&InvitationsSent { detail, invitations }).no_store())
}

/// `GET /coreuser/invite_check/`
pub(super) async fn check(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let token = request.query().first("token").unwrap_or_default();
    let (invitation, organization) = buildly.auth().check_invitation(token).await?;
    let organization =
        InvitingOrganization { organization_uuid: organization.id.as_uuid(), name: organization.name };
    Ok(Response::ok(&InvitationBody { email: invitation.email, organization }).no_store())
}

/// What stood in the mailed link.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VerificationInput {
    token: String,
}

/// `POST /coreuser/request_verify_email/`
pub(super) async fn request_verify_email(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    buildly.auth().request_email_verification(&principal).await?;
    Ok(Response::ok(&json!({"detail": "The verification link was sent successfully."})))
}

/// `POST /coreuser/verify_email/`
pub(super) async fn verify_email(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let mut fields = request.fields().await?;
    let token = fields.required_text("token");
    fields.finish()?;
    let success = buildly.auth().verify_email(&token).await?;
    Ok(Response::ok(&json!({"success": success})))
}

//! A new password without the old one.

use buildly_core::Buildly;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::{Problem, Request, Response};

/// Whose password to reset.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ResetInput {
    email: String,
}

/// What stood in the mailed link.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ResetCheckInput {
    uid: String,
    token: String,
}

/// What stood in the mailed link, and the new password twice.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ResetConfirmInput {
    uid: String,
    token: String,
    new_password1: String,
    new_password2: String,
}

/// Whether it counts.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Success {
    success: bool,
}

/// `POST /coreuser/reset_password/`
pub(super) async fn reset(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let address = request.client_address();
    let mut fields = request.fields().await?;
    let email = fields.required_text("email");
    fields.finish()?;
    buildly.auth().request_password_reset(&email, address).await?;
    // The count is always 1: another would tell whether the address is known.
    Ok(Response::ok(&json!({"detail": "The reset password link was sent successfully.", "count": 1})))
}

/// `POST /coreuser/reset_password_check/`
pub(super) async fn check(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let mut fields = request.fields().await?;
    let (user, token) = (fields.required_text("uid"), fields.required_text("token"));
    fields.finish()?;
    let success = buildly.auth().check_password_reset(&user, &token).await?;
    Ok(Response::ok(&Success { success }))
}

/// `POST /coreuser/reset_password_confirm/`
pub(super) async fn confirm(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let mut fields = request.fields().await?;
    let (user, token) = (fields.required_text("uid"), fields.required_text("token"));
    let password = fields.required_secret("new_password1");
    let repeated = fields.required_secret("new_password2");
    fields.finish()?;
    buildly.auth().confirm_password_reset(&user, &token, &password, &repeated).await?;
    Ok(Response::ok(&json!({"detail": "The password was changed successfully."})))
}

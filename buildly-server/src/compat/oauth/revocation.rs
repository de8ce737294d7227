//! `/oauth/revoke_token/`

use buildly_core::Buildly;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{client, error};
use crate::{Problem, Request, Response};

/// Which token.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body in the document; it is read field by field")]
pub struct RevocationInput {
    /// An access or a refresh token.
    token: String,
    /// The application that it was issued to.
    client_id: Option<String>,
    /// The secret of a confidential application.
    client_secret: Option<String>,
}

/// `POST /oauth/revoke_token/`
pub(super) async fn revoke(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let mut fields = match request.fields().await {
        Ok(fields) => fields,
        Err(problem) => return Ok(error::unreadable(problem)),
    };
    let token = fields.text("token").unwrap_or_default();
    let client = client(&request, &mut fields);
    Ok(match buildly.auth().revoke_token(&client, &token).await {
        Ok(()) => Response::html(StatusCode::OK, "").no_store(),
        Err(refusal) => error::refused(refusal),
    })
}

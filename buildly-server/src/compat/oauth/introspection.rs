//! `/oauth/introspect/` (RFC 7662)

use buildly_core::Buildly;
use buildly_core::auth::token::ClientCredentials;
use buildly_model::Principal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{client, error};
use crate::request::Authorization;
use crate::{Problem, Request, Response};

/// Which token.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body in the document; it is read field by field")]
pub struct IntrospectionInput {
    /// An access token, a refresh token or an API key.
    token: String,
    /// The asking application, where HTTP Basic does not say it.
    client_id: Option<String>,
    /// Its secret.
    client_secret: Option<String>,
}

/// What a token is worth; of one that is not active nothing but `active`.
#[derive(Debug, Serialize, ToSchema)]
pub struct IntrospectionBody {
    /// Whether it is good now.
    active: bool,
    /// Its scope.
    scope: Option<String>,
    /// When it ends, in seconds since the epoch.
    exp: Option<i64>,
    /// The application it was issued to.
    client_id: Option<String>,
    /// The user's sign-in name.
    username: Option<String>,
    /// Whose it is.
    sub: Option<String>,
    /// The tenant that it acts in.
    organization_uuid: Option<String>,
}

/// `POST /oauth/introspect/`
pub(super) async fn introspect(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let mut fields = match request.fields().await {
        Ok(fields) => fields,
        Err(problem) => return Ok(error::unreadable(problem)),
    };
    let token = fields.text("token").unwrap_or_default();
    let (principal, client) = match request.authorization()? {
        Authorization::Token(_) | Authorization::ApiKey(_) => {
            (request.principal(buildly).await?, ClientCredentials::default())
        }
        Authorization::Absent | Authorization::Basic { .. } => {
            (Principal::ANONYMOUS, client(&request, &mut fields))
        }
    };
    Ok(match buildly.auth().introspect(&client, &principal, &token).await {
        Ok(introspection) => Response::ok(&introspection).no_store(),
        Err(refusal) => error::refused(refusal),
    })
}

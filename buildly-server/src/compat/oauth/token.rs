//! `/oauth/token/`

use buildly_core::Buildly;
use buildly_core::auth::token::{Issued, SCOPE, TokenRequest};
use buildly_model::Secret;
use http::header::PRAGMA;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{client, error};
use crate::{Problem, Request, Response};

/// A token request.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body in the document; it is read field by field")]
pub struct TokenInput {
    /// `authorization_code`, `password`, `refresh_token` or `client_credentials`.
    grant_type: String,
    /// The application, or the id of a service account.
    client_id: Option<String>,
    /// The secret of a confidential application, or an API key of the service account.
    client_secret: Option<String>,
    /// For the password grant.
    username: Option<String>,
    /// For the password grant.
    password: Option<String>,
    /// For the refresh grant.
    refresh_token: Option<String>,
    /// For the authorization code grant.
    code: Option<String>,
    /// For the authorization code grant: as it was in the authorization request.
    redirect_uri: Option<String>,
    /// For the authorization code grant (RFC 7636 section 4.5).
    code_verifier: Option<String>,
    /// At most `read write introspection`.
    scope: Option<String>,
}

/// Tokens.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenBody {
    /// The access token: a signed JWT.
    access_token: String,
    /// How long it lives, in seconds.
    expires_in: u64,
    /// `Bearer`.
    token_type: &'static str,
    /// The scope.
    scope: &'static str,
    /// The refresh token; it is used once, its successor comes with the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    /// The access token once more, under the name of the old wire.
    access_token_jwt: String,
}

impl TokenBody {
    fn of(issued: &Issued) -> Self {
        let access_token = issued.access_token.expose().to_owned();
        Self {
            access_token_jwt: access_token.clone(),
            access_token,
            expires_in: issued.expires_in.as_secs(),
            token_type: "Bearer",
            scope: SCOPE,
            refresh_token: issued.refresh_token.as_ref().map(|token| token.expose().to_owned()),
        }
    }
}

/// `POST /oauth/token/`
pub(super) async fn issue(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let mut fields = match request.fields().await {
        Ok(fields) => fields,
        Err(problem) => return Ok(error::unreadable(problem)),
    };
    let present = |text: Option<String>| text.filter(|text| !text.is_empty());
    let present_secret = |secret: Option<Secret>| secret.filter(|secret| !secret.expose().is_empty());
    let asked = TokenRequest {
        grant_type: present(fields.text("grant_type")),
        username: present(fields.text("username")),
        password: present_secret(fields.secret("password")),
        refresh_token: present_secret(fields.secret("refresh_token")),
        code: present_secret(fields.secret("code")),
        redirect_uri: present(fields.text("redirect_uri")),
        code_verifier: present_secret(fields.secret("code_verifier")),
        scope: fields.text("scope"),
        client: client(&request, &mut fields),
    };
    if let Err(problem) = fields.finish() {
        return Ok(error::unreadable(problem));
    }
    let address = request.client_address();
    Ok(match buildly.auth().token(&asked, address).await {
        Ok(issued) => Response::ok(&TokenBody::of(&issued)).no_store().with_header(PRAGMA, "no-cache"),
        Err(refusal) => error::refused(refusal),
    })
}

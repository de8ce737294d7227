//! `/token/…`: tokens with name and password only, without an application.

use buildly_core::Buildly;
use buildly_core::auth;
use buildly_core::auth::token::{GrantError, Issued};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::route::post;
use crate::{Problem, Request, Response, Routes};

/// Name and password.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body in the document; it is read field by field")]
pub struct SignInInput {
    username: String,
    password: String,
}

/// A refresh token.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body in the document; it is read field by field")]
pub struct RefreshInput {
    refresh: String,
}

/// A token to check.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body in the document; it is read field by field")]
pub struct VerifyInput {
    token: String,
}

/// Both tokens.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenPair {
    /// Used once; its successor comes with the answer.
    refresh: String,
    /// A signed JWT.
    access: String,
}

/// The operations with simple tokens.
pub(crate) fn routes() -> Routes {
    Routes::compat("token", "Tokens with name and password, without an application.")
        .add(
            post("/token/", sign_in)
                .summary("Signs in")
                .takes_fields::<SignInInput>()
                .answers::<TokenPair>(200)
                .public(),
        )
        .add(
            post("/token/refresh/", refresh)
                .summary("Trades a refresh token")
                .takes_fields::<RefreshInput>()
                .answers::<TokenPair>(200)
                .public(),
        )
        .add(
            post("/token/verify/", verify)
                .summary("Says whether an access token is good")
                .takes_fields::<VerifyInput>()
                .answers_object(200)
                .public(),
        )
}

/// `POST /token/`
async fn sign_in(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let mut fields = request.fields().await?;
    let username = fields.required_text("username");
    let password = fields.required_secret("password");
    fields.finish()?;
    let address = request.client_address();
    let issued =
        buildly.auth().open_session(&username, &password, address).await.map_err(|error| match error {
            auth::Error::WrongCredentials => {
                Problem::unauthenticated("No active account found with the given credentials")
            }
            other => other.into(),
        })?;
    Ok(pair(&issued))
}

/// `POST /token/refresh/`
async fn refresh(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let mut fields = request.fields().await?;
    let token = fields.required_secret("refresh");
    fields.finish()?;
    let issued = buildly.auth().refresh_session(&token).await.map_err(|error| match error {
        GrantError::Failed(error) => error.into(),
        _ => Problem::unauthenticated("Token is invalid or expired"),
    })?;
    Ok(pair(&issued))
}

/// `POST /token/verify/`
async fn verify(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let mut fields = request.fields().await?;
    let token = fields.required_secret("token");
    fields.finish()?;
    buildly.auth().authenticate(token.expose()).await.map_err(|error| match error {
        auth::Error::Token(_) => Problem::unauthenticated("Token is invalid or expired"),
        other => other.into(),
    })?;
    Ok(Response::json(StatusCode::OK, &json!({})).no_store())
}

fn pair(issued: &Issued) -> Response {
    let refresh = issued.refresh_token.as_ref().map_or("", |token| token.expose()).to_owned();
    let access = issued.access_token.expose().to_owned();
    Response::ok(&TokenPair { refresh, access }).no_store()
}

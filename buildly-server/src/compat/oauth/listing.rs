//! `/oauth/accesstokens/`, `/oauth/refreshtokens/`: for superusers; no token's text is shown.

use buildly_core::Buildly;
use buildly_core::auth::token::{AccessToken, Owned, RefreshToken, TokenKey};
use http::header::LINK;
use serde::Serialize;
use utoipa::ToSchema;

use crate::compat::coreuser::CoreUser;
use crate::{Problem, Request, Response};

/// The query parameter that says after which id a list goes on.
const AFTER: &str = "after";

/// An access token, without its text.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccessTokenBody {
    id: i64,
    user: Option<CoreUser>,
    /// When it ends.
    expires: String,
}

/// A refresh token, without its text.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefreshTokenBody {
    id: i64,
    user: Option<CoreUser>,
    /// Always null: the access tokens of the session are listed on their own.
    access_token: Option<i64>,
    /// When it was used or its session was ended.
    revoked: Option<String>,
    /// When it ends.
    expires: String,
}

/// `GET /oauth/accesstokens/`
pub(super) async fn access_tokens(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let (after, rows_max) = page(&request)?;
    let username = request.query().first("user__username").map(str::to_owned);
    let rows = buildly.auth().access_tokens(&principal, username.as_deref(), after, rows_max).await?;
    let next = next(rows_max, rows.len(), rows.last().map(|row| row.token.number));
    let body: Vec<_> = rows.into_iter().map(AccessTokenBody::of).collect();
    Ok(linked(&request, Response::ok(&body), next))
}

/// `GET /oauth/refreshtokens/`
pub(super) async fn refresh_tokens(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let (after, rows_max) = page(&request)?;
    let username = request.query().first("user__username").map(str::to_owned);
    let rows = buildly.auth().refresh_tokens(&principal, username.as_deref(), after, rows_max).await?;
    let next = next(rows_max, rows.len(), rows.last().map(|row| row.token.number));
    let body: Vec<_> = rows.into_iter().map(RefreshTokenBody::of).collect();
    Ok(linked(&request, Response::ok(&body), next))
}

/// `GET /oauth/accesstokens/{id}/`
pub(super) async fn access_token(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let number: i64 = request.path("id")?;
    let rows = buildly.auth().access_tokens(&principal, None, number.saturating_sub(1), 1).await?;
    let found = rows.into_iter().find(|row| row.token.number == number);
    let found = found.ok_or_else(|| Problem::not_found("Not found."))?;
    Ok(Response::ok(&AccessTokenBody::of(found)))
}

/// `GET /oauth/refreshtokens/{id}/`
pub(super) async fn refresh_token(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let number: i64 = request.path("id")?;
    let rows = buildly.auth().refresh_tokens(&principal, None, number.saturating_sub(1), 1).await?;
    let found = rows.into_iter().find(|row| row.token.number == number);
    let found = found.ok_or_else(|| Problem::not_found("Not found."))?;
    Ok(Response::ok(&RefreshTokenBody::of(found)))
}

/// `DELETE /oauth/accesstokens/{id}/`
pub(super) async fn end_access(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    buildly.auth().end_session_of(&principal, TokenKey::Access(request.path("id")?)).await?;
    Ok(Response::no_content())
}

/// `DELETE /oauth/refreshtokens/{id}/`
pub(super) async fn end_refresh(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    buildly.auth().end_session_of(&principal, TokenKey::Refresh(request.path("id")?)).await?;
    Ok(Response::no_content())
}

fn page(request: &Request) -> Result<(i64, u32), Problem> {
    let after = request.query_value(AFTER)?.unwrap_or(0);
    Ok((after, request.configuration().limits.list_rows_max))
}

/// Where the next rows begin, if there may be any.
fn next(rows_max: u32, rows: usize, last: Option<i64>) -> Option<i64> {
    last.filter(|_| rows >= rows_max as usize)
}

fn linked(request: &Request, response: Response, next: Option<i64>) -> Response {
    match next {
        Some(after) => response.with_header(LINK, request.link_to_next(AFTER, &after.to_string())),
        None => response,
    }
}

impl AccessTokenBody {
    fn of(row: Owned<AccessToken>) -> Self {
        Self {
            id: row.token.number,
            user: row.owner.map(CoreUser::of),
            expires: row.token.expires_at.to_string(),
        }
    }
}

impl RefreshTokenBody {
    fn of(row: Owned<RefreshToken>) -> Self {
        Self {
            id: row.token.number,
            user: row.owner.map(CoreUser::of),
            access_token: None,
            revoked: row.token.used_at.or(row.session.revoked_at).map(|at| at.to_string()),
            expires: row.token.expires_at.to_string(),
        }
    }
}

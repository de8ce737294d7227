//! The program's routes: to the provider, back from it, and behind the gateway.

use axum::body::Body as AxumBody;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use buildly_core::gateway::traffic::forwarded::Peer;
use buildly_core::model::{Body, ErrorKind, Principal, Secret};
use buildly_core::{Buildly, auth};
use serde_json::json;
use std::net::SocketAddr;

use crate::{Maintenance, Oidc};

/// What the routes work with.
#[derive(Clone)]
pub struct Site {
    /// The deployment, which has the two extensions.
    pub buildly: Buildly,
    /// Sends browsers to the provider.
    pub oidc: Oidc,
    /// The switch.
    pub maintenance: Maintenance,
}

/// The routes of the program; whatever else is asked for is behind Buildly's gateway.
pub fn router(site: Site) -> Router {
    Router::new()
        .route("/sign-in", get(sign_in))
        .route("/callback", get(callback))
        .route("/me", get(me))
        .route("/maintenance/{switch}", post(maintenance))
        .fallback(gateway)
        .with_state(site)
}

/// Sends the browser to the provider.
async fn sign_in(State(site): State<Site>) -> Response {
    let begun = match site.oidc.begin().await {
        Ok(begun) => begun,
        Err(error) => return problem(&error.into()),
    };
    let Ok(location) = HeaderValue::try_from(begun.location) else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let headers = [(LOCATION, location), (SET_COOKIE, begun.cookie)];
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// The browser is back: whom the provider vouches for gets tokens of this deployment.
async fn callback(State(site): State<Site>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    match site.buildly.sign_in_by("oidc", &head).await {
        Ok(issued) => {
            let tokens = json!({
                "access": issued.access_token.expose(),
                "refresh": issued.refresh_token.as_ref().map(Secret::expose),
                "expires_in": issued.expires_in.as_secs(),
            });
            ([(CACHE_CONTROL, "no-store")], Json(tokens)).into_response()
        }
        Err(buildly_core::Error::Auth(error)) => problem(&error),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// Who is signed in.
async fn me(State(site): State<Site>, headers: HeaderMap) -> Response {
    let user = async { site.buildly.auth().me(&principal(&site, &headers).await?).await };
    match user.await {
        Ok(view) => {
            let groups: Vec<&str> = view.groups.iter().map(|group| group.name.as_str()).collect();
            let organization = view.organization.as_ref().map(|organization| &organization.name);
            let (username, email) = (&view.user.username, &view.user.email);
            let name = [view.user.first_name.as_str(), view.user.last_name.as_str()].join(" ");
            Json(json!({
                "username": username, "email": email, "name": name, "organization": organization,
                "groups": groups,
            }))
            .into_response()
        }
        Err(error) => problem(&error),
    }
}

/// Begins (`on`) or ends maintenance; for administrators of the deployment.
async fn maintenance(
    State(site): State<Site>,
    axum::extract::Path(switch): axum::extract::Path<String>,
    headers: HeaderMap,
) -> Response {
    match principal(&site, &headers).await {
        // Not what the extensions say of it: maintenance would refuse to end itself.
        Ok(principal) if site.buildly.snapshot().auth.identity.is_global_admin(&principal) => {
            site.maintenance.set(switch == "on");
            StatusCode::NO_CONTENT.into_response()
        }
        Ok(_) => StatusCode::FORBIDDEN.into_response(),
        Err(error) => problem(&error),
    }
}

async fn principal(site: &Site, headers: &HeaderMap) -> Result<Principal, auth::Error> {
    let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header.and_then(|value| value.strip_prefix("Bearer ")).ok_or(auth::Error::NotSignedIn)?;
    site.buildly.auth().authenticate(token).await
}

/// Passes a request on to the services, under the rights of whoever asks; both bodies stream.
async fn gateway(
    State(site): State<Site>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let mut request = request.map(Body::stream);
    request.extensions_mut().insert(Peer { address, is_secure: false });
    site.buildly.handle(request).await.map(AxumBody::new)
}

/// An error as an answer: its kind says the status, its sentence what to do.
fn problem(error: &auth::Error) -> Response {
    let status = match error.kind() {
        ErrorKind::Invalid => StatusCode::BAD_REQUEST,
        ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorKind::Forbidden => StatusCode::FORBIDDEN,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Conflict => StatusCode::CONFLICT,
        ErrorKind::Limited => StatusCode::TOO_MANY_REQUESTS,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(json!({"detail": error.to_string()}))).into_response()
}

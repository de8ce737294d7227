//! Who is asking, as an extractor of axum: a handler that names it is for people who are signed in.

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::response::Response;
use buildly_core::Buildly;
use buildly_core::auth::Error;
use buildly_core::model::Principal;

use crate::problem;

/// The bearer of a token of this deployment that is good now.
pub(crate) struct SignedIn(pub(crate) Principal);

impl FromRequestParts<Buildly> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, buildly: &Buildly) -> Result<Self, Response> {
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(|value| value.strip_prefix("Bearer "));
        let token = token.ok_or_else(|| problem(&Error::NotSignedIn))?;
        buildly.auth().authenticate(token).await.map(Self).map_err(|error| problem(&error))
    }
}

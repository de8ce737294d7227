//! `/.well-known/…`: how clients and services find what they need to use and check tokens.

use buildly_core::Buildly;
use http::StatusCode;

use crate::route::get;
use crate::{Problem, Request, Response, Routes};

/// How long the documents may be kept: shorter than a new key is announced before it signs.
const CACHE: &str = "public, max-age=300";

/// The documents for discovery.
pub(crate) fn routes() -> Routes {
    Routes::of("discovery", "What clients and services need to use and check tokens.")
        .add(
            get("/.well-known/jwks.json", jwks)
                .summary("The public keys that tokens are signed with (RFC 7517)")
                .answers_media(200, "application/jwk-set+json")
                .public(),
        )
        .add(
            get("/.well-known/oauth-authorization-server", metadata)
                .summary("Where the endpoints are (RFC 8414)")
                .answers_object(200)
                .public(),
        )
        .add(
            get("/.well-known/openid-configuration", metadata)
                .summary("The same, where OpenID clients look")
                .answers_object(200)
                .public(),
        )
}

/// `GET /.well-known/jwks.json`
async fn jwks(buildly: &Buildly, _: Request) -> Result<Response, Problem> {
    let response = Response::json_as(StatusCode::OK, "application/jwk-set+json", &buildly.auth().jwks());
    Ok(response.with_header(http::header::CACHE_CONTROL, CACHE))
}

/// `GET /.well-known/oauth-authorization-server`
async fn metadata(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let document = buildly.auth().discovery(&request.context().public_url);
    Ok(Response::ok(&document).with_header(http::header::CACHE_CONTROL, CACHE))
}

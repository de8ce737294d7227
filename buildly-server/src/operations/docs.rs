//! The documentation page, shipped in the binary: nothing is loaded from elsewhere.

use std::sync::Arc;

use buildly_core::Buildly;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY};
use utoipa_swagger_ui::Config;

use crate::{Problem, Request, Response};

/// The page's own scripts and styles, and nothing else.
const POLICY: &str =
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";

/// `GET /docs/`; the page's links are relative, so it needs its slash.
pub(super) async fn page(_: &Buildly, request: Request) -> Result<Response, Problem> {
    if request.uri().path().ends_with('/') { file("index.html") } else { Ok(Response::redirect("docs/")) }
}

/// `GET /docs/{file}`
pub(super) async fn asset(_: &Buildly, request: Request) -> Result<Response, Problem> {
    file(request.path_text("file"))
}

/// `GET /docs/swagger.json`
pub(super) async fn json(_: &Buildly, request: Request) -> Result<Response, Problem> {
    Ok(Response::ok(&request.context().document))
}

/// `GET /docs/swagger.yaml`: JSON is YAML (YAML 1.2 section 1.3).
pub(super) async fn yaml(_: &Buildly, request: Request) -> Result<Response, Problem> {
    Ok(Response::json_as(StatusCode::OK, "application/yaml", &request.context().document))
}

fn file(name: &str) -> Result<Response, Problem> {
    let configuration = Arc::new(Config::from("swagger.json"));
    let found = utoipa_swagger_ui::serve(name, configuration)
        .map_err(|error| Problem::broken("The page cannot be shown.").because(error.to_string()))?
        .ok_or_else(|| Problem::not_found("Not found."))?;
    let response = Response::bytes(StatusCode::OK, &found.content_type, found.bytes.into_owned())
        .with_header(CACHE_CONTROL, "max-age=3600")
        .with_header(CONTENT_SECURITY_POLICY, POLICY);
    Ok(if found.gzpipped { response.with_header(CONTENT_ENCODING, "gzip") } else { response })
}

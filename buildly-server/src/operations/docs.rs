//! The documentation page, shipped in the binary: nothing is loaded from elsewhere.

use std::sync::Arc;

use buildly_core::Buildly;
use bytes::Bytes;
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
pub(super) async fn json(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    Ok(Response::bytes(StatusCode::OK, "application/json", document(buildly, &request).await))
}

/// `GET /docs/swagger.yaml`: JSON is YAML (YAML 1.2 section 1.3).
pub(super) async fn yaml(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    Ok(Response::bytes(StatusCode::OK, "application/yaml", document(buildly, &request).await))
}

/// The document of the core and all services; that of the core alone if the storage fails, so
/// that the page never does.
async fn document(buildly: &Buildly, request: &Request) -> Bytes {
    let core = &request.context().document;
    buildly.gateway().merged_document(core).await.unwrap_or_else(|error| {
        tracing::warn!(%error, "documents of services cannot be read");
        Bytes::from(core.to_string())
    })
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

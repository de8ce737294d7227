//! Whether the server works.

use buildly_core::Buildly;
use buildly_core::journal::EventFilter;
use buildly_model::{PageSize, StoreError};
use http::StatusCode;
use serde_json::json;

use crate::{Problem, Request, Response};

/// `GET /health_check/`: the core's own components, never the services.
pub(super) async fn check(buildly: &Buildly, _: Request) -> Result<Response, Problem> {
    let (status, database) = match database(buildly).await {
        Ok(()) => (StatusCode::OK, "working"),
        Err(error) => {
            tracing::warn!(%error, "the database does not work");
            (StatusCode::SERVICE_UNAVAILABLE, "unavailable: the storage does not answer")
        }
    };
    Ok(Response::json(status, &json!({"DatabaseBackend": database})).no_store())
}

/// `GET /livez/`
pub(super) async fn live(_: &Buildly, _: Request) -> Result<Response, Problem> {
    Ok(Response::text(StatusCode::OK, "ok\n").no_store())
}

/// `GET /readyz/`
pub(super) async fn ready(buildly: &Buildly, _: Request) -> Result<Response, Problem> {
    if buildly.require_fresh().is_err() {
        let catching_up = "this node is out of touch with the others and is catching up\n";
        return Ok(Response::text(StatusCode::SERVICE_UNAVAILABLE, catching_up).no_store());
    }
    Ok(match database(buildly).await {
        Ok(()) => Response::text(StatusCode::OK, "ok\n"),
        Err(_) => Response::text(StatusCode::SERVICE_UNAVAILABLE, "the storage does not answer\n"),
    }
    .no_store())
}

/// A real read, of the newest event of the deployment.
async fn database(buildly: &Buildly) -> Result<(), StoreError> {
    let any = EventFilter::default();
    buildly.journal().find(None, &any, None, PageSize::clamped(1)).await.map(|_| ())
}

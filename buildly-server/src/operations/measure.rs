//! What the server counts.

use buildly_core::Buildly;
use http::StatusCode;

use crate::request::Authorization;
use crate::{Problem, Request, Response, metrics};

/// `GET /metrics/`; with the setting `metrics_token`, only for who shows that token.
pub(super) async fn show(_: &Buildly, request: Request) -> Result<Response, Problem> {
    if let Some(expected) = &request.configuration().metrics_token {
        let shown = match request.authorization()? {
            Authorization::Token(token) | Authorization::ApiKey(token) => token,
            Authorization::Absent | Authorization::Basic { .. } => {
                return Err(Problem::unauthenticated("Show the metrics token as `Bearer`."));
            }
        };
        if !equal(shown.expose().as_bytes(), expected.expose().as_bytes()) {
            return Err(Problem::unauthenticated("This is not the metrics token."));
        }
    }
    let text = request.context().metrics.text();
    Ok(Response::bytes(StatusCode::OK, metrics::MEDIA_TYPE, text).no_store())
}

/// Whether two secrets are the same; takes as long wherever they differ.
fn equal(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len()
        && one.iter().zip(other).fold(0, |seen, (left, right)| seen | (left ^ right)) == 0
}

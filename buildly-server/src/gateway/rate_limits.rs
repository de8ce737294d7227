//! The deployment's own limits.

use buildly_core::Buildly;
use buildly_core::gateway::RateLimits;

use super::strict;
use crate::{Problem, Request, Response};

/// `GET /gateway/rate-limits/`
pub(super) async fn read(buildly: &Buildly, request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    Ok(Response::ok(&buildly.gateway().rate_limits(&principal).await?))
}

/// `PUT /gateway/rate-limits/`
pub(super) async fn set(buildly: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let principal = request.principal(buildly).await?;
    let limits: RateLimits = strict::body(&mut request).await?;
    buildly.gateway().set_rate_limits(&principal, limits).await?;
    Ok(Response::ok(&buildly.gateway().rate_limits(&principal).await?))
}

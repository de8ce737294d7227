//! Errors in the shape of RFC 6749 section 5.2, and `detail` for a person.

use std::time::Duration;

use buildly_core::auth::token::GrantError;
use buildly_model::ErrorKind;
use http::StatusCode;
use http::header::{PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{Problem, Response};

/// An error of OAuth.
#[derive(Debug, Serialize, ToSchema)]
pub struct OAuthError {
    /// The word of RFC 6749 section 5.2.
    error: &'static str,
    /// A sentence for the developer.
    error_description: String,
    /// The same sentence, where existing clients read it.
    detail: String,
}

/// The answer to a request that was refused.
pub(super) fn refused(error: GrantError) -> Response {
    let status = match &error {
        GrantError::InvalidClient => StatusCode::UNAUTHORIZED,
        GrantError::Limited { .. } => StatusCode::TOO_MANY_REQUESTS,
        _ if error.kind() == ErrorKind::Invalid => StatusCode::BAD_REQUEST,
        _ => return unserved(error),
    };
    let response = shaped(status, error.code(), &error.to_string());
    match error {
        GrantError::InvalidClient => {
            response.with_header(WWW_AUTHENTICATE, "Bearer error=\"invalid_client\"")
        }
        GrantError::Limited { retry_after } => {
            response.with_header(RETRY_AFTER, seconds(retry_after).to_string())
        }
        _ => response,
    }
}

/// The answer to a body that cannot be read.
pub(super) fn unreadable(problem: Problem) -> Response {
    shaped(problem.status(), "invalid_request", problem.detail())
}

/// It is not the request's fault.
fn unserved(error: GrantError) -> Response {
    let GrantError::Failed(error) = error else {
        return shaped(StatusCode::BAD_REQUEST, "invalid_request", "The request was refused.");
    };
    let problem = Problem::from(error);
    let code = match problem.status() {
        StatusCode::SERVICE_UNAVAILABLE => "temporarily_unavailable",
        _ => "server_error",
    };
    problem.log();
    shaped(problem.status(), code, problem.detail())
}

fn shaped(status: StatusCode, error: &'static str, description: &str) -> Response {
    let (error_description, detail) = (description.to_owned(), description.to_owned());
    let body = OAuthError { error, error_description, detail };
    Response::json(status, &body).no_store().with_header(PRAGMA, "no-cache")
}

fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

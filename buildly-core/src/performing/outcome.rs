//! What an answer, or the lack of one, tells of an attempt; pure.

use buildly_model::{CallError, ErrorKind};
use buildly_workflow::{Fault, FaultKind, Outcome};
use http::StatusCode;
use serde_json::Value;

/// The most characters of a service's own words.
const WORDS_MAX: usize = 500;

/// It certainly did not happen.
pub(super) fn refused(kind: FaultKind, message: impl Into<String>) -> Outcome {
    Outcome::Refused(Fault::new(kind, message))
}

/// What an answer of a service tells.
pub(super) fn of_answer(status: StatusCode, body: &[u8]) -> Outcome {
    let value: Value = serde_json::from_slice(body)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(body).into_owned()));
    if status.is_success() {
        let body = if body.is_empty() { Value::Null } else { value };
        return Outcome::Done { status: status.as_u16(), body };
    }
    let kind = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => FaultKind::Forbidden,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => FaultKind::Busy,
        StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT => FaultKind::Timeout,
        status if status.is_server_error() => FaultKind::Unavailable,
        _ => FaultKind::Refused,
    };
    let word = |name: &str| value.get(name).and_then(Value::as_str);
    let words = word("detail").or_else(|| word("title")).or_else(|| word("error"));
    let words: String = words.unwrap_or_default().chars().take(WORDS_MAX).collect();
    let message = match words.as_str() {
        "" => format!("the service answered {status}"),
        words => format!("the service answered {status}: {words}"),
    };
    let code = word("code").or_else(|| word("type")).map(str::to_owned);
    let fault = Fault { status: Some(status.as_u16()), code, ..Fault::new(kind, message) };
    // A service that broke, or whose answer came too late, may have done it.
    if matches!(kind, FaultKind::Unavailable | FaultKind::Timeout) {
        Outcome::Unknown(fault)
    } else {
        Outcome::Refused(fault)
    }
}

/// What it tells that there is no answer.
pub(super) fn of_call_error(error: &CallError) -> Outcome {
    let message = error.to_string();
    match error {
        CallError::UnknownService | CallError::Unreachable { .. } => refused(FaultKind::Unavailable, message),
        CallError::Busy { .. } => refused(FaultKind::Busy, message),
        CallError::DeadlineExceeded { .. } => Outcome::Unknown(Fault::new(FaultKind::Timeout, message)),
        _ => Outcome::Unknown(Fault::new(FaultKind::Unavailable, message)),
    }
}

/// What it tells that the mesh refused a read. A read has no effect, so it never "may have happened".
pub(super) fn of_mesh_error(error: &buildly_mesh::Error) -> Outcome {
    let kind = match error.kind() {
        ErrorKind::Forbidden | ErrorKind::Unauthenticated => FaultKind::Forbidden,
        ErrorKind::Unavailable => FaultKind::Unavailable,
        ErrorKind::Limited => FaultKind::Busy,
        ErrorKind::Invalid | ErrorKind::NotFound | ErrorKind::Conflict | ErrorKind::Corrupt => {
            FaultKind::Refused
        }
    };
    refused(kind, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_says_whether_it_may_have_happened() {
        for (status, expected, kind) in [
            (200, "done", None),
            (204, "done", None),
            (302, "refused", Some(FaultKind::Refused)),
            (401, "refused", Some(FaultKind::Forbidden)),
            (404, "refused", Some(FaultKind::Refused)),
            (408, "unknown", Some(FaultKind::Timeout)),
            (429, "refused", Some(FaultKind::Busy)),
            (500, "unknown", Some(FaultKind::Unavailable)),
            (503, "refused", Some(FaultKind::Busy)),
            (504, "unknown", Some(FaultKind::Timeout)),
        ] {
            let outcome = of_answer(StatusCode::from_u16(status).unwrap(), b"{}");
            assert_eq!(outcome.name(), expected, "{status}");
            let fault = match outcome {
                Outcome::Done { .. } => None,
                Outcome::Refused(fault) | Outcome::Unknown(fault) => Some(fault.kind),
            };
            assert_eq!(fault, kind, "{status}");
        }
    }

    #[test]
    fn a_services_own_words_are_kept() {
        let body = br#"{"type": "urn:taken", "detail": "That time is taken."}"#;
        let Outcome::Refused(fault) = of_answer(StatusCode::CONFLICT, body) else { panic!("refused") };
        assert_eq!(fault.message, "the service answered 409 Conflict: That time is taken.");
        assert_eq!((fault.status, fault.code.as_deref()), (Some(409), Some("urn:taken")));
    }

    #[test]
    fn what_is_no_json_is_a_text() {
        let Outcome::Done { body, .. } = of_answer(StatusCode::OK, b"fine") else { panic!("done") };
        assert_eq!(body, Value::String("fine".into()));
    }
}

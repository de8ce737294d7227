//! The name of a request in everybody's logs: in, through and out.
//!
//! A caller may give it as `X-Request-ID` or `X-Correlation-ID`; one that is too long or has
//! other characters than those of UUIDs, ULIDs, trace ids and base64 is replaced, because it
//! ends up in logs.

use buildly_model::{EventId, Random, Timestamp};
use http::{HeaderMap, HeaderName, HeaderValue};

/// `X-Request-ID`.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// `X-Correlation-ID`.
pub const X_CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");

const LENGTH_MAX: usize = 128;

/// A name that is safe in a header and in a log line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorrelationId(HeaderValue);

impl CorrelationId {
    /// The caller's, else a new one (a UUIDv7).
    #[must_use]
    pub fn of_request(headers: &HeaderMap, now: Timestamp, random: &dyn Random) -> Self {
        [X_REQUEST_ID, X_CORRELATION_ID]
            .iter()
            .find_map(|name| headers.get(name).filter(|value| is_safe(value)).cloned())
            .map_or_else(|| Self::generate(now, random), Self)
    }

    fn generate(now: Timestamp, random: &dyn Random) -> Self {
        let id = EventId::generate(now, random).to_string();
        Self(HeaderValue::try_from(id).unwrap_or_else(|_| HeaderValue::from_static("none")))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// Writes it into the headers of a request to a service, or of an answer. A correlation id
    /// of its own, beside the request id, stays.
    pub fn write(&self, headers: &mut HeaderMap) {
        headers.insert(X_REQUEST_ID, self.0.clone());
        if !headers.get(X_CORRELATION_ID).is_some_and(is_safe) {
            headers.insert(X_CORRELATION_ID, self.0.clone());
        }
    }
}

fn is_safe(value: &HeaderValue) -> bool {
    let text = value.as_bytes();
    (1..=LENGTH_MAX).contains(&text.len())
        && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:+/=@".contains(byte))
}

#[cfg(test)]
mod tests;

//! The id that ties together everything that one request causes.

use std::fmt;

use buildly_model::Random;
use http::{HeaderMap, HeaderName, HeaderValue};

/// The header that carries it in, through and out.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-correlation-id");

/// What other systems call it; read when [`HEADER`] is absent.
const ALSO_READ: HeaderName = HeaderName::from_static("x-request-id");

const LENGTH_MAX: usize = 128;

/// The id that ties together everything that one request causes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorrelationId(String);

impl CorrelationId {
    /// Takes the caller's id if it is 1 to 128 printable ASCII characters without a space,
    /// else makes one.
    #[must_use]
    pub fn of(headers: &HeaderMap, random: &dyn Random) -> Self {
        let given = headers.get(HEADER).or_else(|| headers.get(ALSO_READ));
        given
            .and_then(|value| value.to_str().ok())
            .filter(|text| (1..=LENGTH_MAX).contains(&text.len()))
            .filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic()))
            .map_or_else(|| Self::generate(random), |text| Self(text.to_owned()))
    }

    fn generate(random: &dyn Random) -> Self {
        let mut bytes = [0; 16];
        random.fill(&mut bytes);
        Self(uuid::Builder::from_random_bytes(bytes).into_uuid().to_string())
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As the value of [`HEADER`].
    #[must_use]
    pub fn header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
    }
}

impl fmt::Display for CorrelationId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

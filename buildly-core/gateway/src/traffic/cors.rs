//! Which pages of other origins may use the API from a browser (Fetch standard section 3.2).
//!
//! Deny by default. An allowed origin is echoed, never answered with `*` where credentials
//! are allowed, and every answer says that it depends on `Origin`.

use std::str::FromStr;
use std::time::Duration;

use buildly_model::FieldError;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method};

const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
const EXPOSED: &str = "Buildly-Mesh, Content-Disposition, ETag, Link, Location, RateLimit, RateLimit-Policy, \
                       Retry-After, WWW-Authenticate, X-Correlation-ID, X-Request-ID";

/// One origin, or a kind of origins.
///
/// As text: `https://app.example.org`, `http://dev.example.org:*` (any port), `localhost`
/// (loopback with any port, http or https) or `*` (everybody, without credentials).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OriginPattern {
    /// Every origin; they never get credentials.
    Any,
    /// A page that the user's own machine serves.
    Localhost,
    /// Exactly this one.
    Exact(String),
    /// This scheme and host (`http://dev.example.org`) with any port.
    AnyPort(String),
}

/// What other origins may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Whose pages; empty allows none.
    pub origins: Vec<OriginPattern>,
    /// Whether their requests may carry cookies and other credentials of the browser. Bearer
    /// tokens that a page sends itself need it not.
    pub credentials: bool,
    /// How long a browser may keep the answer to a preflight.
    pub max_age: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self { origins: Vec::new(), credentials: false, max_age: Duration::from_secs(600) }
    }
}

/// What a request is, in the eyes of the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Decision {
    /// No page of another origin asks.
    SameOrigin,
    /// An origin that is not allowed. Answer a preflight with 403; answer anything else as ever,
    /// without the headers: the browser keeps the answer from the page.
    Refused {
        /// Whether it is a preflight.
        is_preflight: bool,
    },
    /// Answer 204 with the grant, and ask no service.
    Preflight(Grant),
    /// Answer as ever, with the grant.
    Actual(Grant),
}

/// Headers that let the page have the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    origin: HeaderValue,
    credentials: bool,
    preflight: Option<PreflightGrant>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct PreflightGrant {
    headers: Option<HeaderValue>,
    max_age_seconds: u64,
}

/// Decides what a request of this method and these headers may do.
pub fn decide(policy: &Policy, method: &Method, headers: &HeaderMap) -> Decision {
    let Some(origin) = headers.get(ORIGIN) else { return Decision::SameOrigin };
    let is_preflight = *method == Method::OPTIONS && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let text = origin.to_str().unwrap_or_default();
    let named = policy.origins.iter().any(|pattern| pattern.names(text));
    let (origin, credentials) = match (named, policy.origins.contains(&OriginPattern::Any)) {
        (true, _) => (origin.clone(), policy.credentials),
        (false, true) => (HeaderValue::from_static("*"), false),
        (false, false) => return Decision::Refused { is_preflight },
    };
    let preflight = is_preflight.then(|| PreflightGrant {
        headers: headers.get(ACCESS_CONTROL_REQUEST_HEADERS).cloned(),
        max_age_seconds: policy.max_age.as_secs(),
    });
    let grant = Grant { origin, credentials, preflight };
    if is_preflight { Decision::Preflight(grant) } else { Decision::Actual(grant) }
}

impl Decision {
    /// Writes into an answer what the decision grants, in place of what a service may have
    /// granted: the gateway's policy rules.
    pub fn write(&self, headers: &mut HeaderMap) {
        match self {
            Self::SameOrigin => {}
            Self::Refused { .. } => clear(headers),
            Self::Preflight(grant) | Self::Actual(grant) => grant.write(headers),
        }
    }
}

impl Grant {
    fn write(&self, headers: &mut HeaderMap) {
        clear(headers);
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, self.origin.clone());
        if self.credentials {
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        if let Some(preflight) = &self.preflight {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
            if let Some(asked) = &preflight.headers {
                headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
            }
            headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from(preflight.max_age_seconds));
        } else {
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
        }
    }
}

fn clear(headers: &mut HeaderMap) {
    for name in [
        ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_ALLOW_CREDENTIALS,
        ACCESS_CONTROL_ALLOW_METHODS,
        ACCESS_CONTROL_ALLOW_HEADERS,
        ACCESS_CONTROL_MAX_AGE,
        ACCESS_CONTROL_EXPOSE_HEADERS,
    ] {
        headers.remove(name);
    }
    let names_origin = |value: &HeaderValue| {
        let names = value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        names.into_iter().any(|name| name.eq_ignore_ascii_case(b"origin"))
    };
    // A service, or whoever answered behind us, may have said it already.
    if !headers.get_all(VARY).iter().any(names_origin) {
        headers.append(VARY, HeaderValue::from_static("Origin"));
    }
}

impl OriginPattern {
    /// Whether it names this origin; [`OriginPattern::Any`] names none.
    fn names(&self, origin: &str) -> bool {
        match self {
            Self::Any => false,
            Self::Exact(exact) => exact == origin,
            Self::AnyPort(base) => origin.strip_prefix(base.as_str()).is_some_and(is_port),
            Self::Localhost => ["localhost", "127.0.0.1", "[::1]"].iter().any(|host| {
                ["http://", "https://"]
                    .iter()
                    .filter_map(|scheme| origin.strip_prefix(scheme)?.strip_prefix(host))
                    .any(is_port)
            }),
        }
    }
}

/// Nothing, or a colon and digits.
fn is_port(rest: &str) -> bool {
    rest.is_empty()
        || rest.strip_prefix(':').is_some_and(|port| {
            (1..=5).contains(&port.len()) && port.bytes().all(|digit| digit.is_ascii_digit())
        })
}

impl FromStr for OriginPattern {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        match text {
            "*" => return Ok(Self::Any),
            "localhost" => return Ok(Self::Localhost),
            _ => {}
        }
        let (base, any_port) = text.strip_suffix(":*").map_or((text, false), |base| (base, true));
        let host = base.strip_prefix("https://").or_else(|| base.strip_prefix("http://")).unwrap_or_default();
        let name = host.split_once(':').map_or(host, |(name, _)| name);
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
        let port = host.strip_prefix(name).unwrap_or_default();
        if name.is_empty() || !name.bytes().all(is_name) || !is_port(port) || (any_port && !port.is_empty()) {
            let expected = "expected an origin in lower case such as `https://app.example.org`, \
                            `http://dev.example.org:*`, `localhost` or `*`";
            return Err(FieldError::new("cors.origins", format!("{expected}; got `{text}`")));
        }
        Ok(if any_port { Self::AnyPort(base.to_owned()) } else { Self::Exact(base.to_owned()) })
    }
}

#[cfg(test)]
mod tests;

//! The first path segment of a service, and the version before it.

use std::fmt;

use buildly_model::FieldError;
use serde::{Deserialize, Serialize};

/// First path segments that are the server's own; compared without regard to case.
pub const RESERVED_NAMES: &[&str] = &[
    "admin",
    "api",
    "applications",
    "async",
    "audit",
    "auth",
    "complete",
    "consortium",
    "core",
    "coregroups",
    "coreuser",
    "datamesh",
    "disconnect",
    "docs",
    "favicon.ico",
    "gateway",
    "groups",
    "health_check",
    "invitations",
    "livez",
    "logicmodule",
    "mesh",
    "metrics",
    "oauth",
    "oauthuser",
    "openapi.json",
    "organization",
    "organization_type",
    "organizations",
    "partner",
    "permissions",
    "readyz",
    "robots.txt",
    "service-accounts",
    "service_accounts",
    "services",
    "static",
    "stripe",
    "subscription",
    "token",
    "users",
    "webhooks",
    "workflow",
    "workflowlevel1",
    "workflowlevel2",
    "workflowlevel2sort",
    "workflowlevelstatus",
    "workflowleveltype",
    "workflowteam",
];

const NAME_BYTES_MAX: usize = 100;
const VERSION_BYTES_MAX: usize = 20;

/// The first path segment under which a service is reached, such as `crm`.
///
/// Letters, digits, `-`, `_`, `.` and `~` (RFC 3986 unreserved), beginning with a letter or
/// digit; neither a [reserved name](RESERVED_NAMES) nor a [`Version`].
///
/// ```
/// use buildly_gateway::ServiceName;
/// assert_eq!(ServiceName::parse("/crm/").unwrap().as_str(), "crm"); // slashes around it are dropped
/// assert!(ServiceName::parse("corepayments").is_ok());
/// assert!(ServiceName::parse("Core").is_err());
/// assert!(ServiceName::parse("v2").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct ServiceName(String);

impl ServiceName {
    /// Reads a name.
    ///
    /// # Errors
    /// A [`FieldError`] for `endpoint_name` that says what was expected.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let refused = |reason: String| Err(FieldError::new("endpoint_name", reason));
        let name = text.trim().trim_matches('/');
        if name.is_empty() {
            return refused("This field may not be blank.".to_owned());
        }
        if name.len() > NAME_BYTES_MAX {
            return refused(format!("Ensure this field has no more than {NAME_BYTES_MAX} characters."));
        }
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
        let begins_well = name.starts_with(|first: char| first.is_ascii_alphanumeric());
        if !begins_well || !name.bytes().all(is_allowed) {
            return refused(
                "Use letters, digits, `-`, `_`, `.` and `~`, beginning with a letter or digit: \
                 it is the first segment of the service's paths."
                    .to_owned(),
            );
        }
        if RESERVED_NAMES.iter().any(|reserved| reserved.eq_ignore_ascii_case(name)) {
            return refused(format!("`{name}` is a path of the server itself; choose another name."));
        }
        if Version::parse(name).is_some() {
            return refused(format!("`{name}` is read as a version in a path; choose another name."));
        }
        Ok(Self(name.to_owned()))
    }

    /// A name that was read before: one that has become reserved since keeps working.
    pub(crate) const fn stored(name: String) -> Self {
        Self(name)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A version of a service's API, as it stands in paths before the name: `/v2/crm/contacts/`.
///
/// It stands before the name, since the paths of many documents begin with a version
/// themselves. Instances that declare a version serve it; paths without one go to the
/// instances without one, or, if there is none, to those of the oldest instance's version.
///
/// ```
/// use buildly_gateway::Version;
/// assert_eq!(Version::parse("v2").unwrap().as_str(), "v2");
/// assert!(Version::parse("v2.1").is_some());
/// assert!(Version::parse("vendors").is_none() && Version::parse("2").is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(String);

impl Version {
    /// Reads `v` and numbers, separated by full stops.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let numbers = text.strip_prefix('v')?;
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let fits = text.len() <= VERSION_BYTES_MAX && numbers.split('.').all(is_number);
        fits.then(|| Self(text.to_owned()))
    }

    /// The version, with its `v`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for Version {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("expected a version such as `v2`")
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.0
    }
}

#[cfg(test)]
mod tests;

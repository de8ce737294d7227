//! What a service is: a name, running instances, and how it is called.

use std::fmt;
use std::str::FromStr;

use buildly_model::{FieldError, InstanceId, ServiceId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{BaseUrl, Policy, SecretReference, ServiceName, SpecificationMark, Version};

/// How many services a deployment may have.
pub const SERVICES_MAX: usize = 10_000;

/// A logic service behind the gateway; it belongs to the deployment, not to an organization.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Its id; on the old wire also `module_uuid`.
    pub id: ServiceId,
    /// Its stable number, given by the storage when it is registered; 0 before.
    pub number: i64,
    /// The first path segment (`endpoint_name` on the old wire); unique.
    pub name: ServiceName,
    /// What people call it (`name` on the old wire).
    pub title: String,
    /// What it is for.
    pub description: Option<String>,
    /// The path below its base URL where its document is; `docs` when absent.
    pub docs_endpoint: Option<String>,
    /// What proof of identity travels to it.
    pub credential: Credential,
    /// How it is called.
    pub policy: Policy,
    /// Its running copies, oldest first. INVARIANT: never empty.
    pub instances: Vec<Instance>,
    /// Which documents of it are stored: one for each version of its instances at most.
    pub specifications: Vec<SpecificationMark>,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Counts its changes, from 1: whoever changes it says which one was seen.
    pub version: u64,
}

/// One running copy of a service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    /// Its id.
    pub id: InstanceId,
    /// Where it listens.
    pub base_url: BaseUrl,
    /// How much it takes beside the others, 1 to 1000.
    pub weight: u32,
    /// Where it runs, such as `eu-1a`.
    pub zone: Option<String>,
    /// The version of the API that it serves; `None` serves paths without a version.
    pub version: Option<Version>,
    /// Whether it takes new calls.
    pub state: InstanceState,
}

/// Whether an instance takes new calls. What is observed of its health is each node's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InstanceState {
    /// It takes calls.
    Active,
    /// It finishes what it has and takes nothing new.
    Draining,
}

impl InstanceState {
    /// The word for it: `active`, `draining`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Draining => "draining",
        }
    }
}

impl FromStr for InstanceState {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "active" => Ok(Self::Active),
            "draining" => Ok(Self::Draining),
            _ => Err("expected `active` or `draining`"),
        }
    }
}

/// What proof of identity travels to a service.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Credential {
    /// The caller's own `Authorization`; only for services that are ours.
    Forward,
    /// A credential of the service's own, by [reference](SecretReference) to a secret such as
    /// `env:BUILDLY_SECRET_CRM`.
    Own {
        /// Where the secret is; never the secret itself.
        secret: String,
    },
    /// Nothing.
    None,
}

impl Credential {
    /// Checks that a secret is where services' secrets may be.
    ///
    /// # Errors
    /// The field, and what was expected.
    pub(crate) fn check(&self) -> Result<(), FieldError> {
        let Self::Own { secret } = self else { return Ok(()) };
        let refused = |expected| FieldError::new("credential", format!("{expected}; got `{secret}`"));
        SecretReference::parse(secret).map(drop).map_err(refused)
    }
}

/// The text form: `forward`, `none`, or `own:` and the reference.
impl fmt::Display for Credential {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forward => formatter.write_str("forward"),
            Self::Own { secret } => write!(formatter, "own:{secret}"),
            Self::None => formatter.write_str("none"),
        }
    }
}

impl FromStr for Credential {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected `forward`, `none`, or `own:` and where the secret is, such as \
             `own:env:BUILDLY_SECRET_CRM`";
        match text {
            "forward" => Ok(Self::Forward),
            "none" => Ok(Self::None),
            _ => match text.strip_prefix("own:") {
                Some(secret) if secret.starts_with("env:") || secret.starts_with("file:") => {
                    Ok(Self::Own { secret: secret.to_owned() })
                }
                _ => Err(EXPECTED),
            },
        }
    }
}

impl Service {
    /// The base URL of its oldest instance (`endpoint` on the old wire).
    #[must_use]
    pub fn endpoint(&self) -> Option<&BaseUrl> {
        self.instances.first().map(|instance| &instance.base_url)
    }

    /// The version that paths without one go to: none, or that of the oldest instance if every
    /// instance has a version.
    #[must_use]
    pub fn default_version(&self) -> Option<&Version> {
        let has_unversioned = self.instances.iter().any(|instance| instance.version.is_none());
        let oldest = self.instances.first().filter(|_| !has_unversioned)?;
        oldest.version.as_ref()
    }

    /// The instances that serve `version` and take new calls.
    pub fn candidates<'a>(&'a self, version: Option<&'a Version>) -> impl Iterator<Item = &'a Instance> {
        let version = version.or(self.default_version());
        self.instances
            .iter()
            .filter(move |instance| instance.version.as_ref() == version)
            .filter(|instance| instance.state == InstanceState::Active)
    }
}

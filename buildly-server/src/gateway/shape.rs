//! Services and instances on the wire.

use buildly_core::gateway::{
    Credential, Instance, InstanceSpec, InstanceState, Policy, Registration, Service, SpecificationMark,
    Update, Version,
};
use buildly_model::{FieldError, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Problem;

/// A service.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Service)]
pub(super) struct ServiceBody {
    /// Its id.
    id: Uuid,
    /// Its stable number.
    number: i64,
    /// The first segment of its paths.
    name: String,
    /// What people call it.
    title: String,
    /// What it is for.
    description: Option<String>,
    /// The path below its base URL where its document is; `docs` when absent.
    docs_endpoint: Option<String>,
    /// What travels to it: `forward` (the caller's token), `none`, or `own:` and where the
    /// secret is.
    credential: String,
    /// How it is called.
    #[schema(value_type = Object)]
    policy: Policy,
    /// Its running copies.
    instances: Vec<InstanceBody>,
    /// Its stored API documents.
    specifications: Vec<SpecificationBody>,
    /// Counts its changes; the entity tag.
    version: u64,
    /// When it was registered.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// A stored API document.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ServiceSpecification)]
struct SpecificationBody {
    /// Of which version of the service.
    version: Option<String>,
    /// When it was fetched.
    #[schema(value_type = String, format = DateTime)]
    fetched_at: Timestamp,
}

/// A running copy of a service.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ServiceInstance)]
pub(super) struct InstanceBody {
    /// Its id.
    id: Uuid,
    /// Where it listens.
    base_url: String,
    /// How much it takes beside the others.
    weight: u32,
    /// Where it runs.
    zone: Option<String>,
    /// The version that it serves, under paths that begin with it.
    version: Option<String>,
    /// `active` or `draining`.
    state: &'static str,
}

impl From<&Service> for ServiceBody {
    fn from(service: &Service) -> Self {
        Self {
            id: service.id.as_uuid(),
            number: service.number,
            name: service.name.to_string(),
            title: service.title.clone(),
            description: service.description.clone(),
            docs_endpoint: service.docs_endpoint.clone(),
            credential: service.credential.to_string(),
            policy: service.policy.clone(),
            instances: service.instances.iter().map(Into::into).collect(),
            specifications: service.specifications.iter().map(Into::into).collect(),
            version: service.version,
            created_at: service.created_at,
            updated_at: service.updated_at,
        }
    }
}

impl From<&SpecificationMark> for SpecificationBody {
    fn from(mark: &SpecificationMark) -> Self {
        Self { version: mark.version.as_ref().map(ToString::to_string), fetched_at: mark.fetched_at }
    }
}

impl From<&Instance> for InstanceBody {
    fn from(instance: &Instance) -> Self {
        Self {
            id: instance.id.as_uuid(),
            base_url: instance.base_url.to_string(),
            weight: instance.weight,
            zone: instance.zone.clone(),
            version: instance.version.as_ref().map(ToString::to_string),
            state: instance.state.name(),
        }
    }
}

/// A service to register.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewService {
    /// The first segment of its paths.
    name: String,
    /// What people call it; the name when absent.
    title: Option<String>,
    /// What it is for.
    description: Option<String>,
    /// The base URL of its first instance.
    base_url: String,
    /// The version that its first instance serves.
    #[schema(value_type = Option<String>)]
    version: Option<Version>,
    /// The path below its base URL where its document is; `docs` when absent.
    docs_endpoint: Option<String>,
    /// `forward`, `none`, or `own:` and where the secret is; when absent `forward` for an address
    /// on this machine or in a private network, else `none`.
    credential: Option<String>,
}

impl NewService {
    pub(super) fn into_registration(self) -> Result<Registration, Problem> {
        Ok(Registration {
            id: None,
            name: Some(self.name),
            title: self.title,
            description: self.description,
            endpoint: Some(self.base_url),
            docs_endpoint: self.docs_endpoint,
            version: self.version,
            credential: credential(self.credential)?,
            policy: None,
        })
    }
}

/// What shall change of a service; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceChange {
    /// The first segment of its paths.
    name: Option<String>,
    /// What people call it.
    title: Option<String>,
    /// What it is for; null takes it away.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<String>>,
    /// The path below its base URL where its document is; null goes back to the default.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    docs_endpoint: Option<Option<String>>,
    /// `forward`, `none`, or `own:` and where the secret is.
    credential: Option<String>,
}

impl ServiceChange {
    pub(super) fn into_update(self) -> Result<Update, Problem> {
        Ok(Update {
            name: self.name,
            title: self.title,
            description: self.description,
            endpoint: None,
            docs_endpoint: self.docs_endpoint,
            credential: credential(self.credential)?,
            policy: None,
        })
    }
}

/// An instance to add.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewInstance {
    /// Where it listens.
    base_url: String,
    /// How much it takes beside the others, 1 to 1000; 1 when absent.
    weight: Option<u32>,
    /// Where it runs.
    zone: Option<String>,
    /// The version that it serves.
    #[schema(value_type = Option<String>)]
    version: Option<Version>,
    /// `active` (when absent) or `draining`.
    #[schema(value_type = Option<String>)]
    state: Option<InstanceState>,
    /// Lets callers' tokens travel to it although it is neither on this machine nor in a
    /// private network.
    #[serde(default)]
    may_receive_tokens: bool,
}

impl From<NewInstance> for InstanceSpec {
    fn from(new: NewInstance) -> Self {
        Self {
            base_url: Some(new.base_url),
            weight: new.weight,
            zone: Some(new.zone),
            version: Some(new.version),
            state: new.state,
            may_receive_tokens: new.may_receive_tokens,
        }
    }
}

/// What shall change of an instance; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct InstanceChange {
    /// Where it listens.
    base_url: Option<String>,
    /// How much it takes beside the others, 1 to 1000.
    weight: Option<u32>,
    /// Where it runs; null takes it away.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    zone: Option<Option<String>>,
    /// The version that it serves; null takes it away.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    version: Option<Option<Version>>,
    /// `active` or `draining`.
    #[schema(value_type = Option<String>)]
    state: Option<InstanceState>,
    /// Lets callers' tokens travel to it although it is neither on this machine nor in a
    /// private network.
    #[serde(default)]
    may_receive_tokens: bool,
}

impl From<InstanceChange> for InstanceSpec {
    fn from(change: InstanceChange) -> Self {
        Self {
            base_url: change.base_url,
            weight: change.weight,
            zone: change.zone,
            version: change.version,
            state: change.state,
            may_receive_tokens: change.may_receive_tokens,
        }
    }
}

/// Tells an absent member from one that is null.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

fn credential(text: Option<String>) -> Result<Option<Credential>, Problem> {
    let refused = |reason: &str| FieldError::new("credential", reason.to_owned());
    Ok(text.map(|text| text.parse().map_err(refused)).transpose()?)
}

//! Services behind the gateway.

use buildly_core::Buildly;
use buildly_core::gateway::{Credential, Registration};
use serde::Deserialize;
use uuid::Uuid;

use super::identity::{keys, service_named};
use super::{ByCaller, Caller};
use crate::failure::Failure;
use crate::function::{DOCUMENT_PATH, authority};
use crate::shape::ServiceShape;

/// A service to register.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewService {
    #[serde(default)]
    caller: Caller,
    name: String,
    /// Where it listens; without one it is a function that is attached.
    url: Option<String>,
    title: Option<String>,
    description: Option<String>,
    docs_endpoint: Option<String>,
    credential: Option<String>,
}

pub(super) async fn register_service(buildly: &Buildly, new: NewService) -> Result<ServiceShape, Failure> {
    let principal = new.caller.principal(buildly).await?;
    let is_attached = new.url.is_none();
    let endpoint = new.url.unwrap_or_else(|| format!("http://{}", authority(&new.name)));
    let gateway = buildly.gateway();
    if is_attached
        && let Some(known) = gateway.snapshot().find_by_name(&new.name)
        && known.service.instances.iter().any(|one| one.base_url.as_str().trim_end_matches('/') == endpoint)
    {
        // It was registered before this process began; its document may be another one now.
        let service = gateway.service(&principal, known.service.id).await?;
        gateway.refresh_specification(&principal, service.id, None).await?;
        return Ok((&service).into());
    }
    let credential = new.credential.as_deref().map(str::parse::<Credential>).transpose();
    let registration = Registration {
        name: Some(new.name),
        title: new.title,
        description: new.description,
        endpoint: Some(endpoint),
        docs_endpoint: new.docs_endpoint.or_else(|| is_attached.then(|| DOCUMENT_PATH.to_owned())),
        credential: credential.map_err(|expected| Failure::field("credential", expected))?,
        ..Registration::default()
    };
    Ok((&gateway.register(&principal, registration).await?).into())
}

pub(super) async fn services(buildly: &Buildly, by: ByCaller) -> Result<Vec<ServiceShape>, Failure> {
    let principal = by.caller.principal(buildly).await?;
    Ok(buildly.gateway().services(&principal).await?.iter().map(ServiceShape::from).collect())
}

/// A service by name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Named {
    #[serde(default)]
    caller: Caller,
    name: String,
}

pub(super) async fn delete_service(buildly: &Buildly, by: Named) -> Result<(), Failure> {
    let principal = by.caller.principal(buildly).await?;
    let service = service_named(buildly, &by.name)?;
    Ok(buildly.gateway().delete(&principal, service).await?)
}

/// Which groups may use a service.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceGroups {
    #[serde(default)]
    caller: Caller,
    service: String,
    #[serde(default)]
    groups: Vec<Uuid>,
}

pub(super) async fn set_service_groups(buildly: &Buildly, set: ServiceGroups) -> Result<(), Failure> {
    let principal = set.caller.principal(buildly).await?;
    let service = service_named(buildly, &set.service)?;
    buildly.auth().set_service_groups(&principal, service, &keys(set.groups)).await?;
    Ok(())
}

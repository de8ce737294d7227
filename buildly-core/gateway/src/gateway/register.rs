//! Registers a service.

use buildly_journal::{Event, Part};
use buildly_model::{FieldError, InstanceId, Principal, Random, ServiceId, StoreError, Timestamp};
use serde_json::json;
use tracing::info;

use crate::{
    AddressClass, BaseUrl, Change, Credential, Error, Gateway, Instance, InstanceState, Policy, SERVICES_MAX,
    Service, ServiceName, Version,
};

/// What somebody says of a new service; only name and endpoint are needed.
#[derive(Debug, Clone, Default)]
pub struct Registration {
    /// Its id, where something (groups attached to it) was written for it beforehand.
    pub id: Option<ServiceId>,
    /// The first path segment.
    pub name: Option<String>,
    /// What people call it; the name when absent.
    pub title: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The base URL of its first instance.
    pub endpoint: Option<String>,
    /// The path below it where its document is; `docs` when absent.
    pub docs_endpoint: Option<String>,
    /// The version that its first instance serves.
    pub version: Option<Version>,
    /// What travels to it; by the address of the first instance when absent.
    pub credential: Option<Credential>,
    /// How it is called.
    pub policy: Option<Policy>,
}

impl Registration {
    /// Decides what service this makes.
    ///
    /// # Errors
    /// Every refused field.
    pub fn decide(self, now: Timestamp, random: &dyn Random) -> Result<Service, Vec<FieldError>> {
        let mut refused = Vec::new();
        let base_url = required(&mut refused, "endpoint", self.endpoint.as_deref(), BaseUrl::parse);
        let name = required(&mut refused, "endpoint_name", self.name.as_deref(), ServiceName::parse);
        let docs_endpoint = self.docs_endpoint.filter(|text| !text.trim().is_empty());
        if let Some(text) = &docs_endpoint {
            refused.extend(check_docs_endpoint(text).err());
        }
        refused.extend(self.credential.as_ref().and_then(|credential| credential.check().err()));
        let policy = self.policy.unwrap_or_default();
        refused.extend(policy.check().err().unwrap_or_default());
        let texts = [("name", self.title.as_deref()), ("description", self.description.as_deref())];
        refused.extend(texts.into_iter().filter_map(|(field, text)| check_length(field, text?).err()));
        let (Some(base_url), Some(name), true) = (base_url, name, refused.is_empty()) else {
            return Err(refused);
        };
        let credential = self.credential.unwrap_or_else(|| Credential::for_address(base_url.address_class()));
        Ok(Service {
            id: self.id.unwrap_or_else(|| ServiceId::generate(now, random)),
            number: 0,
            title: self.title.filter(|title| !title.is_empty()).unwrap_or_else(|| name.to_string()),
            name,
            description: self.description,
            docs_endpoint,
            credential,
            policy,
            instances: vec![Instance {
                id: InstanceId::generate(now, random),
                base_url,
                weight: 1,
                zone: None,
                version: self.version,
                state: InstanceState::Active,
            }],
            specifications: Vec::new(),
            created_at: now,
            updated_at: now,
            version: 1,
        })
    }
}

impl Credential {
    /// What travels to a service at such an address when nobody said: the caller's token to
    /// loopback and private addresses, nothing to any other.
    #[must_use]
    pub const fn for_address(class: AddressClass) -> Self {
        match class {
            AddressClass::Loopback | AddressClass::Private => Self::Forward,
            AddressClass::Public => Self::None,
        }
    }
}

fn required<T>(
    refused: &mut Vec<FieldError>,
    field: &'static str,
    text: Option<&str>,
    parse: impl FnOnce(&str) -> Result<T, FieldError>,
) -> Option<T> {
    let Some(text) = text else {
        refused.push(FieldError::new(field, "This field is required."));
        return None;
    };
    parse(text).map_err(|error| refused.push(error)).ok()
}

/// The path of a document stays below the base URL.
pub(super) fn check_docs_endpoint(text: &str) -> Result<(), FieldError> {
    let refused = |reason: &str| Err(FieldError::new("docs_endpoint", reason.to_owned()));
    if text.len() > 255 {
        return refused("Ensure this field has no more than 255 characters.");
    }
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"%\\\"<>`{}|^#?".contains(&byte));
    let leaves = text.contains("//") || text.split('/').any(|segment| matches!(segment, "." | ".."));
    if !is_plain || leaves {
        return refused("Enter a path below the service's address, such as `docs`.");
    }
    Ok(())
}

/// Titles and descriptions are texts of a bounded length, without NUL (PostgreSQL keeps none).
pub(super) fn check_length(field: &str, text: &str) -> Result<(), FieldError> {
    if text.contains('\0') {
        return Err(FieldError::new(field, "Null characters are not allowed."));
    }
    let characters_max = if field == "description" { 10_000 } else { 255 };
    if text.chars().count() > characters_max {
        let sentence = format!("Ensure this field has no more than {characters_max} characters.");
        return Err(FieldError::new(field, sentence));
    }
    Ok(())
}

pub(super) fn name_taken() -> Error {
    Error::Invalid(vec![FieldError::new(
        "endpoint_name",
        "A service of this name is registered already: add an instance to it, or choose another name.",
    )])
}

impl Gateway {
    /// Registers a service. Its document is fetched when it is first needed, or with
    /// [`Gateway::refresh_specification`].
    ///
    /// # Errors
    /// [`Error::Invalid`] names every refused field, [`Error::AlreadyRegistered`] says that the
    /// same name and address are there, [`Error::Forbidden`] that the caller is no superuser.
    pub async fn register(
        &self,
        principal: &Principal,
        registration: Registration,
    ) -> Result<Service, Error> {
        let (service, part) = self.registration_part(principal, registration).await?;
        match self.parts.commits.commit(part).await {
            Ok(_) => {}
            Err(StoreError::Taken { .. }) => return Err(name_taken()),
            Err(error) => return Err(error.into()),
        }
        info!(service = %service.name, "service registered");
        self.find(service.id)
    }

    /// What [`Gateway::register`] writes, to be written together with something else, and the
    /// service that it makes.
    ///
    /// # Errors
    /// As [`Gateway::register`], save that [`StoreError::Taken`] is left to whoever writes it.
    pub async fn registration_part(
        &self,
        principal: &Principal,
        registration: Registration,
    ) -> Result<(Service, Part<Change>), Error> {
        self.parts.access.require_superuser(principal).await?;
        let (clock, random) = (self.parts.clock.as_ref(), self.parts.random.as_ref());
        let service = registration.decide(clock.now(), random).map_err(Error::Invalid)?;
        let snapshot = self.snapshot();
        if let Some(other) = snapshot.find_by_name(service.name.as_str()) {
            let is_same = other.service.endpoint() == service.endpoint();
            return Err(if is_same { Error::AlreadyRegistered } else { name_taken() });
        }
        if snapshot.services().count() >= SERVICES_MAX {
            let reason = format!("there are {SERVICES_MAX} services already; delete one first");
            return Err(Error::Conflict { reason });
        }
        let facts = json!({
            "name": service.name, "endpoint": service.endpoint().map(BaseUrl::as_str),
            "credential": service.credential.to_string(),
        });
        let event = Event::new("gateway.service.registered", service.id, facts, principal, clock, random);
        let change = Change::ServiceRegistered(Box::new(service.clone()));
        Ok((service, Part::of(None, change, event)))
    }

    /// One service, as the snapshot has it now.
    pub(super) fn find(&self, service: ServiceId) -> Result<Service, Error> {
        let snapshot = self.snapshot();
        snapshot.find(service).map(|found| found.service.clone()).ok_or(Error::NotFound)
    }
}

#[cfg(test)]
mod tests;

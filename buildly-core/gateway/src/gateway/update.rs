//! Changes and deletes services.

use buildly_journal::{Event, Part};
use buildly_model::{FieldError, Principal, ServiceId, StoreError, Timestamp};
use serde_json::json;

use super::register::{check_docs_endpoint, check_length, name_taken};
use crate::{
    AddressClass, BaseUrl, Change, Credential, Error, Gateway, Instance, Policy, RateLimits, Service,
    ServiceName,
};

/// How often a change that meets another one is decided again.
const ATTEMPTS_MAX: u32 = 3;

/// What shall change about a service; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct Update {
    /// The first path segment.
    pub name: Option<String>,
    /// What people call it.
    pub title: Option<String>,
    /// What it is for; `Some(None)` takes it away.
    pub description: Option<Option<String>>,
    /// The base URL of its oldest instance.
    pub endpoint: Option<String>,
    /// Where its document is; `Some(None)` goes back to the default.
    pub docs_endpoint: Option<Option<String>>,
    /// What travels to it.
    pub credential: Option<Credential>,
    /// How it is called.
    pub policy: Option<Policy>,
}

impl Update {
    /// Decides what the service becomes.
    ///
    /// # Errors
    /// Every refused field.
    pub fn decide(&self, mut service: Service, now: Timestamp) -> Result<Service, Vec<FieldError>> {
        let mut refused = Vec::new();
        match self.name.as_deref().map(ServiceName::parse) {
            Some(Ok(name)) => service.name = name,
            Some(Err(error)) => refused.push(error),
            None => {}
        }
        if let Some(title) = &self.title {
            refused.extend(check_length("name", title).err());
            service.title.clone_from(title);
        }
        if let Some(description) = &self.description {
            refused.extend(description.as_deref().and_then(|text| check_length("description", text).err()));
            service.description.clone_from(description);
        }
        if let Some(path) = &self.docs_endpoint {
            refused.extend(path.as_deref().and_then(|path| check_docs_endpoint(path).err()));
            service.docs_endpoint = path.clone().filter(|path| !path.trim().is_empty());
        }
        match self.endpoint.as_deref().map(BaseUrl::parse) {
            Some(Ok(url)) => self.move_to(&mut service, url),
            Some(Err(error)) => refused.push(error),
            None => {}
        }
        if let Some(credential) = &self.credential {
            refused.extend(credential.check().err());
            service.credential = credential.clone();
        }
        if let Some(policy) = &self.policy {
            refused.extend(policy.check().err().unwrap_or_default());
            service.policy = policy.clone();
        }
        service.updated_at = now;
        service.version += 1;
        if refused.is_empty() { Ok(service) } else { Err(refused) }
    }

    /// A service that moves to a stranger's address is not sent tokens any more, unless the same
    /// change says so.
    fn move_to(&self, service: &mut Service, url: BaseUrl) {
        let Some(first) = service.instances.first_mut() else { return };
        let moves = !first.base_url.has_origin_of(&url);
        if moves && url.address_class() == AddressClass::Public && service.credential == Credential::Forward {
            service.credential = Credential::None;
        }
        first.base_url = url;
    }
}

impl Gateway {
    /// Changes a service. With `seen`, only if its version is still that one.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::NotFound`], [`Error::Conflict`] if it changed meanwhile,
    /// [`Error::Forbidden`] if the caller is no superuser.
    pub async fn update(
        &self,
        principal: &Principal,
        service: ServiceId,
        update: &Update,
        seen: Option<u64>,
    ) -> Result<Service, Error> {
        let decide = |service, now| update.decide(service, now).map_err(Error::Invalid);
        self.change(principal, service, seen, "gateway.service.updated", decide).await
    }

    /// Reads a service, decides what it becomes, writes that; again if it changed meanwhile.
    pub(super) async fn change(
        &self,
        principal: &Principal,
        id: ServiceId,
        seen: Option<u64>,
        kind: &'static str,
        decide: impl Fn(Service, Timestamp) -> Result<Service, Error> + Send + Sync,
    ) -> Result<Service, Error> {
        self.parts.access.require_superuser(principal).await?;
        let (clock, random) = (self.parts.clock.as_ref(), self.parts.random.as_ref());
        for _ in 0..ATTEMPTS_MAX {
            let service = self.parts.store.find_service(id).await?.ok_or(Error::NotFound)?;
            let expected = service.version;
            if seen.is_some_and(|seen| seen != expected) {
                break;
            }
            let before = service.clone();
            let service = Box::new(decide(service, clock.now())?);
            let facts = json!({
                "name": service.name, "credential": service.credential.to_string(),
                "instances": service.instances.iter().map(|one| one.base_url.as_str()).collect::<Vec<_>>(),
            });
            let event = Event::new(kind, id, facts, principal, clock, random);
            let takes_rights = takes_rights(&before, &service);
            let part = Part::of(None, Change::ServiceUpdated { service, expected }, event);
            // What may travel to a service, and where to, must hold on every node at once.
            let part = if takes_rights { part.taking_rights() } else { part };
            match self.parts.commits.commit(part).await {
                Ok(_) => return self.find(id),
                Err(StoreError::Stale) => {}
                Err(StoreError::Taken { .. }) => return Err(name_taken()),
                Err(StoreError::Missing { .. }) => return Err(Error::NotFound),
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Conflict { reason: "the service changed meanwhile; read it again".to_owned() })
    }

    /// Deletes a service with its instances and documents.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`] if the caller is no superuser.
    pub async fn delete(&self, principal: &Principal, service: ServiceId) -> Result<(), Error> {
        self.parts.access.require_superuser(principal).await?;
        let facts = json!({ "name": self.find(service)?.name });
        let (clock, random) = (self.parts.clock.as_ref(), self.parts.random.as_ref());
        let event = Event::new("gateway.service.deleted", service, facts, principal, clock, random);
        let part = Part::of(None, Change::ServiceDeleted { service }, event).taking_rights();
        match self.parts.commits.commit(part).await {
            Ok(_) => {}
            Err(StoreError::Missing { .. }) => return Err(Error::NotFound),
            Err(error) => return Err(error.into()),
        }
        self.fetches.forget(service).await;
        Ok(())
    }

    /// Sets the deployment's own limits.
    ///
    /// # Errors
    /// [`Error::Invalid`] names every refused field, [`Error::Forbidden`] says that the caller is
    /// no superuser.
    pub async fn set_rate_limits(&self, principal: &Principal, limits: RateLimits) -> Result<(), Error> {
        self.parts.access.require_superuser(principal).await?;
        limits.check().map_err(Error::Invalid)?;
        let (clock, random) = (self.parts.clock.as_ref(), self.parts.random.as_ref());
        let event = Event::new("gateway.rate_limits.set", "rate_limits", &limits, principal, clock, random);
        self.parts.commits.commit(Part::of(None, Change::RateLimitsSet(limits), event)).await?;
        Ok(())
    }
}

/// Whether callers' tokens may go somewhere before that they may not go afterwards.
fn takes_rights(before: &Service, after: &Service) -> bool {
    let stays = |old: &Instance| after.instances.iter().any(|new| new.base_url.has_origin_of(&old.base_url));
    before.credential != after.credential || !before.instances.iter().all(stays)
}

#[cfg(test)]
mod tests;

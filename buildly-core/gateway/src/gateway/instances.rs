//! Adds, changes, drains and removes instances.

use buildly_model::{FieldError, InstanceId, Principal, ServiceId};

use super::register::check_length;
use crate::{AddressClass, BaseUrl, Credential, Error, Gateway, Instance, InstanceState, Service, Version};

/// How many instances a service may have.
const INSTANCES_MAX: usize = 1_000;
/// The greatest weight.
const WEIGHT_MAX: u32 = 1_000;

/// What somebody says of an instance; when it is changed, what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct InstanceSpec {
    /// Where it listens; needed for a new one.
    pub base_url: Option<String>,
    /// How much it takes beside the others; 1 when absent.
    pub weight: Option<u32>,
    /// Where it runs; `Some(None)` takes it away.
    pub zone: Option<Option<String>>,
    /// The version that it serves; `Some(None)` takes it away.
    pub version: Option<Option<Version>>,
    /// Whether it takes new calls.
    pub state: Option<InstanceState>,
    /// Says that callers' tokens may travel to it although it is neither on this machine nor
    /// in a private network.
    pub may_receive_tokens: bool,
}

impl InstanceSpec {
    /// Decides what the instance `id` of `service` becomes, or is, if it is a new one.
    ///
    /// # Errors
    /// Every refused field.
    pub fn decide(&self, service: &Service, id: InstanceId) -> Result<Instance, Vec<FieldError>> {
        let mut refused = Vec::new();
        let before = service.instances.iter().find(|one| one.id == id);
        let base_url = match (self.base_url.as_deref().map(BaseUrl::parse), before) {
            (Some(Ok(url)), _) => {
                refused.extend(self.check_address(service, id, &url).err());
                url
            }
            (None, Some(before)) => before.base_url.clone(),
            (Some(Err(error)), _) => return Err(vec![FieldError::new("base_url", error.message)]),
            (None, None) => return Err(vec![FieldError::new("base_url", "This field is required.")]),
        };
        let mut instance = before.cloned().unwrap_or(Instance {
            id,
            base_url: base_url.clone(),
            weight: 1,
            zone: None,
            version: None,
            state: InstanceState::Active,
        });
        instance.base_url = base_url;
        if let Some(weight) = self.weight {
            if !(1..=WEIGHT_MAX).contains(&weight) {
                refused.push(FieldError::new("weight", format!("expected 1 to {WEIGHT_MAX}, got {weight}")));
            }
            instance.weight = weight;
        }
        if let Some(zone) = &self.zone {
            refused.extend(zone.as_deref().and_then(|zone| check_length("zone", zone).err()));
            instance.zone.clone_from(zone);
        }
        if let Some(version) = &self.version {
            instance.version.clone_from(version);
        }
        instance.state = self.state.unwrap_or(instance.state);
        if refused.is_empty() { Ok(instance) } else { Err(refused) }
    }

    fn check_address(&self, service: &Service, id: InstanceId, url: &BaseUrl) -> Result<(), FieldError> {
        let is_taken = service.instances.iter().any(|other| other.id != id && other.base_url == *url);
        if is_taken {
            return Err(FieldError::new("base_url", "An instance of this address is there already."));
        }
        let is_stranger = url.address_class() == AddressClass::Public
            && !service.instances.iter().any(|known| known.base_url.has_origin_of(url));
        if is_stranger && service.credential == Credential::Forward && !self.may_receive_tokens {
            return Err(FieldError::new(
                "base_url",
                "Callers' tokens travel to this service, and this address is neither on this machine nor in \
                 a private network: set `may_receive_tokens`, or change the service's `credential`.",
            ));
        }
        Ok(())
    }
}

impl Gateway {
    /// Adds an instance to a service.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::NotFound`], [`Error::Conflict`], [`Error::Forbidden`].
    pub async fn add_instance(
        &self,
        principal: &Principal,
        service: ServiceId,
        spec: &InstanceSpec,
    ) -> Result<Instance, Error> {
        let id = InstanceId::generate(self.parts.clock.now(), self.parts.random.as_ref());
        let changed = self
            .change(principal, service, None, "gateway.instance.added", |mut service, now| {
                if service.instances.len() >= INSTANCES_MAX {
                    let reason = format!("the service has {INSTANCES_MAX} instances already");
                    return Err(Error::Conflict { reason });
                }
                let instance = spec.decide(&service, id).map_err(Error::Invalid)?;
                service.instances.push(instance);
                service.updated_at = now;
                service.version += 1;
                Ok(service)
            })
            .await?;
        instance_of(&changed, id)
    }

    /// Changes an instance; `state: draining` lets it finish what it has.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::NotFound`], [`Error::Conflict`], [`Error::Forbidden`].
    pub async fn update_instance(
        &self,
        principal: &Principal,
        service: ServiceId,
        instance: InstanceId,
        spec: &InstanceSpec,
    ) -> Result<Instance, Error> {
        let changed = self
            .change(principal, service, None, "gateway.instance.updated", |mut service, now| {
                instance_of(&service, instance)?;
                let decided = spec.decide(&service, instance).map_err(Error::Invalid)?;
                for one in &mut service.instances {
                    if one.id == instance {
                        one.clone_from(&decided);
                    }
                }
                service.updated_at = now;
                service.version += 1;
                Ok(service)
            })
            .await?;
        instance_of(&changed, instance)
    }

    /// Removes an instance; the last one stays.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Conflict`] if it is the last one, [`Error::Forbidden`].
    pub async fn remove_instance(
        &self,
        principal: &Principal,
        service: ServiceId,
        instance: InstanceId,
    ) -> Result<(), Error> {
        self.change(principal, service, None, "gateway.instance.removed", |mut service, now| {
            instance_of(&service, instance)?;
            if service.instances.len() == 1 {
                let reason = "it is the service's last instance; drain it, or delete the service".to_owned();
                return Err(Error::Conflict { reason });
            }
            service.instances.retain(|one| one.id != instance);
            service.updated_at = now;
            service.version += 1;
            Ok(service)
        })
        .await
        .map(drop)
    }
}

fn instance_of(service: &Service, instance: InstanceId) -> Result<Instance, Error> {
    service.instances.iter().find(|one| one.id == instance).cloned().ok_or(Error::NotFound)
}

#[cfg(test)]
mod tests;

//! Looks at services.

use buildly_model::{Principal, ServiceId};

use crate::{Error, Gateway, RateLimits, Service, Specification, Version};

impl Gateway {
    /// All services, by number.
    ///
    /// # Errors
    /// [`Error::Forbidden`] if the caller is no superuser.
    pub async fn services(&self, principal: &Principal) -> Result<Vec<Service>, Error> {
        self.parts.access.require_superuser(principal).await?;
        let snapshot = self.snapshot();
        let mut services: Vec<Service> = snapshot.services().map(|found| found.service.clone()).collect();
        services.sort_unstable_by_key(|service| service.number);
        Ok(services)
    }

    /// One service.
    ///
    /// # Errors
    /// [`Error::NotFound`], or [`Error::Forbidden`] if the caller is no superuser.
    pub async fn service(&self, principal: &Principal, service: ServiceId) -> Result<Service, Error> {
        self.parts.access.require_superuser(principal).await?;
        self.find(service)
    }

    /// One service by its number.
    ///
    /// # Errors
    /// [`Error::NotFound`], or [`Error::Forbidden`] if the caller is no superuser.
    pub async fn service_by_number(&self, principal: &Principal, number: i64) -> Result<Service, Error> {
        self.parts.access.require_superuser(principal).await?;
        let snapshot = self.snapshot();
        let found = snapshot.services().find(|found| found.service.number == number);
        found.map(|found| found.service.clone()).ok_or(Error::NotFound)
    }

    /// The stored document of one version of a service.
    ///
    /// # Errors
    /// [`Error::Forbidden`] if the caller is no superuser, [`Error::Store`].
    pub async fn specification(
        &self,
        principal: &Principal,
        service: ServiceId,
        version: Option<&Version>,
    ) -> Result<Option<Specification>, Error> {
        self.parts.access.require_superuser(principal).await?;
        Ok(self.parts.store.find_specification(service, version).await?)
    }

    /// The deployment's own limits.
    ///
    /// # Errors
    /// [`Error::Forbidden`] if the caller is no superuser.
    pub async fn rate_limits(&self, principal: &Principal) -> Result<RateLimits, Error> {
        self.parts.access.require_superuser(principal).await?;
        Ok(self.snapshot().rate_limits())
    }
}

//! Looks at services.

use std::convert::Infallible;
use std::str::FromStr;

use buildly_model::{Principal, ServiceId};

use crate::{Error, Gateway, RateLimits, Service, Specification, Version};

/// What names a service: its id, its number, or the first segment of its paths.
///
/// ```
/// use buildly_gateway::ServiceKey;
/// assert_eq!("7".parse(), Ok(ServiceKey::Number(7)));
/// assert_eq!("crm".parse(), Ok(ServiceKey::Name("crm".to_owned())));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceKey {
    /// By id.
    Id(ServiceId),
    /// By number.
    Number(i64),
    /// By name.
    Name(String),
}

impl FromStr for ServiceKey {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match (text.parse(), text.parse()) {
            (Ok(number), _) => Self::Number(number),
            (_, Ok(id)) => Self::Id(id),
            (Err(_), Err(_)) => Self::Name(text.to_owned()),
        })
    }
}

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

    /// One service by whatever names it.
    ///
    /// # Errors
    /// [`Error::NotFound`], or [`Error::Forbidden`] if the caller is no superuser.
    pub async fn find_service(&self, principal: &Principal, key: &ServiceKey) -> Result<Service, Error> {
        self.parts.access.require_superuser(principal).await?;
        let snapshot = self.snapshot();
        let found = match key {
            ServiceKey::Id(id) => snapshot.find(*id),
            ServiceKey::Name(name) => snapshot.find_by_name(name),
            ServiceKey::Number(number) => snapshot.services().find(|found| found.service.number == *number),
        };
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

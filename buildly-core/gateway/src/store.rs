//! What the gateway needs remembered.

use async_trait::async_trait;
use buildly_model::{ServiceId, StoreError};

use crate::{RateLimits, Service, Specification, Version};

/// What this area can change. Services belong to the deployment: the parts have no organization.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Makes a service with its instances; its number is given by the storage.
    /// [`StoreError::Taken`] with field `endpoint_name` if the name is in use.
    ServiceRegistered(Box<Service>),
    /// Replaces everything about a service but its number, `created_at` and documents, if it is
    /// still at version `expected`; else [`StoreError::Stale`]. A name in use is `Taken`.
    ServiceUpdated {
        /// The service as it shall be; its `version` is the new one.
        service: Box<Service>,
        /// The version that was seen.
        expected: u64,
    },
    /// Removes a service, its instances and documents; [`StoreError::Missing`] if it is not there.
    ServiceDeleted {
        /// Which.
        service: ServiceId,
    },
    /// Puts a document in place of the one of the same version; `Missing` without the service.
    SpecificationStored {
        /// Of which service.
        service: ServiceId,
        /// The document.
        specification: Box<Specification>,
    },
    /// Sets the deployment's own limits.
    RateLimitsSet(RateLimits),
}

/// What this area reads. Never on a hot path: requests read the [`Snapshot`](crate::Snapshot).
#[async_trait]
pub trait Store: Send + Sync {
    /// All services, by number.
    async fn services(&self) -> Result<Vec<Service>, StoreError>;

    /// One service.
    async fn find_service(&self, service: ServiceId) -> Result<Option<Service>, StoreError>;

    /// The stored document of one version of a service.
    async fn find_specification(
        &self,
        service: ServiceId,
        version: Option<&Version>,
    ) -> Result<Option<Specification>, StoreError>;

    /// The deployment's own limits, if somebody set them.
    async fn find_rate_limits(&self) -> Result<Option<RateLimits>, StoreError>;
}

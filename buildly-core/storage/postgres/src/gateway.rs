//! The SQL of gateway.

use buildly_gateway::{Change, RateLimits, Service, Specification, Version};
use buildly_model::{OrganizationId, ServiceId, StoreError};
use sqlx::PgConnection;

use crate::Postgres;

/// Applies one change inside the unit's transaction.
pub(crate) async fn apply(
    _tx: &mut PgConnection,
    _organization: Option<OrganizationId>,
    _change: &Change,
) -> Result<(), StoreError> {
    Err(StoreError::corrupt("this storage does not keep services yet"))
}

#[async_trait::async_trait]
impl buildly_gateway::Store for Postgres {
    async fn services(&self) -> Result<Vec<Service>, StoreError> {
        Ok(Vec::new())
    }
    async fn find_service(&self, _: ServiceId) -> Result<Option<Service>, StoreError> {
        Ok(None)
    }
    async fn find_specification(
        &self,
        _: ServiceId,
        _: Option<&Version>,
    ) -> Result<Option<Specification>, StoreError> {
        Ok(None)
    }
    async fn find_rate_limits(&self) -> Result<Option<RateLimits>, StoreError> {
        Ok(None)
    }
}

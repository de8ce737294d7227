//! The SQL of the gateway: services, their documents, limits.

mod rate_limits;
mod read;
mod service;
mod specification;

use buildly_gateway::Change;
use buildly_model::{OrganizationId, StoreError};
use sqlx::PgConnection;

/// Applies one change inside the unit's transaction. Services belong to the deployment, so the
/// part's organization does not matter.
pub(crate) async fn apply(
    tx: &mut PgConnection,
    _organization: Option<OrganizationId>,
    change: &Change,
) -> Result<(), StoreError> {
    match change {
        Change::ServiceRegistered(one) => service::insert(tx, one).await,
        Change::ServiceUpdated { service, expected } => service::update(tx, service, *expected).await,
        Change::ServiceDeleted { service } => service::delete(tx, *service).await,
        Change::SpecificationStored { service, specification } => {
            specification::put(tx, *service, specification).await
        }
        Change::RateLimitsSet(limits) => rate_limits::put(tx, limits).await,
    }
}

//! The SQL of gateway.

use buildly_gateway::Change;
use buildly_model::{OrganizationId, StoreError};
use sqlx::PgConnection;

use crate::Postgres;

/// Applies one change inside the unit's transaction.
#[expect(dead_code, reason = "called by the committer")]
pub(crate) async fn apply(
    _tx: &mut PgConnection,
    _organization: Option<OrganizationId>,
    change: &Change,
) -> Result<(), StoreError> {
    match *change {}
}

#[async_trait::async_trait]
impl buildly_gateway::Store for Postgres {}

//! The SQL of gateway.

use buildly_gateway::Change;
use buildly_model::{OrganizationId, StoreError};
use rusqlite::Connection;

use crate::Sqlite;

/// Applies one change inside the unit's transaction.
pub(crate) fn apply(
    _tx: &Connection,
    _organization: Option<OrganizationId>,
    change: &Change,
) -> Result<(), StoreError> {
    match *change {}
}

#[async_trait::async_trait]
impl buildly_gateway::Store for Sqlite {}

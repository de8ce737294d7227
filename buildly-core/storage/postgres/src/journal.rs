//! The SQL of the journal: chains, heads, feed, history.

mod append;
mod feed;
mod heads;
mod history;
mod row;

use buildly_model::{OrganizationId, StoreError};
use uuid::Uuid;

pub(crate) use append::{append, bind_events};
pub(crate) use heads::{Heads, lock_heads, sequences};

/// The nil UUID stands for the deployment's own chain, so nobody's organization may have it.
pub(crate) fn chain_key(organization: Option<OrganizationId>) -> Result<Uuid, StoreError> {
    match organization.map(|organization| organization.as_uuid()) {
        None => Ok(Uuid::nil()),
        Some(organization) if organization.is_nil() => Err(StoreError::Missing { what: "organization" }),
        Some(organization) => Ok(organization),
    }
}

/// The reverse of [`chain_key`].
pub(crate) fn organization(chain_key: Uuid) -> Option<OrganizationId> {
    (!chain_key.is_nil()).then(|| OrganizationId::from_uuid(chain_key))
}

/// PostgreSQL's numbers are signed; no chain is that long.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn unsigned(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| StoreError::corrupt("a number that counts is negative"))
}

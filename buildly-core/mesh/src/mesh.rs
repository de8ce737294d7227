//! The handle of the mesh's operations.

use std::sync::Arc;

use buildly_journal::{Commit, Event};
use buildly_model::{Clock, OrganizationId, Principal, Random, ServiceClient};
use serde::Serialize;

use crate::gather::{HELD_BYTES_MAX, Memory};
use crate::plan_cache::PlanCache;
use crate::{Change, Error, LocalRecords, Store, Views};

/// The operations of the mesh; cheap to clone.
#[derive(Clone)]
pub struct Mesh {
    pub(crate) parts: Arc<Parts>,
    pub(crate) plans: PlanCache,
    pub(crate) memory: Memory,
}

/// What the operations need from outside.
pub struct Parts {
    /// Reads.
    pub store: Arc<dyn Store>,
    /// Writes.
    pub commits: Arc<dyn Commit<Change>>,
    /// Permissions, services and catalog as they are now.
    pub views: Arc<dyn Views>,
    /// Calls services.
    pub client: Arc<dyn ServiceClient>,
    /// Reads records of the core itself.
    pub local: Arc<dyn LocalRecords>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
}

impl Mesh {
    /// Connects the operations with their outside.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self { parts: Arc::new(parts), plans: PlanCache::new(), memory: Memory::new(HELD_BYTES_MAX) }
    }

    pub(crate) fn event(
        &self,
        kind: &'static str,
        subject: impl ToString,
        payload: impl Serialize,
        principal: &Principal,
    ) -> Event {
        Event::new(kind, subject, payload, principal, &*self.parts.clock, &*self.parts.random)
    }
}

/// How often a decision is taken again when the stored state has moved on.
pub(crate) const ATTEMPTS_MAX: u32 = 3;

/// Refuses callers who did not sign in.
pub(crate) fn require_signed_in(principal: &Principal) -> Result<(), Error> {
    if principal.is_signed_in() { Ok(()) } else { Err(Error::Unauthenticated) }
}

/// The organization that join records are kept for.
pub(crate) fn require_organization(principal: &Principal) -> Result<OrganizationId, Error> {
    require_signed_in(principal)?;
    principal.organization.ok_or_else(|| Error::Forbidden {
        reason: "join records belong to an organization, and you are in none".to_owned(),
    })
}

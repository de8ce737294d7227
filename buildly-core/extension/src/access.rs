//! What extensions ask of auth.

use async_trait::async_trait;
use buildly_model::{OrganizationId, Principal};

use crate::Error;

/// Answers "may this principal?".
#[async_trait]
pub trait Access: Send + Sync {
    /// The principal's organization, if the principal administers it.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] or [`Error::Forbidden`] if not.
    async fn require_admin(&self, principal: &Principal) -> Result<OrganizationId, Error>;
}

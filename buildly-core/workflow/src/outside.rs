//! What the workflow area asks of the others; the facade answers.

use async_trait::async_trait;
use buildly_model::{Actions, GroupId, OrganizationId, Principal, UserId};

use crate::levels::Standing;
use crate::{Doer, Error, Leased, Outcome, Outside};

/// What somebody wants to do with workflows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Look at templates and runs.
    Read,
    /// Start runs.
    Start,
    /// Steer the runs of others: pause, cancel, retry, send signals.
    Operate,
    /// Write, publish and retire templates.
    Design,
}

/// Who may do what, as things are now.
#[async_trait]
pub trait Access: Send + Sync {
    /// Lets those pass who have the right; says in which organization they act.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] if nobody is signed in, [`Error::Forbidden`] with the rule that
    /// decided, [`Error::Store`] if it cannot be known.
    async fn require(&self, principal: &Principal, right: Right) -> Result<OrganizationId, Error>;

    /// The names by which tasks call the caller, and those of the caller's groups.
    ///
    /// # Errors
    /// As [`Access::require`]; everybody who is signed in and in an organization has them.
    async fn doer(&self, principal: &Principal) -> Result<(OrganizationId, Doer), Error>;

    /// The world outside as whoever publishes may use it. `published` are the names of templates
    /// with a published version, `services` those of the services that are asked about: whoever
    /// answers makes sure that it knows what they offer.
    ///
    /// # Errors
    /// As [`Access::require`].
    async fn outside(
        &self,
        principal: &Principal,
        published: Vec<String>,
        services: Vec<String>,
    ) -> Result<Box<dyn Outside + Send + Sync>, Error>;

    /// What the caller's rights on levels are decided by.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] if nobody is signed in, [`Error::Store`] if it cannot be known.
    async fn standing(&self, principal: &Principal) -> Result<Standing, Error>;

    /// What each of these groups lets its members do; `None` for one that is not the
    /// organization's.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there is no such organization, [`Error::Store`].
    async fn group_actions(
        &self,
        organization: OrganizationId,
        groups: &[GroupId],
    ) -> Result<Vec<Option<Actions>>, Error>;

    /// Those of these users who are not in the organization.
    ///
    /// # Errors
    /// As [`Access::group_actions`].
    async fn strangers(&self, organization: OrganizationId, users: &[UserId]) -> Result<Vec<UserId>, Error>;
}

/// Performs effects: calls of services, reads through the mesh.
#[async_trait]
pub trait Services: Send + Sync {
    /// Performs one, as whom the effect says, with the rights of that moment. However it ends is
    /// an outcome.
    async fn perform(&self, leased: &Leased) -> Outcome;
}

//! Who asks, together with the snapshot in which the answer is decided.

use std::sync::Arc;

use buildly_model::{Action, Actions, Identity, OrganizationId, Principal, UserId};

use super::{Group, Scope, User};
use crate::permission::{Decision, Reason, Resource};
use crate::{Auth, Error, Snapshot};

/// A signed-in principal and the snapshot that has its organization.
pub(crate) struct Caller<'a> {
    pub(crate) principal: &'a Principal,
    pub(crate) snapshot: Arc<Snapshot>,
}

impl Auth {
    /// Takes the snapshot for one operation.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`], or [`Error::Forbidden`] if the account may not act (any more).
    pub(crate) async fn caller<'a>(&self, principal: &'a Principal) -> Result<Caller<'a>, Error> {
        let snapshot = match principal.organization {
            Some(organization) => self.parts.snapshots.with_organization(organization).await?,
            None => self.parts.snapshots.current(),
        };
        match principal.identity {
            Identity::Anonymous => return Err(Error::NotSignedIn),
            Identity::ServiceAccount(_) | Identity::Application(_) => {}
            Identity::User(user) => {
                let found = snapshot.identity.user(user).ok_or(Error::NotSignedIn)?;
                if !found.is_active {
                    return Err(Error::Forbidden(Reason::Inactive));
                }
                if found.organization != principal.organization {
                    return Err(Error::Forbidden(Reason::MovedAway));
                }
            }
        }
        Ok(Caller { principal, snapshot })
    }

    /// Lets administrators of the caller's own organization pass; of the deployment, where the
    /// caller belongs to none.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`], [`Error::Forbidden`].
    pub async fn require_admin(&self, principal: &Principal) -> Result<(), Error> {
        self.caller(principal).await?.require_admin_of(principal.organization)
    }

    /// As [`Auth::caller`]; `None` if nobody is signed in, or not any more.
    pub(crate) async fn caller_if_any<'a>(
        &self,
        principal: &'a Principal,
    ) -> Result<Option<Caller<'a>>, Error> {
        match self.caller(principal).await {
            Ok(caller) => Ok(Some(caller)),
            Err(Error::NotSignedIn | Error::Forbidden(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Caller<'_> {
    pub(crate) fn check(&self, action: Action, resource: Resource) -> Decision {
        self.snapshot.check(self.principal, action, resource)
    }

    pub(crate) fn is_global_admin(&self) -> bool {
        self.snapshot.is_global_admin(self.principal)
    }

    /// # Errors
    /// [`Error::Forbidden`] unless the caller administers the deployment.
    pub(crate) fn require_global_admin(&self) -> Result<(), Error> {
        if self.is_global_admin() { Ok(()) } else { Err(Error::Forbidden(Reason::NotGlobalAdmin)) }
    }

    /// # Errors
    /// [`Error::Forbidden`] unless the caller is a superuser.
    pub(crate) fn require_superuser(&self) -> Result<(), Error> {
        self.check(Action::Update, Resource::Deployment).require().map(drop)
    }

    /// # Errors
    /// [`Error::Forbidden`] unless the caller administers `organization`; for things of the
    /// deployment, unless the caller administers that.
    pub(crate) fn require_admin_of(&self, organization: Option<OrganizationId>) -> Result<(), Error> {
        match organization {
            Some(organization) => {
                self.check(Action::Update, Resource::Administration(organization)).require().map(drop)
            }
            None => self.require_global_admin(),
        }
    }

    /// Whose rows the caller sees; `None` if the caller belongs nowhere.
    pub(crate) fn scope(&self) -> Option<Scope> {
        if self.is_global_admin() {
            return Some(Scope::Deployment);
        }
        self.principal.organization.map(Scope::Organization)
    }

    pub(crate) fn is(&self, user: UserId) -> bool {
        self.principal.user() == Some(user)
    }

    /// What the caller may do there: nobody gives away more than that.
    pub(crate) fn actions_on(&self, resource: Resource) -> Actions {
        Action::ALL.into_iter().fold(Actions::NONE, |actions, action| {
            if self.check(action, resource).is_allowed() { actions.with(action) } else { actions }
        })
    }

    /// Only administrators of the deployment touch the accounts of superusers and of members
    /// of global groups: else the administrator of one organization could take over all.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub(crate) fn require_power_over(&self, user: &User, groups: &[Group]) -> Result<(), Error> {
        if user.is_superuser && !self.is(user.id) {
            return self.require_superuser();
        }
        if groups.iter().any(|group| group.is_global) && !self.is(user.id) {
            return self.require_global_admin();
        }
        Ok(())
    }
}

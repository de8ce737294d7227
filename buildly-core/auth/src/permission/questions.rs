//! The questions about rights that people ask: why, who can, what can I.

use buildly_model::{Action, Actions, Identity, Principal, ServiceId};
use uuid::Uuid;

use super::{Decision, Explanation, Resource, WhatCan, WhoCan};
use crate::identity::UserKey;
use crate::{Auth, Error, Snapshot};

impl Snapshot {
    /// Decides, and lists what was looked at.
    #[must_use]
    pub fn explain(&self, principal: &Principal, action: Action, resource: Resource) -> Explanation {
        let decision = self.check(principal, action, resource);
        Explanation { decision, ..self.identity.explain(principal, action, resource) }
    }

    /// What `principal` may do on which service.
    #[must_use]
    pub fn what_can(&self, principal: &Principal) -> WhatCan {
        let allowed = |service: ServiceId| {
            Action::ALL.into_iter().fold(Actions::NONE, |actions, action| {
                match self.check(principal, action, Resource::Service(service)) {
                    Decision::Allow(_) => actions.with(action),
                    Decision::Deny(_) => actions,
                }
            })
        };
        // No group is ever attached to the service of the nil id, so it stands for the others.
        let elsewhere = allowed(ServiceId::from_uuid(Uuid::nil()));
        let mut services: Vec<(ServiceId, Actions)> =
            self.identity.guarded_services().map(|service| (service, allowed(service))).collect();
        services.sort_unstable_by_key(|(service, _)| *service);
        WhatCan { elsewhere, services }
    }
}

impl Auth {
    /// Why the caller, or a user whom the caller administers, may or may not do something.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`], [`Error::Forbidden`] for others unless the caller administers
    /// the organization, [`Error::NotFound`], [`Error::Store`].
    pub async fn explain(
        &self,
        principal: &Principal,
        about: Option<UserKey>,
        action: Action,
        service: ServiceId,
    ) -> Result<Explanation, Error> {
        let subject = match about {
            None => principal.clone(),
            Some(user) => {
                self.require_admin(principal).await?;
                let user = self.user(principal, user).await?.user;
                let identity = Identity::User(user.id);
                Principal { identity, organization: user.organization, ..Principal::ANONYMOUS }
            }
        };
        let snapshot = self.with_organization_of(&subject).await?;
        if !subject.is_signed_in() {
            return Err(Error::NotSignedIn);
        }
        Ok(snapshot.explain(&subject, action, Resource::Service(service)))
    }

    /// Who of the caller's organization may do something, by which groups.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`], [`Error::Forbidden`] unless the caller administers the
    /// organization, [`Error::Store`].
    pub async fn who_can(
        &self,
        principal: &Principal,
        action: Action,
        service: ServiceId,
    ) -> Result<WhoCan, Error> {
        self.require_admin(principal).await?;
        let organization = principal.organization.ok_or(Error::NotFound { what: "organization" })?;
        let snapshot = self.with_organization_of(principal).await?;
        let mut who = snapshot.identity.who_can(organization, service, action);
        who.users.retain(|user| {
            let member = Principal {
                identity: Identity::User(*user),
                organization: Some(organization),
                ..Principal::ANONYMOUS
            };
            snapshot.check(&member, action, Resource::Service(service)).is_allowed()
        });
        Ok(who)
    }

    /// What the caller may do on which service.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`], [`Error::Store`].
    pub async fn what_can(&self, principal: &Principal) -> Result<WhatCan, Error> {
        if !principal.is_signed_in() {
            return Err(Error::NotSignedIn);
        }
        Ok(self.with_organization_of(principal).await?.what_can(principal))
    }

    async fn with_organization_of(&self, principal: &Principal) -> Result<std::sync::Arc<Snapshot>, Error> {
        Ok(match principal.organization {
            Some(organization) => self.parts.snapshots.with_organization(organization).await?,
            None => self.parts.snapshots.current(),
        })
    }
}

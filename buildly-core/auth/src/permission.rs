//! Decides whether a principal may act on something, and says which rule decided.
//!
//! Deny by default: an action is allowed by superuser rights, by a group with the right
//! permission that the principal is a member of (RBAC, ANSI INCITS 359-2012), or because
//! nobody restricted the service. Pure: no I/O, no lock, no clock; a check costs a few hash
//! lookups, and a look at a bitmap for each group that the caller is in. It allocates nothing,
//! except for a service account in more than six groups.

mod explain;
mod questions;
mod reason;

use std::sync::Arc;

use buildly_model::{Action, GroupId, Identity, OrganizationId, Principal, ServiceId};

pub use explain::{Considered, Explanation, WhatCan, WhoCan};
pub use reason::Reason;

use crate::identity::snapshot::{Attached, Bitmap, Held, Roles};
use crate::identity::{Group, OrganizationFacts, Snapshot};

/// What somebody wants to act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resource {
    /// A logic service behind the gateway, with all its records.
    Service(ServiceId),
    /// An organization and what belongs to it, such as its groups.
    Organization(OrganizationId),
    /// What only administrators of the organization do: its users, invitations, messages.
    Administration(OrganizationId),
    /// What only superusers do: services, applications, keys, record types.
    Deployment,
}

/// The answer to "may this principal?".
#[must_use = "an ignored decision is an open door"]
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Yes, because.
    Allow(Reason),
    /// No, because.
    Deny(Reason),
}

impl Decision {
    /// Whether the answer is yes.
    #[must_use]
    pub const fn is_allowed(&self) -> bool {
        matches!(self, Self::Allow(_))
    }

    /// Why.
    #[must_use]
    pub const fn reason(&self) -> &Reason {
        match self {
            Self::Allow(reason) | Self::Deny(reason) => reason,
        }
    }

    /// Turns a no into an error.
    ///
    /// # Errors
    /// [`crate::Error::Forbidden`], or [`crate::Error::NotSignedIn`] if nobody is signed in.
    pub fn require(self) -> Result<Reason, crate::Error> {
        match self {
            Self::Allow(reason) => Ok(reason),
            Self::Deny(Reason::NotSignedIn | Reason::UnknownUser) => Err(crate::Error::NotSignedIn),
            Self::Deny(reason) => Err(crate::Error::Forbidden(reason)),
        }
    }
}

/// Whose groups are looked at.
struct Holder<'a> {
    organization: Option<&'a OrganizationFacts>,
    groups: &'a Held,
    deployment_groups: &'a Held,
    is_superuser: bool,
}

impl Snapshot {
    /// Decides whether `principal` may perform `action` on `resource`.
    ///
    /// The organization of the principal has to be loaded. Scripts (service accounts,
    /// applications) hold their groups elsewhere; here they are taken to have none, see
    /// [`Snapshot::check_groups`].
    pub fn check(&self, principal: &Principal, action: Action, resource: Resource) -> Decision {
        match principal.identity {
            Identity::Anonymous => Decision::Deny(Reason::NotSignedIn),
            Identity::ServiceAccount(_) | Identity::Application(_) => {
                self.check_groups(principal.organization, &[], action, resource)
            }
            Identity::User(user) => {
                let Some(user) = self.user(user) else { return Decision::Deny(Reason::UnknownUser) };
                if !user.is_active {
                    return Decision::Deny(Reason::Inactive);
                }
                if user.organization != principal.organization {
                    return Decision::Deny(Reason::MovedAway);
                }
                let holder = Holder {
                    organization: user.organization.and_then(|organization| self.organization(organization)),
                    groups: &user.groups,
                    deployment_groups: &user.deployment_groups,
                    is_superuser: user.is_superuser,
                };
                self.decide(&holder, action, resource)
            }
        }
    }

    /// Decides for somebody who is no user but holds these groups, such as a service account.
    pub fn check_groups(
        &self,
        organization: Option<OrganizationId>,
        groups: &[GroupId],
        action: Action,
        resource: Resource,
    ) -> Decision {
        let organization = organization.and_then(|organization| self.organization(organization));
        let own = organization.map(|facts| facts.roles.held(groups)).unwrap_or_default();
        let holder = Holder {
            organization,
            groups: &own,
            deployment_groups: &self.deployment.roles.held(groups),
            is_superuser: false,
        };
        self.decide(&holder, action, resource)
    }

    fn decide(&self, holder: &Holder<'_>, action: Action, resource: Resource) -> Decision {
        if holder.is_superuser {
            return Decision::Allow(Reason::Superuser);
        }
        match resource {
            Resource::Service(service) => self.decide_service(holder, action, service),
            Resource::Organization(organization) => {
                if let Some(group) = self.global_admin(holder) {
                    return Decision::Allow(Reason::GlobalAdmin { group });
                }
                let Some(own) = holder.organization.filter(|own| own.id == organization) else {
                    return Decision::Deny(Reason::OtherOrganization);
                };
                let granted = first_group(&own.roles, own.roles.granting.of(action), holder.groups);
                let global = &self.deployment.roles;
                granted
                    .or_else(|| first_group(global, global.granting.of(action), holder.deployment_groups))
                    .map_or(Decision::Deny(Reason::NotGranted { action }), |group| {
                        Decision::Allow(Reason::Granted { group, action })
                    })
            }
            Resource::Administration(organization) => {
                if let Some(group) = self.global_admin(holder) {
                    return Decision::Allow(Reason::GlobalAdmin { group });
                }
                let Some(own) = holder.organization.filter(|own| own.id == organization) else {
                    return Decision::Deny(Reason::OtherOrganization);
                };
                first_group(&own.roles, &own.roles.administering, holder.groups)
                    .map_or(Decision::Deny(Reason::NotAdministrator), |group| {
                        Decision::Allow(Reason::OrganizationAdmin { group })
                    })
            }
            Resource::Deployment => Decision::Deny(Reason::NotSuperuser),
        }
    }

    fn decide_service(&self, holder: &Holder<'_>, action: Action, service: ServiceId) -> Decision {
        let Some(facts) = self.deployment.services.get(&service) else {
            return Decision::Allow(Reason::ServiceOpen);
        };
        let global = (&self.deployment.roles, &facts.global, holder.deployment_groups);
        let own = holder.organization.and_then(|organization| {
            let attached = organization.services.get(&service)?;
            Some((&organization.roles, attached, holder.groups))
        });
        let places: [Option<(&Roles, &Attached, &Held)>; 2] = [own, Some(global)];
        for (roles, attached, held) in places.into_iter().flatten() {
            if let Some(group) = first_group(roles, attached.allowed.of(action), held) {
                return Decision::Allow(Reason::Granted { group, action });
            }
        }
        for (roles, attached, held) in places.into_iter().flatten() {
            if let Some(group) = first_group(roles, &attached.groups, held) {
                return Decision::Deny(Reason::GroupTooWeak { group, action });
            }
        }
        Decision::Deny(Reason::NoGroupAttached { action })
    }

    fn global_admin(&self, holder: &Holder<'_>) -> Option<Arc<Group>> {
        let roles = &self.deployment.roles;
        first_group(roles, &roles.administering, holder.deployment_groups)
    }
}

fn first_group(roles: &Roles, allowed: &Bitmap, held: &Held) -> Option<Arc<Group>> {
    roles.group(allowed.first_common(held)?).cloned()
}

#[cfg(test)]
mod tests;

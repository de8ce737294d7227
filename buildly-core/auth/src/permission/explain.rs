//! The check read in other directions: why, who can, what can.
//!
//! All answers come from the bitmaps that the check itself reads, so they cannot disagree.

use std::sync::Arc;

use buildly_model::{Action, Actions, OrganizationId, Principal, ServiceId, UserId};

use super::{Decision, Resource};
use crate::identity::snapshot::{Attached, Bitmap, Roles};
use crate::identity::{Group, Snapshot};

/// A decision with everything that was looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The decision.
    pub decision: Decision,
    /// The groups attached to the service that count for the caller's organization.
    pub considered: Vec<Considered>,
}

/// A group that was looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Considered {
    /// The group.
    pub group: Arc<Group>,
    /// Whether the caller is a member.
    pub is_member: bool,
    /// Whether it allows the action.
    pub allows: bool,
}

/// Who may perform an action on a service.
#[derive(Debug, Clone, PartialEq)]
pub struct WhoCan {
    /// Whether no group is attached, so that every signed-in user may.
    pub is_open: bool,
    /// The groups whose members may.
    pub groups: Vec<Arc<Group>>,
    /// The active users of the organization who may, in order of their ids.
    pub users: Vec<UserId>,
}

/// What a principal may do on services.
#[derive(Debug, Clone, PartialEq)]
pub struct WhatCan {
    /// On every service that is not listed.
    pub elsewhere: Actions,
    /// On services that groups are attached to, in order of their ids.
    pub services: Vec<(ServiceId, Actions)>,
}

impl Snapshot {
    /// Decides, and lists what was looked at.
    #[must_use]
    pub fn explain(&self, principal: &Principal, action: Action, resource: Resource) -> Explanation {
        let decision = self.check(principal, action, resource);
        let mut considered = Vec::new();
        if let (Resource::Service(service), Some(user)) = (resource, self.active_user(principal)) {
            for (roles, attached, held) in [
                self.own_attached(principal.organization, service)
                    .map(|(roles, own)| (roles, own, &user.groups)),
                self.global_attached(service).map(|(roles, all)| (roles, all, &user.deployment_groups)),
            ]
            .into_iter()
            .flatten()
            {
                considered.extend(attached.groups.iter().filter_map(|number| {
                    Some(Considered {
                        group: roles.group(number)?.clone(),
                        is_member: held.contains(number),
                        allows: attached.allowed.of(action).contains(number),
                    })
                }));
            }
        }
        Explanation { decision, considered }
    }

    /// Which groups and users of `organization` may perform `action` on `service`.
    #[must_use]
    pub fn who_can(&self, organization: OrganizationId, service: ServiceId, action: Action) -> WhoCan {
        let empty = Bitmap::default();
        let own = self.own_attached(Some(organization), service);
        let global = self.global_attached(service);
        let (own_allowed, global_allowed) = (
            own.map_or(&empty, |(_, attached)| attached.allowed.of(action)),
            global.map_or(&empty, |(_, attached)| attached.allowed.of(action)),
        );
        let named = |place: Option<(&Roles, &Attached)>, allowed: &Bitmap| {
            let groups = place.into_iter().flat_map(|(roles, _)| {
                allowed.iter().filter_map(|number| roles.group(number).cloned()).collect::<Vec<_>>()
            });
            groups.collect::<Vec<_>>()
        };
        let mut groups = named(own, own_allowed);
        groups.extend(named(global, global_allowed));
        let is_open = !self.deployment.services.contains_key(&service);
        let may = |user: &&crate::identity::UserFacts| {
            user.is_active
                && (is_open
                    || user.is_superuser
                    || own_allowed.first_common(&user.groups).is_some()
                    || global_allowed.first_common(&user.deployment_groups).is_some())
        };
        let mut users: Vec<UserId> = self.users_of(organization).filter(may).map(|user| user.id).collect();
        users.sort_unstable();
        WhoCan { is_open, groups, users }
    }

    /// The services that groups are attached to; every other is open to whoever is signed in.
    pub(crate) fn guarded_services(&self) -> impl Iterator<Item = ServiceId> {
        self.deployment.services.keys().copied()
    }

    fn own_attached(
        &self,
        organization: Option<OrganizationId>,
        service: ServiceId,
    ) -> Option<(&Roles, &Attached)> {
        let facts = self.organization(organization?)?;
        Some((&facts.roles, facts.services.get(&service)?))
    }

    fn global_attached(&self, service: ServiceId) -> Option<(&Roles, &Attached)> {
        let facts = self.deployment.services.get(&service)?;
        Some((&self.deployment.roles, &facts.global))
    }
}

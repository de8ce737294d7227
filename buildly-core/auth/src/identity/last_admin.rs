//! The rule that an organization keeps an administrator: its last admin group cannot be
//! emptied, deleted or lowered below every permission.

use std::collections::BTreeSet;

use buildly_model::{GroupId, OrganizationId, UserId};

use super::{AdminMembership, Group, Scope};
use crate::{Auth, Error};

/// The most groups of one organization.
pub(crate) const GROUPS_MAX: u32 = 10_000;

/// The admin groups of an organization and their active members, at one point of its chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Admins {
    /// The number of the chain's last event when this was read.
    pub(crate) sequence: u64,
    groups: BTreeSet<GroupId>,
    members: BTreeSet<(GroupId, UserId)>,
}

impl Admins {
    pub(crate) fn new(sequence: u64, groups: &[Group], memberships: &[AdminMembership]) -> Self {
        let admin_groups = groups.iter().filter(|group| group.is_organization_admin());
        Self {
            sequence,
            groups: admin_groups.map(|group| group.id).collect(),
            members: memberships.iter().map(|membership| (membership.group, membership.user)).collect(),
        }
    }

    /// After a group was deleted or lowered.
    pub(crate) fn without_group(&self, gone: GroupId) -> Self {
        let mut after = self.clone();
        after.groups.remove(&gone);
        after.members.retain(|(group, _)| *group != gone);
        after
    }

    /// After a user has exactly these groups; none if the user is inactive or gone.
    pub(crate) fn with_user(&self, user: UserId, groups: &[GroupId]) -> Self {
        let mut after = self.clone();
        after.members.retain(|(_, member)| *member != user);
        let admin_groups = groups.iter().filter(|group| self.groups.contains(group));
        after.members.extend(admin_groups.map(|group| (*group, user)));
        after
    }

    /// Decides whether the step from this to `after` is allowed.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the last admin group or the last administrator would go.
    pub(crate) fn allow(&self, after: &Self) -> Result<(), Error> {
        if !self.groups.is_empty() && after.groups.is_empty() {
            return Err(Error::Conflict {
                reason: "it is the organization's last group with every permission; \
                         make another one before you delete or lower it"
                    .to_owned(),
            });
        }
        if !self.members.is_empty() && after.members.is_empty() {
            return Err(Error::Conflict {
                reason: "the organization would have no administrator left; \
                         make somebody else an administrator first"
                    .to_owned(),
            });
        }
        Ok(())
    }
}

impl Auth {
    pub(crate) async fn admins_of(&self, organization: OrganizationId) -> Result<Admins, Error> {
        let store = &self.parts.store;
        let sequence = store.last_sequence(Some(organization)).await?;
        let groups = store.groups(Scope::Organization(organization), None, GROUPS_MAX).await?;
        let memberships = store.admin_memberships(organization).await?;
        Ok(Admins::new(sequence, &groups, &memberships))
    }
}

#[cfg(test)]
mod tests;

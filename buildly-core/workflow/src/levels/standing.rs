//! Decides who may do what with a row.
//!
//! Administrators of the deployment may do everything, those of an organization everything in
//! it. Everybody else has the rights of those of the own groups that are attached to the row;
//! where none is attached, those that the own groups give on the organization. Pure.

use buildly_model::{Action, Actions, GroupId, OrganizationId, UserId};

use crate::Error;

/// Who asks, as rights on rows see it now.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Where the caller belongs.
    pub organization: Option<OrganizationId>,
    /// Who it is, if it is a person.
    pub user: Option<UserId>,
    /// Whether the caller administers the deployment.
    pub is_global_admin: bool,
    /// Whether the caller administers the own organization.
    pub is_admin: bool,
    /// What the caller may do with things of the own organization.
    pub own: Actions,
    /// The caller's groups, with what each lets its members do.
    pub groups: Vec<(GroupId, Actions)>,
}

/// Which rows of a list somebody sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Only those of one organization; `None`: of all.
    pub organization: Option<OrganizationId>,
    /// Only those that groups let see; `None`: all of them.
    pub through: Option<Through>,
}

/// Which rows groups let see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Through {
    /// Whether those are seen that no group is attached to.
    pub unattached: bool,
    /// Those that one of these is attached to.
    pub groups: Vec<GroupId>,
}

impl Standing {
    /// What the caller may do with a row of `organization` that these groups are attached to.
    #[must_use]
    pub fn actions(&self, organization: OrganizationId, attached: &[GroupId]) -> Actions {
        if self.is_global_admin {
            return Actions::ALL;
        }
        if self.is_stranger(organization) {
            return Actions::NONE;
        }
        if self.is_admin {
            return Actions::ALL;
        }
        if attached.is_empty() {
            return self.own;
        }
        let counting = self.groups.iter().filter(|(group, _)| attached.contains(group));
        counting.fold(Actions::NONE, |actions, (_, more)| actions.union(*more))
    }

    /// Whether what belongs to the organization is none of the caller's business.
    pub(super) fn is_stranger(&self, organization: OrganizationId) -> bool {
        !self.is_global_admin && self.organization != Some(organization)
    }

    /// # Errors
    /// [`Error::Forbidden`] unless the caller may do this with the row.
    pub(super) fn require(
        &self,
        action: Action,
        organization: OrganizationId,
        attached: &[GroupId],
    ) -> Result<(), Error> {
        if self.actions(organization, attached).contains(action) {
            return Ok(());
        }
        let reason = if self.is_stranger(organization) {
            "you do not have permission to perform this action: it is another organization's".to_owned()
        } else if attached.is_empty() {
            format!(
                "you do not have permission to perform this action: none of your groups lets you {action}"
            )
        } else {
            format!(
                "you do not have permission to perform this action: none of your groups that are attached \
                 here lets you {action}"
            )
        };
        Err(Error::Forbidden { reason })
    }

    /// Lets those pass who administer the organization; `None`: who administer the deployment.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub(super) fn require_admin(&self, organization: Option<OrganizationId>) -> Result<(), Error> {
        let is_own = organization.is_some() && organization == self.organization;
        if self.is_global_admin || (self.is_admin && is_own) {
            return Ok(());
        }
        let who =
            if is_own { "administrators of the organization" } else { "administrators of the deployment" };
        Err(Error::Forbidden { reason: format!("only {who} do this") })
    }

    /// Whether the caller may attach groups with these rights to a row, in place of `attached`.
    #[must_use]
    pub(super) fn may_attach(
        &self,
        organization: OrganizationId,
        attached: &[GroupId],
        next: &[Actions],
    ) -> bool {
        let held = self.actions(organization, attached);
        let is_admin = self.is_global_admin || (self.is_admin && self.organization == Some(organization));
        is_admin || (!next.is_empty() && next.iter().all(|actions| held.union(*actions) == held))
    }

    /// Which rows the caller sees in lists.
    ///
    /// # Errors
    /// [`Error::Forbidden`] if the caller belongs nowhere.
    pub(super) fn seen(&self) -> Result<Seen, Error> {
        if self.is_global_admin {
            return Ok(Seen { organization: None, through: None });
        }
        let organization = self.organization()?;
        let through = (!self.is_admin).then(|| Through {
            unattached: self.own.contains(Action::Read),
            groups: self
                .groups
                .iter()
                .filter(|(_, actions)| actions.contains(Action::Read))
                .map(|(group, _)| *group)
                .collect(),
        });
        Ok(Seen { organization: Some(organization), through })
    }

    /// # Errors
    /// [`Error::Forbidden`] if the caller belongs nowhere.
    pub(super) fn organization(&self) -> Result<OrganizationId, Error> {
        self.organization.ok_or_else(|| Error::Forbidden {
            reason: "workflow levels belong to an organization, and you are in none".to_owned(),
        })
    }
}

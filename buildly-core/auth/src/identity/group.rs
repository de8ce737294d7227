//! A group: a role, with what its members may do.

use buildly_model::{Actions, GroupId, OrganizationId, Timestamp};

/// How a caller names a group: by id, or by the number of the old wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupKey {
    /// By id.
    Id(GroupId),
    /// By number.
    Number(i64),
}

/// A group as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Its id.
    pub id: GroupId,
    /// Its positive integer id on the old wire; 0 until the storage has given one.
    pub number: i64,
    /// Whose group it is; `None` for groups of the deployment.
    pub organization: Option<OrganizationId>,
    /// What people call it.
    pub name: String,
    /// Whether its members have its rights in every organization; such a group belongs to none.
    pub is_global: bool,
    /// Whether its rights count for the whole organization.
    pub is_organization_level: bool,
    /// Whether new users of the organization join it.
    pub is_default: bool,
    /// What its members may do.
    pub permissions: Actions,
    /// Counts changes of this row, so that none is lost.
    pub version: u64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub edited_at: Timestamp,
}

impl Group {
    /// The name of the group that a new organization's first user joins.
    pub const ADMINS: &'static str = "Admins";
    /// The name of the group that every new user of an organization joins.
    pub const USERS: &'static str = "Users";
    /// The name of the global group whose members administer the deployment.
    pub const GLOBAL_ADMIN: &'static str = "Global Admin";

    /// Whether its members administer their organization.
    #[must_use]
    pub fn is_organization_admin(&self) -> bool {
        self.organization.is_some()
            && self.is_organization_level
            && !self.is_global
            && self.permissions == Actions::ALL
    }

    /// Whether its members administer the deployment.
    #[must_use]
    pub fn is_global_admin(&self) -> bool {
        self.is_global && self.permissions == Actions::ALL
    }
}
